#include "tests/support/symbolic.h"

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/support/effects.h"

namespace accsim::tests {

using model::ArrayPass;
using model::Copy;
using model::TileRef;
using model::VectorKind;
using model::VectorOp;

namespace {

using Name = std::uint64_t;

Name mix(Name a, Name b) {
  Name z = a * 0x9e3779b97f4a7c15U + b + 0x632be59bd9b4e019U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

class Machine {
 public:
  explicit Machine(const model::Program& program) : program_(program) {}

  void run(const ProgramGraph& graph) {
    for (const std::size_t node : graph.sequence()) {
      const model::Instruction& instruction = *graph.nodes()[node].instruction;
      if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
        move(*copy);
      } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
        multiply(*pass);
      } else {
        compute(std::get<VectorOp>(instruction.op));
      }
    }
  }

  [[nodiscard]] std::map<std::int64_t, Name> results() const {
    std::map<std::int64_t, Name> all;
    for (const model::Region& region : program_.header.dram) {
      const bool constant = std::any_of(program_.header.constant.begin(), program_.header.constant.end(),
                                        [&](const model::Region& other) { return other.place == region.place; });
      for (std::int64_t b = 0; !constant && b < region.size.value(); ++b)
        all[region.place.address + b] = byte_at(model::kDramMemory, region.place.address + b);
    }
    return all;
  }

 private:
  using Memory = std::unordered_map<std::int64_t, Name>;

  // A cell that nobody has written is its own expression: a constant, or nothing.
  [[nodiscard]] Name cell_at(model::MemoryIndex memory, std::int64_t address) const {
    const auto found = memories_.find(memory);
    if (found != memories_.end()) {
      const auto it = found->second.find(address);
      if (it != found->second.end()) return it->second;
    }
    return mix(mix(1, memory), static_cast<Name>(address));
  }

  [[nodiscard]] Name byte_at(model::MemoryIndex memory, std::int64_t address) const {
    return mix(cell_at(memory, address * kCellsAByte), cell_at(memory, address * kCellsAByte + 1));
  }

  [[nodiscard]] Name element(const TileRef& tile, std::int64_t cell) const {
    if (cell < 0) return 2;  // padding
    Name name = mix(3, static_cast<Name>(tile.type));
    for (std::int64_t c = 0; c < cells_of(tile.type); ++c)
      name = mix(name, cell_at(model::memory_of(tile.place), cell + c));
    return name;
  }

  void set(const TileRef& tile, std::int64_t cell, Name value) {
    for (std::int64_t c = 0; c < cells_of(tile.type); ++c)
      memories_[model::memory_of(tile.place)][cell + c] = mix(mix(4, value), static_cast<Name>(c));
  }

  void move(const Copy& copy) {
    std::vector<Name> moved;
    const std::vector<MovedByte> bytes = moved_bytes(copy);
    const model::MemoryIndex from = model::memory_of(copy.src.place);
    for (const MovedByte& at : bytes) {
      for (std::int64_t c = 0; c < kCellsAByte; ++c) {
        const Name name = cell_at(from, at.from * kCellsAByte + c);
        moved.push_back(copy.gather ? mix(gathered(copy, at), static_cast<Name>(c)) : name);
      }
    }
    std::vector<model::Place> places{copy.dst.place};
    for (const model::CoreId core : copy.multicast) places.push_back({copy.dst.place.space, core, 0});
    for (const model::Place& place : places) {
      Memory& to = memories_[model::memory_of(place)];
      for (std::size_t i = 0; i < moved.size(); ++i) {
        const auto cell = static_cast<std::int64_t>(i) % kCellsAByte;
        to[bytes[i / kCellsAByte].to * kCellsAByte + cell] = moved[i];
      }
    }
  }

  // The row is not known: an expression of the table's column, the number of rows, and the index.
  [[nodiscard]] Name gathered(const Copy& copy, const MovedByte& at) const {
    constexpr std::int64_t kIndexBytes = 4;
    const Copy::Gather& gather = *copy.gather;
    Name name = mix(5, static_cast<Name>(gather.rows));
    for (std::int64_t r = 0; r < gather.rows; ++r)
      name = mix(name, byte_at(model::memory_of(copy.src.place), at.from + r * copy.src.stride[0]));
    for (std::int64_t b = 0; b < kIndexBytes; ++b)
      name =
          mix(name, byte_at(model::memory_of(gather.indices), gather.indices.address + at.position * kIndexBytes + b));
    return name;
  }

  // Sums are kept as such, by their first byte; what reads them otherwise finds the bytes of a sum.
  void multiply(const ArrayPass& pass) {
    const model::MemoryIndex memory = model::memory_of(pass.output.place);
    for (const SumOfProducts& products : sums_of(pass)) {
      Name total = 0;
      if (pass.accumulate) {
        const auto it = sums_.find({memory, products.sum});
        total = it != sums_.end() ? it->second : mix(6, element(pass.output, products.sum));
      }
      for (const auto& [input, weight] : products.products) {
        const Name x = element(pass.input, input);
        const Name w = element(pass.weight, weight);
        total += mix(mix(7, x + w), x ^ w);
      }
      sums_[{memory, products.sum}] = total;
      set(pass.output, products.sum, mix(8, total));
    }
  }

  [[nodiscard]] Name combined(const VectorOp& op, const VectorElement& at) const {
    const auto x = [&](std::size_t s) { return element(op.sources[s], at.sources[s]); };
    // A sum and its bias are added.
    const bool biased = op.kind == VectorKind::requantize && op.sources.size() == 2;
    Name name = mix(9, static_cast<Name>(biased ? VectorKind::add : op.kind));
    if (biased) return mix(name, x(0) + x(1));
    switch (op.kind) {
      case VectorKind::add:
      case VectorKind::mul:
        return mix(name, x(0) + x(1));
      case VectorKind::max_pool:
      case VectorKind::average_pool: {  // a sum in any order, and how many elements there are or count
        Name sum = 0;
        for (const std::int64_t source : at.sources) sum += mix(10, element(op.sources[0], source));
        const bool given = op.kind == VectorKind::average_pool && op.divisor > 0;
        return mix(mix(name, sum), given ? static_cast<Name>(op.divisor) : static_cast<Name>(at.sources.size()));
      }
      default:
        for (std::size_t s = 0; s < at.sources.size(); ++s) name = mix(name, x(s));
        return name;
    }
  }

  [[nodiscard]] static Name activated(const VectorOp& op, Name name) {
    for (const model::FusedActivation& activation : op.activations) {
      name = mix(name, mix(12, static_cast<Name>(activation.type)));
      if (activation.type != model::OpType::clip) continue;
      name = mix(mix(name, std::bit_cast<Name>(activation.clip.min)), std::bit_cast<Name>(activation.clip.max));
    }
    return name;
  }

  void compute(const VectorOp& op) {
    std::vector<std::pair<std::int64_t, Name>> results;
    std::vector<std::pair<std::int64_t, std::vector<Name>>> moved;
    for (const auto& row : rows_of(op)) {
      Name whole = 0;
      if (has_rows(op.kind) && !is_pool(op.kind))
        for (const VectorElement& at : row) whole += mix(11, element(op.sources[0], at.sources[0]));
      for (const VectorElement& at : row) {
        if (is_plain_move(op)) {
          std::vector<Name> cells;
          for (std::int64_t c = 0; c < cells_of(op.output.type); ++c)
            cells.push_back(cell_at(model::memory_of(op.sources[0].place), at.sources[0] + c));
          moved.emplace_back(at.result, std::move(cells));
          continue;
        }
        Name name = mix(combined(op, at), whole);
        name = mix(name, static_cast<Name>(op.output.type));
        for (const TileRef& source : op.sources) name = mix(name, static_cast<Name>(source.type));
        results.emplace_back(at.result, activated(op, name));
      }
    }
    for (const auto& [address, name] : results) set(op.output, address, name);
    for (const auto& [address, cells] : moved)
      for (std::size_t c = 0; c < cells.size(); ++c)
        memories_[model::memory_of(op.output.place)][address + static_cast<std::int64_t>(c)] = cells[c];
  }

  static bool is_plain_move(const VectorOp& op) {
    return op.kind == VectorKind::move && op.activations.empty() && op.sources[0].type == op.output.type;
  }

  const model::Program& program_;
  std::map<model::MemoryIndex, Memory> memories_;
  std::map<std::pair<model::MemoryIndex, std::int64_t>, Name> sums_;
};

}  // namespace

std::map<std::int64_t, std::uint64_t> expressions_of(const model::Program& program, const ProgramGraph& graph) {
  Machine machine(program);
  machine.run(graph);
  return machine.results();
}

}  // namespace accsim::tests
