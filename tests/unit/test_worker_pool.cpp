// The pool of worker processes, with shell scripts in the workers' place.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "app/worker_pool.h"
#include "model/base/error.h"
#include "tests/catch.h"
#include "tests/run_program.h"

using accsim::app::WorkerPool;
using accsim::model::Json;

namespace {

// A worker that echoes its context and job, and dies in jobs that say so.
std::string write_script(const accsim::tests::TemporaryFolder& folder) {
  const std::filesystem::path file = folder / "worker";
  std::ofstream(file) << "#!/bin/sh\n"
                         "read -r context\n"
                         "while read -r job; do\n"
                         "  case $job in\n"
                         "    *die*) kill -9 $$ ;;\n"
                         "    *leave*) exit 3 ;;\n"
                         "    *refuse*) echo '{\"error\": {\"kind\": \"config\", \"message\": \"no\"}}' >&0 ;;\n"
                         "    *babble*) echo 'not JSON' >&0 ;;\n"
                         "    *) echo \"{\\\"reply\\\": [$context, $job]}\" >&0 ;;\n"
                         "  esac\n"
                         "done\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  return file.string();
}

std::map<std::size_t, Json> run(int workers, const std::vector<std::string>& jobs) {
  const accsim::tests::TemporaryFolder folder;
  WorkerPool pool(workers, Json{{"context", 7}}, write_script(folder));
  std::map<std::size_t, Json> replies;
  pool.run(
      jobs.size(),
      [&](std::size_t i) {
        return Json{{"job", jobs[i]}};
      },
      [&](std::size_t i, const Json& reply) { replies[i] = reply; });
  return replies;
}

}  // namespace

TEST_CASE("every job is answered once by a worker that has the context") {
  for (const int workers : {1, 2, 5}) {
    std::vector<std::string> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(std::to_string(i));
    const auto replies = run(workers, jobs);
    REQUIRE(replies.size() == jobs.size());
    for (const auto& [i, reply] : replies) {
      CHECK(reply["reply"][0]["context"] == 7);
      CHECK(reply["reply"][1]["job"] == jobs[i]);
    }
  }
}

TEST_CASE("a worker that dies costs its job alone") {
  for (const int workers : {1, 2}) {
    const auto replies = run(workers, {"a", "die", "b", "leave", "c", "babble", "d"});
    REQUIRE(replies.size() == 7);
    CHECK(replies.at(1)["error"]["kind"] == "crash");
    CHECK(replies.at(1)["error"]["message"] == "the worker process ended by signal 9");
    CHECK(replies.at(3)["error"]["message"] == "the worker process ended with exit code 3");
    CHECK(replies.at(5)["error"]["kind"] == "crash");
    for (const std::size_t i : {0U, 2U, 4U, 6U}) CHECK(replies.at(i).contains("reply"));
  }
}

TEST_CASE("a program that cannot be started is the user's problem, named") {
  WorkerPool pool(1, Json::object(), "/no/such/program");
  const auto start = [&] {
    pool.run(
        1, [](std::size_t) { return Json::object(); }, [](std::size_t, const Json&) {});
  };
  CHECK_THROWS_AS(start(), accsim::model::ConfigError);
}

TEST_CASE("errors keep their kind on the way through a worker") {
  using namespace accsim::model;
  using accsim::app::reply_of;
  using accsim::app::throw_reply_error;
  const Json config = reply_of([]() -> Json { throw ConfigError("c"); });
  const Json infeasible = reply_of([]() -> Json { throw InfeasibleError("i"); });
  const Json internal = reply_of([]() -> Json { throw InternalError("b"); });
  const Json good = reply_of([]() -> Json { return 3; });
  CHECK(good == Json{{"reply", 3}});
  CHECK_THROWS_AS(throw_reply_error(config["error"], ""), ConfigError);
  CHECK_THROWS_AS(throw_reply_error(infeasible["error"], ""), InfeasibleError);
  CHECK_THROWS_WITH(throw_reply_error(internal["error"], "job 1: "), "job 1: b");
}
