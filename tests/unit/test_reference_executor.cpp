// What a run on data starts from, and how the reference executor keeps and frees values.
#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "model/reference/executor.h"
#include "tests/catch.h"
#include "tests/unit/reference_helpers.h"

using namespace accsim::tests;

namespace {

Integers initial(const Network& network, const std::string& name, std::uint64_t seed, std::int64_t first,
                 std::size_t count) {
  Integers values(count);
  InitialValues(network, seed).fill(tensor_called(network, name).id, first, values);
  return values;
}

// A convolution whose weight is called "conv.weight", in the given precision.
Network small_conv(const std::string& precision) {
  return network_of(R"("inputs": [{"name": "x", "shape": [1, 1, 40, 40]}], "layers": [{"name": "conv", "op": "Conv",
      "inputs": ["x"], "out_channels": 5, "kernel_shape": [1, 1]}])",
                    1, precision);
}

// conv -> relu -> flat (alias) -> fc, and conv -> pool: outputs pool and fc.
Network branches() {
  return network_of(R"("inputs": [{"name": "x", "shape": [1, 3, 4, 4]}], "layers": [
      {"name": "conv", "op": "Conv", "inputs": ["x"], "out_channels": 4, "kernel_shape": [3, 3]},
      {"name": "relu", "op": "Relu", "inputs": ["conv"]},
      {"name": "flat", "op": "Flatten", "inputs": ["relu"]},
      {"name": "fc", "op": "Gemm", "inputs": ["flat"], "out_features": 3},
      {"name": "pool", "op": "GlobalAveragePool", "inputs": ["conv"]}])");
}

}  // namespace

TEST_CASE("bits of a value of each type") {
  CHECK(value_bits(DataType::int4) == 4);
  CHECK(value_bits(DataType::int8) == 8);
  CHECK(value_bits(DataType::int16) == 16);
  CHECK(value_bits(DataType::int32) == 32);
  CHECK(value_bits(DataType::int64) == 32);
  CHECK(value_bits(DataType::fp16) == 11);
  CHECK(value_bits(DataType::bf16) == 8);
  CHECK(value_bits(DataType::fp32) == 24);
  CHECK(signed_bits(0x87, 4) == 7);
  CHECK(signed_bits(0x88, 4) == -8);
  CHECK(signed_bits(0xFFFFFFFF, 24) == -1);
  CHECK(signed_bits(0x80000000, 32) == std::numeric_limits<std::int32_t>::min());
  CHECK(signed_bits(1, 1) == -1);
}

TEST_CASE("initial values depend on seed, name and index alone") {
  // Constants calculated apart from this code.
  CHECK(initial(small_conv("int8"), "x", 7, 0, 6) == Integers{29, -91, 55, -2, 45, -63});
  CHECK(initial(small_conv("int8"), "x", 1, 0, 6) == Integers{-65, -107, -128, -91, -104, 60});
  CHECK(initial(small_conv("int8"), "x", 7, 1000, 3) == Integers{89, 15, 127});
  CHECK(initial(small_conv("int4"), "conv.weight", 42, 0, 5) == Integers{5, -5, 0, -8, -4});
  CHECK(initial(small_conv("int16"), "conv.weight", 42, 0, 5) == Integers{10165, 14859, -19488, 32584, 17244});
  CHECK(initial(small_conv("fp16"), "conv.weight", 42, 0, 5) == Integers{-75, 523, 992, -184, 860});
  CHECK(initial(small_conv("fp32"), "conv.weight", 42, 1, 3) == Integers{1325579, 1094624, -3834040});
  const Network wide = network_of(R"("inputs": [{"name": "x", "shape": [2]}],
      "weights": [{"name": "conv.weight", "shape": [5], "type": "int32"}],
      "layers": [{"name": "l", "op": "Concat", "inputs": ["conv.weight"], "axis": 0}])");
  CHECK(initial(wide, "conv.weight", 42, 0, 5) ==
        Integers{715204533, -1860945397, -1928285216, -490373304, -211401892});
}

TEST_CASE("indices of a Gather follow the rule of timing") {
  const Network network = network_of(R"("inputs": [{"name": "i", "shape": [2, 3]}],
      "weights": [{"name": "small", "shape": [5, 2]}, {"name": "large", "shape": [2, 1000]}], "layers": [
      {"name": "flat", "op": "Reshape", "inputs": ["i"], "shape": [6]},
      {"name": "first", "op": "Gather", "inputs": ["small", "i"]},
      {"name": "second", "op": "Gather", "inputs": ["large", "i"], "axis": 1}])");
  const Integers indices{837153010, 36052587, 1934368832, 1251833272, 971611571, 535650115};
  CHECK(initial(network, "i", 7, 0, 6) == indices);
  CHECK(initial(network, "i", 7, 2, 3) == Integers{1934368832, 1251833272, 971611571});
  CHECK(initial(network, "flat", 7, 0, 6) == indices);
  ReferenceExecutor executor(network, 7);
  executor.run_all();
  // Each Gather reads the rows that timing takes for a table of that many rows.
  const Integers small = executor.values(tensor_called(network, "small").id);
  const Integers large = executor.values(tensor_called(network, "large").id);
  const Integers first = executor.values(tensor_called(network, "first").id);
  const Integers second = executor.values(tensor_called(network, "second").id);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const auto row = static_cast<std::size_t>(gather_row(7, at, 5));
    const auto column = static_cast<std::size_t>(gather_row(7, at, 1000));
    CHECK(first[2 * i] == small[2 * row]);
    CHECK(first[2 * i + 1] == small[2 * row + 1]);
    CHECK(second[i] == large[column]);
    CHECK(second[6 + i] == large[1000 + column]);
  }
}

TEST_CASE("initial values exist for inputs and weights only, inside the tensor") {
  const Network network = branches();
  const InitialValues values(network, 1);
  Integers three(3);
  CHECK_THROWS_AS(values.fill(tensor_called(network, "conv").id, 0, three), InternalError);
  CHECK_THROWS_AS(values.fill(tensor_called(network, "x").id, 46, three), InternalError);
  CHECK_THROWS_AS(values.fill(tensor_called(network, "x").id, -1, three), InternalError);
  CHECK_NOTHROW(values.fill(tensor_called(network, "x").id, 45, three));
}

TEST_CASE("the reference executor runs a network as its operators say") {
  const Network network = branches();
  ReferenceExecutor executor(network, 3);
  executor.run_all();
  const auto values = [&](const std::string& name) { return executor.values(tensor_called(network, name).id); };
  const auto conv = values("conv");
  const auto x = values("x");
  const auto weight = values("conv.weight");
  const auto bias = values("conv.bias");
  CHECK(x == initial(network, "x", 3, 0, 48));
  // Result channel 2 at row 1, column 0.
  std::int64_t sum = bias[2];
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        sum += std::int64_t{x[c * 16 + (1 + i) * 4 + j]} * weight[2 * 27 + c * 9 + i * 3 + j];
  CHECK(conv[2 * 4 + 2] == requantised({sum})[0]);
  const auto relu = values("relu");
  for (std::size_t i = 0; i < conv.size(); ++i)
    CHECK(relu[i] == (conv[i] >= 0 ? conv[i] : (((5 * conv[i] + 3) % 128 + 128) % 128) - 128));
  CHECK(values("flat") == relu);
  // fc has its weight as [inputs, results]
  const auto fc_weight = values("fc.weight");
  sum = values("fc.bias")[1];
  for (std::size_t k = 0; k < relu.size(); ++k) sum += std::int64_t{relu[k]} * fc_weight[k * 3 + 1];
  CHECK(values("fc")[1] == requantised({sum})[0]);
  const std::int64_t total = std::accumulate(conv.begin() + 12, conv.end(), std::int64_t{0});
  CHECK(values("pool")[3] == spread({total + 5 * 4})[0]);
}

TEST_CASE("fused and unfused networks have the same results") {
  const Network network = branches();
  const Network with_chain = network_of(R"("inputs": [{"name": "x", "shape": [1, 8, 5, 5]}], "layers": [
      {"name": "conv", "op": "Conv", "inputs": ["x"], "out_channels": 6, "kernel_shape": [3, 3], "strides": [2, 1]},
      {"name": "clip", "op": "Clip", "inputs": ["conv"], "min": 0, "max": 6},
      {"name": "gelu", "op": "Gelu", "inputs": ["clip"]}])");
  for (const Network& plain : {network, with_chain}) {
    const Network fused = fuse_activations(plain);
    ReferenceExecutor one(plain, 11);
    ReferenceExecutor other(fused, 11);
    one.run_all();
    other.run_all();
    for (const TensorId output : fused.outputs)
      CHECK(other.values(output) == one.values(tensor_called(plain, fused.tensor(output).name).id));
  }
  CHECK(fuse_activations(with_chain).operators.size() == 1);
}

TEST_CASE("an activation is freed when its readers have run and the caller has released it") {
  const Network network = branches();
  const auto id = [&](const std::string& name) { return tensor_called(network, name).id; };
  const auto run = [&](ReferenceExecutor& executor, const std::string& name) {
    executor.run(layer_called(network, name).id);
  };
  ReferenceExecutor executor(network, 3);
  CHECK_FALSE(executor.has(id("conv")));
  CHECK_THROWS_AS(run(executor, "relu"), InternalError);  // conv has not run
  run(executor, "conv");
  CHECK_THROWS_AS(run(executor, "conv"), InternalError);
  CHECK(executor.bytes_held() == Bytes(16));
  executor.release(id("conv"));
  run(executor, "relu");
  CHECK(executor.has(id("conv")));  // pool has not run
  run(executor, "pool");
  CHECK_FALSE(executor.has(id("conv")));
  CHECK_THROWS_AS(executor.values(id("conv")), InternalError);
  // Before it is computed: gone as soon as it has been read; the alias goes with it.
  executor.release(id("flat"));
  CHECK(executor.has(id("relu")));
  run(executor, "flat");
  CHECK(executor.has(id("flat")));
  run(executor, "fc");
  CHECK_FALSE(executor.has(id("flat")));
  CHECK_FALSE(executor.has(id("relu")));
  // Outputs stay until they are released.
  CHECK(executor.bytes_held() == Bytes(3 + 4));
  executor.release(id("fc"));
  executor.release(id("pool"));
  CHECK(executor.bytes_held() == Bytes(0));
}

TEST_CASE("an accumulator has 1 to 32 bits") {
  const Network network = branches();
  CHECK_THROWS_AS(ReferenceExecutor(network, 1, 0), InternalError);
  CHECK_THROWS_AS(ReferenceExecutor(network, 1, 33), InternalError);
  ReferenceExecutor narrow(network, 3, 12);
  ReferenceExecutor wide(network, 3, 32);
  narrow.run_all();
  wide.run_all();
  CHECK(narrow.values(tensor_called(network, "conv").id) != wide.values(tensor_called(network, "conv").id));
}

TEST_CASE("values are stored in the narrowest width and read by ranges") {
  IntegerValues four(DataType::int4, 3);
  IntegerValues eleven(DataType::fp16, 3);
  IntegerValues wide(DataType::int32, 3);
  CHECK(four.host_bytes() == 3);
  CHECK(eleven.host_bytes() == 6);
  CHECK(wide.host_bytes() == 12);
  const Integers ends{-8, 7, 0};
  four.write(0, ends);
  Integers read(3);
  four.read(0, read);
  CHECK(read == ends);
  eleven.write(1, Integers{-1024, 1023});
  eleven.read(0, read);
  CHECK(read == Integers{0, -1024, 1023});
  wide.write(0, Integers{std::numeric_limits<std::int32_t>::min(), 1, std::numeric_limits<std::int32_t>::max()});
  CHECK(wide.get(0) == std::numeric_limits<std::int32_t>::min());
  CHECK(wide.get(2) == std::numeric_limits<std::int32_t>::max());
  CHECK_THROWS_AS(wide.read(1, read), InternalError);
  CHECK_THROWS_AS(wide.write(-1, read), InternalError);
}

TEST_CASE("distinct values are counted over all parts of a tensor") {
  DistinctCounter bytes(DataType::int8);
  bytes.add(Integers{-128, 127, -128, 0});
  bytes.add(Integers{0, 5});
  CHECK(bytes.count() == 4);
  DistinctCounter wide(DataType::int32);
  wide.add(Integers{std::numeric_limits<std::int32_t>::min(), 0, 0, 1 << 30});
  CHECK(wide.count() == 3);
  Integers many(70'000);
  std::iota(many.begin(), many.end(), -35'000);
  wide.add(many);
  CHECK(wide.count() == DistinctCounter::kMost);
  DistinctCounter exact(DataType::fp32);
  exact.add(many);
  CHECK(exact.count() == 70'000);
}
