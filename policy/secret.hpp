#pragma once

#include "messages/connector.hpp"
#include "policy/clock.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

inline constexpr std::size_t max_secret_bytes = 512;
/// Of one that is put. Those that are stored from before go on.
inline constexpr std::size_t min_secret_bytes = 16;

/// How Standard Webhooks marks a secret whose rest is the key in base64.
inline constexpr std::string_view secret_prefix = "whsec_";

/// `whsec_` and the base64 of 32 random bytes.
[[nodiscard]] secret_text generate_secret(random_source& random);

/// What is wrong with a secret: it must be 1 to 512 visible ASCII characters, and where it begins with `whsec_` the rest
/// must be base64 (`base64_decode_any`), so that it signs as every library of Standard Webhooks expects. Never repeats
/// it.
[[nodiscard]] std::optional<std::string> secret_complaint(std::string_view secret);

/// What whoever puts this secret, which has nothing wrong with it, should know: its base64 is of a form that not every
/// library of Standard Webhooks reads (Python's refuses it, or reads another key), or it looks as if the prefix was meant.
/// Never repeats it.
[[nodiscard]] std::optional<std::string> secret_remark(std::string_view secret);

} // namespace vicket
