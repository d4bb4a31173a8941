#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// What a rule does with an event that it matches: sends it to a connector. The JSON form is that of docs/rules.md.
struct rule_action {
  connector_id connector;
  std::optional<std::string> message; ///< a template; absent: the event's own, if it has one
  std::string data_json;              ///< a template; empty: the event's data as it is

  friend bool operator==(const rule_action&, const rule_action&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, rule_action& x) {
    return f.object(x).fields(f.field("connector", x.connector), f.field("message", x.message),
                              f.field("data_json", x.data_json));
  }
};

/// Which events of those that name no connector go where.
struct rule {
  rule_id id;
  std::string name;
  bool enabled = true;
  std::vector<std::string> events; ///< patterns with `*`; empty: all
  std::string filter_json;         ///< as a connector's; empty: none
  std::vector<rule_action> actions;

  friend bool operator==(const rule&, const rule&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, rule& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("name", x.name), f.field("enabled", x.enabled),
                              f.field("events", x.events), f.field("filter_json", x.filter_json),
                              f.field("actions", x.actions));
  }
};

/// An event for whatever connectors the rules name: the fields of `send_to_connector`, without a connector.
struct trigger {
  std::string event;
  timestamp_ms occurred_at;
  std::string data_json;
  std::optional<std::string> message; ///< for actions that have none
  std::string workflow;
  std::string run;
  std::optional<event_id> id; ///< makes it idempotent: the events' ids follow from it, from rule and action

  friend bool operator==(const trigger&, const trigger&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, trigger& x) {
    return f.object(x).fields(f.field("event", x.event), f.field("occurred_at", x.occurred_at),
                              f.field("data_json", x.data_json), f.field("message", x.message),
                              f.field("workflow", x.workflow), f.field("run", x.run), f.field("id", x.id));
  }
};

} // namespace vicket
