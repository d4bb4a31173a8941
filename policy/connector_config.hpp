#pragma once

#include "messages/connector.hpp"
#include "policy/address_guard.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// What the node allows its connectors.
struct connector_rules {
  bool allow_http = false;
  address_guard guard;
};

/// The bounds of a connector's fields. URL and secret have theirs beside their parsers.
namespace connector_bounds {
inline constexpr std::size_t name_bytes = 256;
inline constexpr std::size_t headers = 32; ///< the secret ones among them
inline constexpr std::size_t header_name_bytes = 128;
inline constexpr std::size_t header_value_bytes = 1'024;
inline constexpr std::size_t patterns = 64;
inline constexpr std::size_t pattern_bytes = 256;
inline constexpr std::uint32_t rate_limit = 1'000'000;
inline constexpr std::uint32_t rate_per_ms = 86'400'000; // a day
inline constexpr std::uint32_t rate_burst = 1'000'000;
inline constexpr std::uint32_t in_flight = 1'024;
inline constexpr std::uint32_t min_timeout_ms = 100;
inline constexpr std::uint32_t max_timeout_ms = 10'000; // seed: "no response within 10s"
inline constexpr std::int64_t retry_base_ms = 86'400'000;
inline constexpr double retry_factor = 100;
inline constexpr std::int64_t retry_cap_ms = 604'800'000; // a week
inline constexpr std::uint32_t retry_attempts = 10'000;
inline constexpr std::int64_t retry_age_ms = 2'592'000'000; // 30 days
} // namespace connector_bounds

/// What is wrong with a connector: which field (of a filter which part, as a pointer), what was given, what is allowed. `nullopt`: it may be stored.
/// An empty secret is no fault, the node makes one; nor is `***` for a secret or a secret header's value, the node keeps
/// the one that there is. No complaint repeats a secret or a header's value.
[[nodiscard]] std::optional<std::string> connector_complaint(const connector& settings,
                                                             const connector_rules& rules);

/// Whether a header of this name, in any case, may be in `secret_headers` only: Authorization, Proxy-Authorization, Cookie.
[[nodiscard]] bool is_credential_header(std::string_view name);

} // namespace vicket
