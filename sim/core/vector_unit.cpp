#include "sim/core/vector_unit.h"

#include <algorithm>

namespace accsim::sim {
namespace {

// Times that a source is read in full: pooling windows overlap, normalisations make several passes over their rows.
std::int64_t elements_read(const model::VectorOp& op, const model::TileRef& source) {
  switch (op.kind) {
    case model::VectorKind::max_pool:
    case model::VectorKind::average_pool:
    case model::VectorKind::interpolate:
      return op.result_elements() * model::window_reads(op.kind, op.row_elements());
    default:
      return model::passes_of(op.kind) * source.elements();
  }
}

}  // namespace

VectorMachine::Operation VectorMachine::begin(const model::VectorOp& op, Cycles at) {
  const Cycles base = model::vector_cycles(model::work_of(op), core_->vector);
  const Cycles busy = base - Cycles(model::kVectorStartup);
  stalls_.clear();
  Operation operation;
  operation.begin = at;
  for (const model::TileRef& source : op.sources) {
    const bool sums = source.place.space == model::Space::accumulator;
    BankedMemory& memory = sums ? *accumulator_ : *scratchpad_;
    const std::int64_t bytes = model::storage_bytes(source.type, elements_read(op, source)).value();
    const std::int64_t lines = model::ceil_div(bytes, memory.port_bytes());
    operation.stall += memory.stream(Master::vector, at, busy, source.place.address, source.bytes().value(), lines);
    add_stalls(stalls_, memory.late(), sums ? WaitFor::accumulator_bank : WaitFor::scratchpad_bank,
               sums ? WaitFor::accumulator_port : WaitFor::scratchpad_port);
    (sums ? operation.accumulator_read_lines : operation.scratchpad_read_lines) += lines;
  }
  operation.scratchpad_write_lines = model::ceil_div(op.output.bytes().value(), scratchpad_->port_bytes());
  operation.stall +=
      scratchpad_->stream(Master::vector, at + Cycles(model::kVectorStartup) + operation.stall, busy,
                          op.output.place.address, op.output.bytes().value(), operation.scratchpad_write_lines);
  add_stalls(stalls_, scratchpad_->late(), WaitFor::scratchpad_bank, WaitFor::scratchpad_port);
  operation.end = at + base + operation.stall;
  return operation;
}

void VectorUnit::run(Cycles now) {
  scratchpad->memory().advance(now);
  accumulator->memory().advance(now);
  if (running_ && running_end_ <= now) {
    end(*running_, now);
    running_.reset();
  }
  if (!running_ && may_start(now)) {
    const Started started = start(now);
    const VectorMachine::Operation operation =
        machine_->begin(std::get<model::VectorOp>(started.instruction->op), now + Cycles(1));
    account(started, operation);
    running_ = started;
    running_end_ = operation.end;
  }
  if (running_) wake_at(running_end_);
}

void VectorUnit::account(const Started& started, const VectorMachine::Operation& operation) {
  report_waiting(*started.group, operation.begin);
  report_stalls(machine_->stalls(), operation.begin + operation.stall);
  report(Activity::compute, operation.end);
  draw(started, machine_->stalls());

  const auto& op = std::get<model::VectorOp>(started.instruction->op);
  model::GroupMeasurement& measured = started.group->measured;
  measured.vector_busy += operation.end - operation.begin;
  measured.vector_stall += operation.stall;
  measured.vector_instructions += 1;
  ActionCounts& actions = started.group->actions[core_type_];
  actions.lane_operations += model::vector_lane_operations(model::work_of(op), config_->vector);
  actions.scratchpad_read_bytes += operation.scratchpad_read_lines * config_->scratchpad.port_bytes;
  actions.scratchpad_write_bytes += operation.scratchpad_write_lines * config_->scratchpad.port_bytes;
  actions.accumulator_read_bytes += operation.accumulator_read_lines * config_->accumulator.port_bytes;
}

}  // namespace accsim::sim
