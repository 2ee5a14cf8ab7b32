#include "app/cmd_noc.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "app/files.h"
#include "app/output.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr std::int64_t kLargestCycle = std::int64_t{1} << 50;
constexpr std::int64_t kMostFlits = 65535;  // of a packet
constexpr std::size_t kMostPackets = 50'000'000;
constexpr std::int64_t kMostWindow = 1'000'000'000;
constexpr std::int64_t kMostRuns = 100'000;
const std::vector<std::string> kTopologies{"mesh", "ring", "crossbar", "bus"};
const std::vector<std::string> kPatterns{sim::kTrafficNames.begin(), sim::kTrafficNames.end()};

struct NocOptions {
  std::string topology = "mesh";
  int width = 0, height = 0, nodes = 0;  // 0: not given
  int router_cycles = 2;
  bool speculative = false;
  bool ordered = false;
  int vcs = 4;
  int buffer_flits = 8;
  int credit_delay = 0;
  int packet_flits = 4;
  std::string traffic;
  double rate = 0;
  std::string mode = "latency";
  std::int64_t warmup_cycles = -1, measure_cycles = -1, runs = -1;
  std::string trace;
  std::string packets;
};

[[noreturn]] void refuse(const std::string& option, const std::string& what) {
  throw model::ConfigError("", option, what);
}

sim::NocTopology topology_of(const NocOptions& options) {
  if (options.topology == "mesh") {
    if (options.nodes != 0) refuse("--nodes", "a mesh has --width and --height");
    if (options.width == 0) refuse("--width", "missing; a mesh needs --width and --height");
    if (options.height == 0) refuse("--height", "missing; a mesh needs --width and --height");
    if (options.width > sim::NocTopology::kMostNodes / options.height) {
      refuse("--width", "a mesh has at most " + std::to_string(sim::NocTopology::kMostNodes) + " nodes, found " +
                            std::to_string(options.width) + " x " + std::to_string(options.height));
    }
    return sim::NocTopology::mesh(options.width, options.height);
  }
  if (options.width != 0) refuse("--width", "a " + options.topology + " has --nodes");
  if (options.height != 0) refuse("--height", "a " + options.topology + " has --nodes");
  if (options.nodes == 0) refuse("--nodes", "missing; a " + options.topology + " needs it");
  const bool ring = options.topology == "ring";
  const int most = ring ? sim::NocTopology::kMostNodes : sim::NocTopology::kMostPorts;
  if (options.nodes > most) {
    refuse("--nodes", "a " + options.topology + " has at most " + std::to_string(most) + " nodes, found " +
                          std::to_string(options.nodes));
  }
  if (ring && options.nodes < 2) refuse("--nodes", "a ring has at least 2 nodes, found 1");
  const model::Topology kind = ring                             ? model::Topology::ring
                               : options.topology == "crossbar" ? model::Topology::crossbar
                                                                : model::Topology::bus;
  return sim::NocTopology::of(kind, options.nodes);
}

sim::RouterConfig router_of(const NocOptions& options, const sim::NocTopology& topology) {
  if (options.speculative && options.router_cycles == 4) {
    refuse("--speculative",
           "a router of 4 cycles does not speculate, expected --router-cycles 3 (or 2, which always does)");
  }
  if (topology.splits_vcs() && options.vcs < 2) refuse("--vcs", "a ring needs 2 or more, found 1");
  sim::RouterConfig router = sim::RouterConfig::of_cycles(options.router_cycles, options.speculative);
  router.vcs = options.vcs;
  router.buffer_flits = options.buffer_flits;
  router.credit_delay = options.credit_delay;
  router.ordered = options.ordered;
  return router;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out(text.substr(0, kLongest));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return "\"" + out + "\"";
}

// One line of a trace, for messages and for taking numbers out of.
struct TraceLine {
  std::string file;
  std::size_t number = 0;

  [[noreturn]] void fail(const std::string& what) const {
    throw model::ConfigError(file, "line " + std::to_string(number), what);
  }
  [[nodiscard]] std::int64_t integer(std::string_view text, const char* column, std::int64_t least,
                                     std::int64_t most) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
      fail(std::string(column) + ": expected an integer from " + std::to_string(least) + " to " + std::to_string(most) +
           ", found " + shown(text));
    }
    return value;
  }
};

// Words between blanks, at most N + 1 of them counted.
template <std::size_t N>
std::size_t split_words(std::string_view line, std::array<std::string_view, N>& words) {
  constexpr std::string_view kBlank = " \t\r";
  std::size_t count = 0;
  for (;;) {
    const std::size_t first = line.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return count;
    if (count == N) return N + 1;
    line.remove_prefix(first);
    const std::size_t end = std::min(line.find_first_of(kBlank), line.size());
    words[count++] = line.substr(0, end);
    line.remove_prefix(end);
  }
}

std::vector<int> read_destinations(std::string_view text, const TraceLine& line, int nodes) {
  std::vector<int> destinations;
  for (;;) {
    const std::size_t plus = text.find('+');
    destinations.push_back(static_cast<int>(line.integer(text.substr(0, plus), "destination", 0, nodes - 1)));
    if (plus == std::string_view::npos) break;
    text.remove_prefix(plus + 1);
  }
  std::sort(destinations.begin(), destinations.end());
  destinations.erase(std::unique(destinations.begin(), destinations.end()), destinations.end());
  return destinations;
}

model::Json network_json(const NocOptions& options, const sim::NocTopology& topology, const sim::RouterConfig& router) {
  model::Json json = {{"topology", options.topology}};
  if (topology.kind() == model::Topology::mesh) {
    json["width"] = topology.width();
    json["height"] = topology.height();
  }
  json["nodes"] = topology.nodes();
  json["router_cycles"] = router.cycles();
  json["speculative"] = router.speculative;
  json["vcs"] = router.vcs;
  json["vc_buffer_flits"] = router.buffer_flits;
  json["credit_delay"] = router.credit_delay;
  json["ordered"] = router.ordered;
  return json;
}

void print_result(const model::Json& result) {
  const auto number = [&](const char* key, int decimals) {
    return result.at(key).is_null() ? std::string("-") : fixed(result.at(key).get<double>(), decimals);
  };
  Table table;
  table.column("figure", Table::Align::left);
  table.column("value");
  table.column("unit", Table::Align::left);
  const auto count = [&](const char* text, const char* key, const char* unit) {
    table.row({text, result.at(key).is_null() ? "-" : grouped(result.at(key).get<std::int64_t>()), unit});
  };
  if (result.contains("packets")) {
    count("packets", "packets", "");
    count("flits", "flits", "");
    count("last arrival", "last_arrival_cycle", "cycle");
    table.row({"latency, mean", number("mean_plat", 3), "cycles"});
    table.row({"latency in the network, mean", number("mean_nlat", 3), "cycles"});
    table.row({"latency of an empty network, mean", number("mean_zero_load", 3), "cycles"});
    count("latency, most", "max_plat", "cycles");
  } else {
    table.row({"offered", number("offered", 5), "flits a node and cycle"});
    table.row({"accepted", number("accepted", 5), "flits a node and cycle"});
    table.row({"of the ideal rate", fixed(100 * result.at("frac_of_ideal").get<double>(), 1), "%"});
    table.row({"status", result.at("status").get<std::string>(), ""});
    table.row({"latency, mean", number("plat_mean", 3), "cycles"});
    table.row({"latency in the network, mean", number("nlat_mean", 3), "cycles"});
    table.row({"latency of an empty network", number("zero_load_formula", 3), "cycles"});
    count("latency, median", "plat_p50", "cycles");
    count("latency, 99 % below", "plat_p99", "cycles");
    count("latency, most", "plat_max", "cycles");
    table.row({"links a packet, mean", number("hops_mean", 3), ""});
    count("packets measured", "packets_measured", "");
  }
  count("flits through routers", "flit_router_traversals", "");
  table.print(std::cout);
}

model::Json run_traffic(const NocOptions& options, const sim::NocTopology& topology, const sim::RouterConfig& router,
                        std::uint64_t seed) {
  if (options.traffic.empty()) refuse("--traffic", "missing; give --traffic and --rate, or --trace");
  if (!(options.rate > 0 && options.rate <= 1)) {
    refuse("--rate", options.rate == 0 ? "missing; flits a node and cycle, above 0 up to 1"
                                       : "expected flits a node and cycle, above 0 up to 1, found " +
                                             model::Json(options.rate).dump());
  }
  if (!options.packets.empty()) refuse("--packets", "goes with --trace");
  sim::NocLoad load;
  const auto pattern = std::find(kPatterns.begin(), kPatterns.end(), options.traffic) - kPatterns.begin();
  load.pattern = static_cast<sim::TrafficPattern>(pattern);
  load.rate = options.rate;
  load.packet_flits = options.packet_flits;
  load.latency = options.mode == "latency";
  load.seed = seed;
  load.warmup_cycles = options.warmup_cycles;
  load.measure_cycles = options.measure_cycles;
  load.runs = options.runs;
  sim::choose_windows(load, topology.nodes());
  return sim::noc_load_row(topology, router, load, sim::run_noc_load(topology, router, load));
}

model::Json run_trace(const NocOptions& options, sim::NocTopology& topology, const sim::RouterConfig& router) {
  if (!options.traffic.empty()) refuse("--traffic", "either synthetic traffic or --trace");
  if (options.rate != 0) refuse("--rate", "goes with --traffic");
  const std::vector<sim::TracePacket> packets = read_noc_trace(options.trace, topology, router);
  const sim::NocTraceResult run = sim::run_noc_trace(topology, router, packets);
  model::Json row = {{"scenario", std::filesystem::path(options.trace).stem().string()}};
  row.update(sim::noc_trace_row(topology, router, run));
  if (!options.packets.empty()) {
    std::string csv = std::string(sim::kNocPacketHeader) + "\n";
    for (const sim::NocArrival& arrival : run.arrivals) csv += sim::to_line(arrival) + "\n";
    model::write_text_file(options.packets, csv);
  }
  return row;
}

int run_noc(const NocOptions& options, const CommandContext& context) {
  check_files(context, {{"--trace", options.trace}}, {{"--packets", options.packets}});
  sim::NocTopology topology = topology_of(options);
  const sim::RouterConfig router = router_of(options, topology);
  const double wall_before = wall_seconds();
  const double cpu_before = cpu_seconds();
  model::Json result = {{"schema", "accsim-noc-result/1"}, {"seed", context.common.seed}};
  result.update(options.trace.empty() ? run_traffic(options, topology, router, context.common.seed)
                                      : run_trace(options, topology, router));
  const double cpu = cpu_seconds() - cpu_before;
  result["network"] = network_json(options, topology, router);
  result["host"] = host_object(context);
  result["host"]["cpu_s"] = cpu;
  result["host"]["wall_s"] = wall_seconds() - wall_before;
  if (cpu > 0) {
    result["host"]["traversals_per_cpu_s"] =
        static_cast<double>(result.at("flit_router_traversals").get<std::int64_t>()) / cpu;
  }
  save_result(context, result);
  if (!context.common.quiet) print_result(result);
  return kExitDone;
}

}  // namespace

std::vector<sim::TracePacket> read_noc_trace(const std::filesystem::path& file, const sim::NocTopology& topology,
                                             const sim::RouterConfig& router) {
  const std::string text = model::read_text_file(file);
  std::string_view rest = text;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (rest.substr(0, kByteOrderMark.size()) == kByteOrderMark) rest.remove_prefix(kByteOrderMark.size());
  std::vector<sim::TracePacket> packets;
  std::array<std::string_view, 4> words;
  TraceLine line{file.string()};
  std::set<std::pair<int, std::vector<int>>> trees;
  while (!rest.empty()) {
    ++line.number;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view content = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    content = content.substr(0, content.find('#'));
    const std::size_t count = split_words(content, words);
    if (count == 0) continue;
    if (count != words.size()) {
      line.fail("expected cycle, source, destination and flits, found " +
                (count > words.size() ? "more" : std::to_string(count)) + (count == 1 ? " number" : " numbers"));
    }
    if (packets.size() == kMostPackets) line.fail("more than " + std::to_string(kMostPackets) + " packets");
    sim::TracePacket packet;
    packet.cycle = line.integer(words[0], "cycle", 0, kLargestCycle);
    packet.source = static_cast<int>(line.integer(words[1], "source", 0, topology.nodes() - 1));
    packet.destinations = read_destinations(words[2], line, topology.nodes());
    packet.flits = static_cast<int>(line.integer(words[3], "flits", 1, kMostFlits));
    if (packet.destinations.size() > 1) {
      if (!topology.has_multicast()) line.fail("destination: a ring has no multicast, found " + shown(words[2]));
      if (packet.flits > router.buffer_flits) {
        line.fail("flits: a multicast packet must fit into a virtual channel's buffer (" +
                  std::to_string(router.buffer_flits) + " flits), found " + shown(words[3]));
      }
      trees.emplace(packet.source, packet.destinations);
      if (trees.size() > sim::NocTopology::kMostTrees) {
        line.fail("more than " + std::to_string(sim::NocTopology::kMostTrees) + " different multicasts");
      }
    }
    packets.push_back(std::move(packet));
  }
  if (packets.empty()) throw model::ConfigError(file.string(), "", "holds no packets");
  return packets;
}

void register_noc(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<NocOptions>();
  CLI::App* command = root.add_subcommand("noc", "the network on chip alone, under synthetic traffic or a trace");
  const auto number = [&](const char* name, auto& value, const char* text, std::int64_t least, std::int64_t most) {
    return command->add_option(name, value, text)->check(CLI::Range(least, most))->type_name("N");
  };
  command->add_option("--topology", options->topology, "mesh (XY routing), ring, crossbar, bus")
      ->check(CLI::IsMember(kTopologies))
      ->capture_default_str();
  number("--width", options->width, "columns of the mesh", 1, sim::NocTopology::kMostNodes);
  number("--height", options->height, "rows of the mesh", 1, sim::NocTopology::kMostNodes);
  number("--nodes", options->nodes, "nodes of a ring, crossbar or bus", 1, sim::NocTopology::kMostNodes);
  number("--router-cycles", options->router_cycles,
         "cycles of a head in a router: 2 (channel and switch bid for at once), 3 (one after the other), 4 (and route "
         "computation before)",
         2, 4)
      ->capture_default_str();
  command->add_flag("--speculative", options->speculative,
                    "with --router-cycles 3: route computation, then channel and switch at once");
  number("--vcs", options->vcs, "virtual channels of a port", 1, sim::RouterConfig::kMostVcs)->capture_default_str();
  number("--vc-buffer-flits", options->buffer_flits, "flits that a virtual channel buffers", 1,
         sim::RouterConfig::kMostBufferFlits)
      ->capture_default_str();
  number("--credit-delay", options->credit_delay, "cycles that a router takes to count a credit", 0,
         sim::RouterConfig::kMostCreditDelay)
      ->capture_default_str();
  command->add_flag("--ordered", options->ordered,
                    "packets to one destination keep one virtual channel all the way: none overtakes another");
  number("--packet-flits", options->packet_flits, "flits of a packet (synthetic traffic)", 1, kMostFlits)
      ->capture_default_str();
  command->add_option("--traffic", options->traffic, "who sends to whom")->check(CLI::IsMember(kPatterns));
  command->add_option("--rate", options->rate, "flits a node and cycle, above 0 up to 1")->type_name("RATE");
  command
      ->add_option("--mode", options->mode,
                   "latency: run on until all measured packets have arrived; throughput: only the accepted rate")
      ->check(CLI::IsMember(std::vector<std::string>{"latency", "throughput"}))
      ->capture_default_str();
  number("--warmup-cycles", options->warmup_cycles, "cycles of a run before measuring (default by rate)", 0,
         kMostWindow);
  number("--measure-cycles", options->measure_cycles, "measured cycles of a run (default by rate)", 1, kMostWindow);
  number("--runs", options->runs,
         "independent runs that are averaged (default: until the mean latency is known to 0.5 %)", 1, kMostRuns);
  command->add_option("--trace", options->trace, "packets, a line each: cycle, source, destination, flits")
      ->type_name("FILE");
  command->add_option("--packets", options->packets, "write the packets of a trace as CSV")->type_name("FILE");
  registry.add(command, [options](const CommandContext& context) { return run_noc(*options, context); });
}

}  // namespace accsim::app
