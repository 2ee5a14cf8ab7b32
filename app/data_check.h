// A program executed on data beside its timed simulation, and its activations compared with the reference executor:
// every activation that a group leaves in memory, when the group has ended, bit for bit. Counts
// the distinct values of each checked tensor: too few would make a comparison worth little. The host's memory holds
// only what is live: weights while a group reads them, activations up to their last reader.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/distinct_values.h"
#include "model/arch/arch.h"
#include "model/program/program.h"
#include "model/reference/executor.h"
#include "model/schedule/schedule.h"
#include "model/workload/network.h"
#include "sim/system/simulate.h"

namespace accsim::app {

// The last group that reads a region of the program's header, by the region's name.
using LastReaders = std::map<std::string, model::GroupId>;
LastReaders last_readers(const model::Network& network, const model::Schedule& schedule);
LastReaders last_readers(const model::Program& program);

struct CheckedTensor {
  std::string name;
  std::int64_t elements = 0;  // compared
  std::int64_t distinct = 0;
  std::int64_t required = 0;  // distinct values that it should have at least
};

// A tensor that differs, at its first wrong element.
struct Mismatch {
  std::string tensor;
  std::int64_t elements = 0;  // that differ
  std::vector<std::int64_t> coordinate;
  std::int64_t expected = 0;
  std::optional<std::int64_t> found;  // none: no group leaves it in memory
  std::optional<model::GroupId> group;
  // The instruction of the group that wrote the element; none: no instruction did.
  struct Writer {
    model::CoreId core;
    model::Queue queue = model::Queue::store;
    std::int64_t index = 0;
    std::string kind;  // "copy"
    std::string layer;
    std::int64_t tile = 0;
  };
  std::optional<Writer> writer;
};
// One line.
std::string message_of(const Mismatch& mismatch);

struct DataReport {
  std::vector<CheckedTensor> tensors;  // in the order in which their groups ended
  std::int64_t elements = 0;           // compared
  std::int64_t mismatches = 0;         // elements that differ
  std::vector<Mismatch> mismatched;
  // The tensor with the fewest distinct values against what it should have; null without tensors.
  [[nodiscard]] const CheckedTensor* fewest() const;
};

// ConfigError naming `file` where a program's regions are not the tensors of the network.
void require_tensors(const model::Network& network, const model::ProgramHeader& header, const std::string& file);

class DataCheck {
 public:
  // All must outlive it. ConfigError where the cores' accumulators differ in width.
  DataCheck(const model::Network& network, const model::Architecture& arch, const model::ProgramHeader& header,
            LastReaders readers, std::uint64_t seed);

  [[nodiscard]] sim::FunctionalChip& chip() { return chip_; }
  // After the run: adds the network outputs that no group left in memory.
  DataReport finish();

 private:
  void make_initial(const model::Region& region, std::int64_t offset, std::span<std::uint8_t> bytes) const;
  void group_ended(const model::GroupProgram& group);
  // A region that the group leaves: bytes of the tensor of that name from `offset`.
  void compare(const model::GroupProgram& group, const model::Region& region, const std::string& name,
               std::int64_t offset);
  void evaluate(model::OpId op);
  [[nodiscard]] Mismatch describe(const model::GroupProgram& group, const model::Tensor& tensor,
                                  const model::Region& region, std::int64_t element, std::int64_t offset) const;

  const model::Network& network_;
  const model::ProgramHeader& header_;
  LastReaders readers_;
  model::InitialValues initial_;
  model::ReferenceExecutor reference_;
  std::vector<bool> evaluated_;         // by operator
  std::vector<std::int64_t> required_;  // distinct values, by tensor
  std::map<std::string, model::TensorId> by_name_;
  std::map<model::TensorId, std::int64_t> compared_;  // elements
  std::map<model::TensorId, std::unique_ptr<model::DistinctCounter>> counters_;
  DataReport report_;
  sim::FunctionalChip chip_;
};

}  // namespace accsim::app
