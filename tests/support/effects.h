// What an instruction does, as bytes and elements: its normal form (see equivalence.h), what it reads and writes, and
// the elements of each result. Memories are counted in cells of half a byte, because of int4.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "model/program/program.h"
#include "model/program/verify_access.h"

namespace accsim::tests {

using Canonical = std::vector<std::int64_t>;

inline constexpr std::int64_t kCellBits = 4;
inline constexpr std::int64_t kCellsAByte = 8 / kCellBits;
inline std::int64_t cells_of(model::DataType type) { return model::bits_of(type) / kCellBits; }

struct Cell {
  model::MemoryIndex memory = 0;
  std::int64_t address = 0;  // in cells
  auto operator<=>(const Cell&) const = default;
};

struct Effect {
  Canonical form;
  std::vector<Cell> reads;   // ascending, each once
  std::vector<Cell> writes;  // likewise
};
Effect effect_of(const model::Instruction& instruction);

// Calls visit(index) for every index combination of the loops that `wanted` selects; the others are 0.
template <class Wanted, class Visit>
void each_index(const std::vector<model::Loop>& loops, std::vector<std::int64_t>& index, Wanted wanted, Visit visit) {
  std::vector<std::size_t> walked;
  for (std::size_t l = 0; l < loops.size(); ++l) {
    if (!wanted(loops[l].kind)) continue;
    walked.push_back(l);
    index[l] = 0;
  }
  for (;;) {
    visit();
    std::size_t i = walked.size();
    while (i > 0 && ++index[walked[i - 1]] == loops[walked[i - 1]].extent) index[walked[--i]] = 0;
    if (i == 0) return;
  }
}

// First cell of the element that the loops reach at `index`; -1 for padding.
std::int64_t element_address(const model::TileRef& tile, const std::vector<std::int64_t>& index);

// What a vector operation computes: for each row (a single result where the operation has no rows) the results and, for
// each, the sources' elements; of a pool the window's elements, padding left out.
struct VectorElement {
  std::int64_t result = 0;
  std::vector<std::int64_t> sources;
  auto operator<=>(const VectorElement&) const = default;
};
std::vector<std::vector<VectorElement>> rows_of(const model::VectorOp& op);
bool has_rows(model::VectorKind kind);

// The products that go into each sum: {sum, {input, weight} …}, ascending.
struct SumOfProducts {
  std::int64_t sum = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> products;
  auto operator<=>(const SumOfProducts&) const = default;
};
std::vector<SumOfProducts> sums_of(const model::ArrayPass& pass);

// Which byte goes where (addresses in bytes). Of a gather: the source's place in row 0, and the position in the list of
// indices.
struct MovedByte {
  std::int64_t to = 0;
  std::int64_t from = 0;
  std::int64_t position = 0;
  auto operator<=>(const MovedByte&) const = default;
};
std::vector<MovedByte> moved_bytes(const model::Copy& copy);

}  // namespace accsim::tests
