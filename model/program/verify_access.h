// Which bytes of which memory an instruction reads and writes: the program verifier's view of copies and tiles.
// A tile that is read counts as read whole (its declared box); a tile that is written counts with exactly the
// elements that its loops reach, so that nothing is taken for written that is not.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/program/program.h"

namespace accsim::model {

// A memory of the chip as a small number: 0 DRAM, 1 global buffer, 2+2c scratchpad and 3+2c accumulator of core c.
using MemoryIndex = std::size_t;
inline constexpr MemoryIndex kDramMemory = 0;
inline constexpr MemoryIndex kGlobalBufferMemory = 1;
MemoryIndex memory_of(const Place& place);
std::string memory_name(MemoryIndex memory);  // "the scratchpad of core 2"

// Runs of bytes at begin + sum(index * stride). Kept in bits, because of int4; rows come out as whole bytes.
// Dimensions that follow each other without a gap are merged into the run.
class StridedRange {
 public:
  StridedRange() = default;
  explicit StridedRange(std::int64_t first_bit) : begin_(first_bit), end_(first_bit) {}

  struct Dim {
    std::int64_t count = 1;
    std::int64_t stride = 0;  // bits
  };
  // `run` bits for each index of `dims`; strides may be negative. Takes the dims, in any order.
  StridedRange(std::int64_t first_bit, std::int64_t run, std::vector<Dim> dims);

  [[nodiscard]] bool empty() const { return run_ == 0; }
  [[nodiscard]] std::int64_t begin() const { return begin_ / 8; }    // first byte
  [[nodiscard]] std::int64_t end() const { return (end_ + 7) / 8; }  // behind the last byte
  // No two indices reach the same bit (sufficient condition, exact for nested strides).
  [[nodiscard]] bool injective() const { return injective_; }

  // More rows than bits between first and last: strides that interleave without pattern.
  [[nodiscard]] bool tangled() const;

  // visit(begin, end) for every row, addresses ascending where the strides are nested; stops when it returns false.
  template <class Visit>
  bool each_row(Visit&& visit) const {
    return empty() || rows(dims_.size(), begin_, visit);
  }

 private:
  template <class Visit>
  bool rows(std::size_t level, std::int64_t at, Visit& visit) const {
    if (level == 0) return visit(at / 8, (at + run_ + 7) / 8);
    const Dim& dim = dims_[level - 1];
    for (std::int64_t i = 0; i < dim.count; ++i) {
      if (!rows(level - 1, at + i * dim.stride, visit)) return false;
    }
    return true;
  }

  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t run_ = 0;
  bool injective_ = true;
  std::vector<Dim> dims_;  // ascending strides
};

StridedRange source_range(const Copy& copy);       // of a gather: the whole table
StridedRange destination_range(const Copy& copy);  // in the memory of every core that it goes to
StridedRange indices_range(const Copy::Gather& gather, std::int64_t count);
StridedRange read_range(const TileRef& tile);
StridedRange written_range(const TileRef& tile, const std::vector<Loop>& loops);

struct Access {
  MemoryIndex memory = kDramMemory;
  bool write = false;
  StridedRange range;
  std::int64_t element = 1;  // bytes of what is read as one; it lies at a multiple of that
};
// Where a copy writes: its destination, of a multicast every core's scratchpad.
std::vector<MemoryIndex> destinations_of(const Copy& copy);

// Reads before writes. Only for instructions that passed the structural check.
std::vector<Access> accesses_of(const Instruction& instruction);

}  // namespace accsim::model
