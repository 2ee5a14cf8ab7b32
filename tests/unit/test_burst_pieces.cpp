// Bursts of a copy as data: the same bursts as the DMA engine sends, and every byte of the copy in exactly one of them.
#include <map>
#include <vector>

#include "sim/dma/burst_walker.h"
#include "sim/functional/burst_pieces.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"

using namespace accsim::sim;
using namespace accsim::model;
using accsim::tests::Random;

TEST_CASE("bursts carry every byte of a copy once, and are those of the DMA engine", "[functional]") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    Copy copy;
    const bool load = random.chance(50);
    copy.src.place = {Space::dram, CoreId(), random.range(0, 300)};
    copy.dst.place = {Space::scratchpad, CoreId(0), random.range(0, 300)};
    for (std::size_t d = 0; d < kCopyDims; ++d) copy.extent[d] = random.range(1, d + 1 == kCopyDims ? 90 : 4);
    std::int64_t source = copy.extent[3];
    std::int64_t destination = copy.extent[3];
    for (std::size_t d = 3; d-- > 0;) {
      source += random.chance(40) ? random.range(0, 70) : 0;
      destination += random.chance(40) ? random.range(0, 70) : 0;
      copy.src.stride[d] = source;
      copy.dst.stride[d] = destination;
      source *= copy.extent[d];
      destination *= copy.extent[d];
    }
    std::vector<std::int64_t> rows;
    if (load && random.chance(30)) {
      copy.gather = Copy::Gather{{Space::scratchpad, CoreId(0), 0}, random.range(0, 9), random.range(1, 12), seed};
      for (std::int64_t i = 0; i < copy.extent[0]; ++i) {
        rows.push_back(random.chance(50) ? gather_row(seed, copy.gather->first + i, copy.gather->rows)
                                         : random.range(0, copy.gather->rows - 1));
      }
    }
    const Copy::Side& remote = load ? copy.src : copy.dst;
    const Copy::Side& local = load ? copy.dst : copy.src;

    INFO("seed " << seed);
    constexpr std::int64_t kBurst = 64;
    BurstWalker walker(copy, load, kBurst);
    BurstPieces pieces(copy, load, kBurst, rows);
    std::map<std::int64_t, std::int64_t> remote_of;  // by local byte
    while (!pieces.done()) {
      std::vector<Piece> burst;
      REQUIRE_FALSE(walker.done());
      REQUIRE(pieces.next(burst) == walker.current().address);
      walker.next();
      for (const Piece& piece : burst) {
        for (std::int64_t b = 0; b < piece.bytes; ++b) {
          REQUIRE(remote_of.emplace(piece.local + b, piece.remote + b).second);
        }
      }
    }
    REQUIRE(walker.done());
    REQUIRE(static_cast<std::int64_t>(remote_of.size()) == copy.bytes().value());
    for (std::int64_t i = 0; i < copy.extent[0]; ++i) {
      for (std::int64_t j = 0; j < copy.extent[1]; ++j) {
        for (std::int64_t k = 0; k < copy.extent[2]; ++k) {
          const std::int64_t row = copy.gather ? rows[static_cast<std::size_t>(i)] : i;
          const std::int64_t from =
              remote.place.address + row * remote.stride[0] + j * remote.stride[1] + k * remote.stride[2];
          const std::int64_t to = local.place.address + i * local.stride[0] + j * local.stride[1] + k * local.stride[2];
          REQUIRE(remote_of.at(to) == from);
          REQUIRE(remote_of.at(to + copy.extent[3] - 1) == from + copy.extent[3] - 1);
        }
      }
    }
  }
}
