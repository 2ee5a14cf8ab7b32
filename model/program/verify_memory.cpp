#include "model/program/verify_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace accsim::model {
namespace {

bool in_order(GroupOrder::Node first, GroupOrder::Node second, const GroupOrder& order) {
  const bool passes = order.queue(second) == Queue::array && order.queue_of(first) == order.queue_of(second);
  return passes || order.ended_before(first, second);
}

}  // namespace

void MemoryState::provide(std::int64_t begin, std::int64_t end) {
  while (begin < end) {
    auto it = split(begin);
    const std::int64_t stop = it == pieces_.end() ? end : std::min(end, it->first);
    if (begin < stop) pieces_.emplace_hint(it, begin, Piece{stop, kBefore, {}});
    begin = it == pieces_.end() || it->first >= end ? end : it->second.end;
  }
}

MemoryState::Pieces::iterator MemoryState::split(std::int64_t at) {
  auto it = pieces_.upper_bound(at);
  if (it == pieces_.begin()) return it;
  const auto before = std::prev(it);
  if (before->first == at) return before;
  if (before->second.end <= at) return it;
  Piece tail = before->second;
  before->second.end = at;
  return pieces_.emplace_hint(it, at, std::move(tail));
}

std::optional<MemoryState::Conflict> MemoryState::read(std::int64_t begin, std::int64_t end, Node node,
                                                       const GroupOrder& order, const Earlier& earlier,
                                                       std::int64_t element) {
  auto it = split(begin);
  Node last = kBefore;  // writer of the bytes before
  for (std::int64_t at = begin; at < end;) {
    if (it == pieces_.end() || it->first > at) {
      const std::int64_t stop = it == pieces_.end() ? end : std::min(end, it->first);
      if (!earlier || !earlier(at, stop)) return Conflict{Conflict::Kind::unwritten, kBefore, at, stop};
      it = pieces_.emplace_hint(it, at, Piece{stop, kBefore, {}});
    }
    if (it->second.end > end) split(end);
    Piece& piece = it->second;
    if (piece.writer != kBefore && piece.writer != node && !in_order(piece.writer, node, order)) {
      return Conflict{Conflict::Kind::with_writer, piece.writer, at, piece.end};
    }
    if (at > begin && at % element != 0 && piece.writer != last) {
      const std::int64_t first = at / element * element;
      return Conflict{Conflict::Kind::torn, piece.writer != kBefore ? piece.writer : last, first, first + element};
    }
    last = piece.writer;
    const std::size_t queue = order.queue_of(node);
    const auto same = std::find_if(piece.readers.begin(), piece.readers.end(),
                                   [&](const Reader& reader) { return reader.queue == queue; });
    if (same == piece.readers.end()) {
      piece.readers.push_back({queue, node});
    } else {
      same->node = node;
    }
    at = piece.end;
    ++it;
  }
  return std::nullopt;
}

std::optional<MemoryState::Conflict> MemoryState::write(std::int64_t begin, std::int64_t end, Node node,
                                                        const GroupOrder& order) {
  split(begin);
  split(end);
  auto it = pieces_.lower_bound(begin);
  std::optional<Conflict> unread;
  while (it != pieces_.end() && it->first < end) {
    const Piece& piece = it->second;
    if (piece.writer != kBefore && piece.writer != node && !in_order(piece.writer, node, order)) {
      return Conflict{Conflict::Kind::with_writer, piece.writer, it->first, piece.end};
    }
    for (const Reader& reader : piece.readers) {
      if (reader.node != node && !in_order(reader.node, node, order)) {
        return Conflict{Conflict::Kind::with_reader, reader.node, it->first, piece.end};
      }
    }
    if (!unread && piece.readers.empty() && piece.writer != node) {
      unread = Conflict{Conflict::Kind::unread, piece.writer, it->first, piece.end};
    }
    it = pieces_.erase(it);
  }
  pieces_.emplace_hint(it, begin, Piece{end, node, {}});
  return unread;
}

IntervalSet MemoryState::touched() const {
  IntervalSet bytes;
  for (const auto& [begin, piece] : pieces_) {
    if (piece.writer != kBefore || !piece.readers.empty()) bytes.add(begin, piece.end);
  }
  return bytes;
}

IntervalSet MemoryState::written() const {
  IntervalSet bytes;
  for (const auto& [begin, piece] : pieces_) {
    if (piece.writer != kBefore) bytes.add(begin, piece.end);
  }
  return bytes;
}

std::optional<MemoryState::Conflict> MemoryState::unread(const IntervalSet& kept) const {
  for (const auto& [begin, piece] : pieces_) {
    if (piece.writer == kBefore || !piece.readers.empty()) continue;
    if (const auto gap = kept.first_gap(begin, piece.end)) {
      return Conflict{Conflict::Kind::unread, piece.writer, *gap,
                      kept.first_common(*gap, piece.end).value_or(piece.end)};
    }
  }
  return std::nullopt;
}

}  // namespace accsim::model
