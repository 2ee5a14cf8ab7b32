#include "sim/functional/memory_image.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "model/base/error.h"

namespace accsim::sim {
namespace {

constexpr std::int64_t kPageBytes = 16384;

}  // namespace

void MemoryImage::Free::operator()(std::uint8_t* bytes) const {
  std::free(bytes);  // NOLINT: pairs with calloc, whose pages cost nothing until they are touched
}

MemoryImage::MemoryImage(std::int64_t size, MakePage make_page)
    : size_(size),
      make_page_(std::move(make_page)),
      made_(static_cast<std::size_t>((size + kPageBytes - 1) / kPageBytes), false) {
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(size, 1));
  bytes_.reset(static_cast<std::uint8_t*>(std::calloc(bytes, 1)));  // NOLINT
  if (bytes_ == nullptr) throw std::bad_alloc();
}

std::uint8_t* MemoryImage::at(std::int64_t begin, std::int64_t count) {
  if (begin < 0 || count < 0 || begin > size_ - count) {
    throw model::InternalError("execution on data: bytes [" + std::to_string(begin) + ", " +
                               std::to_string(begin + count) + ") of a memory of " + std::to_string(size_));
  }
  if (count > 0) make(begin / kPageBytes, (begin + count - 1) / kPageBytes);
  return bytes_.get() + begin;
}

void MemoryImage::make(std::int64_t first_page, std::int64_t last_page) {
  for (std::int64_t page = first_page; page <= last_page; ++page) {
    const auto index = static_cast<std::size_t>(page);
    if (made_[index]) continue;
    made_[index] = true;
    const std::int64_t offset = page * kPageBytes;
    const auto length = static_cast<std::size_t>(std::min(kPageBytes, size_ - offset));
    make_page_(offset, {bytes_.get() + offset, length});
  }
}

void fill_unwritten(std::uint64_t memory, std::int64_t offset, std::span<std::uint8_t> page) {
  // A linear congruential step a byte, its top bits: cheap, and nothing like data.
  std::uint64_t state = (memory + 1) * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(offset) * 0xD1342543DE82EF95U;
  for (std::uint8_t& byte : page) {
    state = state * 0x5851F42D4C957F2DU + 0x14057B7EF767814FU;
    byte = static_cast<std::uint8_t>((state >> 56U) | 1U);
  }
}

}  // namespace accsim::sim
