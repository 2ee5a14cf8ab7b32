// One bit for each byte of a range of memory: what has been written, where there are many short pieces of it. Takes
// space only for the parts that are touched.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

namespace accsim::model {

class ByteMap {
 public:
  ByteMap(std::int64_t begin, std::int64_t end)
      : begin_(begin), end_(end), pages_(static_cast<std::size_t>((end - begin + kPageBytes - 1) / kPageBytes)) {}

  [[nodiscard]] bool contains(std::int64_t begin, std::int64_t end) const { return begin_ <= begin && end <= end_; }

  // Marks [begin, end), which lies inside; returns whether any byte of it was marked before.
  bool add(std::int64_t begin, std::int64_t end) {
    std::uint64_t before = 0;
    for (std::int64_t at = begin - begin_; at < end - begin_;) {
      const std::int64_t bit = at % kWordBits;
      const std::int64_t count = std::min(kWordBits - bit, end - begin_ - at);
      const std::uint64_t mask = (kFull >> (kWordBits - count)) << bit;
      Page& page = pages_[static_cast<std::size_t>(at / kPageBytes)];
      if (page.empty()) page.assign(kPageBytes / kWordBits, 0);
      std::uint64_t& word = page[static_cast<std::size_t>(at % kPageBytes / kWordBits)];
      before |= word & mask;
      word |= mask;
      at += count;
    }
    return before != 0;
  }

  // First byte that is not marked.
  [[nodiscard]] std::optional<std::int64_t> first_gap() const {
    for (std::size_t p = 0; p < pages_.size(); ++p) {
      const std::int64_t page_begin = begin_ + static_cast<std::int64_t>(p) * kPageBytes;
      if (pages_[p].empty()) return page_begin;
      const auto word = std::find_if(pages_[p].begin(), pages_[p].end(), [](std::uint64_t w) { return w != kFull; });
      if (word == pages_[p].end()) continue;
      const std::int64_t at = page_begin + (word - pages_[p].begin()) * kWordBits + std::countr_one(*word);
      return at < end_ ? std::optional(at) : std::nullopt;
    }
    return std::nullopt;
  }

 private:
  using Page = std::vector<std::uint64_t>;  // empty: nothing marked
  static constexpr std::int64_t kWordBits = 64;
  static constexpr std::int64_t kPageBytes = 65536;
  static constexpr std::uint64_t kFull = ~std::uint64_t{0};

  std::int64_t begin_;
  std::int64_t end_;
  std::vector<Page> pages_;
};

}  // namespace accsim::model
