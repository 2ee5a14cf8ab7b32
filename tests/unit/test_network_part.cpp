// Parts of shipped networks as networks: the same operators, shapes and work, also across residual branches and
// aliases.
#include "model/workload/network_part.h"

#include <algorithm>
#include <string>

#include "tests/catch.h"

using namespace accsim::model;

TEST_CASE("parts of a network have its operators, shapes and work") {
  for (const char* name : {"resnet18", "squeezenet1_1", "mobilenet_v2", "bert_base", "yolov3_tiny", "alexnet"}) {
    CAPTURE(name);
    const std::string file = std::string(ACCSIM_SOURCE_DIR) + "/workloads/" + name + ".json";
    const Json json = read_json_file(file);
    const Network whole = fuse_activations(parse_network(json, file));
    std::vector<OpId> ops;
    for (const Operator& op : whole.operators)
      if (!is_alias(op.type)) ops.push_back(op.id);
    for (std::size_t first = 0; first < ops.size(); first += 3) {
      for (const std::size_t length : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
        const std::size_t last = std::min(ops.size(), first + length);
        const std::vector<OpId> chosen(ops.begin() + static_cast<std::ptrdiff_t>(first),
                                       ops.begin() + static_cast<std::ptrdiff_t>(last));
        const Network part = fuse_activations(parse_network(network_part(whole, json, chosen, "part"), "part"));
        std::vector<OpId> made;
        for (const Operator& op : part.operators)
          if (!is_alias(op.type)) made.push_back(op.id);
        REQUIRE(made.size() == chosen.size());
        for (std::size_t i = 0; i < made.size(); ++i) {
          const Operator& a = part.op(made[i]);
          const Operator& b = whole.op(chosen[i]);
          REQUIRE(a.layer_names() == b.layer_names());
          REQUIRE(a.inputs.size() == b.inputs.size());
          for (std::size_t t = 0; t < a.inputs.size(); ++t) {
            REQUIRE(part.tensor(a.inputs[t]).shape == whole.tensor(b.inputs[t]).shape);
            REQUIRE(part.tensor(a.inputs[t]).type == whole.tensor(b.inputs[t]).type);
          }
          REQUIRE(part.tensor(a.outputs[0]).shape == whole.tensor(b.outputs[0]).shape);
          REQUIRE(macs_of(part, made[i]) == macs_of(whole, chosen[i]));
        }
        // What others read is an output of the part.
        for (std::size_t i = 0; i < made.size(); ++i) {
          const Tensor& tensor = whole.tensor(whole.op(chosen[i]).outputs[0]);
          const bool outside = std::any_of(tensor.consumers.begin(), tensor.consumers.end(), [&](OpId reader) {
            return !is_alias(whole.op(reader).type) && std::find(chosen.begin(), chosen.end(), reader) == chosen.end();
          });
          if (outside) REQUIRE(part.tensor(part.op(made[i]).outputs[0]).network_output);
        }
      }
    }
  }
}
