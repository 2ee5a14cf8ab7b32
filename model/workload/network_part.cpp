#include "model/workload/network_part.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "model/base/error.h"

namespace accsim::model {
namespace {

// The operators, and the aliases through which one of them reads another.
std::set<std::size_t> with_aliases(const Network& network, const std::vector<OpId>& ops) {
  std::set<std::size_t> in;
  for (const OpId op : ops) in.insert(op.index());
  std::set<std::size_t> wanted = in;  // read by what is in, directly or through further aliases
  for (std::size_t i = network.operators.size(); i-- > 0;) {
    const Operator& op = network.operators[i];
    if (!is_alias(op.type) || in.contains(i)) continue;
    for (const TensorId output : op.outputs)
      for (const OpId reader : network.tensor(output).consumers)
        if (wanted.contains(reader.index())) wanted.insert(i);
  }
  std::set<std::size_t> all = in;
  for (std::size_t i = 0; i < network.operators.size(); ++i) {  // in topological order
    const Operator& op = network.operators[i];
    if (!is_alias(op.type) || !wanted.contains(i)) continue;
    const Tensor& source = network.tensor(op.inputs.front());
    if (source.producer.valid() && all.contains(source.producer.index())) all.insert(i);
  }
  return all;
}

}  // namespace

Json network_part(const Network& network, const Json& file, const std::vector<OpId>& ops, const std::string& name) {
  const std::set<std::size_t> inside = with_aliases(network, ops);
  std::set<std::string> layers;  // names in the file
  for (const std::size_t i : inside)
    for (const std::string& layer : network.operators[i].layer_names()) layers.insert(layer);

  const auto output_of = [](const Json& layer) {
    const bool renamed = layer.contains("outputs") && !layer.at("outputs").empty();
    return (renamed ? layer.at("outputs")[0] : layer.at("name")).get<std::string>();
  };
  Json kept = Json::array();
  std::set<std::string> made;  // tensors
  std::set<std::string> read_outside;
  for (const Json& layer : file.at("layers")) {
    if (layers.contains(layer.at("name"))) {
      kept.push_back(layer);
      made.insert(output_of(layer));
    } else {
      for (const Json& input : layer.at("inputs")) read_outside.insert(input.get<std::string>());
    }
  }
  if (kept.size() != layers.size()) throw InternalError("a part of network " + network.name + " is not in its file");

  std::map<std::string, const Tensor*> tensors;
  for (const Tensor& tensor : network.tensors) tensors.emplace(tensor.name, &tensor);
  std::map<std::string, Json> weights;
  if (file.contains("weights"))
    for (const Json& weight : file.at("weights")) weights.emplace(weight.at("name"), weight);

  Json inputs = Json::array();
  Json used_weights = Json::array();
  std::set<std::string> declared;
  for (const Json& layer : kept) {
    for (const Json& entry : layer.at("inputs")) {
      const std::string tensor = entry;
      if (made.contains(tensor) || !declared.insert(tensor).second) continue;
      if (const auto weight = weights.find(tensor); weight != weights.end()) {
        used_weights.push_back(weight->second);
        continue;
      }
      const auto found = tensors.find(tensor);
      if (found == tensors.end()) throw InternalError("network " + network.name + " has no tensor " + tensor);
      inputs.push_back(
          {{"name", tensor}, {"shape", found->second->shape}, {"type", std::string(name_of(found->second->type))}});
    }
  }
  std::set<std::string> results = read_outside;
  for (const TensorId output : network.outputs) results.insert(network.tensor(output).name);
  Json outputs = Json::array();
  for (const Json& layer : kept)
    if (const std::string tensor = output_of(layer); results.contains(tensor)) outputs.push_back(tensor);

  Json part{{"schema", file.at("schema")},
            {"name", name},
            {"precision", std::string(name_of(network.precision))},
            {"inputs", std::move(inputs)}};
  if (!used_weights.empty()) part["weights"] = std::move(used_weights);
  if (!outputs.empty()) part["outputs"] = std::move(outputs);
  part["layers"] = std::move(kept);
  return part;
}

}  // namespace accsim::model
