// Quantities and ids: what compiles, what does not, and the arithmetic.
#include <string>
#include <unordered_set>

#include "model/base/data_type.h"
#include "model/base/units.h"
#include "tests/catch.h"

namespace {

using accsim::model::Bytes;
using accsim::model::CoreId;
using accsim::model::Cycles;
using accsim::model::DataType;
using accsim::model::Femtojoules;
using accsim::model::Macs;
using accsim::model::OpId;
using accsim::model::TensorId;

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Subtractable = requires(A a, B b) {
  a - b;
};
template <class A, class B>
concept Accumulable = requires(A a, B b) {
  a += b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
template <class A, class B>
concept EqualityComparable = requires(A a, B b) {
  a == b;
};
template <class A, class B>
concept Divisible = requires(A a, B b) {
  a / b;
};
template <class A, class B>
concept Multipliable = requires(A a, B b) {
  a* b;
};
template <class From, class To>
concept Implicit = std::is_convertible_v<From, To>;

static_assert(Addable<Bytes, Bytes> && Subtractable<Cycles, Cycles> && Comparable<Macs, Macs>);
static_assert(!Addable<Bytes, Cycles> && !Addable<Cycles, Macs> && !Addable<Femtojoules, Bytes>);
static_assert(!Addable<Bytes, int> && !Addable<std::int64_t, Cycles>);
static_assert(!Subtractable<Bytes, Cycles> && !Accumulable<Bytes&, Cycles> && !Accumulable<Cycles&, int>);
static_assert(!Comparable<Bytes, Cycles> && !EqualityComparable<Bytes, Cycles> && !Comparable<Cycles, int>);
static_assert(!Divisible<Bytes, Cycles> && !Multipliable<Bytes, Bytes>);
static_assert(Multipliable<Bytes, std::int64_t> && Multipliable<std::int64_t, Bytes>);
static_assert(!Implicit<int, Bytes> && !Implicit<std::int64_t, Cycles> && !Implicit<Cycles, std::int64_t>);
static_assert(!Implicit<Cycles, Bytes> && !std::is_constructible_v<Bytes, Cycles>);

static_assert(!Implicit<int, CoreId> && !Implicit<CoreId, int> && !std::is_constructible_v<CoreId, OpId>);
static_assert(!EqualityComparable<CoreId, TensorId> && !Addable<CoreId, CoreId> && EqualityComparable<OpId, OpId>);

}  // namespace

TEST_CASE("quantities of one unit add, subtract, scale and compare") {
  Bytes total{100};
  total += Bytes{28};
  CHECK(total == Bytes{128});
  total -= Bytes{8};
  CHECK(total.value() == 120);
  CHECK(Bytes{3} + Bytes{4} == Bytes{7});
  CHECK(Bytes{3} - Bytes{4} == Bytes{-1});
  CHECK(Cycles{3} * 5 == Cycles{15});
  CHECK(5 * Cycles{3} == Cycles{15});
  CHECK(Macs{17} / Macs{5} == 3);
  CHECK(Cycles{1} < Cycles{2});
  CHECK(Cycles{} == Cycles{0});
}

TEST_CASE("ids start invalid, order and hash") {
  CHECK_FALSE(CoreId{}.valid());
  CHECK(CoreId{0}.valid());
  CHECK(TensorId{7}.index() == 7);
  CHECK(OpId{1} < OpId{2});
  const std::unordered_set<OpId> ids{OpId{1}, OpId{2}, OpId{1}};
  CHECK(ids.size() == 2);
}

TEST_CASE("ceil_div rounds up exactly where there is a remainder") {
  for (std::int64_t a = 0; a <= 40; ++a) {
    for (std::int64_t b = 1; b <= 9; ++b) {
      const std::int64_t q = accsim::model::ceil_div(a, b);
      CHECK(q * b >= a);
      CHECK((q - 1) * b < a);
    }
  }
}

TEST_CASE("data types know their sizes and their names") {
  CHECK(accsim::model::storage_bytes(DataType::int4, 3) == Bytes{2});
  CHECK(accsim::model::storage_bytes(DataType::int4, 4) == Bytes{2});
  CHECK(accsim::model::storage_bytes(DataType::int8, 3) == Bytes{3});
  CHECK(accsim::model::storage_bytes(DataType::bf16, 3) == Bytes{6});
  CHECK(accsim::model::storage_bytes(DataType::fp32, 3) == Bytes{12});
  CHECK(accsim::model::storage_bytes(DataType::int64, 0) == Bytes{0});
  for (const accsim::model::DataTypeInfo& row : accsim::model::kDataTypes) {
    CHECK(accsim::model::info(row.type).name == row.name);  // the table is in the order of the enumeration
  }
}
