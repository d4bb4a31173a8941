#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Where the first byte stands that no valid UTF-8 continues with (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF); `nullopt`: all of it is valid.
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// The text with U+FFFD for each byte that is not part of valid UTF-8.
[[nodiscard]] std::string with_replaced_invalid_utf8(std::string_view text);

} // namespace vicket
