#include "sched/characterize/card.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <tuple>

#include "model/base/error.h"
#include "model/config/record.h"
#include "sched/calibrate/card.h"
#include "sched/strategy/block_ways.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::string_view kSchema = "accsim-characterization/1";
constexpr std::array kObjectives{Objective::edp, Objective::latency, Objective::energy};
constexpr IntegerRange kCount{1, std::int64_t{1} << 60};

// Sixteenths of a doubling, linear within each: without a logarithm of the library, the same everywhere.
std::int64_t sixteenths(std::int64_t value) {
  constexpr std::int64_t kParts = 16;
  const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 1));
  const int octave = static_cast<int>(std::bit_width(v)) - 1;
  const std::uint64_t rest = v - (std::uint64_t{1} << octave);
  constexpr int kFree = 59;  // so that the product fits
  const std::uint64_t part = octave > kFree ? rest >> (octave - 4) : (rest * kParts) >> octave;
  return octave * kParts + static_cast<std::int64_t>(part);
}

double per_layer(const ChainFigure& figure, Objective objective) {
  const auto layers = static_cast<double>(figure.layers);
  return value_of({static_cast<double>(figure.cycles) / layers, figure.energy_pj / layers}, objective);
}

Json choice_json(const LayerChoice& choice) {
  return {{"cores", choice.cores},
          {"block", choice.block},
          {"block_cores", choice.block_cores},
          {"critical_operations", choice.critical_operations}};
}

Record<LayerChoice> choice_record() {
  Record<LayerChoice> record("choice", "best for one objective");
  record.integer("cores", &LayerChoice::cores, kCount, {}, "cores of the layer alone");
  record.integer("block", &LayerChoice::block, kCount, {}, "layers of the best chain");
  record.integer("block_cores", &LayerChoice::block_cores, kCount, {}, "cores of the best chain");
  record.integer("critical_operations", &LayerChoice::critical_operations, {0, kCount.max}, {}, "work per core");
  return record;
}

Record<ChainFigure> figure_record() {
  Record<ChainFigure> record("figure", "a measured chain");
  record.integer("layers", &ChainFigure::layers, kCount, {}, "layers of the chain");
  record.integer("cores", &ChainFigure::cores, kCount, {}, "cores asked for");
  record.integer("cycles", &ChainFigure::cycles, kCount, {}, "of the whole chain");
  record.number("energy_pj", &ChainFigure::energy_pj, {0, 1e18}, {}, "of the whole chain");
  return record;
}

void check_object(const Json& json, const std::vector<std::string>& keys, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object, " + describe(json));
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_unknown_key(key, keys, at);
  }
  for (const std::string& key : keys)
    if (!json.contains(key)) fail(at, "missing key \"" + key + "\"");
}

const Json& list(const Json& json, const std::string& key, const Origin& at) {
  if (!json.at(key).is_array() || json.at(key).empty())
    fail(at.key(key), "expected a list that is not empty, " + describe(json.at(key)));
  return json.at(key);
}

CharacterizedLayer parse_layer(const Json& json, const Origin& at) {
  check_object(json, {"kind", "operations", "channels", "size", "kernel", "figures", "best"}, at);
  CharacterizedLayer layer;
  const std::vector<std::string> kinds(kLayerKinds.begin(), kLayerKinds.end());
  layer.features.kind = static_cast<LayerKind>(read_choice(json.at("kind"), kinds, at.key("kind")));
  layer.features.operations = read_integer(json.at("operations"), kCount, at.key("operations"));
  layer.features.channels = read_integer(json.at("channels"), kCount, at.key("channels"));
  layer.size = read_integer(json.at("size"), kCount, at.key("size"));
  layer.kernel = read_integer(json.at("kernel"), kCount, at.key("kernel"));
  const Json& figures = list(json, "figures", at);
  for (std::size_t i = 0; i < figures.size(); ++i)
    layer.figures.push_back(figure_record().parse(figures[i], at.key("figures").index(i)));
  std::vector<std::string> objectives;
  for (const Objective o : kObjectives) objectives.emplace_back(name_of(o));
  check_object(json.at("best"), objectives, at.key("best"));
  for (const Objective o : kObjectives) {
    const std::string name(name_of(o));
    layer.best[static_cast<std::size_t>(o)] = choice_record().parse(json.at("best").at(name), at.key("best").key(name));
  }
  return layer;
}

}  // namespace

LayerFeatures features_of(const Network& network, OpId id) {
  const Operator& op = network.op(id);
  const Shape& shape = network.tensor(op.outputs[0]).shape;
  LayerFeatures features;
  features.operations = macs_of(network, id).value();
  features.channels = shape.empty() ? 1 : shape.back();
  if (op.type == OpType::gemm || op.type == OpType::matmul) {
    features.kind = LayerKind::gemm;
    return features;
  }
  if (shape.size() > 2) features.channels = shape[1];
  if (const auto* conv = std::get_if<ConvAttributes>(&op.attributes)) {
    const std::int64_t window = conv->kernel[0] * conv->kernel[1];
    features.kind = conv->group > 1 && conv->group == network.tensor(op.inputs[0]).shape[1] ? LayerKind::depthwise
                    : window > 1                                                            ? LayerKind::window
                                                                                            : LayerKind::pointwise;
    return features;
  }
  features.operations = element_count(shape);
  if (const auto* pool = std::get_if<PoolAttributes>(&op.attributes))
    features.operations *= pool->kernel[0] * pool->kernel[1];
  return features;
}

LayerChoice choice_from(const CharacterizedLayer& layer, Objective objective) {
  constexpr double kSame = 1.01;
  const auto best_of = [&](bool chains) {
    double least = -1;
    for (const ChainFigure& f : layer.figures)
      if (chains || f.layers == 1)
        if (const double value = per_layer(f, objective); least < 0 || value < least) least = value;
    const ChainFigure* best = nullptr;
    for (const ChainFigure& f : layer.figures) {
      if ((!chains && f.layers > 1) || per_layer(f, objective) > least * kSame) continue;
      if (best == nullptr || std::tuple(f.layers, f.cores) < std::tuple(best->layers, best->cores)) best = &f;
    }
    return best;
  };
  LayerChoice choice;
  const ChainFigure* alone = best_of(false);
  const ChainFigure* chain = best_of(true);
  if (alone == nullptr) throw InternalError("a characterised layer was not measured alone");
  choice.cores = alone->cores;
  choice.block = chain->layers;
  choice.block_cores = chain->layers > 1 ? chain->cores : alone->cores;
  if (chain->layers > 1) choice.critical_operations = layer.features.operations * chain->layers / chain->cores;
  return choice;
}

const CharacterizedLayer& nearest_layer(const Characterization& card, const LayerFeatures& features) {
  const CharacterizedLayer* nearest = nullptr;
  std::tuple<bool, std::int64_t> least;
  for (const CharacterizedLayer& layer : card.layers) {
    const std::tuple distance(layer.features.kind != features.kind,
                              std::abs(sixteenths(layer.features.operations) - sixteenths(features.operations)) +
                                  std::abs(sixteenths(layer.features.channels) - sixteenths(features.channels)));
    if (nearest != nullptr && distance >= least) continue;
    nearest = &layer;
    least = distance;
  }
  if (nearest == nullptr) throw InternalError("a characterisation without layers");
  return *nearest;
}

Json to_json(const Characterization& card) {
  Json layers = Json::array();
  for (const CharacterizedLayer& layer : card.layers) {
    Json figures = Json::array();
    for (const ChainFigure& f : layer.figures)
      figures.push_back({{"layers", f.layers}, {"cores", f.cores}, {"cycles", f.cycles}, {"energy_pj", f.energy_pj}});
    Json best = Json::object();
    for (const Objective o : kObjectives)
      best[std::string(name_of(o))] = choice_json(layer.best[static_cast<std::size_t>(o)]);
    layers.push_back({{"kind", kLayerKinds[static_cast<std::size_t>(layer.features.kind)]},
                      {"operations", layer.features.operations},
                      {"channels", layer.features.channels},
                      {"size", layer.size},
                      {"kernel", layer.kernel},
                      {"best", std::move(best)},
                      {"figures", std::move(figures)}});
  }
  return {{"schema", kSchema},
          {"arch", card.arch},
          {"arch_hash", card.arch_hash},
          {"precision", card.precision},
          {"core_counts", card.core_counts},
          {"layers", std::move(layers)}};
}

Characterization parse_characterization(const Json& json, const Architecture& arch, const std::string& file) {
  require_schema(json, kSchema, file);
  const Origin at{file, ""};
  check_object(json, {"schema", "arch", "arch_hash", "precision", "core_counts", "layers"}, at);
  Characterization card;
  card.arch = read_text(json["arch"], at.key("arch"));
  card.arch_hash = read_text(json["arch_hash"], at.key("arch_hash"));
  if (const std::string hash = architecture_hash(arch); card.arch_hash != hash) {
    fail(at.key("arch_hash"), "the card was measured on architecture \"" + card.arch + "\" (" + card.arch_hash +
                                  "), this is \"" + arch.name + "\" (" + hash + "): characterize this one");
  }
  card.precision = read_text(json["precision"], at.key("precision"));
  const IntegerRange cores{1, arch.core_count()};
  const Json& counts = list(json, "core_counts", at);
  for (std::size_t i = 0; i < counts.size(); ++i)
    card.core_counts.push_back(read_integer(counts[i], cores, at.key("core_counts").index(i)));
  const Json& layers = list(json, "layers", at);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Origin where = at.key("layers").index(i);
    card.layers.push_back(parse_layer(layers[i], where));
    for (const Objective o : kObjectives) {
      const LayerChoice& choice = card.layers.back().best[static_cast<std::size_t>(o)];
      const Origin best = where.key("best").key(std::string(name_of(o)));
      read_integer(choice.cores, cores, best.key("cores"));
      read_integer(choice.block_cores, cores, best.key("block_cores"));
    }
  }
  return card;
}

}  // namespace accsim::sched
