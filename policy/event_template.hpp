#pragma once

#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "policy/json_check.hpp"
#include "policy/json_places.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// What a template is filled in from.
struct template_source {
  std::string_view event;
  timestamp_ms occurred_at;
  std::string_view data; ///< JSON, at most 256 deep
};

/// A text, or a JSON value, with placeholders for what an event says, as docs/rules.md describes them: `{{/ticket/id}}` for a
/// value in data, `{{event}}`, `{{occurred_at}}` and `{{data}}`. Compiled once, then filled in for each event, in time linear
/// in data and in what comes of it.
class event_template {
public:
  /// Of a text. Or what is wrong with it; the place in it is empty. `text` is UTF-8.
  [[nodiscard]] static std::variant<event_template, json_fault> of_text(std::string_view text);

  /// Of a JSON value at most `max_data_depth` deep: an object, or a string that is one placeholder. In it, a string that is
  /// one placeholder becomes the value there, of any type; another one has text filled in. Or what is wrong with it, and
  /// where.
  [[nodiscard]] static std::variant<event_template, json_fault> of_json(std::string_view json);

  /// What comes of it: of a JSON value a JSON object without blanks, at most `max_data_depth` deep. Or why there is none:
  /// `too_large` where it would have more than `max_bytes`, else `invalid_event`.
  [[nodiscard]] std::variant<std::string, refusal> fill(const template_source& from,
                                                        std::size_t max_bytes) const;

private:
  class compiler;
  class filling;

  enum class reference : std::uint8_t { place, event, occurred_at };
  enum class form : std::uint8_t {
    text,       ///< of a text
    characters, ///< inside a JSON string
    value,      ///< instead of one
  };

  struct placeholder {
    std::string before; ///< what stands between it and the one before
    reference to = reference::place;
    std::size_t place = 0; ///< of `reference::place`
    form as = form::text;
    std::size_t depth = 0; ///< how many objects and arrays are around it
    std::string name;      ///< for a sentence
  };

  std::vector<placeholder> placeholders_;
  std::string after_; ///< what stands behind the last one
  json_places places_;
};

} // namespace vicket
