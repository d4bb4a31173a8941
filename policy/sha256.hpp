#pragma once

#include <string>
#include <string_view>

namespace vicket {

/// 32 bytes. Throws std::runtime_error where OpenSSL fails, which is when memory ends.
[[nodiscard]] std::string sha256(std::string_view bytes);

} // namespace vicket
