// Request streams for DRAM comparisons, by name: sequential, strided, random, tiled, several streams, and mixes of reads and
// writes. Written from the definitions that come with the reference data; trace_hashes.csv checks them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/arch/dram.h"
#include "sim/dram/runner.h"

namespace accsim::test {

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

DramGeometry dram_geometry(const model::DramConfig& config);

// ConfigError for an unknown name.
std::vector<sim::DramRequest> dram_pattern(const std::string& name, const DramGeometry& geometry, std::size_t count,
                                           std::uint64_t seed);

// FNV-1a over (address * 2 + write), eight bytes each from the lowest.
std::uint64_t hash_of(const std::vector<sim::DramRequest>& requests);

}  // namespace accsim::test
