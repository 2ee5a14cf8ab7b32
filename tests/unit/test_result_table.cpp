// Figures as text in tables.
#include "app/table.h"
#include "tests/catch.h"

using namespace accsim::app;
using accsim::model::Json;

TEST_CASE("figures get a fitting unit and three digits") {
  CHECK(energy_text(0) == "0 pJ");
  CHECK(energy_text(12) == "12 pJ");
  CHECK(energy_text(1234) == "1.23 nJ");
  CHECK(energy_text(123456789.0) == "123 uJ");
  CHECK(energy_text(5e12) == "5.00 J");
  CHECK(time_text(12345) == "12.3 us");
  CHECK(bytes_text(1024 * 1536) == "1.50 MiB");
  CHECK(percent_text(1, 8) == "12.5 %");
  CHECK(percent_text(1, 0) == "0.0 %");
  CHECK(signed_percent_text(2) == "+2.0 %");
  CHECK(signed_percent_text(-2) == "-2.0 %");
  CHECK(scientific(123456) == "1.235e+05");
}

TEST_CASE("lists of cores and layers are short") {
  CHECK(cores_text(Json::array()).empty());
  CHECK(cores_text({3}) == "3");
  CHECK(cores_text({0, 1, 2, 3, 5, 7, 8}) == "0-3,5,7-8");
  CHECK(layers_text({"conv1", "relu1"}) == "conv1 + relu1");
  CHECK(layers_text({"a.conv", "a.conv.relu", "a.convex"}) == "a.conv + .relu + a.convex");
  const std::string longest = layers_text({std::string(40, 'a'), std::string(40, 'b')});
  CHECK(longest.size() <= 44);
  CHECK(longest.find("...") != std::string::npos);
}

TEST_CASE("a cell of a CSV file is quoted where it must be") {
  CHECK(csv_cell("plain") == "plain");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"x\"") == "\"say \"\"x\"\"\"");
}
