#include "sched/strategy/joint.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "model/base/error.h"
#include "model/schedule/chip_homes.h"
#include "model/schedule/fused_group.h"
#include "model/schedule/tiling.h"
#include "sched/fusion/fused_candidates.h"
#include "sched/strategy/block_ways.h"
#include "sched/strategy/home_cuts.h"
#include "sched/strategy/operator_divisions.h"

namespace accsim::sched {

using namespace model;

namespace {

constexpr std::int64_t kBufferShare = 2;  // of a scratchpad, where tensors live there: one half
constexpr std::int64_t kWhole = 100;      // percent
constexpr std::size_t kMostInputs = 3;    // of a group, that have a home of their own choice

// Ways to run groups that look the same.
struct Choices {
  std::vector<OpId> ops;         // of one of them
  std::vector<TensorId> inputs;  // storage roots that operators before compute, in the order of their first use
  std::vector<Group> groups;
  std::vector<std::int64_t> spare;                 // by group
  std::vector<std::vector<HomedWay>> ways;         // by code
  std::vector<std::vector<std::size_t>> group_of;  // of each of these ways
};

struct Run {
  std::size_t first = 0, last = 0;  // operators
  std::size_t choices = 0;          // index
};

class JointSearch {
 public:
  explicit JointSearch(const SearchRequest& request)
      : request_(request),
        network_(*request.network),
        arch_(*request.arch),
        cores_(cores_by_size(arch_)),
        classes_(operator_classes(network_)) {
    homes_ = {Home::dram, Home::scratchpad};
    if (arch_.global_buffer) homes_.push_back(Home::global_buffer);
  }

  SearchResult run() {
    find_tensors();
    find_runs();
    search_choices();
    price_choices();
    for (const std::int64_t room : {kWhole, kWhole * 3 / 4, kWhole / 2, std::int64_t{0}}) {
      SearchResult found = choose(room);
      if (!verify_schedule(found.schedule, network_, arch_)) return found;
    }
    throw InternalError("joint: no valid schedule");
  }

 private:
  // Tensors that may stay on the chip: computed by an operator and read by later ones only.
  void find_tensors() {
    std::map<OpId, std::size_t> position;
    for (std::size_t i = 0; i < classes_.ops.size(); ++i) position.emplace(classes_.ops[i], i);
    struct Stay {
      TensorId root;
      HomedTensor tensor;
    };
    std::vector<Stay> stays;
    for (const Tensor& root : network_.tensors) {
      if (root.storage != root.id || !root.producer.valid() || !position.contains(root.producer)) continue;
      if (network_.op(root.producer).outputs.size() != 1) continue;
      HomedTensor tensor;
      tensor.made = tensor.last = position.at(root.producer);
      bool possible = true;
      for (const Tensor& view : network_.tensors) {
        if (view.storage != root.id) continue;
        possible = possible && !view.network_output;
        for (const OpId op : view.consumers) {
          if (position.contains(op)) tensor.last = std::max(tensor.last, position.at(op));
          if (network_.op(op).type == OpType::gather && network_.op(op).inputs.front() == view.id) possible = false;
        }
      }
      if (!possible || tensor.last == tensor.made) continue;
      constexpr std::int64_t kAlignment = 64;
      const std::int64_t piece = home_pieces(root, arch_.core_count()).front().bytes;
      tensor.scratchpad_bytes = ceil_div(piece, kAlignment) * kAlignment;
      tensor.buffer_bytes = ceil_div(network_.bytes_of(root.id).value(), kAlignment) * kAlignment;
      stays.push_back({root.id, tensor});
    }
    std::stable_sort(stays.begin(), stays.end(), [](const Stay& a, const Stay& b) {
      return a.tensor.last - a.tensor.made < b.tensor.last - b.tensor.made;
    });
    std::vector<std::size_t> alive(classes_.ops.size() + 1, 0);
    for (const Stay& stay : stays) {
      const auto first = alive.begin() + static_cast<std::ptrdiff_t>(stay.tensor.made) + 1;
      const auto last = alive.begin() + static_cast<std::ptrdiff_t>(stay.tensor.last) + 1;
      if (std::any_of(first, last, [](std::size_t n) { return n >= Joint::kMostAlive; })) continue;
      std::for_each(first, last, [](std::size_t& n) { ++n; });
      tensor_of_.emplace(stay.root, tensors_.size());
      tensors_.push_back(stay.tensor);
    }
  }

  [[nodiscard]] std::vector<OpId> ops_of(std::size_t first, std::size_t last) const {
    return {classes_.ops.begin() + static_cast<std::ptrdiff_t>(first),
            classes_.ops.begin() + static_cast<std::ptrdiff_t>(last) + 1};
  }

  void find_runs() {
    std::map<std::vector<std::int64_t>, std::size_t> known;
    const auto complex = [&](std::size_t i) {
      const OpType type = network_.op(classes_.ops[i]).type;
      return type == OpType::conv || type == OpType::gemm || type == OpType::matmul;
    };
    for (std::size_t first = 0; first < classes_.ops.size(); ++first) {
      std::size_t products = 0;
      for (std::size_t last = first; last < std::min(classes_.ops.size(), first + Joint::kMostOperators); ++last) {
        if (complex(last) && ++products > Joint::kMostComplex) break;
        const std::vector<OpId> ops = ops_of(first, last);
        if (last > first && (products == 0 || !can_be_block(network_, ops))) continue;
        std::vector<std::int64_t> signature = block_signature(network_, classes_, first, last);
        for (const TensorId root : inputs_of(ops)) signature.push_back(tensor_of_.contains(root) ? 1 : 0);
        signature.push_back(result_of(ops.back()) ? 1 : 0);
        const auto [found, is_new] = known.try_emplace(std::move(signature), choices_.size());
        if (is_new) {
          choices_.emplace_back();
          choices_.back().ops = ops;
          choices_.back().inputs = inputs_of(ops);
        }
        runs_.push_back({first, last, found->second});
      }
    }
  }

  // Storage roots that a group reads and operators before it compute.
  [[nodiscard]] std::vector<TensorId> inputs_of(const std::vector<OpId>& ops) const {
    std::set<TensorId> made;
    std::vector<TensorId> inputs;
    for (const OpId op : ops) {
      for (const TensorId input : network_.op(op).inputs) {
        const TensorId root = network_.tensor(input).storage;
        if (made.contains(root) || !network_.tensor(root).producer.valid()) continue;
        if (std::find(inputs.begin(), inputs.end(), root) == inputs.end()) inputs.push_back(root);
      }
      for (const TensorId output : network_.op(op).outputs) made.insert(network_.tensor(output).storage);
    }
    return inputs;
  }
  [[nodiscard]] std::optional<std::size_t> result_of(OpId op) const {
    const auto found = tensor_of_.find(network_.tensor(network_.op(op).outputs.front()).storage);
    if (found == tensor_of_.end()) return std::nullopt;
    return found->second;
  }

  // Every tensor that may stay on the chip at this home.
  [[nodiscard]] TensorHomes all_at(Home home) const {
    TensorHomes homes;
    for (const auto& [root, index] : tensor_of_) homes.emplace(root, home_of(network_.tensor(root), home, arch_));
    return homes;
  }

  // What one search found.
  struct Found {
    std::vector<Group> groups;
    std::vector<Figure> figures;
    std::vector<std::int64_t> footprints, spare;
    std::int64_t candidates = 0;
  };
  void add(const DivisionResult& result, OpId op, Found& found) const {
    found.candidates += result.candidates;
    for (std::size_t m = 0; m < result.mappings.size(); ++m) {
      const DividedMapping& mapping = result.mappings[m];
      Group group;
      group.layers = {network_.op(op).name};
      group.cores = mapping.cores;
      group.split = mapping.split;
      group.mappings = {mapping.mapping};
      group.mappings.front().layer = group.layers.front();
      found.groups.push_back(std::move(group));
      found.figures.push_back(result.figures[m]);
      found.footprints.push_back(result.footprints[m]);
      found.spare.push_back(result.spare[m]);
    }
  }

  void search_choices() {
    std::int64_t scratchpad = INT64_MAX;
    for (const CoreConfig& core : arch_.core_types) scratchpad = std::min(scratchpad, core.scratchpad.size().value());
    const std::array<Placement, 2> placements{Placement{},
                                              Placement{all_at(Home::scratchpad), scratchpad / kBufferShare}};
    struct Task {
      std::size_t choices;
      std::size_t placement;
      std::optional<Division> division;  // none: fused
    };
    std::vector<Task> tasks;
    for (std::size_t c = 0; c < choices_.size(); ++c) {
      for (std::size_t p = 0; p < placements.size(); ++p) {
        if (choices_[c].ops.size() > 1) {
          tasks.push_back({c, p, {}});
          continue;
        }
        for (const Division& division : divisions_of(arch_, network_, choices_[c].ops.front(), cores_)) {
          const bool input = !division.multicast.empty() && division.multicast.front() == "input";
          if (p == 0 || !input) tasks.push_back({c, p, division});
        }
      }
    }
    std::vector<Found> results(tasks.size());
    for_each_parallel(tasks.size(), request_.threads, [&](std::size_t i) {
      const Task& task = tasks[i];
      Found& found = results[i];
      const std::vector<OpId>& ops = choices_[task.choices].ops;
      const Placement& placement = placements[task.placement];
      if (!task.division) {
        std::vector<std::string> layers;
        for (const OpId op : ops) layers.push_back(network_.op(op).name);
        const FusedOptions options = fused_options(layers, network_, *request_.cost, cores_, placement);
        found.candidates = options.candidates;
        for (const FusedOption& option : options.front) {
          found.groups.push_back(option.group);
          found.figures.push_back(option.figure);
          found.footprints.push_back(option.footprint);
          found.spare.push_back(option.spare);
        }
        return;
      }
      add(search_one(ops.front(), *task.division, placement, task.placement > 0, TileGrid::halves), ops.front(), found);
    });
    // Where none of the few tiles fits on an operator's cores, all are tried.
    std::vector<bool> found(choices_.size(), false);
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (!results[i].groups.empty()) found[tasks[i].choices] = true;
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (!found[tasks[i].choices] && tasks[i].division && tasks[i].placement == 0)
        add(search_one(choices_[tasks[i].choices].ops.front(), *tasks[i].division, placements[0], false, TileGrid::all),
            choices_[tasks[i].choices].ops.front(), results[i]);
    // Of each placement the corners of the Pareto set.
    struct Candidate {
      const Group* group;
      std::int64_t spare;
    };
    std::map<std::pair<std::size_t, std::size_t>, ParetoSet<Candidate>> sets;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      candidates_ += results[i].candidates;
      for (std::size_t m = 0; m < results[i].groups.size(); ++m)
        sets[{tasks[i].choices, tasks[i].placement}].insert(results[i].figures[m], results[i].footprints[m],
                                                            {&results[i].groups[m], results[i].spare[m]});
    }
    for (const auto& [key, set] : sets) {
      std::vector<Figure> figures;
      for (const auto& entry : set.entries()) figures.push_back(entry.figure);
      for (const std::size_t corner : hull_corners(figures)) {
        const Candidate& candidate = set.entries()[corner].candidate;
        choices_[key.first].groups.push_back(*candidate.group);
        choices_[key.first].spare.push_back(candidate.spare);
      }
    }
  }

  // Beside tensors on the chip there may be no room even for the smallest tiles.
  DivisionResult search_one(OpId op, const Division& division, const Placement& placement, bool may_fail,
                            TileGrid grid) const {
    try {
      return search_division(network_, op, *request_.cost, cores_, division, grid, placement);
    } catch (const InfeasibleError&) {
      if (!may_fail) throw;
      return {};
    }
  }

  // Inputs of a group with a digit in the codes.
  [[nodiscard]] std::vector<TensorId> coded_inputs(const std::vector<TensorId>& inputs) const {
    std::vector<TensorId> coded;
    for (const TensorId root : inputs)
      if (tensor_of_.contains(root)) coded.push_back(root);
    return coded;
  }

  void price_choices() {
    std::vector<std::pair<std::size_t, std::size_t>> tasks;  // choices, code
    for (std::size_t c = 0; c < choices_.size(); ++c) {
      Choices& choices = choices_[c];
      std::size_t digits = coded_inputs(choices.inputs).size();
      if (result_of(choices.ops.back())) ++digits;
      std::size_t codes = 1;
      for (std::size_t d = 0; d < digits; ++d) codes *= homes_.size();
      choices.ways.resize(codes);
      choices.group_of.resize(codes);
      for (std::size_t code = 0; code < codes; ++code)
        if (worth_pricing(code, digits)) tasks.emplace_back(c, code);
    }
    for_each_parallel(tasks.size(), request_.threads,
                      [&](std::size_t i) { price(choices_[tasks[i].first], tasks[i].second); });
  }

  // Of groups with many inputs only those codes where no two inputs have different homes on the chip.
  [[nodiscard]] bool worth_pricing(std::size_t code, std::size_t digits) const {
    if (digits <= kMostInputs + 1) return true;
    std::set<std::size_t> on_chip;
    for (std::size_t d = 0; d < digits; ++d) {
      if (code % homes_.size() > 0) on_chip.insert(code % homes_.size());
      code /= homes_.size();
    }
    return on_chip.size() <= 1;
  }

  void price(Choices& choices, std::size_t code) {
    TensorHomes homes;
    std::set<TensorId> in_scratchpads;
    std::size_t rest = code;
    const auto set = [&](TensorId root) {
      const Home home = homes_[rest % homes_.size()];
      rest /= homes_.size();
      if (home == Home::dram) return;
      homes[root] = home_of(network_.tensor(root), home, arch_);
      if (home == Home::scratchpad) in_scratchpads.insert(root);
    };
    for (const TensorId root : coded_inputs(choices.inputs)) set(root);
    if (result_of(choices.ops.back())) set(network_.tensor(network_.op(choices.ops.back()).outputs.front()).storage);
    for (std::size_t g = 0; g < choices.groups.size(); ++g) {
      const Group& group = choices.groups[g];
      if (multicast_of(group, in_scratchpads)) continue;
      choices.ways[code].push_back(
          {figure_of(request_.cost->predict(network_, group, homes), group), choices.spare[g]});
      choices.group_of[code].push_back(g);
    }
  }

  // Whether an operand that lives in the scratchpads would be loaded by one core for all.
  [[nodiscard]] bool multicast_of(const Group& group, const std::set<TensorId>& in_scratchpads) const {
    if (in_scratchpads.empty()) return false;
    for (const OperatorMapping& mapping : group.mappings) {
      if (mapping.multicast.empty()) continue;
      for (const Operator& op : network_.operators) {
        if (op.name != mapping.layer) continue;
        for (const TensorId input : op.inputs)
          if (in_scratchpads.contains(network_.tensor(input).storage)) return true;
      }
    }
    return false;
  }

  // `room`: percent of the free space that tensors on the chip may fill; 0: none.
  SearchResult choose(std::int64_t room) const {
    HomedProblem problem;
    problem.operators = classes_.ops.size();
    problem.homes = room > 0 ? homes_.size() : 1;
    problem.scratchpad_bytes = INT64_MAX;
    for (const CoreConfig& core : arch_.core_types)
      problem.scratchpad_bytes = std::min(problem.scratchpad_bytes, core.scratchpad.size().value());
    if (arch_.global_buffer) problem.buffer_bytes = arch_.global_buffer->size().value();
    if (room > 0) problem.tensors = tensors_;
    for (HomedTensor& tensor : problem.tensors) {
      tensor.scratchpad_bytes = tensor.scratchpad_bytes * kWhole / room;
      tensor.buffer_bytes = tensor.buffer_bytes * kWhole / room;
    }
    std::vector<const Run*> segment_run;  // by segment
    for (const Run& run : runs_) {
      const Choices& choices = choices_[run.choices];
      if (choices.groups.empty()) continue;
      HomedSegment segment;
      segment.first = run.first;
      segment.last = run.last;
      if (room > 0) {
        for (const TensorId root : coded_inputs(inputs_of(ops_of(run.first, run.last))))
          segment.inputs.push_back(tensor_of_.at(root));
        segment.result = result_of(classes_.ops[run.last]);
        segment.ways = choices.ways;
      } else {
        segment.ways = {choices.ways.front()};
      }
      problem.segments.push_back(std::move(segment));
      segment_run.push_back(&run);
    }
    const HomedCuts best = best_homed_cuts(problem, request_.objective);

    SearchResult found;
    found.candidates = candidates_;
    Schedule& schedule = found.schedule;
    schedule.arch = arch_.name;
    schedule.net = network_.name;
    schedule.strategy = "joint";
    schedule.objective = std::string(name_of(request_.objective));
    for (const HomedCut& cut : best.cuts) {
      const HomedSegment& segment = problem.segments[cut.segment];
      const Choices& choices = choices_[segment_run[cut.segment]->choices];
      const std::vector<OpId> ops = ops_of(segment.first, segment.last);
      Group group = choices.groups[choices.group_of[cut.code][cut.way]];
      rename_layers(group, network_, ops);
      group.id = GroupId(static_cast<std::int32_t>(schedule.groups.size()));
      if (segment.result) {
        std::size_t digit = cut.code;
        for (std::size_t i = 0; i < segment.inputs.size(); ++i) digit /= homes_.size();
        const Home home = homes_[digit % homes_.size()];
        const TensorId root = network_.tensor(network_.op(ops.back()).outputs.front()).storage;
        if (home != Home::dram) group.homes.emplace(network_.tensor(root).name, home);
      }
      schedule.groups.push_back(std::move(group));
    }
    const TensorHomes homes = homes_of(schedule, network_, arch_);
    for (const Group& group : schedule.groups) found.groups.push_back(request_.cost->predict(network_, group, homes));
    return found;
  }

  const SearchRequest& request_;
  const Network& network_;
  const Architecture& arch_;
  std::vector<std::int64_t> cores_;
  OperatorClasses classes_;
  std::vector<Home> homes_;
  std::vector<HomedTensor> tensors_;
  std::map<TensorId, std::size_t> tensor_of_;  // by storage root
  std::vector<Choices> choices_;
  std::vector<Run> runs_;
  std::int64_t candidates_ = 0;
};

}  // namespace

SearchResult Joint::search(const SearchRequest& request) const { return JointSearch(request).run(); }

}  // namespace accsim::sched
