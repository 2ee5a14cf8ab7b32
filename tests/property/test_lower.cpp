// What lowering promises for any schedule, without values: fetches as the closed form says, buffers as buffer_needs
// says and inside the memories, prefetch regions apart from the group before, semaphores with one waiting queue, copies
// inside the tensors.
#include <map>
#include <set>
#include <string>

#include "model/program/verify.h"
#include "model/schedule/tiling.h"
#include "sched/lower/lower.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

namespace {

using namespace accsim;
using namespace accsim::tests;
using model::Json;

bool overlap(const model::Region& a, const model::Region& b) {
  return a.place.space == b.place.space && a.place.core == b.place.core &&
         a.place.address < b.place.address + b.size.value() && b.place.address < a.place.address + a.size.value();
}
bool inside(const model::Place& from, std::int64_t bytes, const model::Region& region) {
  return from.space == region.place.space && from.core == region.place.core && from.address >= region.place.address &&
         from.address + bytes <= region.place.address + region.size.value();
}
std::int64_t extent_of(const model::Copy& copy, const model::Copy::Side& side) {
  std::int64_t last = 0;
  for (std::size_t d = 0; d + 1 < model::kCopyDims; ++d) last += (copy.extent[d] - 1) * side.stride[d];
  return last + copy.extent.back();
}

// "" or what is wrong with a group.
std::string wrong(const model::GroupProgram& group, const model::GroupProgram* before,
                  const model::ProgramHeader& header, const model::Architecture& arch) {
  for (std::size_t a = 0; a < group.buffers.size(); ++a) {
    const model::Region& buffer = group.buffers[a];
    const model::CoreConfig& core = arch.core(buffer.place.core);
    const auto& memory = buffer.place.space == model::Space::scratchpad ? core.scratchpad : core.accumulator;
    if (buffer.place.address < 0 || buffer.place.address + buffer.size.value() > memory.size().value())
      return buffer.name + " lies outside";
    if (buffer.place.address % memory.port_bytes != 0) return buffer.name + " is not aligned";
    for (std::size_t b = 0; b < a; ++b)
      if (overlap(buffer, group.buffers[b])) return buffer.name + " overlaps " + group.buffers[b].name;
  }
  for (const model::Region& region : group.prefetch) {
    if (before == nullptr) return "the first group prefetches";
    for (const model::Region& other : before->buffers)
      if (overlap(region, other)) return "prefetch into " + other.name + " of the group before";
  }
  for (const model::CoreProgram& core : group.cores) {
    std::map<std::int32_t, model::Queue> waits_in;
    std::map<std::int32_t, std::int64_t> balance;
    for (const model::Queue queue : model::kQueues) {
      bool head = true;
      for (const model::Instruction& instruction : core.queue(queue)) {
        for (const model::Wait& wait : instruction.waits) {
          const auto [it, fresh] = waits_in.emplace(wait.semaphore, queue);
          if (!fresh && it->second != queue) return "a semaphore has two waiting queues";
          balance[wait.semaphore] -= wait.count;
        }
        for (const model::Signal& signal : instruction.signals) balance[signal.semaphore] += signal.count;
        head = head && instruction.prefetch;
        if (instruction.prefetch && (!head || queue != model::Queue::load || !instruction.waits.empty()))
          return "a prefetch is not at the head of the load queue";
        const auto* copy = std::get_if<model::Copy>(&instruction.op);
        if (copy == nullptr) continue;
        bool from_found = false;
        bool to_found = false;
        const auto look = [&](const std::vector<model::Region>& regions) {
          for (const model::Region& region : regions) {
            const std::int64_t source_bytes = copy->gather ? copy->extent.back() : extent_of(*copy, copy->src);
            from_found = from_found || inside(copy->src.place, source_bytes, region);
            to_found = to_found || inside(copy->dst.place, extent_of(*copy, copy->dst), region);
          }
        };
        look(header.dram);
        look(group.buffers);
        if (!from_found || !to_found) return "a copy leaves its tensor or buffer";
        if (!instruction.prefetch) continue;
        from_found = to_found = false;
        look(header.constant);
        if (!from_found) return "a prefetch reads what may change";
        look(group.prefetch);
        if (!to_found) return "a prefetch writes outside of its regions";
      }
    }
    for (const auto& [semaphore, count] : balance) {
      if (count != 0) return "a semaphore does not end at zero";
      if (semaphore < 0 || semaphore >= core.semaphores) return "a semaphore has no number";
    }
  }
  return "";
}

// Loads of the group that bring a tile of this tensor: those that signal (the last copy of a fetch).
std::int64_t fetches_of(const model::GroupProgram& group, const model::Region& tensor) {
  std::int64_t count = 0;
  for (const model::CoreProgram& core : group.cores)
    for (const model::Instruction& load : core.queue(model::Queue::load)) {
      const bool completes = load.signals.size() > 0;
      count += completes && inside(std::get<model::Copy>(load.op).src.place, 1, tensor) ? 1 : 0;
    }
  return count;
}

const model::Region& region_named(const model::ProgramHeader& header, const std::string& name) {
  for (const model::Region& region : header.dram)
    if (region.name == name) return region;
  throw model::InternalError("no region " + name);
}

model::Network parse(Json inputs, Json layers) {
  return model::parse_network(
      {{"schema", "accsim-net/1"}, {"name", "n"}, {"inputs", std::move(inputs)}, {"layers", std::move(layers)}}, "n");
}

}  // namespace

TEST_CASE("fetches of an operand follow the closed form") {
  const model::Architecture arch = small_architecture(1, 32, 8);
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    Json layer = {{"name", "l"}, {"inputs", {"x"}}};
    Json shape;
    if (random.chance(50)) {  // no padding: neighbouring boxes always differ
      const std::int64_t group = random.chance(30) ? 2 : 1;
      shape = Json(std::vector<std::int64_t>{random.range(1, 2), group * random.range(1, 5), random.range(5, 12),
                                             random.range(5, 12)});
      layer.update({{"op", "Conv"},
                    {"group", group},
                    {"out_channels", group * random.range(1, 9)},
                    {"kernel_shape", std::vector<std::int64_t>{random.range(1, 3), random.range(1, 3)}}});
    } else {
      shape = Json(std::vector<std::int64_t>{random.range(1, 30), random.range(1, 30)});
      layer.update({{"op", "Gemm"}, {"out_features", random.range(1, 30)}});
    }
    const model::Network network = parse(Json::array({Json{{"name", "x"}, {"shape", shape}}}), Json::array({layer}));
    const model::Schedule schedule = random_schedule(network, arch, random, 90);
    const auto source = sched::lower(schedule, network, arch, 1);
    const auto group = source->next();
    REQUIRE(group);
    const model::LoopNest nest = model::loop_nest_of(network, model::OpId(0));
    for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i) {
      INFO("seed " << seed << " operand " << i);
      CHECK(fetches_of(*group, region_named(source->header(), network.tensor(nest.operands[i].tensor).name)) ==
            model::largest_loads(nest, schedule.groups[0].mappings[0], nest.operands[i]));
    }
    const auto tile = model::tile_sizes(nest, schedule.groups[0].mappings[0]);
    std::int64_t passes = 1;
    for (const std::int64_t trips : model::trip_counts(nest, tile)) passes *= trips;
    CHECK(static_cast<std::int64_t>(group->cores[0].queue(model::Queue::array).size()) == passes);
    CHECK(static_cast<std::int64_t>(group->cores[0].queue(model::Queue::vector).size()) ==
          model::output_tiles(nest, tile));
    std::int64_t macs = 0;
    for (const model::Instruction& pass : group->cores[0].queue(model::Queue::array))
      macs += std::get<model::ArrayPass>(pass.op).macs().value();
    CHECK(macs == model::macs_of(network, model::OpId(0)).value());
  }
}

TEST_CASE("every shipped network lowers on any random schedule") {
  const model::Architecture arch =
      model::load_architecture(std::string(ACCSIM_SOURCE_DIR) + "/configs/edge-4core.json");
  for (const char* name : {"resnet18", "mobilenet_v2", "googlenet", "squeezenet1_1", "alexnet"}) {
    const model::Network network =
        model::fuse_activations(model::load_network(std::string(ACCSIM_SOURCE_DIR) + "/workloads/" + name + ".json"));
    Random random(7);
    const model::Schedule schedule = random_schedule(network, arch, random, 0);
    INFO(name);
    const auto violation = model::verify_schedule(schedule, network, arch);
    REQUIRE((violation ? violation->where + ": " + violation->message : "") == "");
    const auto source = sched::lower(schedule, network, arch, 1);
    CHECK(source->header().groups == static_cast<std::int64_t>(schedule.groups.size()));
    model::ProgramVerifier verifier(arch, source->header());
    std::optional<model::GroupProgram> before;
    std::int64_t macs = 0;
    std::set<std::string> layers;
    while (auto group = source->next()) {
      REQUIRE(wrong(*group, before ? &*before : nullptr, source->header(), arch) == "");
      const auto found = verifier.check(*group);
      REQUIRE((found ? found->kind + ": " + found->message : "") == "");
      layers.insert(group->layers.begin(), group->layers.end());
      for (const model::CoreProgram& core : group->cores)
        for (const model::Instruction& pass : core.queue(model::Queue::array))
          macs += std::get<model::ArrayPass>(pass.op).macs().value();
      before = std::move(group);
    }
    CHECK_FALSE(verifier.finish());
    CHECK(macs == model::total_macs(network).value());
    for (const model::Group& group : schedule.groups)
      for (const std::string& layer : group.layers) CHECK(layers.contains(layer));
  }
}

TEST_CASE("buffers are those of buffer_needs, and only constant weights are prefetched") {
  const model::Architecture arch = small_architecture(1, 64, 16);
  const auto shape = [](std::int64_t a, std::int64_t b) { return Json(std::vector<std::int64_t>{a, b}); };
  const model::Network network =
      parse(Json::array({Json{{"name", "x"}, {"shape", shape(8, 16)}}}),
            Json::array({Json{{"name", "a"}, {"op", "Gemm"}, {"inputs", {"x"}}, {"out_features", 16}},
                         Json{{"name", "b"}, {"op", "Gemm"}, {"inputs", {"a"}}, {"out_features", 16}},
                         Json{{"name", "t"}, {"op", "Transpose"}, {"inputs", {"b"}}},
                         Json{{"name", "c"}, {"op", "MatMul"}, {"inputs", {"b", "t"}}}}));
  Random random(3);
  model::Schedule schedule = random_schedule(network, arch, random, 0);
  for (model::Group& group : schedule.groups) group.prefetch = true;
  const auto source = sched::lower(schedule, network, arch, 1);
  std::vector<std::size_t> prefetched;
  for (std::size_t g = 0; auto group = source->next(); ++g) {
    std::multiset<std::pair<std::string, std::int64_t>> expected;
    const model::LoopNest nest = model::loop_nest_of(network, model::OpId(static_cast<std::int32_t>(g)));
    for (const model::BufferNeed& need :
         model::buffer_needs(nest, schedule.groups[g].mappings[0], arch.core(model::CoreId(0))))
      for (int i = 0; i < need.buffers; ++i)
        expected.emplace(need.role + "[" + std::to_string(i) + "]", need.bytes.value());
    std::multiset<std::pair<std::string, std::int64_t>> found;
    for (const model::Region& region : group->buffers) found.emplace(region.name, region.size.value());
    CHECK(found == expected);
    prefetched.push_back(group->prefetch.size());
  }
  CHECK(prefetched == std::vector<std::size_t>{0, 2, 0, 0});  // weight and bias of b; t and c have no constants
}
