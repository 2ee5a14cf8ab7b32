#include "sim/functional/array_values.h"

#include <algorithm>
#include <initializer_list>

#include "sim/functional/dot_products.h"
#include "sim/functional/encoding.h"
#include "sim/functional/tile_walk.h"

namespace accsim::sim {

using model::ArrayPass;
using model::DimKind;
using model::Loop;
using model::TileRef;

namespace {

constexpr std::int64_t kLargestBlock = 1 << 20;  // elements of the input that are laid out at once

std::vector<std::size_t> loops_of(const ArrayPass& pass, std::initializer_list<DimKind> kinds) {
  std::vector<std::size_t> order;
  for (const DimKind kind : kinds) {
    for (std::size_t l = 0; l < pass.loops.size(); ++l) {
      if (pass.loops[l].kind == kind && pass.loops[l].extent > 1) order.push_back(l);
    }
  }
  return order;
}

std::int64_t extent_of(const std::vector<Loop>& loops, const std::vector<std::size_t>& order) {
  std::int64_t extent = 1;
  for (const std::size_t l : order) extent *= loops[l].extent;
  return extent;
}

// Lays a tile out in the order of `order`; padding is 0.
template <class Value>
void lay_out(const TileRef& tile, const std::vector<Loop>& loops, const std::vector<std::size_t>& order,
             const std::vector<std::int64_t>& at, const std::vector<Value>& elements, std::vector<Value>& out) {
  out.resize(static_cast<std::size_t>(extent_of(loops, order)));
  TileWalk(tile, loops, order, at).each_row([&](const TileWalk::Row& row) {
    Value* const to = out.data() + row.flat;
    for (std::int64_t i = 0; i < row.low; ++i) to[i * row.flat_step] = 0;
    for (std::int64_t i = row.high; i < row.count; ++i) to[i * row.flat_step] = 0;
    if (row.low == row.high) return;
    const Value* const from = elements.data() + (row.element + row.low * row.element_step);
    if (row.flat_step == 1 && row.element_step == 1) {
      std::copy(from, from + (row.high - row.low), to + row.low);
    } else {
      for (std::int64_t i = row.low; i < row.high; ++i) to[i * row.flat_step] = from[(i - row.low) * row.element_step];
    }
  });
}

template <class Value>
std::vector<std::uint32_t> products(const ArrayPass& pass, const std::uint8_t* input, const std::uint8_t* weight) {
  const std::vector<Loop>& loops = pass.loops;
  const std::vector<std::size_t> groups = loops_of(pass, {DimKind::group});
  const std::vector<std::size_t> k_loops = loops_of(pass, {DimKind::k});
  const std::vector<std::size_t> weight_order = loops_of(pass, {DimKind::n, DimKind::k});
  const std::int64_t k = extent_of(loops, k_loops);
  const std::int64_t n = extent_of(loops, loops_of(pass, {DimKind::n}));

  // Blocks of m: the outermost m loops go one index at a time, so that a block stays small.
  std::vector<std::size_t> input_order = loops_of(pass, {DimKind::m});
  std::vector<std::size_t> single;
  while (!input_order.empty() && extent_of(loops, input_order) * k > kLargestBlock) {
    single.push_back(input_order.front());
    input_order.erase(input_order.begin());
  }
  const std::int64_t m = extent_of(loops, input_order);
  input_order.insert(input_order.end(), k_loops.begin(), k_loops.end());

  const auto decoded = [](const TileRef& tile, const std::uint8_t* bytes) {
    std::vector<Value> elements(static_cast<std::size_t>(tile_span(tile)));
    decode(tile.type, bytes, tile_span(tile), elements.data());
    return elements;
  };
  const std::vector<Value> inputs = decoded(pass.input, input);
  const std::vector<Value> weights = decoded(pass.weight, weight);

  std::vector<std::uint32_t> sums(
      static_cast<std::size_t>(extent_of(loops, groups) * extent_of(loops, single) * m * n));
  std::uint32_t* block = sums.data();
  std::vector<std::int64_t> at(loops.size(), 0);
  const auto advance = [&](const std::vector<std::size_t>& order) {
    for (std::size_t i = order.size(); i-- > 0;) {
      if (++at[order[i]] < loops[order[i]].extent) return true;
      at[order[i]] = 0;
    }
    return false;
  };
  std::vector<Value> x;
  std::vector<Value> w;
  do {
    lay_out(pass.weight, loops, weight_order, at, weights, w);
    do {
      lay_out(pass.input, loops, input_order, at, inputs, x);
      dot_products(x.data(), w.data(), m, n, k, block);
      block += m * n;
    } while (advance(single));
  } while (advance(groups));
  return sums;
}

}  // namespace

std::vector<std::uint32_t> evaluate(const ArrayPass& pass, const std::uint8_t* input, const std::uint8_t* weight) {
  if (is_narrow(pass.input.type) && is_narrow(pass.weight.type)) return products<std::int16_t>(pass, input, weight);
  return products<std::int32_t>(pass, input, weight);
}

void write_sums(const ArrayPass& pass, const std::vector<std::uint32_t>& sums, std::uint8_t* output) {
  const model::DataType type = pass.output.type;
  const std::vector<std::size_t> order = loops_of(pass, {DimKind::group, DimKind::m, DimKind::n});
  const std::vector<std::int64_t> at(pass.loops.size(), 0);
  TileWalk(pass.output, pass.loops, order, at).each_row([&](const TileWalk::Row& row) {
    for (std::int64_t i = row.low; i < row.high; ++i) {
      const std::int64_t element = row.element + i * row.element_step;
      std::uint32_t sum = sums[static_cast<std::size_t>(row.flat + i * row.flat_step)];
      if (pass.accumulate) sum += static_cast<std::uint32_t>(read_sum(type, output, element));
      write_sum(type, sum, output, element);
    }
  });
}

}  // namespace accsim::sim
