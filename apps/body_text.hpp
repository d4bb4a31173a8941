#pragma once

#include "messages/attempt.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// A response body, as far as it is shown to a person.
struct body_text {
  std::string text; ///< valid UTF-8; not yet safe for a terminal
  std::string note; ///< what it was, where it was not UTF-8; empty: it was
};

/// The beginning of an attempt's response body. What is not UTF-8 is read by the charset that the answer's Content-Type
/// names, or by its byte order mark; where neither says one that is known, bytes that are no UTF-8 become U+FFFD. Nothing
/// is decompressed.
[[nodiscard]] body_text text_of_body(const attempt& value);

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

} // namespace vicket
