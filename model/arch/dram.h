// A DRAM subsystem as data: organisation, address mapping, timing, currents, controller queues (accsim-dram/1).
// Timing parameters are whole DRAM clock cycles; the clock period is an exact ratio of picoseconds. Keys of the JSON
// files are the names of the JEDEC standards (tRCD, CL, IDD4R); whatever follows from them is computed in DramDerived,
// once. Leaves out: power-down and self-refresh states, per-bank refresh, ECC, IPP and I/O currents. Source of the
// timing rules: JESD79-4 (DDR4), JESD209-4/-5 (LPDDR4/5), JESD235 (HBM), JESD250 (GDDR6).
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "model/base/units.h"
#include "model/config/record.h"

namespace accsim::model {

enum class DramProtocol : std::uint8_t { ddr4, lpddr4, lpddr5, hbm2, gddr6 };

// What follows from the parameters. Cycles of the DRAM clock, bytes.
struct DramDerived {
  std::int64_t burst_bytes = 0;       // S: bytes of one column command = bus_width / 8 * BL
  std::int64_t burst_cycles = 0;      // data bus cycles of one burst = BL / transfers_per_clock
  std::int64_t column_cycles = 0;     // least distance of two column commands = max(burst_cycles, tCCD_S)
  std::int64_t read_latency = 0;      // RL = AL + CL
  std::int64_t write_latency = 0;     // WL = AL + CWL
  std::int64_t read_delay = 0;        // RL + burst_cycles: RD command to last data
  std::int64_t write_delay = 0;       // WL + burst_cycles
  std::int64_t devices = 0;           // bus_width / device_width
  std::int64_t banks = 0;             // a rank: bankgroups * banks_per_group
  std::int64_t queues = 0;            // a channel: ranks * banks
  std::int64_t row_cycle = 0;         // tRC, or tRAS + tRP where it is not given
  std::int64_t refresh_interval = 0;  // tREFI / ranks, cycles between refreshes of a channel; 0 = no refresh
  std::int64_t channel_bytes = 0;
  // Energy of one command and of one rank cycle, pJ: VDD [V] * mA * cycles * tCK [ns] * devices.
  double act_pj = 0;  // with its PRE
  double read_pj = 0;
  double write_pj = 0;
  double refresh_pj = 0;
  double active_standby_pj = 0;     // a rank's cycle with any bank open
  double precharge_standby_pj = 0;  // a rank's cycle with all banks closed
};

// Least distances in cycles between two commands; a value below 1 does not constrain.
struct DramDistances {
  std::int64_t rd_rd_same_group = 0, rd_rd_other_group = 0, rd_rd_other_rank = 0;
  std::int64_t wr_wr_same_group = 0, wr_wr_other_group = 0, wr_wr_other_rank = 0;
  std::int64_t rd_wr_same_rank = 0, rd_wr_other_rank = 0;
  std::int64_t wr_rd_same_group = 0, wr_rd_other_group = 0, wr_rd_other_rank = 0;
  std::int64_t rd_pre = 0, wr_pre = 0;
  std::int64_t act_act_same_bank = 0, act_act_same_group = 0, act_act_other_group = 0;
  std::int64_t act_rd = 0, act_wr = 0, act_pre = 0;
  std::int64_t pre_act = 0, pre_pre = 0;
  std::int64_t ref_act = 0;
  std::int64_t four_activates = 0, thirty_two_activates = 0;  // windows a rank; 0 = none
};

// Where a burst lies. `burst` = address / burst_bytes identifies it.
struct DramAddress {
  std::uint64_t burst = 0;
  std::int32_t channel = 0;
  std::int32_t rank = 0;
  std::int32_t bankgroup = 0;
  std::int32_t bank = 0;
  std::int32_t row = 0;
  std::int32_t column = 0;  // in bursts
};

struct DramConfig {
  std::string preset;  // name of the preset file without ".json", for messages and results
  DramProtocol protocol = DramProtocol::ddr4;

  // Organisation. All powers of two.
  std::int64_t channels = 1;
  std::int64_t ranks = 1;
  std::int64_t bankgroups = 4;
  std::int64_t banks_per_group = 4;
  std::int64_t rows = 65536;
  std::int64_t columns = 1024;  // of bus_width bits
  std::int64_t device_width = 8;
  std::int64_t bus_width = 64;  // of one channel
  std::int64_t bl = 8;
  std::int64_t transfers_per_clock = 2;
  std::string address_mapping = "rochrababgco";  // from the top bit down: ro ch ra ba bg co

  // Queues and policies of the controller.
  std::int64_t cmd_queue_size = 8;     // a bank
  std::int64_t trans_queue_size = 32;  // reads that wait for a bank queue
  std::int64_t write_buffer_size = 32;
  std::int64_t write_drain_low = 8;  // more writes than these are drained when all bank queues are empty
  std::int64_t write_tail = 8;       // writes that may be left in the buffer at the end of a run
  std::int64_t hit_cap = 4;          // column accesses of a row after which a waiting other row wins
  bool enable_hbm_dual_cmd = false;  // row and column commands in one cycle

  // Clock period: tck_ps[0] / tck_ps[1] picoseconds ([630] = 630 / 1).
  std::vector<std::int64_t> tck_ps{1000, 1};

  // Timing, cycles.
  std::int64_t al = 0, cl = 0, cwl = 0;
  std::int64_t t_rcd = 0, t_rcdrd = 0, t_rcdwr = 0;
  std::int64_t t_rp = 0, t_ras = 0, t_rc = 0;
  std::int64_t t_ccd_s = 0, t_ccd_l = 0, t_rtrs = 0, t_rtp = 0;
  std::int64_t t_wtr_s = 0, t_wtr_l = 0, t_wr = 0;
  std::int64_t t_rrd_s = 0, t_rrd_l = 0, t_faw = 0, t_32aw = 0, t_ppd = 0;
  std::int64_t t_rfc = 0, t_refi = 0;
  // Of modes that the controller does not use; accepted so that a whole datasheet can be given.
  std::int64_t t_rfcb = 0, t_refib = 0, t_xs = 0, t_ckesr = 0;

  // Supply and currents of one device, V and mA.
  double vdd = 0;
  double idd0 = 0, idd2n = 0, idd3n = 0, idd4r = 0, idd4w = 0, idd5ab = 0;

  DramDerived derived;  // filled by resolve()
  DramDistances distances;

  [[nodiscard]] Bytes burst_bytes() const { return Bytes(derived.burst_bytes); }
  [[nodiscard]] Bytes capacity() const { return Bytes(derived.channel_bytes * channels); }  // all channels
  [[nodiscard]] double tck_ns() const;
  // Picoseconds from cycle 0 to cycle n, rounded down.
  [[nodiscard]] std::int64_t picoseconds(Cycles n) const;
  // One burst a column_cycles on every channel. 1 GB = 1e9 bytes.
  [[nodiscard]] double peak_gb_s() const;

  // `address` < capacity().
  [[nodiscard]] DramAddress decode(std::uint64_t address) const {
    const std::uint64_t burst = address >> burst_shift_;
    const auto part = [burst](Field field) { return static_cast<std::int32_t>((burst >> field.shift) & field.mask); };
    return {burst,           part(fields_[0]), part(fields_[1]), part(fields_[2]), part(fields_[3]), part(fields_[4]),
            part(fields_[5])};
  }
  [[nodiscard]] std::int32_t channel_of(std::uint64_t address) const {
    return static_cast<std::int32_t>(((address >> burst_shift_) >> fields_[0].shift) & fields_[0].mask);
  }
  // Inverse of decode.
  [[nodiscard]] std::uint64_t encode(const DramAddress& at) const;

  // Checks consistency and computes `derived`, `distances` and the address fields; ConfigError at `at`. To be called
  // again after a change of any parameter.
  void resolve(const Origin& at);

 private:
  struct Field {
    int shift = 0;
    std::uint64_t mask = 0;
  };
  void resolve_mapping(const Origin& at);
  void resolve_timing();
  void resolve_energy();

  int burst_shift_ = 6;
  std::array<Field, 6> fields_{};  // channel, rank, bankgroup, bank, row, column
};

// The table of fields: names, ranges, defaults, documentation. parse() leaves resolve() to do.
Record<DramConfig> dram_record();
// Brings the short forms of the clock period ("tCK_ps": 630, or "tCK": 0.63 in ns) to the table's form.
Json normalise_dram(Json json, const Origin& at);

// Names of the preset files in a folder, sorted.
std::vector<std::string> dram_presets(const std::filesystem::path& preset_dir);

// The preset with single values overridden by name (an object). ConfigError names `at` for what the user gave and the
// preset file for what is wrong in it; an unknown preset lists those that exist.
DramConfig load_dram(const std::string& preset, const Json& overrides, const std::filesystem::path& preset_dir,
                     const Origin& at);

// `values` ("tRCD=20", "address_mapping=rochrabacobg") as an object of overrides.
Json parse_dram_settings(const std::vector<std::string>& values, const Origin& at);

Json to_json(const DramConfig& config);  // every field; loads back to the same configuration

}  // namespace accsim::model
