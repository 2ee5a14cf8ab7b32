// A sweep: every point once, the reason where a point has no figures, the same result after kill -9 and at any --jobs.
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/support.h"

using namespace accsim::tests;
using Strings = std::vector<std::string>;

namespace {

Json space_of(const Json& rows, const Json& sizes) {
  return {{"schema", "accsim-sweep/1"},
          {"arch", shipped("configs/gemmini-like.json")},
          {"nets", {"net.json"}},
          {"strategies", {"layerwise"}},
          {"axes",
           {{{"pointer", "/cores/0/array/rows"}, {"values", rows}},
            {{"pointer", "/cores/0/scratchpad/size_kib"}, {"values", sizes}}}}};
}

// Starts the sweep and kills it as soon as its store has a row, or when it ended before.
void start_and_kill(const Workspace& folder, const std::string& out) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    if (::chdir(folder.path().c_str()) != 0) ::_exit(1);
    ::execl(ACCSIM_PROGRAM, "accsim", "sweep", "--space", "space.json", "--out", out.c_str(), "--jobs", "2", nullptr);
    ::_exit(1);
  }
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return;
    const Outcome status_of = folder.run({"sweep", "--out", out, "--status"});
    if (status_of.code == 0 && status_of.out.find(" 0 done") == std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
}

}  // namespace

TEST_CASE("a sweep runs the whole grid and marks the Pareto points") {
  const Workspace folder;
  write_file(folder / "space.json", space_of({8, 16}, {128, 256}).dump());
  const Outcome outcome = folder.run({"sweep", "--space", "space.json", "--out", "sweep", "--jobs", "2"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out.find("4 points: 4 done, 0 infeasible, 0 failed, 0 to do") != std::string::npos);
  const Json result = folder.read("sweep/result.json");
  CHECK(result["schema"] == "accsim-sweep-result/1");
  REQUIRE(result["points"].size() == 4);
  int pareto = 0;
  for (const auto& point : result["points"]) {
    CHECK(point["cycles"].get<std::int64_t>() > 0);
    CHECK(point["area_mm2"].get<double>() > 0);
    pareto += point["pareto"].get<bool>() ? 1 : 0;
  }
  CHECK(pareto >= 1);
  CHECK(result["points"][3]["axes"]["/cores/0/array/rows"] == 16);
  CHECK(result["points"][3]["axes"]["/cores/0/scratchpad/size_kib"] == 256);
  const std::string csv = content_of(folder / "sweep/points.csv");
  CHECK(csv.rfind("point,/cores/0/array/rows,/cores/0/scratchpad/size_kib,net,strategy,status,reason,cycles,", 0) == 0);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 5);

  // A point is what the main job makes of the same architecture.
  Json arch = accsim::model::read_json_file(shipped("configs/gemmini-like.json"));
  arch["cores"][0]["array"]["rows"] = 16;
  arch["cores"][0]["scratchpad"]["size_kib"] = 256;
  write_file(folder / "arch.json", arch.dump());
  REQUIRE(folder.run({"--arch", "arch.json", "--net", "net.json", "--strategy", "layerwise", "--out", "r.json"}).code ==
          0);
  CHECK(folder.read("r.json")["cycles"] == result["points"][3]["cycles"]);
  CHECK(folder.read("r.json")["energy_pj"] == result["points"][3]["energy_pj"]);
}

TEST_CASE("a killed sweep goes on where it was and ends with the same points") {
  const Workspace folder;
  write_file(folder / "space.json", space_of({4, 8, 12, 16, 24, 32}, {64, 96, 128, 192, 256}).dump());
  REQUIRE(folder.run({"sweep", "--space", "space.json", "--out", "whole", "--jobs", "1"}).code == 0);
  start_and_kill(folder, "killed");
  const Outcome status = folder.run({"sweep", "--out", "killed", "--status"});
  CHECK(status.code == 0);
  const Outcome resumed = folder.run({"sweep", "--space", "space.json", "--out", "killed", "--jobs", "2"});
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(content_of(folder / "killed/points.csv") == content_of(folder / "whole/points.csv"));
  CHECK(folder.read("killed/result.json")["host"]["points_run"].get<int>() < 30);
  CHECK(folder.read_without_host("killed/result.json") == folder.read_without_host("whole/result.json"));
  const Outcome again = folder.run({"sweep", "--space", "space.json", "--out", "killed"});
  CHECK(again.code == 0);
  CHECK(folder.read("killed/result.json")["host"]["points_run"] == 0);
}

TEST_CASE("points that are wrong or infeasible are kept with the reason, and the others run") {
  const Workspace folder;
  Json net = Json::parse(kSmallNet);
  net["layers"].push_back({{
                               "name",
                               "wide",
                           },
                           {"op", "Softmax"},
                           {"inputs", {"fc"}},
                           {"axis", -1}});
  write_file(folder / "net.json", net.dump());
  Json space = space_of({0, 16}, {256});
  write_file(folder / "space.json", space.dump());
  const Outcome outcome = folder.run({"sweep", "--space", "space.json", "--out", "sweep"});
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  const Json result = folder.read("sweep/result.json");
  CHECK(result["done"] == 1);
  CHECK(result["failed"] == 1);
  CHECK(result["points"][0]["status"] == "failed");
  CHECK(result["points"][0]["reason"].get<std::string>().find("cores[0].array.rows") != std::string::npos);
}

TEST_CASE("another space or seed in the same folder is refused") {
  const Workspace folder;
  write_file(folder / "space.json", space_of({8}, {256}).dump());
  REQUIRE(folder.run({"sweep", "--space", "space.json", "--out", "sweep"}).code == 0);
  const Outcome seed = folder.run({"sweep", "--space", "space.json", "--out", "sweep", "--seed", "2"});
  CHECK(seed.code == 2);
  CHECK(seed.err == "accsim: error: sweep/sweep.sqlite: was made with --seed 1: use another folder\n");
  write_file(folder / "space.json", space_of({16}, {256}).dump());
  const Outcome other = folder.run({"sweep", "--space", "space.json", "--out", "sweep"});
  CHECK(other.code == 2);
  CHECK(other.err == "accsim: error: sweep/sweep.sqlite: was made for a different space: use another folder\n");
}

TEST_CASE("a wrong space is refused in one line before anything is made") {
  const Workspace folder;
  const auto refused = [&](const Json& space) {
    write_file(folder / "space.json", space.dump());
    const Outcome outcome = folder.run({"sweep", "--space", "space.json", "--out", "sweep"});
    CHECK(outcome.code == 2);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(folder / "sweep"));
    return outcome.err;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  Json space = space_of({8}, {256});
  space["axes"][0]["pointer"] = "/cores/0/array/row";
  CHECK(has(refused(space), "axes[0].pointer: \"/cores/0/array/row\" leads to nothing"));
  space["axes"][0]["pointer"] = "cores";
  CHECK(has(refused(space), "expected a JSON pointer"));
  CHECK(has(refused(space_of({8, 8}, {256})), "axes[0].values[1]: repeats values[0]"));
  CHECK(has(refused(space_of(Json::array(), {256})), "axes[0].values"));
  space = space_of({8}, {256});
  space["strategies"] = {"nothing"};
  CHECK(has(refused(space), "nothing"));
  space = space_of({8}, {256});
  space["axis"] = 1;
  CHECK(has(refused(space), "axis"));
  CHECK(folder.run({"sweep", "--out", "sweep"}).code == 2);
  CHECK(folder.run({"sweep", "--space", "space.json"}).code == 2);
  CHECK(folder.run({"sweep", "--out", "sweep", "--status"}).code == 2);
}
