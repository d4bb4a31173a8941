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

} // namespace vicket
