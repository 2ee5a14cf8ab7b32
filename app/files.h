// The files that a command names: found before minutes of work whether what it writes can be written, and whether that
// would destroy something: a file that it reads, or another one that it writes.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "app/command.h"

namespace accsim::app {

struct NamedFile {
  std::string option;          // "--csv"
  std::filesystem::path file;  // empty: not given
};

// --out and --store are taken from the context: `outputs` and `inputs` are the command's own. ConfigError where an
// output is a folder, its folder does not exist or may not be written to, or it is also an input, another output or the
// store. A device or pipe may be named twice.
void check_files(const CommandContext& context, const std::vector<NamedFile>& inputs,
                 std::vector<NamedFile> outputs = {});

}  // namespace accsim::app
