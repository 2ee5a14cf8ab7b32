#include "sched/strategy/oracle.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "model/base/error.h"
#include "model/workload/network_part.h"
#include "sched/strategy/block_ways.h"
#include "sched/strategy/operator_divisions.h"
#include "sched/strategy/ranked_cuts.h"

namespace accsim::sched {

using namespace model;

namespace {

// A block on a core count, measured once for all blocks that look the same.
struct Trial {
  std::size_t first = 0, last = 0;
  std::size_t cores = 1;
  std::optional<BlockWay> way;
};

Figure figure_of(const Measurement& measurement) {
  constexpr double kFemto = 1000;
  return {static_cast<double>(measurement.cycles.value()),
          static_cast<double>(measurement.energy.total().value()) / kFemto};
}

class OracleSearch {
 public:
  explicit OracleSearch(const SearchRequest& request)
      : request_(request),
        network_(*request.network),
        classes_(operator_classes(network_)),
        cores_(cores_by_size(*request.arch)),
        counts_(core_counts(*request.arch)) {}

  SearchResult run() {
    list_blocks();
    find_ways();
    measure_blocks();
    return best_schedule();
  }

 private:
  [[nodiscard]] std::vector<OpId> ops_of(std::size_t first, std::size_t last) const {
    return {classes_.ops.begin() + static_cast<std::ptrdiff_t>(first),
            classes_.ops.begin() + static_cast<std::ptrdiff_t>(last) + 1};
  }

  void list_blocks() {
    std::map<std::vector<std::int64_t>, std::size_t> known;  // signature -> index of the first trial
    for (std::size_t first = 0; first < classes_.ops.size(); ++first) {
      for (std::size_t last = first; last < std::min(classes_.ops.size(), first + Oracle::kMostOperators); ++last) {
        if (!can_be_block(network_, ops_of(first, last))) continue;
        const auto [it, is_new] = known.try_emplace(block_signature(network_, classes_, first, last), trials_.size());
        if (is_new)
          for (const std::size_t n : counts_) trials_.push_back({first, last, n, {}});
        segments_.push_back({first, last, {}});
        trials_of_.push_back(it->second);
      }
    }
    if (trials_.size() > Oracle::kMostTrials) {
      throw ConfigError("strategy oracle: network \"" + network_.name + "\" on \"" + request_.arch->name + "\" has " +
                        std::to_string(trials_.size()) + " blocks times core counts to measure, at most " +
                        std::to_string(Oracle::kMostTrials) + " are taken on: give it a part of the network");
    }
  }

  void find_ways() {
    std::vector<std::int64_t> candidates(trials_.size(), 0);
    for_each_parallel(trials_.size(), request_.threads, [&](std::size_t t) {
      Trial& trial = trials_[t];
      try {
        trial.way = best_block_way(network_, ops_of(trial.first, trial.last), *request_.cost, cores_, trial.cores,
                                   request_.objective, candidates[t]);
      } catch (const InfeasibleError&) {
        if (trial.cores == counts_.back()) throw;  // an operator that fits nowhere
      }
    });
    for (const std::int64_t n : candidates) result_.candidates += n;
    // Where there is not work for all cores, a block may run as on fewer.
    std::set<std::string> seen;
    for (Trial& trial : trials_)
      if (trial.way && !seen.insert(to_json(schedule_alone(trial)).dump()).second) trial.way.reset();
  }

  [[nodiscard]] Schedule schedule_alone(const Trial& trial) const {
    Schedule schedule;
    schedule.arch = request_.arch->name;
    schedule.groups = {trial.way->group};
    schedule.groups.front().id = GroupId(0);
    return schedule;
  }

  void measure_blocks() {
    std::vector<MeasureJob> jobs;
    std::vector<std::size_t> of;
    for (std::size_t t = 0; t < trials_.size(); ++t) {
      if (!trials_[t].way) continue;
      const std::string name =
          network_.name + " operators " + std::to_string(trials_[t].first) + " to " + std::to_string(trials_[t].last);
      auto net = std::make_shared<const Json>(
          network_part(network_, *request_.network_file, ops_of(trials_[t].first, trials_[t].last), name));
      Schedule schedule = schedule_alone(trials_[t]);
      schedule.net = name;
      jobs.push_back({std::move(schedule), std::move(net)});
      of.push_back(t);
    }
    const std::vector<Measurement> measured = request_.measurer->measure(jobs);
    std::vector<std::optional<Figure>> figures(trials_.size());
    for (std::size_t j = 0; j < measured.size(); ++j) figures[of[j]] = figure_of(measured[j]);
    for (std::size_t s = 0; s < segments_.size(); ++s) {
      ways_of_.emplace_back();
      for (std::size_t c = 0; c < counts_.size(); ++c) {
        const std::size_t t = trials_of_[s] + c;
        if (!figures[t]) continue;
        segments_[s].ways.push_back(*figures[t]);
        ways_of_.back().push_back(t);
      }
    }
  }

  [[nodiscard]] Schedule schedule_of(const std::vector<Cut>& cuts) const {
    Schedule schedule;
    schedule.arch = request_.arch->name;
    schedule.net = network_.name;
    schedule.strategy = "oracle";
    schedule.objective = std::string(name_of(request_.objective));
    schedule.batch = request_.batch;
    for (const Cut& cut : cuts) {
      const Segment& segment = segments_[cut.segment];
      Group group = trials_[ways_of_[cut.segment][cut.way]].way->group;
      rename_layers(group, network_, ops_of(segment.first, segment.last));
      group.id = GroupId(static_cast<std::int32_t>(schedule.groups.size()));
      schedule.groups.push_back(std::move(group));
    }
    return schedule;
  }

  // What to rank whole schedules by: for EDP the weighting under which the best product is the best sum.
  [[nodiscard]] Figure weighting() const {
    if (request_.objective == Objective::latency) return {1, 0};
    if (request_.objective == Objective::energy) return {0, 1};
    Figure sum;
    for (const Cut& cut : best_cuts(classes_.ops.size(), segments_, Objective::edp)) {
      sum.cycles += segments_[cut.segment].ways[cut.way].cycles;
      sum.energy += segments_[cut.segment].ways[cut.way].energy;
    }
    return {sum.energy, sum.cycles};
  }

  SearchResult best_schedule() {
    const std::int64_t space = count_cuts(classes_.ops.size(), segments_, Oracle::kAllSchedules);
    const bool all = space <= Oracle::kAllSchedules;
    const std::vector<RankedCut> ranked =
        ranked_cuts(classes_.ops.size(), segments_, weighting(),
                    all ? static_cast<std::size_t>(Oracle::kAllSchedules) : Oracle::kMeasured);
    std::vector<Schedule> schedules;
    schedules.reserve(ranked.size());
    for (const RankedCut& cut : ranked) schedules.push_back(schedule_of(cut.cuts));
    const std::vector<Measurement> measured = request_.measurer->measure_schedules(schedules);
    std::size_t best = 0;
    for (std::size_t i = 1; i < measured.size(); ++i) {
      const auto value = [&](std::size_t m) { return value_of(figure_of(measured[m]), request_.objective); };
      if (value(i) < value(best)) best = i;
    }
    result_.schedule = std::move(schedules[best]);
    for (const Group& group : result_.schedule.groups)
      result_.groups.push_back(request_.cost->predict(network_, group));
    result_.mapspace_log10 = std::log10(static_cast<double>(std::max<std::int64_t>(space, 1)));
    return std::move(result_);
  }

  const SearchRequest& request_;
  const Network& network_;
  OperatorClasses classes_;
  std::vector<std::int64_t> cores_;
  std::vector<std::size_t> counts_;
  std::vector<Trial> trials_;  // of a block all core counts in a row
  std::vector<Segment> segments_;
  std::vector<std::size_t> trials_of_;             // by segment: its first trial
  std::vector<std::vector<std::size_t>> ways_of_;  // by segment and way: the trial
  SearchResult result_;
};

}  // namespace

SearchResult Oracle::search(const SearchRequest& request) const {
  if (request.measurer == nullptr || request.network_file == nullptr) {
    throw ConfigError("strategy oracle measures: it cannot be used where nothing is measured");
  }
  return OracleSearch(request).run();
}

}  // namespace accsim::sched
