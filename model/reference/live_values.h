// Which tensors' values an executor holds, and how long: until the last operator that reads them has run and the
// caller has released them. Aliases share the values of their storage.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "model/base/error.h"
#include "model/workload/network.h"

namespace accsim::model::reference {

template <class Values>
class LiveValues {
 public:
  explicit LiveValues(const Network& network)
      : network_(network), slots_(network.tensors.size()), done_(network.operators.size(), false) {
    for (const Operator& op : network.operators)
      for (const TensorId storage : storages_read(op)) ++slots_[storage.index()].readers_left;
  }

  [[nodiscard]] bool has(TensorId tensor) const { return slots_[storage(tensor).index()].values != nullptr; }
  [[nodiscard]] const Values& get(TensorId tensor) const {
    if (!has(tensor)) throw InternalError("tensor " + network_.tensor(tensor).name + " has no values at this moment");
    return *slots_[storage(tensor).index()].values;
  }
  void set(TensorId tensor, Values values) {
    Slot& slot = slots_[storage(tensor).index()];
    slot.values = std::make_unique<Values>(std::move(values));
    free_if_unneeded(slot);
  }
  void release(TensorId tensor) {
    Slot& slot = slots_[storage(tensor).index()];
    slot.released = true;
    free_if_unneeded(slot);
  }

  [[nodiscard]] bool done(OpId op) const { return done_[op.index()]; }
  void mark_done(const Operator& op) {
    done_[op.id.index()] = true;
    for (const TensorId storage : storages_read(op)) {
      Slot& slot = slots_[storage.index()];
      --slot.readers_left;
      free_if_unneeded(slot);
    }
  }

  // Calls visit(values) for all that are held.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (slot.values != nullptr) visit(*slot.values);
  }

 private:
  struct Slot {  // of a storage
    std::unique_ptr<Values> values;
    std::int64_t readers_left = 0;  // operators that read it or an alias of it and have not run
    bool released = false;
  };

  [[nodiscard]] TensorId storage(TensorId tensor) const { return network_.tensor(tensor).storage; }
  [[nodiscard]] std::vector<TensorId> storages_read(const Operator& op) const {
    std::vector<TensorId> storages;
    if (is_alias(op.type)) return storages;
    for (const TensorId input : op.inputs) storages.push_back(storage(input));
    std::sort(storages.begin(), storages.end());
    storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
    return storages;
  }
  static void free_if_unneeded(Slot& slot) {
    if (slot.released && slot.readers_left == 0) slot.values.reset();
  }

  const Network& network_;
  std::vector<Slot> slots_;  // by TensorId of the storage
  std::vector<bool> done_;   // by OpId
};

}  // namespace accsim::model::reference
