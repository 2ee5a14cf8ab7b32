// Operators and architectures as the mapper takes them: sizes, operations and words against those that the network has,
// levels against the architecture's figures, and what the found mappings do with the array.
#include <algorithm>
#include <set>
#include <string>

#include "model/base/error.h"
#include "sched/mapping/from_machine.h"
#include "sched/mapping/search.h"
#include "tests/catch.h"

namespace {

namespace model = accsim::model;
namespace sched = accsim::sched;

model::Network network(const std::string& name) {
  return model::fuse_activations(model::load_network(model::data_folder() / "workloads" / (name + ".json")));
}
model::Architecture architecture(const std::string& name) {
  return model::load_architecture(model::data_folder() / "configs" / (name + ".json"));
}
const sched::MapLevel& level(const sched::MapHierarchy& h, const std::string& name) {
  return *std::find_if(h.levels.begin(), h.levels.end(), [&](const auto& l) { return l.name == name; });
}

}  // namespace

TEST_CASE("problems of operators have the operators' operations and results") {
  std::set<std::string> kinds;
  for (const std::string name : {"alexnet", "resnet18", "mobilenet_v2", "bert_base"}) {
    const model::Network net = network(name);
    for (const model::Operator& op : net.operators) {
      if (!sched::is_mappable(op.type)) continue;
      INFO(name << " " << op.name);
      const sched::MapProblem p = sched::problem_of(model::loop_nest_of(net, op.id), op.name);
      kinds.insert(std::string(model::name_of(op.type)));
      const bool pool = p.tensors.size() == 2;
      if (!pool) CHECK(p.macs() == static_cast<double>(model::macs_of(net, op.id).value()));
      std::vector<std::int64_t> whole;
      for (const sched::MapDim& dim : p.dims) whole.push_back(dim.size);
      double results = 1;
      for (const std::int64_t extent : net.tensor(op.outputs.front()).shape) results *= static_cast<double>(extent);
      CHECK(sched::tile_words(p.tensors.back(), whole) == results);
      CHECK(p.tensors.back().output);
      if (!pool) {
        double weights = 1;
        for (const std::int64_t extent : net.tensor(op.inputs[1]).shape) weights *= static_cast<double>(extent);
        CHECK(sched::tile_words(p.tensors[1], whole) == weights);
      }
      CHECK_NOTHROW(sched::parse_problem(sched::problem_json(p), "again"));
    }
  }
  CHECK(kinds == std::set<std::string>{"Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "GlobalAveragePool"});
}

TEST_CASE("hierarchies have the figures of the architecture") {
  const model::Architecture arch = architecture("edge-4core");
  const model::Network net = network("resnet18");
  const model::LoopNest nest = model::loop_nest_of(net, net.operators.front().id);
  const sched::MapProblem problem = sched::problem_of(nest, "conv1");
  const sched::MachineHierarchy machine = sched::hierarchy_of(arch, nest, problem);
  const sched::MapHierarchy& h = machine.hierarchy;
  const model::CoreConfig& core = arch.core_types.front();
  CHECK(level(h, "scratchpad").capacity_words == static_cast<double>(core.scratchpad.size().value()));
  CHECK(level(h, "accumulator").capacity_words * 4 == static_cast<double>(core.accumulator.size().value()));
  CHECK(level(h, "scratchpad").mesh[0] == arch.core_count());
  CHECK(level(h, "array").mesh == std::array<std::int64_t, 2>{core.array.cols, core.array.rows});
  CHECK(level(h, "array").must_keep == std::vector<std::string>{"weight"});
  CHECK(level(h, "DRAM").shared_rate * 1e-3 * static_cast<double>(arch.clock_mhz) <=
        model::bounds_of(arch).peak_dram_gb_s);
  CHECK(level(h, "DRAM").shared_rate * 1e-3 * static_cast<double>(arch.clock_mhz) >=
        0.8 * model::bounds_of(arch).peak_dram_gb_s);
  CHECK(h.levels.size() == (arch.global_buffer ? 5U : 4U));
  CHECK_NOTHROW(sched::parse_hierarchy(sched::hierarchy_json(h), "again"));
  CHECK_THROWS_WITH(sched::hierarchy_of(architecture("hetero"), nest, problem), Catch::Contains("2 kinds of cores"));
}

TEST_CASE("mappings onto a chip lay dimensions where its dataflow puts them") {
  model::Architecture arch = architecture("gemmini-like");
  const model::Network net = network("alexnet");
  for (const model::Dataflow dataflow : {model::Dataflow::weight_stationary, model::Dataflow::output_stationary,
                                         model::Dataflow::input_stationary, model::Dataflow::vector_mac}) {
    arch.core_types.front().array.dataflow = dataflow;
    for (const model::Operator& op : net.operators) {
      if (op.type != model::OpType::conv && op.type != model::OpType::gemm) continue;
      INFO(op.name << " " << model::name_of(dataflow));
      const model::LoopNest nest = model::loop_nest_of(net, op.id);
      const sched::MapProblem problem = sched::problem_of(nest, op.name);
      sched::MachineHierarchy machine = sched::hierarchy_of(arch, nest, problem);
      sched::KeepRules rules = sched::keep_rules(machine.hierarchy, problem);
      sched::MapSearchOptions options;
      options.constraints =
          sched::parse_constraints(machine.constraints, machine.hierarchy, problem, rules, true, "machine");
      const sched::MapSearchResult found = sched::search_mapping(machine.hierarchy, problem, rules, options);
      const sched::Mapping& m = found.points.front().mapping;
      const sched::Evaluation& e = found.points.front().evaluation;
      CHECK_NOTHROW(sched::check_mapping(machine.hierarchy, problem, rules, m, {"found", ""}));
      CHECK(sched::satisfies(options.constraints, m));
      CHECK(e.compute_cycles * static_cast<double>(arch.peak_macs_per_cycle()) >= e.macs);
      const std::size_t last = machine.hierarchy.levels.size() - 1;
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        if (m.spatial[last][d] == 1) continue;
        const auto dim = std::find_if(nest.dims.begin(), nest.dims.end(),
                                      [&](const model::Dim& each) { return each.name == problem.dims[d].name; });
        const bool on_y = m.axis[last][d] == 1;
        switch (dataflow) {
          case model::Dataflow::output_stationary:
            CHECK(dim->kind == (on_y ? model::DimKind::m : model::DimKind::n));
            break;
          case model::Dataflow::input_stationary:
            CHECK(dim->kind == (on_y ? model::DimKind::k : model::DimKind::m));
            break;
          default:
            CHECK(dim->kind == (on_y ? model::DimKind::k : model::DimKind::n));
        }
      }
    }
  }
}

TEST_CASE("on a chip, too, threads change nothing") {
  const model::Network net = network("resnet18");
  for (const std::size_t layer : {std::size_t{0}, std::size_t{2}, std::size_t{8}}) {
    const model::Operator& op = net.operators[layer];
    if (!sched::is_mappable(op.type)) continue;
    const model::LoopNest nest = model::loop_nest_of(net, op.id);
    const sched::MapProblem problem = sched::problem_of(nest, op.name);
    sched::MachineHierarchy machine = sched::hierarchy_of(architecture("edge-4core"), nest, problem);
    sched::KeepRules rules = sched::keep_rules(machine.hierarchy, problem);
    sched::MapSearchOptions options;
    options.constraints =
        sched::parse_constraints(machine.constraints, machine.hierarchy, problem, rules, true, "constraints");
    const sched::MapSearchResult one = sched::search_mapping(machine.hierarchy, problem, rules, options);
    options.jobs = 4;
    const sched::MapSearchResult many = sched::search_mapping(machine.hierarchy, problem, rules, options);
    INFO(op.name);
    CHECK(many.certificate.evaluated == one.certificate.evaluated);
    CHECK(sched::mapping_json(machine.hierarchy, problem, many.points.front().mapping) ==
          sched::mapping_json(machine.hierarchy, problem, one.points.front().mapping));
  }
}
