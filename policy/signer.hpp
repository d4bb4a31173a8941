#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vicket {

/// A connector's secret, ready to sign. Both hash states of HMAC (RFC 2104) are computed once per key, and each signature goes
/// on from them. Cheap to copy; may be used by several threads at once.
///
/// Throws std::runtime_error where OpenSSL fails, which is when memory ends.
class signing_key {
public:
  explicit signing_key(std::string_view secret);

  /// Whether Standard Webhooks' key is the decoded part after `whsec_`. False for a secret without that prefix, and
  /// for one that `secret_complaint` refuses since its rest is empty or no base64: then the key is the secret's
  /// characters as they are, prefix included.
  [[nodiscard]] bool has_decoded_key() const noexcept;

private:
  struct keys;
  std::shared_ptr<const keys> keys_;

  friend void append_vicket_signature(std::string&, const signing_key&, std::int64_t, std::string_view);
  friend void append_standard_webhooks_signature(std::string&, const signing_key&, std::string_view,
                                                 std::int64_t, std::string_view);
};

/// How far a signature's time may be from the verifier's; seed: "Reject requests where |now - t| > 300s".
inline constexpr std::int64_t signature_tolerance_s = 300;

/// The value of `X-Vicket-Signature`: `hmac-sha256, t=<unix seconds>, v1=<hex HMAC-SHA256 of the raw body>`,
/// keyed with the secret's characters as they are. The time is not covered by it.
[[nodiscard]] std::string vicket_signature(const signing_key& key, std::int64_t unix_seconds,
                                           std::string_view body);

/// The value of `webhook-signature` (Standard Webhooks): `v1,<base64 HMAC-SHA256 of id.timestamp.body>`.
[[nodiscard]] std::string standard_webhooks_signature(const signing_key& key, std::string_view id,
                                                      std::int64_t unix_seconds, std::string_view body);

/// The same two, put behind what `text` has.
void append_vicket_signature(std::string& text, const signing_key& key, std::int64_t unix_seconds,
                             std::string_view body);
void append_standard_webhooks_signature(std::string& text, const signing_key& key, std::string_view id,
                                        std::int64_t unix_seconds, std::string_view body);

/// Whether `header` is a value of `X-Vicket-Signature` for this body, with a time within the tolerance of
/// `now_seconds`. Compares in constant time.
[[nodiscard]] bool verify_vicket_signature(const signing_key& key, std::string_view header,
                                           std::string_view body, std::int64_t now_seconds);

/// The same for the three headers of Standard Webhooks. `signatures` may list several, separated by blanks,
/// of which one `v1` has to fit; other versions are overlooked.
[[nodiscard]] bool verify_standard_webhooks_signature(const signing_key& key, std::string_view id,
                                                      std::string_view timestamp, std::string_view signatures,
                                                      std::string_view body, std::int64_t now_seconds);

} // namespace vicket
