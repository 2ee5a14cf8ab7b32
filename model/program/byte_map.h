// One bit for each byte of a range of memory: what has been written, where there are many short pieces of it.
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
      : begin_(begin), end_(end), words_(static_cast<std::size_t>((end - begin + 63) / 64), 0) {}

  [[nodiscard]] bool contains(std::int64_t begin, std::int64_t end) const { return begin_ <= begin && end <= end_; }

  // Marks [begin, end), which lies inside; returns whether any byte of it was marked before.
  bool add(std::int64_t begin, std::int64_t end) {
    std::uint64_t before = 0;
    for (std::int64_t at = begin - begin_; at < end - begin_;) {
      const std::int64_t bit = at % 64;
      const std::int64_t count = std::min<std::int64_t>(64 - bit, end - begin_ - at);
      const std::uint64_t mask = (~std::uint64_t{0} >> (64 - count)) << bit;
      std::uint64_t& word = words_[static_cast<std::size_t>(at / 64)];
      before |= word & mask;
      word |= mask;
      at += count;
    }
    return before != 0;
  }

  // First byte that is not marked.
  [[nodiscard]] std::optional<std::int64_t> first_gap() const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (words_[w] == ~std::uint64_t{0}) continue;
      const std::int64_t at = begin_ + static_cast<std::int64_t>(w) * 64 + std::countr_one(words_[w]);
      return at < end_ ? std::optional(at) : std::nullopt;
    }
    return std::nullopt;
  }

 private:
  std::int64_t begin_;
  std::int64_t end_;
  std::vector<std::uint64_t> words_;
};

}  // namespace accsim::model
