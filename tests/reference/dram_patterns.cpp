#include "tests/reference/dram_patterns.h"

#include <bit>

#include "model/base/error.h"

namespace accsim::test {
namespace {

using sim::DramRequest;

constexpr std::uint64_t kImagePitch = 65536;  // bytes of an image line, tiled patterns
constexpr std::uint64_t kSkewPages = 5;       // distance of the write stream's bank from the read stream's
constexpr std::uint64_t kStreamSkewPages = 3;
constexpr std::uint64_t kStreams = 4;

class Generator {
 public:
  Generator(const DramGeometry& g, std::size_t count, std::uint64_t seed) : g_(g), count_(count), random_(seed) {
    requests_.reserve(count);
  }

  std::vector<DramRequest> make(const std::string& name) {
    if (name == "seq_rd" || name == "chase_seq") return stream([](std::uint64_t) { return false; });
    if (name == "seq_wr") return stream([](std::uint64_t) { return true; });
    if (name == "seq_rw11") return read_write([](std::uint64_t i) { return i % 2 == 1; }, 0);
    if (name == "seq_rw11_skew") return read_write([](std::uint64_t i) { return i % 2 == 1; }, kSkewPages);
    if (name == "seq_rw31_skew") return read_write([](std::uint64_t i) { return i % 4 == 3; }, kSkewPages);
    if (name == "burst128_rw") return read_write([](std::uint64_t i) { return i / 128 % 2 == 1; }, kSkewPages);
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
    if (name == "str4_skew_rd") return streams(1, kStreamSkewPages, false);
    if (name == "str4_skew_3r1w") return streams(1, kStreamSkewPages, true);
    if (name == "str4_b16_rd") return streams(16, kStreamSkewPages, false);
    throw model::ConfigError("unknown DRAM pattern " + name);
  }

 private:
  void add(std::uint64_t address, bool write) { requests_.push_back({address, write, 0}); }

  template <class IsWrite>
  std::vector<DramRequest> stream(IsWrite is_write) {
    for (std::uint64_t i = 0; i < count_; ++i) add(i * g_.burst % g_.capacity, is_write(i));
    return std::move(requests_);
  }

  // A read stream from address 0 and a write stream from the middle, each advancing on its own.
  template <class IsWrite>
  std::vector<DramRequest> read_write(IsWrite is_write, std::uint64_t skew_pages) {
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
  std::vector<DramRequest> strided(std::uint64_t stride) {
    __extension__ using Wide = unsigned __int128;
    for (std::uint64_t i = 0; i < count_; ++i) {
      const Wide position = static_cast<Wide>(i) * stride;
      const auto pass = static_cast<std::uint64_t>(position / g_.capacity);
      const std::uint64_t address = (static_cast<std::uint64_t>(position % g_.capacity) + pass * g_.burst) % g_.capacity;
      add(address / g_.burst * g_.burst, false);
    }
    return std::move(requests_);
  }

  // Uniform bursts; every `write_of`-th random number decides for a write, 0 = all alike.
  std::vector<DramRequest> random(std::uint64_t write_of, bool all_writes) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t address = random_() % (g_.capacity / g_.burst) * g_.burst;
      const bool write = write_of == 0 ? all_writes : random_() % write_of == write_of - 1;
      add(address, write);
    }
    return std::move(requests_);
  }

  // Tiles of an image, left to right, then down; with `copy` each tile is written to the upper half after it was read.
  std::vector<DramRequest> tiles(std::uint64_t width, std::uint64_t height, bool copy) {
    const std::uint64_t half = g_.capacity / 2;
    const std::uint64_t in_a_row = kImagePitch / width;
    for (std::uint64_t tile = 0; requests_.size() < count_; ++tile) {
      const std::uint64_t left = tile % in_a_row * width;
      const std::uint64_t top = tile / in_a_row * height;
      const std::uint64_t first = left / g_.burst;
      const std::uint64_t last = (left + width + g_.burst - 1) / g_.burst;
      for (const bool write : {false, true}) {
        if (write && !copy) continue;
        for (std::uint64_t y = top; y < top + height; ++y) {
          for (std::uint64_t b = first; b < last && requests_.size() < count_; ++b) {
            add((y * kImagePitch + b * g_.burst) % half + (write ? half : 0), write);
          }
        }
      }
    }
    return std::move(requests_);
  }

  // Four streams in the four quarters, taking turns of `turn` bursts.
  std::vector<DramRequest> streams(std::uint64_t turn, std::uint64_t skew_pages, bool last_writes) {
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t stream = i / turn % kStreams;
      const std::uint64_t position = i / (turn * kStreams) * turn + i % turn;
      const std::uint64_t base = stream * (g_.capacity / kStreams) + stream * skew_pages * g_.page;
      add(base + position * g_.burst, last_writes && stream == kStreams - 1);
    }
    return std::move(requests_);
  }

  DramGeometry g_;
  std::size_t count_;
  SplitMix random_;
  std::vector<DramRequest> requests_;
};

}  // namespace

DramGeometry dram_geometry(const model::DramConfig& config) {
  DramGeometry g;
  g.burst = static_cast<std::uint64_t>(config.derived.burst_bytes);
  g.capacity = static_cast<std::uint64_t>(config.capacity().value());
  model::DramAddress next_row;
  next_row.row = 1;
  g.row_stride = config.encode(next_row);
  g.page = static_cast<std::uint64_t>(config.columns * config.bus_width / 8);
  return g;
}

std::vector<DramRequest> dram_pattern(const std::string& name, const DramGeometry& geometry, std::size_t count,
                                      std::uint64_t seed) {
  return Generator(geometry, count, seed).make(name);
}

std::uint64_t hash_of(const std::vector<DramRequest>& requests) {
  std::uint64_t hash = 1469598103934665603U;
  for (const DramRequest& request : requests) {
    const std::uint64_t value = request.address << 1U | (request.write ? 1U : 0U);
    for (unsigned i = 0; i < 8; ++i) {
      hash ^= value >> (8 * i) & 255U;
      hash *= 1099511628211U;
    }
  }
  return hash;
}

}  // namespace accsim::test
