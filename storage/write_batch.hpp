#pragma once

#include "messages/connector.hpp"
#include "messages/settings.hpp"
#include "policy/feed_drops.hpp"
#include "policy/feed_lineage.hpp"
#include "policy/history_ledger.hpp"
#include "storage/records.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// What one round writes, encoded as it is added. One writer at a time.
class write_batch {
public:
  write_batch();
  ~write_batch();
  write_batch(write_batch&&) noexcept;
  write_batch& operator=(write_batch&&) noexcept;

  /// `waits`: it is not handed to its supervisor right away, so it goes into the due index at
  /// (connector, accepted_at, sequence), where a supervisor finds it later.
  void add_event(const stored_event& event, bool waits);

  /// Puts an event that was added without `waits`, and was never attempted, into the due index after all.
  /// `position.due` has to be its `accepted_at`: that is where a restart puts it, and one event must not stand in
  /// two places.
  void index_waiting(const connector_id& connector, due_position position);

  /// Where an attempt's entry in the index of its event's attempts goes.
  enum class attempt_index : std::uint8_t {
    log,     ///< `event_attempts`: the event is above the retention's edge
    carried, ///< `carried`: it is below
    both,    ///< the edge is about to pass it
  };

  /// The attempt, the event's new place in the due index when it is to be tried again, and, when it was
  /// `indexed`, the removal of the place that it had. `accepted_at` of the event, for whoever counts what waits
  /// (`due_scan`), and has to look it up otherwise. Returns the size of its record.
  std::size_t add_attempt(const connector_id& connector, const stored_attempt& value, due_position was,
                          bool indexed, attempt_index where = attempt_index::log,
                          std::optional<timestamp_ms> accepted_at = std::nullopt);

  /// The event was settled long after it was accepted: it is kept by that time instead.
  void note_late(const late_event& value);

  void put_connector(const connector& value);
  void delete_connector(const connector_id& id); ///< and its state

  /// What the connector's supervisor has to remember; opaque here.
  void put_connector_state(const connector_id& id, std::string_view state);

  void put_setting(setting value);
  void delete_setting(const setting_key& key);

  /// Of the history's ledger: an account, or its removal; what a restart need not count again is below; and what all
  /// accounts together take out of the feed.
  void put_history(std::uint64_t account, const history_ledger::account& value);
  void remove_history(std::uint64_t account);
  void put_counted(log_sequence below);
  void put_drops(const feed_drops& value);

  void put_lineage(const feed_lineage& value);
  /// The last attempt that the retention's edge has passed: with the edge.
  void put_lost(log_sequence attempt);

  // -- retention (partition_retention.cpp) --
  void carry(const carried_event& value);
  void expire(const expired_event& value);
  void expire(const late_event& value);

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool empty() const;
  void clear();

private:
  friend class partition_store;
  friend class sealed_round;
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
