#pragma once

#include "policy/aes_gcm.hpp"
#include "policy/clock.hpp"
#include "policy/secret_memory.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Encrypts what lies in the files of a data folder and must not be read there: AES-256 in GCM (NIST SP 800-38D), with a
/// random nonce of 96 bits for each, which is good for 2^32 of them under one key.
///
///     sealed    u8 1, 12 bytes nonce, the ciphertext as long as the text, 16 bytes tag
///
/// The tag covers where it belongs as well (`place`): what was sealed for one connector can't be put in the place of
/// another's.
///
/// May be used by several threads at once. Throws std::runtime_error where OpenSSL fails, which is when memory ends.
class secret_box {
public:
  static constexpr std::size_t key_bytes = aes_gcm::key_bytes;
  static constexpr std::size_t nonce_bytes = aes_gcm::nonce_bytes;
  static constexpr std::size_t tag_bytes = aes_gcm::tag_bytes;
  static constexpr std::size_t overhead_bytes = 1 + nonce_bytes + tag_bytes;

  /// `key` has `key_bytes`. `nonces`: where they come from, as unpredictable as OpenSSL's, safe from any thread; outlives
  /// the box. Null: OpenSSL. (A simulation has to be able to say the same twice.)
  explicit secret_box(secret_bytes key, random_source* nonces = nullptr);

  /// By its form alone. No text that has only visible characters looks like it.
  [[nodiscard]] static bool is_sealed(std::string_view text) noexcept;

  [[nodiscard]] std::string seal(std::string_view text, std::string_view place) const;
  /// Absent: it was sealed with another key, or for another place, or it is damaged.
  [[nodiscard]] std::optional<secret_bytes> open(std::string_view sealed, std::string_view place) const;

  /// A key of its own for one purpose: HMAC-SHA256 of it with the key (NIST SP 800-108). Who seals more than one key is good
  /// for derives others.
  [[nodiscard]] secret_bytes derive(std::string_view purpose) const;

  /// Tells keys apart and says nothing about them: 16 hexadecimal digits of HMAC-SHA256 with the key.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

private:
  void make_nonce(unsigned char* to) const;

  secret_bytes key_;
  random_source* nonces_;
  std::string fingerprint_;
};

} // namespace vicket
