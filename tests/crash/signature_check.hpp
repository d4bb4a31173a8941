#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket::crash {

/// What a receiver does with the signatures, written from the interface's text and from nothing else, so that
/// a mistake of the engine's own signer is not made twice.

/// `t` and whether `v1` fits the raw body, of a value of X-Vicket-Signature. Absent: it does not have that
/// form.
struct vicket_signature_parts {
  std::int64_t signed_at_s = 0;
  bool good = false;
};
[[nodiscard]] std::optional<vicket_signature_parts>
check_vicket_signature(std::string_view header, std::string_view secret, std::string_view body);

/// Whether `webhook-signature` is the Standard Webhooks signature of `id.timestamp.body`.
[[nodiscard]] bool check_standard_signature(std::string_view signature, std::string_view id,
                                            std::string_view timestamp, std::string_view secret,
                                            std::string_view body);

/// Lower-case hex.
[[nodiscard]] std::string sha256_hex(std::string_view text);

} // namespace vicket::crash
