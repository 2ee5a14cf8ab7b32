#include "sched/lower/tensor_places.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "model/base/error.h"
#include "model/schedule/fused_group.h"

namespace accsim::sched {

using namespace model;

namespace {

std::set<TensorId> not_in_dram(const Schedule& schedule, const Network& network, const ChipHomes& homes) {
  std::set<TensorId> tensors = tensors_inside(schedule, network);
  for (const TensorId root : homes.tensors()) tensors.insert(root);
  return tensors;
}

class Cutter {
 public:
  Cutter(const std::vector<HomePiece>& pieces, bool to_tile, std::vector<Copy>& found)
      : pieces_(pieces), to_tile_(to_tile), found_(found) {}

  // Dimensions before `d` have one index.
  void cut(const Copy& copy, std::size_t d) {
    while (d + 1 < kCopyDims && copy.extent[d] == 1) ++d;
    const std::int64_t low = memory(copy).place.address;
    const std::int64_t inside = span_behind(copy, d);
    const std::int64_t step = d + 1 < kCopyDims ? memory(copy).stride[d] : 1;
    const std::int64_t count = copy.extent[d];
    for (std::int64_t i = 0; i < count;) {
      const HomePiece& piece = piece_at(low + i * step);
      const std::int64_t end = piece.first + piece.bytes;
      // Indices that lie in this piece as a whole.
      std::int64_t whole = i;
      if (step > 0) {
        const std::int64_t room = end - inside - low;
        whole = room < i * step ? i : std::min(count, room / step + 1);
      } else if (low + inside <= end) {
        whole = count;
      }
      if (whole > i) {
        emit(part(copy, d, i, whole - i), piece);
        i = whole;
      } else {
        cut(part(copy, d, i, 1), d + 1);
        ++i;
      }
    }
  }

 private:
  [[nodiscard]] Copy::Side& memory(Copy& copy) const { return to_tile_ ? copy.src : copy.dst; }
  [[nodiscard]] const Copy::Side& memory(const Copy& copy) const { return to_tile_ ? copy.src : copy.dst; }

  // Bytes from the first to behind the last that one index of dimension `d` moves.
  [[nodiscard]] std::int64_t span_behind(const Copy& copy, std::size_t d) const {
    std::int64_t span = 1;
    for (std::size_t x = d + 1; x < kCopyDims; ++x)
      span += (copy.extent[x] - 1) * (x + 1 < kCopyDims ? memory(copy).stride[x] : 1);
    return span;
  }
  [[nodiscard]] const HomePiece& piece_at(std::int64_t byte) const {
    const auto behind = std::upper_bound(pieces_.begin(), pieces_.end(), byte,
                                         [](std::int64_t b, const HomePiece& p) { return b < p.first; });
    if (behind == pieces_.begin()) throw InternalError("a copy begins before its tensor");
    return *(behind - 1);
  }
  static Copy part(Copy copy, std::size_t d, std::int64_t first, std::int64_t count) {
    const std::int64_t last = kCopyDims - 1;
    copy.extent[d] = count;
    copy.src.place.address += first * (static_cast<std::int64_t>(d) == last ? 1 : copy.src.stride[d]);
    copy.dst.place.address += first * (static_cast<std::int64_t>(d) == last ? 1 : copy.dst.stride[d]);
    return copy;
  }
  void emit(Copy copy, const HomePiece& piece) {
    Place& place = memory(copy).place;
    const std::int64_t offset = place.address - piece.first;
    place = piece.place;
    place.address += offset;
    found_.push_back(std::move(copy));
  }

  const std::vector<HomePiece>& pieces_;
  bool to_tile_;
  std::vector<Copy>& found_;
};

}  // namespace

std::vector<Copy> cut_at_pieces(const std::vector<Copy>& relative, const std::vector<HomePiece>& pieces, bool to_tile) {
  std::vector<Copy> found;
  Cutter cutter(pieces, to_tile, found);
  for (const Copy& copy : relative) cutter.cut(copy, 0);
  return found;
}

TensorPlaces::TensorPlaces(const Schedule& schedule, const Network& network, const Architecture& arch)
    : network_(&network),
      cores_(arch.core_count()),
      homes_(schedule, network, arch),
      dram_(network, arch, not_in_dram(schedule, network, homes_)) {}

std::vector<Region> TensorPlaces::regions_of(TensorId tensor) const {
  const std::vector<HomePiece>* pieces = homes_.pieces_of(tensor);
  if (pieces == nullptr) return {dram_.region_of(tensor)};
  const std::string& name = network_->tensor(network_->tensor(tensor).storage).name;
  std::vector<Region> regions;
  for (const HomePiece& piece : *pieces) regions.push_back({name, piece.place, Bytes(piece.bytes)});
  return regions;
}

std::vector<Copy> TensorPlaces::placed(const std::vector<Copy>& relative, TensorId tensor, bool to_tile) const {
  if (const std::vector<HomePiece>* pieces = homes_.pieces_of(tensor)) {
    std::vector<Copy> cut = cut_at_pieces(relative, *pieces, to_tile);
    // Cores that work on the same part of a tensor begin at different pieces: otherwise all would wait for one port.
    if (!cut.empty()) {
      const Place& own = (to_tile ? cut.front().dst : cut.front().src).place;
      const auto first = static_cast<std::int64_t>(cut.size()) * own.core.value() / cores_;
      std::rotate(cut.begin(), cut.begin() + first, cut.end());
    }
    return cut;
  }
  std::vector<Copy> copies = relative;
  for (Copy& copy : copies) (to_tile ? copy.src : copy.dst).place.address += dram_.address_of(tensor);
  return copies;
}

std::vector<Copy> TensorPlaces::copies(const Operand& operand, const Box& box, Place tile, bool to_tile) const {
  const Place first{Space::dram, CoreId(), 0};
  return placed(box_copies(operand, box, first, tile, to_tile), operand.tensor, to_tile);
}

std::vector<Copy> TensorPlaces::copies(std::vector<CopyAxis> axes, const Operand& operand, std::int64_t start,
                                       Place tile, bool to_tile) const {
  const Place first{Space::dram, CoreId(), 0};
  return placed(strided_copies(std::move(axes), operand.type, first, start, tile, to_tile), operand.tensor, to_tile);
}

}  // namespace accsim::sched
