// The documentation holds together: every relative link leads somewhere, every page stands in the index.
#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/run_program.h"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = ACCSIM_SOURCE_DIR;

// README and its like at the top, docs/, and the pages beside test data.
std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  for (const char* folder : {"docs", "tests", "configs", "workloads"}) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.path().extension() == ".md") found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Targets of [text](target), without web addresses and anchors.
std::vector<std::string> relative_links(const std::string& text) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  std::vector<std::string> links;
  for (std::sregex_iterator it(text.begin(), text.end(), kLink), end; it != end; ++it) {
    std::string target = (*it)[1].str();
    target.erase(std::min(target.find('#'), target.size()));
    if (!target.empty() && target.find("://") == std::string::npos) links.push_back(target);
  }
  return links;
}

}  // namespace

TEST_CASE("every relative link of the documentation leads somewhere") {
  std::vector<std::string> broken;
  std::size_t links = 0;
  for (const fs::path& page : pages()) {
    for (const std::string& link : relative_links(accsim::tests::content_of(page))) {
      ++links;
      if (!fs::exists(page.parent_path() / link)) broken.push_back(fs::relative(page, kRoot).string() + ": " + link);
    }
  }
  CHECK(links > 10);
  CHECK(broken == std::vector<std::string>{});
}

TEST_CASE("every page of the documentation stands in its index") {
  const std::vector<std::string> index = relative_links(accsim::tests::content_of(kRoot / "docs" / "README.md"));
  std::vector<std::string> missing;
  for (const auto& entry : fs::directory_iterator(kRoot / "docs")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".md" || name == "README.md") continue;
    if (std::find(index.begin(), index.end(), name) == index.end()) missing.push_back(name);
  }
  CHECK(missing == std::vector<std::string>{});
}
