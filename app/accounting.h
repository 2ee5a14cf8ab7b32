// Where cycles went, in the words of a result: what engines waited for, conflicts by bank, and the cost model's terms
// beside the measured ones. Every list is whole: waits add up to the cycles of the states that are not compute.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "model/config/json.h"
#include "model/result/result.h"
#include "sched/cost/cost_model.h"

namespace accsim::app {

// "semaphore 2 from core 0 load", "DRAM channel 1", "bank 3 of scratchpad", "group border"
std::string wait_text(model::WaitFor what, std::int64_t index, std::int64_t giver);

// engine, state, for, cycles; by engine and state, longest first.
model::Json waits_json(const model::CoreMeasurement& core);

// One object a bank that had any: its number, and cycles by who lost them.
model::Json conflicts_json(const std::vector<model::BankConflicts>& banks);

// Busy cycles of the four kinds of engines, predicted (null without prediction) and measured.
model::Json terms_json(const sched::Prediction* prediction, const model::GroupMeasurement& group);

// Of a result: the five longest waits of all engines; with `all` every one, then conflicts and terms.
void print_waits(std::ostream& out, const model::Json& result, bool all);

}  // namespace accsim::app
