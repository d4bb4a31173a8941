#pragma once

#include "messages/attempt.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// The value of the first field of that name, in any case of its letters.
[[nodiscard]] std::optional<std::string_view> header_of(const attempt& value, std::string_view name);

/// The parameter `charset` of a Content-Type, without quotes; empty: there is none.
[[nodiscard]] std::string_view charset_of(std::string_view content_type);

/// Of an encoding of the web (https://encoding.spec.whatwg.org) by one of its labels. Only those are handed to iconv,
/// which knows a thousand names, and takes options in them.
struct charset {
  std::string_view name;   ///< as it is shown
  std::string_view iconv;  ///< as iconv calls it, or the superset that browsers take for it
  bool keeps_ascii = true; ///< else UTF-8 says nothing about a text in it
};
[[nodiscard]] std::optional<charset> find_charset(std::string_view label);

/// By the byte order mark that a body begins with; absent: it has none, or that of UTF-8.
[[nodiscard]] std::optional<charset> charset_of_mark(std::string_view body);

/// The bytes as UTF-8, with U+FFFD for what is none of its characters. `whole`: nothing was cut off at their end, else a
/// character that is not all there is left out. Absent: this machine has no such converter.
[[nodiscard]] std::optional<std::string> converted(std::string_view bytes, const charset& from, bool whole);

/// How many bytes of a body that was cut there are whole characters, by its byte order mark, as UTF-8, or by the charset
/// that the answer's Content-Type names. All of them where it can't be told, or the body is compressed.
[[nodiscard]] std::size_t whole_character_bytes(const attempt& value);

} // namespace vicket
