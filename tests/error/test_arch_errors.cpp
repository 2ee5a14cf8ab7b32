// Wrong architecture files: one message each that names file, JSON path, what was found and what is allowed.
#include <filesystem>
#include <functional>
#include <string>

#include "model/arch/arch.h"
#include "model/base/error.h"
#include "model/config/json.h"
#include "tests/catch.h"

namespace {

using accsim::model::ConfigError;
using accsim::model::Json;
using accsim::model::load_architecture;
using accsim::model::parse_architecture;
using accsim::model::read_json_file;
using accsim::model::write_text_file;

Json edge() { return read_json_file(std::filesystem::path(ACCSIM_SOURCE_DIR) / "configs/edge-4core.json"); }

std::string message_of(const Json& json) {
  try {
    parse_architecture(json, "a.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

// The message for edge-4core after a change.
std::string after(const std::function<void(Json&)>& change) {
  Json json = edge();
  change(json);
  return message_of(json);
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

}  // namespace

TEST_CASE("arch errors: unknown and missing keys") {
  CHECK(after([](Json& j) { j["clok_mhz"] = 1000; }) ==
        "a.json: unknown key \"clok_mhz\"; allowed: schema, name, clock_mhz, technology_nm, cores, global_buffer, noc, "
        "dram, energy; did you mean \"clock_mhz\"?");
  CHECK(after([](Json& j) { j["cores"][0]["array"]["row"] = 3; }) ==
        "a.json: cores[0].array: unknown key \"row\"; allowed: rows, cols, dataflow, double_buffered, operand_type, "
        "accumulator_type; did you mean \"rows\"?");
  CHECK(after([](Json& j) { j["cores"][0]["array"].erase("rows"); }) ==
        "a.json: cores[0].array: missing key \"rows\" (integer, 1 to 1024: rows of processing elements)");
  CHECK(after([](Json& j) { j.erase("dram"); }) == "a.json: missing key \"dram\" (object with \"preset\")");
  CHECK(after([](Json& j) { j["dram"].erase("preset"); }) ==
        "a.json: dram: missing key \"preset\" (name of a file in configs/dram)");
  CHECK(starts_with(after([](Json& j) { j["dram"]["chanels"] = 2; }),
                    "a.json: dram: unknown key \"chanels\"; allowed: "));
  CHECK(starts_with(after([](Json& j) { j["energy"]["mac_pj"] = 2; }),
                    "a.json: energy: unknown key \"mac_pj\"; allowed: "));
}

TEST_CASE("arch errors: wrong types") {
  CHECK(after([](Json& j) { j["cores"][0]["count"] = "four"; }) ==
        "a.json: cores[0].count: expected an integer from 1 to 1024, found \"four\"");
  CHECK(after([](Json& j) { j["cores"][0]["count"] = 4.0; }) ==
        "a.json: cores[0].count: expected an integer from 1 to 1024, found 4.0");
  CHECK(after([](Json& j) { j["cores"][0]["array"]["double_buffered"] = 1; }) ==
        "a.json: cores[0].array.double_buffered: expected true or false, found 1");
  CHECK(after([](Json& j) { j["cores"] = Json::object(); }) == "a.json: cores: expected a list, found an object");
  CHECK(after([](Json& j) { j["global_buffer"] = 2048; }) ==
        "a.json: global_buffer: expected an object (global_buffer), found 2048");
  CHECK(after([](Json& j) { j["name"] = 7; }) == "a.json: name: expected a string, found 7");
  CHECK(after([](Json& j) { j["dram"] = "ddr4-3200"; }) ==
        "a.json: dram: expected an object with \"preset\", found \"ddr4-3200\"");
  CHECK(message_of(Json::array()) == "a.json: expected an object with \"schema\": \"accsim-arch/1\", found a list");
  CHECK(after([](Json& j) { j["schema"] = "accsim-net/1"; }) ==
        "a.json: schema: expected \"accsim-arch/1\", found \"accsim-net/1\"");
}

TEST_CASE("arch errors: values out of range") {
  CHECK(after([](Json& j) { j["cores"][0]["count"] = 0; }) ==
        "a.json: cores[0].count: expected an integer from 1 to 1024, found 0");
  CHECK(after([](Json& j) { j["cores"] = Json::array(); }) ==
        "a.json: cores: expected a list of 1 to 16 entries, found 0");
  CHECK(after([](Json& j) { j["cores"][0]["scratchpad"]["size_kib"] = -256; }) ==
        "a.json: cores[0].scratchpad.size_kib: expected an integer from 1 to 1048576, found -256");
  CHECK(after([](Json& j) { j["cores"][0]["array"]["cols"] = 2048; }) ==
        "a.json: cores[0].array.cols: expected an integer from 1 to 1024, found 2048");
  CHECK(after([](Json& j) { j["clock_mhz"] = 0; }) ==
        "a.json: clock_mhz: expected an integer from 1 to 10000, found 0");
  CHECK(after([](Json& j) { j["noc"]["router_cycles"] = 0; }) ==
        "a.json: noc.router_cycles: expected an integer from 1 to 64, found 0");
  CHECK(after([](Json& j) { j["cores"][0]["dma"]["outstanding"] = 18446744073709551615ULL; }) ==
        "a.json: cores[0].dma.outstanding: expected an integer from 1 to 65536, found 18446744073709551615");
  CHECK(after([](Json& j) { j["name"] = ""; }) == "a.json: name: expected 1 to 80 characters, found \"\"");
  CHECK(after([](Json& j) { j["energy"]["mac_int8_pj"] = -0.1; }) ==
        "a.json: energy.mac_int8_pj: expected a number from 0.0 to 1000000.0, found -0.1");
}

TEST_CASE("arch errors: unknown choices suggest the nearest") {
  CHECK(after([](Json& j) { j["cores"][0]["array"]["dataflow"] = "weight-stationary"; }) ==
        "a.json: cores[0].array.dataflow: expected one of \"weight_stationary\", \"output_stationary\", "
        "\"input_stationary\", \"vector_mac\", found \"weight-stationary\"; did you mean \"weight_stationary\"?");
  CHECK(after([](Json& j) { j["cores"][0]["array"]["operand_type"] = "int32"; }) ==
        "a.json: cores[0].array.operand_type: expected one of \"int4\", \"int8\", \"int16\", \"fp16\", \"bf16\", "
        "\"fp32\", found \"int32\"; did you mean \"int4\"?");
  CHECK(after([](Json& j) { j["energy"]["preset"] = "21nm"; }) ==
        "a.json: energy.preset: unknown energy preset \"21nm\"; there are: 16nm, 22nm, 45nm, 7nm; did you mean "
        "\"22nm\"?");
  CHECK(starts_with(after([](Json& j) { j["dram"]["preset"] = "ddr5"; }),
                    "a.json: dram.preset: unknown DRAM preset \"ddr5\"; there are: "));
  CHECK(after([](Json& j) { j["energy"]["preset"] = "mine.json"; }) ==
        "a.json: energy.preset: no such file: mine.json");
}

TEST_CASE("arch errors: values that do not go together") {
  CHECK(after([](Json& j) { j["cores"][0]["scratchpad"]["banks"] = 7; }) ==
        "a.json: cores[0].scratchpad.banks: expected a number of banks that divides size_kib = 256 into banks of whole "
        "32-byte lines (port_bytes), found 7");
  CHECK(after([](Json& j) { j["cores"][0]["accumulator"]["port_bytes"] = 48; }) ==
        "a.json: cores[0].accumulator.port_bytes: expected a power of two, found 48");
  CHECK(after([](Json& j) { j["cores"][0]["array"]["accumulator_type"] = "fp32"; }) ==
        "a.json: cores[0].array.accumulator_type: expected an integer type (int32, int64) for operands of type int8, "
        "found \"fp32\"");
  CHECK(after([](Json& j) {
          j["cores"][0]["array"]["operand_type"] = "fp32";
          j["cores"][0]["array"]["accumulator_type"] = "fp16";
        }) ==
        "a.json: cores[0].array.accumulator_type: expected a type at least as wide as the operands' fp32, found "
        "\"fp16\"");
  CHECK(after([](Json& j) { j["cores"].push_back(j["cores"][0]); }) ==
        "a.json: cores[1].name: expected a name that no other entry has, found \"npu\"");
  CHECK(after([](Json& j) { j["cores"][0]["count"] = 127; }) ==
        "a.json: expected at most 128 nodes on the NoC, found 129: 127 cores, 1 global buffer, 1 DRAM channels");
  const auto with_noc = [](const Json& noc) {
    return after([&](Json& j) {
      j["cores"][0]["count"] = 1;
      j["noc"] = noc;
    });
  };
  CHECK(with_noc({{"topology", "mesh"}, {"rows", 1}, {"cols", 2}}) ==
        "a.json: noc: expected places for 3 nodes (1 cores, 1 global buffer, 1 DRAM channels), found 2");
  CHECK(with_noc({{"topology", "mesh"}, {"rows", 1}, {"cols", 4}, {"nodes", {"core0", "dram0", "core0", ""}}}) ==
        "a.json: noc.nodes[2]: \"core0\" sits at place 0 already");
  CHECK(with_noc({{"topology", "ring"}, {"vcs", 4}, {"nodes", {"core0", "dram0", ""}}}) ==
        "a.json: noc.nodes: \"global_buffer\" has no place");
  CHECK(with_noc({{"topology", "ring"}}) ==
        "a.json: noc.vcs: expected at least 4 (two for requests, two for answers: before and after the seam) with "
        "topology \"ring\", found 2");
  CHECK(with_noc({{"topology", "mesh"}, {"router_cycles", 1}}) ==
        "a.json: noc.router_cycles: expected 2 to 4 with topology \"mesh\", found 1");
  CHECK(
      with_noc({{"topology", "crossbar"}, {"vcs", 1}}) ==
      "a.json: noc.vcs: expected at least 2 (requests and answers have their own) with topology \"crossbar\", found 1");
  CHECK(with_noc({{"topology", "bus"}, {"rows", 2}}) ==
        "a.json: noc.rows: expected none with topology \"bus\", found 2");
}

TEST_CASE("arch errors: files that are none") {
  const auto message = [](const std::string& path) -> std::string {
    try {
      load_architecture(path);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message("no/such/file.json") == "no/such/file.json: no such file");
  CHECK(message(ACCSIM_SOURCE_DIR) == std::string(ACCSIM_SOURCE_DIR) + ": is a folder, expected a file");
  const auto file = std::filesystem::temp_directory_path() / "accsim_truncated_arch.json";
  std::string text = edge().dump(2);
  write_text_file(file, text.substr(0, text.size() / 2));
  CHECK(starts_with(message(file.string()), file.string() + ": not valid JSON at line "));
  std::filesystem::remove(file);
}
