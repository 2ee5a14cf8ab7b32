// What the program reader and the program verifier say, exactly.
#include <functional>

#include "model/base/error.h"
#include "model/program/verify.h"
#include "tests/catch.h"
#include "tests/support/small_programs.h"

namespace {

using namespace accsim;
using namespace accsim::tests;
using model::Instruction;
using model::Queue;

std::string verdict(const model::Program& program, const model::Architecture& arch = tiny_architecture()) {
  model::StoredProgram source(program);
  const auto violation = model::verify_program(arch, source);
  return violation ? violation->kind + ": " + violation->message : "";
}

std::string verdict(model::Program program, const std::function<void(model::Program&)>& edit) {
  edit(program);
  return verdict(program);
}

Instruction& at(model::Program& program, Queue queue, std::size_t index, std::size_t core = 0, std::size_t group = 0) {
  return program.groups[group].cores[core].queue(queue)[index];
}
model::Copy& copy(Instruction& instruction) { return std::get<model::Copy>(instruction.op); }
model::ArrayPass& pass(Instruction& instruction) { return std::get<model::ArrayPass>(instruction.op); }
model::VectorOp& vector(Instruction& instruction) { return std::get<model::VectorOp>(instruction.op); }

// Removes `semaphore` from the waits of one instruction and from the signals of another.
void drop_edge(Instruction& waiting, Instruction& signalling, std::int32_t semaphore) {
  std::erase_if(waiting.waits, [&](const model::Wait& wait) { return wait.semaphore == semaphore; });
  std::erase_if(signalling.signals, [&](const model::Signal& signal) { return signal.semaphore == semaphore; });
}

std::string parse_error(const std::function<void(model::Json&)>& edit) {
  model::Json json = model::to_json(pipeline_program());
  edit(json);
  try {
    model::parse_program(json, "p.json");
  } catch (const model::ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("program verifier: what does not exist, or stands in the wrong queue") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { p.groups[0].cores[0].core = model::CoreId(2); }) ==
        "structure: core 2 does not exist; the architecture has 2 cores");
  CHECK(verdict(program, [](auto& p) { p.groups[0].cores.push_back(p.groups[0].cores[0]); }) ==
        "structure: core 0 has two programs");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 0)).dst.place = scratchpad(5, 0); }) ==
        "structure: core 0 load[0]: destination names core 5; the architecture has 2 cores");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::store, 0) = at(p, Queue::array, 0); }) ==
        "queue: core 0 store[0] is an array pass, which this queue does not execute");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::array, 0) = at(p, Queue::vector, 0); }) ==
        "queue: core 0 array[0] is a vector operation, which this queue does not execute");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 0)).dst.place = accumulator(0, 0); }) ==
        "queue: core 0 load[0] writes to the accumulator of core 0, must be the scratchpad of its own core");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 0)).src.place = accumulator(0, 512); }) ==
        "queue: core 0 load[0] reads from the accumulator of core 0, must be the DRAM, the global buffer or a "
        "scratchpad");
  CHECK(verdict(program, [](auto& p) {
          copy(at(p, Queue::load, 0)).src.place = copy(at(p, Queue::load, 0)).dst.place;
        }) == "structure: core 0 load[0] copies within its scratchpad to where it reads from");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 1)).output.place = scratchpad(0, 0); }) ==
        "queue: core 0 array[1]: output lies in the scratchpad of core 0, must be in the accumulator of its own core");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).sources[0].place = accumulator(1, 0); }) ==
        "queue: core 0 vector[2]: source 0 lies in the accumulator of core 1, must be in the accumulator of its own "
        "core");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).kind = model::VectorKind::add; }) ==
        "structure: core 0 vector[2] (add) has 1 sources, needs 2");
  model::Architecture no_buffer = tiny_architecture();
  no_buffer.global_buffer.reset();
  CHECK(verdict(global_buffer_program(), no_buffer) ==
        "structure: live_out region \"row 0\" uses a global buffer; the architecture has none");
}

TEST_CASE("program verifier: multicasts") {
  const model::Program program = multicast_program();
  CHECK(verdict(program).empty());
  const auto multicast = [](auto& p) -> std::vector<model::CoreId>& { return copy(at(p, Queue::load, 0)).multicast; };
  CHECK(verdict(program, [&](auto& p) { multicast(p) = {model::CoreId(0)}; }) ==
        "structure: core 0 load[0] is a multicast that names core 0 again, which is its own, its source's or its "
        "destination's");
  CHECK(verdict(program, [&](auto& p) {
          multicast(p) = {model::CoreId(1), model::CoreId(1)};
        }) == "structure: core 0 load[0] is a multicast whose cores are not in ascending order");
  CHECK(verdict(program, [&](auto& p) {
          multicast(p) = {model::CoreId(1), model::CoreId(2)};
        }) == "structure: core 0 load[0]: multicast names core 2; the architecture has 2 cores");
  model::Architecture arch = tiny_architecture(3);
  model::Program third = program;
  multicast(third) = {model::CoreId(1), model::CoreId(2)};
  CHECK(verdict(third, arch) ==
        "structure: core 0 load[0] uses the scratchpad of core 2, which takes no part in the group");
  CHECK(verdict(program, [&](auto& p) { copy(at(p, Queue::store, 0)).multicast = {model::CoreId(1)}; }) ==
        "structure: core 0 store[0] is a multicast into the DRAM, must be one into scratchpads");
  arch = tiny_architecture();
  arch.noc.topology = model::Topology::ring;
  CHECK(verdict(program, arch) ==
        "structure: core 0 load[0] is a multicast; a ring has none, the other topologies have");
  arch.noc.topology = model::Topology::mesh;
  arch.noc.flit_bytes = 16;
  arch.noc.vc_buffer_flits = 4;
  CHECK(verdict(program, arch).empty());
  arch.noc.vc_buffer_flits = 3;
  CHECK(verdict(program, arch) ==
        "structure: core 0 load[0] is a multicast of bursts of 4 flits; on a mesh they must fit into "
        "noc.vc_buffer_flits, which is 3");
  // The other core's buffer: too small, in use, not told, never read.
  CHECK(
      verdict(program, [](auto& p) { p.groups[0].buffers[2].size = model::Bytes(15); }) ==
      "undeclared: core 0 load[0] writes bytes [0, 16) of the scratchpad of core 1, outside every live_out region and "
      "buffer of the group");
  CHECK(verdict(program, [](auto& p) { drop_edge(at(p, Queue::load, 1), at(p, Queue::vector, 0, 1), 2); }) ==
        "unordered_access: core 0 load[1] writes bytes [0, 16) of the scratchpad of core 1 while core 1 vector[0] "
        "may still read them: neither queue order nor semaphores order the two");
  CHECK(verdict(program, [](auto& p) {
          drop_edge(at(p, Queue::vector, 0, 1), at(p, Queue::load, 0), 0);
        }).starts_with("deadlock: "));
  CHECK(
      verdict(program, [&](auto& p) { multicast(p).clear(); }) ==
      "unwritten_read: core 1 vector[0] reads bytes [0, 16) of the scratchpad of core 1, which nothing ordered before "
      "it has written");
}

TEST_CASE("program verifier: shapes of operands") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).input.axes[0].coefficient.pop_back(); }) ==
        "structure: core 0 array[0]: input has 2 coefficients for 3 loops");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).loops[0].extent = 5; }) ==
        "structure: core 0 array[0]: the loops leave the box of the output (coordinates 0 to 4, count 4, step 1)");
  CHECK(verdict(program, [](auto& p) {
          pass(at(p, Queue::array, 0)).output.axes[1].coefficient = {0, 0, 0};
        }) == "structure: core 0 array[0]: loop 1 writes the same output elements again and again");
  CHECK(verdict(program, [](auto& p) {
          pass(at(p, Queue::array, 0)).output.axes[1].coefficient = {0, 0, 1};
        }) == "structure: core 0 array[0]: loop 1 writes the same output elements again and again");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).output.axes[1].stride = 4; }) ==
        "structure: core 0 array[0]: two results go to one output element");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).loops[0].kind = model::DimKind::row; }) ==
        "structure: core 0 array[0] has a loop of a kind that its engine does not know");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).input.axes[0].coefficient[1] = 1; }) ==
        "structure: core 0 array[0]: loop 1 is of kind n, but moves the input");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 1)).weight.axes[1].coefficient[0] = 1; }) ==
        "structure: core 0 array[1]: loop 0 is of kind m, but moves the weight");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).loops[0].kind = model::DimKind::group; }) ==
        "structure: core 0 array[0]: loop 0 is of kind group, but does not move the weight");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).weight.axes[1].count = 3; }) ==
        "structure: core 0 array[0]: the loops leave the box of the weight (coordinates 0 to 3, count 3, step 1)");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).output.type = model::DataType::fp32; }) ==
        "structure: core 0 array[0]: output is fp32, the accumulator holds int32");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).kind = model::VectorKind::move; }) ==
        "queue: core 0 vector[2]: source 0 lies in the accumulator of core 0, must be in the scratchpad of its own "
        "core");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).loops[0].kind = model::DimKind::row; }) ==
        "structure: core 0 vector[2] (requantize) has a loop of kind row, but no rows");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).divisor = 9; }) ==
        "structure: core 0 vector[2] (requantize) has a divisor");
  CHECK(verdict(program, [](auto& p) { vector(at(p, Queue::vector, 2)).kind = model::VectorKind::activate; }) ==
        "structure: core 0 vector[2] (activate) has no activation");
  CHECK(verdict(program, [](auto& p) {
          copy(at(p, Queue::load, 1)).gather = model::Copy::Gather{scratchpad(0, 0), 0, 4, 1};
        }) == "structure: core 0 load[1] gathers from a table whose rows all lie at one place");
  CHECK(verdict(program, [](auto& p) {
          pass(at(p, Queue::array, 0)).input.axes = {axis(40, 2, {1, 0, 0}), axis(40, 3, {0, 0, 1})};
        }) == "structure: core 0 array[0]: input visits its bytes again and again");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).output.place.address = 2; }) ==
        "alignment: core 0 array[0]: output at address 2 is not aligned to its 4-byte elements");
  CHECK(verdict(program, [](auto& p) {
          copy(at(p, Queue::load, 1)).extent = {1, 1, 0, 32};
        }) == "structure: core 0 load[1] has an extent below 1 or too many bytes");
  CHECK(verdict(program, [](auto& p) {
          copy(at(p, Queue::load, 1)).extent = {1, 1, 2, 16};
        }) == "structure: core 0 load[1] writes some bytes of its destination twice");
  CHECK(verdict(program,
                [](auto& p) {
                  copy(at(p, Queue::load, 1)).extent = {1, 1, 2, 16};
                  copy(at(p, Queue::load, 1)).dst.stride[2] = -16;
                }) ==
        "out_of_bounds: core 0 load[1]: destination has a negative or huge address or stride in the scratchpad of core "
        "0");
}

TEST_CASE("program verifier: an element has one writer") {
  // The third tile as int16; its load ends in the middle of the last element, behind which the first tile still lies.
  CHECK(verdict(pipeline_program(),
                [](auto& p) {
                  for (const std::size_t i : {4, 5}) {
                    model::TileRef& input = pass(at(p, Queue::array, i)).input;
                    input = {input.place, model::DataType::int16, {axis(4, 4, {1, 0, 0}), axis(2, 1, {0, 0, 1})}};
                  }
                  copy(at(p, Queue::load, 3)).extent[3] = 31;
                }) ==
        "torn_read: core 0 array[5] reads bytes [30, 32) of the scratchpad of core 0 as one element, only a part of "
        "which core 0 load[1] wrote");
}

TEST_CASE("program verifier: what a group leaves on the chip is read before it is overwritten") {
  CHECK(verdict(global_buffer_program(),
                [](auto& p) {
                  p.groups.insert(p.groups.begin(), p.groups[0]);
                  for (int g = 0; g < 3; ++g) p.groups[static_cast<std::size_t>(g)].group = model::GroupId(g);
                  p.header.groups = 3;
                }) ==
        "overwrite_unread: the group writes to region \"row 0\" that group 0 left in the global buffer and nobody "
        "has read");
  CHECK(verdict(global_buffer_program(), [](auto& p) {
          p.groups.pop_back();
          p.header.groups = 1;
          p.header.dram.pop_back();
        }) == "never_read: region \"row 0\" that the group leaves in the global buffer is read by no later group");
}

TEST_CASE("program verifier: constants are tensors in the DRAM") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { p.header.constant[0].size = model::Bytes(64); }) ==
        "structure: constant region \"x\" is none of the dram regions");
  CHECK(verdict(program, [](auto& p) { p.header.constant[0].name = "y"; }) ==
        "structure: constant region \"y\" is none of the dram regions");
  CHECK(verdict(program, [](auto& p) { p.header.constant.push_back(p.header.constant[1]); }) ==
        "structure: constant region \"w\" stands there twice");
}

TEST_CASE("program verifier: every tensor in the DRAM is written") {
  CHECK(verdict(prefetch_program(), [](auto& p) {
          p.groups.pop_back();
          p.header.groups = 1;
        }) == "live_out: dram region \"z\" is written by no group");
}

TEST_CASE("program verifier: addresses") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 1)).dst.place.address = 4090; }) ==
        "out_of_bounds: core 0 load[1] writes bytes [4090, 4122) of the scratchpad of core 0, which has 4096");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 1)).dst.place.address = 1000; }) ==
        "undeclared: core 0 load[1] writes bytes [1000, 1032) of the scratchpad of core 0, outside every live_out "
        "region and "
        "buffer of the group");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 1)).src.place.address = 100; }) ==
        "undeclared: core 0 load[1] reads bytes [100, 132) of the DRAM, outside every live_in region, live_out region "
        "and "
        "buffer of the group");
  CHECK(verdict(program, [](auto& p) { p.groups[0].buffers[0].size = model::Bytes(5000); }) ==
        "out_of_bounds: buffer region \"input tile 0\" is bytes [0, 5000) of the scratchpad of core 0, which has 4096");
  CHECK(verdict(program, [](auto& p) { p.groups[0].live_out[0].size = model::Bytes(65); }) ==
        "undeclared: live_out region \"output\" is not part of a dram region of the header");
  CHECK(verdict(program, [](auto& p) { p.header.dram[2].place.address = 100; }) ==
        "structure: dram region \"y\" overlaps another one");
  CHECK(verdict(program, [](auto& p) { p.groups[0].live_out[0] = region("x", dram(0), 64); }) ==
        "live_out: live_out region \"x\" overlaps \"x\", which holds a network input or weights");
}

TEST_CASE("program verifier: semaphores and deadlock") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { at(p, Queue::array, 0).waits[0].semaphore = 9; }) ==
        "semaphore: core 0 array[0] waits for semaphore 9 of core 0, which has 7");
  CHECK(verdict(program, [](auto& p) { p.groups[0].cores[0].semaphores = 100000; }) ==
        "semaphore: core 0 has 100000 semaphores, must have 0 to 65536");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::load, 0).signals[0].core = model::CoreId(1); }) ==
        "semaphore: core 0 load[0] signals semaphore 2 of core 1, which takes no part in the group");
  CHECK(verdict(program, [](auto& p) {
          at(p, Queue::store, 0).waits.push_back({kSumFull, 1});
        }) == "semaphore: core 0 store[0] waits for semaphore 3 of core 0, for which the vector queue waits already");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::load, 0).signals[0].count = 2; }) ==
        "semaphore: semaphore 2 of core 0 is 1 at the end of the group, must be 0");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::array, 0).waits[0].count = 0; }) ==
        "semaphore: core 0 array[0] waits for semaphore 0 of core 0 with count 0");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::load, 0).signals.clear(); }) ==
        "deadlock: core 0 load[3] waits for semaphore 1 of core 0 (has 0, needs 1), which core 0 array[1] would signal "
        "after "
        "core 0 array[0]; core 0 array[0] waits for semaphore 2 of core 0 (has 0, needs 1), which nobody signals any "
        "more");
  CHECK(verdict(program,
                [](auto& p) {
                  at(p, Queue::load, 1).waits = {{kInputFree, 1}};
                }) ==
        "deadlock: core 0 load[1] waits for semaphore 1 of core 0 (has 0, needs 1), which core 0 array[1] would signal "
        "after "
        "core 0 array[0]; core 0 array[0] waits for semaphore 0 of core 0 (has 0, needs 1), which core 0 load[1] would "
        "signal");
  CHECK(verdict(exchange_program(),
                [](auto& p) {
                  at(p, Queue::store, 0).waits.push_back({1, 1});
                }) ==
        "deadlock: core 0 load[1] waits for semaphore 2 of core 0 (has 0, needs 1), which core 0 store[0] would "
        "signal; core 0 "
        "store[0] waits for semaphore 1 of core 0 (has 0, needs 1), which core 1 vector[0] would signal; core 1 "
        "vector[0] waits "
        "for semaphore 0 of core 1 (has 0, needs 1), which core 0 store[0] would signal");
}

TEST_CASE("program verifier: accesses that nothing orders") {
  const model::Program program = pipeline_program();
  const std::string why = ": neither queue order nor semaphores order the two";
  CHECK(verdict(program, [](auto& p) { drop_edge(at(p, Queue::load, 3), at(p, Queue::array, 1), kInputFree); }) ==
        "unordered_access: core 0 load[3] writes bytes [0, 32) of the scratchpad of core 0 while core 0 load[1] may "
        "still "
        "write them" +
            why);
  CHECK(verdict(program, [](auto& p) { drop_edge(at(p, Queue::array, 2), at(p, Queue::load, 2), kInputFull); }) ==
        "unordered_access: core 0 array[2] reads bytes [32, 36) of the scratchpad of core 0 while core 0 load[2] may "
        "still "
        "write them" +
            why);
  CHECK(verdict(program, [](auto& p) { drop_edge(at(p, Queue::array, 4), at(p, Queue::vector, 0), kSumFree); }) ==
        "unordered_access: core 0 array[4] writes bytes [0, 64) of the accumulator of core 0 while core 0 vector[0] "
        "may still "
        "read them" +
            why);
  CHECK(
      verdict(exchange_program(), [](auto& p) { drop_edge(at(p, Queue::store, 1), at(p, Queue::vector, 0, 1), 1); }) ==
      "unordered_access: core 0 store[1] writes bytes [64, 80) of the scratchpad of core 1 while core 1 vector[0] may "
      "still "
      "read them" +
          why);
}

TEST_CASE("program verifier: what is written and read") {
  const model::Program program = pipeline_program();
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 0)).accumulate = true; }) ==
        "unwritten_read: core 0 array[0] reads bytes [0, 64) of the accumulator of core 0, which nothing ordered "
        "before it has "
        "written");
  CHECK(verdict(program, [](auto& p) { pass(at(p, Queue::array, 1)).accumulate = false; }) ==
        "overwrite_unread: core 0 array[1] writes bytes [0, 64) of the accumulator of core 0, which core 0 array[0] "
        "wrote and "
        "nobody has read");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::load, 0)).extent[3] = 31; }) ==
        "unwritten_read: core 0 array[1] reads bytes [95, 96) of the scratchpad of core 0, which nothing ordered "
        "before it has "
        "written");
  CHECK(verdict(program, [](auto& p) { p.header.constant.pop_back(); }) ==
        "live_in: live_in region \"weight\", bytes [4096, 4128) of the DRAM: byte 4096 is written by no earlier group");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::store, 3)).dst.place.address -= 1; }) ==
        "written_twice: core 0 store[3] writes bytes [8239, 8255) of the DRAM, parts of which the group has written "
        "already");
  CHECK(verdict(program, [](auto& p) { copy(at(p, Queue::store, 3)).extent[3] -= 1; }) ==
        "live_out: live_out region \"output\", bytes [8192, 8256) of the DRAM: byte 8255 is never written");
  CHECK(verdict(program,
                [](auto& p) {
                  p.groups.push_back(p.groups[0]);
                  p.groups[1].group = model::GroupId(1);
                  p.header.groups = 2;
                }) ==
        "written_twice: live_out region \"output\", bytes [8192, 8256) of the DRAM: byte 8192 has been written by an "
        "earlier group");
  CHECK(verdict(global_buffer_program(), [](auto& p) { p.groups[1].live_in[3].place.address += 64; }) ==
        "live_in: live_in region \"row 3\", bytes [512, 528) of the global buffer: byte 512 is written by no earlier "
        "group");
  CHECK(verdict(global_buffer_program(), [](auto& p) { p.groups[0].live_out.pop_back(); }) ==
        "never_read: core 0 store[0] writes bytes [448, 464) of the global buffer, which nobody reads");
  CHECK(verdict(program, [](auto& p) { p.header.groups = 3; }) ==
        "structure: the program has 1 groups, its header says 3");
  CHECK(verdict(prefetch_program(), [](auto& p) { p.groups[1].group = model::GroupId(0); }) ==
        "structure: group 0 follows group 0, must have a larger number");
}

TEST_CASE("program verifier: prefetch") {
  const model::Program program = prefetch_program();
  CHECK(verdict(program, [](auto& p) { at(p, Queue::store, 0).prefetch = true; }) ==
        "prefetch: core 0 store[0] is marked prefetch; only load instructions can be");
  CHECK(verdict(program, [](auto& p) { at(p, Queue::load, 1, 0, 1).prefetch = true; }) ==
        "prefetch: core 0 load[1] is a prefetch that reads bytes [8192, 8224) of the DRAM, which is no network input "
        "or weight");
  CHECK(verdict(program, [](auto& p) { p.groups[1].prefetch.clear(); }) ==
        "prefetch: core 0 load[0] is a prefetch that writes bytes [1088, 1120) of the scratchpad of core 0, outside "
        "every "
        "prefetch region of the group");
  CHECK(verdict(program, [](auto& p) { p.groups[1].prefetch[0].place.address += 4; }) ==
        "prefetch: prefetch region \"weights\" is not part of a buffer of the group");
  CHECK(verdict(program,
                [](auto& p) {
                  p.groups[1] = pipeline_group({.group = 1,
                                                .tiles = 2,
                                                .input = 8192,
                                                .weight = 12288,
                                                .output = 16384,
                                                .base = 32,
                                                .prefetch_weight = true});
                }) ==
        "prefetch: prefetch region \"weights\", bytes [96, 128) of the scratchpad of core 0: the group before uses "
        "byte 96");
}

TEST_CASE("program JSON: errors name file, path, found and allowed") {
  CHECK(parse_error([](auto& j) { j["schema"] = "accsim-program/2"; }) ==
        "p.json: schema: expected \"accsim-program/1\", found \"accsim-program/2\"");
  CHECK(parse_error([](auto& j) { j["grups"] = 1; }) ==
        "p.json: unknown key \"grups\"; allowed: schema, arch, net, dram, constant, groups; did you mean \"groups\"?");
  CHECK(parse_error([](auto& j) { j.erase("net"); }) == "p.json: missing key \"net\"");
  CHECK(parse_error([](auto& j) { j["groups"][0]["cores"][0]["load"][1]["copy"]["extent"][2] = 0; }) ==
        "p.json: groups[0].cores[0].load[1].copy.extent[2]: expected an integer from 1 to 1099511627776, found 0");
  CHECK(parse_error([](auto& j) { j["groups"][0]["cores"][0]["load"][1]["copy"]["extent"].erase(0); }) ==
        "p.json: groups[0].cores[0].load[1].copy.extent: expected a list of 4 integers, found a list of 3");
  CHECK(parse_error([](auto& j) { j["groups"][0]["cores"][0]["array"][0]["array_pass"]["input"]["type"] = "int9"; }) ==
        "p.json: groups[0].cores[0].array[0].array_pass.input.type: expected one of \"int4\", \"int8\", \"int16\", "
        "\"int32\", "
        "\"int64\", \"fp16\", \"bf16\", \"fp32\", found \"int9\"; did you mean \"int4\"?");
  CHECK(parse_error([](auto& j) { j["groups"][0]["cores"][0]["store"][0].erase("copy"); }) ==
        "p.json: groups[0].cores[0].store[0]: expected exactly one of \"copy\", \"array_pass\", \"vector\", found 0");
  CHECK(parse_error([](auto& j) { j["dram"][0]["place"]["core"] = 0; }) ==
        "p.json: dram[0].place.core: only a scratchpad or an accumulator belongs to a core");
  CHECK(parse_error([](auto& j) { j["groups"] = "none"; }) == "p.json: groups: expected a list, found \"none\"");
  CHECK(parse_error([](auto& j) { j["groups"][0]["buffers"][0]["size_bytes"] = -1; }) ==
        "p.json: groups[0].buffers[0].size_bytes: expected an integer from 0 to 281474976710656, found -1");
}
