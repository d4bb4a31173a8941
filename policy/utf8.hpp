#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Where the first byte stands that no valid UTF-8 continues with (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF); `nullopt`: all of it is valid.
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// How many bytes of a text that was cut there are whole characters: where it is UTF-8 but for the beginning of a
/// character at its end, that is left out. All of them where it is something else.
[[nodiscard]] std::size_t whole_utf8_bytes(std::string_view text);

/// The text with U+FFFD for each byte that is not part of valid UTF-8.
[[nodiscard]] std::string with_replaced_invalid_utf8(std::string_view text);

} // namespace vicket
