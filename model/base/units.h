// Physical quantities and identifiers as distinct types: Bytes + Cycles does not compile.
// Quantities are 64-bit signed integers with explicit construction; ids are 32-bit.
// Leaves out: automatic dimension algebra (Bytes / Cycles): take value() where a rate is meant.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace accsim::model {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::int64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value_ -= other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(Quantity a, std::int64_t n) { return Quantity(a.value_ * n); }
  friend constexpr Quantity operator*(std::int64_t n, Quantity a) { return a * n; }
  friend constexpr std::int64_t operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

 private:
  std::int64_t value_ = 0;
};

using Cycles = Quantity<struct CyclesTag>;            // cycles of one named clock domain
using Bytes = Quantity<struct BytesTag>;              // bytes
using Macs = Quantity<struct MacsTag>;                // multiply-accumulates
using Femtojoules = Quantity<struct FemtojoulesTag>;  // 1e-15 J; 1 pJ = 1000 fJ

template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::int32_t value) : value_(value) {}
  [[nodiscard]] constexpr std::int32_t value() const { return value_; }
  [[nodiscard]] constexpr std::size_t index() const { return static_cast<std::size_t>(value_); }
  [[nodiscard]] constexpr bool valid() const { return value_ >= 0; }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  std::int32_t value_ = -1;
};

using CoreId = Id<struct CoreIdTag>;
using TensorId = Id<struct TensorIdTag>;
using OpId = Id<struct OpIdTag>;
using GroupId = Id<struct GroupIdTag>;

// Smallest q with q * b >= a, for a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace accsim::model

template <class Tag>
struct std::hash<accsim::model::Id<Tag>> {
  std::size_t operator()(accsim::model::Id<Tag> id) const noexcept { return std::hash<std::int32_t>{}(id.value()); }
};
