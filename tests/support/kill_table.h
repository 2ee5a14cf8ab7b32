// What becomes of mutants: each is rejected by a verifier, shows when it is executed on data, is proven equivalent, or
// survives.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace accsim::tests {

enum class Fate : std::uint8_t {
  rejected,  // by a verifier, or by lowering
  mismatch,  // an activation differs from the reference
  later,     // … with another seed, not with the first
  stopped,   // no progress, or the simulator refused to go on
  same_graph,
  same_flow,  // proven equivalent, see equivalence.h
  valid,      // of a schedule: another one that computes the same (proven on expressions)
  explained,  // survives: equal on data, and why that is so is known
  survived
};

struct Survivor {
  std::string of;    // the program or schedule
  std::string sort;  // of edit
  std::string where;
  std::string why;  // "" where it is not known
};

class KillTable {
 public:
  struct Row {
    std::map<Fate, std::int64_t> fates;
    [[nodiscard]] std::int64_t count(Fate fate) const;
    [[nodiscard]] std::int64_t mutants() const;
    [[nodiscard]] std::int64_t killed() const;
    [[nodiscard]] std::int64_t equivalent() const;
    [[nodiscard]] double rate() const;  // killed of those that are not equivalent; 1 where there are none
  };

  // `kind`: of edit, for sums.
  void add(const std::string& kind, const std::string& sort, Fate fate);
  void survivor(Survivor survivor) { survivors_.push_back(std::move(survivor)); }
  void merge(const KillTable& other);

  [[nodiscard]] Row all() const;
  [[nodiscard]] const std::vector<Survivor>& survivors() const { return survivors_; }
  // Markdown: a row for each sort, with sums for each kind.
  [[nodiscard]] std::string text() const;
  // One line a survivor, at most `most`.
  [[nodiscard]] std::string survivors_text(std::size_t most) const;

 private:
  std::map<std::pair<std::string, std::string>, Row> rows_;
  std::vector<Survivor> survivors_;
};

}  // namespace accsim::tests
