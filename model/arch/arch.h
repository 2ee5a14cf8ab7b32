// A multi-core DNN accelerator (accsim-arch/1): cores with an array, a vector unit, scratchpad, accumulator and DMA,
// an optional global buffer, a NoC, DRAM, energy and area tables. Immutable after loading; every field has a unit in
// its key, a default or is required, a range and a line of documentation (the record tables in arch.cpp).
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "model/arch/energy.h"
#include "model/base/data_type.h"
#include "model/base/units.h"
#include "model/config/record.h"

namespace accsim::model {

enum class Dataflow : std::uint8_t { weight_stationary, output_stationary, input_stationary, vector_mac };
std::string_view name_of(Dataflow dataflow);

struct ArrayConfig {
  std::int64_t rows = 32;
  std::int64_t cols = 32;
  Dataflow dataflow = Dataflow::weight_stationary;
  bool double_buffered = true;  // shadow registers: folds overlap
  DataType operand_type = DataType::int8;
  DataType accumulator_type = DataType::int32;
};

struct VectorConfig {
  std::int64_t lanes = 32;
  std::int64_t exp_cycles = 4;  // cycles a lane takes for an exponential, a division, a square root, erf, tanh
};

// Banks hold consecutive address ranges (bank = address / (size / banks)), one port each, one access a cycle.
struct MemoryConfig {
  std::int64_t size_kib = 256;
  std::int64_t banks = 8;
  std::int64_t port_bytes = 32;
  [[nodiscard]] Bytes size() const { return Bytes(size_kib * 1024); }
  [[nodiscard]] std::int64_t bank_bytes() const { return size().value() / banks; }
};

struct DmaConfig {
  std::int64_t channels = 2;          // descriptors in flight a queue (load, store)
  std::int64_t outstanding = 64;      // bursts in flight a queue
  std::int64_t bytes_per_cycle = 32;  // issue and delivery rate a queue
};

struct CoreConfig {
  std::string name = "npu";
  std::int64_t count = 1;
  ArrayConfig array;
  VectorConfig vector;
  MemoryConfig scratchpad;
  MemoryConfig accumulator;
  DmaConfig dma;
};

enum class Topology : std::uint8_t { bus, ring, crossbar, mesh };

struct NocConfig {
  Topology topology = Topology::crossbar;
  std::int64_t flit_bytes = 32;
  std::int64_t router_cycles = 2;
  std::int64_t vcs = 2;
  std::int64_t vc_buffer_flits = 8;
  std::int64_t core_ports = 1;  // links of a core into the network and out of it, a flit a cycle each
  // Mesh: its extent, 0 = chosen; mesh and ring: who sits where (model/arch/noc_placement.h), empty = chosen.
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<std::string> nodes;
};

struct Architecture {
  std::string name;
  std::string source;  // comment: where the numbers come from
  std::int64_t clock_mhz = 1000;
  std::int64_t technology_nm = 22;
  std::vector<CoreConfig> core_types;  // entries of "cores"
  std::optional<MemoryConfig> global_buffer;
  NocConfig noc;
  DramConfig dram;
  EnergyConfig energy;

  // Cores are numbered type by type, in file order.
  [[nodiscard]] std::int64_t core_count() const;
  [[nodiscard]] const CoreConfig& core(CoreId id) const;
  [[nodiscard]] std::int64_t peak_macs_per_cycle() const;  // all arrays
  // Nodes of the NoC: cores first, then the global buffer if there is one, then a node a DRAM channel.
  [[nodiscard]] std::int64_t node_count() const;
  [[nodiscard]] std::int64_t node_of_core(CoreId id) const { return id.value(); }
  [[nodiscard]] std::int64_t node_of_global_buffer() const { return core_count(); }
  [[nodiscard]] std::int64_t node_of_channel(std::int64_t channel) const;
};

// Reads and checks the file, its DRAM and energy presets (files in `configs/dram` and `configs/energy` of the data
// folder, see data_folder(), single values overridden in the architecture). ConfigError on anything wrong.
Architecture load_architecture(const std::filesystem::path& file);
Architecture parse_architecture(const Json& json, const std::string& file);
Json to_json(const Architecture& arch);  // resolved: every default visible; loads back to the same architecture
Json architecture_schema();              // JSON schema of accsim-arch/1

// Cycles of the core clock for `ns`-free arithmetic: time of cycle n in picoseconds is floor(n * numerator /
// denominator).
struct ClockPeriod {  // picoseconds as an exact ratio
  std::int64_t numerator = 1000;
  std::int64_t denominator = 1;
};
ClockPeriod core_clock(const Architecture& arch);
double nanoseconds(const Architecture& arch, Cycles core_cycles);

// Figures that follow from the architecture alone (accsim check).
struct ArchitectureBounds {
  double peak_macs_per_second = 0;
  double peak_dram_gb_s = 0;
  double ridge_macs_per_byte = 0;
  double area_mm2 = 0;
};
ArchitectureBounds bounds_of(const Architecture& arch);

// Folder that holds configs/ and workloads/.
std::filesystem::path data_folder();

}  // namespace accsim::model
