#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vicket::testing {

inline constexpr const char* engine_secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// The id of an event by a number, and the body of its request.
[[nodiscard]] std::string engine_id(unsigned number);
[[nodiscard]] std::string engine_body(unsigned number);

/// A request as the engine sends it: its header lines and signatures come from the engine's own code.
[[nodiscard]] std::string engine_request(std::string_view path, unsigned number, std::int64_t unix_seconds,
                                         std::string_view secret = engine_secret);

} // namespace vicket::testing
