// The store of measurements (SQLite): what was simulated once is not simulated again, in later runs too.
// A row is keyed by the digests of the resolved architecture, of the network with the schedule, of the seed and of the
// build of the program. The file is opened (and made) at the first use. A store that cannot be used costs a warning,
// never a result: whatever goes wrong, the run goes on as without one. Leaves out: removing old rows (delete the file).
#pragma once
#include <SQLiteCpp/Database.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>

#include "model/result/result.h"

namespace accsim::app {

class Store {
 public:
  // `file`: path, or "off".
  Store(std::string file, std::shared_ptr<spdlog::logger> log);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::optional<model::Measurement> find(const std::string& key);
  void insert(const std::string& key, const std::string& arch, const std::string& net,
              const model::Measurement& measurement);

  // Texts of another kind ("characterization"), by keys of their own.
  std::optional<std::string> find_text(const std::string& kind, const std::string& key);
  void insert_text(const std::string& kind, const std::string& key, const std::string& text);

 private:
  // Opens on the first call; false where the store is off or was given up.
  bool ready();
  void give_up(const std::string& reason);

  std::string file_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SQLite::Database> database_;
  bool enabled_;
};

}  // namespace accsim::app
