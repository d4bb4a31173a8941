#pragma once

#include "messages/errors.hpp"
#include "messages/status.hpp"
#include "tests/sim/connector_book.hpp"
#include "tests/sim/event_book.hpp"
#include "tests/sim/facts.hpp"
#include "tests/sim/feed_book.hpp"
#include "tests/sim/setting_book.hpp"
#include "tests/sim/start_book.hpp"
#include "tests/sim/trigger_book.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::sim {

/// Judges a node by what was sent to it, what it answered and what the endpoints saw. Knows nothing of actors, disks
/// and clocks: it is told what happened, in order.
class oracle {
public:
  static constexpr std::size_t readers = 2;

  explicit oracle(const world_shape& shape);
  oracle(const oracle&) = delete;
  oracle& operator=(const oracle&) = delete;

  /// In order, as they were found.
  [[nodiscard]] const std::vector<complaint>& complaints() const noexcept { return complaints_; }
  void complain(std::string rule, std::string detail) {
    complaints_.push_back({std::move(rule), std::move(detail)});
  }

  event_book& events() noexcept { return events_; }
  connector_book& connectors() noexcept { return connectors_; }
  setting_book& rules() noexcept { return rules_; }
  trigger_book& triggers() noexcept { return triggers_; }
  feed_book& feed() noexcept { return feed_; }
  start_book& starts() noexcept { return starts_; }

  // -- requests -------------------------------------------------------------------------------------------------

  void requested(std::uint32_t connector, const moment& now);
  void supervisor_died();
  /// Nothing moves, and the disk is well.
  void look_at_starts(const moment& now);

  // -- events and connectors, where more than one book is concerned -------------------------------------------

  void answered(std::uint64_t serial, const send_result& answer, const moment& now);
  /// A put or delete was refused; `sent` is when it was sent.
  void change_refused(std::uint32_t which, operation what, const refusal& why, const moment& sent,
                      const moment& now);
  void deleted(std::uint32_t which, bool by_force, const moment& sent, const moment& now);
  /// The change of this number; `sent` is when it was sent.
  void rule_done(std::size_t which, std::uint64_t number, bool is_delete, const moment& sent,
                 const moment& now);
  void rule_refused(std::size_t which, std::uint64_t number, bool is_delete, const refusal& why,
                    const moment& sent, const moment& now);
  void trigger_sent(const planned_trigger& value, std::uint32_t action, const moment& now);
  void trigger_answered(std::uint64_t serial, const trigger_answer& answer, const moment& now);
  /// After an audit.
  void check_triggers() const;
  /// An endpoint got an event of a sender's, or of a rule's, by the name in it.
  void arrived(std::uint64_t number, std::uint64_t named, std::uint32_t connector, const std::string& id,
               const std::string& body, std::uint32_t life, const moment& now, const std::string& host);
  void told(const node_status& status, const std::map<std::uint32_t, std::uint64_t>& open_requests);

  // -- the disk ------------------------------------------------------------------------------------------------

  /// `full`: appends fail. `squeezed`: there is less free than the reserve.
  void disk_is(bool full, bool squeezed, const moment& now);
  /// One operation failed for want of room.
  void room_was_missing(const moment& now);
  /// The node was short of something of its own for a request.
  void node_was_short(const moment& now) { last_short_ = now; }
  /// Something failed that a node may end for: an I/O error, a sync, the machine itself.
  void something_serious_failed() { serious_ = true; }
  /// The sync of a commit failed, with whatever error number: the node has to end.
  void commit_sync_failed() { commit_sync_failed_ = true; }

  // -- the node's lives -----------------------------------------------------------------------------------------

  void life_began(const moment& now);
  void life_ended(const moment& now);
  /// The node was asked to stop.
  void stopping() { stopping_ = true; }
  /// And it has: with everything recorded that was answered.
  void stopped_cleanly() { events_.everything_is_recorded(); }
  /// The node said that its store failed: it answers nothing more, and is to be ended.
  void node_failed(const std::string& why, const moment& now);
  void start_failed(const std::string& why, bool fault_struck);
  /// In this life, so that the node may end for it yet.
  [[nodiscard]] bool something_serious_has_failed() const noexcept { return serious_; }
  [[nodiscard]] bool node_has_failed() const noexcept { return failed_; }
  void quiet(const moment& now);

  // -- copies of the folder ---------------------------------------------------------------------------------------

  struct copy {
    event_book events;
    connector_book connectors;
    setting_book rules;
    trigger_book triggers;
    std::vector<std::string> cursors;
    std::uint64_t newest_request = 0;
  };
  [[nodiscard]] copy take_copy(std::uint64_t newest_request) const {
    return {events_, connectors_, rules_, triggers_, feed_.cursors(), newest_request};
  }
  void restored(const copy& older, const moment& now);

private:
  [[nodiscard]] bool shortly_after(const moment& then, const moment& now) const;
  [[nodiscard]] bool may_be_full(const moment& sent, const moment& now) const;
  void check_transient(errc code, const std::string& who, const moment& sent, const moment& now,
                       bool may_squeeze);
  [[nodiscard]] rule_form form_of(std::uint64_t number) const;
  [[nodiscard]] std::optional<std::uint32_t> number_of(const connector_id& id) const;
  [[nodiscard]] bool may_be_named(std::uint32_t which, const moment& sent, const moment& now) const;
  [[nodiscard]] bool is_named(std::uint32_t which, const moment& sent, const moment& now) const;
  void check_known_id(const event_fact& event, errc code);

  const world_shape& shape_;
  std::vector<complaint> complaints_;
  event_book events_;
  connector_book connectors_;
  setting_book rules_;
  trigger_book triggers_;
  feed_book feed_;
  start_book starts_;
  moment life_began_;
  bool disk_full_ = false;
  bool disk_squeezed_ = false;
  moment last_full_{0, -1'000'000, 0};
  moment last_short_{0, -1'000'000, 0};
  moment last_squeezed_{0, -1'000'000, 0};
  bool serious_ = false;
  bool commit_sync_failed_ = false;
  bool failed_ = false;
  std::uint64_t failed_at_ = 0; ///< a place in the order
  bool stopping_ = false;
};

} // namespace vicket::sim
