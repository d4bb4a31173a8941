#pragma once

#include "messages/trigger.hpp"
#include "tests/sim/connector_book.hpp"
#include "tests/sim/facts.hpp"
#include "tests/sim/rule_form.hpp"
#include "tests/sim/setting_book.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

/// What a trigger has to become by the rules that there may have been while it was on its way, and under which ids. What
/// becomes of the events is the business of `event_book`. Copies are independent.
class trigger_book {
public:
  /// `form_of`: the rule that a change puts. `connector_number`: of an id; absent: none of ours.
  trigger_book(std::function<rule_form(std::uint64_t number)> form_of,
               std::function<std::optional<std::uint32_t>(const connector_id&)> connector_number,
               std::vector<complaint>& complaints)
      : form_of_{std::move(form_of)}, connector_number_{std::move(connector_number)}, complaints_{
                                                                                          &complaints} {}

  void sent(const planned_trigger& value, const moment& now);
  /// `connectors`: absent where nobody knows what filters and connectors there were.
  void answered(std::uint64_t serial, const trigger_result& answer, const setting_book& rules,
                const connector_book* connectors, const moment& now);
  /// It was refused, or its answer is lost: what comes of it is planned.
  void ended(std::uint64_t serial, const moment& now);
  /// It was not taken by all partitions, and the detail says its id: from here on it has that one, also where the node made it.
  void not_taken(std::uint64_t serial, const std::string& detail);
  void all_are_lost(const moment& now);
  /// Nothing moves: what was sent long ago is answered, if only with a refusal.
  void quiet(const moment& now);

  /// An endpoint got an event that a rule made of the trigger `serial`.
  void arrived(std::uint64_t serial, std::uint32_t connector, const event_id& id, const std::string& envelope,
               const setting_book& rules, const connector_book* connectors);

  /// After an audit: of what a partition was to take of one trigger all is there, or nothing, but for what a connector may
  /// have refused. `is_there`: with this connector and id, or nobody can tell any more.
  void check_whole(const connector_book& connectors,
                   const std::function<std::uint32_t(std::uint32_t connector)>& partition_of,
                   const std::function<bool(std::uint32_t connector, const event_id& id)>& is_there) const;

  [[nodiscard]] bool knows(std::uint64_t serial) const { return triggers_.contains(serial); }
  [[nodiscard]] moment sent_at(std::uint64_t serial) const { return triggers_.at(serial).sent_at; }
  /// Of each id that its sender knows and of which no trigger was answered with a result, the last one.
  [[nodiscard]] std::vector<planned_trigger> unanswered() const;

private:
  struct trigger_fact {
    planned_trigger sent;
    moment sent_at;
    std::uint64_t planned_by = never; ///< a place in the order: its rules are those of a time before
    bool decided = false;
    std::map<std::size_t, std::uint64_t> made_by; ///< rules, with their changes, of which something came
    /// When nothing more was to be done at that time, for the first time since: from here on the node has it. Time may pass before.
    std::optional<std::int64_t> taken_ms = {};
  };
  using action = std::pair<std::size_t, std::size_t>; ///< rule and its action
  struct identity {
    std::map<action, event_id> ids;
    std::map<event_id, action> actions;
  };
  struct named_action {
    std::uint32_t connector = 0;
    std::size_t number = 0;
    const send_result* result = nullptr;
  };

  void complain(std::string rule, std::string detail) const {
    complaints_->push_back({std::move(rule), std::move(detail)});
  }
  [[nodiscard]] event_look look_of_trigger(const trigger_fact& of) const {
    return {of.sent.serial, of.sent.kind};
  }
  void learn(const trigger_fact& of, const action& what, const event_id& id);
  [[nodiscard]] std::optional<event_id> id_of(const trigger_fact& of, const action& what) const;
  void judge(const trigger_fact& of, std::size_t which, const std::vector<named_action>& named,
             const setting_book& rules, const connector_book* connectors, const moment& now) const;

  std::function<rule_form(std::uint64_t)> form_of_;
  std::function<std::optional<std::uint32_t>(const connector_id&)> connector_number_;
  std::vector<complaint>* complaints_;
  std::map<std::uint64_t, trigger_fact> triggers_;
  std::map<event_id, identity> by_id_;
  std::map<std::uint64_t, identity> without_id_; ///< by serial
};

} // namespace vicket::sim
