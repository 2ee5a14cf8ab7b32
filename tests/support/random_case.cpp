#include "tests/support/random_case.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/base/error.h"

namespace accsim::tests {

using model::Json;
using model::Shape;

namespace {

template <class T>
T any_of(Random& random, std::initializer_list<T> values) {
  return *(values.begin() + random.range(0, static_cast<std::int64_t>(values.size()) - 1));
}

Json list_of(const std::vector<std::int64_t>& values) {
  Json list = Json::array();
  for (const std::int64_t value : values) list.push_back(value);
  return list;
}

// 1, primes, and now and then a power of two.
std::int64_t any_extent(Random& random, std::int64_t most) {
  const std::int64_t extent = any_of<std::int64_t>(random, {1, 1, 2, 3, 3, 4, 5, 7, 8, 11, 13, 17, 19, 23});
  return extent <= most ? extent : random.range(1, most);
}

bool is_floating(const std::string& precision) {
  return precision == "fp16" || precision == "bf16" || precision == "fp32";
}

// A memory of `least` to `most` KiB whose banks hold whole lines.
Json any_memory(Random& random, std::int64_t least, std::int64_t most) {
  constexpr std::int64_t kKibi = 1024;
  for (;;) {
    const std::int64_t size = random.range(least, most);
    const std::int64_t banks = any_of<std::int64_t>(random, {1, 2, 3, 4, 5, 6, 8});
    const std::int64_t port = std::int64_t{1} << random.range(0, 6);
    if (size * kKibi % (banks * port) == 0) return {{"size_kib", size}, {"banks", banks}, {"port_bytes", port}};
  }
}

Json any_architecture(Random& random, const std::string& precision) {
  Json arch = {{"schema", "accsim-arch/1"}, {"name", "random"}};
  arch["clock_mhz"] = any_of<std::int64_t>(random, {100, 333, 700, 1000, 1000, 1700, 2000});
  // One width for all, or there is no common result.
  std::string sums = "int32";
  if (precision == "fp32") sums = "fp32";
  if (precision == "fp16" || precision == "bf16") sums = random.chance(50) ? precision : "fp32";
  if (!is_floating(precision) && random.chance(20)) sums = "int64";
  arch["cores"] = Json::array();
  std::int64_t cores = random.range(1, 6);
  for (int type = 0; cores > 0; ++type) {
    const std::int64_t count = type == 2 || random.chance(60) ? cores : random.range(1, cores);
    cores -= count;
    Json core = {{"name", "type" + std::to_string(type)}, {"count", count}};
    core["array"] = {{"rows", any_extent(random, 17)},
                     {"cols", any_extent(random, 17)},
                     {"dataflow", any_of<const char*>(random, {"weight_stationary", "output_stationary",
                                                               "input_stationary", "vector_mac"})},
                     {"double_buffered", random.chance(60)},
                     {"operand_type", precision},
                     {"accumulator_type", sums}};
    core["vector"] = {{"lanes", any_extent(random, 16)}, {"exp_cycles", random.range(1, 5)}};
    const bool large = random.chance(40);
    core["scratchpad"] = any_memory(random, large ? 16 : 2, large ? 64 : 15);
    core["accumulator"] = any_memory(random, 1, large ? 32 : 8);
    core["dma"] = {{"channels", random.range(1, 4)},
                   {"outstanding", any_of<std::int64_t>(random, {1, 2, 3, 8, 64})},
                   {"bytes_per_cycle", any_of<std::int64_t>(random, {1, 3, 8, 16, 32, 64, 100})}};
    arch["cores"].push_back(std::move(core));
  }
  if (random.chance(40)) arch["global_buffer"] = any_memory(random, 4, 64);
  const std::string topology = any_of<const char*>(random, {"crossbar", "crossbar", "bus", "ring", "mesh"});
  const bool routers = topology == "ring" || topology == "mesh";
  arch["noc"] = {{"topology", topology},
                 {"flit_bytes", any_of<std::int64_t>(random, {1, 4, 16, 32, 64, 100})},
                 {"router_cycles", random.range(routers ? 2 : 1, 4)},
                 {"vcs", random.range(topology == "ring" ? 4 : 2, 6)},
                 {"vc_buffer_flits", any_of<std::int64_t>(random, {1, 2, 8})},
                 {"core_ports", topology == "crossbar" ? random.range(1, 2) : 1}};
  const char* preset = any_of<const char*>(
      random, {"ddr4-2400", "ddr4-3200", "lpddr4-3200", "lpddr5-6400", "hbm2", "hbm2-2400x32B", "gddr6",
               "ref-ddr4-2400", "ref-ddr4-3200", "ref-gddr6", "ref-hbm2", "ref-lpddr4-2400"});
  arch["dram"] = {{"preset", preset}, {"channels", std::int64_t{1} << random.range(0, 2)}};
  return arch;
}

class NetworkMaker {
 public:
  NetworkMaker(Random& random, const std::string& precision) : random_(random) {
    net_ = {{"schema", "accsim-net/1"}, {"name", "random"},         {"precision", precision},
            {"inputs", Json::array()},  {"weights", Json::array()}, {"layers", Json::array()}};
    const std::int64_t inputs = random.chance(25) ? 2 : 1;
    for (std::int64_t i = 0; i < inputs; ++i) add_input();
  }

  Json make() {
    constexpr int kPatience = 60;
    const std::int64_t operators = random_.range(1, 8);
    for (int tries = 0; tries < kPatience && made_ < operators; ++tries) {
      const std::size_t weights = net_["weights"].size();
      if (try_layer(any_layer())) {
        ++made_;
      } else {
        while (net_["weights"].size() > weights) net_["weights"].erase(net_["weights"].size() - 1);
      }
    }
    while (made_ == 0) made_ += try_layer({{"op", "Add"}, {"inputs", {tensors_[0].name, tensors_[0].name}}}) ? 1 : 0;
    return net_;
  }

 private:
  static constexpr std::int64_t kMostElements = 1500;  // of an activation
  static constexpr std::int64_t kMostWeights = 4000;
  static constexpr std::int64_t kMostMacs = 60'000;  // of a layer

  struct Known {
    std::string name;
    Shape shape;
  };

  void add_input() {
    Shape shape;
    const std::int64_t rank = any_of<std::int64_t>(random_, {4, 4, 4, 3, 2, 2, 1});
    for (;;) {
      shape.clear();
      for (std::int64_t a = 0; a < rank; ++a) shape.push_back(any_extent(random_, a == 0 && rank == 4 ? 3 : 19));
      if (model::element_count(shape) <= kMostElements) break;
    }
    const std::string name = "x" + std::to_string(net_["inputs"].size());
    net_["inputs"].push_back({{"name", name}, {"shape", list_of(shape)}});
    tensors_.push_back({name, shape});
  }

  // A tensor that is there, later ones more often.
  const Known& any_tensor() {
    const auto last = static_cast<std::int64_t>(tensors_.size()) - 1;
    return tensors_[static_cast<std::size_t>(random_.chance(60) ? last : random_.range(0, last))];
  }
  const Known& other_of_shape(const Known& tensor) {
    std::vector<const Known*> same;
    for (const Known& other : tensors_)
      if (other.shape == tensor.shape) same.push_back(&other);
    return *same[static_cast<std::size_t>(random_.range(0, static_cast<std::int64_t>(same.size()) - 1))];
  }

  std::string new_weight(const Shape& shape, const char* type = nullptr) {
    const std::string name = "w" + std::to_string(net_["weights"].size());
    Json weight = {{"name", name}, {"shape", list_of(shape)}};
    if (type != nullptr) weight["type"] = type;
    net_["weights"].push_back(std::move(weight));
    return name;
  }

  Json window(std::int64_t axes, bool pool) {
    std::vector<std::int64_t> kernel;
    std::vector<std::int64_t> stride;
    std::vector<std::int64_t> dilation;
    std::vector<std::int64_t> pads(static_cast<std::size_t>(2 * axes), 0);
    for (std::int64_t a = 0; a < axes; ++a) {
      kernel.push_back(random_.range(1, random_.chance(80) ? 3 : 5));
      stride.push_back(random_.chance(50) ? 1 : random_.range(1, 5));  // larger than the kernel at times
      dilation.push_back(random_.chance(80) ? 1 : random_.range(2, 3));
    }
    if (random_.chance(60)) {
      for (std::size_t p = 0; p < pads.size(); ++p) {
        const std::int64_t most = pool ? kernel[p % static_cast<std::size_t>(axes)] - 1 : 3;
        pads[p] = random_.range(0, most);
      }
    }
    Json layer = {{"kernel_shape", list_of(kernel)}, {"strides", list_of(stride)}, {"dilations", list_of(dilation)}};
    if (random_.chance(15)) {
      layer["auto_pad"] = any_of<const char*>(random_, {"SAME_UPPER", "SAME_LOWER", "VALID"});
    } else {
      layer["pads"] = list_of(pads);
    }
    return layer;
  }

  Json any_conv(const Known& x) {
    if (x.shape.size() < 3 || x.shape.size() > 4) return nullptr;
    Json layer = window(static_cast<std::int64_t>(x.shape.size()) - 2, false);
    layer["op"] = "Conv";
    layer["inputs"] = Json::array({x.name});
    std::vector<std::int64_t> groups;
    for (std::int64_t g = 1; g <= x.shape[1]; ++g)
      if (x.shape[1] % g == 0) groups.push_back(g);
    const std::int64_t group =
        random_.chance(50)
            ? 1
            : groups[static_cast<std::size_t>(random_.range(0, static_cast<std::int64_t>(groups.size()) - 1))];
    layer["group"] = group;
    layer["out_channels"] = group * any_extent(random_, group > 4 ? 2 : 13);
    layer["bias"] = random_.chance(60);
    return layer;
  }

  Json any_gemm(const Known& x) {
    if (x.shape.size() != 2) return nullptr;
    Json layer = {{"op", "Gemm"}, {"inputs", {x.name}}};
    const bool trans_a = random_.chance(25);
    const bool trans_b = random_.chance(50);
    layer["transA"] = trans_a ? 1 : 0;
    layer["transB"] = trans_b ? 1 : 0;
    const std::int64_t k = x.shape[trans_a ? 0 : 1];
    const std::int64_t m = x.shape[trans_a ? 1 : 0];
    const std::int64_t n = any_extent(random_, 23);
    if (random_.chance(50)) {
      layer["out_features"] = n;
      layer["bias"] = random_.chance(60);
      return layer;
    }
    layer["inputs"].push_back(new_weight(trans_b ? Shape{n, k} : Shape{k, n}));
    const std::int64_t form = random_.range(0, 4);
    if (form == 0) return layer;
    layer["inputs"].push_back(new_weight(form == 1   ? Shape{n}
                                         : form == 2 ? Shape{m, n}
                                         : form == 3 ? Shape{m, 1}
                                                     : Shape{1}));
    return layer;
  }

  Json any_matmul(const Known& x) {
    if (x.shape.size() < 2) return nullptr;
    Json layer = {{"op", "MatMul"}};
    std::vector<const Known*> fitting;
    for (const Known& other : tensors_) {
      if (other.shape.size() >= 2 && other.shape[other.shape.size() - 2] == x.shape.back()) fitting.push_back(&other);
    }
    if (!fitting.empty() && random_.chance(60)) {
      const auto i = static_cast<std::size_t>(random_.range(0, static_cast<std::int64_t>(fitting.size()) - 1));
      layer["inputs"] = Json::array({x.name, fitting[i]->name});
      return layer;
    }
    Shape shape = x.shape;
    for (std::size_t a = 0; a + 2 < shape.size(); ++a)
      if (random_.chance(30)) shape[a] = 1;
    shape[shape.size() - 2] = x.shape.back();
    shape.back() = any_extent(random_, 13);
    while (shape.size() > 2 && random_.chance(30)) shape.erase(shape.begin());
    layer["inputs"] = Json::array({x.name, new_weight(shape)});
    return layer;
  }

  Json any_pool(const Known& x) {
    if (x.shape.size() < 3 || x.shape.size() > 4) return nullptr;
    if (random_.chance(15)) return {{"op", "GlobalAveragePool"}, {"inputs", {x.name}}};
    Json layer = window(static_cast<std::int64_t>(x.shape.size()) - 2, true);
    const bool average = random_.chance(50);
    layer["op"] = average ? "AveragePool" : "MaxPool";
    layer["inputs"] = Json::array({x.name});
    layer["ceil_mode"] = random_.range(0, 1);
    if (average) layer["count_include_pad"] = random_.range(0, 1);
    return layer;
  }

  Json any_binary(const Known& x) {
    Json layer = {{"op", random_.chance(70) ? "Add" : "Mul"}};
    std::string other = other_of_shape(x).name;
    if (random_.chance(35)) {
      Shape shape = x.shape;
      for (std::int64_t& extent : shape)
        if (random_.chance(40)) extent = 1;
      while (!shape.empty() && random_.chance(25)) shape.erase(shape.begin());
      other = new_weight(shape);
    }
    layer["inputs"] = random_.chance(50) ? Json::array({x.name, other}) : Json::array({other, x.name});
    return layer;
  }

  Json any_activation(const Known& x) {
    Json layer = {{"op", any_of<const char*>(random_, {"Relu", "Clip", "Sigmoid", "Tanh", "Gelu"})},
                  {"inputs", {x.name}}};
    if (layer["op"] == "Clip") {
      layer["min"] = random_.range(-3, 0);
      layer["max"] = random_.range(1, 6);
    }
    return layer;
  }

  Json any_row_operator(const Known& x) {
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    if (rank == 0) return nullptr;
    Json layer = {{"inputs", {x.name}}, {"axis", random_.range(-rank, rank - 1)}};
    layer["op"] = random_.chance(50) ? "Softmax" : "LayerNormalization";
    if (layer["op"] == "LayerNormalization") layer["bias"] = random_.chance(60);
    return layer;
  }

  Json any_gather(const Known& x) {
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    const Shape indices =
        random_.chance(60) ? Shape{any_extent(random_, 13)} : Shape{random_.range(1, 3), any_extent(random_, 7)};
    const std::string list = new_weight(indices, "int32");
    if (rank > 0 && random_.chance(50))
      return {{"op", "Gather"}, {"inputs", {x.name, list}}, {"axis", random_.range(0, rank - 1)}};
    const std::string table = new_weight({any_extent(random_, 23), any_extent(random_, 13)});
    return {{"op", "Gather"}, {"inputs", {table, list}}, {"axis", random_.range(0, 1)}};
  }

  Json any_movement(const Known& x) {
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    if (rank == 0) return nullptr;
    const std::int64_t what = random_.range(0, 9);
    if (what < 4) {
      std::vector<std::int64_t> perm;
      for (std::int64_t a = 0; a < rank; ++a) perm.push_back(a);
      random_.shuffle(perm);
      return {{"op", "Transpose"}, {"inputs", {x.name}}, {"perm", list_of(perm)}};
    }
    if (what < 7) {
      Json layer = {{"op", "Concat"}, {"inputs", {x.name}}};
      const auto axis = static_cast<std::size_t>(random_.range(0, rank - 1));
      layer["axis"] = static_cast<std::int64_t>(axis);
      for (const Known& other : tensors_) {
        Shape shape = other.shape;
        if (shape.size() != x.shape.size()) continue;
        shape[axis] = x.shape[axis];
        if (shape == x.shape && random_.chance(50)) layer["inputs"].push_back(other.name);
      }
      return layer;
    }
    if (what == 7) return {{"op", "Flatten"}, {"inputs", {x.name}}, {"axis", random_.range(0, rank)}};
    // Reshape: some axes joined, or one split.
    Shape shape = x.shape;
    if (rank > 1 && random_.chance(60)) {
      const auto a = static_cast<std::size_t>(random_.range(0, rank - 2));
      shape[a] *= shape[a + 1];
      shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(a) + 1);
    } else {
      const auto a = static_cast<std::size_t>(random_.range(0, rank - 1));
      std::int64_t factor = random_.range(1, 4);
      while (shape[a] % factor != 0) --factor;
      shape[a] /= factor;
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(a), factor);
    }
    return {{"op", "Reshape"}, {"inputs", {x.name}}, {"shape", list_of(shape)}};
  }

  Json any_layer() {
    const Known& x = any_tensor();
    const std::int64_t what = random_.range(0, 99);
    if (what < 22) return any_conv(x);
    if (what < 32) return any_gemm(x);
    if (what < 40) return any_matmul(x);
    if (what < 50) return any_pool(x);
    if (what < 64) return any_binary(x);
    if (what < 74) return any_activation(x);
    if (what < 82) return any_row_operator(x);
    if (what < 87) return any_gather(x);
    return any_movement(x);
  }

  // Keeps the layer if the network with it is a valid and small one.
  bool try_layer(Json layer) {
    if (!layer.is_null()) {
      layer["name"] = "l" + std::to_string(made_);
      Json with = net_;
      with["layers"].push_back(layer);
      try {
        const model::Network network = model::parse_network(with, "random");
        const model::Operator& op = network.operators.back();
        const model::Tensor& output = network.tensor(op.outputs.front());
        bool small =
            model::element_count(output.shape) <= kMostElements && model::macs_of(network, op.id).value() <= kMostMacs;
        for (const model::TensorId input : op.inputs)
          small = small && model::element_count(network.tensor(input).shape) <= kMostWeights;
        if (small) {
          net_ = std::move(with);
          tensors_.push_back({layer["name"].get<std::string>(), output.shape});
          return true;
        }
      } catch (const model::ConfigError&) {  // shapes that do not go together: another one
      }
    }
    return false;
  }

  Random& random_;
  Json net_;
  std::vector<Known> tensors_;
  std::int64_t made_ = 0;
};

}  // namespace

RandomCase random_case(std::uint64_t seed) {
  Random random(Random(seed).next());
  RandomCase made;
  made.seed = seed;
  const std::int64_t kind = random.range(0, 99);
  const std::string precision = kind < 35   ? "int8"
                                : kind < 50 ? "int16"
                                : kind < 62 ? "fp16"
                                : kind < 74 ? "bf16"
                                : kind < 88 ? "fp32"
                                            : "int4";
  made.arch = any_architecture(random, precision);
  made.net = NetworkMaker(random, precision).make();
  return made;
}

}  // namespace accsim::tests
