#include "app/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "model/base/error.h"

namespace accsim::app {
namespace {

namespace fs = std::filesystem;

void check_writable(const fs::path& file) {
  const auto refuse = [&](const std::string& why) {
    throw model::ConfigError(file.string(), "", "cannot be written: " + why);
  };
  std::error_code error;
  if (file == "-") refuse("for standard output give /dev/stdout, with --quiet");
  if (fs::is_directory(file, error)) refuse("it is a folder");
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!fs::is_directory(folder, error)) refuse("no folder " + folder.string());
  const fs::path written = fs::exists(file, error) && !fs::is_regular_file(file, error) ? file : folder;
  if (::access(written.c_str(), W_OK) != 0) refuse(std::strerror(errno));
}

// "" for devices and pipes: what is written there destroys nothing.
std::string place_of(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error) && !fs::is_regular_file(file, error)) return "";
  const fs::path place = fs::weakly_canonical(fs::absolute(file, error), error);
  return error ? file.string() : place.string();
}

}  // namespace

void check_files(const CommandContext& context, const std::vector<NamedFile>& inputs, std::vector<NamedFile> outputs) {
  outputs.push_back({"--out", context.common.out});
  std::map<std::string, std::string> option_of;  // by place
  for (const NamedFile& input : inputs) {
    if (!input.file.empty()) option_of.emplace(place_of(input.file), input.option + " is read from");
  }
  if (context.common.store != "off") option_of.emplace(place_of(context.common.store), "--store keeps measurements in");
  for (const NamedFile& output : outputs) {
    if (output.file.empty()) continue;
    check_writable(output.file);
    const std::string place = place_of(output.file);
    if (place.empty()) continue;
    const auto [other, inserted] = option_of.emplace(place, output.option + " writes");
    if (!inserted) {
      throw model::ConfigError(output.file.string(), "",
                               output.option + " would overwrite it, but " + other->second + " the same file");
    }
  }
}

}  // namespace accsim::app
