#include "app/map_machine.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>

#include "app/digest.h"
#include "app/output.h"
#include "model/base/error.h"
#include "model/schedule/fused_group.h"
#include "model/schedule/split.h"
#include "model/schedule/tiling.h"
#include "sched/lower/lower.h"
#include "sched/lower/program_counts.h"
#include "sched/strategy/operator_divisions.h"
#include "sched/strategy/optimal_layer.h"

namespace accsim::app {
namespace {

using model::Json;

constexpr char kCacheSchema[] = "accsim-map-machine-cache/1";

// All ways worth having for one layer, by rising cycles.
struct LayerFront {
  std::vector<model::Group> groups;
  std::vector<sched::Figure> figures;
  double mapspace_log10 = 0;
  std::int64_t candidates = 0;
};

model::Schedule schedule_with(const Inputs& files, const std::vector<model::Group>& groups) {
  model::Schedule schedule;
  schedule.arch = files.arch.name;
  schedule.net = files.network.name;
  schedule.batch = files.batch;
  schedule.groups = groups;
  return schedule;
}

Json group_json(const Inputs& files, const model::Group& group) {
  Json json = model::to_json(schedule_with(files, {group})).at("groups").at(0);
  for (const char* key : {"id", "edges", "homes", "prefetch"}) json.erase(key);
  return json;
}

model::Group group_of(const Inputs& files, Json json, const std::string& file) {
  json["id"] = 0;
  const Json schedule = {{"schema", "accsim-schedule/1"},
                         {"arch", files.arch.name},
                         {"net", files.network.name},
                         {"groups", Json::array({std::move(json)})}};
  return model::parse_schedule(schedule, file).groups.front();
}

double value_of(const sched::Figure& f, sched::Objective objective) {
  return objective == sched::Objective::latency  ? f.cycles
         : objective == sched::Objective::energy ? f.energy
                                                 : f.cycles * f.energy;
}

std::size_t best_of(const LayerFront& front, sched::Objective objective) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < front.figures.size(); ++i) {
    const double x = value_of(front.figures[i], objective), y = value_of(front.figures[best], objective);
    const bool tie = x == y && front.figures[i].energy < front.figures[best].energy;
    if (x < y || (tie && objective == sched::Objective::latency)) best = i;
  }
  return best;
}

Json accesses_json(const sched::MachineCounts& counts) {
  Json json = Json::object();
  for (const sched::MachineAccess& a : counts.accesses) {
    const bool dram = a.level == model::Space::dram;
    Json& row = json[dram ? "DRAM" : std::string(name_of(a.level))][a.tensor];
    row = {{"read_bytes", a.read_bytes}, {"written_bytes", a.written_bytes}};
    if (!dram) continue;
    row["read_burst_bytes"] = a.read_burst_bytes;
    row["written_burst_bytes"] = a.written_burst_bytes;
  }
  return json;
}

sched::MachineCounts counts_of(const Inputs& files, const model::Group& group) {
  const model::Schedule schedule = schedule_with(files, {group});
  sched::MachineCounts counts;
  const auto source = sched::lower(schedule, files.network, files.arch, 1);
  while (const auto program = source->next()) sched::count_program(*program, files.arch, counts);
  return counts;
}

Json point_json(const Inputs& files, const sched::CostModel& cost, const model::Group& group) {
  const sched::Prediction p = cost.predict(files.network, group);
  const sched::MachineCounts counts = counts_of(files, group);
  Json energy = Json::object();
  for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) {
    energy[std::string(model::name_of(static_cast<model::EnergyBlock>(b)))] = p.energy_pj[b];
  }
  return {{"energy_pj", p.total_energy_pj()},
          {"cycles", p.cycles},
          {"edp_pj_cycles", p.cycles * p.total_energy_pj()},
          {"macs", counts.macs},
          {"bound_by", p.bound_by},
          {"energy_breakdown_pj", std::move(energy)},
          {"busy_cycles", {{"array", p.array}, {"vector", p.vector}, {"load", p.load}, {"store", p.store}}},
          {"accesses", accesses_json(counts)},
          {"instructions",
           {{"loads", counts.loads},
            {"array_passes", counts.passes},
            {"vector_operations", counts.vector_operations},
            {"stores", counts.stores}}},
          {"mapping", group_json(files, group)}};
}

// The loops over tiles of the first core's share, outermost first, and what is held.
void print_nest(const Inputs& files, const model::Group& group) {
  const model::OpId op = model::working_operators(group, files.network).front();
  const model::OperatorMapping& mapping = group.mappings.front();
  const std::vector<model::LoopNest> nests = model::loop_nests_of(files.network, op);
  const model::CoreConfig& core = files.arch.core(model::CoreId(static_cast<std::int32_t>(group.cores.front())));
  const model::LoopNest& nest = nests.front();
  std::string indent;
  if (group.cores.size() > 1) {
    std::cout << "parallel " << group.split << " over " << group.cores.size() << " cores\n";
    indent = "  ";
  }
  const std::vector<std::int64_t> tiles = model::tile_sizes(nest, mapping);
  const auto parts = model::nests_of_core(nests, mapping, group.split, model::core_weights(files.arch, group.cores), 0);
  const model::LoopNest& own = parts.empty() ? nest : parts.front();
  for (const int d : model::loop_order(own, mapping)) {
    const auto dim = static_cast<std::size_t>(d);
    if (tiles[dim] >= own.dims[dim].extent) continue;
    std::cout << indent << "for " << own.dims[dim].name << " in 0.." << own.dims[dim].extent - 1 << " step "
              << tiles[dim] << "\n";
    indent += "  ";
  }
  std::cout << indent << "[";
  bool first = true;
  for (const model::BufferNeed& need : model::buffer_needs(own, mapping, core)) {
    std::cout << (first ? "" : ", ") << need.role << " " << grouped(need.bytes.value()) << " B"
              << (need.buffers > 1 ? " x 2" : "");
    first = false;
  }
  std::cout << "]\n" << indent << (nest.engine == model::Engine::array ? "array pass" : "vector operation") << " of";
  for (std::size_t d = 0; d < own.dims.size(); ++d) {
    const std::int64_t size = std::min(tiles[d], own.dims[d].extent);
    if (size > 1) std::cout << " " << own.dims[d].name << " " << size;
  }
  std::cout << "\n";
}

void print_point(const Inputs& files, const Json& point, const model::Group& group) {
  print_nest(files, group);
  Table table;
  for (const char* title : {"memory", "tensor"}) table.column(title, Table::Align::left);
  for (const char* title : {"read B", "written B", "bursts read B", "bursts written B"}) table.column(title);
  for (const auto& [level, tensors] : point.at("accesses").items()) {
    for (const auto& [tensor, row] : tensors.items()) {
      const auto cell = [&](const char* key) {
        return row.contains(key) ? grouped(row.at(key).get<std::int64_t>()) : std::string();
      };
      table.row({level, tensor, cell("read_bytes"), cell("written_bytes"), cell("read_burst_bytes"),
                 cell("written_burst_bytes")});
    }
  }
  std::cout << "\n";
  table.print(std::cout);
  std::cout << "predicted " << fixed(point.at("cycles").get<double>(), 0) << " cycles, "
            << fixed(point.at("energy_pj").get<double>(), 0) << " pJ, bound by "
            << point.at("bound_by").get<std::string>() << "\n";
}

LayerFront search_front(const Inputs& files, const sched::CostModel& cost, const model::Operator& op, int threads) {
  sched::SearchRequest request;
  request.network = &files.network;
  request.arch = &files.arch;
  request.cost = &cost;
  request.threads = threads;
  const sched::LayerOptions options = sched::layer_options(request, {op.id});
  LayerFront front;
  for (std::size_t i = 0; i < options.classes.ops.size(); ++i) {
    if (options.classes.ops[i] != op.id) continue;
    const std::size_t c = options.classes.class_of[i];
    for (std::size_t choice = 0; choice < options.fronts[c].size(); ++choice) {
      front.groups.push_back(options.group(files.network, i, choice));
      front.figures.push_back(options.fronts[c][choice].figure);
    }
    front.mapspace_log10 = std::log10(options.spaces[c]);
  }
  front.candidates = options.candidates;
  return front;
}

Json question_of(const Inputs& files, const model::Operator& op) {
  return {{"rules", "machine"},   {"arch", files.arch_json}, {"net", files.net_json},
          {"batch", files.batch}, {"layer", op.name},        {"program", build_identity()}};
}

std::optional<LayerFront> read_front(const Inputs& files, const sched::CostModel& cost, const Json& question,
                                     const std::string& file) {
  const Json entry = model::read_json_file(file);
  model::require_schema(entry, kCacheSchema, file);
  if (entry.at("question") != question) return std::nullopt;
  LayerFront front;
  for (const Json& each : entry.at("points")) {
    front.groups.push_back(group_of(files, each.at("mapping"), file));
    const sched::Prediction p = cost.predict(files.network, front.groups.back());
    front.figures.push_back(sched::figure_of(p, front.groups.back()));
    if (p.cycles != each.at("cycles").get<double>() || p.total_energy_pj() != each.at("energy_pj").get<double>()) {
      return std::nullopt;
    }
  }
  if (front.groups.empty()) return std::nullopt;
  front.mapspace_log10 = entry.at("mapspace_log10").get<double>();
  front.candidates = entry.at("candidates").get<std::int64_t>();
  return front;
}

struct CachedFront {
  LayerFront front;
  bool hit = false;
};

CachedFront front_of(const Inputs& files, const sched::CostModel& cost, const model::Operator& op,
                     const std::string& folder, const CommandContext& context) {
  const int threads = job_count(context.common);
  if (folder.empty()) return {search_front(files, cost, op, threads), false};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    throw model::ConfigError("", "--cache", "\"" + folder + "\" is no folder and cannot be made one");
  }
  const Json question = question_of(files, op);
  const std::string file = (std::filesystem::path(folder) / (digest(question.dump()) + ".json")).string();
  if (std::filesystem::exists(file)) {
    std::string why = "of something else";
    try {
      if (auto front = read_front(files, cost, question, file)) return {std::move(*front), true};
    } catch (const model::ConfigError& broken) {
      why = broken.what();
    } catch (const model::InternalError& broken) {
      why = broken.what();
    } catch (const Json::exception& broken) {
      why = broken.what();
    } catch (const std::out_of_range& broken) {
      why = broken.what();
    }
    context.log->warn("{} is not used and written anew: {}", file, why);
  }
  CachedFront out{search_front(files, cost, op, threads), false};
  Json points = Json::array();
  for (std::size_t i = 0; i < out.front.groups.size(); ++i) {
    const sched::Prediction p = cost.predict(files.network, out.front.groups[i]);
    points.push_back({{"cycles", p.cycles},
                      {"energy_pj", p.total_energy_pj()},
                      {"mapping", group_json(files, out.front.groups[i])}});
  }
  model::write_json_file(file, {{"schema", kCacheSchema},
                                {"question", question},
                                {"points", std::move(points)},
                                {"mapspace_log10", out.front.mapspace_log10},
                                {"candidates", out.front.candidates}});
  return out;
}

// Against the best with another split or other cores.
Json explain_json(const Inputs& files, const sched::CostModel& cost, const LayerFront& front, std::size_t best,
                  sched::Objective objective) {
  std::optional<std::size_t> other;
  for (std::size_t i = 0; i < front.groups.size(); ++i) {
    const model::Group &a = front.groups[i], &b = front.groups[best];
    if (a.split == b.split && a.cores == b.cores) continue;
    if (!other || value_of(front.figures[i], objective) < value_of(front.figures[*other], objective)) other = i;
  }
  if (!other) return nullptr;
  const sched::Prediction x = cost.predict(files.network, front.groups[best]),
                          y = cost.predict(files.network, front.groups[*other]);
  Json energy = Json::object();
  for (std::size_t b = 0; b < model::kEnergyBlocks; ++b) {
    energy[std::string(model::name_of(static_cast<model::EnergyBlock>(b)))] = y.energy_pj[b] - x.energy_pj[b];
  }
  return {{"runner_up", group_json(files, front.groups[*other])},
          {"runner_up_cycles", y.cycles},
          {"runner_up_energy_pj", y.total_energy_pj()},
          {"cycles_saved", y.cycles - x.cycles},
          {"energy_saved_pj", std::move(energy)},
          {"busy_cycles_saved",
           {{"array", y.array - x.array},
            {"vector", y.vector - x.vector},
            {"load", y.load - x.load},
            {"store", y.store - x.store}}},
          {"bound_by", x.bound_by}};
}

void print_explanation(const Json& explain) {
  if (explain.is_null()) {
    std::cout << "\nno other division of the work is worth having: each is beaten in cycles and energy\n";
    return;
  }
  const Json& other = explain.at("runner_up");
  std::cout << "\nrunner-up: split " << other.at("split").get<std::string>() << " over " << other.at("cores").size()
            << " cores: " << fixed(explain.at("runner_up_cycles").get<double>(), 0) << " cycles, "
            << fixed(explain.at("runner_up_energy_pj").get<double>(), 0) << " pJ\n";
  for (const char* part : {"busy_cycles_saved", "energy_saved_pj"}) {
    for (const auto& [name, saved] : explain.at(part).items()) {
      const auto value = saved.get<double>();
      if (value == 0) continue;
      std::cout << "  " << name << ": the winner takes " << fixed(std::abs(value), 0)
                << (std::string(part) == "energy_saved_pj" ? " pJ " : " busy cycles ") << (value < 0 ? "more" : "less")
                << "\n";
    }
  }
}

// Everything but the figures that one layer's result has.
Json head_of(const Inputs& files, const MachineMapOptions& options) {
  return {{"schema", "accsim-map-result/1"},
          {"arch", files.arch.name},
          {"net", files.network.name},
          {"rules", "machine"},
          {"tilings", "imperfect"},
          {"objective", options.pareto ? "pareto" : std::string(sched::name_of(options.objective))}};
}

void add_certificate(Json& row, const LayerFront& front, double value, bool pareto) {
  row["mapspace_log10"] = front.mapspace_log10;
  row["pruned_log10"] = {
      {"mappings_that_fit", std::log10(std::max(1.0, static_cast<double>(front.candidates)))},
      {"worth_having", std::log10(static_cast<double>(std::max<std::size_t>(front.groups.size(), 1)))}};
  row["evaluated"] = front.candidates;
  if (pareto) return;
  row["lower_bound"] = value;
  row["gap_pct"] = 0;
}

model::Json map_given(const Inputs& files, const MachineMapOptions& options, const CommandContext& context,
                      const sched::CostModel& cost) {
  Json json = model::read_json_file(options.mapping);
  if (json.is_object() && json.contains("mapping")) json = json.at("mapping");  // of a result
  model::Group group = group_of(files, std::move(json), options.mapping);
  if (group.layers != std::vector<std::string>{options.layer}) {
    throw model::ConfigError(options.mapping, "layers", "expected the layer \"" + options.layer + "\" alone");
  }
  // The verifier looks at whole schedules: all other layers as the baseline has them.
  SearchSettings settings;
  settings.threads = job_count(context.common);
  model::Schedule whole = search_schedule(files, settings).schedule;
  for (model::Group& each : whole.groups) {
    if (each.layers != group.layers) continue;
    group.id = each.id;
    each = group;
  }
  require_valid(files, whole, options.mapping);
  Json result = head_of(files, options);
  result.erase("objective");
  result["layer"] = options.layer;
  result.update(point_json(files, cost, group));
  if (!context.common.quiet) print_point(files, result, group);
  return result;
}

}  // namespace

Json map_machine(const Inputs& files, const MachineMapOptions& options, const CommandContext& context,
                 double& seconds) {
  const sched::CostModel cost(files.arch);
  if (!options.mapping.empty()) return map_given(files, options, context, cost);
  const bool print = !context.common.quiet;
  const sched::OperatorClasses classes = sched::operator_classes(files.network);
  const auto search = [&](const model::Operator& op, Json& host) {
    const double before = process_cpu_seconds();
    CachedFront found = front_of(files, cost, op, options.cache, context);
    if (!options.cache.empty()) host["cache"] = found.hit ? "hit" : "miss";
    return std::pair(std::move(found.front), process_cpu_seconds() - before);
  };
  Json result = head_of(files, options);
  result["host"] = Json::object();
  if (!options.layer.empty()) {
    for (const model::OpId id : classes.ops) {
      const model::Operator& op = files.network.op(id);
      if (op.name != options.layer) continue;
      const auto [front, own] = search(op, result["host"]);
      seconds += own;
      const std::size_t best = best_of(front, options.objective);
      result["layer"] = op.name;
      add_certificate(result, front, value_of(front.figures[best], options.objective), options.pareto);
      if (options.pareto) {
        Table table;
        for (const char* title : {"cycles", "energy pJ", "cores"}) table.column(title);
        table.column("split", Table::Align::left);
        result["pareto"] = Json::array();
        for (std::size_t i = 0; i < front.groups.size(); ++i) {
          result["pareto"].push_back(point_json(files, cost, front.groups[i]));
          table.row({fixed(front.figures[i].cycles, 0), fixed(front.figures[i].energy, 0),
                     std::to_string(front.groups[i].cores.size()), front.groups[i].split});
        }
        if (print) table.print(std::cout);
        return result;
      }
      result.update(point_json(files, cost, front.groups[best]));
      if (print) {
        print_point(files, result, front.groups[best]);
        std::cout << "mapspace 10^" << fixed(front.mapspace_log10, 1) << ", " << grouped(front.candidates)
                  << " mappings looked at, " << front.groups.size() << " worth having; the best under the cost model\n";
      }
      if (options.explain) {
        result["explain"] = explain_json(files, cost, front, best, options.objective);
        if (print) print_explanation(result["explain"]);
      }
      return result;
    }
    throw model::ConfigError("", "--layer", "\"" + options.layer + "\" moves no data");
  }
  result["layers"] = Json::array();
  Table table;
  table.column("layer", Table::Align::left);
  for (const char* title : {"cores", "cycles", "energy pJ", "DRAM read B", "DRAM written B", "evaluated", "s"})
    table.column(title);
  table.column("bound by", Table::Align::left);
  std::map<std::size_t, std::size_t> known;  // by class
  double cycles = 0, energy = 0;
  for (std::size_t i = 0; i < classes.ops.size(); ++i) {
    const model::Operator& op = files.network.op(classes.ops[i]);
    Json row = {{"layer", op.name}, {"op", model::name_of(op.type)}};
    const auto [same, fresh] = known.emplace(classes.class_of[i], i);
    double own = 0;
    if (fresh) {
      const auto [front, taken] = search(op, row["host"]);
      own = taken;
      row.erase("host");
      const std::size_t best = best_of(front, options.objective);
      add_certificate(row, front, value_of(front.figures[best], options.objective), false);
      row.update(point_json(files, cost, front.groups[best]));
    } else {
      const Json& first = result["layers"][same->second];
      row["same_as"] = first.at("layer");
      for (const char* key : {"energy_pj", "cycles", "edp_pj_cycles", "bound_by", "accesses", "mapping"})
        row[key] = first.at(key);
      row["mapping"]["layers"] = {op.name};
      row["mapping"]["mappings"][0]["layer"] = op.name;
    }
    seconds += own;
    cycles += row.at("cycles").get<double>();
    energy += row.at("energy_pj").get<double>();
    std::int64_t read = 0, written = 0;
    for (const auto& [tensor, bytes] : row.at("accesses").at("DRAM").items()) {
      read += bytes.at("read_bytes").get<std::int64_t>();
      written += bytes.at("written_bytes").get<std::int64_t>();
    }
    table.row({op.name, std::to_string(row.at("mapping").at("cores").size()), fixed(row.at("cycles").get<double>(), 0),
               fixed(row.at("energy_pj").get<double>(), 0), grouped(read), grouped(written),
               fresh ? grouped(row.at("evaluated").get<std::int64_t>()) : "as " + row.at("same_as").get<std::string>(),
               fresh ? fixed(own, 3) : "", row.at("bound_by").get<std::string>()});
    result["layers"].push_back(std::move(row));
  }
  result["cycles"] = cycles;
  result["energy_pj"] = energy;
  if (print) {
    table.print(std::cout);
    std::cout << "sum: " << fixed(cycles, 0) << " cycles, " << fixed(energy, 0) << " pJ; " << known.size()
              << " different layers searched in " << fixed(seconds, 2) << " CPU seconds\n";
  }
  return result;
}

}  // namespace accsim::app
