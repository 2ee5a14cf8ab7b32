// What `accsim map` says of mappings: JSON and tables.
#pragma once
#include <string>
#include <vector>

#include "model/config/json.h"
#include "sched/mapping/search.h"

namespace accsim::app {

struct MapQuestion {
  sched::MapHierarchy hierarchy;
  sched::MapProblem problem;
  sched::KeepRules rules;
  sched::MapConstraints constraints;
  model::Json machine_constraints = nullptr;
};

// Whole numbers as integers, so that they read as counts.
model::Json number(double value);
// The level whose bandwidth takes as many cycles as the mapping, "compute" where the arithmetic does.
std::string bound_by(const MapQuestion& in, const sched::Evaluation& e);
void print_evaluation(const MapQuestion& in, const sched::MapPoint& point);
// Where the two differ: energy of each part, and what bounds the cycles.
model::Json explain_json(const MapQuestion& in, const sched::MapPoint& best, const sched::MapPoint& other);
void print_explanation(const model::Json& explain, const sched::Evaluation& best, const sched::Evaluation& other);
// Figures, accesses and nest of one mapping.
model::Json point_json(const MapQuestion& in, const sched::MapPoint& point);
void print_front(const MapQuestion& in, const std::vector<sched::MapPoint>& points);

}  // namespace accsim::app
