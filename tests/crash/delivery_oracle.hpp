#pragma once

#include "tests/crash/connector_timeline.hpp"
#include "tests/crash/cursor_rules.hpp"
#include "tests/crash/event_trace.hpp"
#include "tests/crash/plan.hpp"
#include "tests/crash/records.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket::crash {

/// Judges a run from what its processes noted down; knows nothing of processes, clocks and files. Add the
/// sends first, then the answers, and everything else in any order; requests and feed entries each in theirs.
class delivery_oracle {
public:
  using event_source = std::function<send_to_connector(std::uint64_t serial)>;

  /// `promises` has to outlive the oracle. `event` makes what was sent under a serial number.
  delivery_oracle(const plan& promises, event_source event);

  void add(const send_record& sent);
  void add(const answer_record& answer);
  void add(request_record request);
  void add(const node_life& life);       ///< in order
  void add(const change_record& change); ///< in order, as are the next two
  void add(const change_answer_record& answer);
  void add(look_record look);
  void add(follower_record one); ///< in order
  /// The node's answer to a question for one event; absent: `not_found`.
  void add_history(const event_id& id, std::optional<event_history> history);
  void add_feed(const outcome_entry& entry);     ///< read from the oldest on, when all was quiet
  void add_followed(const outcome_entry& entry); ///< read with cursors across the kills

  /// Every id that anyone has seen: whose history is to be asked for.
  [[nodiscard]] std::vector<event_id> ids() const;

  /// Every sync of the node takes so much longer than the disk needs: outcomes are committed later.
  void expect_slow_sync(std::int64_t sync_ms) { slow_sync_ms_ = sync_ms; }

  /// All violations, those that belong to no event first.
  [[nodiscard]] std::vector<violation> check();
  /// What `check()` counted.
  [[nodiscard]] const totals& counted() const noexcept { return counted_; }

  /// How many events of a connector were accepted, and sent.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> count_of(const std::string& connector) const;

  /// Everything that is known of an event; empty for an id nobody knows.
  [[nodiscard]] std::string story(const std::string& id) const;

private:
  event_trace& trace_of_serial(std::uint64_t serial);
  /// The trace with this id, if there are several that of this connector; else the one sent without an id under this
  /// serial, which then has it. Null: nobody sent such an event.
  event_trace* trace_of(const std::string& connector, const std::string& id,
                        std::optional<std::uint64_t> serial);
  [[nodiscard]] std::map<std::string, connector_timeline> timelines() const;
  void check_connectors(const run_facts& facts);
  [[nodiscard]] std::vector<feed_key> whole_feed() const;
  void complain(std::string rule, std::string detail, std::string id = {});

  const plan& promises_;
  event_source event_;
  std::map<std::uint64_t, event_trace> traces_;
  std::unordered_multimap<std::string, std::uint64_t> serials_; ///< by id, which is known per connector
  std::vector<node_life> lives_;
  std::vector<change_record> changes_;
  std::vector<change_answer_record> change_answers_;
  std::vector<look_record> looks_;
  std::vector<follower_record> follower_;
  std::int64_t slow_sync_ms_ = 0;
  std::vector<violation> while_adding_;
  totals counted_;
};

} // namespace vicket::crash
