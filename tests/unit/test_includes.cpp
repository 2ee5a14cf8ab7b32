// The direction of dependencies between the folders, read from the #include lines: model <- sched, model <- sim, and
// app above all three. SystemC appears below sim/ only. Every header has #pragma once and starts with a comment.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = ACCSIM_SOURCE_DIR;
const std::vector<std::string> kFolders{"model", "sched", "sim", "app", "tests"};

// Which folders a file of the key's folder may include from.
const std::map<std::string, std::set<std::string>> kAllowed{
    {"model", {"model"}},
    {"sched", {"sched", "model"}},
    {"sim", {"sim", "model"}},
    {"app", {"app", "sched", "sim", "model"}},
    {"tests", {"tests", "app", "sched", "sim", "model"}},
};

std::vector<fs::path> sources_of(const std::string& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(kRoot / folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp" || extension == ".in")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Include {
  std::string name;
  bool quoted;
};

std::vector<Include> includes_of(std::istream& in) {
  static const std::regex kPattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (std::regex_search(line, match, kPattern)) found.push_back({match[2].str(), match[1].str() == "\""});
  }
  return found;
}

bool is_systemc(const std::string& name) {
  return name == "systemc" || name == "systemc.h" || name.rfind("sysc/", 0) == 0 || name.rfind("tlm", 0) == 0;
}

// What is wrong with the includes of one file of `folder`, a line each.
std::vector<std::string> violations(const std::string& folder, const std::string& file, std::istream& in) {
  std::vector<std::string> found;
  for (const Include& include : includes_of(in)) {
    const std::string top = include.name.substr(0, include.name.find('/'));
    const bool ours = std::find(kFolders.begin(), kFolders.end(), top) != kFolders.end() && top != include.name;
    if (is_systemc(include.name) && folder != "sim") found.push_back(file + " includes SystemC (" + include.name + ")");
    if (ours && !include.quoted) found.push_back(file + " includes <" + include.name + ">, expected quotes");
    if (ours && !kAllowed.at(folder).contains(top)) found.push_back(file + " includes " + include.name);
    if (include.quoted && !ours) {
      found.push_back(file + " includes \"" + include.name + "\", expected the path from the root");
    }
    if (ours && !fs::exists(kRoot / include.name)) found.push_back(file + " includes missing " + include.name);
  }
  return found;
}

std::vector<std::string> violations_in(const std::string& folder, const std::string& text) {
  std::istringstream in(text);
  return violations(folder, "file", in);
}

}  // namespace

TEST_CASE("includes follow the direction of dependencies") {
  std::vector<std::string> found;
  for (const std::string& folder : kFolders) {
    for (const fs::path& file : sources_of(folder)) {
      std::ifstream in(file);
      const auto wrong = violations(folder, fs::relative(file, kRoot).string(), in);
      found.insert(found.end(), wrong.begin(), wrong.end());
    }
  }
  CHECK(found == std::vector<std::string>{});
}

TEST_CASE("the include check sees every kind of violation") {
  using Lines = std::vector<std::string>;
  CHECK(violations_in("model", "#include \"model/base/units.h\"\n#include <vector>\n").empty());
  CHECK(violations_in("model", "  #  include \"model/config/json.h\" // why\n").empty());
  CHECK(violations_in("sim", "#include <systemc>\n").empty());
  CHECK(violations_in("sched", "#include <systemc>\n") == Lines{"file includes SystemC (systemc)"});
  CHECK(violations_in("model", "#include <sysc/kernel/sc_time.h>\n") ==
        Lines{"file includes SystemC (sysc/kernel/sc_time.h)"});
  CHECK(violations_in("model", "#include \"app/command.h\"\n") == Lines{"file includes app/command.h"});
  CHECK(violations_in("model", "#include <model/base/units.h>\n") ==
        Lines{"file includes <model/base/units.h>, expected quotes"});
  CHECK(violations_in("model", "#include \"units.h\"\n") ==
        Lines{"file includes \"units.h\", expected the path from the root"});
  CHECK(violations_in("model", "#include \"model/no/such.h\"\n") == Lines{"file includes missing model/no/such.h"});
  CHECK(violations_in("sched", "#include \"sim/no/such.h\"\n") ==
        Lines{"file includes sim/no/such.h", "file includes missing sim/no/such.h"});
}

TEST_CASE("every header starts with a comment and has a pragma once") {
  std::vector<std::string> found;
  for (const std::string& folder : kFolders) {
    for (const fs::path& file : sources_of(folder)) {
      if (file.extension() != ".h") continue;
      std::ifstream in(file);
      std::string line;
      std::getline(in, line);
      const std::string name = fs::relative(file, kRoot).string();
      if (line.rfind("//", 0) != 0) found.push_back(name + " does not start with a comment");
      bool guarded = false;
      while (std::getline(in, line)) guarded = guarded || line == "#pragma once";
      if (!guarded) found.push_back(name + " has no #pragma once");
    }
  }
  CHECK(found == std::vector<std::string>{});
}
