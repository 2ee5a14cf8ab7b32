#include "sched/mapping/problem.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "model/base/error.h"
#include "model/config/record.h"

namespace accsim::sched {
namespace {

using model::fail;
using model::Json;
using model::Origin;

constexpr char kSchema[] = "accsim-problem/1";
constexpr std::int64_t kLargestCoefficient = 4096;
constexpr double kMostMacs = 9e15;  // counts stay exact in double precision

struct RawTensor {
  std::string name;
  std::vector<std::string> axes;
  bool output = false;
};

model::Record<RawTensor> tensor_record() {
  model::Record<RawTensor> record("tensor", "One operand of the loop nest");
  record.text("name", &RawTensor::name, {}, "name, used once");
  record.texts("dims", &RawTensor::axes, 1, kMostMapDims, {},
               "axes: a dimension, or a sliding window as \"P*2+R\" or \"P*2+R*3\"");
  record.boolean("output", &RawTensor::output, false, "accumulated; at least one tensor is");
  return record;
}

std::vector<std::string> names_of(const MapProblem& problem) {
  std::vector<std::string> names;
  for (const MapDim& dim : problem.dims) names.push_back(dim.name);
  return names;
}

std::vector<MapDim> parse_dims(const Json& json, const Origin& at) {
  if (!json.is_object()) fail(at, "expected an object of dimensions and sizes, " + model::describe(json));
  std::vector<MapDim> dims;
  for (const auto& [name, value] : json.items()) {
    const Origin here = at.key(name);
    if (name.empty() || name.find_first_of("+* ") != std::string::npos) {
      fail(here, "a dimension's name is not empty and has no blank, + or *, found \"" + name + "\"");
    }
    dims.push_back({name, model::read_integer(value, {1, kLargestMapDim}, here)});
  }
  if (dims.empty() || dims.size() > kMostMapDims) {
    fail(at, "expected 1 to " + std::to_string(kMostMapDims) + " dimensions, found " + std::to_string(dims.size()));
  }
  return dims;
}

TensorAxis parse_axis(const std::string& text, const MapProblem& problem, const Origin& at) {
  TensorAxis axis;
  const std::vector<std::string> names = names_of(problem);
  std::string_view rest = text;
  for (;;) {
    const std::size_t plus = rest.find('+');
    const std::string_view part = rest.substr(0, plus);
    const std::size_t star = part.find('*');
    const std::string name(part.substr(0, star));
    const auto dim = std::find(names.begin(), names.end(), name);
    if (dim == names.end()) {
      std::string allowed;
      for (const std::string& n : names) allowed += (allowed.empty() ? "" : ", ") + n;
      fail(at,
           "no dimension \"" + name + "\" in \"" + text + "\", allowed: " + allowed + model::did_you_mean(name, names));
    }
    AxisPart found{static_cast<int>(dim - names.begin()), 1};
    if (star != std::string_view::npos) {
      const std::string_view number = part.substr(star + 1);
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), found.coefficient);
      if (error != std::errc() || end != number.data() + number.size() || found.coefficient < 1 ||
          found.coefficient > kLargestCoefficient) {
        fail(at, "expected a coefficient from 1 to " + std::to_string(kLargestCoefficient) + " after \"" + name +
                     "*\", found \"" + std::string(number) + "\"");
      }
    }
    for (const AxisPart& other : axis) {
      if (other.dim == found.dim) fail(at, "dimension \"" + name + "\" stands twice in \"" + text + "\"");
    }
    axis.push_back(found);
    if (plus == std::string_view::npos) return axis;
    rest.remove_prefix(plus + 1);
  }
}

}  // namespace

double MapProblem::macs() const {
  double product = 1;
  for (const MapDim& dim : dims) product *= static_cast<double>(dim.size);
  return product;
}

MapProblem parse_problem(const Json& json, const std::string& file) {
  model::require_schema(json, kSchema, file);
  const Origin at{file, ""};
  const std::vector<std::string> keys{"schema", "name", "dims", "tensors"};
  for (const auto& [key, value] : json.items()) {
    if (!key.empty() && key[0] == '_') continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) model::fail_unknown_key(key, keys, at);
  }
  for (const std::string& key : keys) {
    if (key != "name" && !json.contains(key)) fail(at, "missing key \"" + key + "\"");
  }
  MapProblem problem;
  problem.name = json.contains("name") ? model::read_text(json.at("name"), at.key("name"))
                                       : std::filesystem::path(file).stem().string();
  problem.dims = parse_dims(json.at("dims"), at.key("dims"));
  if (problem.macs() > kMostMacs) fail(at.key("dims"), "more than 9e15 multiply-accumulates");

  const Json& tensors = json.at("tensors");
  const Origin list = at.key("tensors");
  if (!tensors.is_array() || tensors.empty() || tensors.size() > kMostMapTensors) {
    fail(list, "expected a list of 1 to " + std::to_string(kMostMapTensors) + " tensors, " + model::describe(tensors));
  }
  const auto record = tensor_record();
  std::uint32_t used = 0;
  bool output = false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Origin here = list.index(i);
    const RawTensor raw = record.parse(tensors[i], here);
    MapTensor tensor;
    tensor.name = raw.name;
    tensor.output = raw.output;
    if (raw.name.empty()) fail(here.key("name"), "a tensor's name is not empty");
    for (const MapTensor& other : problem.tensors) {
      if (other.name == raw.name) fail(here.key("name"), "a second tensor \"" + raw.name + "\"");
    }
    for (std::size_t a = 0; a < raw.axes.size(); ++a) {
      tensor.axes.push_back(parse_axis(raw.axes[a], problem, here.key("dims").index(a)));
      if (tensor.axes.back().size() > 1) tensor.windows = true;
      for (const AxisPart& part : tensor.axes.back()) tensor.strided = tensor.strided || part.coefficient > 1;
      tensor.strided = tensor.strided || tensor.windows;
      for (const AxisPart& part : tensor.axes.back()) tensor.dims |= 1U << part.dim;
    }
    used |= tensor.dims;
    output = output || tensor.output;
    problem.tensors.push_back(std::move(tensor));
  }
  if (!output) fail(list, "no tensor has \"output\": true");
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if ((used >> d & 1U) == 0) fail(at.key("dims").key(problem.dims[d].name), "no tensor uses this dimension");
  }
  return problem;
}

MapProblem load_problem(const std::string& file) { return parse_problem(model::read_json_file(file), file); }

std::string axis_text(const MapProblem& problem, const TensorAxis& axis) {
  std::string text;
  for (const AxisPart& part : axis) {
    text += (text.empty() ? "" : "+") + problem.dims[static_cast<std::size_t>(part.dim)].name;
    if (part.coefficient != 1) text += "*" + std::to_string(part.coefficient);
  }
  return text;
}

Json problem_json(const MapProblem& problem) {
  Json json = {{"schema", kSchema}, {"name", problem.name}, {"dims", Json::object()}, {"tensors", Json::array()}};
  for (const MapDim& dim : problem.dims) json["dims"][dim.name] = dim.size;
  for (const MapTensor& tensor : problem.tensors) {
    Json row = {{"name", tensor.name}, {"dims", Json::array()}};
    for (const TensorAxis& axis : tensor.axes) row["dims"].push_back(axis_text(problem, axis));
    if (tensor.output) row["output"] = true;
    json["tensors"].push_back(std::move(row));
  }
  return json;
}

}  // namespace accsim::sched
