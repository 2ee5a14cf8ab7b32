// Shares of an operator over cores: whole tiles, everything once, in proportion.
#include "model/schedule/split.h"

#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/unit/test_network_helpers.h"

namespace {

using namespace accsim::model;
using accsim::tests::network_of;
using accsim::tests::Random;
using accsim::tests::small_architecture;

}  // namespace

TEST_CASE("shares are whole tiles, follow each other, and are as even as tiles allow") {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t extent = random.range(1, 300);
    const std::int64_t tile = random.range(1, extent);
    const auto cores = static_cast<std::size_t>(random.range(1, 9));
    const std::vector<Share> shares = shares_of(extent, tile, std::vector<std::int64_t>(cores, 64));
    REQUIRE(shares.size() == cores);
    CHECK(shares.front().low == 0);
    CHECK(shares.back().high == extent);
    std::int64_t most = 0, least = extent;
    for (std::size_t s = 0; s < cores; ++s) {
      if (s > 0) CHECK(shares[s].low == shares[s - 1].high);
      CHECK((shares[s].low % tile == 0 || shares[s].low == extent));
      most = std::max(most, ceil_div(shares[s].size(), tile));
      least = std::min(least, ceil_div(shares[s].size(), tile));
    }
    CHECK(most - least <= 1);
  }
}

TEST_CASE("shares of unequal cores follow their weights") {
  const std::vector<Share> shares = shares_of(100, 1, {300, 100, 100});
  CHECK(shares[0].size() == 60);
  CHECK(shares[1].size() == 20);
  CHECK(shares[2].size() == 20);
}

TEST_CASE("what each split divides") {
  const Network network = network_of(R"("inputs": [{"name": "x", "shape": [2, 8, 12, 10]}], "layers": [
    {"name": "conv", "op": "Conv", "inputs": ["x"], "out_channels": 16, "kernel_shape": [3, 3]},
    {"name": "depthwise", "op": "Conv", "inputs": ["conv"], "out_channels": 16, "kernel_shape": [3, 3], "group": 16},
    {"name": "pool", "op": "MaxPool", "inputs": ["depthwise"], "kernel_shape": [2, 2]},
    {"name": "flat", "op": "Flatten", "inputs": ["pool"]},
    {"name": "fc", "op": "Gemm", "inputs": ["flat"], "out_features": 20},
    {"name": "softmax", "op": "Softmax", "inputs": ["fc"]}])");
  const auto divided = [&](const std::string& layer, const std::string& split) -> std::string {
    for (const Operator& op : network.operators) {
      if (op.name != layer) continue;
      const LoopNest nest = loop_nest_of(network, op.id);
      const int dim = split_dimension(nest, split);
      return dim < 0 ? "-" : nest.dims[static_cast<std::size_t>(dim)].name;
    }
    return "no layer";
  };
  CHECK(divided("conv", "rows") == "P");
  CHECK(divided("conv", "columns") == "Q");
  CHECK(divided("conv", "channels") == "N");
  CHECK(divided("conv", "batch") == "B");
  CHECK(divided("conv", "heads") == "-");
  CHECK(divided("conv", "none") == "-");
  CHECK(divided("depthwise", "channels") == "G");
  CHECK(divided("pool", "channels") == "N");
  CHECK(divided("fc", "rows") == "M");
  CHECK(divided("fc", "columns") == "N");
  CHECK(divided("fc", "batch") == "-");
  CHECK(divided("softmax", "channels") == "OUTER");
}

TEST_CASE("a part of a nest is the same operator further along") {
  const Network network = network_of(R"("inputs": [{"name": "x", "shape": [1, 4, 20, 9]}], "layers": [
    {"name": "conv", "op": "Conv", "inputs": ["x"], "out_channels": 6, "kernel_shape": [3, 3], "strides": [2, 1],
     "pads": [1, 1, 1, 1]}])");
  const LoopNest nest = loop_nest_of(network, network.operators.front().id);
  const int dim = split_dimension(nest, "rows");
  const auto d = static_cast<std::size_t>(dim);
  const LoopNest part = part_of(nest, dim, {4, 7});
  REQUIRE(part.dims[d].extent == 3);
  std::vector<std::int64_t> low(nest.dims.size(), 0), size;
  for (const Dim& each : nest.dims) size.push_back(each.extent);
  for (std::size_t i = 0; i < nest.operands.size(); ++i) {
    low[d] = 4 + 1;
    size[d] = 2;
    const Box whole = box_of(nest, nest.operands[i], low, size);
    low[d] = 1;
    const Box shifted = box_of(part, part.operands[i], low, size);
    REQUIRE(whole.size() == shifted.size());
    for (std::size_t a = 0; a < whole.size(); ++a) {
      CHECK(whole[a].low == shifted[a].low);
      CHECK(whole[a].count == shifted[a].count);
      CHECK(whole[a].step == shifted[a].step);
    }
  }
}
