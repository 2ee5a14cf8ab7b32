// The analytical cost model: features that are kept apart, a non-negative coefficient on each, and how they combine
// into cycles and energy. The coefficients that ship follow from the datasheet figures in the architecture; calibration
// refits them from measured terms (sched/calibrate).
//   engine  = sum of its features, each times its coefficient
//   cycles  = start_up + body + drain
//   body    = longest + exposed * (sum of array, vector and memory - longest)
//   longest = max(array, vector, memory), memory = max(load, store, shared DRAM); of each engine only what start_up and
//   drain
//             do not cover already (the first tile's loads; the last pass, vector operation and store)
// All coefficients are >= 0 and the result never falls when a feature grows, so that pruning by bounds stays exact.
// Formulas: docs/cost-model.md.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/arch/arch.h"
#include "model/result/result.h"
#include "model/schedule/schedule.h"
#include "model/workload/loop_nest.h"
#include "sched/cost/machine_rates.h"

namespace accsim::sched {

// Features of one group (all in core cycles at coefficient 1 unless the name says otherwise). The same terms exist in a
// measurement (model::GroupMeasurement), so that a residual can be blamed on a term.
enum class Feature : std::uint8_t {
  array_cycles,     // issue intervals of all passes, port-bound ones stretched
  array_passes,     // number of passes: one issue cycle each
  array_conflicts,  // cycles lost where the DMA moves tiles in banks that the array streams from
  vector_cycles,
  vector_operations,  // number of instructions
  load_bytes_long,    // DRAM burst bytes in runs of at least kLongRunBytes, as cycles at the core's best rate,
                      // longer where the pattern of addresses keeps the DRAM from it
  load_bytes_short,   // shorter runs
  load_on_chip,       // bursts from scratchpads and global buffer, as cycles
  load_descriptors,   // issue, and latency that the DMA channels cannot hide
  store_bytes_long,
  store_bytes_short,
  store_on_chip,
  store_descriptors,
  start_up,  // cycles until the array can start: the first tiles' loads and one DRAM latency
  drain      // cycles after the last load: last pass, last vector operation, last store
};
inline constexpr std::size_t kFeatures = 15;
std::string_view name_of(Feature feature);

using FeatureVector = std::array<double, kFeatures>;
inline double& at(FeatureVector& v, Feature f) { return v[static_cast<std::size_t>(f)]; }
inline const double& at(const FeatureVector& v, Feature f) { return v[static_cast<std::size_t>(f)]; }

using BlockEnergies = std::array<double, model::kEnergyBlocks>;  // by model::EnergyBlock

struct CostCoefficients {   // all >= 0
  FeatureVector cycles;     // multiplies each feature
  double shared_dram = 1;   // multiplies the time that loads and stores together hold the DRAM
  double exposed = 0;       // part of the shorter engines' time that the longest one does not hide
  BlockEnergies energy;     // multiplies each block's predicted energy; DRAM: of its commands
  double dram_standby = 1;  // multiplies the DRAM's standby and refresh energy
  CostCoefficients() {
    cycles.fill(1.0);
    energy.fill(1.0);
  }
  bool operator==(const CostCoefficients&) const = default;
};

// What a group's counts say before any coefficient.
struct GroupFeatures {
  FeatureVector cycles{};
  // Parts of the engines' cycles that start_up and drain cover, 0 to 1.
  double load_first = 0, array_last = 0, vector_last = 0, store_last = 0;
  double load_share = 1, store_share = 1;  // of the DRAM's rate that the core's load and store queues take
  double load_shared = 0;                  // part of the loads that one core makes for all
  double home_cycles = 0;     // that all cores together hold the ports of the memories where tensors live on the chip
  bool serial = false;        // a ring of one buffer that is refilled: engines take turns
  BlockEnergies action_pj{};  // without leakage and DRAM standby, which follow from the cycles
};

struct Prediction {
  GroupFeatures group;
  double array = 0, vector = 0, load = 0, store = 0;  // busy cycles of the engines of all cores, coefficients applied
  double cycles = 0;
  BlockEnergies energy_pj{};
  std::string_view bound_by;  // "dram", "array", "vector"
  [[nodiscard]] double total_energy_pj() const;
};

// How the engines' cycles become a group's.
struct EngineCycles {
  double array = 0, vector = 0, load = 0, store = 0;  // busy
  double memory = 0;   // of the body: the longer of load, store and both at the shared DRAM
  double longest = 0;  // of the body
  double hidden = 0;   // of the body: what runs beside the longest
  double cycles = 0;   // start_up + longest + exposed * hidden + drain
  std::string_view bound_by;
};
EngineCycles engine_cycles(const CostCoefficients& coefficients, const GroupFeatures& features);

// Where tensors live that are not in DRAM, by storage root.
struct TensorHome {
  model::Home home = model::Home::dram;
  std::int64_t piece_bytes = 0;  // of the largest piece
  double pieces = 1;
};
using TensorHomes = std::map<model::TensorId, TensorHome>;

// What a search of mappings is told of the rest of the schedule.
struct Placement {
  TensorHomes homes;
  std::int64_t scratchpad_bytes = INT64_MAX;  // of each core that buffers may take, where its scratchpad has more
};
TensorHomes homes_of(const model::Schedule& schedule, const model::Network& network, const model::Architecture& arch);
TensorHome home_of(const model::Tensor& root, model::Home home, const model::Architecture& arch);

// Cores that share tiles wait for the slowest of them, and behind what the first one loads for all stand its own loads:
// the model knows nothing of either. A multicast is taken only where its cycles, made longer by this, are still worth
// it: docs/strategies.md has what that gives.
inline constexpr double kMulticastWaiting = 1.2;

class CostModel {
 public:
  explicit CostModel(const model::Architecture& arch, CostCoefficients coefficients = {});
  [[nodiscard]] const model::Architecture& arch() const { return *arch_; }
  [[nodiscard]] const CostCoefficients& coefficients() const { return coefficients_; }
  // One operator (all nests of it) with this mapping, alone on one core, or split over several: then the cycles are
  // those of the core that takes longest, beside the others. Operands and result are in DRAM where `homes` does not
  // say otherwise.
  [[nodiscard]] Prediction predict(const model::Network& network, model::OpId op, const model::OperatorMapping& mapping,
                                   const model::CoreConfig& core) const;
  [[nodiscard]] Prediction predict(const model::Network& network, model::OpId op, const model::OperatorMapping& mapping,
                                   const std::vector<std::int64_t>& cores, const std::string& split,
                                   const TensorHomes& homes = {}) const;
  // A group of a schedule, of one operator or of several that run fused.
  // `places`: positions in the group's cores that are looked at, the others doing what these do; empty = all.
  [[nodiscard]] Prediction predict(const model::Network& network, const model::Group& group,
                                   const TensorHomes& homes = {}, std::vector<std::size_t> places = {}) const;
  // Applies the coefficients to features that were computed before.
  [[nodiscard]] Prediction combine(const GroupFeatures& features) const;
  [[nodiscard]] MachineRates rates(const model::CoreConfig& core) const { return machine_rates(*arch_, dram_, core); }
  // The same with several cores at work, each on its share: the DRAM's rate is divided among them.
  [[nodiscard]] MachineRates rates(const model::CoreConfig& core, std::size_t cores) const;

  // cycles and total energy alone, for searches.
  struct Figures {
    double cycles = 0;
    double energy_pj = 0;
  };
  [[nodiscard]] Figures figures(const GroupFeatures& features) const;
  // pJ a core cycle: leakage of the whole chip; standby and refresh of the DRAM.
  [[nodiscard]] double leakage_pj_cycle() const { return leakage_pj_cycle_; }
  [[nodiscard]] double standby_pj_cycle() const { return dram_.standby_pj_cycle; }

 private:
  // The features of what the core at a place of the group does.
  template <class FeaturesOf>
  [[nodiscard]] Prediction longest_of(const std::vector<std::int64_t>& cores, const std::vector<std::size_t>& places,
                                      FeaturesOf features_of) const;

  void fill_multicast();

  const model::Architecture* arch_;
  CostCoefficients coefficients_;
  DramRates dram_;
  double leakage_pj_cycle_ = 0;
  std::vector<double> multicast_pj_;  // of a burst, by the number of cores that take it
};

}  // namespace accsim::sched
