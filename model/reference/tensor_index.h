// Where the elements of row-major tensors are: strides, broadcasting, and a walk over all coordinates of a shape.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "model/workload/network.h"

namespace accsim::model::reference {

using Strides = std::vector<std::int64_t>;

// Elements from one coordinate to the next on each axis.
inline Strides strides_of(const Shape& shape) {
  Strides strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

// Strides of a tensor that is read at the coordinates of `to`: aligned at the last axis, 0 where it is repeated.
inline Strides broadcast_strides(const Shape& from, const Shape& to) {
  const Strides own = strides_of(from);
  Strides strides(to.size(), 0);
  const std::size_t missing = to.size() - from.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis)
    if (from[axis] != 1) strides[missing + axis] = own[axis];
  return strides;
}

// Calls visit(places) for every coordinate of the shape in row-major order; places[k] = sum over the axes of
// coordinate * strides[k][axis].
template <std::size_t Count, class Visit>
void for_each_coordinate(const Shape& shape, const std::array<Strides, Count>& strides, Visit visit) {
  std::array<std::int64_t, Count> places{};
  std::vector<std::int64_t> at(shape.size(), 0);
  for (std::int64_t left = element_count(shape); left > 0; --left) {
    visit(places);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      ++at[axis];
      for (std::size_t k = 0; k < Count; ++k) places[k] += strides[k][axis];
      if (at[axis] < shape[axis]) break;
      for (std::size_t k = 0; k < Count; ++k) places[k] -= at[axis] * strides[k][axis];
      at[axis] = 0;
    }
  }
}

// Product of the extents of axes [first, last).
inline std::int64_t extent_between(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t product = 1;
  for (std::size_t axis = first; axis < last; ++axis) product *= shape[axis];
  return product;
}

// Height and width of [N, C, H, W], or of [N, C, L] as a plane of height 1.
struct Plane {
  std::int64_t height = 1;
  std::int64_t width = 1;
  [[nodiscard]] std::int64_t size() const { return height * width; }
};
inline Plane plane_of(const Shape& shape) { return {shape.size() == 4 ? shape[2] : 1, shape.back()}; }

}  // namespace accsim::model::reference
