#include "sim/functional/encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "model/base/error.h"

namespace accsim::sim {

using model::DataType;

static_assert(std::endian::native == std::endian::little, "memory images are little-endian");

namespace {

template <class Stored>
Stored load(const std::uint8_t* bytes, std::int64_t index) {
  Stored value;
  std::memcpy(&value, bytes + index * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

template <class Stored>
void store(Stored value, std::uint8_t* bytes, std::int64_t index) {
  std::memcpy(bytes + index * static_cast<std::int64_t>(sizeof value), &value, sizeof value);
}

std::int32_t load_nibble(const std::uint8_t* bytes, std::int64_t index) {
  return signed_low(static_cast<std::uint32_t>(bytes[index / 2]) >> (index % 2 == 0 ? 0U : 4U), 4);
}

void store_nibble(std::int32_t value, std::uint8_t* bytes, std::int64_t index) {
  std::uint8_t& byte = bytes[index / 2];
  const auto low = static_cast<std::uint8_t>(value & 0xF);
  byte = static_cast<std::uint8_t>(index % 2 == 0 ? (byte & 0xF0) | low : (byte & 0x0F) | (low << 4));
}

// The integer that a number is, if it is one of `bits` bits; else some value made of its encoding.
std::int32_t integer_of(float number, std::uint32_t encoding, int bits) {
  const float limit = static_cast<float>(std::int32_t{1} << (bits - 1));
  if (number >= -limit && number < limit) {
    const auto value = static_cast<std::int32_t>(number);
    if (static_cast<float>(value) == number) return value;
  }
  return requantised(encoding, bits);
}

float half_number(std::uint16_t half) {
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  constexpr std::uint32_t kRebias = 127 - 15;
  if (exponent == 0) {  // zero and subnormal numbers: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) / 16777216.0F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 0x1FU ? 0xFFU : exponent + kRebias;
  return std::bit_cast<float>(sign | (wide_exponent << 23U) | (mantissa << 13U));
}

using HalfTable = std::array<std::int16_t, 65536>;
const HalfTable& half_values() {
  static const std::unique_ptr<const HalfTable> kTable = [] {
    auto table = std::make_unique<HalfTable>();
    for (std::uint32_t half = 0; half < table->size(); ++half) {
      const float number = half_number(static_cast<std::uint16_t>(half));
      (*table)[half] = static_cast<std::int16_t>(integer_of(number, half, integer_bits(DataType::fp16)));
    }
    return table;
  }();
  return *kTable;
}

std::int32_t brain_value(std::uint16_t encoding) {
  const float number = std::bit_cast<float>(static_cast<std::uint32_t>(encoding) << 16U);
  return integer_of(number, encoding, integer_bits(DataType::bf16));
}

std::int32_t single_value(std::uint32_t encoding) {
  return integer_of(std::bit_cast<float>(encoding), encoding, integer_bits(DataType::fp32));
}

std::uint16_t half_encoding(std::int32_t value) {
  if (value == 0) return 0;
  const std::uint32_t magnitude = static_cast<std::uint32_t>(std::abs(value));
  const auto exponent = static_cast<std::uint32_t>(std::bit_width(magnitude)) - 1;  // at most 10: exact
  const std::uint32_t mantissa = (magnitude << (10U - exponent)) & 0x3FFU;
  return static_cast<std::uint16_t>((value < 0 ? 0x8000U : 0U) | ((exponent + 15U) << 10U) | mantissa);
}

}  // namespace

int integer_bits(DataType type) {
  switch (type) {
    case DataType::int4:
      return 4;
    case DataType::int8:
      return 8;
    case DataType::int16:
      return 16;
    case DataType::int32:
      return 32;
    case DataType::int64:
      return 32;
    case DataType::fp16:
      return 11;
    case DataType::bf16:
      return 8;
    case DataType::fp32:
      return 24;
  }
  throw model::InternalError("an element type without a number of value bits");
}

template <class Value>
void decode(DataType type, const std::uint8_t* bytes, std::int64_t count, Value* out) {
  const auto each = [&](auto value_of) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<Value>(value_of(i));
  };
  switch (type) {
    case DataType::int4:
      return each([&](std::int64_t i) { return load_nibble(bytes, i); });
    case DataType::int8:
      return each([&](std::int64_t i) { return static_cast<std::int8_t>(bytes[i]); });
    case DataType::int16:
      return each([&](std::int64_t i) { return load<std::int16_t>(bytes, i); });
    case DataType::int32:
      return each([&](std::int64_t i) { return load<std::int32_t>(bytes, i); });
    case DataType::int64:
      return each([&](std::int64_t i) { return load<std::int32_t>(bytes, 2 * i); });
    case DataType::fp16: {
      const HalfTable& table = half_values();
      return each([&](std::int64_t i) { return table[load<std::uint16_t>(bytes, i)]; });
    }
    case DataType::bf16:
      return each([&](std::int64_t i) { return brain_value(load<std::uint16_t>(bytes, i)); });
    case DataType::fp32:
      return each([&](std::int64_t i) { return single_value(load<std::uint32_t>(bytes, i)); });
  }
}
template void decode(DataType, const std::uint8_t*, std::int64_t, std::int16_t*);
template void decode(DataType, const std::uint8_t*, std::int64_t, std::int32_t*);

void encode(DataType type, std::int32_t value, std::uint8_t* bytes, std::int64_t index) {
  switch (type) {
    case DataType::int4:
      return store_nibble(value, bytes, index);
    case DataType::int8:
      return store(static_cast<std::int8_t>(value), bytes, index);
    case DataType::int16:
      return store(static_cast<std::int16_t>(value), bytes, index);
    case DataType::int32:
      return store(value, bytes, index);
    case DataType::int64:
      return store(static_cast<std::int64_t>(value), bytes, index);
    case DataType::fp16:
      return store(half_encoding(value), bytes, index);
    case DataType::bf16: {
      const auto encoding = std::bit_cast<std::uint32_t>(static_cast<float>(value));
      return store(static_cast<std::uint16_t>(encoding >> 16U), bytes, index);
    }
    case DataType::fp32:
      return store(static_cast<float>(value), bytes, index);
  }
}

void encode(DataType type, const std::int32_t* values, std::int64_t count, std::uint8_t* bytes) {
  if (type == DataType::int8) {  // a loop that the compiler vectorises
    for (std::int64_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(values[i]);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) encode(type, values[i], bytes, i);
}

int sum_bits(DataType type) { return std::min(model::bits_of(type), 32); }

std::int32_t read_sum(DataType type, const std::uint8_t* bytes, std::int64_t index) {
  switch (model::bits_of(type)) {
    case 4:
      return load_nibble(bytes, index);
    case 8:
      return static_cast<std::int8_t>(bytes[index]);
    case 16:
      return load<std::int16_t>(bytes, index);
    case 32:
      return load<std::int32_t>(bytes, index);
    default:
      return load<std::int32_t>(bytes, 2 * index);
  }
}

void write_sum(DataType type, std::uint32_t sum, std::uint8_t* bytes, std::int64_t index) {
  const auto value = static_cast<std::int32_t>(sum);
  switch (model::bits_of(type)) {
    case 4:
      return store_nibble(value, bytes, index);
    case 8:
      return store(static_cast<std::int8_t>(value), bytes, index);
    case 16:
      return store(static_cast<std::int16_t>(value), bytes, index);
    case 32:
      return store(value, bytes, index);
    default:
      return store(static_cast<std::int64_t>(value), bytes, index);
  }
}

}  // namespace accsim::sim
