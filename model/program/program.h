// The per-core instruction streams that the simulator runs and the functional core executes: nothing that happens on
// the chip is implicit. Source of the organisation: decoupled access-execute (Smith, ISCA 1982).
//
// Each core has four in-order queues that run decoupled: load, array, vector, store. An instruction starts when it is
// at the head of its queue, its engine is free, and all its waits are met; it signals when it ends. Counting
// semaphores belong to a core: wait(s, n) needs count >= n and takes n away; signal(s, n) adds n, also from other
// cores (over the NoC). Each semaphore is waited for by one queue only, so that progress does not depend on timing.
// Order inside a queue: starts in order, ends (and signals) in order. Load and store instructions overlap with their
// predecessors (up to dma.channels at a time), array passes overlap by their pipeline (the next may stream while the
// last results of the one before drain), vector instructions do not overlap.
//
// A program is a sequence of groups. An instruction of a group starts only when all instructions of all earlier
// groups, on every core, have ended: that is the border. The one exception: load instructions marked `prefetch` may
// start while the group before is still running (all groups before that one having ended); they may write only to
// the group's prefetch regions, which the group before does not touch, and read only network inputs and weights.
// Semaphores are numbered within a group, start at zero and are back at zero at its end.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/arch/arch.h"
#include "model/base/units.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network.h"

namespace accsim::model {

enum class Space : std::uint8_t { dram, global_buffer, scratchpad, accumulator };

// A byte address in one of the chip's memories. `core` says whose scratchpad or accumulator (invalid otherwise).
struct Place {
  Space space = Space::dram;
  CoreId core;
  std::int64_t address = 0;
  auto operator<=>(const Place&) const = default;
};

inline constexpr std::size_t kCopyDims = 4;

// A strided copy of up to four dimensions. Dimension 3 is the innermost: extent[3] contiguous bytes on both sides.
// Byte b of index (i0, i1, i2) lies at place.address + i0*stride[0] + i1*stride[1] + i2*stride[2] + b.
struct Copy {
  struct Side {
    Place place;
    std::array<std::int64_t, kCopyDims - 1> stride{0, 0, 0};  // bytes
  };
  Side src;
  Side dst;
  std::array<std::int64_t, kCopyDims> extent{1, 1, 1, 1};  // extent[3] in bytes
  // Gather: the source address of index i0 is place.address + row(i0) * stride[0] with row(i0) read from `indices`
  // (int32 in a scratchpad) where data are executed; timing uses gather_row(seed, first + i0, rows).
  struct Gather {
    Place indices;
    std::int64_t first = 0;
    std::int64_t rows = 1;
    std::uint64_t seed = 1;
  };
  std::optional<Gather> gather;
  // Multicast: further cores, ascending, into whose scratchpads the same bytes go, at the same addresses as into that
  // of `dst`. The network carries them there as one packet that forks; the copy ends when all have them.
  std::vector<CoreId> multicast;
  [[nodiscard]] Bytes bytes() const { return Bytes(extent[0] * extent[1] * extent[2] * extent[3]); }
};

// How one loop of an array pass is used: see DimKind (group, m, n, k); vector operations: map or reduce.
struct Loop {
  std::int64_t extent = 1;
  DimKind kind = DimKind::m;
};

// A tile in a core's scratchpad or accumulator as the loops see it. Along axis a the coordinate is
// offset + sum(coefficient[l] * index_l); it is valid if it is a multiple of `step` in [0, step*count), and then lies
// at place.address + (coordinate / step) * stride elements. Invalid coordinates are padding and read as the neutral
// element of the operation (zero, or minus infinity for a maximum).
struct TileAxis {
  std::int64_t count = 1;
  std::int64_t step = 1;
  std::int64_t stride = 1;  // elements in the buffer
  std::int64_t offset = 0;
  std::vector<std::int64_t> coefficient;  // one a loop of the instruction
};
struct TileRef {
  Place place;
  DataType type = DataType::int8;
  std::vector<TileAxis> axes;
  [[nodiscard]] std::int64_t elements() const;  // product of the counts
  [[nodiscard]] Bytes bytes() const { return storage_bytes(type, elements()); }
};

// One tile of a matrix product on the array: out[g,m,n] (+)= sum_k input[g,m,k] * weight[g,n,k].
// Group loops are laid on the array as blocks of a block-diagonal weight matrix: rows = groups*K, columns = groups*N.
// The weights are zero off the diagonal and take no bandwidth there.
struct ArrayPass {
  std::vector<Loop> loops;
  TileRef input;                                             // scratchpad
  TileRef weight;                                            // scratchpad
  TileRef output;                                            // accumulator
  bool accumulate = false;                                   // add to what is there, else overwrite
  [[nodiscard]] std::int64_t extent_of(DimKind kind) const;  // product over the loops of this kind
  [[nodiscard]] Macs macs() const;
};

enum class VectorKind : std::uint8_t {
  requantize,  // accumulator (+ bias) -> output type, with activations
  add,
  mul,
  max_pool,
  average_pool,
  softmax,
  layer_normalization,
  move,
  activate,
  sub,
  div,
  pow,
  prelu,
  select,
  rms_normalization,
  interpolate
};
inline constexpr std::array kVectorKinds{VectorKind::requantize,
                                         VectorKind::add,
                                         VectorKind::mul,
                                         VectorKind::max_pool,
                                         VectorKind::average_pool,
                                         VectorKind::softmax,
                                         VectorKind::layer_normalization,
                                         VectorKind::move,
                                         VectorKind::activate,
                                         VectorKind::sub,
                                         VectorKind::div,
                                         VectorKind::pow,
                                         VectorKind::prelu,
                                         VectorKind::select,
                                         VectorKind::rms_normalization,
                                         VectorKind::interpolate};
// One result a row: the row loops are a window, or what a mean is taken over.
constexpr bool is_pool(VectorKind kind) {
  return kind == VectorKind::max_pool || kind == VectorKind::average_pool || kind == VectorKind::interpolate;
}
// As many results as the row has elements.
constexpr bool is_normalization(VectorKind kind) {
  return kind == VectorKind::softmax || kind == VectorKind::layer_normalization ||
         kind == VectorKind::rms_normalization;
}
// Sources that an operation needs, and may have.
struct SourceCount {
  std::size_t least = 1;
  std::size_t most = 1;
};
constexpr SourceCount source_count(VectorKind kind) {
  switch (kind) {
    case VectorKind::requantize:
      return {1, 2};
    case VectorKind::add:
    case VectorKind::mul:
    case VectorKind::sub:
    case VectorKind::div:
    case VectorKind::pow:
    case VectorKind::prelu:
      return {2, 2};
    case VectorKind::select:
      return {3, 3};
    case VectorKind::layer_normalization:
      return {1, 3};
    case VectorKind::rms_normalization:
      return {1, 2};
    default:
      return {1, 1};
  }
}
// What the vector unit does for an operator: requantize after a product, move for what only copies.
VectorKind vector_kind_of(const Operator& op);

// loops: kind m = elements of the result, kind row = reduced (pooling window) or normalised (softmax, layer norm)
// inside. sources: requantize {accumulator, bias?}; add, mul, sub, div, pow, prelu {a, b}; select {condition, a, b};
// layer_normalization {x, scale?, bias?}; rms_normalization {x, scale?}; others {x}. interpolate is an average of the
// elements around one of a coarser grid (Resize).
struct VectorOp {
  VectorKind kind = VectorKind::requantize;
  std::vector<Loop> loops;
  std::vector<TileRef> sources;
  TileRef output;
  std::vector<FusedActivation> activations;
  std::int64_t divisor = 0;  // average pooling with a fixed divisor (padding counted); 0 = the valid elements
  [[nodiscard]] std::int64_t result_elements() const;  // product of the m loops
  [[nodiscard]] std::int64_t row_elements() const;     // product of the row loops
};

enum class Queue : std::uint8_t { load, array, vector, store };
inline constexpr std::array<Queue, 4> kQueues{Queue::load, Queue::array, Queue::vector, Queue::store};
std::string_view name_of(Queue queue);
std::string_view name_of(Space space);
std::string_view name_of(VectorKind kind);

struct Wait {
  std::int32_t semaphore = 0;
  std::int32_t count = 1;
};
struct Signal {
  CoreId core;  // whose semaphore
  std::int32_t semaphore = 0;
  std::int32_t count = 1;
};

struct Instruction {
  std::variant<Copy, ArrayPass, VectorOp> op;
  std::vector<Wait> waits;
  std::vector<Signal> signals;
  bool prefetch = false;
  OpId layer;             // operator it works for
  std::int32_t tile = 0;  // running number of the tile, for messages
};

// A range of memory with a meaning.
struct Region {
  std::string name;  // tensor or buffer name
  Place place;
  Bytes size;
};

struct CoreProgram {
  CoreId core;
  std::array<std::vector<Instruction>, 4> queues;  // by Queue
  std::int32_t semaphores = 0;
  [[nodiscard]] std::vector<Instruction>& queue(Queue q) { return queues[static_cast<std::size_t>(q)]; }
  [[nodiscard]] const std::vector<Instruction>& queue(Queue q) const { return queues[static_cast<std::size_t>(q)]; }
};

struct GroupProgram {
  GroupId group;
  std::vector<std::string> layers;
  std::vector<CoreProgram> cores;  // those that take part
  std::vector<Region> live_in;     // written before the group: network inputs, weights, outputs of earlier groups
  std::vector<Region> live_out;    // written by the group and read later
  std::vector<Region> buffers;     // on-chip memory that the group uses
  std::vector<Region> prefetch;    // the part of `buffers` that prefetch instructions write
};

// A tensor's home in DRAM (weights, inputs, outputs, and activations whose home is DRAM).
struct ProgramHeader {
  std::string arch;
  std::string net;
  std::vector<Region> dram;      // by tensor name
  std::vector<Region> constant;  // the part of `dram` that holds network inputs and weights
  std::int64_t groups = 0;
};

// Groups one after the other; each is made when it is asked for, so that at most two are in memory.
class ProgramSource {
 public:
  virtual ~ProgramSource() = default;
  [[nodiscard]] virtual const ProgramHeader& header() const = 0;
  // Groups in order; nullopt after the last.
  virtual std::optional<GroupProgram> next() = 0;
};

// A whole program in memory, for files and tests (accsim-program/1).
struct Program {
  ProgramHeader header;
  std::vector<GroupProgram> groups;
};
class StoredProgram : public ProgramSource {
 public:
  explicit StoredProgram(Program program) : program_(std::move(program)) {}
  [[nodiscard]] const ProgramHeader& header() const override { return program_.header; }
  std::optional<GroupProgram> next() override;

 private:
  Program program_;
  std::size_t next_ = 0;
};
Program collect(ProgramSource& source);

Json to_json(const Program& program);
Program parse_program(const Json& json, const std::string& file);

}  // namespace accsim::model
