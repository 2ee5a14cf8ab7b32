#include "app/cmd_sweep.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "app/digest.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/sweep_space.h"
#include "app/sweep_store.h"
#include "app/table.h"
#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr char kDone[] = "done";
constexpr char kFailed[] = "failed";
constexpr char kInfeasible[] = "infeasible";
constexpr char kBugPrefix[] = "bug in accsim: ";

struct SweepOptions {
  std::string space;
  bool status = false;
};

std::string point_key(const SweepSpace& space, std::int64_t number, std::uint64_t seed) {
  const Point point = space.point(number);
  return digest(point.arch.dump() + "\n" + space.nets[point.net].json.dump() + "\n" + point.strategy + "\n" +
                point.objective + "\n" + std::to_string(seed));
}

SweepRow row_of(const SweepSpace& space, std::int64_t number, std::uint64_t seed, const model::Json& reply) {
  SweepRow row;
  row.number = number;
  row.key = point_key(space, number, seed);
  row.axes = space.axis_values(number);
  row.net = space.net_name(number);
  row.strategy = space.point(number).strategy;
  if (reply.contains("error")) {
    const std::string kind = reply.at("error").at("kind");
    row.status = kind == "infeasible" ? kInfeasible : kFailed;
    row.reason =
        (kind == "internal" || kind == "crash" ? kBugPrefix : "") + reply.at("error").at("message").get<std::string>();
    return row;
  }
  const model::Json& answer = reply.at("reply");
  row.status = kDone;
  row.result = answer.at("result");
  row.cycles = row.result.at("cycles");
  row.latency_ns = row.result.at("latency_ns");
  row.energy_pj = row.result.at("energy_pj");
  row.edp_pj_ns = row.result.at("edp_pj_ns");
  row.area_mm2 = answer.at("area_mm2");
  row.seconds = answer.at("search_seconds").get<double>() + answer.at("simulation_seconds").get<double>();
  return row;
}

// Numbers of the points of each network that no other one of it beats: not worse in latency, energy and area, and
// better in one.
std::set<std::int64_t> pareto_points(const std::vector<SweepRow>& rows) {
  const auto beats = [](const SweepRow& a, const SweepRow& b) {
    const bool no_worse = a.latency_ns <= b.latency_ns && a.energy_pj <= b.energy_pj && a.area_mm2 <= b.area_mm2;
    return no_worse && (a.latency_ns < b.latency_ns || a.energy_pj < b.energy_pj || a.area_mm2 < b.area_mm2);
  };
  std::map<std::string, std::vector<const SweepRow*>> fronts;  // by network; points in order of latency join or not
  std::vector<const SweepRow*> sorted;
  for (const SweepRow& row : rows) {
    if (row.status == kDone) sorted.push_back(&row);
  }
  std::sort(sorted.begin(), sorted.end(), [](const SweepRow* a, const SweepRow* b) {
    return std::tie(a->latency_ns, a->energy_pj, a->area_mm2, a->number) <
           std::tie(b->latency_ns, b->energy_pj, b->area_mm2, b->number);
  });
  std::set<std::int64_t> numbers;
  for (const SweepRow* row : sorted) {  // whoever beats a row comes before it
    auto& front = fronts[row->net];
    if (std::any_of(front.begin(), front.end(), [&](const SweepRow* other) { return beats(*other, *row); })) continue;
    front.push_back(row);
    numbers.insert(row->number);
  }
  return numbers;
}

std::string axis_text(const model::Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

model::Json sweep_json(const SweepStore::Identity& identity, const std::vector<SweepRow>& rows) {
  const std::set<std::int64_t> pareto = pareto_points(rows);
  model::Json points = model::Json::array();
  std::map<std::string, std::int64_t> counts{{kDone, 0}, {kFailed, 0}, {kInfeasible, 0}};
  for (const SweepRow& row : rows) {
    ++counts[row.status];
    model::Json axes = model::Json::object();
    for (std::size_t i = 0; i < identity.pointers.size(); ++i) axes[identity.pointers[i]] = row.axes.at(i);
    model::Json point = {{"point", row.number},
                         {"axes", std::move(axes)},
                         {"net", row.net},
                         {"strategy", row.strategy},
                         {"status", row.status}};
    if (row.status == kDone) {
      point.update({{"cycles", row.cycles},
                    {"latency_ns", row.latency_ns},
                    {"energy_pj", row.energy_pj},
                    {"edp_pj_ns", row.edp_pj_ns},
                    {"area_mm2", row.area_mm2},
                    {"pareto", pareto.count(row.number) > 0}});
    } else {
      point["reason"] = row.reason;
    }
    points.push_back(std::move(point));
  }
  const auto present = static_cast<std::int64_t>(rows.size());
  return {{"schema", "accsim-sweep-result/1"},
          {"seed", identity.seed},
          {"size", identity.points},
          {"done", counts[kDone]},
          {"failed", counts[kFailed]},
          {"infeasible", counts[kInfeasible]},
          {"missing", identity.points - present},
          {"points", std::move(points)}};
}

std::string points_csv(const SweepStore::Identity& identity, const model::Json& sweep) {
  std::string csv = "point";
  for (const std::string& pointer : identity.pointers) csv += "," + csv_cell(pointer);
  csv += ",net,strategy,status,reason,cycles,latency_ns,energy_pj,edp_pj_ns,area_mm2,pareto\n";
  for (const auto& point : sweep.at("points")) {
    csv += point.at("point").dump();
    for (const auto& value : point.at("axes")) csv += "," + csv_cell(axis_text(value));
    for (const char* key : {"net", "strategy", "status", "reason"}) {
      csv += "," + csv_cell(point.value(key, std::string()));
    }
    for (const char* key : {"cycles", "latency_ns", "energy_pj", "edp_pj_ns", "area_mm2"}) {
      csv += "," + (point.contains(key) ? point.at(key).dump() : std::string());
    }
    csv += point.contains("pareto") ? (point.at("pareto").get<bool>() ? ",1\n" : ",0\n") : ",\n";
  }
  return csv;
}

// "/cores/0/array/rows" -> "array/rows": the last two steps name an axis well enough in a table.
std::string short_name(const std::string& pointer) {
  const std::size_t last = pointer.rfind('/');
  const std::size_t before = last == 0 || last == std::string::npos ? std::string::npos : pointer.rfind('/', last - 1);
  return pointer.substr(before == std::string::npos ? 1 : before + 1);
}

void print_sweep(std::ostream& out, const SweepStore::Identity& identity, const model::Json& sweep) {
  constexpr std::size_t kMostRows = 64;  // beyond, only the Pareto points and what went wrong are listed
  const auto& points = sweep.at("points");
  const bool all = points.size() <= kMostRows;
  Table table;
  table.column("point");
  for (const std::string& pointer : identity.pointers) table.column(short_name(pointer));
  table.column("net", Table::Align::left);
  table.column("strategy", Table::Align::left);
  table.column("cycles");
  table.column("latency");
  table.column("energy");
  table.column("EDP pJ ns");
  table.column("area mm2");
  table.column("", Table::Align::left);
  constexpr int kDecimals = 3;
  for (const auto& point : points) {
    const bool done = point.at("status") == kDone;
    const bool pareto = done && point.at("pareto").get<bool>();
    if (!all && !pareto) continue;
    std::vector<std::string> cells{point.at("point").dump()};
    for (const auto& value : point.at("axes")) cells.push_back(axis_text(value));
    cells.push_back(point.at("net"));
    cells.push_back(point.at("strategy"));
    if (done) {
      cells.push_back(grouped(point.at("cycles")));
      cells.push_back(time_text(point.at("latency_ns")));
      cells.push_back(energy_text(point.at("energy_pj")));
      cells.push_back(scientific(point.at("edp_pj_ns")));
      cells.push_back(fixed(point.at("area_mm2"), kDecimals));
      cells.push_back(pareto ? "pareto" : "");
    } else {
      for (int i = 0; i < 5; ++i) cells.emplace_back("-");
      cells.push_back(point.at("status").get<std::string>() + ": " + point.at("reason").get<std::string>());
    }
    table.row(std::move(cells));
  }
  table.print(out);
  if (!all) out << "(the Pareto points of " << points.size() << "; all are in points.csv)\n";
  out << '\n'
      << counted(sweep.at("size"), "point") << ": " << grouped(sweep.at("done")) << " done, "
      << grouped(sweep.at("infeasible")) << " infeasible, " << grouped(sweep.at("failed")) << " failed, "
      << grouped(sweep.at("missing")) << " to do\n";
}

SweepStore::Identity identity_of(const SweepSpace& space, std::uint64_t seed) {
  SweepStore::Identity identity;
  identity.space = digest(space.identity().dump());
  identity.build = build_identity();
  identity.seed = seed;
  identity.points = space.size();
  for (const SweepAxis& axis : space.axes) identity.pointers.push_back(axis.pointer);
  return identity;
}

int show_status(const std::filesystem::path& folder, const CommandContext& context) {
  SweepStore store(folder);
  const model::Json sweep = sweep_json(store.identity(), store.rows());
  if (!context.common.quiet) print_sweep(std::cout, store.identity(), sweep);
  return kExitDone;
}

// Points that no earlier run finished. What failed is tried again: the reason may be gone.
std::vector<std::int64_t> points_to_do(SweepStore& store) {
  std::set<std::int64_t> settled;
  for (const SweepRow& row : store.rows()) {
    if (row.status != kFailed) settled.insert(row.number);
  }
  std::vector<std::int64_t> numbers;
  for (std::int64_t number = 0; number < store.identity().points; ++number) {
    if (settled.count(number) == 0) numbers.push_back(number);
  }
  return numbers;
}

int run_sweep(const SweepOptions& options, const CommandContext& context) {
  if (context.common.out.empty()) throw model::ConfigError("--out FOLDER is missing: where the sweep keeps its points");
  const std::filesystem::path folder = context.common.out;
  if (options.status) return show_status(folder, context);
  if (options.space.empty()) throw model::ConfigError("--space FILE is missing: the design space (accsim-sweep/1)");
  const SweepSpace space = load_sweep_space(options.space);
  const std::uint64_t seed = context.common.seed;
  SweepStore store(folder, identity_of(space, seed));
  const std::vector<std::int64_t> numbers = points_to_do(store);

  double seconds = 0;
  {
    auto finished = store.identity().points - static_cast<std::int64_t>(numbers.size());
    Progress progress(context, "sweep", store.identity().points);
    progress.advance_to(finished);
    run_points(
        numbers.size(), [&](std::size_t i) { return space.point(numbers[i]); }, space.nets, seed,
        job_count(context.common), context.common.store,
        [&](std::size_t i, const model::Json& reply) {
          const SweepRow row = row_of(space, numbers[i], seed, reply);
          store.write(row);
          seconds += row.seconds;
          progress.advance_to(++finished);
        });
  }
  const std::vector<SweepRow> rows = store.rows();
  model::Json sweep = sweep_json(store.identity(), rows);
  model::Json host = host_object(context);
  host["points_run"] = numbers.size();
  host["cpu_seconds"] = seconds;
  sweep["host"] = std::move(host);
  model::write_text_file(folder / "points.csv", points_csv(store.identity(), sweep));
  model::write_json_file(folder / "result.json", sweep);
  if (!context.common.quiet) print_sweep(std::cout, store.identity(), sweep);
  if (const std::int64_t failed = sweep.at("failed"); failed > 0) {
    context.log->warn("{} of {} points failed: their reasons are in {}", failed, store.identity().points,
                      (folder / "points.csv").string());
  }
  for (const SweepRow& row : rows) {
    if (row.reason.rfind(kBugPrefix, 0) == 0) {
      throw model::InternalError("point " + std::to_string(row.number) +
                                 " of the sweep: " + row.reason.substr(sizeof kBugPrefix - 1));
    }
  }
  return kExitDone;
}

}  // namespace

void register_sweep(CLI::App& root, Registry& registry) {
  auto options = std::make_shared<SweepOptions>();
  CLI::App* command =
      root.add_subcommand("sweep", "run a grid of architectures, networks and strategies into --out FOLDER");
  command->add_option("--space", options->space, "the design space (accsim-sweep/1)")->type_name("FILE");
  command->add_flag("--status", options->status, "show what --out FOLDER holds so far; run nothing");
  registry.add(command, [options](const CommandContext& context) { return run_sweep(*options, context); });
}

}  // namespace accsim::app
