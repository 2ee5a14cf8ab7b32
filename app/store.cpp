#include "app/store.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <filesystem>
#include <utility>

#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr int kFormat = 1;  // PRAGMA user_version of the tables below
constexpr int kBusyMilliseconds = 3000;
// In a store from before there were texts as well.
constexpr char kTexts[] =
    "CREATE TABLE IF NOT EXISTS texts (kind TEXT, key TEXT, text TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID";

int format_of(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

// Makes the tables in an empty file; refuses a file that holds something else.
void prepare(SQLite::Database& database) {
  const int format = format_of(database);
  if (format == kFormat) return;
  const int tables = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt();
  if (format != 0 || tables != 0) throw model::ConfigError("it is not a store of this version");
  SQLite::Transaction transaction(database);
  database.exec(
      "CREATE TABLE IF NOT EXISTS measurements (key TEXT PRIMARY KEY, arch TEXT NOT NULL, net TEXT NOT NULL,"
      " cycles INTEGER NOT NULL, energy_fj INTEGER NOT NULL, measurement TEXT NOT NULL) WITHOUT ROWID");
  database.exec("PRAGMA user_version = " + std::to_string(kFormat));
  transaction.commit();
}

}  // namespace

Store::Store(std::string file, std::shared_ptr<spdlog::logger> log)
    : file_(std::move(file)), log_(std::move(log)), enabled_(file_ != "off") {}

Store::~Store() = default;

void Store::give_up(const std::string& reason) {
  enabled_ = false;
  database_.reset();
  if (log_) log_->warn("{}: store of measurements not used: {}", file_, reason);
}

bool Store::ready() {
  if (!enabled_ || database_) return enabled_;
  try {
    const std::filesystem::path path = file_;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    database_ =
        std::make_unique<SQLite::Database>(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds);
    prepare(*database_);
  } catch (const std::exception& error) {
    give_up(error.what());
  }
  return enabled_;
}

std::optional<model::Measurement> Store::find(const std::string& key) {
  if (!ready()) return std::nullopt;
  try {
    SQLite::Statement query(*database_, "SELECT measurement FROM measurements WHERE key = ?");
    query.bind(1, key);
    if (!query.executeStep()) return std::nullopt;
    return model::parse_measurement(model::parse_json(query.getColumn(0).getString(), file_), file_);
  } catch (const std::exception& error) {
    give_up(error.what());
    return std::nullopt;
  }
}

void Store::insert(const std::string& key, const std::string& arch, const std::string& net,
                   const model::Measurement& measurement) {
  if (!ready()) return;
  try {
    SQLite::Statement statement(*database_, "INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?, ?)");
    int column = 0;
    statement.bind(++column, key);
    statement.bind(++column, arch);
    statement.bind(++column, net);
    statement.bind(++column, measurement.cycles.value());
    statement.bind(++column, measurement.energy.total().value());
    statement.bind(++column, model::to_json(measurement).dump());
    statement.exec();
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

std::optional<std::string> Store::find_text(const std::string& kind, const std::string& key) {
  if (!ready()) return std::nullopt;
  try {
    database_->exec(kTexts);
    SQLite::Statement query(*database_, "SELECT text FROM texts WHERE kind = ? AND key = ?");
    query.bind(1, kind);
    query.bind(2, key);
    if (!query.executeStep()) return std::nullopt;
    return query.getColumn(0).getString();
  } catch (const std::exception& error) {
    give_up(error.what());
    return std::nullopt;
  }
}

void Store::insert_text(const std::string& kind, const std::string& key, const std::string& text) {
  if (!ready()) return;
  try {
    database_->exec(kTexts);
    SQLite::Statement statement(*database_, "INSERT OR REPLACE INTO texts VALUES (?, ?, ?)");
    int column = 0;
    statement.bind(++column, kind);
    statement.bind(++column, key);
    statement.bind(++column, text);
    statement.exec();
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

}  // namespace accsim::app
