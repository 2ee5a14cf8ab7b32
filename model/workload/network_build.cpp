// From names to a network: resolves tensors, orders the layers, infers shapes, checks what no single layer can see.
#include <algorithm>
#include <unordered_map>

#include "model/workload/checked.h"
#include "model/workload/loop_nest.h"
#include "model/workload/network_graph.h"
#include "model/workload/network_spec.h"
#include "model/workload/operator_table.h"
#include "model/workload/shape_inference.h"

namespace accsim::model {
namespace {

// Who provides a name: a declared tensor or a layer's output.
struct Source {
  bool is_layer = false;
  std::size_t index = 0;  // into spec.layers
  TensorId tensor;        // of inputs and weights at once, of layers when they are built
};

std::string layer_list(const NetworkSpec& spec, const std::vector<std::size_t>& layers) {
  constexpr std::size_t kMostShown = 8;
  std::string text;
  for (std::size_t i = 0; i < layers.size() && i < kMostShown; ++i)
    text += quote_name(spec.layers[layers[i]].name) + " -> ";
  if (layers.size() > kMostShown) text += "... -> ";
  return text + quote_name(spec.layers[layers.front()].name);
}

class Builder {
 public:
  Builder(const NetworkSpec& spec, const std::string& file, std::int64_t batch)
      : spec_(spec), root_{file, ""}, batch_(batch) {}

  Network build() {
    network_.name = spec_.name;
    network_.precision = spec_.precision;
    find_index_and_bias_tensors();
    declare(spec_.inputs, TensorKind::input, "inputs");
    declare(spec_.weights, TensorKind::weight, "weights");
    declare_layers();
    for (const std::size_t layer : order_layers()) build_layer(layer);
    mark_outputs();
    link(network_);
    widen_odd_rows();
    check_work();
    return std::move(network_);
  }

 private:
  [[nodiscard]] Origin layer_origin(std::size_t i) const { return root_.key("layers").index(i); }
  [[nodiscard]] static std::string output_name(const LayerSpec& layer) {
    return layer.outputs.empty() ? layer.name : layer.outputs.front();
  }

  void add_name(const std::string& name, Source source, const Origin& at) {
    if (!names_.emplace(name, source).second) fail(at, "a second tensor is called " + quote_name(name));
  }

  // Names whose type, where the file leaves it open, is int32 whatever the precision.
  void find_index_and_bias_tensors() {
    for (const LayerSpec& layer : spec_.layers) {
      for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
        if (layer.op == OpType::gather) index_names_[layer.inputs[i]] = true;
        const bool bias = (i == 2 && (layer.op == OpType::conv || layer.op == OpType::gemm)) ||
                          layer.op == OpType::layer_normalization || layer.op == OpType::rms_normalization;
        if (bias) bias_names_[layer.inputs[i]] = true;
      }
    }
  }

  [[nodiscard]] DataType resolve_type(const TensorSpec& tensor, TensorKind kind) const {
    switch (tensor.type) {
      case DeclaredType::int4:
        return DataType::int4;
      case DeclaredType::int8:
        return DataType::int8;
      case DeclaredType::int16:
        return DataType::int16;
      case DeclaredType::int32:
        return DataType::int32;
      case DeclaredType::fp16:
        return DataType::fp16;
      case DeclaredType::bf16:
        return DataType::bf16;
      case DeclaredType::fp32:
        return DataType::fp32;
      case DeclaredType::automatic:
        break;
    }
    if (index_names_.count(tensor.name) > 0) return DataType::int32;
    if (kind == TensorKind::weight && bias_names_.count(tensor.name) > 0) return bias_type(spec_.precision);
    return spec_.precision;
  }

  TensorId add_tensor(Tensor tensor) {
    tensor.id = TensorId(static_cast<std::int32_t>(network_.tensors.size()));
    network_.tensors.push_back(std::move(tensor));
    return network_.tensors.back().id;
  }

  void declare(const std::vector<TensorSpec>& tensors, TensorKind kind, std::string_view key) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Origin at = root_.key(key).index(i);
      Tensor tensor;
      tensor.name = tensors[i].name;
      tensor.shape = tensors[i].shape;
      tensor.kind = kind;
      tensor.type = resolve_type(tensors[i], kind);
      if (kind == TensorKind::input && batch_ != 1) {
        if (tensor.shape.empty()) fail(at.key("shape"), "a scalar input has no batch dimension to multiply");
        tensor.shape[0] *= batch_;  // at most 2^31 * kLargestBatch
      }
      check_shape(tensor.shape, "tensor " + quote_name(tensor.name), at.key("shape"));
      const TensorId id = add_tensor(std::move(tensor));
      if (kind == TensorKind::input) network_.inputs.push_back(id);
      add_name(tensors[i].name, {false, 0, id}, at.key("name"));
    }
  }

  void declare_layers() {
    std::unordered_map<std::string, std::size_t> layer_names;
    for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
      const LayerSpec& layer = spec_.layers[i];
      const auto [it, fresh] = layer_names.emplace(layer.name, i);
      if (!fresh) {
        fail(layer_origin(i).key("name"), "a second layer is called " + quote_name(layer.name) +
                                              ", the first is layers[" + std::to_string(it->second) + "]");
      }
      const Origin at = layer.outputs.empty() ? layer_origin(i).key("name") : layer_origin(i).key("outputs").index(0);
      add_name(output_name(layer), {true, i, TensorId()}, at);
    }
  }

  [[nodiscard]] const Source& find(const std::string& name, const Origin& at, const std::string& who) const {
    const auto it = names_.find(name);
    if (it != names_.end()) return it->second;
    std::vector<std::string> known;
    for (const TensorSpec& tensor : spec_.inputs) known.push_back(tensor.name);
    for (const TensorSpec& tensor : spec_.weights) known.push_back(tensor.name);
    for (const LayerSpec& layer : spec_.layers) known.push_back(output_name(layer));
    fail(at, who + "there is no tensor " + quote_name(name) + did_you_mean(name, known));
  }

  std::vector<std::size_t> order_layers() {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
      const LayerSpec& layer = spec_.layers[i];
      for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
        const Origin at = layer_origin(i).key("inputs").index(k);
        const Source& source = find(layer.inputs[k], at, "layer " + quote_name(layer.name) + ": ");
        if (source.is_layer) edges.emplace_back(source.index, i);
      }
    }
    VertexOrder sorted = stable_topological_order(spec_.layers.size(), edges);
    if (!sorted.cycle.empty()) {
      fail(layer_origin(sorted.cycle.front()), "the layers form a cycle: " + layer_list(spec_, sorted.cycle));
    }
    return std::move(sorted.order);
  }

  void build_layer(std::size_t i) {
    const LayerSpec& layer = spec_.layers[i];
    const Origin at = layer_origin(i);
    Operator op;
    op.name = layer.name;
    op.type = layer.op;
    std::vector<const Tensor*> inputs;
    for (const std::string& name : layer.inputs) op.inputs.push_back(names_.at(name).tensor);
    for (const TensorId id : op.inputs) inputs.push_back(&network_.tensor(id));
    InferredLayer inferred = infer_layer(layer, inputs, spec_.precision, at);
    for (ImplicitWeight& weight : inferred.weights) {
      Tensor tensor;
      tensor.name = layer.name + "." + weight.suffix;
      tensor.shape = std::move(weight.shape);
      tensor.type = weight.type;
      tensor.kind = TensorKind::weight;
      const std::string name = tensor.name;
      op.inputs.push_back(add_tensor(std::move(tensor)));
      add_name(name, {false, 0, op.inputs.back()}, at);
    }
    Tensor output;
    output.name = output_name(layer);
    output.shape = std::move(inferred.shape);
    output.type = inferred.type;
    op.attributes = std::move(inferred.attributes);
    op.outputs.push_back(add_tensor(std::move(output)));
    names_.at(output_name(layer)).tensor = op.outputs.front();
    network_.operators.push_back(std::move(op));
    origins_.push_back(at);
  }

  void mark_outputs() {
    for (std::size_t i = 0; i < spec_.outputs.size(); ++i) {
      const Origin at = root_.key("outputs").index(i);
      const Source& source = find(spec_.outputs[i], at, "");
      if (!source.is_layer) fail(at, quote_name(spec_.outputs[i]) + " is not computed by any layer");
      const auto& outputs = network_.outputs;
      if (std::find(outputs.begin(), outputs.end(), source.tensor) != outputs.end()) {
        fail(at, "tensor " + quote_name(spec_.outputs[i]) + " is listed twice");
      }
      network_.outputs.push_back(source.tensor);
    }
    if (!spec_.outputs.empty()) return;
    std::vector<bool> consumed(network_.tensors.size(), false);
    for (const Operator& op : network_.operators)
      for (const TensorId id : op.inputs) consumed[id.index()] = true;
    for (const Operator& op : network_.operators)
      for (const TensorId id : op.outputs)
        if (!consumed[id.index()]) network_.outputs.push_back(id);
  }

  // int4 packs two elements a byte, so that rows or parts of an odd number of them would begin inside a byte.
  // Activations and network inputs with such rows are int8; so is what Concat or Gather take in such parts, the result
  // of an AveragePool whose last windows count fewer elements, and whatever shares bytes with an int8 tensor or is
  // copied from or to it.
  void widen_odd_rows() {
    std::vector<bool> wide(network_.tensors.size(), false);
    const auto narrow = [&](TensorId id) { return network_.tensor(id).type == DataType::int4; };
    // Elements along axes [axis, rank).
    const auto run = [&](TensorId id, std::int64_t axis) {
      const Shape& shape = network_.tensor(id).shape;
      return element_count(Shape(shape.begin() + axis, shape.end()));
    };
    for (const Tensor& tensor : network_.tensors) {
      if (tensor.kind == TensorKind::weight || tensor.shape.empty() || !narrow(tensor.id)) continue;
      const std::int64_t row = tensor.shape.back();
      wide[tensor.id.index()] = row % 2 != 0 && element_count(tensor.shape) > row;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (const Operator& op : network_.operators) {
        std::vector<TensorId> same = op.outputs;
        bool split = false;  // copied in parts of an odd number of elements
        if (is_alias(op.type) || op.type == OpType::transpose) same.push_back(op.inputs.front());
        if (op.type == OpType::slice || op.type == OpType::pad || op.type == OpType::expand ||
            op.type == OpType::resize || op.type == OpType::depth_to_space) {
          same.push_back(op.inputs.front());  // parts begin at any element
          split = true;
        }
        if (op.type == OpType::gather) {
          same.push_back(op.inputs.front());
          split = run(op.inputs.front(), std::get<AxisAttributes>(op.attributes).axis + 1) % 2 != 0;
        }
        if (op.type == OpType::concat) {
          same.insert(same.end(), op.inputs.begin(), op.inputs.end());
          const std::int64_t axis = std::get<AxisAttributes>(op.attributes).axis;
          for (const TensorId part : op.inputs) split = split || run(part, axis) % 2 != 0;
        }
        if (op.type == OpType::average_pool) {  // the last windows, computed apart, may be an odd number
          const auto& pool = std::get<PoolAttributes>(op.attributes);
          split = pool.ceil_mode && pool.count_include_pad;
        }
        split = split || std::any_of(same.begin(), same.end(), [&](TensorId id) { return wide[id.index()]; });
        for (const TensorId id : same) {
          if (!split || !narrow(id) || wide[id.index()]) continue;
          wide[id.index()] = changed = true;
        }
      }
    }
    for (Tensor& tensor : network_.tensors)
      if (wide[tensor.id.index()]) tensor.type = DataType::int8;
  }

  // Every operator can be written as a loop nest, and the work of the network is a number that can be counted.
  void check_work() {
    std::int64_t total = 0;
    for (const Operator& op : network_.operators) {
      const Origin& at = origins_[op.id.index()];
      if (!is_alias(op.type)) {
        try {
          loop_nests_of(network_, op.id);
        } catch (const ConfigError& error) {
          throw ConfigError(at.file, at.path, error.what());
        }
      }
      const auto macs = checked_macs(network_, op.id);
      const auto sum = macs ? checked_sum(total, *macs) : macs;
      if (!sum || *sum > kMostMacs) {
        fail(at, "layer " + quote_name(op.name) + ": more than " + std::to_string(kMostMacs) +
                     " multiply-accumulates in the network");
      }
      total = *sum;
    }
  }

  const NetworkSpec& spec_;
  Origin root_;
  std::int64_t batch_;
  Network network_;
  std::unordered_map<std::string, Source> names_;
  std::unordered_map<std::string, bool> index_names_;
  std::unordered_map<std::string, bool> bias_names_;
  std::vector<Origin> origins_;  // by OpId
};

}  // namespace

Network build_network(const NetworkSpec& spec, const std::string& file, std::int64_t batch) {
  if (batch < 1 || batch > kLargestBatch) {
    throw ConfigError("batch: expected an integer from 1 to " + std::to_string(kLargestBatch) + ", found " +
                      std::to_string(batch));
  }
  return Builder(spec, file, batch).build();
}

Network parse_network(const Json& json, const std::string& file, std::int64_t batch) {
  return build_network(parse_network_spec(json, file), file, batch);
}

Network load_network(const std::filesystem::path& file, std::int64_t batch) {
  return parse_network(read_json_file(file), file.string(), batch);
}

}  // namespace accsim::model
