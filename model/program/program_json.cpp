// Programs as JSON (accsim-program/1). Reading is strict: unknown, missing, mistyped and out-of-range keys are
// errors with their JSON path. Keys that say nothing (no waits, no gather, …) are left out when writing. Leaves out
// what only the verifier can tell (addresses, order, deadlock). docs/program.md lists the keys.
#include <initializer_list>
#include <limits>
#include <utility>

#include "model/base/error.h"
#include "model/config/record.h"
#include "model/program/program.h"

namespace accsim::model {
namespace {

constexpr std::string_view kSchema = "accsim-program/1";
constexpr std::int64_t kLargest = std::int64_t{1} << 48;  // addresses, strides, sizes
constexpr std::int64_t kLargestCount = std::int64_t{1} << 40;
constexpr std::int64_t kLargestId = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMostAxes = 16;
constexpr std::int64_t kMostSemaphores = 65536;  // of a core
constexpr std::array kDimKinds{DimKind::group, DimKind::m, DimKind::n, DimKind::k, DimKind::row};
constexpr std::array<std::string_view, 5> kDimKindNames{"group", "m", "n", "k", "row"};
constexpr std::array kSpaces{Space::dram, Space::global_buffer, Space::scratchpad, Space::accumulator};
constexpr std::array kActivations{OpType::relu,
                                  OpType::clip,
                                  OpType::sigmoid,
                                  OpType::tanh,
                                  OpType::gelu,
                                  OpType::neg,
                                  OpType::sqrt,
                                  OpType::exp,
                                  OpType::erf,
                                  OpType::leaky_relu,
                                  OpType::hard_sigmoid,
                                  OpType::hard_swish,
                                  OpType::silu,
                                  OpType::quantize_linear,
                                  OpType::dequantize_linear};

bool on_core(Space space) { return space == Space::scratchpad || space == Space::accumulator; }

// An object whose keys are all among `allowed`; keys that start with "_" are comments.
class Fields {
 public:
  Fields(const Json& json, Origin at, std::initializer_list<const char*> allowed) : json_(json), at_(std::move(at)) {
    if (!json.is_object()) fail(at_, "expected an object, " + describe(json));
    for (const auto& [key, value] : json.items()) {
      if (key.starts_with("_")) continue;
      bool known = false;
      for (const char* name : allowed) known = known || key == name;
      if (!known) fail_unknown_key(key, {allowed.begin(), allowed.end()}, at_);
    }
  }

  [[nodiscard]] const Json* find(const char* key) const {
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }
  [[nodiscard]] const Json& get(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) fail(at_, "missing key \"" + std::string(key) + "\"");
    return *value;
  }
  [[nodiscard]] Origin at(const char* key) const { return at_.key(key); }

  [[nodiscard]] std::int64_t integer(const char* key, IntegerRange range) const {
    return read_integer(get(key), range, at(key));
  }
  [[nodiscard]] std::int64_t integer(const char* key, IntegerRange range, std::int64_t absent) const {
    const Json* value = find(key);
    return value == nullptr ? absent : read_integer(*value, range, at(key));
  }
  [[nodiscard]] std::int32_t id(const char* key) const {
    return static_cast<std::int32_t>(integer(key, {0, kLargestId}));
  }
  [[nodiscard]] bool boolean(const char* key) const {
    const Json* value = find(key);
    return value != nullptr && read_boolean(*value, at(key));
  }
  [[nodiscard]] std::string text(const char* key) const { return read_text(get(key), at(key)); }

  // The value in `values` whose name the key holds.
  template <class Values>
  [[nodiscard]] auto choice(const char* key, const Values& values) const {
    std::vector<std::string> names;
    for (const auto value : values) names.emplace_back(name_of(value));
    return values[read_choice(get(key), names, at(key))];
  }

  // `read(item, origin)` for every item; an absent key is an empty list.
  template <class Read>
  [[nodiscard]] auto list(const char* key, Read read,
                          std::size_t most = std::numeric_limits<std::size_t>::max()) const {
    std::vector<decltype(read(json_, at_))> items;
    const Json* value = find(key);
    if (value == nullptr) return items;
    if (!value->is_array() || value->size() > most) {
      fail(at(key), "expected a list" + (value->is_array() ? " of at most " + std::to_string(most) + " items" : "") +
                        ", " + describe(*value));
    }
    items.reserve(value->size());
    for (std::size_t i = 0; i < value->size(); ++i) items.push_back(read((*value)[i], at(key).index(i)));
    return items;
  }

  template <std::size_t N>
  [[nodiscard]] std::array<std::int64_t, N> integers(const char* key, IntegerRange range) const {
    const Json& value = get(key);
    if (!value.is_array() || value.size() != N) {
      fail(at(key), "expected a list of " + std::to_string(N) + " integers, " + describe(value) +
                        (value.is_array() ? " of " + std::to_string(value.size()) : ""));
    }
    std::array<std::int64_t, N> items{};
    for (std::size_t i = 0; i < N; ++i) items[i] = read_integer(value[i], range, at(key).index(i));
    return items;
  }

 private:
  const Json& json_;
  Origin at_;
};

Json dump(const Place& place) {
  Json json{{"space", name_of(place.space)}};
  if (on_core(place.space)) json["core"] = place.core.value();
  json["address"] = place.address;
  return json;
}

Place read_place(const Json& json, const Origin& at) {
  const Fields in(json, at, {"space", "core", "address"});
  Place place;
  place.space = in.choice("space", kSpaces);
  if (on_core(place.space)) {
    place.core = CoreId(in.id("core"));
  } else if (in.find("core") != nullptr) {
    fail(in.at("core"), "only a scratchpad or an accumulator belongs to a core");
  }
  place.address = in.integer("address", {0, kLargest});
  return place;
}

Json dump(const Region& region) {
  return {{"name", region.name}, {"place", dump(region.place)}, {"size_bytes", region.size.value()}};
}

Region read_region(const Json& json, const Origin& at) {
  const Fields in(json, at, {"name", "place", "size_bytes"});
  return {in.text("name"), read_place(in.get("place"), in.at("place")), Bytes(in.integer("size_bytes", {0, kLargest}))};
}

// Declared ahead, so that the list below finds them all.
Json dump(const Copy& copy);
Json dump(const Loop& loop);
Json dump(const TileAxis& axis);
Json dump(const TileRef& tile);
Json dump(const FusedActivation& activation);
Json dump(const Wait& wait);
Json dump(const Signal& signal);
Json dump(const Instruction& instruction);
Json dump(const CoreProgram& core);
Json dump(const GroupProgram& group);

template <class T>
Json dump_list(const std::vector<T>& items) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(dump(item));
  return json;
}

template <class T>
void put_unless_empty(Json& json, const char* key, const std::vector<T>& items) {
  if (!items.empty()) json[key] = dump_list(items);
}

Json dump(const Copy::Side& side) { return {{"place", dump(side.place)}, {"stride_bytes", side.stride}}; }

Copy::Side read_side(const Json& json, const Origin& at) {
  const Fields in(json, at, {"place", "stride_bytes"});
  return {read_place(in.get("place"), in.at("place")), in.integers<kCopyDims - 1>("stride_bytes", {0, kLargest})};
}

Json dump(const Copy& copy) {
  Json json{{"src", dump(copy.src)}, {"dst", dump(copy.dst)}, {"extent", copy.extent}};
  if (copy.gather) {
    json["gather"] = {{"indices", dump(copy.gather->indices)},
                      {"first", copy.gather->first},
                      {"rows", copy.gather->rows},
                      {"seed", copy.gather->seed}};
  }
  for (const CoreId core : copy.multicast) json["multicast"].push_back(core.value());
  return json;
}

Copy read_copy(const Json& json, const Origin& at) {
  const Fields in(json, at, {"src", "dst", "extent", "gather", "multicast"});
  Copy copy;
  copy.src = read_side(in.get("src"), in.at("src"));
  copy.dst = read_side(in.get("dst"), in.at("dst"));
  copy.extent = in.integers<kCopyDims>("extent", {1, kLargestCount});
  if (const Json* gather = in.find("gather")) {
    const Fields from(*gather, in.at("gather"), {"indices", "first", "rows", "seed"});
    const Json& seed = from.get("seed");
    if (!seed.is_number_unsigned()) fail(from.at("seed"), "expected an integer from 0 to 2^64 - 1, " + describe(seed));
    copy.gather =
        Copy::Gather{read_place(from.get("indices"), from.at("indices")), from.integer("first", {0, kLargest}),
                     from.integer("rows", {1, kLargestCount}), seed.get<std::uint64_t>()};
  }
  copy.multicast = in.list("multicast", [](const Json& item, const Origin& where) {
    return CoreId(static_cast<std::int32_t>(read_integer(item, {0, kLargestId}, where)));
  });
  return copy;
}

Json dump(const Loop& loop) {
  return {{"extent", loop.extent}, {"kind", kDimKindNames[static_cast<std::size_t>(loop.kind)]}};
}

Loop read_loop(const Json& json, const Origin& at) {
  const Fields in(json, at, {"extent", "kind"});
  const std::vector<std::string> names(kDimKindNames.begin(), kDimKindNames.end());
  return {in.integer("extent", {1, kLargestCount}), kDimKinds[read_choice(in.get("kind"), names, in.at("kind"))]};
}

Json dump(const TileAxis& axis) {
  return {{"count", axis.count},
          {"step", axis.step},
          {"stride", axis.stride},
          {"offset", axis.offset},
          {"coefficient", axis.coefficient}};
}

TileAxis read_axis(const Json& json, const Origin& at) {
  const Fields in(json, at, {"count", "step", "stride", "offset", "coefficient"});
  TileAxis axis;
  axis.count = in.integer("count", {0, kLargestCount});  // 0: all in the padding
  axis.step = in.integer("step", {1, kLargestCount});
  axis.stride = in.integer("stride", {0, kLargest});
  axis.offset = in.integer("offset", {-kLargestCount, kLargestCount});
  axis.coefficient = in.list(
      "coefficient",
      [](const Json& item, const Origin& where) {
        return read_integer(item, {-kLargestCount, kLargestCount}, where);
      },
      kMostAxes);
  return axis;
}

Json dump(const TileRef& tile) {
  return {{"place", dump(tile.place)}, {"type", name_of(tile.type)}, {"axes", dump_list(tile.axes)}};
}

TileRef read_tile(const Json& json, const Origin& at) {
  const Fields in(json, at, {"place", "type", "axes"});
  std::vector<std::string> names;
  for (const DataTypeInfo& row : kDataTypes) names.emplace_back(row.name);
  TileRef tile;
  tile.place = read_place(in.get("place"), in.at("place"));
  tile.type = kDataTypes[read_choice(in.get("type"), names, in.at("type"))].type;
  tile.axes = in.list("axes", read_axis, kMostAxes);
  return tile;
}

Json dump(const ArrayPass& pass) {
  return {{"loops", dump_list(pass.loops)},
          {"input", dump(pass.input)},
          {"weight", dump(pass.weight)},
          {"output", dump(pass.output)},
          {"accumulate", pass.accumulate}};
}

ArrayPass read_pass(const Json& json, const Origin& at) {
  const Fields in(json, at, {"loops", "input", "weight", "output", "accumulate"});
  return {in.list("loops", read_loop, kMostAxes), read_tile(in.get("input"), in.at("input")),
          read_tile(in.get("weight"), in.at("weight")), read_tile(in.get("output"), in.at("output")),
          in.boolean("accumulate")};
}

Json dump(const FusedActivation& activation) {
  Json json{{"type", name_of(activation.type)}};
  if (activation.type == OpType::clip || activation.type == OpType::quantize_linear) {
    json["min"] = activation.clip.min;
    json["max"] = activation.clip.max;
  }
  if (activation.clip.alpha != 0) json["alpha"] = activation.clip.alpha;
  if (activation.clip.beta != 0) json["beta"] = activation.clip.beta;
  json["name"] = activation.name;
  return json;
}

FusedActivation read_activation(const Json& json, const Origin& at) {
  const Fields in(json, at, {"type", "min", "max", "alpha", "beta", "name"});
  FusedActivation activation;
  activation.type = in.choice("type", kActivations);
  constexpr double kLimit = std::numeric_limits<double>::max();
  if (activation.type == OpType::clip || activation.type == OpType::quantize_linear) {
    activation.clip.min = read_number(in.get("min"), {-kLimit, kLimit}, in.at("min"));
    activation.clip.max = read_number(in.get("max"), {-kLimit, kLimit}, in.at("max"));
  } else if (in.find("min") != nullptr || in.find("max") != nullptr) {
    fail(at, "only Clip and QuantizeLinear have \"min\" and \"max\"");
  }
  if (in.find("alpha") != nullptr)
    activation.clip.alpha = read_number(in.get("alpha"), {-kLimit, kLimit}, in.at("alpha"));
  if (in.find("beta") != nullptr) activation.clip.beta = read_number(in.get("beta"), {-kLimit, kLimit}, in.at("beta"));
  activation.name = in.text("name");
  return activation;
}

Json dump(const VectorOp& op) {
  Json json{{"kind", name_of(op.kind)},
            {"loops", dump_list(op.loops)},
            {"sources", dump_list(op.sources)},
            {"output", dump(op.output)}};
  put_unless_empty(json, "activations", op.activations);
  if (op.divisor != 0) json["divisor"] = op.divisor;
  return json;
}

VectorOp read_vector(const Json& json, const Origin& at) {
  const Fields in(json, at, {"kind", "loops", "sources", "output", "activations", "divisor"});
  VectorOp op;
  op.kind = in.choice("kind", kVectorKinds);
  op.loops = in.list("loops", read_loop, kMostAxes);
  op.sources = in.list("sources", read_tile, kMostAxes);
  op.output = read_tile(in.get("output"), in.at("output"));
  op.activations = in.list("activations", read_activation);
  op.divisor = in.integer("divisor", {0, kLargestCount}, 0);
  return op;
}

Json dump(const Wait& wait) { return {{"semaphore", wait.semaphore}, {"count", wait.count}}; }
Json dump(const Signal& signal) {
  return {{"core", signal.core.value()}, {"semaphore", signal.semaphore}, {"count", signal.count}};
}

Wait read_wait(const Json& json, const Origin& at) {
  const Fields in(json, at, {"semaphore", "count"});
  return {in.id("semaphore"), static_cast<std::int32_t>(in.integer("count", {1, kLargestId}))};
}

Signal read_signal(const Json& json, const Origin& at) {
  const Fields in(json, at, {"core", "semaphore", "count"});
  return {CoreId(in.id("core")), in.id("semaphore"), static_cast<std::int32_t>(in.integer("count", {1, kLargestId}))};
}

Json dump(const Instruction& instruction) {
  Json json = Json::object();
  if (const auto* copy = std::get_if<Copy>(&instruction.op)) json["copy"] = dump(*copy);
  if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) json["array_pass"] = dump(*pass);
  if (const auto* vector = std::get_if<VectorOp>(&instruction.op)) json["vector"] = dump(*vector);
  put_unless_empty(json, "waits", instruction.waits);
  put_unless_empty(json, "signals", instruction.signals);
  if (instruction.prefetch) json["prefetch"] = true;
  if (instruction.layer.valid()) json["layer"] = instruction.layer.value();
  if (instruction.tile != 0) json["tile"] = instruction.tile;
  return json;
}

Instruction read_instruction(const Json& json, const Origin& at) {
  const Fields in(json, at, {"copy", "array_pass", "vector", "waits", "signals", "prefetch", "layer", "tile"});
  Instruction instruction;
  int operations = 0;
  if (const Json* copy = in.find("copy")) instruction.op = read_copy(*copy, in.at("copy")), ++operations;
  if (const Json* pass = in.find("array_pass")) instruction.op = read_pass(*pass, in.at("array_pass")), ++operations;
  if (const Json* vector = in.find("vector")) instruction.op = read_vector(*vector, in.at("vector")), ++operations;
  if (operations != 1) {
    fail(at, "expected exactly one of \"copy\", \"array_pass\", \"vector\", found " + std::to_string(operations));
  }
  instruction.waits = in.list("waits", read_wait);
  instruction.signals = in.list("signals", read_signal);
  instruction.prefetch = in.boolean("prefetch");
  if (in.find("layer") != nullptr) instruction.layer = OpId(in.id("layer"));
  instruction.tile = static_cast<std::int32_t>(in.integer("tile", {0, kLargestId}, 0));
  return instruction;
}

Json dump(const CoreProgram& core) {
  Json json{{"core", core.core.value()}, {"semaphores", core.semaphores}};
  for (const Queue queue : kQueues) json[std::string(name_of(queue))] = dump_list(core.queue(queue));
  return json;
}

CoreProgram read_core(const Json& json, const Origin& at) {
  const Fields in(json, at, {"core", "semaphores", "load", "array", "vector", "store"});
  CoreProgram core;
  core.core = CoreId(in.id("core"));
  core.semaphores = static_cast<std::int32_t>(in.integer("semaphores", {0, kMostSemaphores}, 0));
  for (const Queue queue : kQueues) core.queue(queue) = in.list(std::string(name_of(queue)).c_str(), read_instruction);
  return core;
}

Json dump(const GroupProgram& group) {
  return {{"group", group.group.value()},        {"layers", group.layers},
          {"live_in", dump_list(group.live_in)}, {"live_out", dump_list(group.live_out)},
          {"buffers", dump_list(group.buffers)}, {"prefetch", dump_list(group.prefetch)},
          {"cores", dump_list(group.cores)}};
}

GroupProgram read_group(const Json& json, const Origin& at) {
  const Fields in(json, at, {"group", "layers", "live_in", "live_out", "buffers", "prefetch", "cores"});
  GroupProgram group;
  group.group = GroupId(in.id("group"));
  group.layers = in.list("layers", read_text);
  group.live_in = in.list("live_in", read_region);
  group.live_out = in.list("live_out", read_region);
  group.buffers = in.list("buffers", read_region);
  group.prefetch = in.list("prefetch", read_region);
  group.cores = in.list("cores", read_core);
  return group;
}

}  // namespace

Json to_json(const Program& program) {
  return {{"schema", kSchema},
          {"arch", program.header.arch},
          {"net", program.header.net},
          {"dram", dump_list(program.header.dram)},
          {"constant", dump_list(program.header.constant)},
          {"groups", dump_list(program.groups)}};
}

Program parse_program(const Json& json, const std::string& file) {
  require_schema(json, kSchema, file);
  const Fields in(json, {file, ""}, {"schema", "arch", "net", "dram", "constant", "groups"});
  Program program;
  program.header.arch = in.text("arch");
  program.header.net = in.text("net");
  program.header.dram = in.list("dram", read_region);
  program.header.constant = in.list("constant", read_region);
  program.groups = in.list("groups", read_group);
  program.header.groups = static_cast<std::int64_t>(program.groups.size());
  return program;
}

}  // namespace accsim::model
