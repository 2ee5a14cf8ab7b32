// Element types of tensors and their sizes in memory. int4 packs two elements a byte.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "model/base/units.h"

namespace accsim::model {

enum class DataType : std::uint8_t { int4, int8, int16, int32, int64, fp16, bf16, fp32 };

struct DataTypeInfo {
  DataType type;
  std::string_view name;
  int bits;
  bool floating;
};

inline constexpr std::array<DataTypeInfo, 8> kDataTypes{{{DataType::int4, "int4", 4, false},
                                                         {DataType::int8, "int8", 8, false},
                                                         {DataType::int16, "int16", 16, false},
                                                         {DataType::int32, "int32", 32, false},
                                                         {DataType::int64, "int64", 64, false},
                                                         {DataType::fp16, "fp16", 16, true},
                                                         {DataType::bf16, "bf16", 16, true},
                                                         {DataType::fp32, "fp32", 32, true}}};

constexpr const DataTypeInfo& info(DataType type) { return kDataTypes[static_cast<std::size_t>(type)]; }
constexpr std::string_view name_of(DataType type) { return info(type).name; }
constexpr int bits_of(DataType type) { return info(type).bits; }

// Bytes that `elements` consecutive elements take, rounded up to whole bytes.
constexpr Bytes storage_bytes(DataType type, std::int64_t elements) {
  return Bytes(ceil_div(elements * bits_of(type), 8));
}

}  // namespace accsim::model
