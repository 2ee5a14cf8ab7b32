#include "sim/core/array_unit.h"

#include <algorithm>

namespace accsim::sim {

using model::Dataflow;

ArrayMachine::Pass ArrayMachine::begin(const model::ArrayPass& pass, Cycles at) {
  const model::ArrayConfig& array = core_->array;
  const model::ArrayTiming t = model::array_timing(model::shape_of(pass), *core_);
  const Cycles rows(array.rows);
  const Cycles streaming(t.folds * std::max(t.streamed, array.rows));  // of the streamed operand, all folds
  // The stationary operand's first block loads in R cycles, each further one while the block before it streams.
  const Cycles loading(std::max(array.rows, streaming.value() - t.streamed));
  const bool output_stationary = array.dataflow == Dataflow::output_stationary;
  const bool input_stationary = array.dataflow == Dataflow::input_stationary;
  const auto place = [](const model::TileRef& tile) { return tile.place.address; };
  const auto size = [](const model::TileRef& tile) { return tile.bytes().value(); };

  const model::TileRef& stationary = input_stationary ? pass.input : pass.weight;
  const model::TileRef& streamed = input_stationary ? pass.weight : pass.input;
  const std::int64_t stationary_lines = input_stationary ? t.input_lines : t.weight_lines;
  const std::int64_t streamed_lines = input_stationary ? t.weight_lines : t.input_lines;
  stalls_.clear();
  Cycles stall;
  stall += scratchpad_->stream(Master::array, at, output_stationary ? streaming : loading, place(stationary),
                               size(stationary), stationary_lines);
  add_stalls(stalls_, scratchpad_->late(), WaitFor::scratchpad_bank, WaitFor::scratchpad_port);
  stall += scratchpad_->stream(Master::array, output_stationary ? at : at + rows, streaming, place(streamed),
                               size(streamed), streamed_lines);
  add_stalls(stalls_, scratchpad_->late(), WaitFor::scratchpad_bank, WaitFor::scratchpad_port);
  const Cycles first_result = at + t.latency - streaming + stall;
  stall += accumulator_->stream(Master::array, std::max(at, first_result), streaming, place(pass.output),
                                size(pass.output), t.output_lines);
  add_stalls(stalls_, accumulator_->late(), WaitFor::accumulator_bank, WaitFor::accumulator_port);
  const Cycles end = std::max(at + t.latency + stall, last_end_ + Cycles(1));
  next_begin_ = at + t.interval + stall;
  last_end_ = end;
  return {at, end, stall, t};
}

void ArrayUnit::run(Cycles now) {
  scratchpad->memory().advance(now);
  accumulator->memory().advance(now);
  while (!running_.empty() && running_.front().end <= now) {
    end(running_.front().started, now);
    running_.pop_front();
  }
  if (may_start(now)) {
    // One cycle to issue.
    if (now + Cycles(1) < machine_->next_begin()) {
      wake_at(machine_->next_begin() - Cycles(1));
    } else {
      const Started started = start(now);
      const ArrayMachine::Pass pass =
          machine_->begin(std::get<model::ArrayPass>(started.instruction->op), now + Cycles(1));
      account(started, pass);
      running_.push_back({started, pass.end});
      if (has_head()) wake_at(std::max(now + Cycles(1), machine_->next_begin() - Cycles(1)));
    }
  }
  if (!running_.empty()) wake_at(running_.front().end);
}

void ArrayUnit::account(const Started& started, const ArrayMachine::Pass& pass) {
  report_waiting(*started.group, pass.begin);
  const Cycles before = std::max(reported(), pass.begin);
  const Cycles stalled = std::min(pass.stall, pass.end - before);
  report_stalls(machine_->stalls(), before + stalled);
  report(Activity::compute, pass.end);
  draw(started, machine_->stalls());

  const auto& op = std::get<model::ArrayPass>(started.instruction->op);
  model::GroupMeasurement& measured = started.group->measured;
  measured.array_busy += pass.end - before;
  measured.array_stall += stalled;
  measured.array_instructions += 1;
  measured.macs += op.macs();
  ActionCounts& actions = started.group->actions[core_type_];
  actions.macs += op.macs().value();
  actions.scratchpad_read_bytes +=
      (pass.timing.input_lines + pass.timing.weight_lines) * config_->scratchpad.port_bytes;
  const std::int64_t sums = pass.timing.output_lines * config_->accumulator.port_bytes;
  actions.accumulator_write_bytes += sums;
  // Every write but the first to an element adds to what is there.
  const std::int64_t first_writes = op.accumulate ? 0 : std::min(sums, op.output.bytes().value());
  actions.accumulator_read_bytes += sums - first_writes;
}

}  // namespace accsim::sim
