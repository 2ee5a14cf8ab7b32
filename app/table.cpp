#include "app/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ostream>
#include <utility>
#include <vector>

#include "app/accounting.h"
#include "app/output.h"

namespace accsim::app {
namespace {

constexpr double kPercent = 100.0;

struct Unit {
  double size;
  const char* name;
};

// The largest unit that `value` reaches; three significant digits.
template <std::size_t N>
std::string with_unit(double value, const std::array<Unit, N>& units) {
  constexpr double kTen = 10;
  constexpr double kHundred = 100;
  const Unit* unit = &units.front();
  for (const Unit& candidate : units) {
    if (std::abs(value) >= candidate.size) unit = &candidate;
  }
  const double shown = value / unit->size;
  const int decimals = shown == std::floor(shown) && unit == &units.front() ? 0
                       : std::abs(shown) >= kHundred                        ? 0
                       : std::abs(shown) >= kTen                            ? 1
                                                                            : 2;
  return fixed(shown, decimals) + " " + unit->name;
}

std::int64_t sum_of(const model::Json& states) {
  std::int64_t total = 0;
  for (const auto& cycles : states) total += cycles.get<std::int64_t>();
  return total;
}

void heading(std::ostream& out, const std::string& title) { out << '\n' << title << '\n'; }

// Two columns: a name and what there is to say about it.
void line(std::ostream& out, std::string name, const std::string& text) {
  constexpr std::size_t kNameWidth = 22;
  name.resize(std::max(kNameWidth, name.size()), ' ');
  out << "  " << name << ' ' << text << '\n';
}

// "-" for a figure that there is not.
std::string grouped_or_none(const model::Json& figure) { return figure.is_null() ? "-" : grouped(figure); }

void print_groups(std::ostream& out, const model::Json& result) {
  const auto total = result.at("cycles").get<double>();
  Table table;
  table.column("group");
  table.column("layers", Table::Align::left);
  table.column("cores");
  table.column("predicted");
  table.column("measured");
  table.column("share");
  table.column("energy");
  table.column("bound by", Table::Align::left);
  for (const auto& group : result.at("groups")) {
    table.row({std::to_string(group.at("id").get<std::int64_t>()), layers_text(group.at("layers")),
               cores_text(group.at("cores")), grouped_or_none(group.at("predicted_cycles")),
               grouped(group.at("measured_cycles")), percent_text(group.at("measured_cycles"), total),
               energy_text(group.at("energy_pj")), group.at("bound_by").get<std::string>()});
  }
  table.print(out);
}

void print_totals(std::ostream& out, const model::Json& result) {
  const auto& predicted = result.at("predicted");
  const auto& dram = result.at("dram");
  constexpr int kRate = 2;
  heading(out, "Totals");
  line(out, "cycles", grouped(result.at("cycles")) + "  (" + time_text(result.at("latency_ns")) + ")");
  line(out, "energy", energy_text(result.at("energy_pj")));
  line(out, "energy-delay product", scientific(result.at("edp_pj_ns")) + " pJ ns");
  line(out, "multiply-accumulates",
       grouped(result.at("macs")) + "  (" + percent_text(result.at("mac_utilization"), 1.0) + " of the peak rate)");
  if (!predicted.at("cycles").is_null())
    line(out, "predicted",
         grouped(predicted.at("cycles")) + " cycles (" + signed_percent_text(predicted.at("latency_error_pct")) +
             "), " + energy_text(predicted.at("energy_pj")) + " (" +
             signed_percent_text(predicted.at("energy_error_pct")) + ")");
  line(out, "DRAM",
       bytes_text(dram.at("bytes_read")) + " read, " + bytes_text(dram.at("bytes_written")) + " written, " +
           fixed(dram.at("bandwidth_gb_s"), kRate) + " of " + fixed(dram.at("peak_gb_s"), kRate) + " GB/s, row hits " +
           percent_text(dram.at("row_hit_rate"), 1.0));
  line(out, "NoC",
       bytes_text(result.at("noc").at("bytes")) + ", busiest link " +
           percent_text(result.at("noc").at("max_link_utilization"), 1.0));
}

void add_states(Table& table, const std::string& name, const model::Json& states) {
  std::vector<std::string> cells{name};
  const auto total = static_cast<double>(sum_of(states));
  for (const auto& cycles : states) cells.push_back(percent_text(cycles, total));
  table.row(std::move(cells));
}

void print_time(std::ostream& out, const model::Json& result, bool engines) {
  const auto& cores = result.at("cores");
  if (cores.empty()) return;
  heading(out, "Where the time went");
  Table table;
  table.column("", Table::Align::left);
  model::Json all = model::Json::object();
  for (const auto& [state, cycles] : cores.front().at("cycles_by_state").items()) {
    std::string title = state;
    for (char& c : title) c = c == '_' ? ' ' : c;
    table.column(title);
    std::int64_t total = 0;
    for (const auto& core : cores) total += core.at("cycles_by_state").at(state).get<std::int64_t>();
    all[state] = total;
  }
  std::size_t unused = 0;
  for (const auto& core : cores) {
    const auto& states = core.at("cycles_by_state");
    if (states.at("idle") == sum_of(states)) {
      ++unused;
      continue;
    }
    const std::string name = "  core " + std::to_string(core.at("id").get<std::int64_t>());
    add_states(table, name, states);
    if (!engines) continue;
    for (const auto& [engine, account] : core.at("engines").items()) add_states(table, "    " + engine, account);
  }
  if (cores.size() > 1) add_states(table, "  all " + std::to_string(cores.size()) + " cores", all);
  table.print(out);
  if (unused > 0) out << "  (" << unused << (unused == 1 ? " core was" : " cores were") << " idle throughout)\n";
}

void print_energy(std::ostream& out, const model::Json& result) {
  heading(out, "Where the energy went");
  Table table;
  table.column("", Table::Align::left);
  table.column("energy");
  table.column("share");
  for (const auto& [block, energy] : result.at("energy_breakdown_pj").items()) {
    std::string name = "  " + block;
    for (char& c : name) c = c == '_' ? ' ' : c;
    table.row({name, energy_text(energy), percent_text(energy, result.at("energy_pj"))});
  }
  table.print(out);
}

void print_bounds(std::ostream& out, const model::Json& result) {
  constexpr int kDecimals = 2;
  const auto times = [&](double measured, double bound) {
    return bound > 0 ? "measured is " + fixed(measured / bound, kDecimals) + " times that" : std::string("no bound");
  };
  const auto& bound = result.at("bound");
  const auto& reachable = result.at("bound_reachable");
  heading(out, "The gap to the bounds");
  line(out, "physical, time",
       grouped(bound.at("cycles")) + " cycles; " + times(result.at("cycles"), bound.at("cycles")));
  line(out, "reachable, time",
       grouped(reachable.at("cycles")) + " cycles; " + times(result.at("cycles"), reachable.at("cycles")));
  line(out, "physical, energy",
       energy_text(bound.at("energy_pj")) + "; " + times(result.at("energy_pj"), bound.at("energy_pj")));
}

void print_verified(std::ostream& out, const model::Json& verify) {
  if (!verify.at("checked").get<bool>()) return;
  constexpr std::array<Unit, 4> kUnits{
      {{1, "elements"}, {1e3, "k elements"}, {1e6, "M elements"}, {1e9, "G elements"}}};
  out << "\nverified: " << grouped(verify.at("tensors")) << " tensors, " << with_unit(verify.at("elements"), kUnits)
      << ", " << grouped(verify.at("mismatches")) << " mismatches";
  const auto& fewest = verify.at("fewest_distinct");
  if (!fewest.is_null()) {
    out << "; fewest distinct values: " << grouped(fewest.at("distinct")) << " in "
        << fewest.at("tensor").get<std::string>();
  }
  out << '\n';
}

}  // namespace

std::string energy_text(double picojoules) {
  constexpr std::array<Unit, 5> kUnits{{{1, "pJ"}, {1e3, "nJ"}, {1e6, "uJ"}, {1e9, "mJ"}, {1e12, "J"}}};
  return with_unit(picojoules, kUnits);
}

std::string time_text(double nanoseconds) {
  constexpr std::array<Unit, 4> kUnits{{{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}}};
  return with_unit(nanoseconds, kUnits);
}

std::string bytes_text(double bytes) {
  constexpr double kKib = 1024;
  constexpr std::array<Unit, 4> kUnits{{{1, "B"}, {kKib, "KiB"}, {kKib * kKib, "MiB"}, {kKib * kKib * kKib, "GiB"}}};
  return with_unit(bytes, kUnits);
}

std::string percent_text(double part, double whole) {
  return fixed(whole > 0 ? kPercent * part / whole : 0.0, 1) + " %";
}

std::string scientific(double value) {
  constexpr int kDecimals = 3;
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, kDecimals);
  return {text.data(), end.ptr};
}

std::string signed_percent_text(double percent) { return (percent >= 0 ? "+" : "") + fixed(percent, 1) + " %"; }

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string cores_text(const model::Json& cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size();) {
    const auto first = cores[i].get<std::int64_t>();
    std::int64_t last = first;
    for (++i; i < cores.size() && cores[i] == last + 1; ++i) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(first);
    if (last > first) text += "-" + std::to_string(last);
  }
  return text;
}

std::string layers_text(const model::Json& layers) {
  constexpr std::size_t kWidest = 44;
  std::string text;
  std::string first;
  for (const auto& layer : layers) {
    const auto name = layer.get<std::string>();
    const bool begins_alike = !first.empty() && name.size() > first.size() + 1 && name.rfind(first + ".", 0) == 0;
    text += (text.empty() ? "" : " + ") + (begins_alike ? name.substr(first.size()) : name);
    if (first.empty()) first = name;
  }
  if (text.size() <= kWidest) return text;
  const std::size_t half = (kWidest - 3) / 2;
  return text.substr(0, half) + "..." + text.substr(text.size() - half);
}

void print_run(std::ostream& out, const model::Json& result, bool engines) {
  out << result.at("net").get<std::string>() << " on " << result.at("arch").get<std::string>() << ", strategy "
      << result.at("strategy").get<std::string>() << ", objective " << result.at("objective").get<std::string>()
      << "\n\n";
  print_groups(out, result);
  print_totals(out, result);
  print_time(out, result, engines);
  print_waits(out, result, engines);
  print_energy(out, result);
  print_bounds(out, result);
  print_verified(out, result.at("verify"));
}

void print_calibration(std::ostream& out, const model::Json& result) {
  heading(out, "Calibration");
  Table table;
  table.column("fit");
  table.column("latency error");
  table.column("energy error");
  table.column("candidates");
  table.column("tau");
  table.column("regret");
  table.column("best EDP pJ ns");
  table.column("decision", Table::Align::left);
  constexpr int kDecimals = 3;
  // "before -> after" of the fit, over the same measurements.
  const auto change = [](const model::Json& entry, const std::string& what) {
    const auto& before = entry.at(what + "_mape_before_fit_pct");
    if (before.is_null()) return percent_text(entry.at(what + "_mape_pct"), kPercent);
    return percent_text(before, kPercent) + " -> " + percent_text(entry.at(what + "_mape_after_fit_pct"), kPercent);
  };
  for (const auto& entry : result.at("calibration")) {
    const auto& tau = entry.at("kendall_tau");
    const auto& worth = entry.at("change_pct");
    std::string decision = entry.at("decision");
    if (!worth.is_null()) decision += ", " + signed_percent_text(worth);
    table.row({entry.at("iteration").dump(), change(entry, "latency"), change(entry, "energy"),
               entry.at("candidates").dump(), tau.is_null() ? std::string("-") : fixed(tau, kDecimals),
               percent_text(entry.at("regret_pct"), kPercent), scientific(entry.at("edp_pj_ns")), decision});
  }
  table.print(out);
}

}  // namespace accsim::app
