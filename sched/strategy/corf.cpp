#include "sched/strategy/corf.h"

#include <algorithm>
#include <map>

#include "model/schedule/fused_group.h"
#include "sched/fusion/fused_candidates.h"
#include "sched/strategy/cuts.h"
#include "sched/strategy/optimal_layer.h"

namespace accsim::sched {

using namespace model;

namespace {

struct Run {
  std::size_t first = 0, last = 0;
};

bool complex(const Operator& op) {
  return op.type == OpType::conv || op.type == OpType::gemm || op.type == OpType::matmul;
}

// What decides how a run may be executed: its operators' classes, and which of them each input comes from.
std::vector<std::int64_t> signature_of(const Run& run, const OperatorClasses& classes, const Network& network) {
  std::map<TensorId, std::int64_t> made;
  std::vector<std::int64_t> signature;
  for (std::size_t i = run.first; i <= run.last; ++i) {
    const Operator& op = network.op(classes.ops[i]);
    signature.push_back(static_cast<std::int64_t>(classes.class_of[i]));
    for (const TensorId input : op.inputs) {
      const auto source = made.find(network.tensor(input).storage);
      signature.push_back(source == made.end() ? -1 : source->second);
    }
    for (const TensorId output : op.outputs)
      made.emplace(network.tensor(output).storage, static_cast<std::int64_t>(i - run.first));
  }
  return signature;
}

std::vector<std::string> layers_of(const Run& run, const OperatorClasses& classes, const Network& network) {
  std::vector<std::string> layers;
  for (std::size_t i = run.first; i <= run.last; ++i) layers.push_back(network.op(classes.ops[i]).name);
  return layers;
}

// The same group for other layers.
Group renamed(Group group, const std::vector<std::string>& layers) {
  group.layers = layers;
  for (std::size_t i = 0; i < layers.size(); ++i) group.mappings[i].layer = layers[i];
  return group;
}

}  // namespace

SearchResult Corf::search(const SearchRequest& request) const {
  const Network& network = *request.network;
  const LayerOptions alone = layer_options(request);
  const OperatorClasses& classes = alone.classes;

  std::vector<Run> runs;
  for (std::size_t first = 0; first < classes.ops.size(); ++first) {
    std::size_t complex_ones = 0;
    for (std::size_t last = first; last < std::min(classes.ops.size(), first + kMostOperators); ++last) {
      if (complex(network.op(classes.ops[last])) && ++complex_ones > kMostComplex) break;
      if (last > first && complex_ones > 0) runs.push_back({first, last});
    }
  }
  // A run is fusable only where nothing but its result is needed outside: that depends on more than its signature.
  std::map<std::vector<std::int64_t>, std::size_t> known;
  std::vector<std::size_t> distinct;                    // runs
  std::vector<std::pair<std::size_t, std::size_t>> of;  // fusable runs, and their entry in `distinct`
  for (std::size_t r = 0; r < runs.size(); ++r) {
    Group group;
    group.layers = layers_of(runs[r], classes, network);
    if (find_not_fusable(group, network)) continue;
    const auto [found, is_new] = known.try_emplace(signature_of(runs[r], classes, network), distinct.size());
    if (is_new) distinct.push_back(r);
    of.emplace_back(r, found->second);
  }
  std::vector<FusedOptions> fused(distinct.size());
  for_each_parallel(distinct.size(), request.threads, [&](std::size_t i) {
    fused[i] = fused_options(layers_of(runs[distinct[i]], classes, network), network, *request.cost, alone.cores);
  });

  std::vector<Segment> segments;
  for (std::size_t i = 0; i < classes.ops.size(); ++i) {
    segments.push_back({i, i, {}});
    for (const auto& entry : alone.fronts[classes.class_of[i]]) segments.back().ways.push_back(entry.figure);
  }
  std::vector<std::size_t> options_of(segments.size(), 0);  // by segment: its entry in `fused`
  for (const auto& [run, entry] : of) {
    if (fused[entry].front.empty()) continue;
    segments.push_back({runs[run].first, runs[run].last, {}});
    options_of.push_back(entry);
    for (const FusedOption& option : fused[entry].front) segments.back().ways.push_back(option.figure);
  }

  SearchResult found;
  found.candidates = alone.candidates;
  found.mapspace_log10 = alone.mapspace_log10();
  for (const FusedOptions& options : fused) found.candidates += options.candidates;
  Schedule& schedule = found.schedule;
  schedule.arch = request.arch->name;
  schedule.net = network.name;
  schedule.strategy = name();
  schedule.objective = std::string(name_of(request.objective));
  for (const Cut& cut : best_cuts(classes.ops.size(), segments, request.objective)) {
    const Segment& segment = segments[cut.segment];
    Group group = segment.first == segment.last ? alone.group(network, segment.first, cut.way)
                                                : renamed(fused[options_of[cut.segment]].front[cut.way].group,
                                                          layers_of({segment.first, segment.last}, classes, network));
    group.id = GroupId(static_cast<std::int32_t>(schedule.groups.size()));
    found.groups.push_back(request.cost->predict(network, group));
    schedule.groups.push_back(std::move(group));
  }
  return found;
}

}  // namespace accsim::sched
