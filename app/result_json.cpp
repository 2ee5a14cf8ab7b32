#include "app/result_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "app/accounting.h"
#include "app/output.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/result/bound.h"

namespace accsim::app {
namespace {

constexpr double kPercent = 100.0;

constexpr std::array kStates{model::CycleState::compute,   model::CycleState::operand_stall,
                             model::CycleState::dram_wait, model::CycleState::noc_wait,
                             model::CycleState::sync_wait, model::CycleState::idle};
static_assert(kStates.size() == model::kCycleStates);

constexpr std::array kBlocks{
    model::EnergyBlock::array,       model::EnergyBlock::vector,        model::EnergyBlock::scratchpad,
    model::EnergyBlock::accumulator, model::EnergyBlock::global_buffer, model::EnergyBlock::noc,
    model::EnergyBlock::dma,         model::EnergyBlock::dram,          model::EnergyBlock::leakage};
static_assert(kBlocks.size() == model::kEnergyBlocks);

double relative_pct(double difference, double reference) {
  return reference > 0 ? kPercent * difference / reference : 0.0;
}

// Index of the schedule's group that a measured group stands for.
std::size_t group_index(const model::Schedule& schedule, std::int64_t id) {
  for (std::size_t i = 0; i < schedule.groups.size(); ++i) {
    if (schedule.groups[i].id.value() == id) return i;
  }
  throw model::InternalError("a group was measured that the schedule does not have: " + std::to_string(id));
}

model::Json cycles_by_state(const model::CycleAccount& account) {
  model::Json json = model::Json::object();
  for (const model::CycleState state : kStates) json[std::string(model::name_of(state))] = account[state].value();
  return json;
}

model::Json json_of(const CheckedTensor& tensor) {
  return {{"tensor", tensor.name},
          {"elements", tensor.elements},
          {"distinct", tensor.distinct},
          {"required", tensor.required}};
}

model::Json json_of(const Mismatch& mismatch) {
  model::Json json = {{"tensor", mismatch.tensor},   {"elements", mismatch.elements},  {"coordinate", model::Json()},
                      {"expected", model::Json()},   {"found", model::Json()},         {"group", model::Json()},
                      {"written_by", model::Json()}, {"message", message_of(mismatch)}};
  if (mismatch.found) {
    json["coordinate"] = mismatch.coordinate;
    json["expected"] = mismatch.expected;
    json["found"] = *mismatch.found;
  }
  if (mismatch.group) json["group"] = mismatch.group->value();
  if (mismatch.writer) {
    const Mismatch::Writer& writer = *mismatch.writer;
    json["written_by"] = {{"core", writer.core.value()}, {"queue", model::name_of(writer.queue)},
                          {"instruction", writer.index}, {"kind", writer.kind},
                          {"layer", writer.layer},       {"tile", writer.tile}};
  }
  return json;
}

model::Json verify_json(const std::optional<DataReport>& report) {
  if (!report) return {{"checked", false}, {"tensors", 0}, {"mismatches", 0}};
  model::Json json = {{"checked", true},
                      {"tensors", report->tensors.size()},
                      {"mismatches", report->mismatches},
                      {"elements", report->elements}};
  const CheckedTensor* fewest = report->fewest();
  json["fewest_distinct"] = fewest != nullptr ? json_of(*fewest) : model::Json();
  json["by_tensor"] = model::Json::array();
  for (const CheckedTensor& tensor : report->tensors) json["by_tensor"].push_back(json_of(tensor));
  json["mismatched"] = model::Json::array();
  for (const Mismatch& mismatch : report->mismatched) json["mismatched"].push_back(json_of(mismatch));
  return json;
}

model::Json groups_json(const Inputs& inputs, const RunOutcome& outcome) {
  model::Json groups = model::Json::array();
  for (const model::GroupMeasurement& measured : outcome.measurement.groups) {
    const std::size_t i = group_index(outcome.schedule, measured.id);
    groups.push_back(
        {{"id", measured.id},
         {"layers", layer_names_of(inputs, outcome.schedule.groups[i])},
         {"cores", outcome.schedule.groups[i].cores},
         {"start_cycle", measured.start.value()},
         {"end_cycle", measured.end.value()},
         {"predicted_cycles",
          outcome.predictions.empty() ? model::Json() : model::Json(std::llround(outcome.predictions[i].cycles))},
         {"measured_cycles", measured.cycles.value()},
         {"engine_cycles", terms_json(outcome.predictions.empty() ? nullptr : &outcome.predictions[i], measured)},
         {"energy_pj", picojoules(measured.energy.total())},
         {"bound_by", measured.bound_by}});
  }
  return groups;
}

model::Json cores_json(const model::Measurement& measurement) {
  model::Json cores = model::Json::array();
  for (const model::CoreMeasurement& core : measurement.cores) {
    cores.push_back({{"id", core.id},
                     {"cycles_by_state", cycles_by_state(core.core)},
                     {"engines",
                      {{"load", cycles_by_state(core.load)},
                       {"array", cycles_by_state(core.array)},
                       {"vector", cycles_by_state(core.vector)},
                       {"store", cycles_by_state(core.store)}}},
                     {"waits", waits_json(core)},
                     {"bank_conflict_cycles",
                      {{"scratchpad", conflicts_json(core.scratchpad_banks)},
                       {"accumulator", conflicts_json(core.accumulator_banks)}}}});
  }
  return cores;
}

model::Json optional_json(const std::optional<sched::PredictionErrors>& errors,
                          double sched::PredictionErrors::*member) {
  return errors ? model::Json((*errors).*member) : model::Json();
}

model::Json calibration_json(const std::vector<CalibrationEntry>& entries) {
  model::Json list = model::Json::array();
  for (const CalibrationEntry& entry : entries) {
    list.push_back(
        {{"iteration", entry.iteration},
         {"latency_mape_pct", entry.latency_mape_pct},
         {"energy_mape_pct", entry.energy_mape_pct},
         {"kendall_tau", entry.kendall_tau ? model::Json(*entry.kendall_tau) : model::Json()},
         {"regret_pct", entry.regret_pct},
         {"edp_pj_ns", entry.edp_pj_ns},
         {"candidates", entry.candidates},
         {"latency_mape_before_fit_pct", optional_json(entry.before, &sched::PredictionErrors::latency_mape_pct)},
         {"latency_mape_after_fit_pct", optional_json(entry.fitted, &sched::PredictionErrors::latency_mape_pct)},
         {"energy_mape_before_fit_pct", optional_json(entry.before, &sched::PredictionErrors::energy_mape_pct)},
         {"energy_mape_after_fit_pct", optional_json(entry.fitted, &sched::PredictionErrors::energy_mape_pct)},
         {"decision", entry.decision},
         {"change_pct", entry.change_pct ? model::Json(*entry.change_pct) : model::Json()}});
  }
  return list;
}

template <class T, class Text>
std::string joined(const std::vector<T>& items, const Text& text) {
  std::string out;
  for (const T& item : items) out += (out.empty() ? "" : ";") + text(item);
  return out;
}

}  // namespace

double picojoules(model::Femtojoules energy) {
  constexpr double kFemtoPerPico = 1000.0;
  return static_cast<double>(energy.value()) / kFemtoPerPico;
}

double edp_pj_ns(const model::Measurement& measurement) {
  return picojoules(measurement.energy.total()) * measurement.latency_ns;
}

std::vector<std::string> layer_names_of(const Inputs& inputs, const model::Group& group) {
  std::vector<std::string> names;
  for (const std::string& layer : group.layers) {
    const auto& operators = inputs.network.operators;
    const auto op = std::find_if(operators.begin(), operators.end(),
                                 [&](const model::Operator& candidate) { return candidate.name == layer; });
    if (op == operators.end()) throw model::InternalError("a group has a layer that the network does not: " + layer);
    for (std::string& name : op->layer_names()) names.push_back(std::move(name));
  }
  return names;
}

CalibrationEntry entry_of(int iteration, const sched::CalibrationReport& report) {
  CalibrationEntry entry;
  entry.iteration = iteration;
  entry.latency_mape_pct = report.errors.latency_mape_pct;
  entry.energy_mape_pct = report.errors.energy_mape_pct;
  entry.kendall_tau = report.kendall_tau;
  entry.regret_pct = report.regret_pct;
  entry.edp_pj_ns = report.edp_pj_ns;
  entry.candidates = static_cast<std::int64_t>(report.schedules);
  return entry;
}

CalibrationEntry entry_before_any_fit(const Inputs& inputs, const RunOutcome& outcome,
                                      const sched::CostCoefficients& coefficients) {
  sched::Calibrator calibrator(inputs.arch, coefficients);
  calibrator.add(outcome.predictions, outcome.measurement);
  return entry_of(0, calibrator.report(outcome.objective));
}

model::Json result_json(const Inputs& inputs, const RunOutcome& outcome) {
  const model::Measurement& measured = outcome.measurement;
  const double energy = picojoules(measured.energy.total());
  const auto cycles = static_cast<double>(measured.cycles.value());
  double predicted_cycles = 0;
  double predicted_energy = 0;
  for (const sched::Prediction& prediction : outcome.predictions) {
    predicted_cycles += prediction.cycles;
    predicted_energy += prediction.total_energy_pj();
  }
  model::Json breakdown = model::Json::object();
  for (const model::EnergyBlock block : kBlocks) {
    breakdown[std::string(model::name_of(block))] = picojoules(measured.energy[block]);
  }
  const model::NetworkBound bound = model::physical_bound(inputs.arch, inputs.network);
  const model::Cycles reachable =
      model::reachable_bound(inputs.arch, inputs.network, sustained_bytes_per_cycle(inputs.arch));
  const double peak_macs = static_cast<double>(inputs.arch.peak_macs_per_cycle()) * cycles;
  const double evaluated = outcome.candidates > 0 ? std::log10(static_cast<double>(outcome.candidates)) : 0.0;

  const bool predicted = !outcome.predictions.empty();
  const auto if_predicted = [&](auto figure) { return predicted ? model::Json(figure) : model::Json(); };
  return {{"schema", "accsim-result/1"},
          {"arch", inputs.arch.name},
          {"net", inputs.network.name},
          {"strategy", outcome.strategy},
          {"objective", sched::name_of(outcome.objective)},
          {"seed", outcome.seed},
          {"cycles", measured.cycles.value()},
          {"latency_ns", measured.latency_ns},
          {"energy_pj", energy},
          {"edp_pj_ns", edp_pj_ns(measured)},
          {"macs", measured.macs.value()},
          {"mac_utilization", peak_macs > 0 ? static_cast<double>(measured.macs.value()) / peak_macs : 0.0},
          {"energy_breakdown_pj", breakdown},
          {"bound", {{"cycles", bound.cycles.value()}, {"energy_pj", bound.energy_pj}}},
          {"bound_reachable", {{"cycles", reachable.value()}}},
          {"predicted",
           {{"cycles", if_predicted(std::llround(predicted_cycles))},
            {"energy_pj", if_predicted(predicted_energy)},
            {"latency_error_pct", if_predicted(relative_pct(predicted_cycles - cycles, cycles))},
            {"energy_error_pct", if_predicted(relative_pct(predicted_energy - energy, energy))}}},
          {"groups", groups_json(inputs, outcome)},
          {"cores", cores_json(measured)},
          {"dram",
           {{"bytes_read", measured.dram.bytes_read.value()},
            {"bytes_written", measured.dram.bytes_written.value()},
            {"row_hit_rate", measured.dram.row_hit_rate},
            {"bandwidth_gb_s", measured.dram.bandwidth_gb_s},
            {"peak_gb_s", measured.dram.peak_gb_s},
            {"energy_pj", picojoules(measured.dram.energy)}}},
          {"global_buffer", {{"bank_conflict_cycles", conflicts_json(measured.global_buffer_banks)}}},
          {"noc", {{"bytes", measured.noc.bytes.value()}, {"max_link_utilization", measured.noc.max_link_utilization}}},
          {"search",
           {{"candidates", outcome.candidates},
            {"mapspace_log10", outcome.mapspace_log10},
            {"evaluated_log10", evaluated},
            {"exact", outcome.exact}}},
          {"calibration", calibration_json(outcome.calibration)},
          {"verify", verify_json(outcome.data)}};
}

model::Json run_host(const CommandContext& context, double search_seconds, const MeasurerTotals& totals) {
  const auto rate = [&](std::int64_t count) {
    return totals.cpu_seconds > 0 ? static_cast<double>(count) / totals.cpu_seconds : 0.0;
  };
  const model::Json common = host_object(context);
  model::Json host = {{"version", common.at("version")},
                      {"git", common.at("git")},
                      {"jobs", common.at("jobs")},
                      {"search_seconds", search_seconds},
                      {"simulation_seconds", totals.cpu_seconds},
                      {"cycles_per_second", rate(totals.cycles)},
                      {"bursts_per_second", rate(totals.bursts)},
                      {"simulations", totals.simulations},
                      {"from_store", totals.from_store}};
  for (const auto& [key, value] : common.items()) {
    if (!host.contains(key)) host[key] = value;
  }
  return host;
}

std::string layers_csv(const Inputs& inputs, const RunOutcome& outcome) {
  std::string csv =
      "group,layers,cores,start_cycle,end_cycle,predicted_cycles,measured_cycles,predicted_energy_pj,energy_pj,bound_"
      "by,"
      "macs,array_busy_cycles,array_stall_cycles,vector_busy_cycles,vector_stall_cycles,load_busy_cycles,store_busy_"
      "cycles,"
      "array_instructions,vector_instructions,load_instructions,store_instructions,"
      "dram_read_bytes,dram_written_bytes,useful_read_bytes,useful_written_bytes\n";
  const auto same = [](const std::string& name) { return name; };
  const auto number = [](std::int64_t n) { return std::to_string(n); };
  for (const model::GroupMeasurement& group : outcome.measurement.groups) {
    const std::size_t i = group_index(outcome.schedule, group.id);
    constexpr int kDecimals = 3;
    std::string cycles;
    std::string energy;
    if (!outcome.predictions.empty()) {
      cycles = number(std::llround(outcome.predictions[i].cycles));
      energy = fixed(outcome.predictions[i].total_energy_pj(), kDecimals);
    }
    const std::vector<std::string> cells{number(group.id),
                                         csv_cell(joined(layer_names_of(inputs, outcome.schedule.groups[i]), same)),
                                         joined(outcome.schedule.groups[i].cores, number),
                                         number(group.start.value()),
                                         number(group.end.value()),
                                         cycles,
                                         number(group.cycles.value()),
                                         energy,
                                         fixed(picojoules(group.energy.total()), kDecimals),
                                         group.bound_by,
                                         number(group.macs.value()),
                                         number(group.array_busy.value()),
                                         number(group.array_stall.value()),
                                         number(group.vector_busy.value()),
                                         number(group.vector_stall.value()),
                                         number(group.load_busy.value()),
                                         number(group.store_busy.value()),
                                         number(group.array_instructions),
                                         number(group.vector_instructions),
                                         number(group.load_instructions),
                                         number(group.store_instructions),
                                         number(group.dram_read.value()),
                                         number(group.dram_written.value()),
                                         number(group.useful_read.value()),
                                         number(group.useful_written.value())};
    for (std::size_t cell = 0; cell < cells.size(); ++cell) csv += (cell == 0 ? "" : ",") + cells[cell];
    csv += '\n';
  }
  return csv;
}

}  // namespace accsim::app
