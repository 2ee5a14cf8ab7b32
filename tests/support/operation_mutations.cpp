#include "tests/support/operation_mutations.h"

#include <algorithm>
#include <array>
#include <utility>

namespace accsim::tests {

using model::ArrayPass;
using model::Copy;
using model::DataType;
using model::DimKind;
using model::Instruction;
using model::Loop;
using model::Place;
using model::Region;
using model::Space;
using model::TileAxis;
using model::TileRef;
using model::VectorKind;
using model::VectorOp;

namespace {

class Edits {
 public:
  Edits(const Instruction& instruction, const OperationContext& context)
      : instruction_(instruction), context_(context) {}

  std::vector<OperationEdit> all() {
    if (std::holds_alternative<Copy>(instruction_.op)) {
      kind_ = EditKind::copy;
      copy();
    } else if (std::holds_alternative<ArrayPass>(instruction_.op)) {
      kind_ = EditKind::array_pass;
      array_pass();
    } else {
      kind_ = EditKind::vector_op;
      vector_op();
    }
    return std::move(edits_);
  }

 private:
  void add(std::string sort, std::function<void(Instruction&)> edit) {
    edits_.push_back({kind_, std::move(sort), std::move(edit)});
  }
  template <class T>
  void add_to(std::string sort, std::function<void(T&)> edit) {
    add(std::move(sort), [edit = std::move(edit)](Instruction& x) { edit(std::get<T>(x.op)); });
  }

  // The base of a region's name: "input0" of "input0[1]".
  static std::string stem(const Region& region) { return region.name.substr(0, region.name.find('[')); }

  // Where a tile is put by mistake: other buffers of its ring, then of other rings, in the same memory.
  void wrong_buffers(const Place& place, const std::string& what, const std::function<Place&(Instruction&)>& of) {
    const auto& buffers = context_.group.buffers;
    const auto own = std::find_if(buffers.begin(), buffers.end(), [&](const Region& region) {
      return region.place.space == place.space && region.place.core == place.core &&
             region.place.address <= place.address && place.address < region.place.address + region.size.value();
    });
    if (own == buffers.end()) return;
    for (const Region& other : buffers) {
      if (&other == &*own || other.place.space != place.space || other.place.core != place.core) continue;
      const std::int64_t address = other.place.address + place.address - own->place.address;
      add((stem(other) == stem(*own) ? "other buffer of the ring: " : "other ring's buffer: ") + what,
          [of, address](Instruction& x) { of(x).address = address; });
    }
  }

  void wrong_place(const Place& place, const std::string& what, const std::function<Place&(Instruction&)>& of) {
    for (const std::int64_t shift : {-64, -16, -4, -2, -1, 1, 2, 4, 16, 64}) {
      add("shift address: " + what, [of, shift](Instruction& x) { of(x).address += shift; });
    }
    wrong_buffers(place, what, of);
    for (std::int32_t core = 0; core < context_.cores; ++core) {
      if (place.core.value() == core) continue;
      add("other core: " + what, [of, core](Instruction& x) { of(x).core = model::CoreId(core); });
    }
    const bool on_core = place.core.valid();
    const std::array<Space, 2> other =
        on_core ? std::array{Space::scratchpad, Space::accumulator} : std::array{Space::dram, Space::global_buffer};
    for (const Space space : other) {
      if (space != place.space) add("other memory: " + what, [of, space](Instruction& x) { of(x).space = space; });
    }
  }

  void copy() {
    const Copy& copy = std::get<Copy>(instruction_.op);
    for (std::size_t d = 0; d < model::kCopyDims; ++d) {
      for (const std::int64_t more : {-2, -1, 1, 2}) {
        add_to<Copy>(more < 0 ? "smaller extent" : "larger extent", [d, more](Copy& c) { c.extent[d] += more; });
      }
      if (copy.extent[d] > 3) add_to<Copy>("half the extent", [d](Copy& c) { c.extent[d] /= 2; });
    }
    for (std::size_t d = 0; d + 1 < model::kCopyDims; ++d) {
      add_to<Copy>("extents exchanged", [d](Copy& c) { std::swap(c.extent[d], c.extent[d + 1]); });
      for (const bool source : {true, false}) {
        const std::string what = source ? "source" : "destination";
        const auto side = [source](Copy& c) -> Copy::Side& { return source ? c.src : c.dst; };
        for (const std::int64_t more : {-16, -1, 1, 16}) {
          add_to<Copy>("wrong stride: " + what, [side, d, more](Copy& c) { side(c).stride[d] += more; });
        }
        if (d > 0)
          add_to<Copy>("strides exchanged: " + what,
                       [side, d](Copy& c) { std::swap(side(c).stride[d - 1], side(c).stride[d]); });
        // The neighbouring tile: a row, or the whole box further on.
        if (copy.extent[d] > 1) {
          for (const int sign : {-1, 1}) {
            add_to<Copy>("shift by one row: " + what,
                         [side, d, sign](Copy& c) { side(c).place.address += sign * side(c).stride[d]; });
            add_to<Copy>("shift by one tile: " + what,
                         [side, d, sign](Copy& c) { side(c).place.address += sign * side(c).stride[d] * c.extent[d]; });
          }
        }
      }
      if (d > 0) {
        add_to<Copy>("dimensions exchanged", [d](Copy& c) {
          std::swap(c.extent[d - 1], c.extent[d]);
          std::swap(c.src.stride[d - 1], c.src.stride[d]);
          std::swap(c.dst.stride[d - 1], c.dst.stride[d]);
        });
      }
    }
    for (const bool source : {true, false}) {
      const std::string what = source ? "source" : "destination";
      const auto side = [source](Copy& c) -> Copy::Side& { return source ? c.src : c.dst; };
      for (const int sign : {-1, 1}) {
        add_to<Copy>("shift by one tile: " + what,
                     [side, sign](Copy& c) { side(c).place.address += sign * c.extent[model::kCopyDims - 1]; });
      }
      wrong_place(source ? copy.src.place : copy.dst.place, what,
                  [side](Instruction& x) -> Place& { return side(std::get<Copy>(x.op)).place; });
    }
    add_to<Copy>("other direction", [](Copy& c) { std::swap(c.src, c.dst); });
    add_to<Copy>("two rows", [](Copy& c) {
      c.extent[2] *= 2;
      c.extent[3] /= 2;
      c.src.stride[2] = c.extent[3];
      c.dst.stride[2] = c.extent[3] + 1;
    });
    for (std::size_t t = 0; t < copy.multicast.size(); ++t) {
      add_to<Copy>("multicast: drop a core",
                   [t](Copy& c) { c.multicast.erase(c.multicast.begin() + static_cast<std::ptrdiff_t>(t)); });
    }
    for (std::int32_t core = 0; core < context_.cores; ++core) {
      const model::CoreId id(core);
      if (std::find(copy.multicast.begin(), copy.multicast.end(), id) != copy.multicast.end()) continue;
      add_to<Copy>("multicast: one more core", [id](Copy& c) {
        c.multicast.insert(std::upper_bound(c.multicast.begin(), c.multicast.end(), id), id);
      });
    }
    if (!copy.gather) {
      add_to<Copy>("gather flag", [](Copy& c) { c.gather = Copy::Gather{c.dst.place, 0, 4, 1}; });
      return;
    }
    add_to<Copy>("gather flag", [](Copy& c) { c.gather.reset(); });
    for (const std::int64_t more : {-1, 1}) {
      add_to<Copy>("gather: wrong position", [more](Copy& c) { c.gather->first += more; });
      add_to<Copy>("gather: wrong rows", [more](Copy& c) { c.gather->rows += more; });
      add_to<Copy>("gather: wrong seed", [more](Copy& c) { c.gather->seed += static_cast<std::uint64_t>(more); });
    }
    wrong_place(copy.gather->indices, "indices",
                [](Instruction& x) -> Place& { return std::get<Copy>(x.op).gather->indices; });
  }

  // All operands of an array pass or vector operation share its loops.
  static std::vector<TileRef*> tiles_of(Instruction& x) {
    if (auto* pass = std::get_if<ArrayPass>(&x.op)) return {&pass->input, &pass->weight, &pass->output};
    auto& op = std::get<VectorOp>(x.op);
    std::vector<TileRef*> tiles;
    for (TileRef& source : op.sources) tiles.push_back(&source);
    tiles.push_back(&op.output);
    return tiles;
  }
  static std::vector<Loop>& loops_of(Instruction& x) {
    if (auto* pass = std::get_if<ArrayPass>(&x.op)) return pass->loops;
    return std::get<VectorOp>(x.op).loops;
  }

  void loops() {
    Instruction copy = instruction_;
    const std::vector<Loop>& all = loops_of(copy);
    for (std::size_t l = 0; l < all.size(); ++l) {
      for (const std::int64_t more : {-1, 1}) {
        add(more < 0 ? "shorter loop" : "longer loop", [l, more](Instruction& x) { loops_of(x)[l].extent += more; });
      }
      for (const DimKind kind : {DimKind::group, DimKind::m, DimKind::n, DimKind::k, DimKind::row}) {
        if (kind != all[l].kind) add("other kind of loop", [l, kind](Instruction& x) { loops_of(x)[l].kind = kind; });
      }
      add("drop loop", [l](Instruction& x) {
        loops_of(x).erase(loops_of(x).begin() + static_cast<std::ptrdiff_t>(l));
        for (TileRef* tile : tiles_of(x))
          for (TileAxis& axis : tile->axes)
            axis.coefficient.erase(axis.coefficient.begin() + static_cast<std::ptrdiff_t>(l));
      });
      if (l == 0) continue;
      add("extents of loops exchanged",
          [l](Instruction& x) { std::swap(loops_of(x)[l - 1].extent, loops_of(x)[l].extent); });
      add("loops exchanged", [l](Instruction& x) {
        std::swap(loops_of(x)[l - 1], loops_of(x)[l]);
        for (TileRef* tile : tiles_of(x))
          for (TileAxis& axis : tile->axes) std::swap(axis.coefficient[l - 1], axis.coefficient[l]);
      });
    }
  }

  void tile(std::size_t t, const std::string& what) {
    Instruction copy = instruction_;
    const TileRef& original = *tiles_of(copy)[t];
    wrong_place(original.place, what, [t](Instruction& x) -> Place& { return tiles_of(x)[t]->place; });
    for (const DataType type : {DataType::int8, DataType::int16, DataType::int32, DataType::fp16, DataType::fp32}) {
      if (type != original.type) add("other type: " + what, [t, type](Instruction& x) { tiles_of(x)[t]->type = type; });
    }
    for (std::size_t a = 0; a < original.axes.size(); ++a) {
      const auto axis = [t, a](Instruction& x) -> TileAxis& { return tiles_of(x)[t]->axes[a]; };
      for (const std::int64_t more : {-1, 1}) {
        add(more < 0 ? "smaller box: " + what : "larger box: " + what,
            [axis, more](Instruction& x) { axis(x).count += more; });
        add("wrong step: " + what, [axis, more](Instruction& x) { axis(x).step += more; });
        add("wrong stride: " + what, [axis, more](Instruction& x) { axis(x).stride += more; });
        add("wrong offset: " + what, [axis, more](Instruction& x) { axis(x).offset += more; });
      }
      for (std::size_t l = 0; l < original.axes[a].coefficient.size(); ++l) {
        for (const std::int64_t more : {-1, 1}) {
          add("wrong coefficient: " + what, [axis, l, more](Instruction& x) { axis(x).coefficient[l] += more; });
        }
        if (original.axes[a].coefficient[l] > 1)
          add("wrong coefficient: " + what, [axis, l](Instruction& x) { axis(x).coefficient[l] = 0; });
      }
      if (a > 0) {
        add("strides exchanged: " + what, [t, a](Instruction& x) {
          auto& axes = tiles_of(x)[t]->axes;
          std::swap(axes[a - 1].stride, axes[a].stride);
        });
        add("axes exchanged: " + what, [t, a](Instruction& x) {
          auto& axes = tiles_of(x)[t]->axes;
          std::swap(axes[a - 1], axes[a]);
        });
      }
    }
  }

  void array_pass() {
    loops();
    tile(0, "input");
    tile(1, "weight");
    tile(2, "result");
    add_to<ArrayPass>("accumulate flag", [](ArrayPass& pass) { pass.accumulate = !pass.accumulate; });
    add_to<ArrayPass>("operands exchanged", [](ArrayPass& pass) { std::swap(pass.input, pass.weight); });
  }

  void vector_op() {
    const VectorOp& op = std::get<VectorOp>(instruction_.op);
    loops();
    for (std::size_t s = 0; s < op.sources.size(); ++s) tile(s, "source");
    tile(op.sources.size(), "result");
    for (const VectorKind kind :
         {VectorKind::requantize, VectorKind::add, VectorKind::mul, VectorKind::max_pool, VectorKind::average_pool,
          VectorKind::softmax, VectorKind::layer_normalization, VectorKind::move, VectorKind::activate}) {
      if (kind != op.kind) add_to<VectorOp>("other operation", [kind](VectorOp& x) { x.kind = kind; });
    }
    add_to<VectorOp>("drop source", [](VectorOp& x) { x.sources.pop_back(); });
    add_to<VectorOp>("double source", [](VectorOp& x) { x.sources.push_back(x.sources.back()); });
    for (std::size_t s = 1; s < op.sources.size(); ++s) {
      add_to<VectorOp>("sources exchanged", [s](VectorOp& x) { std::swap(x.sources[s - 1], x.sources[s]); });
    }
    for (const std::int64_t more : {-1, 1}) {
      add_to<VectorOp>("wrong divisor", [more](VectorOp& x) { x.divisor += more; });
    }
    if (op.divisor > 0) add_to<VectorOp>("wrong divisor", [](VectorOp& x) { x.divisor = 0; });
    const auto activation = [](model::OpType type) {
      model::FusedActivation added;
      added.type = type;
      return added;
    };
    for (const model::OpType type :
         {model::OpType::relu, model::OpType::clip, model::OpType::sigmoid, model::OpType::tanh, model::OpType::gelu}) {
      add_to<VectorOp>("one activation more",
                       [type, activation](VectorOp& x) { x.activations.push_back(activation(type)); });
      for (std::size_t a = 0; a < op.activations.size(); ++a) {
        if (op.activations[a].type == type) continue;
        add_to<VectorOp>("other activation",
                         [a, type, activation](VectorOp& x) { x.activations[a] = activation(type); });
      }
    }
    for (std::size_t a = 0; a < op.activations.size(); ++a) {
      add_to<VectorOp>("drop activation", [a](VectorOp& x) {
        x.activations.erase(x.activations.begin() + static_cast<std::ptrdiff_t>(a));
      });
      if (op.activations[a].type == model::OpType::clip) {
        add_to<VectorOp>("wrong clip bounds", [a](VectorOp& x) { x.activations[a].clip.min = 1; });
        add_to<VectorOp>("wrong clip bounds", [a](VectorOp& x) { x.activations[a].clip.max = -1; });
        add_to<VectorOp>("wrong clip bounds", [a](VectorOp& x) { x.activations[a].clip.max += 1; });
      }
      if (a > 0) {
        add_to<VectorOp>("activations exchanged",
                         [a](VectorOp& x) { std::swap(x.activations[a - 1], x.activations[a]); });
      }
    }
  }

  const Instruction& instruction_;
  const OperationContext& context_;
  EditKind kind_ = EditKind::copy;
  std::vector<OperationEdit> edits_;
};

}  // namespace

std::vector<OperationEdit> edits_of(const Instruction& instruction, const OperationContext& context) {
  return Edits(instruction, context).all();
}

}  // namespace accsim::tests
