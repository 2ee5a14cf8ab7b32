// dlfusion's blocks and core counts against what the rule says, worked out anew from the card's figures.
#include "sched/strategy/dlfusion.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

#include "model/base/error.h"
#include "sched/characterize/characterize.h"
#include "sched/strategy/dlfusion_blocks.h"
#include "sched/strategy/operator_classes.h"
#include "tests/catch.h"
#include "tests/support/some_card.h"

using namespace accsim;
using namespace accsim::sched;

namespace {

model::Architecture edge() {
  const std::string file = std::string(ACCSIM_SOURCE_DIR) + "/configs/edge-4core.json";
  return model::parse_architecture(model::read_json_file(file), file);
}

// A pointwise layer of so many channels on 28 x 28, measured: cycles by (layers, cores).
CharacterizedLayer measured(std::int64_t channels, const std::map<std::pair<int, int>, std::int64_t>& cycles) {
  CharacterizedLayer layer;
  layer.features = {LayerKind::pointwise, channels * channels * 784, channels};
  layer.size = 28;
  for (const auto& [at, c] : cycles) layer.figures.push_back({at.first, at.second, c, static_cast<double>(c)});
  for (const Objective o : {Objective::edp, Objective::latency, Objective::energy})
    layer.best[static_cast<std::size_t>(o)] = choice_from(layer, o);
  return layer;
}

model::Json chain(const std::vector<std::int64_t>& channels) {
  model::Json layers = model::Json::array();
  std::string last = "x";
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    layers.push_back(
        {{"name", name}, {"op", "Conv"}, {"inputs", {last}}, {"out_channels", channels[i]}, {"kernel_shape", {1, 1}}});
    last = name;
  }
  return {{"schema", "accsim-net/1"},
          {"name", "chain"},
          {"inputs", model::Json::array({{{"name", "x"}, {"shape", {1, channels.front(), 28, 28}}}})},
          {"layers", layers}};
}

}  // namespace

TEST_CASE("a layer's choices follow from its figures") {
  // Per layer: 1000 and 600 alone; chains of two 550, of three 500, of four 498: within one percent of three.
  const CharacterizedLayer layer = measured(
      64,
      {{{1, 1}, 1000}, {{1, 2}, 600}, {{1, 4}, 603}, {{2, 4}, 1100}, {{3, 2}, 1800}, {{3, 4}, 1500}, {{4, 4}, 1992}});
  const LayerChoice latency = choice_from(layer, Objective::latency);
  CHECK(latency.cores == 2);
  CHECK(latency.block == 3);
  CHECK(latency.block_cores == 4);
  CHECK(latency.critical_operations == layer.features.operations * 3 / 4);
  const LayerChoice lone =
      choice_from(measured(64, {{{1, 1}, 1000}, {{1, 4}, 900}, {{2, 4}, 1900}}), Objective::latency);
  CHECK(lone.cores == 4);
  CHECK(lone.block == 1);
  CHECK(lone.critical_operations == 0);
}

TEST_CASE("the nearest layer is of the same kind, in operations and channels") {
  Characterization card;
  for (const std::int64_t channels : {32, 64, 256}) card.layers.push_back(measured(channels, {{{1, 1}, 10}}));
  card.layers.push_back({{LayerKind::window, 1000, 40}, 7, 3, {{1, 1, 10, 1}}, {}});
  CHECK(nearest_layer(card, {LayerKind::pointwise, 64 * 64 * 784, 64}).features.channels == 64);
  CHECK(nearest_layer(card, {LayerKind::pointwise, 1, 1}).features.channels == 32);
  CHECK(nearest_layer(card, {LayerKind::pointwise, std::int64_t{1} << 60, 512}).features.channels == 256);
  CHECK(nearest_layer(card, {LayerKind::window, 64 * 64 * 784, 64}).features.channels == 40);
  CHECK(nearest_layer(card, {LayerKind::gemm, 64 * 64 * 784, 64}).features.channels == 64);  // none of its kind
}

TEST_CASE("blocks grow until the work per core passes the critical operation count") {
  // Layers of a chain whose features are the card's: what is nearest is plain.
  const model::Architecture arch = edge();
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Characterization card;
    card.core_counts = {1, 2, 4};
    std::uint64_t state = seed * 7919;
    const auto next = [&](std::uint64_t n) {
      return static_cast<std::int64_t>((state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 33U) %
             static_cast<std::int64_t>(n);
    };
    for (const std::int64_t channels : {32, 64, 128, 256}) {
      std::map<std::pair<int, int>, std::int64_t> cycles;
      for (const int cores : {1, 2, 4})
        for (const int layers : {1, 2, 3, 4}) cycles[{layers, cores}] = layers * (500 + next(500));
      card.layers.push_back(measured(channels, cycles));
    }
    std::vector<std::int64_t> widths;
    for (int i = 0; i < 12; ++i) widths.push_back(std::int64_t{32} << next(4));
    // Equal widths in and out make the operations those of the card: a width holds for two layers at least.
    std::vector<std::int64_t> channels;
    for (const std::int64_t width : widths) channels.insert(channels.end(), {width, width});
    const model::Network network = model::fuse_activations(model::parse_network(chain(channels), "chain"));
    std::vector<model::OpId> ops;
    for (const model::Operator& op : network.operators) ops.push_back(op.id);
    const std::vector<LayerAdvice> advice = advice_for(network, ops, card, Objective::latency);
    for (std::size_t first = 0; first < ops.size(); ++first) {
      const std::size_t end = block_end(advice, first, DlFusion::kMostOperators, card.core_counts);
      // The rule, by itself: try every length and keep the last whose steps were all allowed.
      std::size_t longest = first;
      for (std::size_t last = first; last + 1 < ops.size() && last + 2 - first <= DlFusion::kMostOperators; ++last) {
        std::int64_t work = 0;
        std::int64_t critical = std::numeric_limits<std::int64_t>::max();
        double cores = 0;
        double weights = 0;
        for (std::size_t i = first; i <= last; ++i) {
          const std::int64_t operations = model::macs_of(network, ops[i]).value();
          work += operations;
          critical = std::min(critical, advice[i].choice.critical_operations);
          cores += advice[i].cycles *
                   static_cast<double>(first == last ? advice[i].choice.cores : advice[i].choice.block_cores);
          weights += advice[i].cycles;
        }
        const double mean = cores / weights;
        const std::int64_t count = mean >= 4 - 1e-9 ? 4 : mean >= 2 - 1e-9 ? 2 : 1;
        REQUIRE(block_cores(advice, first, last, card.core_counts) == count);
        const bool passed = work / count >= critical || work >= critical * count;
        if (passed || advice[last + 1].choice.critical_operations == 0) break;
        longest = last + 1;
      }
      REQUIRE(end == longest);
    }
  }
}

TEST_CASE("dlfusion runs whole blocks on the cores that the card says") {
  const model::Architecture arch = edge();
  Characterization card = tests::some_card(arch, 3);
  // Pairs pay on two cores, a third layer does not.
  card.layers = {measured(32, {{{1, 1}, 1000}, {{1, 2}, 900}, {{2, 2}, 1200}, {{3, 2}, 2400}})};
  const model::Network network = model::fuse_activations(model::parse_network(chain({32, 32, 32, 32, 32}), "chain"));
  const CostModel cost(arch);
  SearchRequest request;
  request.network = &network;
  request.arch = &arch;
  request.cost = &cost;
  request.objective = Objective::latency;
  const auto strategy = make_strategy("dlfusion");
  CHECK_THROWS_WITH(strategy->search(request),
                    Catch::Contains("needs a characterisation of architecture \"edge-4core\""));
  const auto shared = std::make_shared<const Characterization>(card);
  request.characterization = [&] { return shared; };
  const SearchResult found = strategy->search(request);
  std::vector<std::size_t> sizes;
  for (const model::Group& group : found.schedule.groups) {
    sizes.push_back(group.layers.size());
    CHECK(group.cores.size() == 2);
  }
  CHECK(sizes == std::vector<std::size_t>{2, 2, 1});
  CHECK_FALSE(model::verify_schedule(found.schedule, network, arch));
}

TEST_CASE("a card is written and read, and refused for another architecture") {
  const model::Architecture arch = edge();
  const Characterization card = tests::some_card(arch, 5);
  const model::Json json = to_json(card);
  CHECK(to_json(parse_characterization(json, arch, "card.json")) == json);
  model::Architecture other = arch;
  other.clock_mhz += 1;
  CHECK_THROWS_WITH(parse_characterization(json, other, "card.json"),
                    Catch::Contains("card.json: arch_hash: the card was measured on"));
  model::Json wrong = json;
  wrong["layers"][2]["best"]["edp"]["cores"] = 5;
  CHECK_THROWS_WITH(parse_characterization(wrong, arch, "card.json"), Catch::Contains("layers[2].best.edp.cores"));
  wrong = json;
  wrong["layers"][0]["width"] = 5;
  CHECK_THROWS_WITH(parse_characterization(wrong, arch, "card.json"), Catch::Contains("layers[0]"));
}
