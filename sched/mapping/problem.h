// A loop nest for the mapper (accsim-problem/1): dimensions with sizes, tensors whose axes are sums of dimensions.
// "P*2+R" is a sliding window: coordinate 2 * P + R, extent 2 * (p - 1) + (r - 1) + 1 for tiles of p and r; padding and
// the holes that strides leave count as data. Without "name" it is called as its file. Every point of the nest is one
// multiply-accumulate. Source of the view: affine projections as in Timeloop (Parashar et al., ISPASS 2019).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/config/json.h"

namespace accsim::sched {

struct AxisPart {
  int dim = 0;  // index into MapProblem::dims
  std::int64_t coefficient = 1;
};
using TensorAxis = std::vector<AxisPart>;  // no dimension twice

struct MapDim {
  std::string name;
  std::int64_t size = 1;
};

struct MapTensor {
  std::string name;
  std::vector<TensorAxis> axes;
  bool output = false;
  std::uint32_t dims = 0;  // bit d: dimension d stands in an axis
  bool windows = false;    // some axis has more than one dimension
  bool strided = false;    // or a coefficient above 1
  [[nodiscard]] bool uses(int dim) const { return (dims >> dim & 1U) != 0; }
};

struct MapProblem {
  std::string name;
  std::vector<MapDim> dims;
  std::vector<MapTensor> tensors;  // in the file's order
  [[nodiscard]] double macs() const;
};

inline constexpr std::size_t kMostMapDims = 12;
inline constexpr std::size_t kMostMapTensors = 8;
inline constexpr std::int64_t kLargestMapDim = std::int64_t{1} << 24;

// Strict: unknown, missing or mistyped keys, unknown dimensions, sizes out of range, dimensions without a tensor,
// problems without an output are ConfigErrors that name file, path, what was found and what is allowed.
MapProblem parse_problem(const model::Json& json, const std::string& file);
MapProblem load_problem(const std::string& file);
model::Json problem_json(const MapProblem& problem);
// "P*2+R"
std::string axis_text(const MapProblem& problem, const TensorAxis& axis);

}  // namespace accsim::sched
