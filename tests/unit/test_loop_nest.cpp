// The loop nests are judged by running them: every index of every dimension, addresses by the axes alone, against the
// operators' own definitions; and boxes against all coordinates that a tile touches.
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "model/workload/loop_nest.h"
#include "tests/catch.h"
#include "tests/unit/test_network_helpers.h"

namespace accsim::model {

using namespace accsim::tests;

namespace {

using Values = std::vector<std::int64_t>;
using Index = std::vector<std::int64_t>;

Values random_values(const Shape& shape, std::mt19937& random) {
  Values values(static_cast<std::size_t>(element_count(shape)));
  for (auto& v : values) v = static_cast<std::int64_t>(random() % 19) - 9;
  return values;
}

std::int64_t pick(std::mt19937& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(high - low + 1));
}

// Counts through all indices below `extent`; false after the last.
bool next_index(Index& index, const Index& extent) {
  for (std::size_t i = index.size(); i-- > 0;) {
    if (++index[i] < extent[i]) return true;
    index[i] = 0;
  }
  return false;
}

// Element of an operand at an index of the nest; -1 = padding.
std::int64_t address(const Operand& operand, const Index& index) {
  std::int64_t at = 0;
  for (const Axis& axis : operand.axes) {
    std::int64_t coordinate = axis.offset;
    for (const AxisTerm& term : axis.terms) coordinate += term.coefficient * index[static_cast<std::size_t>(term.dim)];
    if (coordinate < 0 || coordinate >= axis.extent) return -1;
    at += coordinate * axis.stride;
  }
  return at;
}

Index extents(const LoopNest& nest) {
  Index all;
  for (const Dim& dim : nest.dims) all.push_back(dim.extent);
  return all;
}

// Runs nests on values: out[…] starts at 0; combine(out, operands without bias and output).
template <class Combine>
Values run(const std::vector<LoopNest>& nests, const std::map<TensorId, Values>& values, std::int64_t results,
           Combine combine) {
  Values out(static_cast<std::size_t>(results), 0);
  for (const LoopNest& nest : nests) {
    const Index extent = extents(nest);
    Index index(extent.size(), 0);
    do {
      Values operands;
      bool padding = false;
      for (std::size_t i = 0; i + 1 < nest.operands.size(); ++i) {
        if (nest.operands[i].role == OperandRole::bias) continue;
        const std::int64_t at = address(nest.operands[i], index);
        padding = padding || at < 0;
        if (at >= 0) operands.push_back(values.at(nest.operands[i].tensor).at(static_cast<std::size_t>(at)));
      }
      const std::int64_t at = address(nest.output(), index);
      REQUIRE(at >= 0);
      if (!padding) combine(out.at(static_cast<std::size_t>(at)), operands);
    } while (next_index(index, extent));
  }
  return out;
}

const auto kMultiplyAdd = [](std::int64_t& out, const Values& v) { out += v[0] * v[1]; };
const auto kAccumulate = [](std::int64_t& out, const Values& v) { out += v[0]; };
const auto kCopy = [](std::int64_t& out, const Values& v) { out = v[0]; };

struct Example {
  Network network;
  std::map<TensorId, Values> values;
  [[nodiscard]] const Operator& op() const { return network.operators[0]; }
  [[nodiscard]] const Values& in(std::size_t i) const { return values.at(op().inputs[i]); }
  [[nodiscard]] const Shape& shape(std::size_t i) const { return network.tensor(op().inputs[i]).shape; }
  [[nodiscard]] const Shape& out_shape() const { return network.tensor(op().outputs[0]).shape; }
  template <class Combine>
  [[nodiscard]] Values run_nest(Combine combine) const {
    return run(loop_nests_of(network, OpId(0)), values, element_count(out_shape()), combine);
  }
};

Example example(Network network, std::mt19937& random) {
  Example e{std::move(network), {}};
  for (const Tensor& tensor : e.network.tensors) e.values[tensor.id] = random_values(tensor.shape, random);
  return e;
}

std::int64_t flat(const Shape& shape, const Index& index) {
  std::int64_t at = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) at = at * shape[i] + index[i];
  return at;
}

// Element of a tensor that is broadcast to a result of higher rank.
std::int64_t broadcast_flat(const Shape& shape, const Index& result) {
  Index index(result.end() - static_cast<std::ptrdiff_t>(shape.size()), result.end());
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 1) index[i] = 0;
  return flat(shape, index);
}

std::string list(const Index& values) { return shape_text(values); }

void check_axes_are_ordered(const Network& network, OpId op) {
  for (const LoopNest& nest : loop_nests_of(network, op)) {
    for (const Operand& operand : nest.operands) {
      CHECK(operand.axes.size() >= 1);
      CHECK(operand.axes.size() <= 4);
      CHECK(operand.axes.back().stride == 1);
      for (std::size_t i = 1; i < operand.axes.size(); ++i) CHECK(operand.axes[i - 1].stride >= operand.axes[i].stride);
      CHECK(operand.type == network.tensor(operand.tensor).type);
    }
  }
}

}  // namespace

TEST_CASE("convolution nests compute convolutions") {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t group = pick(random, 1, 3);
    const std::int64_t cin = group * pick(random, 1, 3);
    const std::int64_t cout = group * pick(random, 1, 3);
    const Shape in{pick(random, 1, 2), cin, pick(random, 1, 7), pick(random, 1, 7)};
    Index kernel;
    Index stride;
    Index dilation;
    Index pads(4);
    for (std::size_t i = 0; i < 2; ++i) {
      dilation.push_back(pick(random, 1, 2));
      stride.push_back(pick(random, 1, 3));
      pads[i] = pick(random, 0, 3);
      pads[i + 2] = pick(random, 0, 2);
      const std::int64_t padded = in[i + 2] + pads[i] + pads[i + 2];
      kernel.push_back(pick(random, 1, std::min<std::int64_t>(3, (padded - 1) / dilation[i] + 1)));
    }
    const Example e = example(
        one_layer(list(in), R"("op": "Conv", "out_channels": )" + std::to_string(cout) + R"(, "group": )" +
                                std::to_string(group) + R"(, "kernel_shape": )" + list(kernel) + R"(, "strides": )" +
                                list(stride) + R"(, "dilations": )" + list(dilation) + R"(, "pads": )" + list(pads)),
        random);
    const Shape out = e.out_shape();
    const Shape weight = e.shape(1);
    Values expected(static_cast<std::size_t>(element_count(out)), 0);
    Index o(4, 0);
    do {
      Index w(4, 0);
      w[0] = o[1];
      for (w[1] = 0; w[1] < weight[1]; ++w[1])
        for (w[2] = 0; w[2] < weight[2]; ++w[2])
          for (w[3] = 0; w[3] < weight[3]; ++w[3]) {
            const Index i{o[0], o[1] / (cout / group) * weight[1] + w[1],
                          o[2] * stride[0] + w[2] * dilation[0] - pads[0],
                          o[3] * stride[1] + w[3] * dilation[1] - pads[1]};
            if (i[2] < 0 || i[3] < 0 || i[2] >= in[2] || i[3] >= in[3]) continue;
            expected[static_cast<std::size_t>(flat(out, o))] +=
                e.in(0)[static_cast<std::size_t>(flat(in, i))] * e.in(1)[static_cast<std::size_t>(flat(weight, w))];
          }
    } while (next_index(o, out));
    REQUIRE(e.run_nest(kMultiplyAdd) == expected);
    check_axes_are_ordered(e.network, OpId(0));
    const LoopNest nest = loop_nest_of(e.network, OpId(0));
    const Index all = extents(nest);
    CHECK(macs_of(e.network, OpId(0)).value() ==
          std::accumulate(all.begin(), all.end(), std::int64_t{1}, std::multiplies<>()));
    // The bias follows the output channels.
    Index index(all.size(), 0);
    do {
      const std::int64_t channel = address(nest.output(), index) / (out[2] * out[3]) % out[1];
      REQUIRE(address(nest.operands[2], index) == channel);
    } while (next_index(index, all));
  }
}

TEST_CASE("a convolution has the dimensions of its definition") {
  const Network net = one_layer("[2, 8, 9]", R"("op": "Conv", "out_channels": 12, "group": 4, "kernel_shape": [3])");
  const LoopNest nest = loop_nest_of(net, OpId(0));
  std::string dims;
  for (const Dim& dim : nest.dims) dims += dim.name + std::to_string(dim.extent) + (dim.tileable ? " " : "! ");
  CHECK(dims == "G4 B2 N3 P1 Q7 C2 R1! S3! ");
  CHECK(nest.engine == Engine::array);
  CHECK(nest.dims[0].kind == DimKind::group);
  CHECK(nest.dims[2].kind == DimKind::n);
  CHECK(nest.dims[7].kind == DimKind::k);
}

TEST_CASE("matrix product nests compute matrix products") {
  std::mt19937 random(2);
  struct Pair {
    Shape a;
    Shape b;
    std::string dims;
  };
  const std::vector<Pair> pairs{{{3, 4}, {4, 5}, "G1 M3 N5 K4"},
                                {{2, 3, 4}, {4, 5}, "G1 M6 N5 K4"},
                                {{2, 2, 3, 4}, {4, 5}, "G1 M12 N5 K4"},
                                {{2, 3, 4}, {2, 4, 5}, "G2 M3 N5 K4"},
                                {{2, 3, 2, 4}, {2, 3, 4, 5}, "G6 M2 N5 K4"},
                                {{2, 1, 3, 4}, {3, 4, 5}, "G1 M02 N03 M3 N5 K4"},
                                {{2, 3, 1, 4}, {2, 1, 4, 5}, "G2 M3 N5 K4"},
                                {{3, 4}, {2, 4, 5}, "G1 N02 M3 N5 K4"},
                                {{2, 1, 3, 4}, {1, 4, 5}, "G1 M6 N5 K4"},
                                {{2, 2, 3, 4}, {2, 4, 5}, "M02 G2 M3 N5 K4"},
                                {{2, 1, 3, 4}, {2, 2, 4, 5}, "G2 N02 M3 N5 K4"},
                                {{4}, {4, 5}, "G1 M1 N5 K4"},
                                {{2, 3, 4}, {4}, "G1 M6 N1 K4"},
                                {{4}, {4}, "G1 M1 N1 K4"},
                                {{4}, {3, 4, 5}, "G1 N03 M1 N5 K4"}};
  for (const Pair& pair : pairs) {
    const Example e = example(one_layer(list(pair.a), R"("op": "MatMul")", list(pair.b)), random);
    INFO(list(pair.a) + " times " + list(pair.b));
    Shape a = pair.a;
    Shape b = pair.b;
    if (a.size() == 1) a.insert(a.begin(), 1);
    if (b.size() == 1) b.push_back(1);
    Shape full = e.out_shape();  // with the dimensions that vectors lack
    if (pair.b.size() == 1) full.push_back(1);
    if (pair.a.size() == 1) full.insert(full.end() - 1, 1);
    Values expected(static_cast<std::size_t>(element_count(full)), 0);
    Index o(full.size(), 0);
    do {
      for (std::int64_t k = 0; k < a.back(); ++k) {
        Index at_a = o;
        Index at_b = o;
        at_a.back() = k;
        at_b[at_b.size() - 2] = k;
        // Keep the matrix axes out of the broadcast: an extent of 1 there is index 0 anyway.
        expected[static_cast<std::size_t>(flat(full, o))] +=
            e.in(0)[static_cast<std::size_t>(broadcast_flat(a, at_a))] *
            e.in(1)[static_cast<std::size_t>(broadcast_flat(b, at_b))];
      }
    } while (next_index(o, full));
    CHECK(e.run_nest(kMultiplyAdd) == expected);
    check_axes_are_ordered(e.network, OpId(0));
    std::string dims;
    const LoopNest nest = loop_nest_of(e.network, OpId(0));
    for (const Dim& dim : nest.dims) dims += (dims.empty() ? "" : " ") + dim.name + std::to_string(dim.extent);
    CHECK(dims == pair.dims);
  }
}

TEST_CASE("Gemm nests follow the stored layout") {
  std::mt19937 random(3);
  for (const int trans_a : {0, 1}) {
    for (const int trans_b : {0, 1}) {
      const Shape a = trans_a != 0 ? Shape{4, 3} : Shape{3, 4};
      const Shape b = trans_b != 0 ? Shape{5, 4} : Shape{4, 5};
      const Example e = example(one_layer(list(a),
                                          R"("op": "Gemm", "transA": )" + std::to_string(trans_a) + R"(, "transB": )" +
                                              std::to_string(trans_b),
                                          list(b)),
                                random);
      Values expected(15, 0);
      for (std::size_t m = 0; m < 3; ++m)
        for (std::size_t n = 0; n < 5; ++n)
          for (std::size_t k = 0; k < 4; ++k)
            expected[m * 5 + n] +=
                e.in(0)[trans_a != 0 ? k * 3 + m : m * 4 + k] * e.in(1)[trans_b != 0 ? n * 4 + k : k * 5 + n];
      CHECK(e.run_nest(kMultiplyAdd) == expected);
      check_axes_are_ordered(e.network, OpId(0));
    }
  }
}

TEST_CASE("the third operand of Gemm is broadcast") {
  const auto strides = [](const std::string& c) {
    const Network net = network_of(R"("inputs": [{"name": "x", "shape": [3, 4]}],
      "weights": [{"name": "w", "shape": [4, 5]}, {"name": "c", "shape": )" +
                                   c + R"(}],
      "layers": [{"name": "l", "op": "Gemm", "inputs": ["x", "w", "c"]}])");
    std::string text;
    const LoopNest nest = loop_nest_of(net, OpId(0));
    for (const Axis& axis : nest.operands[2].axes)
      text += (axis.terms.empty() ? "-" : std::to_string(axis.terms[0].dim)) + ":" + std::to_string(axis.stride) + " ";
    return text;
  };
  CHECK(strides("[5]") == "2:1 ");
  CHECK(strides("[1, 5]") == "2:1 ");
  CHECK(strides("[3, 5]") == "1:5 2:1 ");
  CHECK(strides("[3, 1]") == "1:1 ");
  CHECK(strides("[]") == "-:1 ");
}

TEST_CASE("pooling nests visit every element of every window") {
  std::mt19937 random(4);
  for (const char* attributes : {R"("kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1])",
                                 R"("kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1)",
                                 R"("kernel_shape": [2, 3], "dilations": [2, 2], "pads": [1, 2, 0, 1])"}) {
    const Shape in{2, 3, 7, 5};
    const Example e = example(one_layer(list(in), std::string(R"("op": "AveragePool", )") + attributes), random);
    const auto& pool = std::get<PoolAttributes>(e.op().attributes);
    const Shape out = e.out_shape();
    Values expected(static_cast<std::size_t>(element_count(out)), 0);
    Index o(4, 0);
    do {
      for (std::int64_t r = 0; r < pool.kernel[0]; ++r)
        for (std::int64_t s = 0; s < pool.kernel[1]; ++s) {
          const Index i{o[0], o[1], o[2] * pool.stride[0] + r * pool.dilation[0] - pool.pads[0],
                        o[3] * pool.stride[1] + s * pool.dilation[1] - pool.pads[1]};
          if (i[2] < 0 || i[3] < 0 || i[2] >= in[2] || i[3] >= in[3]) continue;
          expected[static_cast<std::size_t>(flat(out, o))] += e.in(0)[static_cast<std::size_t>(flat(in, i))];
        }
    } while (next_index(o, out));
    CHECK(e.run_nest(kAccumulate) == expected);
    check_axes_are_ordered(e.network, OpId(0));
  }
  const Example global = example(one_layer("[2, 3, 4, 5, 2]", R"("op": "GlobalAveragePool")"), random);
  Values sums(6, 0);
  for (std::size_t i = 0; i < global.in(0).size(); ++i) sums[i / 40] += global.in(0)[i];
  CHECK(global.run_nest(kAccumulate) == sums);
}

TEST_CASE("elementwise nests broadcast both ways") {
  std::mt19937 random(5);
  const std::vector<std::tuple<Shape, Shape, std::size_t>> cases{{{2, 3, 4}, {2, 3, 4}, 1},
                                                                 {{2, 3, 4}, {4}, 2},
                                                                 {{2, 3, 4}, {3, 1}, 3},
                                                                 {{2, 1, 4}, {3, 1}, 3},
                                                                 {{1, 1}, {5}, 1},
                                                                 {{}, {2, 2}, 1},
                                                                 {{1}, {1}, 1},
                                                                 {{2, 3, 4, 5}, {1, 3, 1, 1}, 3},
                                                                 {{1, 3, 1, 5}, {2, 1, 4, 1}, 4},
                                                                 {{2, 1, 3, 1, 2, 1}, {2, 1, 1, 1, 2, 1}, 3},
                                                                 {{2, 2, 2, 2, 2}, {2, 2, 1, 1, 1}, 2}};
  for (const auto& [a, b, dims] : cases) {
    const Example e = example(one_layer(list(a), R"("op": "Add")", list(b)), random);
    INFO(list(a) + " + " + list(b));
    const Shape out = e.out_shape();
    Values expected;
    Index o(out.size(), 0);
    do {
      expected.push_back(e.in(0)[static_cast<std::size_t>(broadcast_flat(a, o))] +
                         e.in(1)[static_cast<std::size_t>(broadcast_flat(b, o))]);
    } while (next_index(o, out));
    CHECK(e.run_nest([](std::int64_t& y, const Values& v) { y = v[0] + v[1]; }) == expected);
    CHECK(loop_nest_of(e.network, OpId(0)).dims.size() == dims);
    check_axes_are_ordered(e.network, OpId(0));
  }
}

TEST_CASE("transposition nests permute, merging what stays together") {
  std::mt19937 random(6);
  for (int round = 0; round < 60; ++round) {
    Shape in(static_cast<std::size_t>(pick(random, 1, 4)));
    for (auto& extent : in) extent = pick(random, 1, 4);
    Index perm(in.size());
    std::iota(perm.begin(), perm.end(), 0);
    std::shuffle(perm.begin(), perm.end(), random);
    const Example e = example(one_layer(list(in), R"("op": "Transpose", "perm": )" + list(perm)), random);
    INFO(list(in) + " by " + list(perm));
    Values expected;
    Index o(in.size(), 0);
    do {
      Index i(in.size());
      for (std::size_t axis = 0; axis < in.size(); ++axis) i[static_cast<std::size_t>(perm[axis])] = o[axis];
      expected.push_back(e.in(0)[static_cast<std::size_t>(flat(in, i))]);
    } while (next_index(o, e.out_shape()));
    CHECK(e.run_nest(kCopy) == expected);
    check_axes_are_ordered(e.network, OpId(0));
  }
  const auto nest = [](const std::string& in, const std::string& perm) {
    return loop_nest_of(one_layer(in, R"("op": "Transpose", "perm": )" + perm), OpId(0));
  };
  CHECK(nest("[2, 3, 4, 5, 6, 7]", "[2, 3, 4, 5, 0, 1]").dims.size() == 2);
  CHECK(nest("[2, 3, 1, 4]", "[1, 2, 0, 3]").engine == Engine::dma);  // the innermost axis stays
  CHECK(nest("[2, 3, 4]", "[0, 2, 1]").engine == Engine::vector);
  CHECK(nest("[1, 3, 1]", "[2, 1, 0]").dims.size() == 1);
}

TEST_CASE("concatenation nests copy every input to its place") {
  std::mt19937 random(7);
  for (const std::string axis : {"0", "1", "2", "-1"}) {
    const Example e =
        example(network_of(R"("inputs": [{"name": "x", "shape": [2, 3, 4]}, {"name": "y", "shape": [2, 3, 4]}],
      "layers": [{"name": "l", "op": "Concat", "inputs": ["x", "y", "x"], "axis": )" +
                           axis + "}]"),
                random);
    const std::size_t along = axis == "-1" ? 2 : static_cast<std::size_t>(axis[0] - '0');
    const Shape part{2, 3, 4};
    Values expected;
    Index o(3, 0);
    do {
      Index i = o;
      i[along] %= part[along];
      expected.push_back(
          e.in(static_cast<std::size_t>(o[along] / part[along]))[static_cast<std::size_t>(flat(part, i))]);
    } while (next_index(o, e.out_shape()));
    CHECK(e.run_nest(kCopy) == expected);
    CHECK(loop_nests_of(e.network, OpId(0)).size() == 3);
    CHECK_THROWS_AS(loop_nest_of(e.network, OpId(0)), InternalError);
  }
}

TEST_CASE("normalisation nests walk rows along the axis") {
  const auto dims = [](const std::string& attributes) {
    std::string text;
    const LoopNest nest = loop_nest_of(one_layer("[2, 3, 4, 5]", attributes), OpId(0));
    for (const Dim& dim : nest.dims)
      text += dim.name + std::to_string(dim.extent) + (dim.kind == DimKind::row ? "r " : " ");
    return text;
  };
  CHECK(dims(R"("op": "Softmax")") == "OUTER24 AXIS5r ");
  CHECK(dims(R"("op": "Softmax", "axis": 1)") == "OUTER2 AXIS3r INNER20 ");
  CHECK(dims(R"("op": "LayerNormalization", "axis": 2)") == "OUTER6 AXIS20r ");
  CHECK(dims(R"("op": "LayerNormalization", "axis": 0)") == "OUTER1 AXIS120r ");
  const LoopNest nest = loop_nest_of(one_layer("[2, 3, 4]", R"("op": "LayerNormalization")"), OpId(0));
  REQUIRE(nest.operands.size() == 4);
  CHECK(nest.operands[1].role == OperandRole::weight);
  CHECK(nest.operands[2].role == OperandRole::bias);
  CHECK(nest.operands[1].type == DataType::int32);
  CHECK(nest.operands[1].axes[0].terms[0].dim == 1);
  const Network softmax = one_layer("[2, 3, 4]", R"("op": "Softmax", "axis": 1)");
  check_axes_are_ordered(softmax, OpId(0));
}

TEST_CASE("gather nests have one table row for each index") {
  const LoopNest nest = loop_nest_of(one_layer("[1000, 16]", R"("op": "Gather")", "[2, 5]"), OpId(0));
  REQUIRE(nest.operands.size() == 3);
  CHECK(nest.dims.size() == 2);
  CHECK(largest_box(nest, nest.operands[0], {4, 16}) == 64);
  CHECK(largest_box(nest, nest.operands[1], {4, 16}) == 4);
  CHECK(nest.operands[1].type == DataType::int32);
  CHECK(element_count(box_of(nest, nest.output(), {0, 0}, {10, 16})) == 160);
  const Network inner = one_layer("[3, 10, 4]", R"("op": "Gather", "axis": 1)", "[6]");
  CHECK(loop_nest_of(inner, OpId(0)).dims.size() == 3);
  check_axes_are_ordered(inner, OpId(0));
}

TEST_CASE("boxes hold what a tile touches, tight at both ends") {
  std::mt19937 random(8);
  int clipped = 0;
  int empty = 0;
  for (int round = 0; round < 3000; ++round) {
    LoopNest nest;
    const auto dims = static_cast<std::size_t>(pick(random, 1, 4));
    for (std::size_t i = 0; i < dims; ++i) nest.dims.push_back({"D", pick(random, 1, 6), DimKind::m, true});
    Operand operand;
    std::vector<int> left(dims);
    std::iota(left.begin(), left.end(), 0);
    std::shuffle(left.begin(), left.end(), random);
    const std::int64_t axes = pick(random, 1, 3);
    for (std::int64_t a = 0; a < axes; ++a) {
      Axis axis;
      for (std::int64_t terms = pick(random, 0, 3); terms > 0 && !left.empty(); --terms) {
        axis.terms.push_back({left.back(), pick(random, 1, 6)});
        left.pop_back();
      }
      axis.offset = -pick(random, 0, 8);
      axis.extent = pick(random, 1, 20);
      operand.axes.push_back(axis);
    }
    nest.operands.push_back(operand);
    Index low;
    Index size;
    for (const Dim& dim : nest.dims) {
      size.push_back(pick(random, 1, dim.extent));
      low.push_back(pick(random, 0, dim.extent - size.back()));
    }
    const Box box = box_of(nest, operand, low, size);
    REQUIRE(box.size() == operand.axes.size());
    for (std::size_t a = 0; a < box.size(); ++a) {
      const Axis& axis = operand.axes[a];
      std::set<std::int64_t> touched;
      Index index(dims, 0);
      std::int64_t all = 0;
      std::int64_t gcd = 0;
      for (const AxisTerm& term : axis.terms)
        if (size[static_cast<std::size_t>(term.dim)] > 1) gcd = std::gcd(gcd, term.coefficient);
      do {
        std::int64_t coordinate = axis.offset;
        for (const AxisTerm& term : axis.terms) {
          const auto d = static_cast<std::size_t>(term.dim);
          coordinate += term.coefficient * (low[d] + index[d]);
        }
        ++all;
        if (coordinate >= 0 && coordinate < axis.extent) touched.insert(coordinate);
      } while (next_index(index, size));
      if (touched.empty()) {
        CHECK(box[a].count == 0);
        ++empty;
        continue;
      }
      const bool innermost = a + 1 == box.size();
      CHECK(box[a].step == (innermost || gcd == 0 ? 1 : gcd));
      CHECK(box[a].low == *touched.begin());
      CHECK(box[a].low + (box[a].count - 1) * box[a].step == *touched.rbegin());
      for (const std::int64_t c : touched) CHECK((c - box[a].low) % box[a].step == 0);
      clipped += static_cast<std::int64_t>(touched.size()) < all ? 1 : 0;
    }
    // The largest box is what some position of the tile really has.
    Index positions;
    for (std::size_t i = 0; i < dims; ++i) positions.push_back(nest.dims[i].extent - size[i] + 1);
    std::int64_t largest = 0;
    Index at(dims, 0);
    do {
      largest = std::max(largest, element_count(box_of(nest, operand, at, size)));
    } while (next_index(at, positions));
    CHECK(largest_box(nest, operand, size) == largest);
  }
  CHECK(clipped > 500);  // the interesting cases do occur
  CHECK(empty > 50);
}

TEST_CASE("boxes of a strided convolution") {
  const Network net =
      one_layer("[1, 4, 9, 9]", R"("op": "Conv", "out_channels": 4, "kernel_shape": [1, 1], "strides": [2, 2])");
  const LoopNest nest = loop_nest_of(net, OpId(0));
  const Box box = box_of(nest, nest.operands[0], {0, 0, 0, 1, 1, 0, 0, 0}, {1, 1, 4, 3, 3, 4, 1, 1});
  CHECK(box[2].low == 2);
  CHECK(box[2].count == 3);
  CHECK(box[2].step == 2);  // every other row
  CHECK(box[3].low == 2);
  CHECK(box[3].count == 5);  // the innermost axis is dense
  CHECK(box[3].step == 1);
  CHECK_THROWS_AS(box_of(nest, nest.operands[0], {0, 0, 0, 4, 0, 0, 0, 0}, {1, 1, 4, 2, 1, 4, 1, 1}), InternalError);
  CHECK_THROWS_AS(box_of(nest, nest.operands[0], {0}, {1}), InternalError);
  CHECK_THROWS_AS(largest_box(nest, nest.operands[0], {1, 1, 4, 0, 1, 4, 1, 1}), InternalError);
}

}  // namespace accsim::model
