#include "app/data_check.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "model/base/error.h"
#include "model/program/verify_access.h"
#include "sim/functional/encoding.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kAtOnce = 8192;  // elements; a whole number of bytes of every type

// The region of the header that holds another one; null where there is none.
const model::Region* home_of(const model::ProgramHeader& header, const model::Region& region) {
  if (region.place.space != model::Space::dram) return nullptr;
  const auto home = std::find_if(header.dram.begin(), header.dram.end(), [&](const model::Region& candidate) {
    return candidate.place.address <= region.place.address &&
           region.place.address + region.size.value() <= candidate.place.address + candidate.size.value();
  });
  return home == header.dram.end() ? nullptr : &*home;
}

void raise(LastReaders& readers, const std::string& region, model::GroupId group) {
  const auto [it, is_new] = readers.emplace(region, group);
  if (!is_new) it->second = std::max(it->second, group);
}

std::int64_t elements_in(model::Bytes bytes, model::DataType type) {
  constexpr std::int64_t kBits = 8;
  return bytes.value() * kBits / model::bits_of(type);
}

std::vector<std::int64_t> coordinate_of(const model::Shape& shape, std::int64_t element) {
  std::vector<std::int64_t> coordinate(shape.size(), 0);
  for (std::size_t a = shape.size(); a-- > 0;) {
    coordinate[a] = element % shape[a];
    element /= shape[a];
  }
  return coordinate;
}

bool reaches(const model::Copy& copy, model::MemoryIndex memory, std::int64_t address) {
  const std::vector<model::MemoryIndex> memories = model::destinations_of(copy);
  if (std::find(memories.begin(), memories.end(), memory) == memories.end()) return false;
  const model::StridedRange range = model::destination_range(copy);
  if (address < range.begin() || address >= range.end()) return false;
  return !range.each_row([&](std::int64_t begin, std::int64_t end) { return address < begin || address >= end; });
}

}  // namespace

LastReaders last_readers(const model::Network& network, const model::Schedule& schedule) {
  std::map<std::string, const model::Operator*> operators;
  for (const model::Operator& op : network.operators) operators.emplace(op.name, &op);
  LastReaders readers;
  for (const model::Group& group : schedule.groups) {
    for (const std::string& layer : group.layers) {
      const auto op = operators.find(layer);
      if (op == operators.end()) continue;
      for (const model::TensorId input : op->second->inputs) {
        raise(readers, network.tensor(network.tensor(input).storage).name, group.id);
      }
    }
  }
  return readers;
}

LastReaders last_readers(const model::Program& program) {
  LastReaders readers;
  for (const model::GroupProgram& group : program.groups) {
    for (const model::Region& region : group.live_in) {
      const model::Region* home = home_of(program.header, region);
      raise(readers, home != nullptr ? home->name : region.name, group.group);
    }
  }
  return readers;
}

std::string message_of(const Mismatch& mismatch) {
  std::string text = "tensor " + mismatch.tensor;
  if (!mismatch.found) return text + " is a network output that no group leaves in memory";
  text += " differs from the reference in " + std::to_string(mismatch.elements) + " elements, first at [";
  for (std::size_t a = 0; a < mismatch.coordinate.size(); ++a) {
    text += (a == 0 ? "" : ", ") + std::to_string(mismatch.coordinate[a]);
  }
  text += "]: expected " + std::to_string(mismatch.expected) + ", found " + std::to_string(*mismatch.found);
  text += "; group " + std::to_string(mismatch.group->value());
  if (!mismatch.writer) return text + ", in which no instruction writes it";
  const Mismatch::Writer& writer = *mismatch.writer;
  return text + ", written by core " + std::to_string(writer.core.value()) + " " +
         std::string(model::name_of(writer.queue)) + "[" + std::to_string(writer.index) + "] (" + writer.kind +
         ", tile " + std::to_string(writer.tile) + (writer.layer.empty() ? "" : " of layer " + writer.layer) + ")";
}

const CheckedTensor* DataReport::fewest() const {
  const auto least = std::min_element(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return a.distinct * std::max<std::int64_t>(b.required, 1) < b.distinct * std::max<std::int64_t>(a.required, 1);
  });
  return least == tensors.end() ? nullptr : &*least;
}

void require_tensors(const model::Network& network, const model::ProgramHeader& header, const std::string& file) {
  std::map<std::string, const model::Tensor*> tensors;
  for (const model::Tensor& tensor : network.tensors) tensors.emplace(tensor.name, &tensor);
  for (std::size_t i = 0; i < header.dram.size(); ++i) {
    const model::Region& region = header.dram[i];
    const std::string path = "dram[" + std::to_string(i) + "]";
    const auto tensor = tensors.find(region.name);
    if (tensor == tensors.end() || tensor->second->storage != tensor->second->id) {
      throw model::ConfigError(file, path + ".name",
                               "network " + network.name + " has no tensor \"" + region.name + "\" of its own storage");
    }
    const model::Bytes size = network.bytes_of(tensor->second->id);
    if (region.size != size) {
      throw model::ConfigError(file, path + ".size_bytes",
                               "found " + std::to_string(region.size.value()) + ", but tensor \"" + region.name +
                                   "\" of network " + network.name + " has " + std::to_string(size.value()) + " bytes");
    }
    const bool constant = std::any_of(header.constant.begin(), header.constant.end(),
                                      [&](const model::Region& other) { return other.place == region.place; });
    if (constant != (tensor->second->kind != model::TensorKind::activation)) {
      throw model::ConfigError(
          file, path + ".name",
          "tensor \"" + region.name + "\" of network " + network.name +
              (constant ? " is an activation, and stands in the list constant"
                        : " is a network input or weight, and does not stand in the list constant"));
    }
  }
}

DataCheck::DataCheck(const model::Network& network, const model::Architecture& arch, const model::ProgramHeader& header,
                     LastReaders readers, std::uint64_t seed)
    : network_(network),
      header_(header),
      readers_(std::move(readers)),
      initial_(network, seed),
      reference_(network, seed, sim::FunctionalChip::sum_bits_of(arch)),
      evaluated_(network.operators.size(), false),
      required_(required_distinct(network)),
      chip_(arch, header, [this](const model::Region& region, std::int64_t offset, std::span<std::uint8_t> bytes) {
        make_initial(region, offset, bytes);
      }) {
  for (const model::Tensor& tensor : network.tensors) by_name_.emplace(tensor.name, tensor.id);
  chip_.group_ended = [this](const model::GroupProgram& group) { group_ended(group); };
}

void DataCheck::make_initial(const model::Region& region, std::int64_t offset, std::span<std::uint8_t> bytes) const {
  const model::Tensor& tensor = network_.tensor(by_name_.at(region.name));
  const std::int64_t first = elements_in(model::Bytes(offset), tensor.type);
  // The last byte of an int4 tensor may hold one element only.
  const std::int64_t count = std::min(elements_in(model::Bytes(static_cast<std::int64_t>(bytes.size())), tensor.type),
                                      model::element_count(tensor.shape) - first);
  std::array<std::int32_t, kAtOnce> values;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  for (std::int64_t done = 0; done < count; done += kAtOnce) {
    const std::int64_t now = std::min(kAtOnce, count - done);
    initial_.fill(tensor.id, first + done, std::span(values).first(static_cast<std::size_t>(now)));
    std::uint8_t* to = bytes.data() + model::storage_bytes(tensor.type, done).value();
    sim::encode(tensor.type, values.data(), now, to);
  }
}

// Runs the operator on the reference side, after all that it needs.
void DataCheck::evaluate(model::OpId id) {
  std::vector<model::OpId> waiting{id};
  while (!waiting.empty()) {
    const model::Operator& op = network_.op(waiting.back());
    const std::size_t before = waiting.size();
    for (const model::TensorId input : op.inputs) {
      const model::OpId producer = network_.tensor(input).producer;
      if (producer.valid() && !evaluated_[producer.index()]) waiting.push_back(producer);
    }
    if (waiting.size() > before) continue;
    waiting.pop_back();
    if (evaluated_[op.id.index()]) continue;
    evaluated_[op.id.index()] = true;
    reference_.run(op.id);
  }
}

void DataCheck::group_ended(const model::GroupProgram& group) {
  // Of a tensor in pieces the bytes that earlier pieces have.
  std::map<std::string, std::int64_t> before;
  for (const model::Region& region : group.live_out) {
    if (region.place.space == model::Space::dram) {
      const model::Region* home = home_of(header_, region);
      compare(group, region, home->name, region.place.address - home->place.address);
    } else {
      const auto tensor = by_name_.find(region.name);
      std::int64_t& offset = before[region.name];
      // A program's author may leave other things on the chip than tensors.
      if (tensor == by_name_.end() || offset + region.size.value() > network_.bytes_of(tensor->second).value())
        continue;
      compare(group, region, region.name, offset);
      offset += region.size.value();
    }
  }
  // What this group was the last to read, and what nobody reads at all.
  for (const model::Region& region : header_.dram) {
    const auto reader = readers_.find(region.name);
    const bool left_now = std::any_of(group.live_out.begin(), group.live_out.end(),
                                      [&](const model::Region& out) { return home_of(header_, out) == &region; });
    if (reader != readers_.end() ? reader->second == group.group : left_now) chip_.drop(region);
  }
  // Tensors of the group that stay inside of it are compared with nothing.
  for (const std::string& layer : group.layers) {
    const auto op = std::find_if(network_.operators.begin(), network_.operators.end(),
                                 [&](const model::Operator& candidate) { return candidate.name == layer; });
    if (op == network_.operators.end()) continue;
    for (const model::TensorId output : op->outputs) {
      const model::TensorId storage = network_.tensor(output).storage;
      const std::string& name = network_.tensor(storage).name;
      const auto named = [&](const model::Region& region) { return region.name == name; };
      const bool in_memory = std::any_of(header_.dram.begin(), header_.dram.end(), named) ||
                             std::any_of(group.live_out.begin(), group.live_out.end(), named);
      if (!in_memory && network_.tensor(storage).kind == model::TensorKind::activation) reference_.release(storage);
    }
  }
}

void DataCheck::compare(const model::GroupProgram& group, const model::Region& region, const std::string& name,
                        std::int64_t offset) {
  const auto known = by_name_.find(name);
  if (known == by_name_.end()) {
    throw model::InternalError("group " + std::to_string(group.group.value()) + " leaves \"" + name +
                               "\" in memory, which is no tensor of network " + network_.name);
  }
  const model::Tensor& tensor = network_.tensor(network_.tensor(known->second).storage);
  const std::int64_t first = elements_in(model::Bytes(offset), tensor.type);
  const std::int64_t count =
      std::min(elements_in(region.size, tensor.type), model::element_count(tensor.shape) - first);
  evaluate(tensor.producer);

  auto& counter = counters_[tensor.id];
  if (counter == nullptr) counter = std::make_unique<model::DistinctCounter>(tensor.type);
  Mismatch mismatch;
  std::vector<std::int32_t> expected;
  std::vector<std::int32_t> found;
  std::vector<std::uint8_t> bytes;
  for (std::int64_t done = 0; done < count; done += kAtOnce) {
    const std::int64_t now = std::min(kAtOnce, count - done);
    expected.resize(static_cast<std::size_t>(now));
    found.resize(expected.size());
    bytes.resize(static_cast<std::size_t>(model::storage_bytes(tensor.type, now).value()));
    model::Place place = region.place;
    place.address += model::storage_bytes(tensor.type, done).value();
    chip_.read(place, bytes);
    sim::decode(tensor.type, bytes.data(), now, found.data());
    reference_.read(tensor.id, first + done, expected);
    counter->add(found);
    if (expected == found) continue;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] == expected[i]) continue;
      if (mismatch.elements++ > 0) continue;
      const std::int64_t element = done + static_cast<std::int64_t>(i);
      mismatch = describe(group, tensor, region, element, first + element);
      mismatch.elements = 1;
      mismatch.expected = expected[i];
      mismatch.found = found[i];
    }
  }
  report_.elements += count;
  report_.mismatches += mismatch.elements;
  if (mismatch.elements > 0) report_.mismatched.push_back(std::move(mismatch));

  std::int64_t& compared = compared_[tensor.id];
  if (compared == 0) report_.tensors.push_back({tensor.name, 0, 0, required_[tensor.id.index()]});
  compared += count;
  const auto entry = std::find_if(report_.tensors.begin(), report_.tensors.end(),
                                  [&](const CheckedTensor& checked) { return checked.name == tensor.name; });
  entry->elements = compared;
  entry->distinct = counter->count();
  if (compared >= model::element_count(tensor.shape)) {
    counter.reset();
    reference_.release(tensor.id);
  }
}

Mismatch DataCheck::describe(const model::GroupProgram& group, const model::Tensor& tensor, const model::Region& region,
                             std::int64_t element, std::int64_t of_tensor) const {
  Mismatch mismatch;
  mismatch.tensor = tensor.name;
  mismatch.coordinate = coordinate_of(tensor.shape, of_tensor);
  mismatch.group = group.group;
  constexpr std::int64_t kBits = 8;
  const std::int64_t address = region.place.address + element * model::bits_of(tensor.type) / kBits;
  const model::MemoryIndex memory = model::memory_of(region.place);
  for (const model::CoreProgram& core : group.cores) {
    for (const model::Queue queue : model::kQueues) {
      const std::vector<model::Instruction>& list = core.queue(queue);
      for (std::size_t i = 0; i < list.size(); ++i) {
        const auto* copy = std::get_if<model::Copy>(&list[i].op);
        if (copy == nullptr || !reaches(*copy, memory, address)) continue;
        const model::OpId layer = list[i].layer;
        const bool exists = layer.valid() && layer.index() < network_.operators.size();
        mismatch.writer = Mismatch::Writer{
            core.core,   queue, static_cast<std::int64_t>(i), "copy", exists ? network_.op(layer).name : "",
            list[i].tile};
      }
    }
  }
  return mismatch;
}

DataReport DataCheck::finish() {
  for (const model::TensorId output : network_.outputs) {
    const model::Tensor& tensor = network_.tensor(network_.tensor(output).storage);
    const std::int64_t missing = model::element_count(tensor.shape) - compared_[tensor.id];
    if (tensor.kind != model::TensorKind::activation || missing <= 0) continue;
    Mismatch mismatch;
    mismatch.tensor = tensor.name;
    mismatch.elements = missing;
    report_.mismatches += missing;
    report_.mismatched.push_back(std::move(mismatch));
  }
  return std::move(report_);
}

}  // namespace accsim::app
