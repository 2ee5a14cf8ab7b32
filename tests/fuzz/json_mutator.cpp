// Structure-aware mutation for the libFuzzer targets: most mutants stay valid JSON and differ in one value, key or
// element, so that they come past the parser; some are mutated as plain bytes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using Json = nlohmann::ordered_json;

void collect_nodes(Json& node, std::vector<Json*>& nodes) {
  nodes.push_back(&node);
  if (node.is_structured())
    for (auto& child : node) collect_nodes(child, nodes);
}

Json interesting_value(std::mt19937& random) {
  static const std::vector<Json> values{
      0,          1,   2,  -1,      3,    7,     16,        65536,     1e300,      0.5,           2147483647,
      4294967296, "x", "", nullptr, true, false, INT64_MAX, INT64_MIN, UINT64_MAX, Json::array(), Json::object()};
  return values[random() % values.size()];
}

void mutate(Json& root, std::mt19937& random) {
  std::vector<Json*> nodes;
  collect_nodes(root, nodes);
  Json& node = *nodes[random() % nodes.size()];
  switch (random() % 6) {
    case 0:
      node = interesting_value(random);
      return;
    case 1: {
      const Json copy = *nodes[random() % nodes.size()];
      if (copy.dump().size() < 4096) node = copy;
      return;
    }
    case 2:
      if (node.is_array() && !node.empty()) node.erase(random() % node.size());
      if (node.is_object() && !node.empty())
        node.erase(std::next(node.begin(), static_cast<std::ptrdiff_t>(random() % node.size())).key());
      return;
    case 3:
      if (node.is_array() && !node.empty() && node.size() < 64) node.push_back(Json(node[random() % node.size()]));
      return;
    default:
      if (node.is_number_integer())
        node = static_cast<std::int64_t>(node.get<std::uint64_t>() / 2 * 3 + random() % 5 - 2);
      else if (node.is_array() && node.size() > 1)
        std::swap(node[random() % node.size()], node[random() % node.size()]);
      else
        node = interesting_value(random);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  std::mt19937 random(seed);
  if (random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  Json json = Json::parse(data, data + size, nullptr, false);
  if (json.is_discarded()) return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned int n = 1 + random() % 3; n > 0; --n) mutate(json, random);
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
