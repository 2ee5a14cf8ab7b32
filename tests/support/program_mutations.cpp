#include "tests/support/program_mutations.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/support/operation_mutations.h"

namespace accsim::tests {

using model::GroupProgram;
using model::Instruction;
using model::Program;
using model::Queue;
using model::Region;

namespace {

template <class T>
void erase_at(std::vector<T>& list, std::size_t i) {
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
}
template <class T>
void insert_at(std::vector<T>& list, std::size_t i, T value) {
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(i), std::move(value));
}

class Mutations {
 public:
  Mutations(const Program& original, std::int64_t cores) : original_(original), cores_(cores) {}

  std::vector<Mutant> all() {
    for (g_ = 0; g_ < original_.groups.size(); ++g_) {
      for (c_ = 0; c_ < group().cores.size(); ++c_) {
        for (const Queue queue : model::kQueues) {
          queue_ = queue;
          for (i_ = 0; i_ < list().size(); ++i_) {
            synchronisation();
            queues();
            operation();
          }
        }
      }
      regions();
    }
    groups();
    return std::move(mutants_);
  }

 private:
  [[nodiscard]] const GroupProgram& group() const { return original_.groups[g_]; }
  [[nodiscard]] const std::vector<Instruction>& list() const { return group().cores[c_].queue(queue_); }
  [[nodiscard]] const Instruction& instruction() const { return list()[i_]; }

  // An edit of the list that the instruction stands in.
  using ListEdit = std::function<void(Program&, std::vector<Instruction>&)>;
  void add_list(EditKind kind, const std::string& sort, ListEdit edit) {
    const std::string where = "group " + std::to_string(g_) + " core " +
                              std::to_string(group().cores[c_].core.value()) + " " + std::string(name_of(queue_)) +
                              "[" + std::to_string(i_) + "]";
    mutants_.push_back({kind, sort, where, [g = g_, c = c_, q = queue_, edit = std::move(edit)](Program& program) {
                          edit(program, program.groups[g].cores[c].queue(q));
                        }});
  }
  void add(EditKind kind, const std::string& sort, std::function<void(Instruction&)> edit) {
    add_list(kind, sort, [i = i_, edit = std::move(edit)](Program&, auto& instructions) { edit(instructions[i]); });
  }

  void synchronisation() {
    constexpr EditKind kKind = EditKind::synchronisation;
    const model::CoreProgram& core = group().cores[c_];
    const bool last = i_ + 1 == list().size();
    for (std::size_t w = 0; w < instruction().waits.size(); ++w) {
      const auto move_to = [w](std::size_t from, std::size_t to) {
        return [=](Program&, auto& instructions) {
          instructions[to].waits.push_back(instructions[from].waits[w]);
          erase_at(instructions[from].waits, w);
        };
      };
      add(kKind, "drop wait", [w](Instruction& x) { erase_at(x.waits, w); });
      add(kKind, "wait for one more", [w](Instruction& x) { ++x.waits[w].count; });
      add(kKind, "wait for one less", [w](Instruction& x) { --x.waits[w].count; });
      add(kKind, "wait twice", [w](Instruction& x) { x.waits.push_back(x.waits[w]); });
      for (std::int32_t s = 0; s < core.semaphores; ++s) {
        if (s == instruction().waits[w].semaphore) continue;
        add(kKind, "wait for another semaphore", [w, s](Instruction& x) { x.waits[w].semaphore = s; });
      }
      if (!last) add_list(kKind, "wait too late", move_to(i_, i_ + 1));
      if (i_ > 0) add_list(kKind, "wait too early", move_to(i_, i_ - 1));
      drop_edges(w);
    }
    for (std::size_t s = 0; s < instruction().signals.size(); ++s) {
      const auto move_to = [s](std::size_t from, std::size_t to) {
        return [=](Program&, auto& instructions) {
          instructions[to].signals.push_back(instructions[from].signals[s]);
          erase_at(instructions[from].signals, s);
        };
      };
      add(kKind, "drop signal", [s](Instruction& x) { erase_at(x.signals, s); });
      add(kKind, "signal one more", [s](Instruction& x) { ++x.signals[s].count; });
      add(kKind, "signal one less", [s](Instruction& x) { --x.signals[s].count; });
      add(kKind, "signal twice", [s](Instruction& x) { x.signals.push_back(x.signals[s]); });
      add(kKind, "signal another semaphore", [s](Instruction& x) { ++x.signals[s].semaphore; });
      if (instruction().signals[s].semaphore > 0)
        add(kKind, "signal another semaphore", [s](Instruction& x) { --x.signals[s].semaphore; });
      for (std::int32_t other = 0; other < cores_; ++other) {
        if (other == instruction().signals[s].core.value()) continue;
        add(kKind, "signal another core", [s, other](Instruction& x) { x.signals[s].core = model::CoreId(other); });
      }
      if (i_ > 0) add_list(kKind, "signal too early", move_to(i_, i_ - 1));
      if (!last) add_list(kKind, "signal too late", move_to(i_, i_ + 1));
    }
    if (i_ == 0 && queue_ == Queue::load) {
      add_list(kKind, "one semaphore less",
               [g = g_, c = c_](Program& program, auto&) { --program.groups[g].cores[c].semaphores; });
      add_list(kKind, "one semaphore more",
               [g = g_, c = c_](Program& program, auto&) { ++program.groups[g].cores[c].semaphores; });
    }
  }

  // A wait together with each signal that could meet it: the semaphores still end at zero.
  void drop_edges(std::size_t w) {
    const model::Wait wait = instruction().waits[w];
    const model::CoreId own = group().cores[c_].core;
    for (std::size_t oc = 0; oc < group().cores.size(); ++oc) {
      for (const Queue oq : model::kQueues) {
        const auto& others = group().cores[oc].queue(oq);
        for (std::size_t oi = 0; oi < others.size(); ++oi) {
          for (std::size_t os = 0; os < others[oi].signals.size(); ++os) {
            const model::Signal& signal = others[oi].signals[os];
            if (signal.core != own || signal.semaphore != wait.semaphore) continue;
            add_list(EditKind::synchronisation, "drop wait and signal",
                     [w, g = g_, oc, oq, oi, os, i = i_](Program& program, auto& instructions) {
                       if (--instructions[i].waits[w].count == 0) erase_at(instructions[i].waits, w);
                       auto& signals = program.groups[g].cores[oc].queue(oq)[oi].signals;
                       if (--signals[os].count == 0) erase_at(signals, os);
                     });
          }
        }
      }
    }
  }

  void queues() {
    constexpr EditKind kKind = EditKind::queue;
    const std::size_t i = i_;
    const std::size_t g = g_;
    add_list(kKind, "drop instruction", [i](Program&, auto& instructions) { erase_at(instructions, i); });
    add_list(kKind, "duplicate instruction",
             [i](Program&, auto& instructions) { insert_at(instructions, i, Instruction(instructions[i])); });
    add_list(kKind, "duplicate without semaphores", [i](Program&, auto& instructions) {
      Instruction again = instructions[i];
      again.waits.clear();
      again.signals.clear();
      insert_at(instructions, i + 1, std::move(again));
    });
    if (i + 1 < list().size()) {
      add_list(kKind, "swap neighbours",
               [i](Program&, auto& instructions) { std::swap(instructions[i], instructions[i + 1]); });
      add_list(kKind, "swap operations of neighbours",
               [i](Program&, auto& instructions) { std::swap(instructions[i].op, instructions[i + 1].op); });
      add_list(kKind, "move to the end", [i](Program&, auto& instructions) {
        std::rotate(instructions.begin() + static_cast<std::ptrdiff_t>(i),
                    instructions.begin() + static_cast<std::ptrdiff_t>(i) + 1, instructions.end());
      });
    }
    if (i > 1) {
      add_list(kKind, "move to the front", [i](Program&, auto& instructions) {
        std::rotate(instructions.begin(), instructions.begin() + static_cast<std::ptrdiff_t>(i),
                    instructions.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      });
    }
    for (std::size_t o = 0; o < group().cores.size(); ++o) {
      if (o == c_) continue;
      add_list(kKind, "other core's queue", [i, g, o, q = queue_](Program& program, auto& instructions) {
        program.groups[g].cores[o].queue(q).push_back(instructions[i]);
        erase_at(instructions, i);
      });
    }
    for (const Queue other : model::kQueues) {
      if (other == queue_) continue;
      add_list(kKind, "other engine's queue", [i, g, c = c_, other](Program& program, auto& instructions) {
        program.groups[g].cores[c].queue(other).push_back(instructions[i]);
        erase_at(instructions, i);
      });
    }
    add(kKind, "prefetch flag", [](Instruction& x) { x.prefetch = !x.prefetch; });
  }

  void operation() {
    const OperationContext context{group(), cores_};
    for (OperationEdit& edit : edits_of(instruction(), context)) {
      add(edit.kind, edit.sort, std::move(edit.edit));
    }
  }

  void add_region(const std::string& sort, const std::string& where, std::function<void(Program&)> edit) {
    mutants_.push_back({EditKind::region, sort, where, std::move(edit)});
  }

  void edit_list(const std::string& name, const std::string& where, std::size_t count,
                 const std::function<std::vector<Region>&(Program&)>& of) {
    for (std::size_t r = 0; r < count; ++r) {
      const std::string at = where + name + "[" + std::to_string(r) + "]";
      const auto plain = [&](const std::string& sort, std::function<void(std::vector<Region>&)> edit) {
        add_region(sort + " of " + name, at, [of, edit = std::move(edit)](Program& program) { edit(of(program)); });
      };
      plain("drop region", [r](auto& regions) { erase_at(regions, r); });
      plain("double region", [r](auto& regions) { regions.push_back(regions[r]); });
      plain("shorter region", [r](auto& regions) { regions[r].size -= model::Bytes(1); });
      plain("longer region", [r](auto& regions) { regions[r].size += model::Bytes(1); });
      plain("shift region", [r](auto& regions) { regions[r].place.address += 16; });
      if (r + 1 < count) {
        plain("swap regions", [r](auto& regions) { std::swap(regions[r].place, regions[r + 1].place); });
      }
    }
  }

  void regions() {
    using List = std::vector<Region> GroupProgram::*;
    const std::pair<const char*, List> lists[] = {{"live_in", &GroupProgram::live_in},
                                                  {"live_out", &GroupProgram::live_out},
                                                  {"buffers", &GroupProgram::buffers},
                                                  {"prefetch", &GroupProgram::prefetch}};
    const std::string where = "group " + std::to_string(g_) + " ";
    for (const auto& [name, list] : lists) {
      edit_list(name, where, (group().*list).size(),
                [g = g_, list = list](Program& program) -> std::vector<Region>& { return program.groups[g].*list; });
    }
  }

  void groups() {
    const auto renumber = [](Program& program) {
      program.header.groups = static_cast<std::int64_t>(program.groups.size());
      for (std::size_t g = 0; g < program.groups.size(); ++g)
        program.groups[g].group = model::GroupId(static_cast<std::int32_t>(g));
    };
    edit_list("dram", "header ", original_.header.dram.size(),
              [](Program& program) -> std::vector<Region>& { return program.header.dram; });
    edit_list("constant", "header ", original_.header.constant.size(),
              [](Program& program) -> std::vector<Region>& { return program.header.constant; });
    for (std::size_t g = 0; g < original_.groups.size(); ++g) {
      const std::string where = "group " + std::to_string(g);
      add_region("drop group", where, [=](Program& program) {
        erase_at(program.groups, g);
        renumber(program);
      });
      add_region("double group", where, [=](Program& program) {
        insert_at(program.groups, g, GroupProgram(program.groups[g]));
        renumber(program);
      });
      add_region("wrong group number", where,
                 [=](Program& program) { program.groups[g].group = model::GroupId(static_cast<std::int32_t>(g) - 1); });
      if (g + 1 < original_.groups.size()) {
        add_region("swap groups", where, [=](Program& program) {
          std::swap(program.groups[g], program.groups[g + 1]);
          renumber(program);
        });
      }
      for (std::size_t c = 0; c < original_.groups[g].cores.size(); ++c) {
        const std::string core = where + " core list " + std::to_string(c);
        add_region("drop core", core, [=](Program& program) { erase_at(program.groups[g].cores, c); });
        for (std::int32_t other = 0; other < cores_; ++other) {
          if (other == original_.groups[g].cores[c].core.value()) continue;
          add_region("program of another core", core,
                     [=](Program& program) { program.groups[g].cores[c].core = model::CoreId(other); });
        }
      }
    }
    add_region("wrong number of groups", "header", [](Program& program) { ++program.header.groups; });
  }

  const Program& original_;
  std::int64_t cores_;
  std::vector<Mutant> mutants_;
  std::size_t g_ = 0;
  std::size_t c_ = 0;
  Queue queue_ = Queue::load;
  std::size_t i_ = 0;
};

}  // namespace

std::string_view name_of(EditKind kind) {
  constexpr std::array<std::string_view, 6> kNames{"synchronisation",  "queue", "copy", "array pass",
                                                   "vector operation", "region"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<Mutant> mutants_of(const Program& original, std::int64_t cores) { return Mutations(original, cores).all(); }

}  // namespace accsim::tests
