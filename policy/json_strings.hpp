#pragma once

#include "policy/json_reader.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace vicket {

/// Appends valid UTF-8 as what stands between a JSON string's quotes, with no more escapes than JSON asks for.
void append_json_characters(std::string& out, std::string_view text);

/// The same, with its quotes.
inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_characters(out, text);
  out += '"';
}

/// What stands between the quotes of a string that `json_reader` has read, whatever its escapes, with no more of them than
/// JSON asks for.
void append_fewest_escapes(std::string& out, std::string_view raw);

/// With its quotes. Inline: strings are most of an event.
inline void append_json_string(std::string& out, const json_string& text) {
  out += '"';
  if (text.escaped)
    append_fewest_escapes(out, text.raw);
  else
    out += text.raw;
  out += '"';
}

/// Appends JSON that is known to be valid, without blanks and with no more escapes than JSON asks for; numbers stay as they
/// are written. Ends early with what stopped it: `too_deep` where it is nested more than `max_depth` deep (256 at most),
/// `handler` where `out` has grown beyond `max_bytes`.
[[nodiscard]] json_stop::reason append_compact_json(std::string& out, std::string_view valid,
                                                    std::size_t max_depth, std::size_t max_bytes);

} // namespace vicket
