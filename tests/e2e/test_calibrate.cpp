// The closed loop: what it reports, that it never gets worse, and that its card can be used again.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

TEST_CASE("calibration reports each fit and never makes the result worse") {
  const Workspace folder;
  REQUIRE(folder.run_net("before.json").code == 0);
  const Outcome outcome = folder.run_net("after.json", {"--calibrate", "2", "--calibration-out", "card.json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("Calibration") != std::string::npos);
  const Json before = folder.read("before.json");
  const Json after = folder.read("after.json");
  const Json& entries = after["calibration"];
  REQUIRE(entries.size() >= 2);
  REQUIRE(entries.size() <= 3);
  CHECK(entries[0]["edp_pj_ns"] == before["edp_pj_ns"]);
  CHECK(entries[0]["latency_mape_pct"] == before["calibration"][0]["latency_mape_pct"]);
  CHECK(entries[0]["kendall_tau"].is_null());
  for (std::size_t i = 1; i < entries.size(); ++i) {
    CHECK(entries[i]["iteration"] == i);
    CHECK(entries[i]["edp_pj_ns"].get<double>() <= entries[i - 1]["edp_pj_ns"].get<double>());
    CHECK(entries[i]["latency_mape_after_fit_pct"].get<double>() <=
          entries[i]["latency_mape_before_fit_pct"].get<double>());
    CHECK(entries[i]["energy_mape_after_fit_pct"].get<double>() <=
          entries[i]["energy_mape_before_fit_pct"].get<double>());
    CHECK(entries[i]["regret_pct"].get<double>() >= 0);
    if (entries[i]["candidates"] == 1) {
      CHECK(entries[i]["kendall_tau"].is_null());
      CHECK(entries[i]["decision"] == "repeated");
    }
  }
  CHECK(after["edp_pj_ns"] == entries.back()["edp_pj_ns"]);
  CHECK(after["edp_pj_ns"].get<double>() <= before["edp_pj_ns"].get<double>());
}

TEST_CASE("calibration is deterministic at any number of jobs, and the store shares its measurements") {
  const Workspace folder;
  REQUIRE(folder.run_net("one.json", {"--calibrate", "2", "--jobs", "1"}).code == 0);
  REQUIRE(folder.run_net("two.json", {"--calibrate", "2", "--jobs", "2"}).code == 0);
  CHECK(folder.read_without_host("one.json") == folder.read_without_host("two.json"));
  CHECK(folder.read("two.json")["host"]["simulations"] == 0);
}

TEST_CASE("a card predicts as its fit did, and is refused for another architecture") {
  const Workspace folder;
  REQUIRE(folder.run_net("fit.json", {"--calibrate", "1", "--calibration-out", "card.json"}).code == 0);
  CHECK(folder.read("card.json")["schema"] == "accsim-calibration/1");
  REQUIRE(folder.run_net("used.json", {"--calibration", "card.json"}).code == 0);
  const Json fit = folder.read("fit.json")["calibration"];
  const Json used = folder.read("used.json")["calibration"];
  if (fit[1]["decision"] == "repeated") {
    CHECK(used[0]["latency_mape_pct"] == fit[1]["latency_mape_pct"]);
    CHECK(used[0]["energy_mape_pct"] == fit[1]["energy_mape_pct"]);
  }
  const Outcome other = folder.run({"--arch", shipped("configs/gemmini-like.json"), "--net", "net.json",
                                    "--calibration", "card.json", "--out", "other.json"});
  CHECK(other.code == 2);
  CHECK(other.err.find("card.json") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "other.json"));
}

TEST_CASE("no iterations is off") {
  const Workspace folder;
  REQUIRE(folder.run_net("zero.json", {"--calibrate", "0"}).code == 0);
  REQUIRE(folder.run_net("off.json", {"--calibrate", "off"}).code == 0);
  CHECK(folder.read_without_host("zero.json") == folder.read_without_host("off.json"));
  CHECK(folder.run_net("x.json", {"--calibrate", "-1"}).code == 2);
  CHECK(folder.run_net("x.json", {"--calibrate", "1", "--schedule", "s.json"}).code == 2);
}
