// Every program that differs from a given one by a single edit, of the sorts that go wrong in practice.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/program/program.h"
#include "tests/support/small_programs.h"

namespace accsim::tests {

struct Mutant {
  std::string sort;   // "drop wait"
  std::string where;  // "group 0 core 0 load[3]"
  model::Program program;
};

class Mutations {
 public:
  explicit Mutations(model::Program original) : original_(std::move(original)) {}

  std::vector<Mutant> all() {
    for (std::size_t g = 0; g < original_.groups.size(); ++g) {
      for (std::size_t c = 0; c < original_.groups[g].cores.size(); ++c) {
        for (const model::Queue queue : model::kQueues) mutate_queue(g, c, queue);
      }
      mutate_regions(g);
    }
    return std::move(mutants_);
  }

 private:
  // Adds the original with `edit` applied to one queue.
  using Edit = std::function<void(model::Program&, std::vector<model::Instruction>&)>;
  void add(const std::string& sort, std::size_t g, std::size_t c, model::Queue queue, std::size_t i, const Edit& edit) {
    const int core = original_.groups[g].cores[c].core.value();
    Mutant mutant{sort,
                  "group " + std::to_string(g) + " core " + std::to_string(core) + " " + std::string(name_of(queue)) +
                      "[" + std::to_string(i) + "]",
                  original_};
    edit(mutant.program, mutant.program.groups[g].cores[c].queue(queue));
    mutants_.push_back(std::move(mutant));
  }

  void mutate_queue(std::size_t g, std::size_t c, model::Queue queue) {
    const auto& list = original_.groups[g].cores[c].queue(queue);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto plain = [&](const std::string& sort, const std::function<void(model::Instruction&)>& edit) {
        add(sort, g, c, queue, i, [&](model::Program&, auto& instructions) { edit(instructions[i]); });
      };
      mutate_synchronisation(g, c, queue, i);
      add("drop instruction", g, c, queue, i, [&](model::Program&, auto& instructions) {
        instructions.erase(instructions.begin() + static_cast<std::ptrdiff_t>(i));
      });
      add("duplicate instruction", g, c, queue, i, [&](model::Program&, auto& instructions) {
        instructions.insert(instructions.begin() + static_cast<std::ptrdiff_t>(i), model::Instruction(instructions[i]));
      });
      add("duplicate without semaphores", g, c, queue, i, [&](model::Program&, auto& instructions) {
        model::Instruction again = instructions[i];
        again.waits.clear();
        again.signals.clear();
        instructions.insert(instructions.begin() + static_cast<std::ptrdiff_t>(i) + 1, again);
      });
      if (i + 1 < list.size()) {
        add("swap neighbours", g, c, queue, i,
            [&](model::Program&, auto& instructions) { std::swap(instructions[i], instructions[i + 1]); });
        add("swap operations of neighbours", g, c, queue, i,
            [&](model::Program&, auto& instructions) { std::swap(instructions[i].op, instructions[i + 1].op); });
      }
      for (std::size_t o = 0; o < original_.groups[g].cores.size(); ++o) {
        if (o == c) continue;
        add("other core's queue", g, c, queue, i, [&](model::Program& program, auto& instructions) {
          program.groups[g].cores[o].queue(queue).push_back(instructions[i]);
          instructions.erase(instructions.begin() + static_cast<std::ptrdiff_t>(i));
        });
      }
      for (std::size_t p = 0; p < places(const_cast<model::Instruction&>(list[i])).size(); ++p) {
        const std::string side = operand_name(list[i], p);
        for (const std::int64_t shift : {-64, -32, -16, -1, 1, 16, 32, 64}) {
          plain("shift address of " + side, [&](model::Instruction& x) { places(x)[p]->address += shift; });
        }
        plain("other core's " + side, [&](model::Instruction& x) {
          model::CoreId& core = places(x)[p]->core;
          core = model::CoreId(core.valid() ? 1 - core.value() : 0);
        });
      }
      if (std::holds_alternative<model::Copy>(list[i].op)) {
        const auto copy = [](model::Instruction& x) -> model::Copy& { return std::get<model::Copy>(x.op); };
        plain("one byte more", [&](model::Instruction& x) { ++copy(x).extent[3]; });
        plain("one byte less", [&](model::Instruction& x) { --copy(x).extent[3]; });
        plain("two rows", [&](model::Instruction& x) { ++copy(x).extent[2]; });
        plain("wrong destination stride", [&](model::Instruction& x) {
          copy(x).extent[2] *= 2;
          copy(x).extent[3] /= 2;
          copy(x).src.stride[2] = copy(x).extent[3];
          copy(x).dst.stride[2] = copy(x).extent[3] + 1;
        });
        plain("prefetch flag", [](model::Instruction& x) { x.prefetch = !x.prefetch; });
      }
      if (std::holds_alternative<model::ArrayPass>(list[i].op)) {
        const auto pass = [](model::Instruction& x) -> model::ArrayPass& { return std::get<model::ArrayPass>(x.op); };
        plain("accumulate flag", [&](model::Instruction& x) { pass(x).accumulate = !pass(x).accumulate; });
        for (std::size_t l = 0; l < 3; ++l) {
          plain("shorter result loop", [&](model::Instruction& x) {
            if (l < 2)
              --pass(x).loops[l].extent;
            else
              pass(x).output.axes[0].coefficient[0] = 0;
          });
        }
        plain("wrong result stride", [&](model::Instruction& x) { ++pass(x).output.axes[0].stride; });
      }
    }
  }

  void mutate_synchronisation(std::size_t g, std::size_t c, model::Queue queue, std::size_t i) {
    const model::CoreProgram& core = original_.groups[g].cores[c];
    const model::Instruction& instruction = core.queue(queue)[i];
    const auto plain = [&](const std::string& sort, const std::function<void(model::Instruction&)>& edit) {
      add(sort, g, c, queue, i, [&](model::Program&, auto& instructions) { edit(instructions[i]); });
    };
    for (std::size_t w = 0; w < instruction.waits.size(); ++w) {
      plain("drop wait",
            [&](model::Instruction& x) { x.waits.erase(x.waits.begin() + static_cast<std::ptrdiff_t>(w)); });
      plain("wait for one more", [&](model::Instruction& x) { ++x.waits[w].count; });
      for (std::int32_t s = 0; s < core.semaphores; ++s) {
        if (s != instruction.waits[w].semaphore) {
          plain("wait for another semaphore", [&](model::Instruction& x) { x.waits[w].semaphore = s; });
        }
      }
      drop_edges(g, c, queue, i, w);
      move_wait(g, c, queue, i, w);
    }
    for (std::size_t s = 0; s < instruction.signals.size(); ++s) {
      plain("drop signal",
            [&](model::Instruction& x) { x.signals.erase(x.signals.begin() + static_cast<std::ptrdiff_t>(s)); });
      plain("signal one more", [&](model::Instruction& x) { ++x.signals[s].count; });
      plain("signal another semaphore", [&](model::Instruction& x) { ++x.signals[s].semaphore; });
      plain("signal another core",
            [&](model::Instruction& x) { x.signals[s].core = model::CoreId(1 - x.signals[s].core.value()); });
      if (i > 0) {
        add("signal too early", g, c, queue, i, [&](model::Program&, auto& instructions) {
          instructions[i - 1].signals.push_back(instructions[i].signals[s]);
          instructions[i].signals.erase(instructions[i].signals.begin() + static_cast<std::ptrdiff_t>(s));
        });
      }
    }
  }

  // A wait together with each signal that could meet it: the semaphores still end at zero.
  void drop_edges(std::size_t g, std::size_t c, model::Queue queue, std::size_t i, std::size_t w) {
    const model::CoreProgram& core = original_.groups[g].cores[c];
    const model::Wait wait = core.queue(queue)[i].waits[w];
    for (std::size_t oc = 0; oc < original_.groups[g].cores.size(); ++oc) {
      for (const model::Queue oq : model::kQueues) {
        const auto& others = original_.groups[g].cores[oc].queue(oq);
        for (std::size_t oi = 0; oi < others.size(); ++oi) {
          for (std::size_t os = 0; os < others[oi].signals.size(); ++os) {
            const model::Signal& signal = others[oi].signals[os];
            if (signal.core != core.core || signal.semaphore != wait.semaphore) continue;
            add("drop wait and signal", g, c, queue, i, [&](model::Program& program, auto& instructions) {
              if (--instructions[i].waits[w].count == 0) {
                instructions[i].waits.erase(instructions[i].waits.begin() + static_cast<std::ptrdiff_t>(w));
              }
              auto& signals = program.groups[g].cores[oc].queue(oq)[oi].signals;
              if (--signals[os].count == 0) signals.erase(signals.begin() + static_cast<std::ptrdiff_t>(os));
            });
          }
        }
      }
    }
  }

  void move_wait(std::size_t g, std::size_t c, model::Queue queue, std::size_t i, std::size_t w) {
    if (i + 1 == original_.groups[g].cores[c].queue(queue).size()) return;
    add("wait too late", g, c, queue, i, [&](model::Program&, auto& instructions) {
      instructions[i + 1].waits.push_back(instructions[i].waits[w]);
      instructions[i].waits.erase(instructions[i].waits.begin() + static_cast<std::ptrdiff_t>(w));
    });
  }

  void mutate_regions(std::size_t g) {
    using List = std::vector<model::Region> model::GroupProgram::*;
    const std::pair<const char*, List> lists[] = {{"live_in", &model::GroupProgram::live_in},
                                                  {"live_out", &model::GroupProgram::live_out},
                                                  {"buffers", &model::GroupProgram::buffers},
                                                  {"prefetch", &model::GroupProgram::prefetch}};
    for (const auto& entry : lists) {
      const std::string name = entry.first;
      const List list = entry.second;
      for (std::size_t r = 0; r < (original_.groups[g].*list).size(); ++r) {
        const auto plain = [&](const std::string& sort, const std::function<void(std::vector<model::Region>&)>& edit) {
          Mutant mutant{sort + " of " + name, "group " + std::to_string(g) + " region " + std::to_string(r), original_};
          edit(mutant.program.groups[g].*list);
          mutants_.push_back(std::move(mutant));
        };
        plain("drop region", [&](auto& regions) { regions.erase(regions.begin() + static_cast<std::ptrdiff_t>(r)); });
        plain("shorter region", [&](auto& regions) { regions[r].size -= model::Bytes(1); });
        plain("shift region", [&](auto& regions) { regions[r].place.address += 16; });
      }
    }
  }

  static std::vector<model::Place*> places(model::Instruction& instruction) {
    if (auto* copy = std::get_if<model::Copy>(&instruction.op)) return {&copy->src.place, &copy->dst.place};
    if (auto* pass = std::get_if<model::ArrayPass>(&instruction.op)) {
      return {&pass->input.place, &pass->weight.place, &pass->output.place};
    }
    auto& vector = std::get<model::VectorOp>(instruction.op);
    std::vector<model::Place*> list;
    for (model::TileRef& source : vector.sources) list.push_back(&source.place);
    list.push_back(&vector.output.place);
    return list;
  }
  static std::string operand_name(const model::Instruction& instruction, std::size_t place) {
    if (const auto* copy = std::get_if<model::Copy>(&instruction.op)) {
      const model::Place& at = place == 0 ? copy->src.place : copy->dst.place;
      return std::string(place == 0 ? "source in " : "destination in ") + std::string(name_of(at.space));
    }
    if (std::holds_alternative<model::ArrayPass>(instruction.op)) {
      return place == 0 ? "input" : place == 1 ? "weight" : "result";
    }
    return place < std::get<model::VectorOp>(instruction.op).sources.size() ? "vector source" : "vector result";
  }

  model::Program original_;
  std::vector<Mutant> mutants_;
};

}  // namespace accsim::tests
