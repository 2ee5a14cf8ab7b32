#include "tests/support/readers.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/base/error.h"
#include "model/program/verify.h"
#include "model/schedule/schedule.h"
#include "model/workload/loop_nest.h"
#include "model/workload/onnx_load.h"

namespace accsim::tests {
namespace {

using namespace model;

template <class Read>
bool accepted(std::string_view text, Read read) {
  try {
    read(parse_json(text, "input"));
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

// What was read is the same when it is written and read again.
template <class Parse>
auto read_twice(const Json& json, Parse parse) {
  auto value = parse(json, "input");
  const std::string written = to_json(value).dump();
  if (to_json(parse(parse_json(written, "written"), "written")).dump() != written)
    throw InternalError("what was written reads as something else: " + written);
  return value;
}

const std::filesystem::path& context() {
  static const std::filesystem::path folder = std::filesystem::path(ACCSIM_SOURCE_DIR) / "tests/fuzz/context";
  return folder;
}
const Architecture& architecture() {
  static const Architecture arch = load_architecture(context() / "architecture.json");
  return arch;
}
const Network& network() {
  static const Network network = fuse_activations(load_network(context() / "network.json"));
  return network;
}

void use_network(const Json& json) {
  const Network network = fuse_activations(parse_network(json, "input"));
  static_cast<void>(total_macs(network));
  static_cast<void>(total_parameters(network));
  for (const Operator& op : network.operators)
    if (!is_alias(op.type)) static_cast<void>(loop_nests_of(network, op.id));
}

// A file of its own for each process, gone with it.
class InputFile {
 public:
  InputFile()
      : file_(std::filesystem::temp_directory_path() / ("accsim-input-" + std::to_string(::getpid()) + ".onnx")) {}
  ~InputFile() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  const std::filesystem::path& write(std::string_view bytes) const {
    std::ofstream(file_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file_;
  }

 private:
  std::filesystem::path file_;
};

}  // namespace

bool accepts_architecture(std::string_view text) {
  return accepted(text, [](const Json& json) { read_twice(json, parse_architecture); });
}

bool accepts_network(std::string_view text) {
  return accepted(text, [](const Json& json) { use_network(json); });
}

bool accepts_schedule(std::string_view text) {
  return accepted(text, [](const Json& json) {
    const Schedule schedule = read_twice(json, parse_schedule);
    if (verify_schedule(schedule, network(), architecture())) throw ConfigError("the schedule is refused");
  });
}

bool accepts_program(std::string_view text) {
  return accepted(text, [](const Json& json) {
    StoredProgram source(read_twice(json, parse_program));
    if (verify_program(architecture(), source)) throw ConfigError("the program is refused");
  });
}

bool accepts_onnx(std::string_view text) {
  static const InputFile input;
  try {
    const std::filesystem::path& file = input.write(text);
    use_network(to_json(import_onnx(file, {}, true).spec));
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace accsim::tests
