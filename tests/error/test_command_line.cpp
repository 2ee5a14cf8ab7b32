// A wrong command line: exit code 2, nothing on stdout, one exact line on stderr.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/run_program.h"

namespace {

using accsim::tests::Outcome;
using accsim::tests::run_program;

// The message without its prefix; checks everything else that a user's mistake must look like.
std::string mistake(const std::vector<std::string>& arguments) {
  const Outcome outcome = run_program(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  const std::string prefix = "accsim: error: ";
  REQUIRE(outcome.err.rfind(prefix, 0) == 0);
  return outcome.err.substr(prefix.size(), outcome.err.size() - prefix.size() - 1);
}

}  // namespace

TEST_CASE("no arguments at all are a mistake with a hint") {
  CHECK(mistake({}) == "nothing to do: give --arch FILE and --net FILE, or a command (see accsim --help)");
  CHECK(mistake({"--seed", "3"}) == "nothing to do: give --arch FILE and --net FILE, or a command (see accsim --help)");
}

TEST_CASE("an unknown command names the nearest one") {
  CHECK(mistake({"chekc"}) == "unknown command \"chekc\"; did you mean \"check\"? (see accsim --help)");
  CHECK(mistake({"--seed", "3", "arry"}) == "unknown command \"arry\"; did you mean \"array\"? (see accsim --help)");
  CHECK(mistake({"zzzzzzzzzz"}) == "unknown command \"zzzzzzzzzz\" (see accsim --help)");
}

TEST_CASE("an unknown option names the nearest one, before anything that is missing") {
  CHECK(mistake({"--sed", "3"}) == "unknown option \"--sed\"; did you mean \"--seed\"? (see accsim --help)");
  CHECK(mistake({"--arhc=x.json"}) == "unknown option \"--arhc\"; did you mean \"--arch\"? (see accsim --help)");
  CHECK(mistake({"check", "--arhc", "x.json"}) ==
        "unknown option \"--arhc\"; did you mean \"--arch\"? (see accsim check --help)");
  CHECK(mistake({"array", "--row", "3"}) ==
        "unknown option \"--row\"; did you mean \"--rows\"? (see accsim array --help)");
  CHECK(mistake({"array", "--qwertyuiop", "3"}) == "unknown option \"--qwertyuiop\" (see accsim array --help)");
}

TEST_CASE("a wrong value of a common option is refused") {
  const std::string levels = "{trace,debug,info,warn,error,critical,off}";
  CHECK(mistake({"check", "--log-level", "loud"}) ==
        "--log-level: loud not in " + levels + " (see accsim check --help)");
  CHECK(mistake({"check", "--jobs", "-1"}) ==
        "--jobs: expected an integer from 0 to 1024, found \"-1\" (see accsim check --help)");
  CHECK(mistake({"check", "--jobs", "1025"}) ==
        "--jobs: expected an integer from 0 to 1024, found \"1025\" (see accsim check --help)");
  for (const std::string value : {"x", "-1", "1.5", "18446744073709551616"}) {
    CHECK(mistake({"check", "--seed=" + value}) ==
          "--seed: expected an integer from 0 to 18446744073709551615, found \"" + value +
              "\" (see accsim check --help)");
  }
  CHECK(mistake({"check", "--seed"}) == "--seed: its value is missing (see accsim check --help)");
  CHECK(mistake({"--seed", "1", "check", "--seed", "2"}) == "--seed: given more than once (see accsim check --help)");
}

TEST_CASE("a word in the wrong place is refused") {
  CHECK(mistake({"--arch", "a.json", "check"}) ==
        "the command \"check\" has to come before its options (see accsim --help)");
  CHECK(mistake({"check", "--arch", "a.json", "extra"}) == "unexpected argument \"extra\" (see accsim check --help)");
}

TEST_CASE("version and help go to stdout with exit code 0") {
  const Outcome version = run_program({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.rfind("accsim 0.", 0) == 0);
  CHECK(version.err.empty());
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"}, {"check", "--help"}, {"--seed", "2", "check", "--help"}}) {
    const Outcome help = run_program(arguments);
    CHECK(help.code == 0);
    CHECK(help.out.find("--") != std::string::npos);
    CHECK(help.err.empty());
  }
}
