// Digests and the store of measurements.
#include <filesystem>
#include <fstream>

#include "app/digest.h"
#include "app/store.h"
#include "tests/catch.h"
#include "tests/run_program.h"

using accsim::app::Store;
using namespace accsim::model;

namespace {

Measurement some_measurement() {
  Measurement measurement;
  measurement.cycles = Cycles(123);
  measurement.latency_ns = 123.5;
  measurement.energy[EnergyBlock::dram] = Femtojoules(1234567890123);
  GroupMeasurement group;
  group.layers = {"a", "b"};
  group.cycles = Cycles(123);
  measurement.groups.push_back(group);
  measurement.bursts = 9;
  return measurement;
}

}  // namespace

TEST_CASE("the digest is 128-bit FNV-1a") {
  // Offset basis, and "a", as published with the function.
  CHECK(accsim::app::digest("") == "6c62272e07bb014262b821756295c58d");
  CHECK(accsim::app::digest("a") == "d228cb696f1a8caf78912b704e4a8964");
  CHECK(accsim::app::build_identity() == accsim::app::build_identity());
}

TEST_CASE("a store gives back what it was given, in a later life too") {
  const accsim::tests::TemporaryFolder folder;
  const std::string file = (folder / "deep/er/store.sqlite").string();
  {
    Store store(file, nullptr);
    CHECK_FALSE(store.find("k"));
    store.insert("k", "arch", "net", some_measurement());
    CHECK(store.find("k"));
  }
  Store store(file, nullptr);
  const auto found = store.find("k");
  REQUIRE(found);
  CHECK(to_json(*found) == to_json(some_measurement()));
  CHECK_FALSE(store.find("other"));
}

TEST_CASE("a store that is off makes no file") {
  const accsim::tests::TemporaryFolder folder;
  Store store("off", nullptr);
  store.insert("k", "arch", "net", some_measurement());
  CHECK_FALSE(store.find("k"));
  CHECK_FALSE(std::filesystem::exists("off"));
}

TEST_CASE("a file that is no store is left alone") {
  const accsim::tests::TemporaryFolder folder;
  const std::string file = (folder / "store.sqlite").string();
  std::ofstream(file) << "something else altogether, and long enough for a header";
  const std::string before = accsim::tests::content_of(file);
  Store store(file, nullptr);
  store.insert("k", "arch", "net", some_measurement());
  CHECK_FALSE(store.find("k"));
  CHECK(accsim::tests::content_of(file) == before);
}

TEST_CASE("another program's database is left alone") {
  const accsim::tests::TemporaryFolder folder;
  const std::string file = (folder / "other.sqlite").string();
  { SQLite::Database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE theirs (x)"); }
  Store store(file, nullptr);
  store.insert("k", "arch", "net", some_measurement());
  CHECK_FALSE(store.find("k"));
  CHECK(SQLite::Database(file).execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 1);
}
