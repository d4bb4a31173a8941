#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Base64 of RFC 4648 section 4, padded, without line breaks.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

/// The bytes, or `nullopt`: characters outside the alphabet, wrong padding, or bits left over that are not
/// zero.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

} // namespace vicket
