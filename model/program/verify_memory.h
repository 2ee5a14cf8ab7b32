// What the program verifier knows about the bytes of one memory while it goes through a group's instructions in an
// order in which some execution runs them: who wrote a byte last, and who has read it since (the last reader of each
// queue).
//
// Why this is enough to find a conflict if there is one. Let B be an access, A an earlier conflicting one, and A the
// first that is not ordered before B ("ended when B starts, in every execution").
//   - A reader that is not the last of its queue: ends are in order within a queue, so if the last has ended, it has.
//   - A writer before the last writer W: it was compared with W and had ended when W started (or, two array passes,
//   ends
//     before W does); if W has ended when B starts, it has.
//   - A reader before the last writer W: it was compared with W likewise.
// So comparing B with the last writer, and a writing B with the readers since, misses nothing. Nothing is invented
// either: each pair that is reported overlaps in some execution (GroupOrder::ended_before).
// Two array passes of one core need no order at the accumulator: their results arrive in order.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/program/interval_set.h"
#include "model/program/verify_order.h"

namespace accsim::model {

class MemoryState {
 public:
  using Node = GroupOrder::Node;
  static constexpr Node kBefore = -1;  // written before the group

  struct Conflict {
    enum class Kind { unwritten, with_writer, with_reader, unread, torn } kind = Kind::unwritten;
    Node other = kBefore;    // of torn: who wrote a part of them
    std::int64_t begin = 0;  // bytes concerned
    std::int64_t end = 0;
  };

  // Bytes that hold data when the group starts.
  void provide(std::int64_t begin, std::int64_t end);

  // `earlier`: tells for bytes never touched in the group whether they were written before it.
  using Earlier = std::function<bool(std::int64_t begin, std::int64_t end)>;
  // `element`: bytes that are read as one and lie at a multiple of that; all of them must have one writer.
  std::optional<Conflict> read(std::int64_t begin, std::int64_t end, Node node, const GroupOrder& order,
                               const Earlier& earlier = {}, std::int64_t element = 1);
  // Finds overwritten bytes that nobody has read, too; then the write has been made nevertheless.
  std::optional<Conflict> write(std::int64_t begin, std::int64_t end, Node node, const GroupOrder& order);

  [[nodiscard]] IntervalSet touched() const;  // read or written by the group
  [[nodiscard]] IntervalSet written() const;  // by the group
  // First bytes outside `kept` that the group has written and nobody has read since.
  [[nodiscard]] std::optional<Conflict> unread(const IntervalSet& kept) const;

 private:
  struct Reader {
    std::size_t queue = 0;
    Node node = 0;
  };
  struct Piece {
    std::int64_t end = 0;
    Node writer = kBefore;
    std::vector<Reader> readers;  // since it was written
  };
  using Pieces = std::map<std::int64_t, Piece>;

  // First piece that ends behind `at`, split there if `at` lies inside it.
  Pieces::iterator split(std::int64_t at);

  Pieces pieces_;  // by first byte; gaps have not been touched and hold nothing
};

}  // namespace accsim::model
