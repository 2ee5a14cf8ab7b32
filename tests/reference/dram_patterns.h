// Request streams for DRAM comparisons, by name: sequential, strided, random, tiled, several streams, and mixes of
// reads and writes. Written from the definitions that come with the reference data; trace_hashes.csv checks them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "model/base/error.h"
#include "sim/dram/runner.h"

namespace accsim::tests {

struct DramGeometry {
  std::uint64_t burst = 64;
  std::uint64_t capacity = 0;
  std::uint64_t row_stride = 0;  // bytes to the next row of the same bank
  std::uint64_t page = 0;        // bytes of a row
};

// 64-bit state, period 2^64; constants of Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

inline constexpr std::uint64_t kDramImagePitch = 65536;  // bytes of an image line, tiled patterns
inline constexpr std::uint64_t kDramSkewPages = 5;       // distance of the write stream's bank from the read stream's
inline constexpr std::uint64_t kDramStreamSkewPages = 3;
inline constexpr std::uint64_t kDramStreams = 4;

class DramPatternGenerator {
 public:
  DramPatternGenerator(const DramGeometry& g, std::size_t count, std::uint64_t seed)
      : g_(g), count_(count), random_(seed) {
    requests_.reserve(count);
  }

  std::vector<sim::DramRequest> make(const std::string& name) {
    if (name == "seq_rd" || name == "chase_seq") return stream([](std::uint64_t) { return false; });
    if (name == "seq_wr") return stream([](std::uint64_t) { return true; });
    if (name == "seq_rw11") return read_write([](std::uint64_t i) { return i % 2 == 1; }, 0);
    if (name == "seq_rw11_skew") return read_write([](std::uint64_t i) { return i % 2 == 1; }, kDramSkewPages);
    if (name == "seq_rw31_skew") return read_write([](std::uint64_t i) { return i % 4 == 3; }, kDramSkewPages);
    if (name == "burst128_rw") return read_write([](std::uint64_t i) { return i / 128 % 2 == 1; }, kDramSkewPages);
    if (name == "stride256_rd") return strided(256);
    if (name == "stride4k_rd") return strided(4096);
    if (name == "strideRow_rd") return strided(g_.row_stride);
    if (name == "rnd_rd" || name == "chase_rnd") return random(0, false);
    if (name == "rnd_wr") return random(0, true);
    if (name == "rnd_rw21") return random(3, false);
    if (name == "tile112_rd") return tiles(112, 28, false);
    if (name == "tile256_rd") return tiles(256, 32, false);
    if (name == "tile1k_rd") return tiles(1024, 16, false);
    if (name == "tile256_cp") return tiles(256, 32, true);
    if (name == "str4_rd") return streams(1, 0, false);
    if (name == "str4_skew_rd") return streams(1, kDramStreamSkewPages, false);
    if (name == "str4_skew_3r1w") return streams(1, kDramStreamSkewPages, true);
    if (name == "str4_b16_rd") return streams(16, kDramStreamSkewPages, false);
    throw model::ConfigError("unknown DRAM pattern " + name);
  }

 private:
  void add(std::uint64_t address, bool write) { requests_.push_back({address, write, 0}); }

  template <class IsWrite>
  std::vector<sim::DramRequest> stream(IsWrite is_write) {
    for (std::uint64_t i = 0; i < count_; ++i) add(i * g_.burst % g_.capacity, is_write(i));
    return std::move(requests_);
  }

  // A read stream from address 0 and a write stream from the middle, each advancing on its own.
  template <class IsWrite>
  std::vector<sim::DramRequest> read_write(IsWrite is_write, std::uint64_t skew_pages) {
    std::uint64_t read = 0;
    std::uint64_t write = g_.capacity / 2 + skew_pages * g_.page;
    for (std::uint64_t i = 0; i < count_; ++i) {
      std::uint64_t& next = is_write(i) ? write : read;
      add(next, is_write(i));
      next += g_.burst;
    }
    return std::move(requests_);
  }

  // After each pass over the memory the next one starts a burst later.
  std::vector<sim::DramRequest> strided(std::uint64_t stride) {
    __extension__ using Wide = unsigned __int128;
    for (std::uint64_t i = 0; i < count_; ++i) {
      const Wide position = static_cast<Wide>(i) * stride;
      const auto pass = static_cast<std::uint64_t>(position / g_.capacity);
      const std::uint64_t address =
          (static_cast<std::uint64_t>(position % g_.capacity) + pass * g_.burst) % g_.capacity;
      add(address / g_.burst * g_.burst, false);
    }
    return std::move(requests_);
  }

  // Uniform bursts; every `write_of`-th random number decides for a write, 0 = all alike.
  std::vector<sim::DramRequest> random(std::uint64_t write_of, bool all_writes) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t address = random_() % (g_.capacity / g_.burst) * g_.burst;
      const bool write = write_of == 0 ? all_writes : random_() % write_of == write_of - 1;
      add(address, write);
    }
    return std::move(requests_);
  }

  // Tiles of an image, left to right, then down; with `copy` each tile is written to the upper half after it was read.
  std::vector<sim::DramRequest> tiles(std::uint64_t width, std::uint64_t height, bool copy) {
    const std::uint64_t half = g_.capacity / 2;
    const std::uint64_t in_a_row = kDramImagePitch / width;
    for (std::uint64_t tile = 0; requests_.size() < count_; ++tile) {
      const std::uint64_t left = tile % in_a_row * width;
      const std::uint64_t top = tile / in_a_row * height;
      const std::uint64_t first = left / g_.burst;
      const std::uint64_t last = (left + width + g_.burst - 1) / g_.burst;
      for (const bool write : {false, true}) {
        if (write && !copy) continue;
        for (std::uint64_t y = top; y < top + height; ++y) {
          for (std::uint64_t b = first; b < last && requests_.size() < count_; ++b) {
            add((y * kDramImagePitch + b * g_.burst) % half + (write ? half : 0), write);
          }
        }
      }
    }
    return std::move(requests_);
  }

  // Four streams in the four quarters, taking turns of `turn` bursts.
  std::vector<sim::DramRequest> streams(std::uint64_t turn, std::uint64_t skew_pages, bool last_writes) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t stream = i / turn % kDramStreams;
      const std::uint64_t position = i / (turn * kDramStreams) * turn + i % turn;
      const std::uint64_t base = stream * (g_.capacity / kDramStreams) + stream * skew_pages * g_.page;
      add(base + position * g_.burst, last_writes && stream == kDramStreams - 1);
    }
    return std::move(requests_);
  }

  DramGeometry g_;
  std::size_t count_;
  SplitMix random_;
  std::vector<sim::DramRequest> requests_;
};

inline DramGeometry dram_geometry(const model::DramConfig& config) {
  DramGeometry g;
  g.burst = static_cast<std::uint64_t>(config.derived.burst_bytes);
  g.capacity = static_cast<std::uint64_t>(config.capacity().value());
  model::DramAddress next_row;
  next_row.row = 1;
  g.row_stride = config.encode(next_row);
  g.page = static_cast<std::uint64_t>(config.columns * config.bus_width / 8);
  return g;
}

// ConfigError for an unknown name.
inline std::vector<sim::DramRequest> dram_pattern(const std::string& name, const DramGeometry& geometry,
                                                  std::size_t count, std::uint64_t seed) {
  return DramPatternGenerator(geometry, count, seed).make(name);
}

// FNV-1a over (address * 2 + write), eight bytes each from the lowest.
inline std::uint64_t hash_of(const std::vector<sim::DramRequest>& requests) {
  std::uint64_t hash = 1469598103934665603U;
  for (const sim::DramRequest& request : requests) {
    const std::uint64_t value = request.address << 1U | (request.write ? 1U : 0U);
    for (unsigned i = 0; i < 8; ++i) {
      hash ^= value >> (8 * i) & 255U;
      hash *= 1099511628211U;
    }
  }
  return hash;
}

}  // namespace accsim::tests
