#pragma once

#include "transport/fair_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace vicket {

/// The requests of one destination that have no connection yet, in the order in which they get one: those of each
/// endpoint first come, first served, endpoints in a round. They get connections that others set free, or dial; this
/// decides which.
///
/// A dial costs both sides a TLS handshake, hundreds of microseconds of CPU, and the endpoint one more connection for
/// as long as it is used. So a request waits for a connection that comes back as long as a dial would take, and dials
/// then; or at once, where none comes back within that time. Nobody waits for longer than twice what the better choice
/// would have cost, and endpoints that answer quickly are served over few connections, however many requests are
/// there at once (docs/decisions/0004-speed.md).
///
/// That choice is for one request alone. The more connections there are, the less another one helps those behind it, and not
/// at all where it is the processor of either side that is short: then the line is as long with twice as many, and each wait in it
/// looks like a reason to dial. So from `few` connections on a request waits longer for one that comes back, the more there
/// are, within what its deadline leaves room for. Where none comes back for as long as a dial takes it dials at once, as ever
/// (docs/decisions/0019-cold-connectors.md).
///
/// Pure: time is handed in. Not thread-safe.
template <class Key, class Item>
class connection_line {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::steady_clock::duration;

  /// Nobody waits for longer than that before a dial, however long one takes.
  static constexpr std::chrono::milliseconds max_patience{50};
  /// But with more than so many connections to the destination, each `few` of which make the wait longer.
  static constexpr std::size_t few = 64;

  /// `most`: it waits no longer than this, beside what a dial takes, because there are many connections.
  void join(const Key& endpoint, Item item, time_point now, duration most) {
    waiting_.push(endpoint, place{std::move(item), now, most});
  }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// The first one. There must be one.
  [[nodiscard]] const Item& front() const { return waiting_.front().item; }
  /// It leaves the line.
  [[nodiscard]] Item pop() { return std::move(waiting_.pop().item); }
  /// Those for whom `gone(item)` is true leave before it is their turn, and take nobody's turn with them.
  template <class Predicate>
  void drop_front_while(Predicate gone) {
    waiting_.drop_front_while([&](const place& one) { return gone(one.item); });
  }

  /// A request has been answered and its connection can be used again.
  void connection_came_back(time_point now) { came_back_at_ = now; }

  /// A dial made a connection, after so long.
  void dial_took(duration span) {
    span = std::clamp<duration>(span, duration::zero(), max_patience);
    dial_takes_ = dial_takes_ ? *dial_takes_ + (span - *dial_takes_) / 8 : span;
  }

  /// When the first one should dial, if it still waits then: `now` or earlier means at once. Absent: nobody waits.
  /// `connections`: how many there are to the destination, those that are being dialled too.
  [[nodiscard]] std::optional<time_point> dial_at(std::size_t connections) const {
    if (waiting_.empty())
      return std::nullopt;
    if (!dial_takes_ || !came_back_at_) // nothing is known yet
      return time_point{};
    const auto& first = waiting_.front();
    const auto patient_until =
        first.since + *dial_takes_ + std::min(first.most, patience_of_many(connections));
    // One that came back after the first joined the line was given to somebody in it: the line moves.
    return std::min(patient_until, *came_back_at_ + *dial_takes_);
  }

private:
  /// Beside what a dial takes: 50 ms for twice `few`, 200 for three times, 450 for four times.
  static duration patience_of_many(std::size_t connections) {
    if (connections <= few)
      return duration::zero();
    const auto times = static_cast<double>(connections - few) / few;
    return std::chrono::duration_cast<duration>(max_patience * times * times);
  }

  struct place {
    Item item;
    time_point since;
    duration most;
  };

  fair_queue<Key, place> waiting_;
  std::optional<duration> dial_takes_; ///< smoothed
  std::optional<time_point> came_back_at_;
};

} // namespace vicket
