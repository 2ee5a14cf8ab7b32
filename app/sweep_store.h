// The file sweep.sqlite of a sweep: one row a point, written in a transaction of its own as soon as the point is done,
// so that a sweep can be killed at any time. The file names the space, the seed and the build it belongs to; another
// one is refused.
#pragma once
#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/config/json.h"

namespace accsim::app {

struct SweepRow {
  std::int64_t number = 0;
  std::string key;   // digest of the point
  model::Json axes;  // one value an axis
  std::string net;
  std::string strategy;
  std::string status;  // "done", "failed", "infeasible"
  std::string reason;  // empty where done
  std::int64_t cycles = 0;
  double latency_ns = 0;
  double energy_pj = 0;
  double edp_pj_ns = 0;
  double area_mm2 = 0;
  double seconds = 0;  // CPU
  model::Json result;  // accsim-result/1 without "host"; null where there is none
};

class SweepStore {
 public:
  // What a sweep folder belongs to.
  struct Identity {
    std::string space;  // digest
    std::string build;
    std::uint64_t seed = 1;
    std::int64_t points = 0;
    std::vector<std::string> pointers;  // of the axes
  };

  // Opens or makes folder/sweep.sqlite for this sweep, and keeps other sweeps out of the folder while it lives.
  SweepStore(const std::filesystem::path& folder, const Identity& identity);
  // Opens an existing one to look at it.
  explicit SweepStore(const std::filesystem::path& folder);
  ~SweepStore();
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;

  [[nodiscard]] const Identity& identity() const { return identity_; }
  void write(const SweepRow& row);
  // By point number, without the result objects.
  std::vector<SweepRow> rows();

 private:
  void lock(const std::filesystem::path& folder);
  void read_identity();

  std::string file_;
  std::optional<SQLite::Database> database_;
  Identity identity_;
  int lock_ = -1;
};

}  // namespace accsim::app
