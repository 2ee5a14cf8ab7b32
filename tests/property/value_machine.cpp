#include "tests/property/value_machine.h"

#include <algorithm>
#include <limits>

namespace accsim::tests {

using namespace model;

Value add(Value a, Value b) {
  return static_cast<Value>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
Value mul(Value a, Value b) {
  return static_cast<Value>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

Value activate(const FusedActivation& activation, Value x) {
  switch (activation.type) {
    case OpType::relu:
      return std::max<Value>(x, 0);
    case OpType::clip:
      return std::clamp(x, static_cast<Value>(activation.clip.min), static_cast<Value>(activation.clip.max));
    case OpType::sigmoid:
      return add(mul(x, 3), 1);
    case OpType::tanh:
      return add(mul(x, 5), -2);
    default:
      return add(mul(x, -1), 7);
  }
}
Value combine_average(Value sum, std::int64_t valid, std::int64_t divisor) {
  return add(mul(sum, 1000), divisor > 0 ? 500 + divisor : valid);
}
Value combine_softmax(Value x, Value row_sum) { return add(mul(x, 7), row_sum); }
Value combine_normalization(Value x, Value row_sum, std::int64_t row, Value scale, Value bias) {
  return add(mul(add(mul(x, row), mul(row_sum, -1)), scale), bias);
}

namespace {

// All index combinations of some extents.
template <class Visit>
void each_index(const std::vector<std::int64_t>& extents, Visit visit) {
  std::vector<std::int64_t> index(extents.size(), 0);
  for (;;) {
    visit(index);
    std::size_t i = extents.size();
    while (i > 0 && ++index[i - 1] == extents[i - 1]) index[--i] = 0;
    if (i == 0) return;
  }
}

}  // namespace

ValueMachine::ValueMachine(const Architecture& arch, const ProgramHeader& header, std::uint64_t seed) : random_(seed) {
  std::int64_t end = 0;
  for (const Region& region : header.dram) end = std::max(end, region.place.address + region.size.value());
  const auto make = [&](Space space, std::int32_t core, std::int64_t size) {
    memories_[{space, core}] = {std::vector<Value>(static_cast<std::size_t>(size), 0),
                                std::vector<bool>(static_cast<std::size_t>(size), false)};
  };
  make(Space::dram, -1, end);
  dram_writes_.assign(static_cast<std::size_t>(end), 0);
  for (std::int32_t c = 0; c < arch.core_count(); ++c) {
    make(Space::scratchpad, c, arch.core(CoreId(c)).scratchpad.size().value());
    make(Space::accumulator, c, arch.core(CoreId(c)).accumulator.size().value());
  }
}

ValueMachine::Memory& ValueMachine::memory(const Place& place) {
  return memories_.at({place.space, place.core.value()});
}

Value ValueMachine::load(const Place& place) {
  Memory& m = memory(place);
  const auto i = static_cast<std::size_t>(place.address);
  if (i >= m.value.size() || !m.written[i]) {
    if (!problem_)
      problem_ =
          "read of " + std::string(name_of(place.space)) + " " + std::to_string(place.address) + ": nothing there";
    return 0;
  }
  return m.value[i];
}

void ValueMachine::store(const Place& place, Value value) {
  Memory& m = memory(place);
  const auto i = static_cast<std::size_t>(place.address);
  if (i >= m.value.size()) {
    if (!problem_) problem_ = "write outside of " + std::string(name_of(place.space));
    return;
  }
  m.value[i] = value;
  m.written[i] = true;
  if (place.space == Space::dram) ++dram_writes_[i];
}

void ValueMachine::write_dram(std::int64_t address, std::int64_t element_bytes, const std::vector<Value>& values) {
  Memory& m = memories_.at({Space::dram, -1});
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::int64_t b = 0; b < element_bytes; ++b) {
      const auto at = static_cast<std::size_t>(address + static_cast<std::int64_t>(i) * element_bytes + b);
      m.value[at] = b == 0 ? values[i] : -1;
      m.written[at] = true;
    }
  }
}

std::vector<Value> ValueMachine::read_dram(std::int64_t address, std::int64_t element_bytes, std::int64_t count) const {
  const Memory& m = memories_.at({Space::dram, -1});
  std::vector<Value> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(m.value[static_cast<std::size_t>(address + i * element_bytes)]);
  return values;
}

void ValueMachine::move_bytes(const Copy& copy) {
  each_index({copy.extent.begin(), copy.extent.end() - 1}, [&](const std::vector<std::int64_t>& i) {
    Place from = copy.src.place;
    Place to = copy.dst.place;
    for (std::size_t d = 0; d < i.size(); ++d) {
      std::int64_t index = i[d];
      if (d == 0 && copy.gather) {
        Place at = copy.gather->indices;
        at.address += i[d] * 4;
        index = load(at);
        if (index != gather_row(copy.gather->seed, copy.gather->first + i[d], copy.gather->rows) && !problem_)
          problem_ = "an index is not the one that timing uses";
      }
      from.address += index * copy.src.stride[d];
      to.address += i[d] * copy.dst.stride[d];
    }
    for (std::int64_t b = 0; b < copy.extent.back(); ++b, ++from.address, ++to.address) {
      store(to, load(from));
      for (const CoreId core : copy.multicast) store({to.space, core, to.address}, load(from));
    }
  });
}

std::optional<std::int64_t> ValueMachine::address(const TileRef& ref, std::span<const std::int64_t> index) const {
  std::int64_t element = 0;
  for (const TileAxis& axis : ref.axes) {
    std::int64_t at = axis.offset;
    for (std::size_t l = 0; l < index.size(); ++l) at += axis.coefficient[l] * index[l];
    if (at < 0 || at >= axis.step * axis.count || at % axis.step != 0) return std::nullopt;
    element += at / axis.step * axis.stride;
  }
  return ref.place.address + element * storage_bytes(ref.type, 1).value();
}

Value ValueMachine::read(const TileRef& ref, std::span<const std::int64_t> index, Value neutral, bool* valid) {
  const std::optional<std::int64_t> at = address(ref, index);
  if (valid != nullptr) *valid = at.has_value();
  return at ? load({ref.place.space, ref.place.core, *at}) : neutral;
}

void ValueMachine::write(const TileRef& ref, std::span<const std::int64_t> index, Value value) {
  const std::optional<std::int64_t> at = address(ref, index);
  if (!at) {
    if (!problem_) problem_ = "a result lies outside of its tile";
    return;
  }
  for (std::int64_t b = 0; b < storage_bytes(ref.type, 1).value(); ++b)
    store({ref.place.space, ref.place.core, *at + b}, b == 0 ? value : -1);
}

void ValueMachine::multiply(const ArrayPass& pass) {
  // Reduction loops inside: each output is written once.
  std::vector<std::int64_t> kept;
  std::vector<std::int64_t> reduced;
  std::vector<std::size_t> kept_at;
  std::vector<std::size_t> reduced_at;
  for (std::size_t l = 0; l < pass.loops.size(); ++l) {
    const bool k = pass.loops[l].kind == DimKind::k;
    (k ? reduced : kept).push_back(pass.loops[l].extent);
    (k ? reduced_at : kept_at).push_back(l);
  }
  std::vector<std::int64_t> index(pass.loops.size(), 0);
  each_index(kept, [&](const std::vector<std::int64_t>& outer) {
    for (std::size_t i = 0; i < outer.size(); ++i) index[kept_at[i]] = outer[i];
    for (const std::size_t l : reduced_at) index[l] = 0;
    Value sum = pass.accumulate ? read(pass.output, index, 0) : 0;
    each_index(reduced, [&](const std::vector<std::int64_t>& inner) {
      for (std::size_t i = 0; i < inner.size(); ++i) index[reduced_at[i]] = inner[i];
      sum = add(sum, mul(read(pass.input, index, 0), read(pass.weight, index, 0)));
    });
    for (const std::size_t l : reduced_at) index[l] = 0;
    write(pass.output, index, sum);
  });
}

void ValueMachine::compute(const VectorOp& op) {
  std::vector<std::int64_t> kept;
  std::vector<std::int64_t> row;
  std::vector<std::size_t> kept_at;
  std::vector<std::size_t> row_at;
  for (std::size_t l = 0; l < op.loops.size(); ++l) {
    const bool inside = op.loops[l].kind == DimKind::row;
    (inside ? row : kept).push_back(op.loops[l].extent);
    (inside ? row_at : kept_at).push_back(l);
  }
  std::vector<std::int64_t> index(op.loops.size(), 0);
  const auto finish = [&](Value value) {
    for (const FusedActivation& activation : op.activations) value = activate(activation, value);
    write(op.output, index, value);
  };
  const auto each_row = [&](auto visit) {
    each_index(row, [&](const std::vector<std::int64_t>& inner) {
      for (std::size_t i = 0; i < inner.size(); ++i) index[row_at[i]] = inner[i];
      visit();
    });
  };
  each_index(kept, [&](const std::vector<std::int64_t>& outer) {
    for (std::size_t i = 0; i < outer.size(); ++i) index[kept_at[i]] = outer[i];
    for (const std::size_t l : row_at) index[l] = 0;
    switch (op.kind) {
      case VectorKind::requantize:
        finish(add(read(op.sources[0], index, 0), op.sources.size() > 1 ? read(op.sources[1], index, 0) : 0));
        return;
      case VectorKind::add:
        finish(add(read(op.sources[0], index, 0), read(op.sources[1], index, 0)));
        return;
      case VectorKind::mul:
        finish(mul(read(op.sources[0], index, 0), read(op.sources[1], index, 0)));
        return;
      case VectorKind::move:
      case VectorKind::activate:
        finish(read(op.sources[0], index, 0));
        return;
      default:
        break;
    }
    Value sum = 0;
    Value largest = std::numeric_limits<Value>::min();
    std::int64_t valid_count = 0;
    std::int64_t row_length = 0;
    each_row([&] {
      bool valid = false;
      const Value x = read(op.sources[0], index, 0, &valid);
      ++row_length;
      if (!valid) return;
      ++valid_count;
      sum = add(sum, x);
      largest = std::max(largest, x);
    });
    if (op.kind == VectorKind::max_pool || op.kind == VectorKind::average_pool) {
      for (const std::size_t l : row_at) index[l] = 0;
      finish(op.kind == VectorKind::max_pool ? largest : combine_average(sum, valid_count, op.divisor));
      return;
    }
    each_row([&] {
      const Value x = read(op.sources[0], index, 0);
      if (op.kind == VectorKind::softmax) {
        finish(combine_softmax(x, sum));
      } else {
        finish(combine_normalization(x, sum, row_length, op.sources.size() > 1 ? read(op.sources[1], index, 0) : 1,
                                     op.sources.size() > 2 ? read(op.sources[2], index, 0) : 0));
      }
    });
  });
}

void ValueMachine::execute(const Instruction& instruction) {
  if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
    move_bytes(*copy);
  } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
    multiply(*pass);
  } else {
    compute(std::get<VectorOp>(instruction.op));
  }
}

void ValueMachine::forget_chip(const std::vector<Region>& kept) {
  for (auto& [key, memory] : memories_) {
    if (key.first == Space::dram) continue;
    std::vector<bool> written(memory.written.size(), false);
    for (const Region& region : kept) {
      if (region.place.space != key.first || region.place.core.value() != key.second) continue;
      for (std::int64_t b = 0; b < region.size.value(); ++b) {
        const auto i = static_cast<std::size_t>(region.place.address + b);
        written[i] = memory.written[i];
      }
    }
    memory.written = std::move(written);
  }
}

std::optional<std::string> ValueMachine::run(const GroupProgram& group, const GroupProgram* next) {
  problem_.reset();
  std::vector<std::vector<std::int64_t>> semaphores;
  std::vector<Lane> lanes;
  for (std::size_t c = 0; c < group.cores.size(); ++c) {
    const CoreProgram& core = group.cores[c];
    semaphores.emplace_back(static_cast<std::size_t>(core.semaphores), 0);
    for (const Queue queue : kQueues) {
      Lane lane{&core.queue(queue), c, 0, 0, {}, 1};
      lane.done.assign(lane.instructions->size(), false);
      if (queue == Queue::load || queue == Queue::store) lane.depth = 3;
      lanes.push_back(std::move(lane));
      if (queue == Queue::load && c < prefetched_.size()) lanes.back().done = prefetched_[c];
    }
  }
  prefetched_.clear();
  forget_chip(group.prefetch);
  std::vector<std::pair<std::size_t, std::size_t>> ahead;  // prefetch instructions of the next group
  if (next != nullptr) {
    for (std::size_t c = 0; c < next->cores.size(); ++c) {
      const std::vector<Instruction>& loads = next->cores[c].queue(Queue::load);
      prefetched_.emplace_back(loads.size(), false);
      for (std::size_t i = 0; i < loads.size() && loads[i].prefetch; ++i) ahead.emplace_back(c, i);
    }
  }

  const auto core_index = [&](CoreId id) {
    for (std::size_t c = 0; c < group.cores.size(); ++c)
      if (group.cores[c].core == id) return c;
    return group.cores.size();
  };
  for (;;) {
    if (problem_) return problem_;
    // What can happen now: start (0), take effect (1), end (2) of an instruction, or a prefetch (3).
    struct Step {
      int what = 0;
      std::size_t lane = 0;
      std::size_t index = 0;
    };
    std::vector<Step> steps;
    for (std::size_t l = 0; l < lanes.size(); ++l) {
      const Lane& lane = lanes[l];
      if (lane.started < lane.instructions->size() && lane.started - lane.ended < lane.depth) {
        const Instruction& head = (*lane.instructions)[lane.started];
        const bool ready = std::all_of(head.waits.begin(), head.waits.end(), [&](const Wait& wait) {
          return semaphores[lane.core][static_cast<std::size_t>(wait.semaphore)] >= wait.count;
        });
        if (ready) steps.push_back({0, l, lane.started});
      }
      for (std::size_t i = lane.ended; i < lane.started; ++i)
        if (!lane.done[i]) steps.push_back({1, l, i});
      if (lane.ended < lane.started && lane.done[lane.ended]) steps.push_back({2, l, lane.ended});
    }
    const bool finished = steps.empty();
    if (!ahead.empty() && (finished || random_.chance(5))) {
      steps.assign(1, {3, ahead.back().first, ahead.back().second});
      ahead.pop_back();
    } else if (finished) {
      break;
    }
    const Step step = steps[static_cast<std::size_t>(random_.range(0, static_cast<std::int64_t>(steps.size()) - 1))];
    if (step.what == 3) {
      execute(next->cores[step.lane].queue(Queue::load)[step.index]);
      prefetched_[step.lane][step.index] = true;
      continue;
    }
    Lane& lane = lanes[step.lane];
    const Instruction& instruction = (*lane.instructions)[step.index];
    if (step.what == 0) {
      for (const Wait& wait : instruction.waits)
        semaphores[lane.core][static_cast<std::size_t>(wait.semaphore)] -= wait.count;
      ++lane.started;
    } else if (step.what == 1) {
      execute(instruction);
      lane.done[step.index] = true;
    } else {
      for (const Signal& signal : instruction.signals)
        semaphores.at(core_index(signal.core))[static_cast<std::size_t>(signal.semaphore)] += signal.count;
      ++lane.ended;
    }
  }
  for (const Lane& lane : lanes)
    if (lane.ended != lane.instructions->size()) return "deadlock";
  for (const auto& core : semaphores)
    for (const std::int64_t count : core)
      if (count != 0) return "a semaphore is not back at zero";
  return problem_;
}

}  // namespace accsim::tests
