// What a link carries in a cycle, and the sets of bits that routers count in. A flit holds no data: it names the packet
// it belongs to; whoever sent the packet knows what that means.
#pragma once
#include <cstdint>

namespace accsim::sim {

struct Flit {
  static constexpr unsigned kHead = 1;
  static constexpr unsigned kTail = 2;

  std::int32_t packet = -1;       // of the sender's book
  std::uint16_t destination = 0;  // node; from kMulticast on a set of nodes
  std::uint16_t vc : 8 = 0;       // of the link it is on
  std::uint16_t kind : 8 = 0;     // kHead, kTail; the packet's class in the bits above

  [[nodiscard]] bool head() const { return (kind & kHead) != 0; }
  [[nodiscard]] bool tail() const { return (kind & kTail) != 0; }
  [[nodiscard]] int packet_class() const { return kind >> 2; }
  [[nodiscard]] bool multicast() const { return destination >= kMulticast; }

  static constexpr std::uint16_t kMulticast = 0x8000;
};

// One bit a virtual channel of a port.
using VcMask = std::uint32_t;

// Sets of small numbers as bits in words.
namespace bits {

constexpr int words(int bits) { return (bits + 63) / 64; }
inline void set(std::uint64_t* row, int bit) { row[bit >> 6] |= std::uint64_t{1} << (bit & 63); }
inline void clear(std::uint64_t* row, int bit) { row[bit >> 6] &= ~(std::uint64_t{1} << (bit & 63)); }
inline bool test(const std::uint64_t* row, int bit) { return ((row[bit >> 6] >> (bit & 63)) & 1U) != 0; }

// Round robin: the first set bit from `from` on, cyclic; -1 where none is set (of a single word, one must be).
inline int next(const std::uint64_t* row, int words, int from) {
  if (words == 1) {
    const std::uint64_t later = *row & (~std::uint64_t{0} << from);
    return __builtin_ctzll(later != 0 ? later : *row);
  }
  int word = from >> 6;
  std::uint64_t rest = row[word] & (~std::uint64_t{0} << (from & 63));
  for (int step = 0; step <= words; ++step) {
    if (rest != 0) return word * 64 + __builtin_ctzll(rest);
    word = word + 1 == words ? 0 : word + 1;
    rest = row[word];
  }
  return -1;
}
inline int next(VcMask mask, int from) {
  const VcMask later = mask & (~VcMask{0} << from);
  return __builtin_ctz(later != 0 ? later : mask);
}

template <class Visit>
void for_each(const std::uint64_t* row, int words, Visit&& visit) {
  for (int word = 0; word < words; ++word) {
    for (std::uint64_t rest = row[word]; rest != 0; rest &= rest - 1) visit(word * 64 + __builtin_ctzll(rest));
  }
}

}  // namespace bits
}  // namespace accsim::sim
