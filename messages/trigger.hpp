#pragma once

#include "messages/event.hpp"
#include "messages/rule.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// Requests about rules, and about triggers, which rules make events of; and their answers.

namespace vicket {

// -- operator → node --------------------------------------------------------------------------------------------------

/// Creates or replaces. Answered when every node decides by it.
struct put_rule {
  rule value;

  template <class Inspector>
  friend bool inspect(Inspector& f, put_rule& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

struct get_rule {
  rule_id id;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_rule& x) {
    return f.object(x).fields(f.field("id", x.id));
  }
};

/// Answered when no node decides by it any more.
struct delete_rule {
  rule_id id;

  template <class Inspector>
  friend bool inspect(Inspector& f, delete_rule& x) {
    return f.object(x).fields(f.field("id", x.id));
  }
};

struct list_rules {
  static constexpr std::uint32_t max_limit = 1'000;

  rule_id after;
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, list_rules& x) {
    return f.object(x).fields(f.field("after", x.after), f.field("limit", x.limit));
  }
};

/// By id; bounded in bytes as well.
struct rule_page {
  std::vector<rule> rules;
  bool more = false; ///< ask again, after the last one's id

  template <class Inspector>
  friend bool inspect(Inspector& f, rule_page& x) {
    return f.object(x).fields(f.field("rules", x.rules), f.field("more", x.more));
  }
};

/// What the rules would make of a trigger; nothing is sent. A page of the rules, by id.
struct try_rules {
  static constexpr std::uint32_t max_limit = 1'000;

  trigger value;
  rule_id after;
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, try_rules& x) {
    return f.object(x).fields(f.field("value", x.value), f.field("after", x.after),
                              f.field("limit", x.limit));
  }
};

/// What an action of a rule would send.
struct tried_action {
  connector_id connector;
  event_id id;
  std::variant<std::string, refusal> envelope; ///< the bytes of the POST, or why there are none

  template <class Inspector>
  friend bool inspect(Inspector& f, tried_action& x) {
    return f.object(x).fields(f.field("connector", x.connector), f.field("id", x.id),
                              f.field("envelope", x.envelope));
  }
};

struct tried_rule {
  rule_id rule;
  bool matches = false;
  std::vector<std::string> why_not;  ///< sentences with the place in the rule; empty where it matches
  std::vector<tried_action> actions; ///< empty where it does not

  template <class Inspector>
  friend bool inspect(Inspector& f, tried_rule& x) {
    return f.object(x).fields(f.field("rule", x.rule), f.field("matches", x.matches),
                              f.field("why_not", x.why_not), f.field("actions", x.actions));
  }
};

struct trial_page {
  static constexpr std::size_t max_bytes = 4u << 20; ///< one rule is always in it

  std::vector<tried_rule> rules;
  bool more = false; ///< ask again, after the last one's id

  template <class Inspector>
  friend bool inspect(Inspector& f, trial_page& x) {
    return f.object(x).fields(f.field("rules", x.rules), f.field("more", x.more));
  }
};

// -- engine → node ----------------------------------------------------------------------------------------------------

/// What became of one action of a rule that matches.
struct triggered_event {
  connector_id connector;
  rule_id rule;
  std::uint32_t action = 0;
  send_result result; ///< as of an event that was sent

  template <class Inspector>
  friend bool inspect(Inspector& f, triggered_event& x) {
    return f.object(x).fields(f.field("connector", x.connector), f.field("rule", x.rule),
                              f.field("action", x.action), f.field("result", x.result));
  }
};

/// All of it is decided: what is accepted is on disk. Without events no rule matches.
struct trigger_result {
  event_id id; ///< of the trigger
  std::vector<triggered_event> events;

  template <class Inspector>
  friend bool inspect(Inspector& f, trigger_result& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("events", x.events));
  }
};

/// Several triggers in one message; each is decided by itself.
struct trigger_batch {
  static constexpr std::size_t max_items = 1'000; ///< a longer one is refused whole with `invalid_event`

  std::vector<trigger> items;

  template <class Inspector>
  friend bool inspect(Inspector& f, trigger_batch& x) {
    return f.object(x).fields(f.field("items", x.items));
  }
};

/// A refusal: nothing of the trigger is decided for certain, see its code. With `unavailable` some of its events may be there:
/// sent again with the id that the detail names it is completed.
using trigger_answer = std::variant<trigger_result, refusal>;

/// `results[i]` answers `items[i]`.
struct trigger_batch_result {
  std::vector<trigger_answer> results;

  template <class Inspector>
  friend bool inspect(Inspector& f, trigger_batch_result& x) {
    return f.object(x).fields(f.field("results", x.results));
  }
};

} // namespace vicket
