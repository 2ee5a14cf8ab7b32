// The bytes of a memory, or of a region of one, made page by page when they are first touched: with initial values, or
// with a pattern that stands for "nobody has written here". What is never touched takes no host memory.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace accsim::sim {

class MemoryImage {
 public:
  // Fills bytes [offset, offset + page.size()).
  using MakePage = std::function<void(std::int64_t offset, std::span<std::uint8_t> page)>;
  MemoryImage(std::int64_t size, MakePage make_page);

  // Bytes [begin, begin + count), which lie one after the other. InternalError outside of the memory.
  std::uint8_t* at(std::int64_t begin, std::int64_t count);
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  void make(std::int64_t first_page, std::int64_t last_page);

  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };
  std::int64_t size_;
  MakePage make_page_;
  std::unique_ptr<std::uint8_t, Free> bytes_;
  std::vector<bool> made_;  // by page
};

// The pattern of unwritten memory: never all zero, not the same anywhere near, the same in every run.
void fill_unwritten(std::uint64_t memory, std::int64_t offset, std::span<std::uint8_t> page);

}  // namespace accsim::sim
