// The tile shapes and spatial splits that a level may have, as lists: tiles whose kept tensors fit its capacity, splits
// that fit its mesh with every dimension wholly on one axis. Sizes are divisors of the dimensions; each carries a key
// of packed prime exponents, so that "divides" is one subtraction.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "sched/mapping/constraints.h"
#include "sched/mapping/hierarchy.h"

namespace accsim::sched {

inline constexpr std::size_t kKeyWords = 4;
using Sizes = std::array<std::int32_t, kMostMapDims>;  // one entry a dimension; unused ones are 1
struct Key {
  std::array<std::uint64_t, kKeyWords> words{};
};

class Divisors {
 public:
  // `imperfect`: even tiles (ragged.h) and any number of instances instead; keys are empty then.
  explicit Divisors(const MapProblem& problem, bool imperfect = false);
  [[nodiscard]] const std::vector<std::int32_t>& of(std::size_t dim) const { return divisors_[dim]; }
  [[nodiscard]] const std::vector<std::int32_t>& splits(std::size_t dim) const {
    return splits_.empty() ? divisors_[dim] : splits_[dim];
  }
  [[nodiscard]] Key key(const Sizes& sizes) const;
  [[nodiscard]] static Key sum(const Key& a, const Key& b) {
    Key out;
    for (std::size_t i = 0; i < kKeyWords; ++i) out.words[i] = a.words[i] + b.words[i];
    return out;
  }
  // Whether every exponent of `part` is at most that of `whole`. Sums of two divisors' keys are allowed for `part`.
  [[nodiscard]] bool divides(const Key& part, const Key& whole) const {
    for (std::size_t i = 0; i < words_; ++i) {
      if ((((whole.words[i] | guards_.words[i]) - part.words[i]) & guards_.words[i]) != guards_.words[i]) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t dims() const { return divisors_.size(); }
  [[nodiscard]] bool imperfect() const { return !splits_.empty(); }
  // Of one dimension's divisor number i; keys of sizes are the sums of these.
  [[nodiscard]] const Key& key_of(std::size_t dim, std::size_t i) const { return keys_[dim][i]; }

 private:
  struct Field {
    std::int32_t prime;
    std::size_t word;
    int shift;
  };
  std::vector<std::vector<std::int32_t>> divisors_, splits_;
  std::vector<std::vector<Field>> fields_;
  std::vector<std::vector<Key>> keys_;  // [dim][divisor]
  std::size_t words_ = 1;
  Key guards_;
};

struct Tile {
  std::uint32_t number = 0;  // among all of a search
  Sizes sizes;
  Key key;
  double words[kMostMapTensors];        // of each tensor
  double repeats = 1;                   // product of dimension / size
  double own_repeats[kMostMapTensors];  // of the dimensions that index the tensor
  // Least words fetched in total under the best split, halos at their best: where nothing, or the whole run of loops
  // that do not index the tensor, is dropped.
  double all[kMostMapTensors], once[kMostMapTensors];
  // Capacity taken by the tensors in `kept`.
  [[nodiscard]] double used_words(const std::vector<double>& copies, std::uint32_t kept) const {
    double used = 0;
    for (std::size_t t = 0; t < copies.size(); ++t) used += (kept >> t & 1U) != 0 ? copies[t] * words[t] : 0;
    return used;
  }
};

// Tiles of every divisor combination that fit; `kept`: bit t = tensor t is held; `free_dims`: dimensions that may
// take any divisor, the others stay 1.
std::vector<Tile> tiles_of(const MapProblem& problem, const Divisors& divisors, const std::vector<double>& copies,
                           double capacity, std::uint32_t kept, std::uint32_t free_dims);

struct Split {
  Sizes sizes;
  Key key;
  double instances = 1;
  double shared[kMostMapTensors];  // product over the dimensions that do not index the tensor
  std::uint32_t joint = 0;         // bit t: two split dimensions move tensor t along one axis
  std::uint32_t joint_dims = 0;    // those dimensions
};

// Coordinates of an axis that a tile covers.
double tile_extent(const TensorAxis& axis, const Sizes& sizes);
// Best halo credit: share of the words that is fetched anew when the dimension with most overlap slides. Without a
// split: no more than with any.
double slide_share(const MapProblem& problem, const MapTensor& tensor, const Sizes& tile, const Split* split);

std::vector<Split> splits_of(const MapProblem& problem, const Divisors& divisors,
                             const std::array<std::int64_t, 2>& mesh, const LevelConstraints* constraints = nullptr);

}  // namespace accsim::sched
