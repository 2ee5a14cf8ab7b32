#include "model/program/verify_access.h"

#include <utility>

#include "model/base/error.h"

namespace accsim::model {

MemoryIndex memory_of(const Place& place) {
  switch (place.space) {
    case Space::dram:
      return kDramMemory;
    case Space::global_buffer:
      return kGlobalBufferMemory;
    case Space::scratchpad:
      return 2 + 2 * place.core.index();
    case Space::accumulator:
      return 3 + 2 * place.core.index();
  }
  throw InternalError("unknown space");
}

std::string memory_name(MemoryIndex memory) {
  if (memory == kDramMemory) return "the DRAM";
  if (memory == kGlobalBufferMemory) return "the global buffer";
  return std::string(memory % 2 == 0 ? "the scratchpad" : "the accumulator") + " of core " +
         std::to_string(memory / 2 - 1);
}

StridedRange::StridedRange(std::int64_t first_bit, std::int64_t run, std::vector<Dim> dims) : begin_(first_bit) {
  for (Dim& dim : dims) {
    if (dim.count <= 0) run = 0;
    if (dim.stride < 0) {
      begin_ += (dim.count - 1) * dim.stride;
      dim.stride = -dim.stride;
    }
  }
  end_ = begin_ + run;
  run_ = run;
  if (run == 0) return;
  std::erase_if(dims, [](const Dim& dim) { return dim.count == 1; });
  std::sort(dims.begin(), dims.end(), [](const Dim& a, const Dim& b) { return a.stride < b.stride; });
  for (const Dim& dim : dims) {
    injective_ = injective_ && dim.stride >= end_ - begin_;
    end_ += (dim.count - 1) * dim.stride;
    if (dims_.empty() && dim.stride <= run_) {
      run_ += (dim.count - 1) * dim.stride;
    } else if (!dims_.empty() && dim.stride % dims_.back().stride == 0 &&
               dim.stride <= dims_.back().count * dims_.back().stride) {
      dims_.back().count +=
          (dim.count - 1) * (dim.stride / dims_.back().stride);  // goes on, or overlaps, in the same step
    } else {
      dims_.push_back(dim);
    }
  }
}

bool StridedRange::tangled() const {
  std::int64_t rows = 1;
  for (const Dim& dim : dims_) {
    if (dim.count > (end_ - begin_) / rows) return true;
    rows *= dim.count;
  }
  return false;
}

namespace {

StridedRange side_range(const Copy& copy, const Copy::Side& side, std::int64_t rows) {
  return {side.place.address * 8,
          copy.extent[3] * 8,
          {{rows, side.stride[0] * 8}, {copy.extent[1], side.stride[1] * 8}, {copy.extent[2], side.stride[2] * 8}}};
}

}  // namespace

StridedRange source_range(const Copy& copy) {
  return side_range(copy, copy.src, copy.gather ? copy.gather->rows : copy.extent[0]);
}

StridedRange destination_range(const Copy& copy) { return side_range(copy, copy.dst, copy.extent[0]); }

StridedRange indices_range(const Copy::Gather& gather, std::int64_t count) {
  constexpr std::int64_t kIndexBits = 32;
  return {gather.indices.address * 8, count * kIndexBits, {}};
}

StridedRange read_range(const TileRef& tile) {
  const std::int64_t bits = bits_of(tile.type);
  std::vector<StridedRange::Dim> dims;
  for (const TileAxis& axis : tile.axes) dims.push_back({axis.count, axis.stride * bits});
  return {tile.place.address * 8, bits, std::move(dims)};
}

StridedRange written_range(const TileRef& tile, const std::vector<Loop>& loops) {
  const std::int64_t bits = bits_of(tile.type);
  std::int64_t first = 0;
  for (const TileAxis& axis : tile.axes) first += axis.offset / axis.step * axis.stride;
  std::vector<StridedRange::Dim> dims;
  for (std::size_t l = 0; l < loops.size(); ++l) {
    if (loops[l].extent == 1) continue;
    std::int64_t stride = 0;
    for (const TileAxis& axis : tile.axes) stride += axis.coefficient[l] / axis.step * axis.stride;
    if (stride != 0) dims.push_back({loops[l].extent, stride * bits});
  }
  return {tile.place.address * 8 + first * bits, bits, std::move(dims)};
}

std::vector<MemoryIndex> destinations_of(const Copy& copy) {
  std::vector<MemoryIndex> memories{memory_of(copy.dst.place)};
  for (const CoreId core : copy.multicast) memories.push_back(memory_of({copy.dst.place.space, core, 0}));
  return memories;
}

std::vector<Access> accesses_of(const Instruction& instruction) {
  std::vector<Access> accesses;
  const auto element = [](const TileRef& tile) { return storage_bytes(tile.type, 1).value(); };
  const auto read = [&](const TileRef& tile) {
    accesses.push_back({memory_of(tile.place), false, read_range(tile), element(tile)});
  };
  if (const auto* copy = std::get_if<Copy>(&instruction.op)) {
    if (copy->gather) {
      constexpr std::int64_t kIndexBytes = 4;
      accesses.push_back(
          {memory_of(copy->gather->indices), false, indices_range(*copy->gather, copy->extent[0]), kIndexBytes});
    }
    accesses.push_back({memory_of(copy->src.place), false, source_range(*copy)});
    for (const MemoryIndex memory : destinations_of(*copy)) {
      accesses.push_back({memory, true, destination_range(*copy)});
    }
  } else if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) {
    read(pass->input);
    read(pass->weight);
    StridedRange output = written_range(pass->output, pass->loops);
    if (pass->accumulate) accesses.push_back({memory_of(pass->output.place), false, output, element(pass->output)});
    accesses.push_back({memory_of(pass->output.place), true, std::move(output)});
  } else {
    const auto& vector = std::get<VectorOp>(instruction.op);
    for (const TileRef& source : vector.sources) read(source);
    accesses.push_back({memory_of(vector.output.place), true, written_range(vector.output, vector.loops)});
  }
  std::erase_if(accesses, [](const Access& access) { return access.range.empty(); });
  return accesses;
}

}  // namespace accsim::model
