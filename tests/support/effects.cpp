#include "tests/support/effects.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace accsim::tests {

using model::ArrayPass;
using model::Copy;
using model::DimKind;
using model::TileRef;
using model::VectorKind;
using model::VectorOp;

namespace {

constexpr std::int64_t kIndexBytes = 4;

void add_element(std::vector<Cell>& to, const TileRef& tile, std::int64_t cell) {
  if (cell < 0) return;
  for (std::int64_t c = 0; c < cells_of(tile.type); ++c) to.push_back({model::memory_of(tile.place), cell + c});
}

void add_bytes(std::vector<Cell>& to, const model::Place& place, std::int64_t address, std::int64_t count) {
  for (std::int64_t c = address * kCellsAByte; c < (address + count) * kCellsAByte; ++c)
    to.push_back({model::memory_of(place), c});
}

void sort_unique(std::vector<Cell>& cells) {
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
}

std::int64_t memory_number(const model::Place& place) { return static_cast<std::int64_t>(model::memory_of(place)); }

void add_copy(const Copy& copy, Effect& effect) {
  effect.form = {1, memory_number(copy.src.place), memory_number(copy.dst.place)};
  if (copy.gather) {
    const Copy::Gather& gather = *copy.gather;
    effect.form.insert(effect.form.end(), {1, memory_number(gather.indices), gather.indices.address, copy.extent[0],
                                           copy.src.stride[0], gather.rows});
    for (std::int64_t i = 0; i < copy.extent[0]; ++i) {  // what timing takes for the rows
      effect.form.push_back(model::gather_row(gather.seed, gather.first + i, gather.rows));
    }
    add_bytes(effect.reads, gather.indices, gather.indices.address, copy.extent[0] * kIndexBytes);
  }
  for (const model::CoreId core : copy.multicast) effect.form.push_back(-1 - core.value());
  for (const MovedByte& byte : moved_bytes(copy)) {
    effect.form.insert(effect.form.end(), {byte.to, byte.from, byte.position});
    add_bytes(effect.writes, copy.dst.place, byte.to, 1);
    for (const model::CoreId core : copy.multicast) {
      add_bytes(effect.writes, {copy.dst.place.space, core, 0}, byte.to, 1);
    }
    const std::int64_t rows = copy.gather ? copy.gather->rows : 1;
    for (std::int64_t r = 0; r < rows; ++r)
      add_bytes(effect.reads, copy.src.place, byte.from + r * copy.src.stride[0], 1);
  }
}

void add_pass(const ArrayPass& pass, Effect& effect) {
  effect.form = {2,
                 memory_number(pass.input.place),
                 memory_number(pass.weight.place),
                 memory_number(pass.output.place),
                 static_cast<std::int64_t>(pass.input.type),
                 static_cast<std::int64_t>(pass.weight.type),
                 static_cast<std::int64_t>(pass.output.type),
                 pass.accumulate ? 1 : 0};
  for (const DimKind kind : {DimKind::group, DimKind::m, DimKind::n, DimKind::k}) {
    effect.form.push_back(pass.extent_of(kind));
  }
  for (const SumOfProducts& sum : sums_of(pass)) {
    effect.form.insert(effect.form.end(), {sum.sum, static_cast<std::int64_t>(sum.products.size())});
    for (const auto& [input, weight] : sum.products) {
      effect.form.insert(effect.form.end(), {input, weight});
      add_element(effect.reads, pass.input, input);
      add_element(effect.reads, pass.weight, weight);
    }
    if (pass.accumulate) add_element(effect.reads, pass.output, sum.sum);
    add_element(effect.writes, pass.output, sum.sum);
  }
}

// The sources of a sum or product have no order.
VectorOp with_ordered_sources(VectorOp op) {
  if (op.kind != VectorKind::add && op.kind != VectorKind::mul) return op;
  std::stable_sort(op.sources.begin(), op.sources.end(),
                   [](const TileRef& a, const TileRef& b) { return a.place < b.place; });
  return op;
}

void add_vector(const VectorOp& written, Effect& effect) {
  const VectorOp op = with_ordered_sources(written);
  effect.form = {3,
                 static_cast<std::int64_t>(op.kind),
                 op.divisor,
                 op.result_elements(),
                 op.row_elements(),
                 memory_number(op.output.place),
                 static_cast<std::int64_t>(op.output.type),
                 static_cast<std::int64_t>(op.sources.size())};
  for (const TileRef& source : op.sources) {
    effect.form.insert(effect.form.end(), {memory_number(source.place), static_cast<std::int64_t>(source.type)});
  }
  for (const model::FusedActivation& activation : op.activations) {
    const bool clip = activation.type == model::OpType::clip;
    effect.form.insert(effect.form.end(), {-1, static_cast<std::int64_t>(activation.type),
                                           std::bit_cast<std::int64_t>(clip ? activation.clip.min : 0.0),
                                           std::bit_cast<std::int64_t>(clip ? activation.clip.max : 0.0)});
  }
  for (const auto& row : rows_of(op)) {
    effect.form.push_back(static_cast<std::int64_t>(row.size()));
    for (const VectorElement& element : row) {
      effect.form.push_back(element.result);
      effect.form.push_back(static_cast<std::int64_t>(element.sources.size()));
      effect.form.insert(effect.form.end(), element.sources.begin(), element.sources.end());
      add_element(effect.writes, op.output, element.result);
      for (std::size_t s = 0; s < element.sources.size(); ++s) {
        add_element(effect.reads, op.sources[is_pool(op.kind) ? 0 : s], element.sources[s]);
      }
    }
  }
}

}  // namespace

bool has_rows(VectorKind kind) { return model::is_pool(kind) || model::is_normalization(kind); }

std::int64_t element_address(const TileRef& tile, const std::vector<std::int64_t>& index) {
  std::int64_t element = 0;
  for (const model::TileAxis& axis : tile.axes) {
    std::int64_t at = axis.offset;
    for (std::size_t l = 0; l < index.size(); ++l) at += axis.coefficient[l] * index[l];
    if (at < 0 || at >= axis.step * axis.count || at % axis.step != 0) return -1;
    element += at / axis.step * axis.stride;
  }
  return tile.place.address * kCellsAByte + element * cells_of(tile.type);
}

std::vector<std::vector<VectorElement>> rows_of(const VectorOp& op) {
  std::vector<std::vector<VectorElement>> rows;
  std::vector<std::int64_t> index(op.loops.size(), 0);
  const auto is_m = [](DimKind kind) { return kind != DimKind::row; };
  const auto is_row = [](DimKind kind) { return kind == DimKind::row; };
  each_index(op.loops, index, is_m, [&] {
    std::vector<VectorElement> row;
    if (is_pool(op.kind)) {
      VectorElement element{element_address(op.output, index), {}};
      each_index(op.loops, index, is_row, [&] {
        const std::int64_t at = element_address(op.sources[0], index);
        if (at >= 0) element.sources.push_back(at);
      });
      std::sort(element.sources.begin(), element.sources.end());
      row.push_back(std::move(element));
    } else {
      each_index(op.loops, index, is_row, [&] {
        VectorElement element{element_address(op.output, index), {}};
        for (const TileRef& source : op.sources) element.sources.push_back(element_address(source, index));
        row.push_back(std::move(element));
      });
    }
    std::sort(row.begin(), row.end());
    if (has_rows(op.kind)) {
      rows.push_back(std::move(row));
    } else {
      for (VectorElement& element : row) rows.push_back({std::move(element)});
    }
  });
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<SumOfProducts> sums_of(const ArrayPass& pass) {
  std::map<std::int64_t, SumOfProducts> sums;
  std::vector<std::int64_t> index(pass.loops.size(), 0);
  each_index(
      pass.loops, index, [](DimKind) { return true; },
      [&] {
        const std::int64_t output = element_address(pass.output, index);
        SumOfProducts& sum = sums[output];
        sum.sum = output;
        const std::int64_t input = element_address(pass.input, index);
        const std::int64_t weight = element_address(pass.weight, index);
        if (input >= 0 && weight >= 0) sum.products.emplace_back(input, weight);
      });
  std::vector<SumOfProducts> all;
  for (auto& [output, sum] : sums) {
    std::sort(sum.products.begin(), sum.products.end());
    all.push_back(std::move(sum));
  }
  return all;
}

std::vector<MovedByte> moved_bytes(const Copy& copy) {
  std::vector<MovedByte> bytes;
  bytes.reserve(static_cast<std::size_t>(copy.bytes().value()));
  for (std::int64_t i = 0; i < copy.extent[0]; ++i) {
    for (std::int64_t j = 0; j < copy.extent[1]; ++j) {
      for (std::int64_t k = 0; k < copy.extent[2]; ++k) {
        const std::int64_t row = copy.gather ? 0 : i;
        const std::int64_t from =
            copy.src.place.address + row * copy.src.stride[0] + j * copy.src.stride[1] + k * copy.src.stride[2];
        const std::int64_t to =
            copy.dst.place.address + i * copy.dst.stride[0] + j * copy.dst.stride[1] + k * copy.dst.stride[2];
        for (std::int64_t b = 0; b < copy.extent[3]; ++b) bytes.push_back({to + b, from + b, copy.gather ? i : 0});
      }
    }
  }
  std::sort(bytes.begin(), bytes.end());
  return bytes;
}

Effect effect_of(const model::Instruction& instruction) {
  Effect effect;
  if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
    add_copy(*copy, effect);
  } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
    add_pass(*pass, effect);
  } else {
    add_vector(std::get<VectorOp>(instruction.op), effect);
  }
  sort_unique(effect.reads);
  sort_unique(effect.writes);
  return effect;
}

}  // namespace accsim::tests
