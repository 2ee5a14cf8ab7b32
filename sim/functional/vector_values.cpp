#include "sim/functional/vector_values.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "model/base/error.h"
#include "sim/functional/encoding.h"
#include "sim/functional/tile_walk.h"

namespace accsim::sim {

using model::DimKind;
using model::Loop;
using model::OpType;
using model::TileRef;
using model::VectorKind;
using model::VectorOp;

namespace {

constexpr std::int64_t kLargestBlock = 1 << 18;  // elements of a source that are laid out at once

using model::is_pool;

std::uint32_t word(std::int32_t v) { return static_cast<std::uint32_t>(v); }

// Quotients rounded down; the divisor is positive.
std::int64_t divide_down(std::int64_t a, std::int64_t by) {
  const std::int64_t quotient = a / by;
  return a % by < 0 ? quotient - 1 : quotient;
}

// The bounds of a Clip as one number: SplitMix64's output function (Steele, Lea, Flood, OOPSLA 2014) over the bits of
// both.
std::uint32_t offset_of(const model::ClipAttributes& clip) {
  std::uint64_t state = 0;
  for (const double bound : {clip.min, clip.max}) {
    const double unsigned_zero = bound == 0 ? 0.0 : bound;
    std::uint64_t bits = 0;
    std::memcpy(&bits, &unsigned_zero, sizeof bits);
    state += bits + 0x9E3779B97F4A7C15U;
    state = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9U;
    state = (state ^ (state >> 27U)) * 0x94D049BB133111EBU;
    state ^= state >> 31U;
  }
  return static_cast<std::uint32_t>(state);
}

// Odd factor and offset of the activations that scatter a multiple of their operand.
struct Line {
  std::uint32_t factor = 1;
  std::uint32_t offset = 0;
};
Line line_of(const model::FusedActivation& activation) {
  switch (activation.type) {
    case OpType::clip:
      return {1, offset_of(activation.clip)};
    case OpType::sigmoid:
      return {5, 3};
    case OpType::tanh:
      return {13, 7};
    case OpType::gelu:
      return {45, 11};
    case OpType::neg:
      return {25, 15};
    case OpType::sqrt:
      return {17, 5};
    case OpType::exp:
      return {19, 9};
    case OpType::erf:
      return {37, 13};
    case OpType::silu:
      return {31, 3};
    case OpType::hard_sigmoid:
      return {7, 1};
    case OpType::hard_swish:
      return {11, 5};
    default:
      throw model::InternalError("a vector instruction with an activation that is none");
  }
}

void activate(const model::FusedActivation& activation, std::vector<std::int32_t>& values, int bits) {
  if (activation.type == OpType::quantize_linear || activation.type == OpType::dequantize_linear) return;
  if (activation.type == OpType::relu || activation.type == OpType::leaky_relu) {
    const Line line = activation.type == OpType::relu ? Line{5, 3} : Line{3, 1};
    const std::int32_t least = std::numeric_limits<std::int32_t>::min() >> (32 - bits);
    for (std::int32_t& x : values) {  // negative ones stay so
      const std::int32_t moved = signed_low(line.factor * word(x) + line.offset, bits);
      x = x >= 0 ? x : (moved < 0 ? moved : moved + least);
    }
    return;
  }
  const Line line = line_of(activation);
  for (std::int32_t& x : values) x = scattered(line.factor * word(x) + line.offset, bits);
}

int bits_of(const TileRef& source) {
  return source.place.space == model::Space::accumulator ? sum_bits(source.type) : integer_bits(source.type);
}

// Whether the source's elements are taken with no more bits than the result has. Sums, scales and biases are taken as
// they are, and so are rows, of which the exponentials or squares are wanted first.
bool is_operand(VectorKind kind, std::size_t source) {
  switch (kind) {
    case VectorKind::requantize:
    case VectorKind::move:
    case VectorKind::softmax:
    case VectorKind::layer_normalization:
    case VectorKind::rms_normalization:
      return false;
    default:
      return source < kMostSources;
  }
}

// The sources of one block of results, each laid out in the order of its loops.
class Block {
 public:
  explicit Block(const VectorOp& op, const std::array<const std::uint8_t*, kMostSources>& sources) : op_(&op) {
    const int bits = integer_bits(op.output.type);
    for (std::size_t s = 0; s < op.sources.size(); ++s) {
      const TileRef& tile = op.sources[s];
      const std::int64_t span = tile_span(tile);
      elements_[s].resize(static_cast<std::size_t>(span));
      if (tile.place.space == model::Space::accumulator) {
        for (std::int64_t i = 0; i < span; ++i) {
          elements_[s][static_cast<std::size_t>(i)] = read_sum(tile.type, sources[s], i);
        }
      } else {
        decode(tile.type, sources[s], span, elements_[s].data());
      }
      if (is_operand(op.kind, s) && bits_of(tile) > bits) {
        for (std::int32_t& x : elements_[s]) x = requantised(word(x), bits);
      }
    }
  }

  void lay_out(const std::vector<std::size_t>& order, const std::vector<std::int64_t>& at) {
    for (std::size_t s = 0; s < op_->sources.size(); ++s) lay_out(s, order, at);
  }
  [[nodiscard]] const std::vector<std::int32_t>& operator[](std::size_t source) const { return values_[source]; }
  [[nodiscard]] const std::vector<std::uint8_t>& valid() const { return valid_; }  // of source 0, in a pool

 private:
  void lay_out(std::size_t s, const std::vector<std::size_t>& order, const std::vector<std::int64_t>& at) {
    std::size_t count = 1;
    for (const std::size_t l : order) count *= static_cast<std::size_t>(op_->loops[l].extent);
    std::vector<std::int32_t>& to = values_[s];
    to.resize(count);
    const bool mark = is_pool(op_->kind);
    if (mark) valid_.resize(count);
    const std::vector<std::int32_t>& from = elements_[s];
    TileWalk(op_->sources[s], op_->loops, order, at).each_row([&](const TileWalk::Row& row) {
      for (std::int64_t i = 0; i < row.count; ++i) {
        const bool inside = i >= row.low && i < row.high;
        const auto at_flat = static_cast<std::size_t>(row.flat + i * row.flat_step);
        to[at_flat] = inside ? from[static_cast<std::size_t>(row.element + i * row.element_step)] : 0;
        if (mark) valid_[at_flat] = inside ? 1 : 0;
      }
    });
  }

  const VectorOp* op_;
  std::array<std::vector<std::int32_t>, kMostSources> elements_;  // as in memory
  std::array<std::vector<std::int32_t>, kMostSources> values_;
  std::vector<std::uint8_t> valid_;
};

// Results before activations.
class Function {
 public:
  Function(const VectorOp& op, std::int64_t row) : op_(op), row_(row), bits_(integer_bits(op.output.type)) {}

  void operator()(const Block& block, std::int64_t rows, std::int32_t* out) const {
    const std::int32_t* x = block[0].data();
    const std::int64_t all = rows * row_;
    switch (op_.kind) {
      case VectorKind::requantize: {
        const int sum = sum_bits(op_.sources[0].type);
        const std::int32_t* bias = op_.sources.size() > 1 ? block[1].data() : nullptr;
        for (std::int64_t i = 0; i < all; ++i) {
          const auto wide = static_cast<std::uint32_t>(signed_low(static_cast<std::uint32_t>(x[i]), sum));
          out[i] = requantised(wide + (bias != nullptr ? static_cast<std::uint32_t>(bias[i]) : 0U), bits_);
        }
        return;
      }
      case VectorKind::add:
        for (std::int64_t i = 0; i < all; ++i) out[i] = scattered(word(x[i]) + word(block[1][at(i)]), bits_);
        return;
      case VectorKind::mul:
        for (std::int64_t i = 0; i < all; ++i)
          out[i] = scattered(word(scattered(word(x[i]), bits_)) + word(scattered(word(block[1][at(i)]), bits_)), bits_);
        return;
      case VectorKind::sub:
        return in_order(3, x, block[1].data(), all, out);
      case VectorKind::div:
        return in_order(5, x, block[1].data(), all, out);
      case VectorKind::pow:
        return in_order(7, x, block[1].data(), all, out);
      case VectorKind::prelu:
        return in_order(9, x, block[1].data(), all, out);
      case VectorKind::select:
        for (std::int64_t i = 0; i < all; ++i) {
          const bool first = (x[i] & 1) != 0;
          const std::uint32_t chosen = word(block[first ? 1 : 2][at(i)]);
          const std::uint32_t other = word(block[first ? 2 : 1][at(i)]);
          out[i] = scattered(chosen + 5 * other + word(scattered(word(x[i]), bits_)), bits_);
        }
        return;
      case VectorKind::move:
      case VectorKind::activate:
        std::copy(x, x + all, out);
        return;
      case VectorKind::max_pool:
        for (std::int64_t r = 0; r < rows; ++r) out[r] = maximum(x + r * row_, block.valid().data() + r * row_);
        return;
      case VectorKind::average_pool:
      case VectorKind::interpolate:
        for (std::int64_t r = 0; r < rows; ++r) out[r] = average(x + r * row_, block.valid().data() + r * row_);
        return;
      case VectorKind::softmax:
        for (std::int64_t r = 0; r < rows; ++r) softmax(x + r * row_, out + r * row_);
        return;
      case VectorKind::layer_normalization:
      case VectorKind::rms_normalization:
        for (std::int64_t r = 0; r < rows; ++r) normalise(block, r * row_, out + r * row_);
        return;
    }
  }

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

  void in_order(std::uint32_t factor, const std::int32_t* x, const std::int32_t* y, std::int64_t count,
                std::int32_t* out) const {
    for (std::int64_t i = 0; i < count; ++i)
      out[i] = scattered(factor * word(x[i]) + word(scattered(word(y[i]), bits_)), bits_);
  }

  // Sum of a window's elements that are not padding, and their number.
  struct Window {
    std::uint32_t sum = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] Window window(const std::int32_t* x, const std::uint8_t* valid) const {
    Window window;
    for (std::int64_t i = 0; i < row_; ++i) {
      window.sum += valid[i] != 0 ? word(x[i]) : 0U;
      window.count += valid[i];
    }
    return window;
  }

  [[nodiscard]] std::int32_t maximum(const std::int32_t* x, const std::uint8_t* valid) const {
    const Window w = window(x, valid);
    return scattered(w.sum + w.sum + w.sum + w.count, bits_);
  }

  [[nodiscard]] std::int32_t average(const std::int32_t* x, const std::uint8_t* valid) const {
    const Window w = window(x, valid);
    const std::uint32_t divisor =
        op_.divisor > 0 ? static_cast<std::uint32_t>(static_cast<std::uint64_t>(op_.divisor)) : std::max(w.count, 1U);
    return scattered(w.sum + 5 * divisor, bits_);
  }

  // An element of a row: itself, in no more bits than the result has, and what its row made of it.
  [[nodiscard]] std::int32_t in_row(std::int32_t x, std::uint32_t share) const {
    const std::int32_t own = bits_of(op_.sources[0]) > bits_ ? requantised(word(x), bits_) : x;
    return scattered(word(own) + word(requantised(share, bits_)), bits_);
  }

  void softmax(const std::int32_t* x, std::int32_t* out) const {
    const int bits = integer_bits(op_.sources[0].type);
    const auto exponential = [bits](std::int32_t value) {
      const std::int64_t from_least = std::int64_t{value} + (std::int64_t{1} << (bits - 1));
      return softmax_exponential(bits < 8 ? from_least * (1 << (8 - bits)) : from_least >> (bits - 8));
    };
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < row_; ++i) sum += exponential(x[i]);
    for (std::int64_t i = 0; i < row_; ++i) {
      out[i] = in_row(x[i], static_cast<std::uint32_t>(exponential(x[i]) * (1 << 24) / sum));
    }
  }

  void normalise(const Block& block, std::int64_t first, std::int32_t* out) const {
    const std::int32_t* x = block[0].data() + first;
    const std::int32_t* scale = op_.sources.size() > 1 ? block[1].data() + first : nullptr;
    const std::int32_t* bias = op_.sources.size() > 2 ? block[2].data() + first : nullptr;
    const auto wide = [](std::int32_t v) { return static_cast<std::uint64_t>(std::int64_t{v}); };
    const auto n = static_cast<std::uint64_t>(row_);
    std::uint64_t sum = 0;
    std::uint64_t squares = 0;
    for (std::int64_t i = 0; i < row_; ++i) {
      if (op_.kind == VectorKind::layer_normalization) sum += wide(x[i]);
      squares += wide(x[i]) * wide(x[i]);
    }
    const auto root = static_cast<std::int64_t>(square_root(n * squares - sum * sum)) + 1;
    for (std::int64_t i = 0; i < row_; ++i) {
      const auto distance = static_cast<std::int64_t>((n * wide(x[i]) - sum) * 256);
      const auto quotient = static_cast<std::uint32_t>(divide_down(distance, root));
      const std::uint32_t scaled = scale != nullptr ? quotient * static_cast<std::uint32_t>(scale[i]) : quotient;
      out[i] = in_row(x[i], scaled + (bias != nullptr ? word(bias[i]) : 0U));
    }
  }

  const VectorOp& op_;
  std::int64_t row_;
  int bits_;
};

std::vector<std::size_t> loops_of(const VectorOp& op, bool rows) {
  std::vector<std::size_t> order;
  for (std::size_t l = 0; l < op.loops.size(); ++l) {
    if ((op.loops[l].kind == DimKind::row) == rows && op.loops[l].extent > 1) order.push_back(l);
  }
  return order;
}

std::int64_t extent_of(const VectorOp& op, const std::vector<std::size_t>& order) {
  std::int64_t extent = 1;
  for (const std::size_t l : order) extent *= op.loops[l].extent;
  return extent;
}

}  // namespace

std::int64_t softmax_exponential(std::int64_t step) {
  constexpr std::size_t kSteps = 256;
  static constexpr std::array<std::int64_t, kSteps> kTable = [] {
    std::array<std::int64_t, kSteps> table{};
    std::int64_t value = 16;
    for (std::int64_t& entry : table) {
      entry = value;
      value += value / 16 + 1;
    }
    return table;
  }();
  return kTable[static_cast<std::size_t>(step)];
}

std::uint64_t square_root(std::uint64_t v) {
  if (v < 2) return v;
  // Newton's iteration from above: falls until it has arrived.
  std::uint64_t root = std::uint64_t{1} << 32U;
  for (;;) {
    const std::uint64_t next = (root + v / root) / 2;
    if (next >= root) return root;
    root = next;
  }
}

std::vector<std::int32_t> evaluate(const VectorOp& op, const std::array<const std::uint8_t*, kMostSources>& sources) {
  if (op.sources.empty() || op.sources.size() > kMostSources) {
    throw model::InternalError("a vector instruction with " + std::to_string(op.sources.size()) + " sources");
  }
  std::vector<std::size_t> order = loops_of(op, false);
  const std::vector<std::size_t> row_order = loops_of(op, true);
  const std::int64_t row = extent_of(op, row_order);
  const std::int64_t results_a_row = is_pool(op.kind) ? 1 : row;
  std::vector<std::int32_t> results(static_cast<std::size_t>(extent_of(op, order) * results_a_row));

  // Blocks: the outermost loops go one index at a time, so that a block stays small.
  std::vector<std::size_t> single;
  while (!order.empty() && extent_of(op, order) * row > kLargestBlock) {
    single.push_back(order.front());
    order.erase(order.begin());
  }
  const std::int64_t rows = extent_of(op, order);
  order.insert(order.end(), row_order.begin(), row_order.end());

  Block block(op, sources);
  const Function function(op, row);
  std::vector<std::int64_t> at(op.loops.size(), 0);
  std::int32_t* out = results.data();
  for (;;) {
    block.lay_out(order, at);
    function(block, rows, out);
    out += rows * results_a_row;
    std::size_t i = single.size();
    while (i > 0 && ++at[single[i - 1]] == op.loops[single[i - 1]].extent) at[single[--i]] = 0;
    if (i == 0) break;
  }

  // Values of the result's type: they are, unless a program moves a wider type's or takes a maximum of nothing.
  const int bits = integer_bits(op.output.type);
  for (std::int32_t& value : results) value = signed_low(static_cast<std::uint32_t>(value), bits);
  for (const model::FusedActivation& activation : op.activations) activate(activation, results, bits);
  return results;
}

void write_results(const VectorOp& op, const std::vector<std::int32_t>& results, std::uint8_t* output) {
  std::vector<std::size_t> order = loops_of(op, false);
  if (!is_pool(op.kind)) {
    const std::vector<std::size_t> rows = loops_of(op, true);
    order.insert(order.end(), rows.begin(), rows.end());
  }
  const std::vector<std::int64_t> at(op.loops.size(), 0);
  TileWalk(op.output, op.loops, order, at).each_row([&](const TileWalk::Row& row) {
    for (std::int64_t i = row.low; i < row.high; ++i) {
      encode(op.output.type, results[static_cast<std::size_t>(row.flat + i * row.flat_step)], output,
             row.element + i * row.element_step);
    }
  });
}

}  // namespace accsim::sim
