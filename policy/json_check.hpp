#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// What is wrong with a part of a JSON text: where, as a pointer (RFC 6901), and a sentence that goes on after it.
struct json_fault {
  std::string place;
  std::string what;

  /// One sentence: "/filter/not: must be an object". `below`: the pointer to the text itself, in what it is a part of.
  [[nodiscard]] std::string sentence(std::string_view below = {}) const;

  friend bool operator==(const json_fault&, const json_fault&) = default;
};

/// Nothing: the text is one JSON value in UTF-8, at most `max_depth` deep, and no object has a name twice. For what people
/// write to be kept: which of two was meant nobody knows.
[[nodiscard]] std::optional<json_fault> json_complaint(std::string_view text, std::size_t max_depth);

/// For a sentence: some of a text that is valid UTF-8, on one line and not too long.
[[nodiscard]] std::string shown_text(std::string_view text);

} // namespace vicket
