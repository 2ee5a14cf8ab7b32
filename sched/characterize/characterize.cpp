#include "sched/characterize/characterize.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "model/base/error.h"
#include "sched/calibrate/card.h"
#include "sched/strategy/block_ways.h"
#include "sched/strategy/operator_classes.h"
#include "sched/strategy/operator_divisions.h"

namespace accsim::sched {

using namespace model;

namespace {

// Layers with more operations have work enough for every core without a second one.
constexpr std::int64_t kLargestInChain = 250'000'000;

// A chain on so many cores, to be measured.
struct Trial {
  std::size_t layer = 0;  // index into the layers
  std::int64_t layers = 1;
  std::size_t cores = 1;
};

class Characterizer {
 public:
  Characterizer(const Architecture& arch, DataType precision, Measurer& measurer, int threads,
                const std::function<void(const std::string&)>& say)
      : arch_(arch), measurer_(measurer), threads_(threads), say_(say), cost_(arch), cores_(cores_by_size(arch)) {
    card_.arch = arch.name;
    card_.arch_hash = architecture_hash(arch);
    card_.precision = std::string(name_of(precision));
    counts_ = core_counts(arch);
    for (const std::size_t n : counts_) card_.core_counts.push_back(static_cast<std::int64_t>(n));
    for (const SyntheticLayer& layer : shapes_) {
      CharacterizedLayer entry;
      entry.size = layer.size;
      entry.kernel = layer.kernel;
      const Network network = network_of(layer, 1);
      entry.features = features_of(network, network.operators.front().id);
      card_.layers.push_back(std::move(entry));
    }
  }

  Characterization run() {
    measure_alone();
    std::erase_if(card_.layers, [](const CharacterizedLayer& layer) { return layer.figures.empty(); });
    if (card_.layers.empty()) throw InfeasibleError("no synthetic layer fits on architecture \"" + arch_.name + "\"");
    for (CharacterizedLayer& layer : card_.layers)
      for (const Objective o : {Objective::edp, Objective::latency, Objective::energy})
        layer.best[static_cast<std::size_t>(o)] = choice_from(layer, o);
    return std::move(card_);
  }

 private:
  [[nodiscard]] Network network_of(const SyntheticLayer& layer, std::int64_t layers) const {
    return fuse_activations(parse_network(chain_network(layer, layers, card_.precision), "synthetic layer"));
  }

  void measure_alone() {
    std::vector<bool> active(shapes_.size(), true);
    for (std::size_t c = counts_.size(); c-- > 0;) {
      std::vector<Trial> trials;
      for (std::size_t i = 0; i < shapes_.size(); ++i)
        if (active[i]) trials.push_back({i, 1, counts_[c]});
      measure("one layer on " + std::to_string(counts_[c]) + " cores", trials);
      for (std::size_t i = 0; i < shapes_.size(); ++i) active[i] = active[i] && !fewer_cores_are_worse(i);
    }
    measure_chains();
  }

  // Far slower than on more cores, and no less energy.
  [[nodiscard]] bool fewer_cores_are_worse(std::size_t i) const {
    const std::vector<ChainFigure>& figures = card_.layers[i].figures;
    if (figures.empty()) return false;
    constexpr double kFar = 1.5;
    const ChainFigure& last = figures.back();
    return std::any_of(figures.begin(), figures.end(), [&](const ChainFigure& f) {
      return static_cast<double>(f.cycles) * kFar < static_cast<double>(last.cycles) && f.energy_pj <= last.energy_pj;
    });
  }

  void measure_chains() {
    std::vector<bool> active(shapes_.size(), true);
    for (std::int64_t layers = 2; layers <= kLongestChain; ++layers) {
      std::vector<Trial> trials;
      for (std::size_t i = 0; i < shapes_.size(); ++i) {
        if (!active[i] || rides_along(shapes_[i].kind) || card_.layers[i].figures.empty()) continue;
        if (card_.layers[i].features.operations > kLargestInChain) continue;
        for (const std::size_t n : counts_for_chains(i)) trials.push_back({i, layers, n});
      }
      measure("chains of " + std::to_string(layers) + " layers", trials);
      for (std::size_t i = 0; i < shapes_.size(); ++i) active[i] = active[i] && pays(i, layers);
    }
  }

  // The best count of one layer, twice and four times as many.
  [[nodiscard]] std::vector<std::size_t> counts_for_chains(std::size_t i) const {
    CharacterizedLayer alone = card_.layers[i];
    std::erase_if(alone.figures, [](const ChainFigure& f) { return f.layers > 1; });
    const auto least = static_cast<std::size_t>(choice_from(alone, Objective::latency).cores);
    constexpr std::size_t kTimes = 4;
    std::vector<std::size_t> counts;
    for (const std::size_t n : counts_)
      if (n >= least && n <= least * kTimes) counts.push_back(n);
    return counts;
  }

  // Whether chains of this length beat all shorter ones, for an objective.
  [[nodiscard]] bool pays(std::size_t i, std::int64_t layers) const {
    const std::vector<ChainFigure>& figures = card_.layers[i].figures;
    if (figures.empty() || figures.back().layers != layers) return false;
    return std::any_of(kObjectives.begin(), kObjectives.end(),
                       [&](Objective objective) { return choice_from(card_.layers[i], objective).block == layers; });
  }

  void measure(const std::string& what, const std::vector<Trial>& trials) {
    if (say_) say_(what);
    struct Made {
      std::optional<BlockWay> way;
      std::shared_ptr<const Json> net;
      std::int64_t operations = 0;
    };
    std::vector<Made> made(trials.size());
    for_each_parallel(trials.size(), threads_, [&](std::size_t t) {
      const SyntheticLayer& layer = shapes_[trials[t].layer];
      made[t].net = std::make_shared<const Json>(chain_network(layer, trials[t].layers, card_.precision));
      const Network network = fuse_activations(parse_network(*made[t].net, "synthetic layer"));
      std::vector<OpId> ops;
      for (const Operator& op : network.operators) ops.push_back(op.id);
      std::int64_t candidates = 0;
      try {
        made[t].way = best_block_way(network, ops, cost_, cores_, trials[t].cores, Objective::latency, candidates);
      } catch (const InfeasibleError&) {  // the machine is too small for this layer
      }
    });
    std::vector<MeasureJob> jobs;
    std::vector<std::size_t> trial_of;
    for (std::size_t t = 0; t < trials.size(); ++t) {
      if (!made[t].way) continue;
      Schedule schedule;
      schedule.arch = arch_.name;
      schedule.net = made[t].net->at("name");
      made[t].way->group.id = GroupId(0);
      schedule.groups = {std::move(made[t].way->group)};
      jobs.push_back({std::move(schedule), made[t].net});
      trial_of.push_back(t);
    }
    const std::vector<Measurement> measured = measurer_.measure(jobs);
    constexpr double kFemto = 1000;
    for (std::size_t j = 0; j < measured.size(); ++j) {
      const Trial& trial = trials[trial_of[j]];
      card_.layers[trial.layer].figures.push_back({trial.layers, static_cast<std::int64_t>(trial.cores),
                                                   measured[j].cycles.value(),
                                                   static_cast<double>(measured[j].energy.total().value()) / kFemto});
    }
  }

  static constexpr std::array kObjectives{Objective::edp, Objective::latency, Objective::energy};

  const Architecture& arch_;
  Measurer& measurer_;
  int threads_;
  const std::function<void(const std::string&)>& say_;
  CostModel cost_;
  std::vector<std::int64_t> cores_;
  std::vector<std::size_t> counts_;
  std::vector<SyntheticLayer> shapes_ = synthetic_layers();
  Characterization card_;
};

}  // namespace

std::vector<SyntheticLayer> synthetic_layers() {
  constexpr std::int64_t kFewest = 400'000;  // operations
  constexpr std::int64_t kMost = 2'000'000'000;
  constexpr std::int64_t kWidest = 16'384;  // channels times rows, of layers of little work
  std::vector<SyntheticLayer> layers;
  const auto add = [&](LayerKind kind, std::int64_t channels, std::int64_t size, std::int64_t kernel) {
    const std::int64_t operations = size * size * kernel * kernel * channels * channels;
    if (operations >= kFewest && operations <= kMost) layers.push_back({kind, channels, size, kernel});
  };
  for (const std::int64_t channels : {32, 64, 128, 256, 512})
    for (const std::int64_t size : {7, 14, 28, 56, 112, 224}) add(LayerKind::window, channels, size, 3);
  for (const std::int64_t channels : {32, 64, 128, 256, 512, 1024})
    for (const std::int64_t size : {7, 14, 28, 56, 112}) add(LayerKind::pointwise, channels, size, 1);
  for (const std::int64_t channels : {32, 128, 512})
    for (const std::int64_t size : {7, 14, 28, 56, 112})
      if (channels * size <= kWidest) layers.push_back({LayerKind::depthwise, channels, size, 3});
  for (const std::int64_t channels : {256, 1024, 4096}) layers.push_back({LayerKind::gemm, channels, 1, 1});
  for (const std::int64_t channels : {256, 1024}) layers.push_back({LayerKind::gemm, channels, 128, 1});
  for (const std::int64_t channels : {64, 512})
    for (const std::int64_t size : {7, 28, 112})
      if (channels * size <= kWidest) layers.push_back({LayerKind::vector, channels, size, 1});
  return layers;
}

Json chain_network(const SyntheticLayer& layer, std::int64_t layers, const std::string& precision) {
  const std::string name = std::string(kLayerKinds[static_cast<std::size_t>(layer.kind)]) + "_" +
                           std::to_string(layer.channels) + "_" + std::to_string(layer.size) + "_" +
                           std::to_string(layer.kernel) + "_x" + std::to_string(layers);
  const bool gemm = layer.kind == LayerKind::gemm;
  const Json shape = gemm ? Json{layer.size, layer.channels} : Json{1, layer.channels, layer.size, layer.size};
  Json inputs = Json::array({{{"name", "input"}, {"shape", shape}}});
  if (layer.kind == LayerKind::vector) inputs.push_back({{"name", "other"}, {"shape", shape}});
  Json list = Json::array();
  std::string last = "input";
  for (std::int64_t i = 0; i < layers; ++i) {
    Json one{{"name", "layer" + std::to_string(i)}};
    const std::int64_t pad = layer.kernel / 2;
    if (gemm) {
      one["op"] = "Gemm";
      one["inputs"] = {last};
      one["out_features"] = layer.channels;
    } else if (layer.kind == LayerKind::vector) {
      one["op"] = "Add";
      one["inputs"] = {last, "other"};
    } else {
      one["op"] = "Conv";
      one["inputs"] = {last};
      one["out_channels"] = layer.channels;
      one["kernel_shape"] = {layer.kernel, layer.kernel};
      if (pad > 0) one["pads"] = {pad, pad, pad, pad};
      if (layer.kind == LayerKind::depthwise) one["group"] = layer.channels;
    }
    last = one["name"];
    list.push_back(std::move(one));
  }
  return {{"schema", "accsim-net/1"},
          {"name", name},
          {"precision", precision},
          {"inputs", std::move(inputs)},
          {"layers", std::move(list)}};
}

Characterization characterize(const Architecture& arch, DataType precision, Measurer& measurer, int threads,
                              const std::function<void(const std::string&)>& say) {
  return Characterizer(arch, precision, measurer, threads, say).run();
}

}  // namespace accsim::sched
