#pragma once

#include "bench/sink/request_parser.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace vicket::bench {

/// A receiver's side of both signatures, written from the interface's text alone: it shares no code with the
/// engine, so that a mistake of the engine's signer is not made twice.
class signature_check {
public:
  /// `secret` as the connector has it, `whsec_…` or any other text.
  explicit signature_check(std::string secret);

  /// Whether all of it is right for a receiver whose clock says `now_s`: X-Vicket-Signature and
  /// webhook-signature, both times within 300 s, and a body that begins with the `id` that the header names.
  /// `body` stands for the request's own.
  [[nodiscard]] bool genuine(const request& value, std::string_view body, std::int64_t now_s) const;

private:
  [[nodiscard]] bool vicket_signature_fits(std::string_view header, std::string_view body,
                                           std::int64_t now_s) const;
  [[nodiscard]] bool standard_signature_fits(const request& value, std::string_view body,
                                             std::int64_t now_s) const;

  std::string secret_;       ///< the key of X-Vicket-Signature
  std::string standard_key_; ///< the key of webhook-signature
};

} // namespace vicket::bench
