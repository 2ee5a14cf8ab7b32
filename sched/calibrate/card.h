// A calibration card (accsim-calibration/1): coefficients of the cost model and where they come from.
// It holds for the very architecture that it was fitted on, told by a hash of the resolved file without its comments,
// and for this version of the cost model's features; for others it is refused. Leaves out: families of architectures.
#pragma once
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/config/json.h"
#include "sched/calibrate/calibrator.h"

namespace accsim::sched {

inline constexpr std::int64_t kCostModelVersion = 1;  // raised whenever a feature changes its meaning

struct CalibrationCard {
  std::int64_t version = kCostModelVersion;
  std::string arch;       // name
  std::string arch_hash;  // of architecture_hash()
  CostCoefficients coefficients;
  // Provenance
  std::vector<std::string> nets;  // that were run
  std::int64_t schedules = 0;     // measured
  std::int64_t groups = 0;
  PredictionErrors before;  // of the coefficients that the fit started with, and of these, over all groups measured
  PredictionErrors after;
};

// 16 hexadecimal digits.
std::string architecture_hash(const model::Architecture& arch);

model::Json to_json(const CalibrationCard& card);
// Strict: ConfigError on anything unknown, missing, negative or of the wrong type.
CalibrationCard parse_card(const model::Json& json, const std::string& file);
// ConfigError naming the reason where the card does not hold for this architecture or this version.
const CostCoefficients& coefficients_for(const CalibrationCard& card, const model::Architecture& arch,
                                         const std::string& file);

}  // namespace accsim::sched
