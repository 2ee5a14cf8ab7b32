#include "tests/support/case_check.h"

#include <cctype>
#include <functional>
#include <memory>
#include <utility>

#include "app/pipeline.h"
#include "model/base/error.h"
#include "sched/lower/lower.h"
#include "tests/support/execution.h"
#include "tests/support/random_fusion.h"
#include "tests/support/random_homes.h"
#include "tests/support/some_card.h"

namespace accsim::tests {

using model::Json;
using Kind = CaseResult::Kind;

namespace {

constexpr std::uint64_t kDataSeed = 1;
constexpr int kFine = 60;
constexpr int kSplits = 40;

// No schedule: what the architecture's memories do not hold. Random mappings end at tiles of one element.
model::Schedule schedule_of(const app::Inputs& inputs, std::uint64_t seed, const std::string& strategy) {
  if (strategy == kRandomStrategy || strategy == kRandomFusion) {
    Random random(seed ^ 0x5ced);
    model::Schedule schedule = strategy == kRandomStrategy
                                   ? random_schedule(inputs.network, inputs.arch, random, kFine, kSplits)
                                   : random_fused_schedule(inputs.network, inputs.arch, random);
    const auto violation = model::verify_schedule(schedule, inputs.network, inputs.arch);
    if (!violation) {
      Random homes(seed ^ 0x40e5);
      if (homes.chance(50)) random_homes(schedule, inputs.network, inputs.arch, homes);
      return schedule;
    }
    const std::string text = violation->where + ": " + violation->message;
    if (violation->message.find("of core") != std::string::npos &&
        violation->message.find("needs") != std::string::npos)
      throw model::InfeasibleError(text);
    throw model::InternalError("schedule: " + text);
  }
  app::SearchSettings settings;
  settings.strategy = strategy;
  settings.characterization = [&] {
    return std::make_shared<const sched::Characterization>(some_card(inputs.arch, seed));
  };
  return app::search_schedule(inputs, settings).schedule;
}

CaseResult check(const RandomCase& random_case, const std::string& strategy) {
  CaseResult result;
  const app::Inputs inputs = app::inputs_of(random_case.arch, "arch.json", random_case.net, "net.json", 1);
  result.schedule = schedule_of(inputs, random_case.seed, strategy);
  std::optional<model::Program> program;
  try {
    const auto source = sched::lower(*result.schedule, inputs.network, inputs.arch, kDataSeed);
    program = model::collect(*source);
  } catch (const model::ConfigError& error) {
    result.kind = std::string(error.what()).find("whole bytes") != std::string::npos ? Kind::unsupported : Kind::failed;
    result.message = std::string("lowering: ") + error.what();
    return result;
  }
  if (const auto violation = violation_of(inputs.arch, *program)) {
    result.kind = Kind::failed;
    result.message = "program: " + *violation;
    return result;
  }
  const Execution execution = execute(inputs.network, inputs.arch, *program, kDataSeed);
  result.elements = execution.elements;
  result.tensors = execution.tensors;
  result.weak = execution.weak;
  result.cycles = execution.cycles;
  if (execution.verdict != Verdict::equal) {
    result.kind = Kind::failed;
    result.message = execution.message;
  }
  for (const model::Operator& op : inputs.network.operators) result.operators.push_back(op.type);
  return result;
}

const char* kind_text(Kind kind) {
  switch (kind) {
    case Kind::equal:
      return "equal";
    case Kind::infeasible:
      return "infeasible";
    case Kind::unsupported:
      return "refused";
    case Kind::failed:
      return "FAILED";
  }
  return "";
}

std::string command_of(const RandomCase&, const CaseResult& result) {
  const bool random = result.schedule && result.schedule->strategy == "random";
  if (random) return "accsim simulate --arch arch.json --net net.json --schedule schedule.json --verify";
  return "accsim --arch arch.json --net net.json --verify" +
         (result.schedule ? " --strategy " + result.schedule->strategy : "");
}

// Message without numbers: failures of one sort.
std::string sort_of(const std::string& message) {
  std::string sort;
  for (const char c : message.substr(0, message.find(';')))
    if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == ' ') sort += c;
  return sort.substr(0, 24);
}

// Every case that is one step simpler.
std::vector<RandomCase> simpler(const RandomCase& from) {
  std::vector<RandomCase> all;
  const auto add = [&](const std::function<void(RandomCase&)>& edit) {
    RandomCase next = from;
    edit(next);
    if (next.arch != from.arch || next.net != from.net) all.push_back(std::move(next));
  };
  const Json& layers = from.net["layers"];
  for (std::size_t i = layers.size(); i-- > 0 && layers.size() > 1;) {
    add([&](RandomCase& c) {  // its readers take its first input instead
      const Json gone = c.net["layers"][i];
      c.net["layers"].erase(i);
      for (Json& layer : c.net["layers"])
        for (Json& input : layer["inputs"])
          if (input == gone["name"]) input = gone["inputs"][0];
    });
  }
  for (std::size_t w = 0; w < from.net["weights"].size(); ++w) add([&](RandomCase& c) { c.net["weights"].erase(w); });
  for (std::size_t t = 0; t < from.net["inputs"].size(); ++t) {
    add([&](RandomCase& c) { c.net["inputs"].erase(t); });
    for (std::size_t a = 0; a < from.net["inputs"][t]["shape"].size(); ++a) {
      add([&](RandomCase& c) {
        Json& extent = c.net["inputs"][t]["shape"][a];
        extent = (extent.get<std::int64_t>() + 1) / 2;
      });
    }
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const char* key : {"pads", "strides", "dilations", "group", "bias", "auto_pad", "ceil_mode"}) {
      if (layers[i].contains(key)) add([&](RandomCase& c) { c.net["layers"][i].erase(key); });
    }
  }
  const Json& cores = from.arch["cores"];
  for (std::size_t i = 0; i < cores.size() && cores.size() > 1; ++i)
    add([&](RandomCase& c) { c.arch["cores"].erase(i); });
  for (std::size_t i = 0; i < cores.size(); ++i) {
    add([&](RandomCase& c) { c.arch["cores"][i]["count"] = 1; });
    add([&](RandomCase& c) { c.arch["cores"][i].erase("dma"); });
    add([&](RandomCase& c) { c.arch["cores"][i]["array"].erase("dataflow"); });
    add([&](RandomCase& c) { c.arch["cores"][i]["array"].erase("double_buffered"); });
  }
  for (const char* key : {"global_buffer", "noc"}) add([&](RandomCase& c) { c.arch.erase(key); });
  add([&](RandomCase& c) { c.arch["dram"] = {{"preset", "ddr4-3200"}}; });
  return all;
}

}  // namespace

CaseResult check_case(const RandomCase& random_case, const std::string& strategy) {
  CaseResult result;
  try {
    return check(random_case, strategy);
  } catch (const model::InfeasibleError& error) {
    result.kind = Kind::infeasible;
    result.message = error.what();
  } catch (const std::exception& error) {
    result.kind = Kind::failed;
    result.message = error.what();
  }
  return result;
}

RandomCase shrink(const RandomCase& failing, const std::string& strategy) {
  constexpr int kPatience = 400;  // cases tried
  const std::string sort = sort_of(check_case(failing, strategy).message);
  RandomCase best = failing;
  int tried = 0;
  for (bool better = true; better && tried < kPatience;) {
    better = false;
    for (const RandomCase& next : simpler(best)) {
      if (++tried > kPatience) break;
      const CaseResult result = check_case(next, strategy);
      if (result.kind != Kind::failed || sort_of(result.message) != sort) continue;
      best = next;
      better = true;
      break;
    }
  }
  return best;
}

std::string save_case(const std::filesystem::path& folder, const RandomCase& random_case, const CaseResult& result) {
  std::filesystem::create_directories(folder);
  model::write_json_file(folder / "arch.json", random_case.arch);
  model::write_json_file(folder / "net.json", random_case.net);
  if (result.schedule) model::write_json_file(folder / "schedule.json", model::to_json(*result.schedule));
  return command_of(random_case, result);
}

std::string describe_case(const RandomCase& random_case, const CaseResult& result) {
  std::string text = "case " + std::to_string(random_case.seed) + ": " + result.message +
                     "\narch.json: " + random_case.arch.dump() + "\nnet.json: " + random_case.net.dump();
  if (result.schedule) text += "\nschedule.json: " + model::to_json(*result.schedule).dump();
  return text + "\n" + command_of(random_case, result);
}

void CaseTally::add(const RandomCase& random_case, const CaseResult& result) {
  ++cases;
  ++kinds[result.kind];
  elements += result.elements;
  tensors += result.tensors;
  weak += result.weak;
  if (result.kind != Kind::equal) return;
  ++precisions[random_case.net["precision"].get<std::string>()];
  for (const model::OpType op : result.operators) ++operators[op];
}

std::string CaseTally::text() const {
  std::string text = std::to_string(cases) + " cases";
  for (const auto& [kind, count] : kinds) text += ", " + std::to_string(count) + " " + kind_text(kind);
  text += "; " + std::to_string(elements) + " elements of " + std::to_string(tensors) + " tensors compared, " +
          std::to_string(weak) + " with few values;";
  for (const auto& [precision, count] : precisions) text += " " + precision + " " + std::to_string(count);
  text += ";";
  for (const auto& [op, count] : operators) text += " " + std::string(model::name_of(op)) + " " + std::to_string(count);
  return text;
}

}  // namespace accsim::tests
