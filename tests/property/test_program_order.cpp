// The order that the program verifier works with, against an enumeration of every execution: small random programs,
// with every interleaving of starts and ends that queues and semaphores allow. Two instructions are unordered for the
// verifier if and only if some execution has both running; it reports conflicting accesses if and only if some
// execution makes them at the same time; it reports a deadlock if and only if executions get stuck.
#include <set>

#include "model/program/verify_memory.h"
#include "model/program/verify_order.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;
using model::Queue;

// Every reachable state of a group: how many instructions of each queue have started and ended.
class Executions {
 public:
  explicit Executions(const model::GroupProgram& group) {
    for (const model::CoreProgram& core : group.cores) {
      for (const Queue queue : model::kQueues) {
        if (!core.queue(queue).empty()) queues_.push_back({core.core, queue, &core.queue(queue)});
      }
    }
    explore(State(2 * queues_.size(), 0));
  }

  [[nodiscard]] bool deadlock() const { return stuck_; }
  [[nodiscard]] bool all_end_alike() const { return stuck_ != finished_; }
  // Whether some execution has both running. Instructions numbered queue by queue.
  [[nodiscard]] bool together(int a, int b) const { return together_.count({std::min(a, b), std::max(a, b)}) > 0; }

 private:
  using State = std::vector<int>;  // started and ended of each queue
  struct QueueInfo {
    model::CoreId core;
    Queue kind;
    const std::vector<model::Instruction>* instructions;
  };

  [[nodiscard]] std::int64_t count(const State& state, model::CoreId core, std::int32_t semaphore) const {
    std::int64_t sum = 0;
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      for (int i = 0; i < state[2 * q]; ++i) {
        const model::Instruction& instruction = (*queues_[q].instructions)[static_cast<std::size_t>(i)];
        for (const model::Wait& wait : instruction.waits) {
          if (queues_[q].core == core && wait.semaphore == semaphore) sum -= wait.count;
        }
        for (const model::Signal& signal : instruction.signals) {
          if (i < state[2 * q + 1] && signal.core == core && signal.semaphore == semaphore) sum += signal.count;
        }
      }
    }
    return sum;
  }

  [[nodiscard]] bool may_start(const State& state, std::size_t q) const {
    const int started = state[2 * q];
    if (started == static_cast<int>(queues_[q].instructions->size())) return false;
    if (queues_[q].kind == Queue::vector && state[2 * q + 1] < started) return false;
    for (const model::Wait& wait : (*queues_[q].instructions)[static_cast<std::size_t>(started)].waits) {
      if (count(state, queues_[q].core, wait.semaphore) < wait.count) return false;  // one wait a semaphore here
    }
    return true;
  }

  void explore(const State& state) {
    if (!seen_.insert(state).second) return;
    std::vector<int> running;
    int first = 0;
    bool complete = true;
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      for (int i = state[2 * q + 1]; i < state[2 * q]; ++i) running.push_back(first + i);
      first += static_cast<int>(queues_[q].instructions->size());
      complete = complete && state[2 * q + 1] == static_cast<int>(queues_[q].instructions->size());
    }
    for (const int a : running) {
      for (const int b : running) together_.insert({a, b});
    }
    bool moved = false;
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      if (state[2 * q + 1] < state[2 * q]) {
        State next = state;
        ++next[2 * q + 1];
        explore(next);
        moved = true;
      }
      if (may_start(state, q)) {
        State next = state;
        ++next[2 * q];
        explore(next);
        moved = true;
      }
    }
    if (!moved && !complete) stuck_ = true;
    if (!moved && complete) finished_ = true;
  }

  std::vector<QueueInfo> queues_;
  std::set<State> seen_;
  std::set<std::pair<int, int>> together_;
  bool stuck_ = false;
  bool finished_ = false;
};

// Two cores, up to eight instructions on three small buffers each; dependencies along a random sequential order, now
// and then one against it. Semaphores are shared by several signalling queues at random.
class RandomGroup {
 public:
  explicit RandomGroup(Random& random) : random_(random) {
    group.group = model::GroupId(0);
    group.cores.resize(2);
    for (int core = 0; core < 2; ++core) group.cores[static_cast<std::size_t>(core)].core = model::CoreId(core);
    const std::int64_t count = random.range(2, 8);
    for (std::int64_t i = 0; i < count; ++i) add_instruction();
    const std::int64_t edges = random.range(0, 8);
    for (std::int64_t e = 0; e < edges; ++e) add_dependency();
  }

  model::GroupProgram group;

 private:
  struct Position {
    int core;
    Queue queue;
    std::size_t index;
  };
  model::Instruction& at(const Position& p) {
    return group.cores[static_cast<std::size_t>(p.core)].queue(p.queue)[p.index];
  }

  model::Place buffer(int core) { return scratchpad(core, 8 * random_.range(0, 2)); }

  void add_instruction() {
    const int core = static_cast<int>(random_.range(0, 1));
    const auto queue = static_cast<Queue>(random_.range(0, 3));
    model::Instruction instruction;
    const std::int64_t bytes = random_.chance(70) ? 8 : 12;  // some reach into the next buffer
    if (queue == Queue::load) {
      instruction = copy_bytes(random_.chance(60) ? dram(0) : buffer(1 - core), buffer(core), bytes);
    } else if (queue == Queue::store) {
      instruction = copy_bytes(buffer(core), random_.chance(60) ? dram(0) : buffer(1 - core), bytes);
    } else if (queue == Queue::array) {
      instruction =
          pass_4x4(buffer(core), buffer(core), accumulator(core, 64 * random_.range(0, 1)), 4, random_.chance(50));
    } else {
      const bool sums = random_.chance(50);
      const model::Place from = sums ? accumulator(core, 64 * random_.range(0, 1)) : buffer(core);
      instruction = vector_op(sums ? model::VectorKind::requantize : model::VectorKind::move,
                              {{from, sums ? model::DataType::int32 : model::DataType::int8}}, buffer(core), 8);
    }
    auto& list = group.cores[static_cast<std::size_t>(core)].queue(queue);
    list.push_back(instruction);
    sequence_.push_back({core, queue, list.size() - 1});
  }

  void add_dependency() {
    const auto last = static_cast<std::int64_t>(sequence_.size()) - 1;
    std::int64_t from = random_.range(0, last);
    std::int64_t to = random_.range(0, last);
    if (from > to && !random_.chance(5)) std::swap(from, to);
    if (from == to) return;
    const Position& source = sequence_[static_cast<std::size_t>(from)];
    const Position& target = sequence_[static_cast<std::size_t>(to)];
    model::CoreProgram& core = group.cores[static_cast<std::size_t>(target.core)];
    std::vector<std::int32_t> usable;
    for (std::int32_t s = 0; s < core.semaphores; ++s) {
      if (waiting_[{target.core, s}] == target.queue) usable.push_back(s);
    }
    std::int32_t semaphore = core.semaphores;
    if (!usable.empty() && random_.chance(60)) {
      semaphore = usable[static_cast<std::size_t>(random_.range(0, static_cast<std::int64_t>(usable.size()) - 1))];
    } else {
      ++core.semaphores;
      waiting_[{target.core, semaphore}] = target.queue;
    }
    const auto count = static_cast<std::int32_t>(random_.range(1, 2));
    at(source).signals.push_back({model::CoreId(target.core), semaphore, count});
    for (model::Wait& wait : at(target).waits) {
      if (wait.semaphore == semaphore) {
        wait.count += count;
        return;
      }
    }
    at(target).waits.push_back({semaphore, count});
  }

  Random& random_;
  std::vector<Position> sequence_;
  std::map<std::pair<int, std::int32_t>, Queue> waiting_;
};

// Whether the verifier's memory rules report two accesses that nothing orders.
bool reports_conflict(const model::GroupOrder& order) {
  std::map<model::MemoryIndex, model::MemoryState> states;
  for (const model::GroupOrder::Node node : order.sequence()) {
    for (const model::Access& access : model::accesses_of(order.instruction(node))) {
      const bool is_new = states.count(access.memory) == 0;
      model::MemoryState& state = states[access.memory];
      if (is_new) state.provide(0, 4096);
      bool found = false;
      access.range.each_row([&](std::int64_t begin, std::int64_t end) {
        using Kind = model::MemoryState::Conflict::Kind;
        const auto conflict = access.write ? state.write(begin, end, node, order) : state.read(begin, end, node, order);
        found = conflict && (conflict->kind == Kind::with_writer || conflict->kind == Kind::with_reader);
        return !found;
      });
      if (found) return true;
    }
  }
  return false;
}

bool conflict(const model::GroupOrder& order, int a, int b) {
  if (order.queue(a) == Queue::array && order.queue_of(a) == order.queue_of(b)) return false;
  for (const model::Access& x : model::accesses_of(order.instruction(a))) {
    for (const model::Access& y : model::accesses_of(order.instruction(b))) {
      if (x.memory == y.memory && (x.write || y.write) && x.range.begin() < y.range.end() &&
          y.range.begin() < x.range.end()) {
        return true;
      }
    }
  }
  return false;
}

void compare_with_enumeration(int cases, std::uint64_t seed) {
  Random random(seed);
  int deadlocks = 0;
  int racing = 0;
  int clean = 0;
  std::int64_t pairs_ordered = 0;
  std::int64_t pairs_not = 0;
  for (int i = 0; i < cases; ++i) {
    const RandomGroup made(random);
    CAPTURE(i, model::to_json(model::Program{{}, {made.group}}).dump());
    const Executions executions(made.group);
    model::GroupOrder order(made.group);
    const auto finding = order.run();
    REQUIRE(executions.all_end_alike());
    REQUIRE(executions.deadlock() == (finding && finding->kind == "deadlock"));
    deadlocks += executions.deadlock() ? 1 : 0;
    if (finding) continue;
    bool race = false;
    bool exact = true;
    const auto& sequence = order.sequence();
    for (std::size_t b = 0; b < sequence.size(); ++b) {
      for (std::size_t a = 0; a < b; ++a) {
        const bool together = executions.together(sequence[a], sequence[b]);
        exact = exact && order.ended_before(sequence[a], sequence[b]) == !together;
        (together ? pairs_not : pairs_ordered) += 1;
        race = race || (together && conflict(order, sequence[a], sequence[b]));
      }
    }
    REQUIRE(exact);
    REQUIRE(reports_conflict(order) == race);
    (race ? racing : clean) += 1;
  }
  // The cases are of every sort.
  CHECK(deadlocks > cases / 100);
  CHECK(racing > cases / 10);
  CHECK(clean > cases / 10);
  CHECK(pairs_ordered > cases);
  CHECK(pairs_not > cases);
}

}  // namespace

TEST_CASE("the verifier's order equals the enumeration of all executions") { compare_with_enumeration(3000, 1); }

TEST_CASE("the verifier's order equals the enumeration of all executions, many", "[long]") {
  compare_with_enumeration(30000, 2);
}
