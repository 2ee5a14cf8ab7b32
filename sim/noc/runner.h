// Runs a network alone and measures: synthetic traffic at a rate, or a list of packets; the machine behind `accsim
// noc`. Names and definitions of the figures are those of the reference (docs/noc.md). Leaves out: what sits at the
// nodes; they take every flit at once.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "sim/noc/network.h"
#include "sim/noc/traffic.h"

namespace accsim::sim {

// Cycles from a packet's creation in an idle network to its last flit's arrival: 2 + (h+1)(tr+1) + (L-1), with h links
// between routers, tr router cycles, L flits; `stalls` adds floor((L-1)/B) max(0, R-B) where the credit's round trip R
// is longer than the buffer B.
double zero_load_latency(const RouterConfig& router, double hops, int packet_flits, bool stalls);
// "R2", "R3", "R3b" (3 cycles, speculative), "R4"; "cd2" added where the credit delay is 2.
std::string router_name(const RouterConfig& router);

struct NocLoad {
  TrafficPattern pattern = TrafficPattern::uniform;
  double rate = 0;  // flits a node and cycle offered
  int packet_flits = 4;
  bool latency = true;  // measure latencies: run on until all packets created in the measured cycles have arrived
  std::uint64_t seed = 1;
  // Independent runs, each from an empty network, and their cycles; -1: chosen by choose_windows.
  std::int64_t warmup_cycles = -1;
  std::int64_t measure_cycles = -1;
  std::int64_t runs = -1;
  std::int64_t most_runs = -1;  // more than `runs` as long as the mean latency is not known to kPrecision
};
inline constexpr double kPrecision = 0.005;  // standard error over the runs, of the mean
// Fills in what is -1. Near saturation the mean latency depends on how long one looks, so a run looks as long as a run
// of the reference: a period is 2000 packets long, but no shorter than 2000 cycles (up to 8 nodes), 1200 (up to 32) or
// 700, and no longer than 20,000 (up to 8 nodes) or 10,000; two periods are warm-up, three are measured (without
// latencies 4500 cycles each). As many runs as give 60,000 packets, 8 to 1000, and up to eight times as many for the
// precision; none more where `runs` was given.
void choose_windows(NocLoad& load, int nodes);

struct NocLoadResult {
  double accepted = 0, injected = 0;  // flits a node and cycle in the measured cycles
  // Of the packets created in the measured cycles, where all arrived: last flit's arrival from creation (plat), from
  // the head's leave (nlat); a flit's arrival from its own leave (flat).
  bool drained = false;
  double plat_mean = 0, nlat_mean = 0, flat_mean = 0, hops_mean = 0;
  std::int64_t plat_p50 = 0, plat_p99 = 0, plat_max = 0;
  double plat_error = 0;  // standard error of plat_mean over the runs
  std::int64_t packets_measured = 0;
  std::int64_t runs = 0;
  std::string status;  // stable; saturated: accepted below 0.95 of what was created, or mean latency above 500 cycles,
                       // or not drained; overload: all that can be offered, latencies not asked for
  std::int64_t cycles = 0;
  std::int64_t traversals = 0;  // flits through routers
};
NocLoadResult run_noc_load(const NocTopology& topology, const RouterConfig& router, const NocLoad& load);
// The reference's columns.
model::Json noc_load_row(const NocTopology& topology, const RouterConfig& router, const NocLoad& load,
                         const NocLoadResult& result);

struct TracePacket {
  std::int64_t cycle = 0;
  int source = 0;
  std::vector<int> destinations;  // several: multicast
  int flits = 1;
};
// One packet's arrival at one destination.
struct NocArrival {
  std::int64_t packet = 0;  // numbered in the order in which the sources turn to them: cycle, then node
  int source = 0, destination = 0, flits = 0;
  std::int64_t created = 0, injected = 0, head_arrival = 0, tail_arrival = 0;
  int hops = 0;
};
struct NocTraceResult {
  std::vector<NocArrival> arrivals;  // by packet, then by destination
  std::int64_t packets = 0, flits = 0;
  std::int64_t last_arrival = 0;
  double mean_plat = 0, mean_nlat = 0, mean_zero_load = 0;
  std::int64_t max_plat = 0;
  std::int64_t traversals = 0;
};
// Packets in any order; those of one source and cycle leave in theirs. Adds the multicast trees to the topology.
NocTraceResult run_noc_trace(NocTopology& topology, const RouterConfig& router,
                             const std::vector<TracePacket>& packets);
model::Json noc_trace_row(const NocTopology& topology, const RouterConfig& router, const NocTraceResult& result);
// A line of CSV (without newline) for one arrival, and its header.
inline constexpr char kNocPacketHeader[] = "pid,src,dst,size,ctime,itime,head_atime,tail_atime,hops,plat,nlat";
std::string to_line(const NocArrival& arrival);

}  // namespace accsim::sim
