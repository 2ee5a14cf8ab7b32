// Values as they lie in memory, for every type; the arithmetic on single values; memory that nobody has written.
#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "model/base/error.h"
#include "sim/functional/encoding.h"
#include "sim/functional/memory_image.h"
#include "tests/catch.h"

using namespace accsim::sim;
using accsim::model::DataType;

namespace {

// Values of a type worth a look: all of the narrow ones, the ends and some between of the others.
std::vector<std::int32_t> values_of(DataType type) {
  const int bits = integer_bits(type);
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  std::vector<std::int32_t> values;
  const std::int64_t step = bits <= 16 ? 1 : half / 5003 * 2 + 1;
  for (std::int64_t v = -half; v < half; v += step) values.push_back(static_cast<std::int32_t>(v));
  for (const std::int64_t v : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, half - 1}) {
    values.push_back(static_cast<std::int32_t>(v));
  }
  return values;
}

std::uint64_t bits_at(const std::vector<std::uint8_t>& bytes, std::size_t size, std::size_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + index * size, size);
  return bits;
}

}  // namespace

TEST_CASE("every value of every type survives memory", "[functional]") {
  for (const auto& info : accsim::model::kDataTypes) {
    INFO(info.name);
    const std::vector<std::int32_t> values = values_of(info.type);
    const auto count = static_cast<std::int64_t>(values.size());
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(accsim::model::storage_bytes(info.type, count).value()),
                                    0xAA);
    encode(info.type, values.data(), count, bytes.data());
    std::vector<std::int32_t> back(values.size());
    decode(info.type, bytes.data(), count, back.data());
    CHECK(back == values);
    if (is_narrow(info.type)) {
      std::vector<std::int16_t> narrow(values.size());
      decode(info.type, bytes.data(), count, narrow.data());
      CHECK(std::equal(narrow.begin(), narrow.end(), values.begin()));
    }
  }
}

TEST_CASE("encodings are those of the types", "[functional]") {
  std::vector<std::uint8_t> bytes(16, 0);
  const std::vector<std::int32_t> nibbles{-8, 7, -1, 0};
  encode(DataType::int4, nibbles.data(), 4, bytes.data());
  CHECK(bytes[0] == 0x78);  // the lower nibble first
  CHECK(bytes[1] == 0x0F);
  encode(DataType::int4, 3, bytes.data(), 1);  // leaves its neighbour alone
  CHECK(bytes[0] == 0x38);
  const auto encoded = [&](DataType type, std::int32_t value, std::size_t size) {
    encode(type, value, bytes.data(), 1);
    return bits_at(bytes, size, 1);
  };
  CHECK(encoded(DataType::int16, -2, 2) == 0xFFFE);
  CHECK(encoded(DataType::int64, -2, 8) == 0xFFFFFFFFFFFFFFFEU);
  CHECK(encoded(DataType::fp16, 0, 2) == 0);
  CHECK(encoded(DataType::fp16, 1, 2) == 0x3C00);
  CHECK(encoded(DataType::fp16, -1024, 2) == 0xE400);
  CHECK(encoded(DataType::fp16, 1023, 2) == 0x63FE);
  CHECK(encoded(DataType::bf16, -3, 2) == 0xC040);
  CHECK(encoded(DataType::bf16, 127, 2) == 0x42FE);
  CHECK(encoded(DataType::fp32, 8388607, 4) == std::bit_cast<std::uint32_t>(8388607.0F));
}

TEST_CASE("bits that encode no integer of the type decode to one all the same", "[functional]") {
  for (const DataType type : {DataType::fp16, DataType::bf16}) {
    const std::int32_t half = 1 << (integer_bits(type) - 1);
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
      std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8U)};
      std::int32_t value = 0;
      decode(type, bytes.data(), 1, &value);
      if (value < -half || value >= half) FAIL("bits " << bits << " of " << accsim::model::name_of(type));
    }
  }
  for (const std::uint32_t bits : {0x7F800000U, 0xFF800000U, 0x7FC00001U, 0x7149F2CAU, 0x3F000000U, 0x4B000000U}) {
    std::int32_t value = 0;
    decode(DataType::fp32, reinterpret_cast<const std::uint8_t*>(&bits), 1, &value);
    CHECK(value >= -(1 << 23));
    CHECK(value < (1 << 23));
  }
}

TEST_CASE("sums are integers as wide as the accumulator's type", "[functional]") {
  std::vector<std::uint8_t> bytes(32, 0);
  for (const auto& info : accsim::model::kDataTypes) {
    INFO(info.name);
    for (const std::int64_t v :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{0x12345678}, std::int64_t{-77777777}}) {
      write_sum(info.type, static_cast<std::uint32_t>(v), bytes.data(), 2);
      CHECK(read_sum(info.type, bytes.data(), 2) == signed_low(static_cast<std::uint32_t>(v), std::min(info.bits, 32)));
    }
  }
  CHECK(sum_bits(DataType::fp16) == 16);
  CHECK(sum_bits(DataType::int64) == 32);
}

TEST_CASE("requantisation takes the top bits of a product", "[functional]") {
  CHECK(requantised(0, 8) == 0);
  CHECK(requantised(1, 8) == signed_low(0x9E3779B1U >> 24U, 8));
  CHECK(requantised(12345, 11) == signed_low((12345U * 0x9E3779B1U) >> 21U, 11));
  CHECK(requantised(7, 32) == static_cast<std::int32_t>(7U * 0x9E3779B1U));
  // One bit of the sum anywhere changes the result of most sums.
  for (unsigned bit = 0; bit < 32; ++bit) {
    int changed = 0;
    for (std::uint32_t s = 0; s < 1000; ++s) {
      changed += requantised(s * 977U, 8) != requantised((s * 977U) ^ (1U << bit), 8) ? 1 : 0;
    }
    CHECK(changed > 490);
  }
}

TEST_CASE("memory is made page by page when it is touched", "[functional]") {
  std::vector<std::int64_t> made;
  MemoryImage image(100'000, [&](std::int64_t offset, std::span<std::uint8_t> page) {
    made.push_back(offset);
    fill_unwritten(5, offset, page);
  });
  CHECK(made.empty());
  *image.at(70'000, 1) = 9;
  const std::uint8_t* all = image.at(0, 100'000);
  CHECK(all[70'000] == 9);
  CHECK(std::set<std::int64_t>(made.begin(), made.end()).size() == made.size());
  CHECK(std::none_of(all, all + 100'000, [](std::uint8_t byte) { return byte == 0; }));
  std::vector<std::uint8_t> again(64);
  fill_unwritten(5, 0, again);
  CHECK(std::equal(again.begin(), again.end(), all));
  fill_unwritten(6, 0, again);
  CHECK_FALSE(std::equal(again.begin(), again.end(), all));
  for (const auto& [begin, count] : {std::pair<std::int64_t, std::int64_t>{99'999, 2}, {-1, 1}, {0, 100'001}}) {
    CHECK_THROWS_AS(image.at(begin, count), accsim::model::InternalError);
  }
}
