#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// Base64 of RFC 4648 section 4, padded, without line breaks.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

/// The bytes, or `nullopt`: characters outside the alphabet, wrong padding, or bits left over that are not
/// zero.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

/// Where a text stops being base64, and why: a predicate to "the text".
struct base64_fault {
  std::size_t at = 0;
  std::string_view what;
};

/// The same for what people and other programs write: the alphabet of section 4 or that of section 5 (`-_` for `+/`,
/// not both in one text), with padding or without it.
[[nodiscard]] std::variant<std::string, base64_fault> base64_decode_any(std::string_view text);

} // namespace vicket
