// Values of nodes whose inputs are constant: shape arithmetic of exporters, and the small tensors that stand beside it.
// Integers in int64 (wrapping nowhere that matters: shapes are small), floats in float, as the operator specifications
// define them. Operators that are not here stay constants without values.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>

#include "model/base/error.h"
#include "model/reference/tensor_index.h"
#include "model/workload/checked.h"
#include "model/workload/onnx_graph.h"
#include "model/workload/shape_inference.h"

namespace accsim::model::importer {
namespace {

using reference::broadcast_strides;
using reference::for_each_coordinate;
using reference::strides_of;
using Integers = std::vector<std::int64_t>;
constexpr std::int64_t kMost = std::int64_t{1} << 26;  // elements of a result

std::shared_ptr<Constant> blank(Element type, Shape shape) {
  auto out = std::make_shared<Constant>();
  out->type = type;
  out->shape = std::move(shape);
  out->known = true;
  for (const std::int64_t extent : out->shape)
    if (extent < 0 || extent > kMost) return nullptr;
  const std::int64_t count = checked_product(out->shape).value_or(kMost + 1);
  if (count > kMost) return nullptr;
  if (is_float(type)) {
    out->floats.resize(static_cast<std::size_t>(count));
  } else {
    out->ints.resize(static_cast<std::size_t>(count));
  }
  return out;
}

void copy_element(const Constant& from, std::int64_t i, Constant& to, std::int64_t j) {
  if (is_float(from.type)) {
    to.floats[static_cast<std::size_t>(j)] = from.floats[static_cast<std::size_t>(i)];
  } else {
    to.ints[static_cast<std::size_t>(j)] = from.ints[static_cast<std::size_t>(i)];
  }
}

// An integer of another width, as a cast makes it.
std::int64_t wrap(std::int64_t v, Element type) {
  switch (type) {
    case Element::int8:
      return static_cast<std::int8_t>(v);
    case Element::uint8:
      return static_cast<std::uint8_t>(v);
    case Element::int16:
      return static_cast<std::int16_t>(v);
    case Element::uint16:
      return static_cast<std::uint16_t>(v);
    case Element::int32:
      return static_cast<std::int32_t>(v);
    case Element::uint32:
      return static_cast<std::uint32_t>(v);
    case Element::boolean:
      return v != 0 ? 1 : 0;
    default:
      return v;
  }
}

// One node, its inputs by position. Each operator is a member function; the table at the end says which.
class Evaluation {
 public:
  Evaluation(const Graph& graph, const Node& node, std::size_t output) : graph_(graph), node_(node), output_(output) {}

  ConstantPtr run() {
    static const std::map<std::string_view, ConstantPtr (Evaluation::*)()> kTable{
        {"Constant", &Evaluation::constant},
        {"Identity", &Evaluation::identity},
        {"Dropout", &Evaluation::identity},
        {"Shape", &Evaluation::shape},
        {"Size", &Evaluation::size},
        {"ConstantOfShape", &Evaluation::filled},
        {"Cast", &Evaluation::cast},
        {"Reshape", &Evaluation::reshaped},
        {"Flatten", &Evaluation::reshaped},
        {"Squeeze", &Evaluation::reshaped},
        {"Unsqueeze", &Evaluation::reshaped},
        {"Transpose", &Evaluation::transpose},
        {"Concat", &Evaluation::concat},
        {"Slice", &Evaluation::slice},
        {"Split", &Evaluation::split},
        {"Gather", &Evaluation::gather},
        {"Expand", &Evaluation::expand},
        {"Tile", &Evaluation::tile},
        {"Range", &Evaluation::range},
        {"Where", &Evaluation::where},
        {"ScatterND", &Evaluation::scatter},
        {"NonZero", &Evaluation::non_zero},
        {"Trilu", &Evaluation::trilu},
        {"MatMul", &Evaluation::matmul},
        {"DequantizeLinear", &Evaluation::dequantize},
        {"Clip", &Evaluation::clip},
        {"Not", &Evaluation::unary},
        {"Neg", &Evaluation::unary},
        {"Abs", &Evaluation::unary},
        {"Sqrt", &Evaluation::unary},
        {"Exp", &Evaluation::unary},
        {"Log", &Evaluation::unary},
        {"Floor", &Evaluation::unary},
        {"Ceil", &Evaluation::unary},
        {"Round", &Evaluation::unary},
        {"Sin", &Evaluation::unary},
        {"Cos", &Evaluation::unary},
        {"Erf", &Evaluation::unary},
        {"Tanh", &Evaluation::unary},
        {"Sigmoid", &Evaluation::unary},
        {"Relu", &Evaluation::unary},
        {"Reciprocal", &Evaluation::unary},
        {"Sign", &Evaluation::unary},
        {"Add", &Evaluation::binary},
        {"Sub", &Evaluation::binary},
        {"Mul", &Evaluation::binary},
        {"Div", &Evaluation::binary},
        {"Mod", &Evaluation::binary},
        {"Pow", &Evaluation::binary},
        {"Min", &Evaluation::binary},
        {"Max", &Evaluation::binary},
        {"Equal", &Evaluation::binary},
        {"Greater", &Evaluation::binary},
        {"Less", &Evaluation::binary},
        {"GreaterOrEqual", &Evaluation::binary},
        {"LessOrEqual", &Evaluation::binary},
        {"And", &Evaluation::binary},
        {"Or", &Evaluation::binary},
        {"Xor", &Evaluation::binary},
        {"ReduceSum", &Evaluation::reduce},
        {"ReduceMean", &Evaluation::reduce},
        {"ReduceMax", &Evaluation::reduce},
        {"ReduceMin", &Evaluation::reduce},
        {"ReduceProd", &Evaluation::reduce}};
    const auto it = kTable.find(node_.op);
    return it == kTable.end() ? nullptr : (this->*it->second)();
  }

 private:
  [[nodiscard]] const Constant* in(std::size_t i) const { return graph_.constant_input(node_, i).get(); }
  [[nodiscard]] const Value& result() const { return graph_.value(node_.outputs[output_]); }
  [[nodiscard]] std::size_t axis_of(std::int64_t axis, std::size_t rank) const {
    const auto n = static_cast<std::int64_t>(rank);
    if (axis < 0) axis += n;
    if (axis < 0 || axis >= std::max<std::int64_t>(n, 1)) graph_.refuse(node_, "axis outside of its input");
    return static_cast<std::size_t>(axis);
  }
  // A list that is an input in newer operator sets, an attribute in older ones.
  [[nodiscard]] Integers list(std::size_t input, const std::string& attribute) const {
    const Constant* const c = in(input);
    return c != nullptr ? c->ints : node_.integers(attribute);
  }

  ConstantPtr constant() {
    const auto& attributes = node_.attributes;
    if (const auto it = attributes.find("value"); it != attributes.end()) {
      const auto* tensor = std::get_if<ConstantPtr>(&it->second);
      return tensor != nullptr ? *tensor : nullptr;
    }
    if (node_.has("value_float")) return make_floats({}, {static_cast<float>(node_.number("value_float", 0))});
    if (node_.has("value_int") || node_.has("value_ints")) {
      auto out = std::make_shared<Constant>(*make_integers(node_.integers("value_ints")));
      if (node_.has("value_int")) {
        out->ints = {node_.integer("value_int", 0)};
        out->shape = {};
      }
      return out;
    }
    if (const auto it = attributes.find("value_floats"); it != attributes.end()) {
      const auto& list = std::get<std::vector<double>>(it->second);
      return make_floats({static_cast<std::int64_t>(list.size())}, std::vector<float>(list.begin(), list.end()));
    }
    return nullptr;
  }

  ConstantPtr identity() { return output_ == 0 ? graph_.constant_input(node_, 0) : nullptr; }

  ConstantPtr shape() {
    const Shape& of = graph_.shape(node_.inputs[0]);
    const auto rank = static_cast<std::int64_t>(of.size());
    const auto place = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
    const std::int64_t begin = place(node_.integer("start", 0));
    const std::int64_t end = std::max(begin, place(node_.integer("end", rank)));
    return make_integers(Integers(of.begin() + begin, of.begin() + end));
  }

  ConstantPtr size() {
    auto out = std::make_shared<Constant>(*make_integers({1}));
    for (const std::int64_t extent : graph_.shape(node_.inputs[0])) out->ints[0] *= extent;
    out->shape = {};
    return out;
  }

  ConstantPtr filled() {
    const auto it = node_.attributes.find("value");
    const auto* value = it == node_.attributes.end() ? nullptr : std::get_if<ConstantPtr>(&it->second);
    for (const std::int64_t extent : in(0)->ints)
      if (extent < 0) graph_.refuse(node_, "asks for the negative extent " + std::to_string(extent));
    auto out = blank(value != nullptr ? (*value)->type : Element::float32, in(0)->ints);
    if (out == nullptr || value == nullptr) return out;
    if (!(*value)->known || (*value)->size() != 1) return nullptr;
    for (std::int64_t i = 0; i < out->size(); ++i) copy_element(**value, 0, *out, i);
    return out;
  }

  ConstantPtr cast() {
    const Constant& x = *in(0);
    auto out = blank(result().type, x.shape);
    if (out == nullptr || result().type == Element::unknown) return nullptr;
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i) {
      if (is_float(out->type)) {
        out->floats[i] = is_float(x.type) ? x.floats[i] : static_cast<float>(x.ints[i]);
      } else if (!is_float(x.type)) {
        out->ints[i] = wrap(x.ints[i], out->type);
      } else if (out->type == Element::boolean) {
        out->ints[i] = x.floats[i] != 0 ? 1 : 0;
      } else {
        constexpr float kLimit = 9.2e18F;
        const float v = x.floats[i];
        out->ints[i] = v >= kLimit     ? std::numeric_limits<std::int64_t>::max()
                       : v <= -kLimit  ? std::numeric_limits<std::int64_t>::min()
                       : std::isnan(v) ? 0
                                       : wrap(static_cast<std::int64_t>(v), out->type);
      }
    }
    return out;
  }

  ConstantPtr reshaped() {
    const Constant& x = *in(0);
    if (!result().has_shape) return nullptr;
    std::int64_t count = 1;
    for (const std::int64_t extent : result().shape) count *= extent;
    if (count != x.size()) graph_.refuse(node_, shape_text(result().shape) + " does not hold " + shape_text(x.shape));
    auto out = std::make_shared<Constant>(x);
    out->shape = result().shape;
    return out;
  }

  ConstantPtr transpose() {
    const Constant& x = *in(0);
    Integers perm = node_.integers("perm");
    if (perm.empty()) {
      perm.resize(x.shape.size());
      std::iota(perm.rbegin(), perm.rend(), 0);
    }
    if (perm.size() != x.shape.size()) graph_.refuse(node_, "perm does not go with " + shape_text(x.shape));
    const auto strides = strides_of(x.shape);
    Shape shape;
    std::array<reference::Strides, 1> steps;
    for (const std::int64_t axis : perm) {
      shape.push_back(x.shape[axis_of(axis, x.shape.size())]);
      steps[0].push_back(strides[axis_of(axis, x.shape.size())]);
    }
    return walk(x, shape, steps[0], 0);
  }

  // Elements of x at first + coordinate * strides for every coordinate of the shape.
  ConstantPtr walk(const Constant& x, const Shape& shape, const reference::Strides& strides, std::int64_t first) {
    auto out = blank(x.type, shape);
    if (out == nullptr) return nullptr;
    std::int64_t to = 0;
    for_each_coordinate(shape, std::array{strides},
                        [&](const auto& at) { copy_element(x, first + at[0], *out, to++); });
    return out;
  }

  ConstantPtr concat() {
    const std::size_t rank = in(0)->shape.size();
    const std::size_t axis = axis_of(node_.integer("axis", 0), rank);
    Shape shape = in(0)->shape;
    shape[axis] = 0;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (in(i)->shape.size() != rank || in(i)->type != in(0)->type) graph_.refuse(node_, "inputs do not go together");
      shape[axis] += in(i)->shape[axis];
    }
    auto out = blank(in(0)->type, shape);
    if (out == nullptr) return nullptr;
    const std::int64_t outer = reference::extent_between(shape, 0, axis);
    std::int64_t to = 0;
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
        const std::int64_t run = outer == 0 ? 0 : in(i)->size() / outer;
        for (std::int64_t k = 0; k < run && to < out->size(); ++k) copy_element(*in(i), o * run + k, *out, to++);
      }
    }
    return out;
  }

  ConstantPtr slice() {
    const Constant& x = *in(0);
    const Integers starts = list(1, "starts");
    const Integers ends = list(2, "ends");
    Integers axes = list(3, "axes");
    Integers steps = list(4, "steps");
    if (axes.empty()) {
      axes.resize(starts.size());
      std::iota(axes.begin(), axes.end(), 0);
    }
    steps.resize(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size()) graph_.refuse(node_, "lists of unequal length");
    Shape shape = x.shape;
    auto strides = strides_of(x.shape);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::size_t axis = axis_of(axes[i], x.shape.size());
      const std::int64_t extent = x.shape[axis];
      const std::int64_t step = steps[i];
      if (step == 0) graph_.refuse(node_, "step 0");
      const auto place = [&](std::int64_t v) {
        if (v < 0) v = v < -extent ? -1 : v + extent;
        return step > 0 ? std::clamp<std::int64_t>(v, 0, extent) : std::clamp<std::int64_t>(v, -1, extent - 1);
      };
      const std::int64_t begin = step > 0 && starts[i] < -extent ? 0 : place(starts[i]);
      const std::int64_t end = step > 0 && ends[i] < -extent ? 0 : place(ends[i]);
      shape[axis] = step > 0 ? std::max<std::int64_t>(0, (end - begin + step - 1) / step)
                             : std::max<std::int64_t>(0, (begin - end - step - 1) / -step);
      first += begin * strides[axis];
      strides[axis] *= step;
    }
    return walk(x, shape, strides, first);
  }

  ConstantPtr split() {
    const Constant& x = *in(0);
    const std::size_t axis = axis_of(node_.integer("axis", 0), x.shape.size());
    Integers parts = list(1, "split");
    const auto count = static_cast<std::int64_t>(node_.outputs.size());
    if (parts.empty()) {
      const std::int64_t part = (x.shape[axis] + count - 1) / count;
      for (std::int64_t i = 0; i < count; ++i) parts.push_back(std::min(part, x.shape[axis] - i * part));
    }
    if (parts.size() != node_.outputs.size()) graph_.refuse(node_, "its parts and outputs differ in number");
    Shape shape = x.shape;
    const std::int64_t first =
        std::accumulate(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(output_), std::int64_t{0});
    shape[axis] = parts[output_];
    if (first < 0 || parts[output_] < 0 || first + parts[output_] > x.shape[axis])
      graph_.refuse(node_, "its parts do not fit");
    const auto strides = strides_of(x.shape);
    return walk(x, shape, strides, first * strides[axis]);
  }

  ConstantPtr gather() {
    const Constant& x = *in(0);
    const Constant& indices = *in(1);
    const std::size_t axis = axis_of(node_.integer("axis", 0), x.shape.size());
    Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
    shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
    auto out = blank(x.type, shape);
    if (out == nullptr) return nullptr;
    const std::int64_t outer = reference::extent_between(x.shape, 0, axis);
    const std::int64_t inner = reference::extent_between(x.shape, axis + 1, x.shape.size());
    std::int64_t to = 0;
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t row : indices.ints) {
        if (row < 0) row += x.shape[axis];
        if (row < 0 || row >= x.shape[axis]) graph_.refuse(node_, "index " + std::to_string(row) + " is outside");
        for (std::int64_t k = 0; k < inner; ++k) copy_element(x, (o * x.shape[axis] + row) * inner + k, *out, to++);
      }
    }
    return out;
  }

  ConstantPtr expand() {
    const auto shape = broadcast(in(0)->shape, in(1)->ints);
    if (!shape) graph_.refuse(node_, "cannot be expanded");
    return walk(*in(0), *shape, broadcast_strides(in(0)->shape, *shape), 0);
  }

  ConstantPtr tile() {
    const Constant& x = *in(0);
    const Integers& repeats = in(1)->ints;
    if (repeats.size() != x.shape.size()) graph_.refuse(node_, "repeats does not go with " + shape_text(x.shape));
    Shape shape;  // [repeat, extent] for every axis
    reference::Strides steps;
    const auto strides = strides_of(x.shape);
    for (std::size_t a = 0; a < repeats.size(); ++a) {
      shape.insert(shape.end(), {repeats[a], x.shape[a]});
      steps.insert(steps.end(), {0, strides[a]});
    }
    const ConstantPtr copied = walk(x, shape, steps, 0);
    if (copied == nullptr) return nullptr;
    auto out = std::make_shared<Constant>(*copied);
    out->shape.clear();
    for (std::size_t a = 0; a < repeats.size(); ++a) out->shape.push_back(repeats[a] * x.shape[a]);
    return out;
  }

  ConstantPtr range() {
    for (std::size_t i = 0; i < 3; ++i)
      if (in(i) == nullptr || in(i)->size() != 1) return nullptr;
    const double start = in(0)->number(0);
    const double step = in(2)->number(0);
    if (step == 0) graph_.refuse(node_, "step 0");
    if (in(0)->type != in(1)->type || in(0)->type != in(2)->type) graph_.refuse(node_, "its inputs differ in type");
    const double count = std::max(0.0, std::ceil((in(1)->number(0) - start) / step));
    if (count > static_cast<double>(kMost)) graph_.refuse(node_, "makes a constant that is too large");
    auto out = blank(in(0)->type, {static_cast<std::int64_t>(count)});
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      if (is_float(out->type)) {
        out->floats[i] = static_cast<float>(start + static_cast<double>(i) * step);
      } else {
        out->ints[i] = in(0)->ints[0] + static_cast<std::int64_t>(i) * in(2)->ints[0];
      }
    }
    return out;
  }

  ConstantPtr where() {
    const auto both = broadcast(in(1)->shape, in(2)->shape);
    const auto shape = both ? broadcast(in(0)->shape, *both) : both;
    if (!shape) graph_.refuse(node_, "shapes cannot be broadcast");
    auto out = blank(in(1)->type, *shape);
    if (out == nullptr || in(1)->type != in(2)->type || is_float(in(0)->type)) return nullptr;
    std::int64_t to = 0;
    for_each_coordinate(*shape,
                        std::array{broadcast_strides(in(0)->shape, *shape), broadcast_strides(in(1)->shape, *shape),
                                   broadcast_strides(in(2)->shape, *shape)},
                        [&](const auto& at) {
                          const bool first = in(0)->ints[static_cast<std::size_t>(at[0])] != 0;
                          copy_element(first ? *in(1) : *in(2), first ? at[1] : at[2], *out, to++);
                        });
    return out;
  }

  ConstantPtr scatter() {
    const Constant& data = *in(0);
    const Constant& indices = *in(1);
    const Constant& updates = *in(2);
    if (is_float(indices.type) || data.type != updates.type) graph_.refuse(node_, "its inputs have the wrong type");
    if (indices.shape.empty() || node_.text("reduction", "none") != "none") return nullptr;
    const std::int64_t depth = indices.shape.back();
    const auto strides = strides_of(data.shape);
    if (depth > static_cast<std::int64_t>(data.shape.size())) graph_.refuse(node_, "indices have too many axes");
    auto out = std::make_shared<Constant>(data);
    const std::int64_t run = reference::extent_between(data.shape, static_cast<std::size_t>(depth), data.shape.size());
    const std::int64_t rows = depth == 0 ? 0 : indices.size() / depth;
    if (rows * run != updates.size()) graph_.refuse(node_, "updates do not go with the indices");
    for (std::int64_t r = 0; r < rows; ++r) {
      std::int64_t first = 0;
      for (std::int64_t d = 0; d < depth; ++d) {
        std::int64_t at = indices.ints[static_cast<std::size_t>(r * depth + d)];
        const std::int64_t extent = data.shape[static_cast<std::size_t>(d)];
        if (at < 0) at += extent;
        if (at < 0 || at >= extent) graph_.refuse(node_, "an index is outside of its axis");
        first += at * strides[static_cast<std::size_t>(d)];
      }
      for (std::int64_t k = 0; k < run; ++k) copy_element(updates, r * run + k, *out, first + k);
    }
    return out;
  }

  ConstantPtr non_zero() {
    const Constant& x = *in(0);
    std::vector<Integers> found;
    const auto strides = strides_of(x.shape);
    for (std::int64_t i = 0; i < x.size(); ++i) {
      if (x.number(static_cast<std::size_t>(i)) == 0) continue;
      Integers at;
      for (std::size_t a = 0; a < x.shape.size(); ++a) at.push_back(i / strides[a] % x.shape[a]);
      found.push_back(std::move(at));
    }
    auto out =
        blank(Element::int64, {static_cast<std::int64_t>(x.shape.size()), static_cast<std::int64_t>(found.size())});
    for (std::size_t i = 0; i < found.size(); ++i)
      for (std::size_t a = 0; a < x.shape.size(); ++a) out->ints[a * found.size() + i] = found[i][a];
    return out;
  }

  ConstantPtr trilu() {
    if (in(1) != nullptr && is_float(in(1)->type)) return nullptr;
    auto out = std::make_shared<Constant>(*in(0));
    if (out->shape.size() < 2) graph_.refuse(node_, "needs a matrix");
    const std::int64_t k = in(1) != nullptr && !in(1)->ints.empty() ? in(1)->ints[0] : 0;
    const bool upper = node_.integer("upper", 1) != 0;
    const std::int64_t columns = out->shape.back();
    const std::int64_t rows = out->shape[out->shape.size() - 2];
    for (std::int64_t i = 0; i < out->size(); ++i) {
      const std::int64_t over = i % columns - i / columns % rows;
      if (upper ? over >= k : over <= k) continue;
      if (is_float(out->type)) {
        out->floats[static_cast<std::size_t>(i)] = 0;
      } else {
        out->ints[static_cast<std::size_t>(i)] = 0;
      }
    }
    return out;
  }

  ConstantPtr matmul() {
    const Constant& a = *in(0);
    const Constant& b = *in(1);
    if (a.shape.size() != 2 || b.shape.size() != 2 || !is_float(a.type) || a.shape[1] != b.shape[0]) return nullptr;
    auto out = blank(a.type, {a.shape[0], b.shape[1]});
    if (out == nullptr || a.shape[0] * a.shape[1] * b.shape[1] > kMost) return nullptr;
    for (std::int64_t m = 0; m < a.shape[0]; ++m) {
      for (std::int64_t n = 0; n < b.shape[1]; ++n) {
        double sum = 0;
        for (std::int64_t k = 0; k < a.shape[1]; ++k) {
          sum += static_cast<double>(a.floats[static_cast<std::size_t>(m * a.shape[1] + k)]) *
                 static_cast<double>(b.floats[static_cast<std::size_t>(k * b.shape[1] + n)]);
        }
        out->floats[static_cast<std::size_t>(m * b.shape[1] + n)] = static_cast<float>(sum);
      }
    }
    return out;
  }

  // (x - zero point) * scale, both of one element or one for each index of the axis.
  ConstantPtr dequantize() {
    const Constant& x = *in(0);
    const Constant& scale = *in(1);
    const Constant* const zero = in(2);
    auto out = blank(Element::float32, x.shape);
    if (out == nullptr || is_float(x.type)) return nullptr;
    std::int64_t inner = x.size();
    const bool zero_fits =
        zero == nullptr || (!is_float(zero->type) && (zero->size() == 1 || zero->size() == scale.size()));
    if (!zero_fits || !is_float(scale.type)) graph_.refuse(node_, "its zero point does not go with its scale");
    if (scale.size() != 1) {
      const std::size_t axis = axis_of(node_.integer("axis", 1), x.shape.size());
      if (scale.size() != x.shape[axis]) graph_.refuse(node_, "scale does not go with " + shape_text(x.shape));
      inner = reference::extent_between(x.shape, axis + 1, x.shape.size());
    }
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto c = static_cast<std::size_t>(scale.size() == 1 ? 0 : i / inner % scale.size());
      const std::int64_t z = zero == nullptr ? 0 : zero->ints[zero->ints.size() == 1 ? 0 : c];
      out->floats[static_cast<std::size_t>(i)] =
          static_cast<float>(x.ints[static_cast<std::size_t>(i)] - z) * scale.floats[c];
    }
    return out;
  }

  ConstantPtr clip() {
    auto out = std::make_shared<Constant>(*in(0));
    if (is_float(out->type)) {
      for (std::size_t i = 1; i < 3; ++i)
        if (in(i) != nullptr && in(i)->size() != 1) graph_.refuse(node_, "its bounds are no scalars");
      const double low = in(1) != nullptr ? in(1)->number(0) : node_.number("min", -3.4e38);
      const double high = in(2) != nullptr ? in(2)->number(0) : node_.number("max", 3.4e38);
      for (float& v : out->floats) v = static_cast<float>(std::min(std::max(static_cast<double>(v), low), high));
    } else {
      for (std::size_t i = 1; i < 3; ++i)
        if (in(i) != nullptr && (in(i)->size() != 1 || is_float(in(i)->type)))
          graph_.refuse(node_, "its bounds are no scalars of its type");
      for (std::int64_t& v : out->ints) {
        if (in(1) != nullptr) v = std::max(v, in(1)->ints[0]);
        if (in(2) != nullptr) v = std::min(v, in(2)->ints[0]);
      }
    }
    return out;
  }

  static float unary_of(const std::string& op, float v) {
    if (op == "Neg") return -v;
    if (op == "Abs") return std::fabs(v);
    if (op == "Sqrt") return std::sqrt(v);
    if (op == "Exp") return std::exp(v);
    if (op == "Log") return std::log(v);
    if (op == "Floor") return std::floor(v);
    if (op == "Ceil") return std::ceil(v);
    if (op == "Round") return std::nearbyint(v);
    if (op == "Sin") return std::sin(v);
    if (op == "Cos") return std::cos(v);
    if (op == "Erf") return std::erf(v);
    if (op == "Tanh") return std::tanh(v);
    if (op == "Sigmoid") return 1 / (1 + std::exp(-v));
    if (op == "Relu") return std::max(v, 0.0F);
    if (op == "Reciprocal") return 1 / v;
    return v > 0 ? 1.0F : v < 0 ? -1.0F : 0.0F;  // Sign
  }

  ConstantPtr unary() {
    auto out = std::make_shared<Constant>(*in(0));
    if (is_float(out->type)) {
      for (float& v : out->floats) v = unary_of(node_.op, v);
      return out;
    }
    for (std::int64_t& v : out->ints) {
      if (node_.op == "Not") {
        v = v == 0 ? 1 : 0;
      } else if (node_.op == "Neg") {
        v = -v;
      } else if (node_.op == "Abs") {
        v = std::abs(v);
      } else if (node_.op == "Relu") {
        v = std::max<std::int64_t>(v, 0);
      } else if (node_.op == "Sign") {
        v = v > 0 ? 1 : v < 0 ? -1 : 0;
      } else if (node_.op != "Floor" && node_.op != "Ceil" && node_.op != "Round") {
        return nullptr;
      }
    }
    return out;
  }

  template <class T>
  T binary_of(T x, T y) const {
    const std::string& op = node_.op;
    if (op == "Add") return x + y;
    if (op == "Sub") return x - y;
    if (op == "Mul") return x * y;
    if (op == "Min") return std::min(x, y);
    if (op == "Max") return std::max(x, y);
    if (op == "Equal") return x == y;
    if (op == "Greater") return x > y;
    if (op == "Less") return x < y;
    if (op == "GreaterOrEqual") return x >= y;
    if (op == "LessOrEqual") return x <= y;
    if (op == "And") return x != 0 && y != 0;
    if (op == "Or") return x != 0 || y != 0;
    if (op == "Xor") return (x != 0) != (y != 0);
    if (op == "Pow") return static_cast<T>(std::pow(static_cast<double>(x), static_cast<double>(y)));
    if constexpr (std::is_integral_v<T>) {
      if (y == 0) graph_.refuse(node_, "divides by 0");
      if (y == -1) return op == "Div" ? -x : 0;
      if (op == "Div") return x / y;
      const T rest = x % y;  // Mod: the divisor's sign, or the dividend's with fmod
      return node_.integer("fmod", 0) == 0 && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
    } else {
      return op == "Div" ? x / y : std::fmod(x, y);
    }
  }

  ConstantPtr binary() {
    ConstantPtr first = graph_.constant_input(node_, 0);
    for (std::size_t i = 1; i < node_.inputs.size() && first != nullptr; ++i) first = pair_of(*first, *in(i));
    return first;
  }
  ConstantPtr pair_of(const Constant& x, const Constant& y) {
    const auto shape = broadcast(x.shape, y.shape);
    if (!shape) graph_.refuse(node_, "shapes cannot be broadcast");
    auto out = blank(result().type, *shape);
    if (out == nullptr || result().type == Element::unknown) return nullptr;
    if (is_float(x.type) != is_float(y.type) && node_.op != "Pow") return nullptr;
    std::size_t to = 0;
    for_each_coordinate(*shape, std::array{broadcast_strides(x.shape, *shape), broadcast_strides(y.shape, *shape)},
                        [&](const auto& at) {
                          const auto i = static_cast<std::size_t>(at[0]);
                          const auto j = static_cast<std::size_t>(at[1]);
                          if (is_float(x.type) || is_float(y.type)) {
                            const float v = binary_of(static_cast<float>(x.number(i)), static_cast<float>(y.number(j)));
                            is_float(out->type) ? void(out->floats[to] = v) : void(out->ints[to] = v != 0 ? 1 : 0);
                          } else {
                            out->ints[to] = wrap(binary_of(x.ints[i], y.ints[j]), out->type);
                          }
                          ++to;
                        });
    return out;
  }

  ConstantPtr reduce() {
    const Constant& x = *in(0);
    Integers axes = list(1, "axes");
    const bool keep = node_.integer("keepdims", 1) != 0;
    if (axes.empty()) {
      if (node_.integer("noop_with_empty_axes", 0) != 0) return graph_.constant_input(node_, 0);
      axes.resize(x.shape.size());
      std::iota(axes.begin(), axes.end(), 0);
    }
    Shape kept = x.shape;
    for (const std::int64_t axis : axes) kept[axis_of(axis, x.shape.size())] = 1;
    const auto strides = strides_of(kept);
    reference::Strides steps;
    for (std::size_t a = 0; a < kept.size(); ++a) steps.push_back(kept[a] == 1 ? 0 : strides[a]);
    auto out = blank(x.type, kept);
    if (out == nullptr || x.size() == 0) return nullptr;
    std::vector<double> values(static_cast<std::size_t>(out->size()));
    std::vector<std::int64_t> counts(values.size(), 0);
    std::size_t from = 0;
    for_each_coordinate(x.shape, std::array{steps}, [&](const auto& at) {
      const auto to = static_cast<std::size_t>(at[0]);
      const double v = x.number(from++);
      double& sum = values[to];
      if (counts[to]++ == 0) {
        sum = v;
      } else if (node_.op == "ReduceMax") {
        sum = std::max(sum, v);
      } else if (node_.op == "ReduceMin") {
        sum = std::min(sum, v);
      } else if (node_.op == "ReduceProd") {
        sum *= v;
      } else {
        sum += v;
      }
    });
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double v = node_.op == "ReduceMean" ? values[i] / static_cast<double>(counts[i]) : values[i];
      is_float(out->type) ? void(out->floats[i] = static_cast<float>(v))
                          : void(out->ints[i] = static_cast<std::int64_t>(v));
    }
    if (!keep) {
      Shape shape;
      std::vector<bool> gone(x.shape.size(), false);
      for (const std::int64_t axis : axes) gone[axis_of(axis, x.shape.size())] = true;
      for (std::size_t a = 0; a < kept.size(); ++a)
        if (!gone[a]) shape.push_back(kept[a]);
      out->shape = std::move(shape);
    }
    return out;
  }

  const Graph& graph_;
  const Node& node_;
  std::size_t output_;
};

}  // namespace

ConstantPtr evaluate(const Graph& graph, const Node& node, std::size_t output) {
  return Evaluation(graph, node, output).run();
}

}  // namespace accsim::model::importer
