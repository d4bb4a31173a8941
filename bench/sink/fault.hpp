#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vicket::bench {

/// A lie that the sink is told to tell, so that the harness's tests see whether it is found out.
struct fault {
  enum class kind : std::uint8_t {
    lose,         ///< answers as if all were well, and records nothing
    record_twice, ///< `double`
    forge,        ///< verifies the signature, of a body of which one bit was changed
  };

  kind what = kind::lose;
  std::uint64_t request_number = 0; ///< 1: the first that the sink reads, whatever its port and path

  friend bool operator==(const fault&, const fault&) = default;
};

/// `lose:N`, `double:N` or `forge:N`, N from 1. Absent: none of them.
[[nodiscard]] std::optional<fault> parse_fault(std::string_view text);

} // namespace vicket::bench
