// What the expansions of ONNX operators into several share: adding steps to the graph, parts of constants.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/workload/onnx_rewrite.h"

namespace accsim::model::importer {

class Expander {
 public:
  explicit Expander(Graph& graph) : g(graph) {}

  Graph& g;

  // Appends a node "<of>.<suffix>" and returns its new result.
  int step(const Node& of, const std::string& suffix, const std::string& op, std::vector<int> inputs, Shape shape,
           std::map<std::string, Attribute> attributes = {});
  // The same with a result that is there.
  void add(const Node& of, const std::string& suffix, const std::string& op, std::vector<int> inputs, int result,
           std::map<std::string, Attribute> attributes = {});

  // Elements first, first + step, … of an axis; the value itself where that is all of them.
  int slice(const Node& of, const std::string& suffix, int from, std::int64_t axis, std::int64_t first,
            std::int64_t count, std::int64_t step = 1);
  std::vector<int> slice_inputs(int from, std::int64_t axis, std::int64_t first, std::int64_t count, std::int64_t step);

  // A float constant whose element at each coordinate is element place(coordinate) of another one, 0 where that is
  // negative.
  static ConstantPtr picked(const Constant& from, Shape shape,
                            const std::function<std::int64_t(const std::vector<std::int64_t>&)>& place);
};

// LSTM and GRU, step by step over time (onnx_recurrent.cpp).
void expand_recurrent(Expander& expander, const Node& node);

}  // namespace accsim::model::importer
