#include "model/workload/onnx_graph.h"

#include "model/base/error.h"
#include "model/workload/network_spec.h"

namespace accsim::model::importer {

std::int64_t Node::integer(const std::string& key, std::int64_t fallback) const {
  const auto it = attributes.find(key);
  if (it == attributes.end()) return fallback;
  const auto* value = std::get_if<std::int64_t>(&it->second);
  return value != nullptr ? *value : fallback;
}

double Node::number(const std::string& key, double fallback) const {
  const auto it = attributes.find(key);
  if (it == attributes.end()) return fallback;
  if (const auto* value = std::get_if<double>(&it->second)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&it->second)) return static_cast<double>(*value);
  return fallback;
}

std::string Node::text(const std::string& key, const std::string& fallback) const {
  const auto it = attributes.find(key);
  if (it == attributes.end()) return fallback;
  const auto* value = std::get_if<std::string>(&it->second);
  return value != nullptr ? *value : fallback;
}

std::vector<std::int64_t> Node::integers(const std::string& key) const {
  const auto it = attributes.find(key);
  if (it == attributes.end()) return {};
  const auto* value = std::get_if<std::vector<std::int64_t>>(&it->second);
  return value != nullptr ? *value : std::vector<std::int64_t>{};
}

int Graph::add_value(std::string value_name, Shape shape, Element type) {
  Value value;
  value.name = std::move(value_name);
  value.has_shape = true;
  value.shape = std::move(shape);
  value.type = type;
  values.push_back(std::move(value));
  return static_cast<int>(values.size()) - 1;
}

int Graph::add_constant(std::string value_name, ConstantPtr constant) {
  const int id = add_value(std::move(value_name), constant->shape, constant->type);
  value(id).constant = std::move(constant);
  return id;
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    if (printable) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

void Graph::refuse(const Node& node, const std::string& what) const {
  throw ConfigError(one_line(file + ": node " + quote_name(node.name) + " (" + node.op + "): " + what));
}

ConstantPtr make_floats(Shape shape, std::vector<float> values) {
  auto out = std::make_shared<Constant>();
  out->shape = std::move(shape);
  out->floats = std::move(values);
  out->known = true;
  return out;
}

ConstantPtr make_integers(std::vector<std::int64_t> values) {
  auto out = std::make_shared<Constant>();
  out->type = Element::int64;
  out->shape = {static_cast<std::int64_t>(values.size())};
  out->ints = std::move(values);
  out->known = true;
  return out;
}

ConstantPtr make_unknown(Shape shape, Element type) {
  auto out = std::make_shared<Constant>();
  out->type = type;
  out->shape = std::move(shape);
  return out;
}

}  // namespace accsim::model::importer
