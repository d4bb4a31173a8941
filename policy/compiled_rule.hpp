#pragma once

#include "messages/rule.hpp"
#include "policy/content_filter.hpp"
#include "policy/event_template.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// The bounds of a rule's fields. Those of its patterns and its filter are those of a connector.
namespace rule_bounds {
inline constexpr std::size_t name_bytes = 256;
inline constexpr std::size_t actions = 16;
inline constexpr std::size_t message_bytes = 8'192; ///< of a template
inline constexpr std::size_t data_bytes = 32'768;   ///< likewise
inline constexpr std::size_t json_bytes = 262'144;  ///< of all of it, as `rule_to_json` writes it
} // namespace rule_bounds

/// A rule that may be stored and used, with its filter and its templates at hand. Not changed by being used.
class compiled_rule : public std::enable_shared_from_this<compiled_rule> {
public:
  /// Or what is wrong with it: the place, as a pointer into the rule's JSON, and a sentence. Whether there are connectors of
  /// those names is not looked at.
  [[nodiscard]] static std::variant<std::shared_ptr<const compiled_rule>, json_fault> compile(rule from);

  [[nodiscard]] const rule& source() const noexcept { return source_; }

  /// Null: all events that its patterns match.
  [[nodiscard]] const content_filter* filter() const noexcept { return filter_ ? &*filter_ : nullptr; }

  /// Whether it is enabled and one of its patterns matches the name.
  [[nodiscard]] bool takes_name(std::string_view event) const;
  /// And its filter matches. `data`: JSON.
  [[nodiscard]] bool takes(std::string_view event, std::string_view data) const;

  /// What comes of an action's templates; absent where it has none: what the trigger has is sent. Or why nothing does: a
  /// sentence that names the part.
  struct filled {
    std::optional<std::string> message;
    std::optional<std::string> data_json;
  };
  [[nodiscard]] std::variant<filled, refusal> fill(std::size_t action, const template_source& from,
                                                   std::size_t max_bytes) const;

private:
  struct templates {
    std::optional<event_template> message;
    std::optional<event_template> data;
  };

  compiled_rule() = default;

  rule source_;
  std::optional<content_filter> filter_;
  std::vector<templates> actions_;
};

} // namespace vicket
