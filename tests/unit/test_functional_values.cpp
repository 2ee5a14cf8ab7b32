// What instructions compute on data, against loops that follow their definitions element by element: random tiles with
// padding, steps, strides, any order of loops.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/functional/array_values.h"
#include "sim/functional/dot_products.h"
#include "sim/functional/encoding.h"
#include "sim/functional/tile_walk.h"
#include "sim/functional/vector_values.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

using namespace accsim::sim;
using namespace accsim::model;
using accsim::tests::Random;

namespace {

using Index = std::vector<std::int64_t>;

// The tile's element that loop indices name; none where they name padding. As program.h says it.
std::optional<std::int64_t> element_at(const TileRef& tile, const Index& index) {
  std::int64_t element = 0;
  for (const TileAxis& axis : tile.axes) {
    std::int64_t coordinate = axis.offset;
    for (std::size_t l = 0; l < index.size(); ++l) coordinate += axis.coefficient[l] * index[l];
    if (coordinate < 0 || coordinate >= axis.step * axis.count || coordinate % axis.step != 0) return std::nullopt;
    element += coordinate / axis.step * axis.stride;
  }
  return element;
}

template <class Visit>
void each_index(const std::vector<Loop>& loops, const std::vector<std::size_t>& order, Index& index, Visit visit) {
  for (const std::size_t l : order) index[l] = 0;
  for (;;) {
    visit();
    std::size_t i = order.size();
    while (i > 0 && ++index[order[i - 1]] == loops[order[i - 1]].extent) index[order[--i]] = 0;
    if (i == 0) return;
  }
}

std::vector<std::size_t> all_loops(const std::vector<Loop>& loops) {
  std::vector<std::size_t> order(loops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

// Axes that follow some of the loops, dense in memory unless `gaps`.
TileRef random_tile(const std::vector<Loop>& loops, const std::vector<std::size_t>& used, DataType type, Random& random,
                    bool gaps) {
  TileRef tile;
  tile.type = type;
  const std::int64_t axes = random.range(1, 3);
  std::int64_t stride = 1;
  for (std::int64_t a = 0; a < axes; ++a) {
    TileAxis axis;
    axis.coefficient.assign(loops.size(), 0);
    for (const std::size_t l : used) {
      if (random.chance(50)) axis.coefficient[l] = random.range(-2, 3);
    }
    axis.step = random.chance(25) ? random.range(2, 3) : 1;
    if (axis.step > 1 && random.chance(60)) {
      for (std::int64_t& c : axis.coefficient) c *= axis.step;
    }
    axis.count = random.chance(5) ? 0 : random.range(1, 9);
    axis.offset = random.range(-4, 4) * (random.chance(50) ? axis.step : 1);
    axis.stride = stride;
    stride *= std::max<std::int64_t>(axis.count, 1) + (gaps ? random.range(0, 2) : 0);
    tile.axes.push_back(axis);
  }
  std::reverse(tile.axes.begin(), tile.axes.end());
  return tile;
}

// One axis for each loop, in a random order: every result has its element.
TileRef result_tile(const std::vector<Loop>& loops, const std::vector<std::size_t>& used, DataType type,
                    Random& random) {
  TileRef tile;
  tile.type = type;
  std::vector<std::size_t> order = used;
  random.shuffle(order);
  std::int64_t stride = 1;
  for (const std::size_t l : order) {
    TileAxis axis;
    axis.coefficient.assign(loops.size(), 0);
    const bool reversed = random.chance(20);
    axis.coefficient[l] = reversed ? -1 : 1;
    axis.count = loops[l].extent + random.range(0, 1);
    axis.offset = reversed ? loops[l].extent - 1 : 0;
    axis.stride = stride;
    stride *= axis.count;
    tile.axes.push_back(axis);
  }
  if (tile.axes.empty()) tile.axes.push_back({1, 1, 1, 0, std::vector<std::int64_t>(loops.size(), 0)});
  return tile;
}

std::vector<std::uint8_t> random_bytes(const TileRef& tile, Random& random) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(tile_span(tile)));
  for (std::int32_t& v : values) v = signed_low(static_cast<std::uint32_t>(random.next()), integer_bits(tile.type));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(storage_bytes(tile.type, tile_span(tile)).value()) + 1,
                                  0x55);
  if (tile.place.space == Space::accumulator) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      write_sum(tile.type, static_cast<std::uint32_t>(random.next()), bytes.data(), static_cast<std::int64_t>(i));
    }
  } else {
    encode(tile.type, values.data(), static_cast<std::int64_t>(values.size()), bytes.data());
  }
  return bytes;
}

std::int64_t value_at(const TileRef& tile, const std::vector<std::uint8_t>& bytes, std::int64_t element) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(tile_span(tile)));
  if (tile.place.space == Space::accumulator) return read_sum(tile.type, bytes.data(), element);
  decode(tile.type, bytes.data(), tile_span(tile), all.data());
  return all[static_cast<std::size_t>(element)];
}

DataType any_type(Random& random) {
  return kDataTypes[static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(kDataTypes.size()) - 1))].type;
}

std::vector<Loop> random_loops(Random& random, const std::vector<DimKind>& kinds, std::int64_t most) {
  std::vector<Loop> loops;
  const std::int64_t count = random.range(1, 5);
  for (std::int64_t i = 0; i < count; ++i) {
    loops.push_back({random.chance(15) ? 1 : random.range(1, most),
                     kinds[static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(kinds.size()) - 1))]});
  }
  return loops;
}

std::vector<std::size_t> loops_of(const std::vector<Loop>& loops, const std::vector<DimKind>& kinds) {
  std::vector<std::size_t> found;
  for (const DimKind kind : kinds) {
    for (std::size_t l = 0; l < loops.size(); ++l) {
      if (loops[l].kind == kind) found.push_back(l);
    }
  }
  return found;
}

// (requantise of docs/arithmetic.md, written out)
std::int64_t mixed(std::int64_t s, int bits) {
  const std::uint64_t product = (static_cast<std::uint64_t>(s) * 0x9E3779B1U) & 0xFFFFFFFFU;
  const auto top = static_cast<std::int64_t>(product >> static_cast<unsigned>(32 - bits));
  return top >= (std::int64_t{1} << (bits - 1)) ? top - (std::int64_t{1} << bits) : top;
}

// (spread of docs/arithmetic.md, written out in 64 bits)
std::int64_t spread(std::int64_t z, int bits) {
  const std::uint64_t size = std::uint64_t{1} << static_cast<unsigned>(bits);
  const std::uint64_t half = std::uint64_t{1} << static_cast<unsigned>((bits + 1) / 2);
  std::uint64_t v = (static_cast<std::uint64_t>(z) % size * 0x9E3779B5U + 0x7F4A7C15U) % size;
  v = ((v ^ (v / half)) * 0x85EBCA6BU) % size;
  v ^= v / half;
  return static_cast<std::int64_t>(v) - (v >= size / 2 ? static_cast<std::int64_t>(size) : 0);
}

std::int64_t floored(std::int64_t a, std::int64_t b) {
  std::int64_t q = a / b;
  while (q * b > a) --q;
  return q;
}

}  // namespace

TEST_CASE("a tile is walked in the order of the loops, padding aside", "[functional]") {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    const std::vector<Loop> loops = random_loops(random, {DimKind::m}, 6);
    const TileRef tile = random_tile(loops, all_loops(loops), DataType::int8, random, random.chance(30));
    std::vector<std::size_t> order = all_loops(loops);
    random.shuffle(order);
    Index at(loops.size(), 0);
    while (!order.empty() && random.chance(25)) {  // a loop that stands still
      at[order.back()] = random.range(0, loops[order.back()].extent - 1);
      order.pop_back();
    }
    std::map<std::int64_t, std::optional<std::int64_t>> walked;
    std::int64_t visits = 0;
    TileWalk(tile, loops, order, at).each_row([&](const TileWalk::Row& row) {
      for (std::int64_t i = 0; i < row.count; ++i) {
        ++visits;
        const bool inside = i >= row.low && i < row.high;
        walked[row.flat + i * row.flat_step] =
            inside ? std::optional(row.element + i * row.element_step) : std::nullopt;
      }
    });
    std::int64_t flat = 0;
    bool same = true;
    Index index = at;
    each_index(loops, order, index, [&] { same = same && walked.at(flat++) == element_at(tile, index); });
    INFO("seed " << seed);
    REQUIRE(same);
    REQUIRE(visits == flat);
  }
}

TEST_CASE("stretches of a row inside of a box", "[functional]") {
  for (std::int64_t start = -7; start <= 7; ++start) {
    for (std::int64_t step = -3; step <= 3; ++step) {
      for (std::int64_t limit = 1; limit <= 6; ++limit) {
        const std::int64_t count = 6;
        const Stretch stretch = inside(start, step, limit, count);
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t at = start + i * step;
          REQUIRE((at >= 0 && at < limit) == (i >= stretch.low && i < stretch.high));
        }
      }
    }
  }
}

TEST_CASE("dot products wrap modulo 2^32", "[functional]") {
  Random random(3);
  for (const std::int64_t m : {1, 2, 5}) {
    for (const std::int64_t n : {1, 4, 7}) {
      for (const std::int64_t k : {1, 9, 64, 1000}) {
        std::vector<std::int16_t> x(static_cast<std::size_t>(m * k));
        std::vector<std::int16_t> w(static_cast<std::size_t>(n * k));
        for (auto& v : x) v = static_cast<std::int16_t>(random.chance(10) ? -32768 : random.range(-32768, 32767));
        for (auto& v : w) v = static_cast<std::int16_t>(random.chance(10) ? -32768 : random.range(-32768, 32767));
        const std::vector<std::int32_t> wide_x(x.begin(), x.end());
        const std::vector<std::int32_t> wide_w(w.begin(), w.end());
        std::vector<std::uint32_t> narrow(static_cast<std::size_t>(m * n));
        std::vector<std::uint32_t> wide(narrow.size());
        dot_products(x.data(), w.data(), m, n, k, narrow.data());
        dot_products(wide_x.data(), wide_w.data(), m, n, k, wide.data());
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            std::int64_t sum = 0;
            for (std::int64_t l = 0; l < k; ++l) {
              sum += std::int64_t{x[static_cast<std::size_t>(i * k + l)]} * w[static_cast<std::size_t>(j * k + l)];
            }
            REQUIRE(narrow[static_cast<std::size_t>(i * n + j)] == static_cast<std::uint32_t>(sum));
            REQUIRE(wide[static_cast<std::size_t>(i * n + j)] == static_cast<std::uint32_t>(sum));
          }
        }
      }
    }
  }
}

TEST_CASE("an array pass computes the sums of its definition", "[functional]") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    Random random(seed);
    ArrayPass pass;
    pass.loops = random_loops(random, {DimKind::group, DimKind::m, DimKind::n, DimKind::k}, 5);
    pass.accumulate = random.chance(50);
    const DataType type = any_type(random);
    pass.input = random_tile(pass.loops, loops_of(pass.loops, {DimKind::group, DimKind::m, DimKind::k}), type, random,
                             random.chance(20));
    pass.weight = random_tile(pass.loops, loops_of(pass.loops, {DimKind::group, DimKind::n, DimKind::k}), type, random,
                              random.chance(20));
    const DataType sum_type = any_type(random);
    const std::vector<std::size_t> kept = loops_of(pass.loops, {DimKind::group, DimKind::m, DimKind::n});
    pass.output = result_tile(pass.loops, kept, sum_type, random);
    pass.output.place.space = Space::accumulator;
    const std::vector<std::uint8_t> input = random_bytes(pass.input, random);
    const std::vector<std::uint8_t> weight = random_bytes(pass.weight, random);
    const std::vector<std::uint8_t> before = random_bytes(pass.output, random);
    std::vector<std::uint8_t> after = before;
    write_sums(pass, evaluate(pass, input.data(), weight.data()), after.data());

    INFO("seed " << seed);
    Index index(pass.loops.size(), 0);
    const std::vector<std::size_t> reduced = loops_of(pass.loops, {DimKind::k});
    each_index(pass.loops, kept, index, [&] {
      const std::int64_t element = *element_at(pass.output, index);
      std::int64_t sum = pass.accumulate ? read_sum(sum_type, before.data(), element) : 0;
      Index inner = index;
      each_index(pass.loops, reduced, inner, [&] {
        const auto x = element_at(pass.input, inner);
        const auto w = element_at(pass.weight, inner);
        if (x && w)
          sum = static_cast<std::int32_t>(sum + value_at(pass.input, input, *x) * value_at(pass.weight, weight, *w));
      });
      REQUIRE(read_sum(sum_type, after.data(), element) ==
              signed_low(static_cast<std::uint32_t>(sum), sum_bits(sum_type)));
    });
  }
}

TEST_CASE("blocks of a large pass are put together in order", "[functional]") {
  // 40 x 160 x 320 elements of input: more than are laid out at once.
  ArrayPass pass;
  pass.loops = {{40, DimKind::m}, {3, DimKind::n}, {160, DimKind::m}, {320, DimKind::k}};
  pass.input = {{Space::scratchpad, CoreId(0), 0},
                DataType::int8,
                {{40, 1, 51200, 0, {1, 0, 0, 0}}, {160, 1, 320, 0, {0, 0, 1, 0}}, {320, 1, 1, 0, {0, 0, 0, 1}}}};
  pass.weight = {
      {Space::scratchpad, CoreId(0), 0}, DataType::int8, {{3, 1, 320, 0, {0, 1, 0, 0}}, {320, 1, 1, 0, {0, 0, 0, 1}}}};
  pass.output = {{Space::accumulator, CoreId(0), 0},
                 DataType::int32,
                 {{40, 1, 480, 0, {1, 0, 0, 0}}, {3, 1, 160, 0, {0, 1, 0, 0}}, {160, 1, 1, 0, {0, 0, 1, 0}}}};
  Random random(11);
  const std::vector<std::uint8_t> input = random_bytes(pass.input, random);
  const std::vector<std::uint8_t> weight = random_bytes(pass.weight, random);
  std::vector<std::uint8_t> output(std::size_t{40} * 480 * 4);
  write_sums(pass, evaluate(pass, input.data(), weight.data()), output.data());
  for (std::int64_t a : {0, 1, 38, 39}) {
    for (std::int64_t n = 0; n < 3; ++n) {
      for (std::int64_t b : {0, 77, 159}) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < 320; ++k) {
          sum += std::int64_t{static_cast<std::int8_t>(input[static_cast<std::size_t>(a * 51200 + b * 320 + k)])} *
                 static_cast<std::int8_t>(weight[static_cast<std::size_t>(n * 320 + k)]);
        }
        CHECK(read_sum(DataType::int32, output.data(), a * 480 + n * 160 + b) == sum);
      }
    }
  }
}

TEST_CASE("a vector instruction computes what the page on arithmetic defines", "[functional]") {
  const std::vector<VectorKind> kinds{VectorKind::requantize,
                                      VectorKind::add,
                                      VectorKind::mul,
                                      VectorKind::max_pool,
                                      VectorKind::average_pool,
                                      VectorKind::softmax,
                                      VectorKind::layer_normalization,
                                      VectorKind::sub,
                                      VectorKind::div,
                                      VectorKind::pow,
                                      VectorKind::prelu,
                                      VectorKind::select,
                                      VectorKind::move,
                                      VectorKind::activate};
  // Of the bounds of a Clip: the lowest 32 bits of mix(mix(bits of min) + bits of max).
  const std::map<std::pair<double, double>, std::int64_t> bounds{
      {{-1, -1}, 0x340CB699}, {{-1, 0}, 0xF80A0082}, {{-1, 1}, 0xA19F35C2}, {{0, -1}, 0x45466E82}, {{0, 0}, 0x4D197E6F},
      {{0, 1}, 0xAFB133CC},   {{1, -1}, 0xA2FBB4E3}, {{1, 0}, 0x4F80511E},  {{1, 1}, 0x896424BF}};
  std::vector<std::int64_t> exponential{16};
  for (int i = 1; i < 256; ++i) exponential.push_back(exponential.back() + exponential.back() / 16 + 1);

  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    Random random(seed);
    VectorOp op;
    op.kind = kinds[static_cast<std::size_t>(seed % kinds.size())];
    const bool pool = op.kind == VectorKind::max_pool || op.kind == VectorKind::average_pool;
    const bool rows = pool || op.kind == VectorKind::softmax || op.kind == VectorKind::layer_normalization;
    op.loops = random_loops(
        random, rows ? std::vector<DimKind>{DimKind::m, DimKind::row} : std::vector<DimKind>{DimKind::m}, 5);
    const DataType type = any_type(random);
    const int bits = integer_bits(type);
    std::size_t sources = 1;
    if (op.kind == VectorKind::add || op.kind == VectorKind::mul || op.kind == VectorKind::sub ||
        op.kind == VectorKind::div || op.kind == VectorKind::pow || op.kind == VectorKind::prelu)
      sources = 2;
    if (op.kind == VectorKind::select) sources = 3;
    if (op.kind == VectorKind::requantize) sources = static_cast<std::size_t>(random.range(1, 2));
    if (op.kind == VectorKind::layer_normalization) sources = static_cast<std::size_t>(random.range(1, 3));
    std::vector<std::vector<std::uint8_t>> bytes;
    std::array<const std::uint8_t*, kMostSources> pointers{};
    for (std::size_t s = 0; s < sources; ++s) {
      const bool sums = op.kind == VectorKind::requantize && s == 0;
      op.sources.push_back(random_tile(op.loops, all_loops(op.loops),
                                       sums || random.chance(20) ? any_type(random) : type, random, false));
      if (sums) op.sources.back().place.space = Space::accumulator;
      bytes.push_back(random_bytes(op.sources.back(), random));
    }
    for (std::size_t s = 0; s < sources; ++s) pointers[s] = bytes[s].data();
    const std::vector<std::size_t> outer = loops_of(op.loops, {DimKind::m});
    const std::vector<std::size_t> inner = loops_of(op.loops, {DimKind::row});
    std::vector<std::size_t> results = outer;
    if (!pool) results.insert(results.end(), inner.begin(), inner.end());
    op.output = result_tile(op.loops, results, type, random);
    if (op.kind == VectorKind::average_pool && random.chance(30)) op.divisor = random.range(1, 9);
    for (std::int64_t a = random.range(0, 2); a > 0; --a) {
      FusedActivation activation;
      activation.type = std::vector<OpType>{OpType::relu, OpType::clip, OpType::sigmoid, OpType::tanh,
                                            OpType::gelu}[static_cast<std::size_t>(random.range(0, 4))];
      activation.clip = {static_cast<double>(random.range(-1, 1)), static_cast<double>(random.range(-1, 1))};
      op.activations.push_back(activation);
    }
    std::vector<std::uint8_t> out(static_cast<std::size_t>(storage_bytes(type, tile_span(op.output)).value()) + 1, 0);
    write_results(op, evaluate(op, pointers), out.data());

    const auto activate = [&](std::int64_t x) {
      for (const FusedActivation& activation : op.activations) {
        const std::int64_t half = std::int64_t{1} << (bits - 1);
        switch (activation.type) {
          case OpType::relu:
            if (x < 0) x = 5 * x + 3 - half - floored(5 * x + 3, half) * half;
            break;
          case OpType::clip:
            x = spread(x + bounds.at({activation.clip.min, activation.clip.max}), bits);
            break;
          case OpType::sigmoid:
            x = spread(5 * x + 3, bits);
            break;
          case OpType::tanh:
            x = spread(13 * x + 7, bits);
            break;
          default:
            x = spread(45 * x + 11, bits);
            break;
        }
      }
      return x;
    };
    const auto value = [&](std::size_t s, const Index& index) -> std::optional<std::int64_t> {
      const auto element = element_at(op.sources[s], index);
      if (!element) return std::nullopt;
      return value_at(op.sources[s], bytes[s], *element);
    };
    // No wider than the result.
    const auto operand = [&](std::size_t s, const Index& index) -> std::int64_t {
      const std::int64_t x = value(s, index).value_or(0);
      return integer_bits(op.sources[s].type) > bits ? mixed(x, bits) : x;
    };
    INFO("seed " << seed << ", " << name_of(op.kind) << ", " << name_of(type));
    const auto check = [&](const Index& index, std::int64_t expected) {
      REQUIRE(value_at(op.output, out, *element_at(op.output, index)) == activate(expected));
    };

    Index index(op.loops.size(), 0);
    each_index(op.loops, outer, index, [&] {
      Index row = index;
      std::int64_t sum = 0;
      std::uint64_t squares = 0;
      std::int64_t valid = 0;
      std::int64_t length = 0;
      std::int64_t exponentials = 0;
      const int from_bits = integer_bits(op.sources[0].type);
      const auto step = [&](std::int64_t x) {
        const std::int64_t i = x + (std::int64_t{1} << (from_bits - 1));
        return static_cast<std::size_t>(from_bits >= 8 ? i / (std::int64_t{1} << (from_bits - 8)) : i * 16);
      };
      each_index(op.loops, inner, row, [&] {
        const auto x = value(0, row);
        ++length;
        valid += x ? 1 : 0;
        sum += pool ? (x ? operand(0, row) : 0) : x.value_or(0);
        squares += static_cast<std::uint64_t>(x.value_or(0) * x.value_or(0));
        if (op.kind == VectorKind::softmax) exponentials += exponential[step(x.value_or(0))];
      });
      const auto each_row_element = [&](auto result) {
        each_index(op.loops, inner, row, [&] { check(row, result()); });
      };
      for (const std::size_t l : inner) row[l] = 0;
      switch (op.kind) {
        case VectorKind::requantize:
          check(row,
                mixed(signed_low(static_cast<std::uint32_t>(value(0, row).value_or(0)), sum_bits(op.sources[0].type)) +
                          (sources > 1 ? value(1, row).value_or(0) : 0),
                      bits));
          break;
        case VectorKind::add:
          check(row, spread(operand(0, row) + operand(1, row), bits));
          break;
        case VectorKind::mul:
          check(row, spread(spread(operand(0, row), bits) + spread(operand(1, row), bits), bits));
          break;
        case VectorKind::sub:
          check(row, spread(3 * operand(0, row) + spread(operand(1, row), bits), bits));
          break;
        case VectorKind::div:
          check(row, spread(5 * operand(0, row) + spread(operand(1, row), bits), bits));
          break;
        case VectorKind::pow:
          check(row, spread(7 * operand(0, row) + spread(operand(1, row), bits), bits));
          break;
        case VectorKind::prelu:
          check(row, spread(9 * operand(0, row) + spread(operand(1, row), bits), bits));
          break;
        case VectorKind::select: {
          const bool odd = operand(0, row) % 2 != 0;
          const std::int64_t selected = operand(odd ? 1 : 2, row);
          check(row, spread(selected + 5 * operand(odd ? 2 : 1, row) + spread(operand(0, row), bits), bits));
          break;
        }
        case VectorKind::move:
          check(row, signed_low(static_cast<std::uint32_t>(value(0, row).value_or(0)), bits));
          break;
        case VectorKind::activate:
          check(row, operand(0, row));
          break;
        case VectorKind::max_pool:
          check(row, spread(3 * sum + valid, bits));
          break;
        case VectorKind::average_pool:
          if (op.divisor > 0 || valid > 0) {
            check(row, spread(sum + 5 * (op.divisor > 0 ? op.divisor : valid), bits));
          }
          break;
        case VectorKind::softmax:
          each_row_element([&] {
            const std::int64_t x = value(0, row).value_or(0);
            return spread(operand(0, row) + mixed((exponential[step(x)] << 24) / exponentials, bits), bits);
          });
          break;
        case VectorKind::layer_normalization:
          each_row_element([&] {
            const auto n = static_cast<std::uint64_t>(length);
            const std::uint64_t radicand =
                n * squares - static_cast<std::uint64_t>(sum) * static_cast<std::uint64_t>(sum);
            std::uint64_t root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(radicand)));
            while (root > 0xFFFFFFFFU || root * root > radicand) --root;
            while (root < 0xFFFFFFFFU && (root + 1) * (root + 1) <= radicand) ++root;
            const auto distance = static_cast<std::int64_t>(
                (n * static_cast<std::uint64_t>(value(0, row).value_or(0)) - static_cast<std::uint64_t>(sum)) * 256);
            const auto q = static_cast<std::uint32_t>(floored(distance, static_cast<std::int64_t>(root) + 1));
            const std::int64_t scale = sources > 1 ? value(1, row).value_or(0) : 1;
            const std::int64_t bias = sources > 2 ? value(2, row).value_or(0) : 0;
            const auto share =
                static_cast<std::int64_t>(q * static_cast<std::uint32_t>(scale) + static_cast<std::uint32_t>(bias));
            return spread(operand(0, row) + mixed(share, bits), bits);
          });
          break;
        default:  // tests/property/test_more_operators.cpp
          FAIL("no model of vector operation " << static_cast<int>(op.kind));
      }
    });
  }
}

TEST_CASE("square roots are rounded down", "[functional]") {
  for (std::uint64_t v = 0; v < 2000; ++v) {
    const std::uint64_t root = square_root(v);
    REQUIRE(root * root <= v);
    REQUIRE((root + 1) * (root + 1) > v);
  }
  for (const std::uint64_t root : {65535ULL, 65536ULL, 3037000499ULL, 4294967294ULL, 4294967295ULL}) {
    CHECK(square_root(root * root) == root);
    CHECK(square_root(root * root - 1) == root - 1);
  }
  CHECK(square_root(~std::uint64_t{0}) == 4294967295ULL);
}
