// The network against what BookSim2 measured (tests/reference/noc/README.md): zero-load latencies equal, every packet
// of every trace equal to the cycle, mean latencies within 5 % up to 70 % of the load at three times the zero-load
// latency, that load within 8 %.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "app/cmd_noc.h"
#include "sim/noc/runner.h"
#include "tests/catch.h"

namespace {

namespace sim = accsim::sim;

const std::filesystem::path kData = std::filesystem::path(ACCSIM_SOURCE_DIR) / "tests" / "reference" / "noc";

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  REQUIRE(lines.size() > 1);
  return lines;
}

std::vector<Row> rows_of(const std::string& name) {
  const std::vector<std::string> lines = lines_of(kData / name);
  const std::vector<std::string> header = cells_of(lines.front());
  std::vector<Row> rows;
  for (std::size_t l = 1; l < lines.size(); ++l) {
    const std::vector<std::string> cells = cells_of(lines[l]);
    REQUIRE(cells.size() == header.size());
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[header[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

int integer(const Row& row, const char* column) { return std::stoi(row.at(column)); }
double number(const Row& row, const char* column) { return std::stod(row.at(column)); }

std::string name_of(const Row& row) {
  std::string name;
  for (const char* column : {"mesh", "router", "num_vcs", "vc_buf_size", "packet_size", "traffic"}) {
    if (row.count(column) > 0) name += row.at(column) + " ";
  }
  return name;
}

sim::NocTopology topology_of(const Row& row) {
  const std::string& mesh = row.at("mesh");
  return sim::NocTopology::mesh(std::stoi(mesh), std::stoi(mesh.substr(mesh.find('x') + 1)));
}

sim::RouterConfig router_of(const Row& row) {
  const std::string& name = row.at("router");
  sim::RouterConfig router = sim::RouterConfig::of_cycles(name[1] - '0', name == "R3b");
  if (name == "R2cd2") router.credit_delay = 2;
  router.vcs = integer(row, "num_vcs");
  router.buffer_flits = integer(row, "vc_buf_size");
  return router;
}

sim::NocLoad load_of(const Row& row, double rate, int nodes, std::int64_t runs = -1) {
  sim::NocLoad load;
  const auto* const pattern = std::find(sim::kTrafficNames.begin(), sim::kTrafficNames.end(), row.at("traffic"));
  load.pattern = static_cast<sim::TrafficPattern>(pattern - sim::kTrafficNames.begin());
  load.packet_flits = integer(row, "packet_size");
  load.rate = rate;
  load.runs = runs;
  sim::choose_windows(load, nodes);
  return load;
}

// Mean latency over `runs` runs (-1: as many as its precision needs); none where packets were left.
std::optional<double> latency_at(const Row& row, double rate, std::int64_t runs) {
  const sim::NocTopology topology = topology_of(row);
  const sim::NocLoadResult result =
      sim::run_noc_load(topology, router_of(row), load_of(row, rate, topology.nodes(), runs));
  return result.drained ? std::optional(result.plat_mean) : std::nullopt;
}

// Runs that give 15,000 packets: a mean latency to 1 or 2 % where the load is moderate.
std::int64_t least_runs(const Row& row) {
  sim::NocLoad load = load_of(row, number(row, "offered"), topology_of(row).nodes());
  return std::max<std::int64_t>(2, load.runs / 4);
}

struct Curve {
  Row saturation;
  std::vector<Row> points;  // by load, without those at full injection
};

std::vector<Curve> curves() {
  std::map<std::string, std::vector<Row>> points;
  for (const Row& row : rows_of("sweep.csv")) {
    if (row.at("status") != "overload") points[name_of(row)].push_back(row);
  }
  std::vector<Curve> found;
  for (const Row& row : rows_of("saturation.csv")) {
    if (row.at("sat_load_3x").empty()) continue;
    Curve curve{row, points.at(name_of(row))};
    std::sort(curve.points.begin(), curve.points.end(),
              [](const Row& a, const Row& b) { return number(a, "offered") < number(b, "offered"); });
    found.push_back(curve);
  }
  return found;
}

// Mean latencies of the curve up to 70 % of its saturation; number of loads compared.
std::size_t check_latencies(const Curve& curve, std::size_t first, std::size_t every) {
  std::size_t compared = 0;
  for (std::size_t i = first; i < curve.points.size(); i += every) {
    const Row& point = curve.points[i];
    if (number(point, "offered") > 0.7 * number(curve.saturation, "sat_load_3x") || point.at("plat_mean").empty()) {
      continue;
    }
    INFO(name_of(point) << point.at("offered"));
    const std::optional<double> latency = latency_at(point, number(point, "offered"), least_runs(point));
    REQUIRE(latency.has_value());
    CHECK(*latency == Approx(number(point, "plat_mean")).epsilon(0.05));
    ++compared;
  }
  return compared;
}

// Load at three times the zero-load latency, on the reference's loads and by its rule: a straight line between the
// neighbours, or the middle between the last load with a latency and the first without.
double load_at_three_times(const Curve& curve) {
  const double limit = 3 * number(curve.saturation, "zero_load_formula");
  double last_rate = 0;
  double last_latency = 0;
  for (const Row& point : curve.points) {
    const double rate = number(point, "offered");
    if (rate < 0.6 * number(curve.saturation, "sat_load_3x")) continue;
    const std::optional<double> latency = latency_at(point, rate, -1);
    if (!latency) return (last_rate + rate) / 2;
    if (*latency >= limit) {
      return last_rate == 0 ? rate
                            : last_rate + (rate - last_rate) * (limit - last_latency) / (*latency - last_latency);
    }
    last_rate = rate;
    last_latency = *latency;
  }
  return last_rate;
}

}  // namespace

TEST_CASE("zero-load latencies equal the reference's", "[noc]") {
  std::map<std::string, std::vector<Row>> groups;
  for (const Row& row : rows_of("zero_load_latency.csv")) {
    if (row.at("router") != "R3c") groups[name_of(row)].push_back(row);
  }
  std::size_t compared = 0;
  for (const auto& [name, rows] : groups) {
    sim::NocTopology topology = topology_of(rows.front());
    int pairs = 0;
    for (const Row& row : rows) pairs += integer(row, "n_pairs");
    const int sources = pairs == topology.nodes() * topology.nodes() ? topology.nodes() : 1;
    std::vector<sim::TracePacket> packets;  // far apart
    for (int from = 0; from < sources; ++from) {
      for (int to = 0; to < topology.nodes(); ++to) {
        packets.push_back(
            {static_cast<std::int64_t>(packets.size()) * 1000, from, {to}, integer(rows.front(), "packet_size")});
      }
    }
    const sim::NocTraceResult result = sim::run_noc_trace(topology, router_of(rows.front()), packets);
    std::map<int, std::pair<std::int64_t, std::int64_t>> found;  // least and most, by hops
    for (const sim::NocArrival& arrival : result.arrivals) {
      const std::int64_t latency = arrival.tail_arrival - arrival.created;
      auto& [least, most] = found.try_emplace(arrival.hops, latency, latency).first->second;
      least = std::min(least, latency);
      most = std::max(most, latency);
    }
    for (const Row& row : rows) {
      INFO(name << row.at("hops") << " hops");
      CHECK(found.at(integer(row, "hops")) == std::pair(std::stol(row.at("lat_min")), std::stol(row.at("lat_max"))));
      ++compared;
    }
  }
  CHECK(compared == 2896);
}

TEST_CASE("every packet of the reference's traces arrives in the same cycle", "[noc]") {
  std::size_t packets = 0;
  for (const Row& row : rows_of("traces/summary.csv")) {
    const std::string name =
        row.at("scenario") + "." + row.at("router") + "_v" + row.at("num_vcs") + "_b" + row.at("vc_buf_size");
    INFO(name);
    sim::NocTopology topology = topology_of(row);
    const sim::RouterConfig router = router_of(row);
    const auto trace =
        accsim::app::read_noc_trace(kData / "traces" / (row.at("scenario") + ".trace"), topology, router);
    const sim::NocTraceResult result = sim::run_noc_trace(topology, router, trace);
    std::vector<std::string> lines{sim::kNocPacketHeader};
    for (const sim::NocArrival& arrival : result.arrivals) lines.push_back(sim::to_line(arrival));
    CHECK(lines == lines_of(kData / "traces" / (name + ".csv")));
    CHECK(result.packets == integer(row, "packets"));
    CHECK(result.flits == integer(row, "flits"));
    CHECK(result.last_arrival == integer(row, "last_arrival_cycle"));
    CHECK(result.max_plat == integer(row, "max_plat"));
    constexpr double kRounding = 0.00051;
    CHECK(result.mean_plat == Approx(number(row, "mean_plat")).margin(kRounding));
    CHECK(result.mean_nlat == Approx(number(row, "mean_nlat")).margin(kRounding));
    CHECK(result.mean_zero_load == Approx(number(row, "mean_zero_load")).margin(kRounding));
    packets += trace.size();
  }
  CHECK(packets == 3780);
}

TEST_CASE("ideal saturation and mean hops equal the reference's", "[noc]") {
  for (const Row& row : rows_of("saturation.csv")) {
    INFO(name_of(row));
    const sim::NocTopology topology = topology_of(row);
    const sim::Traffic traffic(load_of(row, 0.1, topology.nodes()).pattern, topology);
    CHECK(traffic.ideal_rate() == Approx(number(row, "ideal_sat")).epsilon(1e-4));
    CHECK(traffic.mean_hops() == Approx(number(row, "hops_ideal")).epsilon(1e-4));
    CHECK(sim::zero_load_latency(router_of(row), traffic.mean_hops(), integer(row, "packet_size"), true) ==
          Approx(number(row, "zero_load_formula")).epsilon(1e-4));
  }
}

TEST_CASE("mean latencies of some loads are within 5 % of the reference's", "[noc]") {
  std::size_t compared = 0;
  const std::vector<Curve> all = curves();
  for (std::size_t i = 3; i < all.size(); i += 11) compared += check_latencies(all[i], 3, 100);
  CHECK(compared > 8);
}

TEST_CASE("all mean latencies up to 70 % of saturation are within 5 % of the reference's", "[noc][long]") {
  std::size_t compared = 0;
  for (const Curve& curve : curves()) compared += check_latencies(curve, 0, 1);
  CHECK(compared > 700);
}

// The reference has one seed a point. Where a curve is steepest that seed alone moves the load by more than the bound
// for a few curves (docs/noc.md), so some may be beyond it, but none far.
TEST_CASE("loads at three times the zero-load latency are within 8 % of the reference's", "[noc][long]") {
  std::size_t compared = 0;
  std::size_t beyond = 0;
  for (const Curve& curve : curves()) {
    const double expected = number(curve.saturation, "sat_load_3x");
    const double found = load_at_three_times(curve);
    INFO(name_of(curve.saturation));
    CHECK(found == Approx(expected).epsilon(0.15));
    ++compared;
    if (std::abs(found / expected - 1) > 0.08) ++beyond;
  }
  CHECK(compared > 120);
  CHECK(beyond * 33 <= compared);  // 3 %
}

// Depth of buffers, number of channels, credit delay and route stage, changed one at a time.
TEST_CASE("accepted rates at full injection follow the reference's ablations", "[noc][long]") {
  std::size_t compared = 0;
  for (Row row : rows_of("ablation.csv")) {
    row["router"] = row.at("base_router");
    row["num_vcs"] = row.at("base_num_vcs");
    row["vc_buf_size"] = row.at("base_vc_buf_size");
    const std::string& changed = row.at("changed");
    const std::string key = changed.substr(0, changed.find('='));
    const std::string value = changed.substr(changed.find('=') + 1);
    if (key == "num_vcs" || key == "vc_buf_size") row[key] = value;
    sim::RouterConfig router = router_of(row);
    if (key == "credit_delay") router.credit_delay = std::stoi(value);
    if (changed == "speculative=0") router.speculative = false;
    if (changed == "routing_delay=1") router.route_stage = true;
    static const std::vector<std::string> kKnown{"baseline",     "num_vcs",     "vc_buf_size",
                                                 "credit_delay", "speculative", "routing_delay"};
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) continue;
    INFO(name_of(row) << changed);
    const sim::NocTopology topology = topology_of(row);
    sim::NocLoad load = load_of(row, 1, topology.nodes());
    load.latency = false;
    CHECK(sim::run_noc_load(topology, router, load).accepted ==
          Approx(number(row, "accepted_at_overload_1.0")).epsilon(0.04));
    if (!row.at("lat_mid").empty() && row.at("lat_mid") != "saturated" && number(row, "lat_mid") < 32) {
      load = load_of(row, number(row, "offered_low"), topology.nodes());
      CHECK(sim::run_noc_load(topology, router, load).plat_mean == Approx(number(row, "lat_low")).epsilon(0.05));
    }
    ++compared;
  }
  CHECK(compared > 50);
}
