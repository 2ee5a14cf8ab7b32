// Cuts a copy into bursts of the remote memory (DRAM, global buffer, another core's scratchpad): rows that follow each
// other without a gap are one run, a burst that two neighbouring runs share is moved once (model::burst_count counts
// the same). The local side is walked along: the local address of a burst's first useful byte.
#pragma once
#include <array>
#include <cstdint>

#include "model/program/program.h"

namespace accsim::sim {

struct Burst {
  std::int64_t address = 0;  // aligned, in the remote memory
  std::int64_t local_address = 0;
  std::int64_t bytes = 0;  // useful ones
};

class BurstWalker {
 public:
  BurstWalker() = default;
  // remote_is_source: a load; else a store.
  BurstWalker(const model::Copy& copy, bool remote_is_source, std::int64_t burst_bytes);

  [[nodiscard]] bool done() const { return !valid_; }
  [[nodiscard]] const Burst& current() const { return burst_; }
  void next();

 private:
  void enter_run();   // computes the run at index_
  void make_burst();  // at position_ in the run
  bool advance_run();

  const model::Copy* copy_ = nullptr;
  const model::Copy::Side* remote_ = nullptr;
  const model::Copy::Side* local_ = nullptr;
  std::int64_t burst_bytes_ = 1;
  int outer_ = 0;  // dimensions 0 .. outer_-1 are walked, the others are merged into the run
  std::int64_t run_bytes_ = 0;
  std::array<std::int64_t, 3> index_{0, 0, 0};
  std::int64_t run_start_ = 0;
  std::int64_t run_local_ = 0;
  std::int64_t position_ = 0;  // first byte of the run that no burst has moved yet
  std::int64_t last_burst_ = -1;
  Burst burst_;
  bool valid_ = false;
};

}  // namespace accsim::sim
