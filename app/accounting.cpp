#include "app/accounting.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include "app/output.h"
#include "app/table.h"
#include "model/base/error.h"
#include "model/program/program.h"

namespace accsim::app {
namespace {

std::string giver_text(std::int64_t giver) {
  if (giver == model::kNoGiver) return "";
  if (giver == model::kSeveralGivers) return " from several queues";
  const auto engines = static_cast<std::int64_t>(model::kQueues.size());
  return " from core " + std::to_string(giver / engines) + " " +
         std::string(model::name_of(model::kQueues[static_cast<std::size_t>(giver % engines)]));
}

struct PrintedWait {
  std::int64_t core;
  model::Json wait;
};

std::vector<PrintedWait> waits_of(const model::Json& result, bool all) {
  std::vector<PrintedWait> waits;
  for (const auto& core : result.at("cores")) {
    const auto& states = core.at("cycles_by_state");
    if (states.at("idle") == result.at("cycles")) continue;
    for (const auto& wait : core.at("waits")) {
      if (all || wait.at("state") != model::name_of(model::CycleState::idle)) waits.push_back({core.at("id"), wait});
    }
  }
  if (all) return waits;
  std::stable_sort(waits.begin(), waits.end(), [](const PrintedWait& a, const PrintedWait& b) {
    return a.wait.at("cycles").get<std::int64_t>() > b.wait.at("cycles").get<std::int64_t>();
  });
  constexpr std::size_t kShown = 5;
  if (waits.size() > kShown) waits.resize(kShown);
  return waits;
}

void print_conflicts(std::ostream& out, const model::Json& result) {
  Table table;
  for (const char* title : {"  memory", "bank"}) table.column(title, Table::Align::left);
  const std::vector<std::string> masters{"array", "vector", "load", "store", "remote"};
  for (const std::string& master : masters) table.column(master);
  bool any = false;
  const auto add = [&](const std::string& memory, const model::Json& banks) {
    for (const auto& bank : banks) {
      std::vector<std::string> cells{"  " + memory, bank.at("bank").dump()};
      for (const std::string& master : masters) {
        cells.push_back(bank.contains(master) ? grouped(bank.at(master)) : std::string("-"));
      }
      table.row(std::move(cells));
      any = true;
    }
  };
  for (const auto& core : result.at("cores")) {
    for (const auto& [memory, banks] : core.at("bank_conflict_cycles").items()) {
      add("core " + core.at("id").dump() + " " + memory, banks);
    }
  }
  add("global buffer", result.at("global_buffer").at("bank_conflict_cycles"));
  out << "\nCycles lost to busy banks, by who lost them\n";
  if (any) {
    table.print(out);
  } else {
    out << "  none\n";
  }
}

void print_terms(std::ostream& out, const model::Json& result) {
  Table table;
  table.column("  group", Table::Align::left);
  const std::vector<std::string> engines{"load", "array", "vector", "store"};
  for (const std::string& engine : engines) {
    table.column(engine + " predicted");
    table.column("measured");
  }
  const auto text = [](const model::Json& figure) { return figure.is_null() ? std::string("-") : grouped(figure); };
  for (const auto& group : result.at("groups")) {
    std::vector<std::string> cells{"  " + group.at("id").dump()};
    for (const std::string& engine : engines) {
      const auto& term = group.at("engine_cycles").at(engine);
      cells.push_back(text(term.at("predicted")));
      cells.push_back(text(term.at("measured")));
    }
    table.row(std::move(cells));
  }
  out << "\nBusy cycles of the engines\n";
  table.print(out);
}

}  // namespace

std::string wait_text(model::WaitFor what, std::int64_t index, std::int64_t giver) {
  const std::string number = std::to_string(index);
  switch (what) {
    case model::WaitFor::semaphore:
      return "semaphore " + number + giver_text(giver);
    case model::WaitFor::issue:
      return "issue";
    case model::WaitFor::border:
      return "group border";
    case model::WaitFor::end:
      return "nothing: no work left";
    case model::WaitFor::dram_channel:
      return "DRAM channel " + number;
    case model::WaitFor::noc:
      return "NoC";
    case model::WaitFor::global_buffer:
      return "global buffer";
    case model::WaitFor::other_scratchpad:
      return "scratchpad of core " + number;
    case model::WaitFor::scratchpad_bank:
      return "bank " + number + " of scratchpad";
    case model::WaitFor::scratchpad_port:
      return "port of scratchpad";
    case model::WaitFor::accumulator_bank:
      return "bank " + number + " of accumulator";
    case model::WaitFor::accumulator_port:
      return "port of accumulator";
  }
  throw model::InternalError("unknown cause of a wait");
}

model::Json waits_json(const model::CoreMeasurement& core) {
  model::Json list = model::Json::array();
  for (const model::WaitMeasurement& wait : core.waits) {
    list.push_back({{"engine", model::name_of(model::kQueues.at(static_cast<std::size_t>(wait.engine)))},
                    {"state", model::name_of(wait.state)},
                    {"for", wait_text(wait.what, wait.index, wait.giver)},
                    {"cycles", wait.cycles.value()}});
  }
  return list;
}

model::Json conflicts_json(const std::vector<model::BankConflicts>& banks) {
  model::Json list = model::Json::array();
  for (const model::BankConflicts& bank : banks) {
    model::Json entry = {{"bank", bank.bank}};
    for (const auto& [name, cycles] :
         {std::pair{"array", bank.array}, std::pair{"vector", bank.vector}, std::pair{"load", bank.load},
          std::pair{"store", bank.store}, std::pair{"remote", bank.remote}}) {
      if (cycles > 0) entry[name] = cycles;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

model::Json terms_json(const sched::Prediction* prediction, const model::GroupMeasurement& group) {
  const auto term = [&](double sched::Prediction::*predicted, model::Cycles measured) {
    return model::Json{
        {"predicted", prediction != nullptr ? model::Json(std::llround(prediction->*predicted)) : model::Json()},
        {"measured", measured.value()}};
  };
  return {{"load", term(&sched::Prediction::load, group.load_busy)},
          {"array", term(&sched::Prediction::array, group.array_busy)},
          {"vector", term(&sched::Prediction::vector, group.vector_busy)},
          {"store", term(&sched::Prediction::store, group.store_busy)}};
}

void print_waits(std::ostream& out, const model::Json& result, bool all) {
  const std::vector<PrintedWait> waits = waits_of(result, all);
  if (!waits.empty()) {
    Table table;
    for (const char* title : {"  engine", "state", "waits for"}) table.column(title, Table::Align::left);
    table.column("cycles");
    table.column("share");
    for (const PrintedWait& printed : waits) {
      std::string state = printed.wait.at("state");
      std::replace(state.begin(), state.end(), '_', ' ');
      table.row({"  core " + std::to_string(printed.core) + " " + printed.wait.at("engine").get<std::string>(), state,
                 printed.wait.at("for"), grouped(printed.wait.at("cycles")),
                 percent_text(printed.wait.at("cycles"), result.at("cycles"))});
    }
    out << (all ? "\nWhat the engines waited for\n" : "\nLongest waits\n");
    table.print(out);
  }
  if (!all) return;
  print_conflicts(out, result);
  print_terms(out, result);
}

}  // namespace accsim::app
