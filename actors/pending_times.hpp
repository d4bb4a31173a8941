#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicket {

/// When the pending events of one connector were accepted, as far as it takes to say how many there are and since when
/// the oldest one waits. Events come and go in any order; at most `max_spans` spans of time are remembered, whatever
/// their number: 1 KiB.
///
/// `oldest` is exact as long as no more than `max_spans` milliseconds are concerned, and whenever one event of the
/// earliest span is left. Otherwise it may be too early, never too late: by no more than an eighth of the time over which
/// the events that were pending together had been accepted. Amortised O(log `max_spans`) for each event.
class pending_times {
public:
  static constexpr std::size_t max_spans = 32;

  void add(timestamp_ms accepted_at);
  /// One that was added.
  void remove(timestamp_ms accepted_at);
  void add_all(const pending_times& others);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Not while there is none.
  [[nodiscard]] timestamp_ms oldest() const { return {spans_.front().from}; }

  void check() const; ///< the invariants below

private:
  struct span {
    std::int64_t from = 0;    ///< of its events the earliest, or before it
    std::int64_t to = 0;      ///< of its events the latest, or after it
    std::uint64_t sum = 0;    ///< of their times, modulo 2^64: of the last one that is left it is the time
    std::uint64_t events = 0; ///< at least one
  };

  [[nodiscard]] std::vector<span>::iterator first_after(std::int64_t time);
  /// Counts it into the span that it lies in; false: it lies in none.
  bool joins(std::int64_t time);
  void condense();

  // Invariants: spans are in order and disjoint, at most max_spans; count_ is the sum of their events.
  std::vector<span> spans_;
  std::uint64_t count_ = 0;
};

} // namespace vicket
