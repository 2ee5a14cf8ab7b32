// The readers under hostile text without a fuzzer: every file of the corpus is accepted or refused with a ConfigError,
// and so are files with a few bytes or values changed at random.
#include <algorithm>
#include <filesystem>

#include "model/base/error.h"
#include "model/config/json.h"
#include "tests/catch.h"
#include "tests/support/random_schedule.h"
#include "tests/support/readers.h"

namespace {

namespace fs = std::filesystem;
using accsim::tests::kReaders;
using accsim::tests::Random;
using accsim::tests::Reader;

std::vector<std::string> corpus_of(const Reader& reader) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(ACCSIM_SOURCE_DIR) / "tests/fuzz/corpus" / reader.name))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> texts;
  texts.reserve(files.size());
  for (const fs::path& file : files) texts.push_back(accsim::model::read_text_file(file));
  return texts;
}

// A number or word of the text becomes another.
void mutate(std::string& text, Random& random) {
  static const std::vector<std::string> values{
      "0",    "-1", "1",  "7",    "2147483648", "9223372036854775807", "1e300", "0.5", "null",
      "true", "[]", "{}", "\"\"", "\"x\"",      "-9223372036854775808"};
  const auto at = [&] { return static_cast<std::size_t>(random.range(0, static_cast<std::int64_t>(text.size()) - 1)); };
  const std::size_t begin = text.find_first_of("0123456789\"", at());
  if (random.chance(70) && begin != std::string::npos) {
    std::size_t end = begin + 1;
    if (text[begin] == '"') {
      end = std::min(text.size(), text.find('"', end)) + (text.find('"', end) == std::string::npos ? 0 : 1);
    } else {
      end = std::min(text.size(), text.find_first_not_of("0123456789", end));
    }
    text.replace(begin, end - begin, values[static_cast<std::size_t>(random.range(0, 14))]);
  } else {
    text[at()] = static_cast<char>(random.range(0, 127));
  }
}

}  // namespace

TEST_CASE("readers accept or refuse what stands in the fuzz corpus, and what is near it", "[fuzz]") {
  for (const Reader& reader : kReaders) {
    CAPTURE(reader.name);
    const std::vector<std::string> texts = corpus_of(reader);
    int accepted = 0;
    for (const std::string& text : texts) accepted += reader.accepts(text) ? 1 : 0;
    CHECK(accepted >= 1);
    Random random(7);
    for (int i = 0; i < 400; ++i) {
      std::string text = texts[static_cast<std::size_t>(i) % texts.size()];
      for (std::int64_t changes = random.range(1, 3); changes > 0; --changes) mutate(text, random);
      INFO(text);
      CHECK_NOTHROW(reader.accepts(text));
    }
  }
}
