#include "model/arch/arch.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "model/arch/noc_placement.h"
#include "model/base/error.h"

namespace accsim::model {
namespace {

constexpr char kSchema[] = "accsim-arch/1";
constexpr std::int64_t kMostNodes = 128;
constexpr std::size_t kLongestName = 80;

Record<ArrayConfig> array_record() {
  Record<ArrayConfig> record("array", "Matrix unit of a core: rows x cols multiply-accumulators");
  record.integer("rows", &ArrayConfig::rows, {1, 1024}, {}, "rows of processing elements");
  record.integer("cols", &ArrayConfig::cols, {1, 1024}, {}, "columns of processing elements");
  record.choice<Dataflow>("dataflow", &ArrayConfig::dataflow,
                          {{"weight_stationary", Dataflow::weight_stationary},
                           {"output_stationary", Dataflow::output_stationary},
                           {"input_stationary", Dataflow::input_stationary},
                           {"vector_mac", Dataflow::vector_mac}},
                          Dataflow::weight_stationary,
                          "what stays in the processing elements; vector_mac: cols dot-product units of length rows");
  record.boolean("double_buffered", &ArrayConfig::double_buffered, true,
                 "shadow registers: the next fold loads while this one streams");
  record.choice<DataType>("operand_type", &ArrayConfig::operand_type,
                          {{"int4", DataType::int4},
                           {"int8", DataType::int8},
                           {"int16", DataType::int16},
                           {"fp16", DataType::fp16},
                           {"bf16", DataType::bf16},
                           {"fp32", DataType::fp32}},
                          DataType::int8, "type of inputs and weights");
  record.choice<DataType>("accumulator_type", &ArrayConfig::accumulator_type,
                          {{"int32", DataType::int32},
                           {"int64", DataType::int64},
                           {"fp16", DataType::fp16},
                           {"bf16", DataType::bf16},
                           {"fp32", DataType::fp32}},
                          DataType::int32, "type of partial sums; an integer for integers, floating for floating");
  return record;
}

Record<VectorConfig> vector_record() {
  Record<VectorConfig> record("vector", "Vector unit of a core");
  record.integer("lanes", &VectorConfig::lanes, {1, 8192}, {}, "elements a cycle");
  record.integer("exp_cycles", &VectorConfig::exp_cycles, {1, 64}, 4,
                 "cycles a lane takes for an exponential, a division, a square root, erf, tanh");
  return record;
}

Record<MemoryConfig> memory_record(const char* name, const char* doc) {
  constexpr std::int64_t kLargestKib = 1024 * 1024;
  Record<MemoryConfig> record(name, doc);
  record.integer("size_kib", &MemoryConfig::size_kib, {1, kLargestKib}, {}, "capacity, KiB");
  record.integer("banks", &MemoryConfig::banks, {1, 1024}, {},
                 "banks of consecutive addresses, one access a cycle each");
  record.integer("port_bytes", &MemoryConfig::port_bytes, {1, 4096}, {}, "bytes of one access; a power of two");
  return record;
}

Record<DmaConfig> dma_record() {
  Record<DmaConfig> record("dma", "DMA engine of a core: a load queue and a store queue");
  record.integer("channels", &DmaConfig::channels, {1, 64}, 2, "instructions in flight a queue");
  record.integer("outstanding", &DmaConfig::outstanding, {1, 65536}, 64, "DRAM bursts in flight a queue");
  record.integer("bytes_per_cycle", &DmaConfig::bytes_per_cycle, {1, 4096}, 32,
                 "bytes a core cycle that a queue issues and takes delivery of");
  return record;
}

Record<CoreConfig> core_record() {
  Record<CoreConfig> record("core", "One type of core");
  record.text("name", &CoreConfig::name, "core", "name of the type, for messages and results");
  record.integer("count", &CoreConfig::count, {1, 1024}, 1, "cores of this type");
  record.object("array", &CoreConfig::array, array_record(), true, "matrix unit");
  record.object("vector", &CoreConfig::vector, vector_record(), true, "vector unit");
  record.object("scratchpad", &CoreConfig::scratchpad,
                memory_record("scratchpad", "Operand memory of a core: inputs, weights, outputs"), true,
                "operand memory");
  record.object("accumulator", &CoreConfig::accumulator, memory_record("accumulator", "Partial sums of a core"), true,
                "memory of partial sums");
  record.object("dma", &CoreConfig::dma, dma_record(), false, "DMA engine");
  return record;
}

Record<NocConfig> noc_record() {
  Record<NocConfig> record("noc", "Network on chip between cores, global buffer and DRAM channels");
  record.choice<Topology>(
      "topology", &NocConfig::topology,
      {{"bus", Topology::bus}, {"ring", Topology::ring}, {"crossbar", Topology::crossbar}, {"mesh", Topology::mesh}},
      Topology::crossbar, "how nodes are joined");
  record.integer("flit_bytes", &NocConfig::flit_bytes, {1, 1024}, 32, "bytes a link carries a core cycle");
  record.integer("router_cycles", &NocConfig::router_cycles, {1, 64}, 2, "pipeline depth of a router, core cycles");
  record.integer("vcs", &NocConfig::vcs, {1, 16}, 2, "virtual channels a link");
  record.integer("vc_buffer_flits", &NocConfig::vc_buffer_flits, {1, 1024}, 8, "buffer of a virtual channel, flits");
  record.integer("core_ports", &NocConfig::core_ports, {1, 64}, 1,
                 "links of a core into the network and out of it, a flit a cycle each");
  record.integer("rows", &NocConfig::rows, {0, 1024}, 0, "rows of a mesh; 0: as square as possible");
  record.integer("cols", &NocConfig::cols, {0, 1024}, 0, "columns of a mesh; 0: as square as possible");
  record.texts("nodes", &NocConfig::nodes, 0, 1024, std::vector<std::string>{},
               "who sits where on a mesh (row by row) or ring: core0, global_buffer, dram0, or nothing; empty list: "
               "memory at the rim");
  return record;
}

// Everything but the schema tag and the two blocks that start from a preset.
Record<Architecture> architecture_record() {
  Record<Architecture> record("architecture", "A multi-core DNN accelerator");
  record.text("name", &Architecture::name, std::nullopt, "name of the architecture, for messages and results");
  record.integer("clock_mhz", &Architecture::clock_mhz, {1, 10000}, 1000, "clock of cores, NoC and global buffer, MHz");
  record.integer("technology_nm", &Architecture::technology_nm, {1, 1000}, 22, "process node, nm: for the reader");
  record.list("cores", &Architecture::core_types, core_record(), 1, 16, "types of cores");
  record.optional_object("global_buffer", &Architecture::global_buffer,
                         memory_record("global_buffer", "Memory shared by all cores, a node of the NoC"),
                         "memory shared by all cores");
  record.object("noc", &Architecture::noc, noc_record(), false, "network on chip");
  return record;
}

void check_name(const std::string& name, const Origin& at) {
  if (name.empty() || name.size() > kLongestName) {
    fail(at, "expected 1 to " + std::to_string(kLongestName) + " characters, " + describe(Json(name)));
  }
}

void check_memory(const MemoryConfig& memory, const Origin& at) {
  if (!std::has_single_bit(static_cast<std::uint64_t>(memory.port_bytes))) {
    fail(at.key("port_bytes"), "expected a power of two, found " + std::to_string(memory.port_bytes));
  }
  const std::int64_t bytes = memory.size().value();
  if (bytes % (memory.banks * memory.port_bytes) != 0) {
    fail(at.key("banks"), "expected a number of banks that divides size_kib = " + std::to_string(memory.size_kib) +
                              " into banks of whole " + std::to_string(memory.port_bytes) +
                              "-byte lines (port_bytes), found " + std::to_string(memory.banks));
  }
}

void check_core(const CoreConfig& core, const Origin& at) {
  check_name(core.name, at.key("name"));
  check_memory(core.scratchpad, at.key("scratchpad"));
  check_memory(core.accumulator, at.key("accumulator"));
  const ArrayConfig& array = core.array;
  if (info(array.operand_type).floating != info(array.accumulator_type).floating) {
    const bool floating = info(array.operand_type).floating;
    fail(at.key("array").key("accumulator_type"),
         std::string("expected ") +
             (floating ? "a floating-point type (fp16, bf16, fp32)" : "an integer type (int32, int64)") +
             " for operands of type " + std::string(name_of(array.operand_type)) + ", found \"" +
             std::string(name_of(array.accumulator_type)) + "\"");
  }
  if (bits_of(array.accumulator_type) < bits_of(array.operand_type)) {
    fail(at.key("array").key("accumulator_type"), "expected a type at least as wide as the operands' " +
                                                      std::string(name_of(array.operand_type)) + ", found \"" +
                                                      std::string(name_of(array.accumulator_type)) + "\"");
  }
}

// "preset" and the overrides of a block that starts from a preset.
struct PresetChoice {
  std::string name;  // as given
  std::string stem;  // of the file
  std::filesystem::path folder;
  Json overrides = Json::object();
};

PresetChoice read_preset(const Json& json, const char* key, const std::optional<std::string>& fallback,
                         const Origin& at) {
  PresetChoice choice;
  choice.folder = data_folder() / "configs" / key;
  const Origin block = at.key(key);
  const auto it = json.find(key);
  if (it == json.end() && !fallback) fail(at, std::string("missing key \"") + key + "\" (object with \"preset\")");
  if (it != json.end() && !it->is_object()) fail(block, "expected an object with \"preset\", " + describe(*it));
  if (fallback) choice.name = *fallback;
  if (it != json.end()) {
    for (const auto& [name, value] : it->items()) {
      if (name == "preset") {
        choice.name = read_text(value, block.key("preset"));
      } else if (name.empty() || name[0] != '_') {
        choice.overrides[name] = value;
      }
    }
  }
  if (choice.name.empty()) fail(block, "missing key \"preset\" (name of a file in configs/" + std::string(key) + ")");
  choice.stem = choice.name;
  const std::filesystem::path path(choice.name);
  if (path.extension() == ".json") {
    const std::filesystem::path file = std::filesystem::path(at.file).parent_path() / path;
    if (!std::filesystem::exists(file)) fail(block.key("preset"), "no such file: " + file.string());
    choice.folder = file.parent_path().empty() ? "." : file.parent_path();
    choice.stem = file.stem().string();
  }
  return choice;
}

}  // namespace

std::string_view name_of(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::weight_stationary:
      return "weight_stationary";
    case Dataflow::output_stationary:
      return "output_stationary";
    case Dataflow::input_stationary:
      return "input_stationary";
    case Dataflow::vector_mac:
      return "vector_mac";
  }
  throw InternalError("unknown dataflow");
}

std::int64_t Architecture::core_count() const {
  std::int64_t count = 0;
  for (const CoreConfig& type : core_types) count += type.count;
  return count;
}

const CoreConfig& Architecture::core(CoreId id) const {
  std::int64_t first = 0;
  for (const CoreConfig& type : core_types) {
    if (id.value() >= first && id.value() < first + type.count) return type;
    first += type.count;
  }
  throw InternalError("there is no core " + std::to_string(id.value()));
}

std::int64_t Architecture::peak_macs_per_cycle() const {
  std::int64_t macs = 0;
  for (const CoreConfig& type : core_types) macs += type.count * type.array.rows * type.array.cols;
  return macs;
}

std::int64_t Architecture::node_count() const { return node_of_channel(0) + dram.channels; }

std::int64_t Architecture::node_of_channel(std::int64_t channel) const {
  return core_count() + (global_buffer ? 1 : 0) + channel;
}

Architecture load_architecture(const std::filesystem::path& file) {
  return parse_architecture(read_json_file(file), file.string());
}

Architecture parse_architecture(const Json& json, const std::string& file) {
  require_schema(json, kSchema, file);
  const Origin at{file, ""};
  const Record<Architecture> record = architecture_record();
  std::vector<std::string> allowed{"schema"};
  for (const std::string& key : record.keys()) allowed.push_back(key);
  allowed.insert(allowed.end(), {"dram", "energy"});
  Json plain = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) fail_unknown_key(key, allowed, at);
    if (key != "schema" && key != "dram" && key != "energy") plain[key] = value;
  }

  Architecture arch = record.parse(plain, at);
  if (const auto source = json.find("_source"); source != json.end() && source->is_string()) {
    arch.source = source->get<std::string>();
  }
  check_name(arch.name, at.key("name"));
  std::set<std::string> names;
  for (std::size_t i = 0; i < arch.core_types.size(); ++i) {
    const Origin here = at.key("cores").index(i);
    check_core(arch.core_types[i], here);
    if (!names.insert(arch.core_types[i].name).second) {
      fail(here.key("name"), "expected a name that no other entry has, " + describe(Json(arch.core_types[i].name)));
    }
  }
  if (arch.global_buffer) check_memory(*arch.global_buffer, at.key("global_buffer"));

  const PresetChoice dram = read_preset(json, "dram", std::nullopt, at);
  arch.dram = load_dram(dram.stem, dram.overrides, dram.folder, at.key("dram"));
  arch.dram.preset = dram.name;
  const PresetChoice energy = read_preset(json, "energy", EnergyConfig{}.preset, at);
  arch.energy = load_energy(energy.stem, energy.overrides, energy.folder, at.key("energy"));
  arch.energy.preset = energy.name;

  if (arch.node_count() > kMostNodes) {
    fail(at, "expected at most " + std::to_string(kMostNodes) + " nodes on the NoC, found " +
                 std::to_string(arch.node_count()) + ": " + std::to_string(arch.core_count()) + " cores, " +
                 std::to_string(arch.global_buffer ? 1 : 0) + " global buffer, " + std::to_string(arch.dram.channels) +
                 " DRAM channels");
  }
  place_nodes(arch, at.key("noc"));
  return arch;
}

Json to_json(const Architecture& arch) {
  Json json = Json::object();
  json["schema"] = kSchema;
  if (!arch.source.empty()) json["_source"] = arch.source;
  json.update(architecture_record().dump(arch));
  json["dram"] = {{"preset", arch.dram.preset}};
  json["dram"].update(dram_record().dump(arch.dram));
  json["energy"] = {{"preset", arch.energy.preset}};
  json["energy"].update(energy_record().dump(arch.energy));
  return json;
}

Json architecture_schema() {
  Json schema = architecture_record().schema();
  const auto preset_block = [](Json block, const std::string& folder, const std::string& doc) {
    Json properties = {
        {"preset", {{"type", "string"}, {"description", "file in configs/" + folder + ", or a path ending in .json"}}}};
    properties.update(block["properties"]);
    block["properties"] = std::move(properties);
    block["required"] = Json::array({"preset"});  // everything else comes from the preset
    block["description"] = doc;
    return block;
  };
  Json properties = {{"schema", {{"const", kSchema}}}};
  properties.update(schema["properties"]);
  properties["dram"] = preset_block(dram_record().schema(), "dram", "DRAM preset; any value overrides the preset's");
  properties["energy"] =
      preset_block(energy_record().schema(), "energy", "energy preset; any value overrides the preset's");
  properties["energy"]["required"] = Json::array();
  properties["energy"]["properties"]["preset"]["default"] = EnergyConfig{}.preset;
  schema["properties"] = std::move(properties);
  schema["required"].insert(schema["required"].begin(), "schema");
  schema["required"].push_back("dram");
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", kSchema}};
  out.update(schema);
  return out;
}

ClockPeriod core_clock(const Architecture& arch) {
  constexpr std::int64_t kPicosecondsMhz = 1'000'000;  // period in ps times frequency in MHz
  const std::int64_t divisor = std::gcd(kPicosecondsMhz, arch.clock_mhz);
  return {kPicosecondsMhz / divisor, arch.clock_mhz / divisor};
}

double nanoseconds(const Architecture& arch, Cycles core_cycles) {
  return static_cast<double>(core_cycles.value()) * 1000.0 / static_cast<double>(arch.clock_mhz);
}

ArchitectureBounds bounds_of(const Architecture& arch) {
  ArchitectureBounds bounds;
  bounds.peak_macs_per_second =
      static_cast<double>(arch.peak_macs_per_cycle()) * static_cast<double>(arch.clock_mhz) * 1e6;
  bounds.peak_dram_gb_s = arch.dram.peak_gb_s();
  bounds.ridge_macs_per_byte = bounds.peak_macs_per_second / (bounds.peak_dram_gb_s * 1e9);
  bounds.area_mm2 = area_mm2(arch).total();
  return bounds;
}

std::filesystem::path data_folder() { return ACCSIM_DATA_DIR; }

}  // namespace accsim::model
