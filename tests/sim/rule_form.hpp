#pragma once

#include "messages/rule.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::sim {

/// Rules and filters of a few plain forms, of which anybody can see what they let pass: nothing here asks the engine's own.

/// What filters look at: the number in the event's name, and `kind` in its data.
struct event_look {
  std::uint64_t serial = 0;
  std::uint32_t kind = 0;
};
inline constexpr std::uint32_t kind_count = 5;
/// Of an event that was sent to a connector.
[[nodiscard]] event_look look_of(std::uint64_t serial);

enum class filter_form : std::uint8_t {
  none,
  by_kind, ///< kinds 0 to 2
  by_name, ///< all but the names that end with a 4
};
/// As JSON, as a node shows it; empty: none.
[[nodiscard]] std::string text_of(filter_form form);
/// The other way round.
[[nodiscard]] filter_form filter_form_of(const std::string& text);
[[nodiscard]] bool passes(filter_form form, const event_look& event);

struct rule_form {
  static constexpr std::size_t most_actions = 2;
  /// What an action with `own_kind` makes of any kind.
  static constexpr std::uint32_t own_kind = 4;

  enum class names : std::uint8_t { all, ours, others };
  struct action {
    std::uint32_t connector = 0;
    bool own_data = false; ///< by a template
    bool own_kind = false; ///< in which the kind is another one
  };

  bool enabled = true;
  names events = names::all;
  filter_form filter = filter_form::none;
  std::vector<action> actions;
  bool large = false; ///< its record, so that a store is flushed; only where it is disabled

  [[nodiscard]] bool matches(const event_look& trigger) const;
  [[nodiscard]] bool names_connector(std::uint32_t which) const;
  /// What filters see of the event that the action makes.
  [[nodiscard]] event_look made(std::size_t action, const event_look& trigger) const;
};

/// The rule of the change with this number: it sends to some of `targets`.
[[nodiscard]] rule_form draw_rule(std::uint64_t seed, std::uint64_t number,
                                  const std::vector<std::uint32_t>& targets);
/// The number is in its name, and, with rule, action and trigger, in the message of what it sends.
[[nodiscard]] rule to_rule(std::size_t which, std::uint64_t number, const rule_form& form,
                           const std::vector<connector_id>& connectors);
[[nodiscard]] std::string rule_name(std::size_t which);
/// Absent: none of ours.
[[nodiscard]] std::optional<std::size_t> rule_of_name(const std::string& id);
/// From the rule as it is stored.
[[nodiscard]] std::optional<std::uint64_t> change_in(std::string_view stored);

/// What an envelope says of the rule that made it.
struct rule_mark {
  std::size_t rule = 0;
  std::size_t action = 0;
  std::uint64_t number = 0;
  std::uint64_t serial = 0; ///< in the trigger's name, as the template saw it
  std::uint32_t kind = 0;
};
[[nodiscard]] std::optional<rule_mark> mark_in(std::string_view envelope);

/// The data of an event or a trigger of this kind.
[[nodiscard]] std::string data_of(std::uint32_t kind, std::size_t filling);
/// Of an envelope.
[[nodiscard]] std::optional<std::uint32_t> kind_in(std::string_view envelope);

} // namespace vicket::sim
