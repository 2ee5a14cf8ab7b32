#include "app/test_data.h"

#include <cmath>
#include <limits>
#include <span>
#include <sstream>

#include "model/base/error.h"
#include "model/reference/float_executor.h"

namespace accsim::app {
namespace {

using model::ConfigError;

model::TensorId tensor_named(const model::Network& network, const std::string& name) {
  for (const model::Tensor& tensor : network.tensors)
    if (tensor.name == name) return tensor.id;
  throw model::InternalError("the network has no tensor " + name);
}

model::TensorValues stored(const std::filesystem::path& file, const model::Shape& shape, const std::string& what) {
  model::TensorValues values = model::read_tensor_values(file);
  if (values.shape != shape) {
    throw ConfigError(file.string() + ": has shape " + model::shape_text(values.shape) + ", " + what + " has " +
                      model::shape_text(shape));
  }
  return values;
}

ComparedOutput compare(const std::string& name, const model::TensorValues& expected, std::span<const float> found,
                       double tolerance) {
  ComparedOutput out;
  out.name = name;
  out.shape = expected.shape;
  out.elements = static_cast<std::int64_t>(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float a = found[i];
    const float b = expected.values[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;  // 0 and -0 are the same number
    ++out.different;
    const double distance = std::fabs(static_cast<double>(a) - static_cast<double>(b));
    const bool larger = !(distance <= out.largest_difference);
    if (!larger) continue;
    out.largest_difference = std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
    out.worst = static_cast<std::int64_t>(i);
    out.found = a;
    out.expected = b;
  }
  out.within_tolerance = out.largest_difference <= tolerance;
  return out;
}

}  // namespace

bool TestDataReport::matches() const {
  bool all = true;
  for (const ComparedOutput& output : outputs) all = all && output.within_tolerance;
  return all;
}

std::string TestDataReport::message() const {
  for (const ComparedOutput& output : outputs) {
    if (output.within_tolerance) continue;
    std::ostringstream text;
    text << "output " << output.name << " differs in " << output.different << " of " << output.elements
         << " elements, most at element " << output.worst << ": found " << output.found << ", expected "
         << output.expected << ", tolerance " << tolerance;
    return text.str();
  }
  return "";
}

TestDataReport check_test_data(const std::filesystem::path& net, const std::filesystem::path& folder,
                               const model::NetworkFileOptions& options, double tolerance) {
  if (!model::is_onnx_file(net)) {
    throw ConfigError(net.string() + ": --test-data needs an ONNX file with weights; a network file has no values");
  }
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) throw ConfigError(folder.string() + ": is no folder");
  model::NetworkFileOptions read = options;
  read.precision = model::DataType::fp32;
  const model::OnnxNetwork onnx = model::import_onnx(net, read, true);
  const model::Network network = model::parse_network(model::to_json(onnx.spec), net.string());
  model::FloatExecutor executor(network);
  for (const auto& [name, values] : onnx.weights) executor.set(tensor_named(network, name), values.values);
  for (std::size_t i = 0; i < onnx.inputs.size(); ++i) {
    const std::filesystem::path file = folder / ("input_" + std::to_string(i) + ".pb");
    const model::Tensor& tensor = network.tensor(network.inputs[i]);
    executor.set(tensor.id, stored(file, tensor.shape, "input " + onnx.inputs[i]).values);
  }
  executor.run_all();
  TestDataReport report;
  report.network = network.name;
  report.tolerance = tolerance;
  for (std::size_t i = 0; i < onnx.outputs.size(); ++i) {
    const std::filesystem::path file = folder / ("output_" + std::to_string(i) + ".pb");
    const model::Tensor& tensor = network.tensor(tensor_named(network, onnx.outputs[i]));
    const model::TensorValues expected = stored(file, tensor.shape, "output " + onnx.output_names[i]);
    report.outputs.push_back(compare(onnx.output_names[i], expected, executor.values(tensor.id), tolerance));
  }
  return report;
}

}  // namespace accsim::app
