// accsim dram as a user runs it: result file, command lines, modes, and one clear message for each mistake.
#include <fstream>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "tests/catch.h"
#include "tests/run_program.h"

namespace {

namespace model = accsim::model;
namespace tests = accsim::tests;
using tests::Outcome;
using tests::TemporaryFolder;

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

Outcome run(const TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "dram");
  return tests::run_program(folder.path(), arguments);
}

std::string requests(int count) {
  std::string text = "cycle,op,addr_hex,note\n";
  for (int i = 0; i < count; ++i) {
    char line[64];
    std::snprintf(line, sizeof line, "%d,%c,0x%x,-\n", 10 * i, i % 3 == 2 ? 'W' : 'R', 64 * i);
    text += line;
  }
  return text;
}

}  // namespace

TEST_CASE("accsim dram writes result and commands in every mode, the same twice") {
  const TemporaryFolder folder;
  write(folder / "r.csv", requests(300));
  for (const std::string mode : {"max", "maxch", "win:4", "paced:0.5", "trace"}) {
    INFO(mode);
    model::Json results[2];
    std::string commands[2];
    for (int k = 0; k < 2; ++k) {
      const Outcome outcome =
          run(folder, {"--preset", "ref-ddr4-3200", "--set", "ranks=1", "--set", "tREFI=0", "--requests", "r.csv",
                       "--mode", mode, "--commands", "c.txt", "--out", "r.json", "--quiet"});
      REQUIRE(outcome.err == "");
      REQUIRE(outcome.code == 0);
      CHECK(outcome.out == "");
      results[k] = model::read_json_file(folder / "r.json");
      commands[k] = tests::content_of(folder / "c.txt");
      CHECK(results[k].at("host").contains("cpu_s"));
      CHECK(results[k].at("host").contains("wall_s"));
      results[k].erase("host");
    }
    CHECK(results[0] == results[1]);
    CHECK(commands[0] == commands[1]);
    const model::Json& r = results[0];
    CHECK(r.at("schema") == "accsim-dram-result/1");
    CHECK(r.at("mode") == mode);
    CHECK(r.at("N") == 300);
    CHECK(r.at("reads_accepted") == 200);
    CHECK(r.at("writes_accepted") == 100);
    CHECK(r.at("rd_cmds") == 200);
    CHECK(r.at("wr_cmds").get<int>() + r.at("writes_left_in_buffer").get<int>() == 100);
    CHECK(r.at("ref_cmds") == 0);
    CHECK(commands[0].rfind("1                  activate               0   0   0   0      0x0      0x", 0) == 0);
    if (mode == "trace") CHECK(r.at("clk_last_accept") == 2990);
  }
}

TEST_CASE("accsim dram reports mistakes in one line") {
  const TemporaryFolder folder;
  write(folder / "r.csv", requests(3));
  write(folder / "operation.csv", "op,addr_hex\nR,0x40\nX,0x80\n");
  write(folder / "address.csv", "op,addr_hex\nR,0x40\nR,zz\n");
  write(folder / "beyond.csv", "op,addr_hex\nR,0x3ffffffff\nW,400000000\n");
  write(folder / "huge.csv", "op,addr_hex\nW,0xfffffffffffffffffffff\n");
  write(folder / "cells.csv", "op,addr_hex\nR\n");
  write(folder / "columns.csv", "op,address\nR,0x40\n");
  write(folder / "none.csv", "op,addr_hex\n");
  write(folder / "empty.csv", "");
  write(folder / "zero.csv", std::string("op,addr_hex\nR,0x4\0000\n", 20));
  write(folder / "long.csv", std::string(100000, 'x'));
  const auto message = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--out", "out.json"});
    const Outcome outcome = run(folder, arguments);
    CHECK(outcome.code == 2);
    CHECK(outcome.out == "");
    CHECK_FALSE(std::filesystem::exists(folder / "out.json"));
    return outcome.err;
  };
  const auto with = [&](const std::string& file) { return message({"--preset", "ddr4-3200", "--requests", file}); };
  CHECK(with("operation.csv") == "accsim: error: operation.csv: line 3: column op: expected R or W, found \"X\"\n");
  CHECK(with("address.csv") ==
        "accsim: error: address.csv: line 3: column addr_hex: expected a hexadecimal address, found \"zz\"\n");
  CHECK(with("beyond.csv") ==
        "accsim: error: beyond.csv: line 3: column addr_hex: \"400000000\" lies beyond the DRAM's 17179869184 bytes\n");
  CHECK(with("huge.csv").find("lies beyond the DRAM's") != std::string::npos);
  CHECK(with("cells.csv") == "accsim: error: cells.csv: line 2: expected 2 cells as in the header, found 1\n");
  CHECK(with("columns.csv") == "accsim: error: columns.csv: line 1: no column addr_hex in the header \"op,address\"\n");
  CHECK(with("none.csv") == "accsim: error: none.csv: holds no requests\n");
  CHECK(with("empty.csv") == "accsim: error: empty.csv: is empty, expected a CSV file with columns op, addr_hex\n");
  CHECK(with("zero.csv").find("holds a zero byte") != std::string::npos);
  CHECK(with("long.csv").find("line 1: the line is longer than 4096 characters") != std::string::npos);
  CHECK(with("missing.csv") == "accsim: error: missing.csv: no such file\n");
  CHECK(with(".") == "accsim: error: .: is a folder, expected a CSV file\n");
  CHECK(message({"--preset", "ddr4-320", "--requests", "r.csv"})
            .find("accsim: error: --preset: unknown DRAM preset "
                  "\"ddr4-320\"; there are: ddr4-2400, ddr4-3200,") == 0);
  CHECK(message({"--preset", "ddr4-3200", "--requests", "r.csv", "--set", "tRCDD=3"}).find("did you mean \"tRCD\"?") !=
        std::string::npos);
  for (const std::string mode :
       {"fast", "win:0", "win:x", "win:", "paced:0", "paced:-1", "paced:nan", "paced:", "MAX"}) {
    INFO(mode);
    CHECK(message({"--preset", "ddr4-3200", "--requests", "r.csv", "--mode", mode}) ==
          "accsim: error: --mode: expected max, maxch, win:W (W reads, 1 or more), paced:F (a share of the peak, "
          "0.000001 to "
          "1000) or trace, found \"" +
              mode + "\"\n");
  }
  write(folder / "plain.csv", "op,addr_hex\nR,0x40\n");
  CHECK(message({"--preset", "ddr4-3200", "--requests", "plain.csv", "--mode", "trace"}) ==
        "accsim: error: plain.csv: line 1: no column cycle in the header \"op,addr_hex\"\n");
  const auto traced = [&](const std::string& cycles) {
    write(folder / "back.csv", "op,addr_hex,cycle\nR,0x40,5\nR,0x80," + cycles + "\n");
    return message({"--preset", "ddr4-3200", "--requests", "back.csv", "--mode", "trace"});
  };
  CHECK(traced("4") ==
        "accsim: error: back.csv: line 3: column cycle: is 4, the request before has 5; requests stand in the order of "
        "their cycles\n");
  CHECK(traced("100000000000000") ==
        "accsim: error: back.csv: line 3: column cycle: expected an integer from 0 to 100000000000, found "
        "\"100000000000000\"\n");
}
