#include "sched/lower/program_counts.h"

#include <algorithm>

#include "model/base/error.h"
#include "model/program/timing.h"

namespace accsim::sched {

using namespace model;

namespace {

// Pieces of a copy: what each burst brings into (or takes from) the tile.
struct Pieces {
  std::int64_t bursts = 0;
  std::int64_t lines = 0;  // of the tile's memory, a line that two pieces of the copy share once
};

// Rows of the copy that follow each other without a gap in DRAM are one run; a burst that two runs share moves once.
Pieces pieces_of(const Copy& copy, const Copy::Side& memory, const Copy::Side& tile, std::int64_t burst,
                 std::int64_t port) {
  Pieces out;
  std::int64_t run = copy.extent[3];
  std::size_t outer = kCopyDims - 1;
  while (outer > 0 && !(copy.gather && outer == 1) &&
         (copy.extent[outer - 1] == 1 || memory.stride[outer - 1] == run)) {
    run *= copy.extent[--outer];
  }
  if (copy.bytes().value() == 0) return out;
  std::int64_t last_burst = -1, last_line = -1;
  std::array<std::int64_t, kCopyDims - 1> at{0, 0, 0};
  for (bool more = true; more;) {
    std::int64_t from = memory.place.address, to = tile.place.address;
    for (std::size_t d = 0; d < outer; ++d) {
      const bool gathered = copy.gather && d == 0;
      const std::int64_t row =
          gathered ? gather_row(copy.gather->seed, copy.gather->first + at[0], copy.gather->rows) : at[d];
      from += row * memory.stride[d];
      to += at[d] * tile.stride[d];
    }
    for (std::int64_t done = 0; done < run;) {
      const std::int64_t number = (from + done) / burst;
      const std::int64_t bytes = std::min((number + 1) * burst - from - done, run - done);
      if (number != last_burst) {
        last_burst = number;
        ++out.bursts;
        for (std::int64_t line = (to + done) / port; line * port < to + done + bytes; ++line) {
          out.lines += line != last_line ? 1 : 0;
          last_line = line;
        }
      }
      done += bytes;
    }
    more = false;
    for (std::size_t d = outer; d-- > 0 && !more;) {
      more = ++at[d] < copy.extent[d];
      if (!more) at[d] = 0;
    }
  }
  return out;
}

class Counter {
 public:
  Counter(const GroupProgram& group, const Architecture& arch, MachineCounts& counts)
      : group_(group), arch_(arch), counts_(counts) {}

  void run() {
    for (const CoreProgram& core : group_.cores) {
      config_ = &arch_.core(core.core);
      for (const Queue queue : kQueues) {
        for (const Instruction& instruction : core.queue(queue)) {
          if (const auto* copy = std::get_if<Copy>(&instruction.op)) count(*copy);
          if (const auto* pass = std::get_if<ArrayPass>(&instruction.op)) count(*pass);
          if (const auto* work = std::get_if<VectorOp>(&instruction.op)) count(*work);
        }
      }
    }
  }

 private:
  // The role of the buffer at an on-chip place.
  [[nodiscard]] std::string role_of(const Place& place) const {
    for (const Region& region : group_.buffers) {
      const Place& start = region.place;
      if (start.space != place.space || start.core != place.core || place.address < start.address ||
          place.address >= start.address + region.size.value()) {
        continue;
      }
      const std::string role = region.name.substr(0, region.name.find('['));
      return role == "accumulator" ? "output" : role;
    }
    throw InternalError("a tile lies in no buffer of its group");
  }

  MachineAccess& at(Space level, const std::string& tensor) {
    auto& list = counts_.accesses;
    const auto place = std::lower_bound(list.begin(), list.end(), std::pair(level, tensor),
                                        [](const MachineAccess& a, const std::pair<Space, std::string>& b) {
                                          return std::pair(a.level, a.tensor) < b;
                                        });
    if (place != list.end() && place->level == level && place->tensor == tensor) return *place;
    MachineAccess entry;
    entry.level = level;
    entry.tensor = tensor;
    return *list.insert(place, entry);
  }

  void count(const Copy& copy) {
    const bool load = copy.src.place.space == Space::dram;
    const Copy::Side &memory = load ? copy.src : copy.dst, &tile = load ? copy.dst : copy.src;
    const std::int64_t burst = arch_.dram.derived.burst_bytes, port = config_->scratchpad.port_bytes;
    const Pieces pieces = pieces_of(copy, memory, tile, burst, port);
    const std::string role = role_of(tile.place);
    // A gathered row of a table lands in the result's tile, a copied one leaves from the input's.
    MachineAccess& outside = at(Space::dram, !load ? "output" : copy.gather ? "input0" : role);
    (load ? outside.read_bytes : outside.written_bytes) += copy.bytes().value();
    (load ? outside.read_burst_bytes : outside.written_burst_bytes) += pieces.bursts * burst;
    MachineAccess& inside = at(Space::scratchpad, role);
    (load ? inside.written_bytes : inside.read_bytes) += pieces.lines * port;
    ++(load ? counts_.loads : counts_.stores);
  }

  void count(const ArrayPass& pass) {
    const ArrayTiming timing = array_timing(shape_of(pass), *config_);
    at(Space::scratchpad, role_of(pass.input.place)).read_bytes += timing.input_lines * config_->scratchpad.port_bytes;
    at(Space::scratchpad, role_of(pass.weight.place)).read_bytes +=
        timing.weight_lines * config_->scratchpad.port_bytes;
    MachineAccess& sums = at(Space::accumulator, role_of(pass.output.place));
    const std::int64_t written = timing.output_lines * config_->accumulator.port_bytes;
    sums.written_bytes += written;
    // The first write to an element adds to nothing.
    sums.read_bytes += written - (pass.accumulate ? 0 : std::min(written, pass.output.bytes().value()));
    counts_.macs += pass.macs().value();
    ++counts_.passes;
  }

  void count(const VectorOp& work) {
    for (const TileRef& source : work.sources) {
      const bool sums = source.place.space == Space::accumulator;
      const std::int64_t port = sums ? config_->accumulator.port_bytes : config_->scratchpad.port_bytes;
      const std::int64_t elements = is_pool(work.kind)
                                        ? work.result_elements() * window_reads(work.kind, work.row_elements())
                                        : passes_of(work.kind) * source.elements();
      at(source.place.space, role_of(source.place)).read_bytes +=
          ceil_div(storage_bytes(source.type, elements).value(), port) * port;
    }
    const std::int64_t port = config_->scratchpad.port_bytes;
    at(Space::scratchpad, role_of(work.output.place)).written_bytes +=
        ceil_div(work.output.bytes().value(), port) * port;
    counts_.lane_operations += vector_lane_operations(work_of(work), config_->vector);
    ++counts_.vector_operations;
  }

  const GroupProgram& group_;
  const Architecture& arch_;
  MachineCounts& counts_;
  const CoreConfig* config_ = nullptr;
};

}  // namespace

MachineAccess MachineCounts::total(Space level) const {
  MachineAccess sum;
  sum.level = level;
  for (const MachineAccess& a : accesses) {
    if (a.level != level) continue;
    sum.read_bytes += a.read_bytes;
    sum.written_bytes += a.written_bytes;
    sum.read_burst_bytes += a.read_burst_bytes;
    sum.written_burst_bytes += a.written_burst_bytes;
  }
  return sum;
}

void count_program(const GroupProgram& group, const Architecture& arch, MachineCounts& counts) {
  Counter(group, arch, counts).run();
}

}  // namespace accsim::sched
