#include "tests/support/kill_table.h"

#include <array>
#include <cstdio>

namespace accsim::tests {

namespace {

std::string percent(double rate) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2f %%", 100 * rate);
  return text.data();
}

std::string line(const std::string& name, const KillTable::Row& row) {
  std::string text = "| " + name + " | " + std::to_string(row.mutants());
  for (const Fate fate : {Fate::rejected, Fate::mismatch, Fate::later, Fate::stopped, Fate::same_graph, Fate::same_flow,
                          Fate::valid, Fate::explained, Fate::survived}) {
    const std::int64_t count = row.count(fate);
    text += " | " + (count == 0 ? "" : std::to_string(count));
  }
  return text + " | " + percent(row.rate()) + " |\n";
}

}  // namespace

std::int64_t KillTable::Row::count(Fate fate) const {
  const auto it = fates.find(fate);
  return it == fates.end() ? 0 : it->second;
}

std::int64_t KillTable::Row::mutants() const {
  std::int64_t sum = 0;
  for (const auto& [fate, count] : fates) sum += count;
  return sum;
}

std::int64_t KillTable::Row::killed() const {
  return count(Fate::rejected) + count(Fate::mismatch) + count(Fate::later) + count(Fate::stopped);
}

std::int64_t KillTable::Row::equivalent() const {
  return count(Fate::same_graph) + count(Fate::same_flow) + count(Fate::valid);
}

double KillTable::Row::rate() const {
  const std::int64_t others = mutants() - equivalent();
  return others == 0 ? 1.0 : static_cast<double>(killed()) / static_cast<double>(others);
}

void KillTable::add(const std::string& kind, const std::string& sort, Fate fate) { ++rows_[{kind, sort}].fates[fate]; }

void KillTable::merge(const KillTable& other) {
  for (const auto& [key, row] : other.rows_)
    for (const auto& [fate, count] : row.fates) rows_[key].fates[fate] += count;
  survivors_.insert(survivors_.end(), other.survivors_.begin(), other.survivors_.end());
}

KillTable::Row KillTable::all() const {
  Row sum;
  for (const auto& [key, row] : rows_)
    for (const auto& [fate, count] : row.fates) sum.fates[fate] += count;
  return sum;
}

std::string KillTable::text() const {
  std::string text =
      "| edit | mutants | rejected | mismatch | other seed | stopped | same graph | same flow | valid | explained | "
      "survivors | killed |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  std::map<std::string, Row> sums;
  for (const auto& [key, row] : rows_)
    for (const auto& [fate, count] : row.fates) sums[key.first].fates[fate] += count;
  for (const auto& [kind, sum] : sums) {
    text += line("**" + kind + "**", sum);
    for (const auto& [key, row] : rows_)
      if (key.first == kind) text += line(key.second, row);
  }
  return text + line("**all**", all());
}

std::string KillTable::survivors_text(std::size_t most) const {
  std::string text;
  for (std::size_t i = 0; i < survivors_.size() && i < most; ++i) {
    const Survivor& s = survivors_[i];
    text += s.of + ": " + s.sort + ", " + s.where + (s.why.empty() ? "" : " (" + s.why + ")") + "\n";
  }
  if (survivors_.size() > most) text += "and " + std::to_string(survivors_.size() - most) + " more\n";
  return text;
}

}  // namespace accsim::tests
