// A chip that executes programs on values, with no timing: instructions of different queues run in any order that the
// semaphores allow, drawn at random; loads and stores overlap with their neighbours in the queue. Every byte holds a
// value of its own or nothing, so that reads of what nobody wrote are found. Values are 64-bit, wrapping, whatever the
// tensor's type: an element's value stands at its first byte. Arithmetic is a stand-in that shows every operand (see
// combine_* below).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/program/program.h"
#include "tests/support/random_schedule.h"

namespace accsim::tests {

using Value = std::int64_t;

// Wrapping arithmetic and stand-ins for the vector unit's functions, shared with the reference.
Value add(Value a, Value b);
Value mul(Value a, Value b);
Value activate(const model::FusedActivation& activation, Value x);
Value combine_average(Value sum, std::int64_t valid, std::int64_t divisor);
Value combine_softmax(Value x, Value row_sum);
Value combine_normalization(Value x, Value row_sum, std::int64_t row, Value scale, Value bias);

class ValueMachine {
 public:
  ValueMachine(const model::Architecture& arch, const model::ProgramHeader& header, std::uint64_t seed);

  void write_dram(std::int64_t address, std::int64_t element_bytes, const std::vector<Value>& values);
  [[nodiscard]] std::vector<Value> read_dram(std::int64_t address, std::int64_t element_bytes,
                                             std::int64_t count) const;

  // Runs a group to its end; prefetch instructions of `next` run at any time meanwhile. Returns what went wrong, or
  // nothing.
  std::optional<std::string> run(const model::GroupProgram& group, const model::GroupProgram* next);

  // How often a byte of DRAM was written in all.
  [[nodiscard]] int writes_of(std::int64_t address) const { return dram_writes_[static_cast<std::size_t>(address)]; }

 private:
  struct Memory {
    std::vector<Value> value;
    std::vector<bool> written;
  };
  struct Lane {  // a queue of a core
    const std::vector<model::Instruction>* instructions = nullptr;
    std::size_t core = 0;  // index into semaphores
    std::size_t started = 0, ended = 0;
    std::vector<bool> done;  // effect applied
    std::size_t depth = 1;   // instructions in flight
  };

  Memory& memory(const model::Place& place);
  void forget_chip(const std::vector<model::Region>& kept);  // what earlier groups left in the cores
  void move_bytes(const model::Copy& copy);
  void multiply(const model::ArrayPass& pass);
  void compute(const model::VectorOp& op);
  void execute(const model::Instruction& instruction);
  [[nodiscard]] std::optional<std::int64_t> address(const model::TileRef& ref,
                                                    std::span<const std::int64_t> index) const;
  Value read(const model::TileRef& ref, std::span<const std::int64_t> index, Value neutral, bool* valid = nullptr);
  void write(const model::TileRef& ref, std::span<const std::int64_t> index, Value value);
  Value load(const model::Place& place);
  void store(const model::Place& place, Value value);

  Random random_;
  std::map<std::pair<model::Space, std::int32_t>, Memory> memories_;
  std::vector<int> dram_writes_;
  std::optional<std::string> problem_;
  std::vector<std::vector<bool>> prefetched_;  // of the group to come: by core, by load instruction
};

}  // namespace accsim::tests
