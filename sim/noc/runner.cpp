#include "sim/noc/runner.h"

#include <algorithm>
#include <cmath>

#include "model/base/error.h"

namespace accsim::sim {
namespace {

constexpr double kSaturatedLatency = 500;    // mean, cycles
constexpr double kSaturatedAccepted = 0.95;  // of what is offered

// Packets on their way and the sums over those that are measured.
class Collector {
 public:
  Collector(const NocTopology& topology, const NocLoad& load)
      : topology_(&topology), load_(&load), end_(load.warmup_cycles + load.measure_cycles) {}

  void start_run() {
    packets_.clear();
    unused_.clear();
    open_ = 0;
  }
  std::int32_t create(int source, int destination, std::int64_t now) {
    std::int32_t index;
    if (unused_.empty()) {
      index = static_cast<std::int32_t>(packets_.size());
      packets_.emplace_back();
    } else {
      index = unused_.back();
      unused_.pop_back();
    }
    const bool measured = in_window(now);
    packets_[index] = {now, 0, 0, static_cast<std::int16_t>(source), static_cast<std::int16_t>(destination), measured};
    if (measured) {
      ++open_;
      flits_created_ += load_->packet_flits;
    }
    return index;
  }

  void taken(std::int32_t, Cycles) {}
  void left(const Flit& flit, int, Cycles at) {
    if (in_window(at.value())) ++flits_left_;
    Packet& packet = packets_[flit.packet];
    if (flit.head()) packet.injected = at.value();
    packet.flit_cycles -= at.value();
  }
  void arrived(const Flit& flit, int, Cycles at) {
    if (in_window(at.value())) ++flits_arrived_;
    Packet& packet = packets_[flit.packet];
    packet.flit_cycles += at.value();
    if (!flit.tail()) return;
    if (packet.measured) count(packet, at.value());
    unused_.push_back(flit.packet);
  }

  // Takes the run's mean latency into the statistics over the runs.
  void end_run() {
    ++runs_;
    if (measured_ == measured_before_) return;
    const double mean = static_cast<double>(plat_ - plat_before_) / static_cast<double>(measured_ - measured_before_);
    const double off = mean - run_mean_;
    run_mean_ += off / static_cast<double>(runs_);
    run_squares_ += off * (mean - run_mean_);
    measured_before_ = measured_;
    plat_before_ = plat_;
  }
  [[nodiscard]] bool precise() const { return variance_of_mean() <= kPrecision * run_mean_ * (kPrecision * run_mean_); }
  [[nodiscard]] bool kept_up() const {
    return static_cast<double>(flits_arrived_) >= kSaturatedAccepted * static_cast<double>(flits_created_);
  }

  [[nodiscard]] bool open() const { return open_ > 0; }
  [[nodiscard]] double rate_left() const { return rate(flits_left_); }
  [[nodiscard]] double rate_arrived() const { return rate(flits_arrived_); }

  void finish(NocLoadResult& result) const {
    result.packets_measured = measured_;
    if (measured_ == 0) return;
    const auto n = static_cast<double>(measured_);
    result.plat_mean = static_cast<double>(plat_) / n;
    result.nlat_mean = static_cast<double>(nlat_) / n;
    result.flat_mean = static_cast<double>(flat_) / (n * load_->packet_flits);
    result.plat_error = std::sqrt(variance_of_mean());
    result.hops_mean = static_cast<double>(hops_) / n;
    result.plat_max = static_cast<std::int64_t>(histogram_.size()) - 1;
    result.plat_p50 = percentile(50);
    result.plat_p99 = percentile(99);
  }

 private:
  struct Packet {
    std::int64_t created = 0, injected = 0;
    std::int64_t flit_cycles = 0;  // sum over its flits of arrival - leave
    std::int16_t source = 0, destination = 0;
    bool measured = false;
  };

  [[nodiscard]] bool in_window(std::int64_t at) const { return at >= load_->warmup_cycles && at < end_; }
  [[nodiscard]] double rate(std::int64_t flits) const {
    return static_cast<double>(flits) / (static_cast<double>(load_->measure_cycles * runs_) * topology_->nodes());
  }
  void count(const Packet& packet, std::int64_t at) {
    --open_;
    ++measured_;
    const std::int64_t latency = at - packet.created;
    plat_ += latency;
    nlat_ += at - packet.injected;
    flat_ += packet.flit_cycles;
    hops_ += topology_->hops(packet.source, packet.destination);
    if (static_cast<std::size_t>(latency) >= histogram_.size())
      histogram_.resize(static_cast<std::size_t>(latency) + 1);
    ++histogram_[latency];
  }
  [[nodiscard]] double variance_of_mean() const {
    return runs_ < 2 ? 0 : run_squares_ / static_cast<double>(runs_ * (runs_ - 1));
  }
  // Nearest rank.
  [[nodiscard]] std::int64_t percentile(std::int64_t share) const {
    const std::int64_t rank = (measured_ * share + 99) / 100;
    std::int64_t seen = 0;
    std::size_t latency = 0;
    while ((seen += histogram_[latency]) < rank) ++latency;
    return static_cast<std::int64_t>(latency);
  }

  const NocTopology* topology_;
  const NocLoad* load_;
  std::int64_t end_;
  std::vector<Packet> packets_;
  std::vector<std::int32_t> unused_;
  std::vector<std::int64_t> histogram_;
  std::int64_t open_ = 0, measured_ = 0, plat_ = 0, nlat_ = 0, flat_ = 0, hops_ = 0;
  std::int64_t runs_ = 0, measured_before_ = 0, plat_before_ = 0;
  double run_mean_ = 0, run_squares_ = 0;  // mean of the runs' mean latencies, sum of squared distances from it
  std::int64_t flits_created_ = 0, flits_left_ = 0, flits_arrived_ = 0;
};

// Packets of a trace on their way, and what became of them.
struct TraceRecorder {
  struct Packet {
    std::int64_t taken = -1, injected = -1;
    std::vector<NocArrival> arrivals;
  };
  std::vector<Packet> packets;
  std::int64_t open = 0;  // arrivals to come

  void taken(std::int32_t packet, Cycles at) { packets[packet].taken = at.value(); }
  void left(const Flit& flit, int, Cycles at) {
    if (flit.head()) packets[flit.packet].injected = at.value();
  }
  void arrived(const Flit& flit, int node, Cycles at) {
    std::vector<NocArrival>& arrivals = packets[flit.packet].arrivals;
    if (flit.head()) {
      NocArrival arrival;
      arrival.destination = node;
      arrival.head_arrival = at.value();
      arrivals.push_back(arrival);
    }
    if (!flit.tail()) return;
    for (NocArrival& arrival : arrivals) {
      if (arrival.destination == node) arrival.tail_arrival = at.value();
    }
    --open;
  }
};

std::string shape_of(const NocTopology& topology) {
  if (topology.kind() != Topology::mesh) return std::to_string(topology.nodes());
  return std::to_string(topology.width()) + "x" + std::to_string(topology.height());
}

}  // namespace

double zero_load_latency(const RouterConfig& router, double hops, int packet_flits, bool stalls) {
  const int stall = (packet_flits - 1) / router.buffer_flits * std::max(0, router.round_trip() - router.buffer_flits);
  return 2 + (hops + 1) * (router.cycles() + 1) + (packet_flits - 1) + (stalls ? stall : 0);
}

std::string router_name(const RouterConfig& router) {
  std::string name = "R" + std::to_string(router.cycles());
  if (router.cycles() == 3 && router.speculative) name += "b";
  if (router.credit_delay > 0) name += "cd" + std::to_string(router.credit_delay);
  return name;
}

void choose_windows(NocLoad& load, int nodes) {
  constexpr double kPeriodPackets = 2000;
  constexpr double kPackets = 60'000;
  constexpr std::int64_t kThroughputCycles = 4500;
  const double packets_a_cycle = load.rate / load.packet_flits * nodes;
  const std::int64_t least = nodes <= 8 ? 2000 : nodes <= 32 ? 1200 : 700;
  const std::int64_t most = nodes <= 8 ? 20'000 : 10'000;
  const double cycles = std::min(kPeriodPackets / packets_a_cycle, static_cast<double>(most));
  const std::int64_t period = std::max(static_cast<std::int64_t>(cycles), least);
  if (load.warmup_cycles < 0) load.warmup_cycles = load.latency ? 2 * period : kThroughputCycles;
  if (load.measure_cycles < 0) load.measure_cycles = load.latency ? 3 * period : kThroughputCycles;
  const double packets = packets_a_cycle * static_cast<double>(load.measure_cycles);
  constexpr std::int64_t kMoreRuns = 4;
  if (load.most_runs < 0) load.most_runs = load.runs;
  if (load.runs < 0) {
    load.runs = static_cast<std::int64_t>(std::clamp(kPackets / packets, 8.0, 1000.0));
    load.most_runs = load.latency ? load.runs * kMoreRuns : load.runs;
  }
}

NocLoadResult run_noc_load(const NocTopology& topology, const RouterConfig& router, const NocLoad& load) {
  constexpr std::int64_t kLongestDrain = 5;  // times warm-up and measurement
  constexpr std::uint64_t kSeedStep = 0x9E3779B97F4A7C15;
  const Traffic traffic(load.pattern, topology);
  Collector collector(topology, load);
  NocLoadResult result;
  result.drained = load.latency;
  NocPacket packet;
  packet.flits = load.packet_flits;
  const std::int64_t end = load.warmup_cycles + load.measure_cycles;
  for (std::int64_t run = 0;
       run < load.runs || (run < load.most_runs && result.drained && collector.kept_up() && !collector.precise());
       ++run) {
    NocNetwork network(topology, router);
    PacketStarts starts(load.rate / load.packet_flits, topology.nodes(),
                        load.seed + static_cast<std::uint64_t>(run) * kSeedStep);
    collector.start_run();
    const std::int64_t stop = result.drained ? end * (1 + kLongestDrain) : end;
    std::int64_t now = 0;
    while (now < end || (now < stop && collector.open())) {
      while (starts.cycle() == now) {
        const int destination = traffic.destination(starts.node(), starts.random());
        packet.packet = collector.create(starts.node(), destination, now);
        packet.destination = static_cast<std::uint16_t>(destination);
        packet.ready = Cycles(now);
        network.send(starts.node(), packet, Cycles(now));
        starts.next();
      }
      network.advance(Cycles(now), collector);
      const std::int64_t next = std::min(starts.cycle(), std::max(now + 1, network.next_time().value()));
      now = now < end ? std::min(end, next) : next;
    }
    if (collector.open()) result.drained = false;
    collector.end_run();
    ++result.runs;
    result.cycles += now;
    result.traversals += network.traversals();
  }
  result.accepted = collector.rate_arrived();
  result.injected = collector.rate_left();
  if (result.drained) collector.finish(result);
  const bool stable =
      collector.kept_up() && (!load.latency || (result.drained && result.plat_mean <= kSaturatedLatency));
  result.status = stable ? "stable" : !load.latency && load.rate >= 1 ? "overload" : "saturated";
  return result;
}

model::Json noc_load_row(const NocTopology& topology, const RouterConfig& router, const NocLoad& load,
                         const NocLoadResult& result) {
  const Traffic traffic(load.pattern, topology);
  const auto known = [&](auto value) {
    return result.drained && result.packets_measured > 0 ? model::Json(value) : model::Json(nullptr);
  };
  return {{"mesh", shape_of(topology)},
          {"router", router_name(router)},
          {"num_vcs", router.vcs},
          {"vc_buf_size", router.buffer_flits},
          {"packet_size", load.packet_flits},
          {"traffic", kTrafficNames[static_cast<std::size_t>(load.pattern)]},
          {"frac_of_ideal", load.rate / traffic.ideal_rate()},
          {"offered", load.rate},
          {"accepted", result.accepted},
          {"injected", result.injected},
          {"plat_mean", known(result.plat_mean)},
          {"nlat_mean", known(result.nlat_mean)},
          {"flat_mean", known(result.flat_mean)},
          {"plat_p50", known(result.plat_p50)},
          {"plat_p99", known(result.plat_p99)},
          {"plat_max", known(result.plat_max)},
          {"hops_mean", known(result.hops_mean)},
          {"packets_measured", result.packets_measured},
          {"status", result.status},
          {"measure_cycles", load.measure_cycles},
          {"warmup_cycles", load.warmup_cycles},
          {"runs", result.runs},
          {"plat_standard_error", known(result.plat_error)},
          {"ideal_sat", traffic.ideal_rate()},
          {"hops_ideal", traffic.mean_hops()},
          {"zero_load_formula", zero_load_latency(router, traffic.mean_hops(), load.packet_flits, true)},
          {"cycles", result.cycles},
          {"flit_router_traversals", result.traversals}};
}

NocTraceResult run_noc_trace(NocTopology& topology, const RouterConfig& router,
                             const std::vector<TracePacket>& packets) {
  std::vector<std::int32_t> order(packets.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return packets[a].cycle < packets[b].cycle; });
  NocNetwork network(topology, router);
  TraceRecorder recorder;
  recorder.packets.resize(packets.size());
  std::size_t next = 0;
  std::int64_t now = packets.empty() ? 0 : packets[order.front()].cycle;
  while (next < order.size() || recorder.open > 0) {
    for (; next < order.size() && packets[order[next]].cycle == now; ++next) {
      const TracePacket& from = packets[order[next]];
      NocPacket packet;
      packet.packet = order[next];
      packet.flits = from.flits;
      packet.ready = Cycles(now);
      packet.destination = static_cast<std::uint16_t>(
          from.destinations.size() == 1 ? from.destinations.front()
                                        : Flit::kMulticast + topology.add_multicast(from.source, from.destinations));
      recorder.open += static_cast<std::int64_t>(from.destinations.size());
      network.send(from.source, packet, Cycles(now));
    }
    network.advance(Cycles(now), recorder);
    const std::int64_t packet_at = next < order.size() ? packets[order[next]].cycle : kNever.value();
    now = std::min(packet_at, std::max(now + 1, network.next_time().value()));
    if (now == kNever.value() && recorder.open > 0) throw model::InternalError("the network stands still");
  }

  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    const std::int64_t taken_a = recorder.packets[a].taken;
    const std::int64_t taken_b = recorder.packets[b].taken;
    return taken_a != taken_b ? taken_a < taken_b : packets[a].source < packets[b].source;
  });
  NocTraceResult result;
  result.packets = static_cast<std::int64_t>(packets.size());
  std::int64_t plat = 0;
  std::int64_t nlat = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    TraceRecorder::Packet& packet = recorder.packets[order[i]];
    const TracePacket& from = packets[order[i]];
    result.flits += from.flits;
    std::sort(packet.arrivals.begin(), packet.arrivals.end(),
              [](const NocArrival& a, const NocArrival& b) { return a.destination < b.destination; });
    for (NocArrival arrival : packet.arrivals) {
      arrival.packet = static_cast<std::int64_t>(i);
      arrival.source = from.source;
      arrival.flits = from.flits;
      arrival.created = from.cycle;
      arrival.injected = packet.injected;
      arrival.hops = topology.hops(from.source, arrival.destination);
      const std::int64_t latency = arrival.tail_arrival - arrival.created;
      plat += latency;
      nlat += arrival.tail_arrival - arrival.injected;
      result.max_plat = std::max(result.max_plat, latency);
      result.last_arrival = std::max(result.last_arrival, arrival.tail_arrival);
      result.mean_zero_load += zero_load_latency(router, arrival.hops, from.flits, false);
      result.arrivals.push_back(arrival);
    }
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, result.arrivals.size()));
  result.mean_plat = static_cast<double>(plat) / n;
  result.mean_nlat = static_cast<double>(nlat) / n;
  result.mean_zero_load /= n;
  result.traversals = network.traversals();
  return result;
}

model::Json noc_trace_row(const NocTopology& topology, const RouterConfig& router, const NocTraceResult& result) {
  return {{"mesh", shape_of(topology)},
          {"router", router_name(router)},
          {"num_vcs", router.vcs},
          {"vc_buf_size", router.buffer_flits},
          {"packets", result.packets},
          {"flits", result.flits},
          {"last_arrival_cycle", result.last_arrival},
          {"mean_plat", result.mean_plat},
          {"mean_nlat", result.mean_nlat},
          {"mean_zero_load", result.mean_zero_load},
          {"max_plat", result.max_plat},
          {"flit_router_traversals", result.traversals}};
}

std::string to_line(const NocArrival& arrival) {
  std::string line;
  for (const std::int64_t value :
       {arrival.packet, std::int64_t{arrival.source}, std::int64_t{arrival.destination}, std::int64_t{arrival.flits},
        arrival.created, arrival.injected, arrival.head_arrival, arrival.tail_arrival, std::int64_t{arrival.hops},
        arrival.tail_arrival - arrival.created, arrival.tail_arrival - arrival.injected}) {
    if (!line.empty()) line += ',';
    line += std::to_string(value);
  }
  return line;
}

}  // namespace accsim::sim
