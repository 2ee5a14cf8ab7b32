#include "model/schedule/chip_homes.h"

#include <algorithm>

#include "model/base/error.h"
#include "model/schedule/tiling.h"

namespace accsim::model {
namespace {

constexpr std::int64_t kPieceAlignment = 64;

std::int64_t end_of(const HomePiece& piece) { return piece.place.address + piece.bytes; }

bool same_memory(const HomePiece& a, const HomePiece& b) {
  return a.place.space == b.place.space && a.place.core == b.place.core;
}

}  // namespace

std::vector<HomePiece> home_pieces(const Tensor& tensor, std::int64_t parts) {
  const std::int64_t all = storage_bytes(tensor.type, element_count(tensor.shape)).value();
  std::int64_t rows = 1;  // outermost axes together
  std::int64_t row_elements = element_count(tensor.shape);
  for (const std::int64_t extent : tensor.shape) {
    if (rows >= parts) break;
    rows *= extent;
    row_elements /= std::max<std::int64_t>(extent, 1);
  }
  std::int64_t piece = storage_bytes(tensor.type, ceil_div(rows, parts) * row_elements).value();
  if (ceil_div(rows, parts) * row_elements * bits_of(tensor.type) % 8 != 0)
    piece = ceil_div(piece, kPieceAlignment) * kPieceAlignment;
  std::vector<HomePiece> pieces;
  for (std::int64_t first = 0; first < all; first += piece) {
    HomePiece next;
    next.first = first;
    next.bytes = std::min(piece, all - first);
    pieces.push_back(next);
  }
  return pieces;
}

ChipHomes::ChipHomes(const Schedule& schedule, const Network& network, const Architecture& arch) : network_(&network) {
  std::map<std::string, std::size_t> group_of;  // by layer
  for (std::size_t g = 0; g < schedule.groups.size(); ++g)
    for (const std::string& layer : schedule.groups[g].layers) group_of.emplace(layer, g);
  for (std::size_t g = 0; g < schedule.groups.size(); ++g) {
    const Group& group = schedule.groups[g];
    for (const auto& [name, home] : group.homes) {
      if (home == Home::dram) continue;
      const auto named =
          std::find_if(network.tensors.begin(), network.tensors.end(), [&](const Tensor& t) { return t.name == name; });
      if (named == network.tensors.end()) throw InternalError("a home for tensor " + name + ", which does not exist");
      Tenant tenant;
      tenant.root = named->storage;
      tenant.first = tenant.last = g;
      for (const Tensor& tensor : network.tensors) {
        if (tensor.storage != tenant.root) continue;
        for (const OpId op : tensor.consumers) {
          const auto reader = group_of.find(network.op(op).name);
          if (reader != group_of.end()) tenant.last = std::max(tenant.last, reader->second);
        }
      }
      const bool shared = home == Home::global_buffer;
      tenant.pieces = home_pieces(network.tensor(tenant.root), shared ? 1 : arch.core_count());
      for (std::size_t i = 0; i < tenant.pieces.size(); ++i)
        tenant.pieces[i].place = shared ? Place{Space::global_buffer, CoreId(), 0}
                                        : Place{Space::scratchpad, CoreId(static_cast<std::int32_t>(i)), 0};
      place(tenant, arch);
      by_root_.emplace(tenant.root, tenants_.size());
      tenants_.push_back(std::move(tenant));
    }
  }
}

void ChipHomes::place(Tenant& tenant, const Architecture& arch) {
  for (HomePiece& piece : tenant.pieces) {
    const MemoryConfig* memory = nullptr;
    if (piece.place.space == Space::scratchpad) {
      memory = &arch.core(piece.place.core).scratchpad;
    } else if (arch.global_buffer) {
      memory = &*arch.global_buffer;
    } else {
      throw InternalError("a home in a global buffer that does not exist");
    }
    const std::int64_t unit = std::max(tile_alignment(*memory), kPieceAlignment);
    std::vector<const HomePiece*> others;
    for (const Tenant& other : tenants_)
      if (other.last >= tenant.first)
        for (const HomePiece& p : other.pieces)
          if (same_memory(p, piece)) others.push_back(&p);
    std::sort(others.begin(), others.end(),
              [](const HomePiece* a, const HomePiece* b) { return a->place.address < b->place.address; });
    for (const HomePiece* other : others) {
      if (end_of(piece) <= other->place.address) break;
      piece.place.address = std::max(piece.place.address, ceil_div(end_of(*other), unit) * unit);
    }
  }
}

const std::vector<HomePiece>* ChipHomes::pieces_of(TensorId tensor) const {
  const auto found = by_root_.find(network_->tensor(tensor).storage);
  return found == by_root_.end() ? nullptr : &tenants_[found->second].pieces;
}

std::vector<TensorId> ChipHomes::tensors() const {
  std::vector<TensorId> roots;
  for (const Tenant& tenant : tenants_) roots.push_back(tenant.root);
  return roots;
}

std::vector<HomePiece> ChipHomes::alive(std::size_t group) const {
  std::vector<HomePiece> pieces;
  for (const Tenant& tenant : tenants_)
    if (tenant.first <= group && group <= tenant.last)
      pieces.insert(pieces.end(), tenant.pieces.begin(), tenant.pieces.end());
  return pieces;
}

std::int64_t ChipHomes::reach(std::size_t group, Space space, CoreId core) const {
  std::int64_t reach = 0;
  for (const HomePiece& piece : alive(group))
    if (piece.place.space == space && piece.place.core == core) reach = std::max(reach, end_of(piece));
  return reach;
}

std::int64_t ChipHomes::taken(std::size_t group, const std::vector<std::int64_t>& cores,
                              const Architecture& arch) const {
  std::int64_t taken = 0;
  for (const std::int64_t number : cores) {
    const CoreId core(static_cast<std::int32_t>(number));
    const std::int64_t unit = tile_alignment(arch.core(core).scratchpad);
    taken = std::max(taken, ceil_div(reach(group, Space::scratchpad, core), unit) * unit);
  }
  return taken;
}

}  // namespace accsim::model
