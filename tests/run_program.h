// Runs the program as a user does, in a folder of its own that is removed afterwards, and keeps what it wrote to
// stdout and stderr apart. Stdin is empty; nothing is a terminal.
#pragma once
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace accsim::tests {

// A new folder below the system's temporary one, removed at the end of its life.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "accsim-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::size_t entries() const {
    using Iterator = std::filesystem::directory_iterator;
    return static_cast<std::size_t>(std::distance(Iterator(path_), Iterator()));
  }

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Outcome {
  int code = -1;  // 128 + signal where one ended it
  std::string out;
  std::string err;
};

// `folder` is the working directory; stdout and stderr are read back through files beside it.
inline Outcome run_program(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  const TemporaryFolder streams;
  const std::string out_file = (streams / "out").string();
  const std::string err_file = (streams / "err").string();
  std::vector<std::string> words{ACCSIM_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    constexpr int kMode = 0600;
    constexpr int kCannotStart = 127;
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(out_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kMode);
    const int err = ::open(err_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, kMode);
    if (in < 0 || out < 0 || err < 0 || ::chdir(folder.c_str()) != 0) ::_exit(kCannotStart);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(kCannotStart);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) throw std::runtime_error("cannot wait");
  constexpr int kSignalBase = 128;
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  outcome.out = content_of(out_file);
  outcome.err = content_of(err_file);
  return outcome;
}

// In a fresh folder.
inline Outcome run_program(const std::vector<std::string>& arguments) {
  return run_program(TemporaryFolder().path(), arguments);
}

}  // namespace accsim::tests
