#pragma once

#include "bench/harness/delivery_ledger.hpp"
#include "bench/harness/event_source.hpp"
#include "bench/harness/node_session.hpp"
#include "bench/harness/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vicket::bench {

/// When an event was to be sent and when the node said `accepted`; CLOCK_MONOTONIC, 0: not (yet).
struct send_times {
  std::int64_t intended_ns = 0;
  std::int64_t accepted_ns = 0;
};

/// How events are sent: to the connectors that they name, or without one, where each comes back as the one event that a
/// rule made of it.
enum class sent_as : std::uint8_t { events, triggers };

/// The workflow engine: sends the events of a source, in order, and keeps account of the answers. For one thread.
class feeder {
public:
  static constexpr std::size_t batch_items = 100;
  static constexpr std::size_t max_unanswered = 64 * batch_items;

  /// Begins with event `first` of the source.
  feeder(node_session& node, const event_source& source, std::uint32_t first = 0,
         sent_as as = sent_as::events);
  ~feeder();

  /// As many as there are to be had in `duration_ms`, with at most `window` of them sent and not yet at the sink: as
  /// fast as the node delivers, and no faster. `others`: requests that the sink saw and that are not this feeder's.
  void saturate(const sink& target, std::uint64_t others, std::size_t window, std::int64_t duration_ms);

  /// The same, for `count` events; does not wait for the last ones. Throws std::runtime_error when nothing comes to
  /// the sink for a minute.
  void saturate_count(const sink& target, std::uint64_t others, std::size_t window, std::uint32_t count);

  /// `count` events, one at a time at an even rate, whatever the node does (an open loop): an event whose turn came
  /// while the feeder was held up is sent as soon as it can be, and its time counts from its turn.
  void offer(double events_per_s, std::uint32_t count);

  /// The next event, whose turn was at `intended_ns`: a part of an open loop. Of events, not of triggers.
  void send_one(std::int64_t intended_ns);

  /// `count` events as fast as they are accepted, so many in a batch, and no more than `unanswered` on their way: of
  /// large events a node refuses what it has no room for.
  void flood(std::uint32_t count, std::size_t items = batch_items, std::size_t unanswered = max_unanswered);

  /// Until all that was sent is answered; throws std::runtime_error when that doesn't come.
  void wait_for_answers();

  /// The index behind the last event that was sent.
  [[nodiscard]] std::uint32_t sent() const { return next_; }
  [[nodiscard]] std::uint64_t accepted() const;

  /// Tells the ledger what was promised since the last call. What was refused comes back as sentences.
  std::vector<std::string> settle(delivery_ledger& ledger);
  /// By index. After `wait_for_answers`.
  [[nodiscard]] const std::vector<send_times>& times() const;

private:
  struct account;

  void send_batch_of(std::size_t items, std::int64_t intended_ns);
  [[nodiscard]] std::size_t on_their_way() const;

  node_session& node_;
  const event_source& source_;
  sent_as as_;
  std::uint32_t first_;
  std::uint32_t next_ = first_;
  std::uint32_t settled_ = first_;
  std::shared_ptr<account> account_; ///< shared with the callbacks
};

/// Waits until `sink` has seen `count` requests in all. False: for `patience_ms` none came.
[[nodiscard]] bool wait_for_arrivals(const sink& target, std::uint64_t count, std::int64_t patience_ms);

} // namespace vicket::bench
