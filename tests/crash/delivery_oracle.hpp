#pragma once

#include "tests/crash/event_trace.hpp"
#include "tests/crash/plan.hpp"
#include "tests/crash/records.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
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
  void add(const node_life& life); ///< in order
  /// The node's answer to a question for one event; absent: `not_found`.
  void add_history(const event_id& id, std::optional<event_history> history);
  void add_feed(const outcome_entry& entry);     ///< read from the oldest on, when all was quiet
  void add_followed(const outcome_entry& entry); ///< read with cursors across the kills

  /// Every id that anyone has seen: whose history is to be asked for.
  [[nodiscard]] std::vector<event_id> ids() const;

  /// All violations, those that belong to no event first.
  [[nodiscard]] std::vector<violation> check();
  /// What `check()` counted.
  [[nodiscard]] const totals& counted() const noexcept { return counted_; }

  /// Everything that is known of an event; empty for an id nobody knows.
  [[nodiscard]] std::string story(const std::string& id) const;

private:
  event_trace& trace_of_serial(std::uint64_t serial);
  /// The trace with this id; else the one sent without an id under this serial, which then has it. Null:
  /// nobody sent such an event.
  event_trace* trace_of(const std::string& id, std::optional<std::uint64_t> serial);
  void complain(std::string rule, std::string detail, std::string id = {});

  const plan& promises_;
  event_source event_;
  std::map<std::uint64_t, event_trace> traces_;
  std::unordered_map<std::string, std::uint64_t> serials_; ///< by id
  std::vector<node_life> lives_;
  std::vector<violation> while_adding_;
  totals counted_;
};

} // namespace vicket::crash
