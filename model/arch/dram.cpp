#include "model/arch/dram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <system_error>

#include "model/base/error.h"

namespace accsim::model {
namespace {

constexpr std::int64_t kMostCycles = 1'000'000'000;
constexpr std::int64_t kMostQueues = 256;  // bank queues a channel
constexpr char kSchema[] = "accsim-dram/1";

bool separate_row_delays(DramProtocol protocol) {
  return protocol == DramProtocol::hbm2 || protocol == DramProtocol::gddr6;
}
bool precharge_distance(DramProtocol protocol) {
  return protocol == DramProtocol::lpddr4 || protocol == DramProtocol::lpddr5 || protocol == DramProtocol::gddr6;
}

int log2_of(std::int64_t power) { return std::countr_zero(static_cast<std::uint64_t>(power)); }

void add_organisation(Record<DramConfig>& record) {
  const IntegerRange count{1, std::int64_t{1} << 20};
  record.choice<DramProtocol>("protocol", &DramConfig::protocol,
                              {{"ddr4", DramProtocol::ddr4},
                               {"lpddr4", DramProtocol::lpddr4},
                               {"lpddr5", DramProtocol::lpddr5},
                               {"hbm2", DramProtocol::hbm2},
                               {"gddr6", DramProtocol::gddr6}},
                              {}, "which of the rules that differ between standards hold");
  record.integer("channels", &DramConfig::channels, {1, 1024}, {}, "independent channels; a power of two");
  record.integer("ranks", &DramConfig::ranks, {1, 16}, {}, "ranks a channel; a power of two");
  record.integer("bankgroups", &DramConfig::bankgroups, {1, 16}, {}, "bank groups a rank; a power of two");
  record.integer("banks_per_group", &DramConfig::banks_per_group, {1, 64}, {}, "banks a group; a power of two");
  record.integer("rows", &DramConfig::rows, {1, std::int64_t{1} << 26}, {}, "rows a bank; a power of two");
  record.integer("columns", &DramConfig::columns, count, {}, "columns of bus_width bits a row; a power of two");
  record.integer("device_width", &DramConfig::device_width, {1, 1024}, {}, "data bits of one device");
  record.integer("bus_width", &DramConfig::bus_width, {8, 4096}, {}, "data bits of one channel");
  record.integer("BL", &DramConfig::bl, {1, 64}, {}, "burst length, transfers a column command");
  record.integer("transfers_per_clock", &DramConfig::transfers_per_clock, {1, 64}, 2,
                 "transfers a cycle of the command clock");
  record.text("address_mapping", &DramConfig::address_mapping, std::nullopt,
              "fields ro ch ra ba bg co from the top address bit down, each once");
}

void add_controller(Record<DramConfig>& record) {
  record.integer("cmd_queue_size", &DramConfig::cmd_queue_size, {1, 1024}, 8, "commands a bank queue holds");
  record.integer("trans_queue_size", &DramConfig::trans_queue_size, {1, 65536}, 32, "reads that wait for a bank queue");
  record.integer("write_buffer_size", &DramConfig::write_buffer_size, {1, 65536}, 32,
                 "writes that wait; a full buffer is drained");
  record.integer("write_drain_low", &DramConfig::write_drain_low, {0, 65536}, 8,
                 "more writes than these are drained while all bank queues are empty");
  record.integer("write_tail", &DramConfig::write_tail, {0, 65536}, 8, "writes that may be left at the end of a run");
  record.integer("hit_cap", &DramConfig::hit_cap, {1, 1'000'000}, 4,
                 "column accesses of an open row after which a waiting other row goes first");
  record.boolean("enable_hbm_dual_cmd", &DramConfig::enable_hbm_dual_cmd, false,
                 "a row and a column command in one cycle (hbm2 only)");
}

void add_timing(Record<DramConfig>& record) {
  record.integers("tCK_ps", &DramConfig::tck_ps, {1, 1'000'000'000}, 1, 2, std::nullopt,
                  "clock period in picoseconds: 630, or [2500, 3] for a ratio; tCK in nanoseconds is taken, too");
  const auto cycles = [&](const char* key, std::int64_t DramConfig::*member, const char* doc,
                          std::int64_t fallback = -1) {
    const std::optional<std::int64_t> initial = fallback < 0 ? std::nullopt : std::optional(fallback);
    record.integer(key, member, {0, kMostCycles}, initial, std::string(doc));
  };
  cycles("AL", &DramConfig::al, "additive latency, cycles", 0);
  cycles("CL", &DramConfig::cl, "read command to first data, cycles");
  cycles("CWL", &DramConfig::cwl, "write command to first data, cycles");
  cycles("tRCD", &DramConfig::t_rcd, "activate to column command, cycles");
  cycles("tRCDRD", &DramConfig::t_rcdrd, "activate to read, cycles (hbm2, gddr6)", 0);
  cycles("tRCDWR", &DramConfig::t_rcdwr, "activate to write, cycles (hbm2, gddr6)", 0);
  cycles("tRP", &DramConfig::t_rp, "precharge to activate or refresh, cycles");
  cycles("tRAS", &DramConfig::t_ras, "activate to precharge, cycles");
  cycles("tRC", &DramConfig::t_rc, "activate to activate of a bank, cycles; 0 = tRAS + tRP", 0);
  cycles("tCCD_S", &DramConfig::t_ccd_s, "column command to column command, other bank group, cycles");
  cycles("tCCD_L", &DramConfig::t_ccd_l, "column command to column command, same bank group, cycles");
  cycles("tRTRS", &DramConfig::t_rtrs, "change of rank or direction on the data bus, cycles");
  cycles("tRTP", &DramConfig::t_rtp, "read to precharge, cycles");
  cycles("tWTR_S", &DramConfig::t_wtr_s, "end of write data to read, other bank group, cycles");
  cycles("tWTR_L", &DramConfig::t_wtr_l, "end of write data to read, same bank group, cycles");
  cycles("tWR", &DramConfig::t_wr, "end of write data to precharge, cycles");
  cycles("tRRD_S", &DramConfig::t_rrd_s, "activate to activate, other bank group, cycles");
  cycles("tRRD_L", &DramConfig::t_rrd_l, "activate to activate, same bank group, cycles");
  cycles("tFAW", &DramConfig::t_faw, "window of four activates a rank, cycles");
  cycles("t32AW", &DramConfig::t_32aw, "window of 32 activates a rank, cycles (gddr6)", 0);
  cycles("tPPD", &DramConfig::t_ppd, "precharge to precharge of another bank, cycles (lpddr4, lpddr5, gddr6)", 0);
  cycles("tRFC", &DramConfig::t_rfc, "refresh of all banks of a rank, cycles");
  cycles("tREFI", &DramConfig::t_refi, "interval between refreshes of a rank, cycles; 0 = no refresh");
  cycles("tRFCb", &DramConfig::t_rfcb, "per-bank refresh, cycles; without effect: refresh is by rank", 0);
  cycles("tREFIb", &DramConfig::t_refib, "interval of per-bank refresh, cycles; without effect: refresh is by rank", 0);
  cycles("tXS", &DramConfig::t_xs, "exit from self-refresh, cycles; without effect: no self-refresh", 0);
  cycles("tCKESR", &DramConfig::t_ckesr, "least time in self-refresh, cycles; without effect: no self-refresh", 0);
}

void add_currents(Record<DramConfig>& record) {
  const NumberRange milliamperes{0, 100'000};
  record.number("VDD", &DramConfig::vdd, {0.1, 10}, {}, "supply voltage, V");
  record.number("IDD0", &DramConfig::idd0, milliamperes, {}, "one bank activate-precharge current of a device, mA");
  record.number("IDD2N", &DramConfig::idd2n, milliamperes, {}, "precharge standby current of a device, mA");
  record.number("IDD3N", &DramConfig::idd3n, milliamperes, {}, "active standby current of a device, mA");
  record.number("IDD4R", &DramConfig::idd4r, milliamperes, {}, "burst read current of a device, mA");
  record.number("IDD4W", &DramConfig::idd4w, milliamperes, {}, "burst write current of a device, mA");
  record.number("IDD5AB", &DramConfig::idd5ab, milliamperes, {}, "all-bank refresh current of a device, mA");
}

[[noreturn]] void fail_key(const Origin& at, const char* key, const std::string& what) { fail(at.key(key), what); }

void require_power_of_two(const Origin& at, const char* key, std::int64_t value) {
  if (value < 1 || !std::has_single_bit(static_cast<std::uint64_t>(value))) {
    fail_key(at, key, "expected a power of two, found " + std::to_string(value));
  }
}

}  // namespace

double DramConfig::tck_ns() const { return static_cast<double>(tck_ps[0]) / static_cast<double>(tck_ps[1]) / 1000.0; }

std::int64_t DramConfig::picoseconds(Cycles n) const {
  __extension__ using Wide = __int128;  // n * numerator can pass 63 bits
  return static_cast<std::int64_t>(static_cast<Wide>(n.value()) * tck_ps[0] / tck_ps[1]);
}

double DramConfig::peak_gb_s() const {
  const auto bytes = static_cast<double>(derived.burst_bytes * channels);
  return bytes / (static_cast<double>(derived.column_cycles) * tck_ns());
}

std::uint64_t DramConfig::encode(const DramAddress& at) const {
  const std::array<std::int32_t, 6> parts{at.channel, at.rank, at.bankgroup, at.bank, at.row, at.column};
  std::uint64_t burst = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    burst |= (static_cast<std::uint64_t>(parts[i]) & fields_[i].mask) << fields_[i].shift;
  }
  return burst << burst_shift_;
}

void DramConfig::resolve_mapping(const Origin& at) {
  const std::array<std::string, 6> names{"ch", "ra", "bg", "ba", "ro", "co"};
  const std::array<std::int64_t, 6> sizes{channels, ranks, bankgroups, banks_per_group, rows, columns / bl};
  const auto fail_mapping = [&] {
    fail_key(at, "address_mapping",
             "expected each of ro, ch, ra, ba, bg, co once, from the top address bit down, found \"" +
                 address_mapping.substr(0, 40) + "\"");
  };
  if (address_mapping.size() != 2 * names.size()) fail_mapping();
  int shift = 0;
  unsigned seen = 0;
  for (std::size_t position = names.size(); position-- > 0;) {
    const auto found = std::find(names.begin(), names.end(), address_mapping.substr(2 * position, 2));
    if (found == names.end()) fail_mapping();
    const auto field = static_cast<std::size_t>(found - names.begin());
    if ((seen >> field & 1U) != 0) fail_mapping();
    seen |= 1U << field;
    fields_[field] = {shift, static_cast<std::uint64_t>(sizes[field]) - 1};
    shift += log2_of(sizes[field]);
  }
  burst_shift_ = log2_of(derived.burst_bytes);
}

void DramConfig::resolve_timing() {
  DramDerived& d = derived;
  const bool one_group = bankgroups == 1;
  const auto long_or_short = [one_group](std::int64_t same_group, std::int64_t other_group) {
    return one_group ? other_group : same_group;
  };
  const std::int64_t ccd_same = std::max(d.burst_cycles, long_or_short(t_ccd_l, t_ccd_s));
  const std::int64_t ccd_other = std::max(d.burst_cycles, t_ccd_s);
  DramDistances& t = distances;
  t.rd_rd_same_group = t.wr_wr_same_group = ccd_same;
  t.rd_rd_other_group = t.wr_wr_other_group = ccd_other;
  t.rd_rd_other_rank = d.burst_cycles + t_rtrs;
  t.wr_wr_other_rank = d.burst_cycles;
  t.rd_wr_same_rank = d.read_latency + d.burst_cycles - d.write_latency + t_rtrs;
  t.rd_wr_other_rank = d.read_delay + d.burst_cycles + t_rtrs - d.write_delay;
  t.wr_rd_same_group = d.write_delay + long_or_short(t_wtr_l, t_wtr_s);
  t.wr_rd_other_group = d.write_delay + t_wtr_s;
  t.wr_rd_other_rank = d.write_delay + d.burst_cycles + t_rtrs - d.read_delay;
  t.rd_pre = al + t_rtp;
  t.wr_pre = d.write_latency + d.burst_cycles + t_wr;
  t.act_act_same_bank = d.row_cycle;
  t.act_act_same_group = long_or_short(t_rrd_l, t_rrd_s);
  t.act_act_other_group = t_rrd_s;
  t.act_rd = (separate_row_delays(protocol) ? t_rcdrd : t_rcd) - al;
  t.act_wr = (separate_row_delays(protocol) ? t_rcdwr : t_rcd) - al;
  t.act_pre = t_ras;
  t.pre_act = t_rp;
  t.pre_pre = precharge_distance(protocol) ? t_ppd : 0;
  t.ref_act = t_rfc;
  t.four_activates = t_faw;
  t.thirty_two_activates = protocol == DramProtocol::gddr6 ? t_32aw : 0;
}

// VDD [V] * I [mA] * cycles * tCK [ns] = pJ; a rank has `devices` devices.
void DramConfig::resolve_energy() {
  DramDerived& d = derived;
  const double scale = vdd * static_cast<double>(d.devices) * tck_ns();
  const auto cycles = [](std::int64_t n) { return static_cast<double>(n); };
  d.act_pj = scale * (idd0 * cycles(d.row_cycle) - idd3n * cycles(t_ras) - idd2n * cycles(t_rp));
  d.read_pj = scale * (idd4r - idd3n) * cycles(d.burst_cycles);
  d.write_pj = scale * (idd4w - idd3n) * cycles(d.burst_cycles);
  d.refresh_pj = scale * (idd5ab - idd3n) * cycles(t_rfc);
  d.active_standby_pj = scale * idd3n;
  d.precharge_standby_pj = scale * idd2n;
}

void DramConfig::resolve(const Origin& at) {
  if (tck_ps.size() == 1) tck_ps.push_back(1);
  const std::int64_t divisor = std::gcd(tck_ps[0], tck_ps[1]);
  tck_ps = {tck_ps[0] / divisor, tck_ps[1] / divisor};

  require_power_of_two(at, "channels", channels);
  require_power_of_two(at, "ranks", ranks);
  require_power_of_two(at, "bankgroups", bankgroups);
  require_power_of_two(at, "banks_per_group", banks_per_group);
  require_power_of_two(at, "rows", rows);
  require_power_of_two(at, "columns", columns);
  require_power_of_two(at, "bus_width", bus_width);
  require_power_of_two(at, "device_width", device_width);
  require_power_of_two(at, "BL", bl);
  require_power_of_two(at, "transfers_per_clock", transfers_per_clock);
  if (device_width > bus_width)
    fail_key(at, "device_width", "expected at most bus_width = " + std::to_string(bus_width));
  if (columns < bl) fail_key(at, "columns", "expected at least BL = " + std::to_string(bl));
  if (bl < transfers_per_clock) {
    fail_key(at, "BL", "expected at least transfers_per_clock = " + std::to_string(transfers_per_clock));
  }
  constexpr int kAddressBits = 56;
  const int address_bits = log2_of(channels) + log2_of(ranks) + log2_of(bankgroups) + log2_of(banks_per_group) +
                           log2_of(rows) + log2_of(columns) + log2_of(bus_width / 8);
  if (address_bits > kAddressBits)
    fail(at, "the DRAM is too large: more than 2^" + std::to_string(kAddressBits) + " bytes");
  DramDerived& d = derived;
  d.burst_bytes = bus_width / 8 * bl;
  d.burst_cycles = bl / transfers_per_clock;
  d.column_cycles = std::max(d.burst_cycles, t_ccd_s);
  d.read_latency = al + cl;
  d.write_latency = al + cwl;
  d.read_delay = d.read_latency + d.burst_cycles;
  d.write_delay = d.write_latency + d.burst_cycles;
  d.devices = bus_width / device_width;
  d.banks = bankgroups * banks_per_group;
  d.queues = ranks * d.banks;
  d.row_cycle = t_rc > 0 ? t_rc : t_ras + t_rp;
  d.refresh_interval = t_refi / ranks;
  d.channel_bytes = ranks * d.banks * rows * columns * (bus_width / 8);
  if (d.queues > kMostQueues) {
    fail_key(at, "ranks",
             "expected ranks * bankgroups * banks_per_group up to " + std::to_string(kMostQueues) + ", found " +
                 std::to_string(d.queues));
  }
  if (al > std::min(t_rcd, separate_row_delays(protocol) ? std::min(t_rcdrd, t_rcdwr) : t_rcd)) {
    fail_key(at, "AL", "expected at most tRCD, found " + std::to_string(al));
  }
  if (t_refi > 0 && d.refresh_interval <= t_rfc + d.row_cycle + t_rp) {
    fail_key(at, "tREFI",
             "expected 0 (no refresh) or more than ranks * (tRFC + tRC + tRP) = " +
                 std::to_string(ranks * (t_rfc + d.row_cycle + t_rp)) + ", found " + std::to_string(t_refi));
  }
  if (enable_hbm_dual_cmd && protocol != DramProtocol::hbm2) {
    fail_key(at, "enable_hbm_dual_cmd", "expected false: only hbm2 has a row and a column command bus");
  }
  resolve_mapping(at);
  resolve_timing();
  resolve_energy();
}

Record<DramConfig> dram_record() {
  Record<DramConfig> record("dram",
                            "A DRAM subsystem: organisation, controller, timing in DRAM clock cycles, currents");
  add_organisation(record);
  add_controller(record);
  add_timing(record);
  add_currents(record);
  return record;
}

Json normalise_dram(Json json, const Origin& at) {
  if (!json.is_object()) return json;
  if (const auto it = json.find("tCK"); it != json.end()) {
    if (json.contains("tCK_ps")) fail(at.key("tCK"), "expected only one of tCK and tCK_ps");
    constexpr double kLongest = 1'000'000;  // ns
    const double femtoseconds = std::round(read_number(*it, {0.000001, kLongest}, at.key("tCK")) * 1e6);
    json.erase(it);
    const auto whole = static_cast<std::int64_t>(femtoseconds);
    const std::int64_t divisor = std::gcd(whole, std::int64_t{1000});
    json["tCK_ps"] = {whole / divisor, 1000 / divisor};
  }
  if (const auto it = json.find("tCK_ps"); it != json.end() && it->is_number_integer()) *it = Json::array({*it});
  if (const auto it = json.find("enable_hbm_dual_cmd"); it != json.end() && (*it == Json(0) || *it == Json(1))) {
    *it = *it == Json(1);
  }
  return json;
}

std::vector<std::string> dram_presets(const std::filesystem::path& preset_dir) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(preset_dir, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

DramConfig load_dram(const std::string& preset, const Json& overrides, const std::filesystem::path& preset_dir,
                     const Origin& at) {
  const std::vector<std::string> presets = dram_presets(preset_dir);
  if (std::find(presets.begin(), presets.end(), preset) == presets.end()) {
    std::string list;
    for (const std::string& name : presets) list += (list.empty() ? "" : ", ") + name;
    fail(at.key("preset"),
         "unknown DRAM preset \"" + preset.substr(0, 80) + "\"; there are: " + list + did_you_mean(preset, presets));
  }
  const Record<DramConfig> record = dram_record();
  const std::filesystem::path file = preset_dir / (preset + ".json");
  Json json = read_json_file(file);
  require_schema(json, kSchema, file.string());
  json.erase("schema");
  const Origin in_file{file.string(), ""};
  DramConfig config = record.parse(normalise_dram(std::move(json), in_file), in_file);
  config.preset = preset;
  config.resolve(in_file);

  if (!overrides.is_object()) fail(at, "expected an object of DRAM settings, " + describe(overrides));
  if (overrides.empty()) return config;
  Json merged = record.dump(config);
  const Json changes = normalise_dram(overrides, at);
  for (const auto& [key, value] : changes.items()) merged[key] = value;
  config = record.parse(merged, at);
  config.preset = preset;
  config.resolve(at);
  return config;
}

Json parse_dram_settings(const std::vector<std::string>& values, const Origin& at) {
  std::vector<std::string> keys = dram_record().keys();
  keys.emplace_back("tCK");
  Json overrides = Json::object();
  for (const std::string& setting : values) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      fail(at, "expected name=value, found \"" + setting.substr(0, 80) + "\"");
    }
    const std::string key = setting.substr(0, equals);
    const std::string text = setting.substr(equals + 1);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_unknown_key(key, keys, at);
    Json value = Json::parse(text, nullptr, false);
    overrides[key] = value.is_discarded() ? Json(text) : std::move(value);
  }
  return overrides;
}

Json to_json(const DramConfig& config) {
  Json json = Json::object();
  json["schema"] = kSchema;
  json.update(dram_record().dump(config));
  return json;
}

}  // namespace accsim::model
