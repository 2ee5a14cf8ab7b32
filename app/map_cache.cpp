#include "app/map_cache.h"

#include <filesystem>
#include <optional>

#include "app/digest.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

using model::Json;

constexpr char kSchema[] = "accsim-map-cache/1";

// Everything that decides the result.
Json question_of(const sched::MapHierarchy& hierarchy, const sched::MapProblem& problem, const sched::KeepRules& rules,
                 const sched::MapSearchOptions& options) {
  Json constraints = Json::array();
  for (const sched::LevelConstraints& level : options.constraints.levels) {
    constraints.push_back({{"loops", level.factor},
                           {"max_loops", level.most_factor},
                           {"split", level.split},
                           {"max_split", level.most_split},
                           {"max_fanout", level.most_instances},
                           {"axes", level.axis_dims},
                           {"inside", level.inside}});
  }
  return {{"hierarchy", sched::hierarchy_json(hierarchy)},
          {"problem", sched::problem_json(problem)},
          {"must_keep", rules.must},
          {"may_keep", rules.may},
          {"constraints", std::move(constraints)},
          {"objective", static_cast<int>(options.objective)},
          {"pareto", options.pareto},
          {"pareto_words", options.pareto_words},
          {"imperfect", options.imperfect},
          {"without", options.without},
          {"program", build_identity()}};
}

Json entry_of(const Json& question, const sched::MapHierarchy& hierarchy, const sched::MapProblem& problem,
              const sched::MapSearchResult& result) {
  const sched::Certificate& c = result.certificate;
  Json points = Json::array();
  for (const sched::MapPoint& p : result.points) {
    points.push_back({{"energy_pj", p.evaluation.energy_pj},
                      {"cycles", p.evaluation.cycles},
                      {"mapping", sched::mapping_json(hierarchy, problem, p.mapping)}});
  }
  Json pruned = Json::array();
  for (const auto& [step, log] : c.pruned_log10) pruned.push_back({{"step", step}, {"log10", log}});
  return {{"schema", kSchema},
          {"question", question},
          {"points", std::move(points)},
          {"certificate",
           {{"raw_log10", c.raw_log10},
            {"pruned", std::move(pruned)},
            {"evaluated", c.evaluated},
            {"root_bound", c.root_bound},
            {"lower_bound", c.lower_bound}}}};
}

// What the file says, where it is an answer to the question.
std::optional<sched::MapSearchResult> read_entry(const Json& question, const sched::MapHierarchy& hierarchy,
                                                 const sched::MapProblem& problem, const sched::KeepRules& rules,
                                                 const sched::MapSearchOptions& options, const std::string& file) {
  const Json entry = model::read_json_file(file);
  model::require_schema(entry, kSchema, file);
  if (entry.at("question") != question) return std::nullopt;
  sched::MapSearchResult result;
  for (const Json& each : entry.at("points")) {
    sched::MapPoint point;
    point.mapping = sched::parse_mapping(each.at("mapping"), hierarchy, problem, file);
    sched::check_mapping(hierarchy, problem, rules, point.mapping, {file, "points"});
    point.evaluation = sched::evaluate(hierarchy, problem, rules, point.mapping);
    if (point.evaluation.energy_pj != each.at("energy_pj").get<double>() ||
        point.evaluation.cycles != each.at("cycles").get<double>() ||
        !sched::satisfies(options.constraints, point.mapping)) {
      return std::nullopt;
    }
    result.points.push_back(std::move(point));
  }
  if (result.points.empty()) return std::nullopt;
  const Json& certificate = entry.at("certificate");
  sched::Certificate& c = result.certificate;
  c.raw_log10 = certificate.at("raw_log10").get<double>();
  c.evaluated = certificate.at("evaluated").get<std::int64_t>();
  c.root_bound = certificate.at("root_bound").get<double>();
  c.lower_bound = certificate.at("lower_bound").get<double>();
  for (const Json& step : certificate.at("pruned")) {
    c.pruned_log10.emplace_back(step.at("step").get<std::string>(), step.at("log10").get<double>());
  }
  return result;
}

}  // namespace

CachedSearch search_mapping_cached(const sched::MapHierarchy& hierarchy, const sched::MapProblem& problem,
                                   const sched::KeepRules& rules, const sched::MapSearchOptions& options,
                                   const std::string& folder, const CommandContext& context) {
  if (folder.empty()) return {sched::search_mapping(hierarchy, problem, rules, options), false};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    throw model::ConfigError("", "--cache", "\"" + folder + "\" is no folder and cannot be made one");
  }
  const Json question = question_of(hierarchy, problem, rules, options);
  const std::string file = (std::filesystem::path(folder) / (digest(question.dump()) + ".json")).string();
  if (std::filesystem::exists(file)) {
    std::string why = "of something else";
    try {
      if (auto found = read_entry(question, hierarchy, problem, rules, options, file)) return {std::move(*found), true};
    } catch (const model::ConfigError& broken) {
      why = broken.what();
    } catch (const Json::exception& broken) {
      why = broken.what();
    }
    context.log->warn("{} is not used and written anew: {}", file, why);
  }
  CachedSearch out{sched::search_mapping(hierarchy, problem, rules, options), false};
  model::write_json_file(file, entry_of(question, hierarchy, problem, out.result));
  return out;
}

}  // namespace accsim::app
