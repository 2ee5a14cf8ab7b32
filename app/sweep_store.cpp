#include "app/sweep_store.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr int kFormat = 1;
constexpr int kBusyMilliseconds = 10000;
constexpr char kColumns[] =
    "number, key, axes, net, strategy, status, reason, cycles, latency_ns, energy_pj, edp_pj_ns, area_mm2, seconds";

// SQLite's errors as the user's: the file is what is wrong.
template <class Work>
auto guarded(const std::string& file, const Work& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw model::ConfigError(file, "", std::string("cannot be used as the store of a sweep: ") + error.what());
  }
}

}  // namespace

SweepStore::SweepStore(const std::filesystem::path& folder, const Identity& identity)
    : file_((folder / "sweep.sqlite").string()) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    throw model::ConfigError(
        folder.string(), "",
        "cannot be used as the folder of a sweep: " + (error ? error.message() : std::string("it is a file")));
  }
  lock(folder);
  guarded(file_, [&] {
    database_.emplace(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds);
    if (database_->execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0) {
      SQLite::Transaction transaction(*database_);
      database_->exec("CREATE TABLE sweep (space TEXT, build TEXT, seed INTEGER, points INTEGER, pointers TEXT)");
      database_->exec(
          "CREATE TABLE points (number INTEGER PRIMARY KEY, key TEXT UNIQUE, axes TEXT, net TEXT, strategy TEXT,"
          " status TEXT, reason TEXT, cycles INTEGER, latency_ns REAL, energy_pj REAL, edp_pj_ns REAL,"
          " area_mm2 REAL, seconds REAL, result TEXT)");
      SQLite::Statement insert(*database_, "INSERT INTO sweep VALUES (?, ?, ?, ?, ?)");
      int column = 0;
      insert.bind(++column, identity.space);
      insert.bind(++column, identity.build);
      insert.bind(++column, static_cast<std::int64_t>(identity.seed));
      insert.bind(++column, identity.points);
      insert.bind(++column, model::Json(identity.pointers).dump());
      insert.exec();
      database_->exec("PRAGMA user_version = " + std::to_string(kFormat));
      transaction.commit();
    }
    read_identity();
  });
  const auto refuse = [&](const std::string& what) {
    throw model::ConfigError(file_, "", "was made " + what + ": use another folder");
  };
  if (identity_.space != identity.space) refuse("for a different space");
  if (identity_.seed != identity.seed) refuse("with --seed " + std::to_string(identity_.seed));
  if (identity_.build != identity.build)
    refuse("by another build of accsim (" + identity_.build + ", this one is " + identity.build + ")");
}

SweepStore::SweepStore(const std::filesystem::path& folder) : file_((folder / "sweep.sqlite").string()) {
  if (!std::filesystem::exists(file_))
    throw model::ConfigError(file_, "", "does not exist: no sweep was started there");
  guarded(file_, [&] {
    database_.emplace(file_, SQLite::OPEN_READONLY, kBusyMilliseconds);
    read_identity();
  });
}

SweepStore::~SweepStore() {
  if (lock_ >= 0) ::close(lock_);
}

void SweepStore::lock(const std::filesystem::path& folder) {
  const std::string file = (folder / "sweep.lock").string();
  constexpr int kMode = 0644;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (lock_ < 0) throw model::ConfigError(file, "", std::string("cannot be written: ") + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(lock_);
  throw model::ConfigError(folder.string(), "", "another sweep is running in this folder");
}

void SweepStore::read_identity() {
  if (database_->execAndGet("PRAGMA user_version").getInt() != kFormat) {
    throw model::ConfigError(file_, "", "is not the store of a sweep of this version");
  }
  SQLite::Statement query(*database_, "SELECT space, build, seed, points, pointers FROM sweep");
  if (!query.executeStep()) throw model::ConfigError(file_, "", "is not the store of a sweep");
  int column = -1;
  identity_.space = query.getColumn(++column).getString();
  identity_.build = query.getColumn(++column).getString();
  identity_.seed = static_cast<std::uint64_t>(query.getColumn(++column).getInt64());
  identity_.points = query.getColumn(++column).getInt64();
  identity_.pointers = model::parse_json(query.getColumn(++column).getString(), file_).get<std::vector<std::string>>();
}

void SweepStore::write(const SweepRow& row) {
  guarded(file_, [&] {
    SQLite::Transaction transaction(*database_);
    SQLite::Statement statement(*database_, std::string("INSERT OR REPLACE INTO points (") + kColumns +
                                                ", result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int column = 0;
    statement.bind(++column, row.number);
    statement.bind(++column, row.key);
    statement.bind(++column, row.axes.dump());
    statement.bind(++column, row.net);
    statement.bind(++column, row.strategy);
    statement.bind(++column, row.status);
    statement.bind(++column, row.reason);
    statement.bind(++column, row.cycles);
    statement.bind(++column, row.latency_ns);
    statement.bind(++column, row.energy_pj);
    statement.bind(++column, row.edp_pj_ns);
    statement.bind(++column, row.area_mm2);
    statement.bind(++column, row.seconds);
    if (row.result.is_null()) {
      statement.bind(++column);
    } else {
      statement.bind(++column, row.result.dump());
    }
    statement.exec();
    transaction.commit();
  });
}

std::vector<SweepRow> SweepStore::rows() {
  return guarded(file_, [&] {
    std::vector<SweepRow> rows;
    SQLite::Statement query(*database_, std::string("SELECT ") + kColumns + " FROM points ORDER BY number");
    while (query.executeStep()) {
      SweepRow row;
      int column = -1;
      row.number = query.getColumn(++column).getInt64();
      row.key = query.getColumn(++column).getString();
      row.axes = model::parse_json(query.getColumn(++column).getString(), file_);
      row.net = query.getColumn(++column).getString();
      row.strategy = query.getColumn(++column).getString();
      row.status = query.getColumn(++column).getString();
      row.reason = query.getColumn(++column).getString();
      row.cycles = query.getColumn(++column).getInt64();
      row.latency_ns = query.getColumn(++column).getDouble();
      row.energy_pj = query.getColumn(++column).getDouble();
      row.edp_pj_ns = query.getColumn(++column).getDouble();
      row.area_mm2 = query.getColumn(++column).getDouble();
      row.seconds = query.getColumn(++column).getDouble();
      rows.push_back(std::move(row));
    }
    return rows;
  });
}

}  // namespace accsim::app
