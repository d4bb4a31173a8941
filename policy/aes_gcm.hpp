#pragma once

#include <cstddef>
#include <string_view>

namespace vicket {

/// AES-256 in GCM (NIST SP 800-38D), over buffers of the caller. Throws std::runtime_error where OpenSSL fails, which is when
/// memory ends.
namespace aes_gcm {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

/// Writes as many bytes as `text` has, then the tag, which covers `place` as well.
void seal(std::string_view key, std::string_view nonce, std::string_view place, std::string_view text,
          char* to);

/// `sealed` is what `seal` wrote. Writes what it was made from, `tag_bytes` less than it has; false: the key, the nonce, the
/// place or the bytes are not those, and what was written means nothing.
[[nodiscard]] bool open(std::string_view key, std::string_view nonce, std::string_view place,
                        std::string_view sealed, char* to);

} // namespace aes_gcm

} // namespace vicket
