#include "sim/core/timeline.h"

#include <algorithm>

namespace accsim::sim {

CycleState engine_state(Activity activity) {
  switch (activity) {
    case Activity::compute:
    case Activity::dram_transfer:
    case Activity::transfer:
      return CycleState::compute;
    case Activity::operand_stall:
      return CycleState::operand_stall;
    case Activity::dram_wait:
      return CycleState::dram_wait;
    case Activity::noc_wait:
      return CycleState::noc_wait;
    case Activity::sync_wait:
      return CycleState::sync_wait;
    case Activity::idle:
      return CycleState::idle;
  }
  return CycleState::idle;
}

namespace {

// The core computes when its array or vector unit does; else it waits for what its slowest engine waits for.
CycleState core_state(const std::array<Activity, 4>& now) {
  const Activity load = now[0];
  const Activity store = now[3];
  const auto compute_engine = [&](Activity a) { return now[1] == a || now[2] == a; };
  const auto dma = [&](Activity a) { return load == a || store == a; };
  const auto any = [&](Activity a) { return compute_engine(a) || dma(a); };
  if (compute_engine(Activity::compute)) return CycleState::compute;
  if (any(Activity::operand_stall)) return CycleState::operand_stall;
  if (dma(Activity::dram_wait) || dma(Activity::dram_transfer)) return CycleState::dram_wait;
  if (dma(Activity::noc_wait) || dma(Activity::transfer)) return CycleState::noc_wait;
  if (any(Activity::sync_wait)) return CycleState::sync_wait;
  return CycleState::idle;
}

}  // namespace

void CoreTimeline::report(model::Queue queue, Activity activity, Cycles until) {
  EngineLine& line = engine(queue);
  if (until <= line.until) return;
  line.account[engine_state(activity)] += until - line.until;
  line.until = until;
  if (!line.segments.empty() && line.segments.back().activity == activity) {
    line.segments.back().end = until;
  } else {
    line.segments.push_back({activity, until});
  }
  constexpr std::size_t kMergeAt = 64;  // segments; keeps the deques short
  if (line.segments.size() > kMergeAt) merge();
}

void CoreTimeline::merge() {
  for (;;) {
    Cycles end = engines_[0].until;
    std::array<Activity, 4> now{};
    for (std::size_t i = 0; i < engines_.size(); ++i) {
      EngineLine& line = engines_[i];
      while (!line.segments.empty() && line.segments.front().end <= merged_) line.segments.pop_front();
      if (line.segments.empty()) return;  // this engine has not been reported further
      now[i] = line.segments.front().activity;
      end = std::min(end, line.segments.front().end);
    }
    core_[core_state(now)] += end - merged_;
    merged_ = end;
  }
}

void CoreTimeline::finish(Cycles end) {
  for (const model::Queue queue : model::kQueues) report(queue, Activity::idle, end);
  merge();
}

}  // namespace accsim::sim
