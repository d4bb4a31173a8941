#pragma once

#include "bench/sink/arrival_log.hpp"
#include "bench/sink/fault.hpp"
#include "bench/sink/request_parser.hpp"
#include "bench/sink/signature_check.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::bench {

/// What becomes of a request.
struct reply {
  std::uint16_t status = 0;   ///< 0: there is none, it hangs
  std::uint32_t delay_ms = 0; ///< 0: at once

  friend bool operator==(const reply&, const reply&) = default;
};

/// Where every request goes: records it, verifies it when its turn comes, and says what to answer.
class reception {
public:
  struct settings {
    std::optional<std::string> secret; ///< of all connectors; absent: no signature is verified
    std::uint64_t verify_every = 16;   ///< of those that aren't verified anyway, each so many-th; 0: none
    std::vector<fault> faults;
  };

  /// `unix_seconds`: the time that signatures are judged by.
  reception(settings how, arrival_log& log, std::function<std::int64_t()> unix_seconds);

  /// `always_verify`: it came in by the port where all are. The record is complete when this returns, so that
  /// nobody has seen the answer of a request that isn't recorded.
  [[nodiscard]] reply receive(const request& value, bool always_verify, std::uint64_t arrived_ns);

private:
  [[nodiscard]] reply reply_to(std::string_view path, std::uint32_t& connector) const;
  [[nodiscard]] bool has_fault(fault::kind kind) const;
  [[nodiscard]] std::uint8_t verify(const request& value, bool always) const;

  settings how_;
  arrival_log& log_;
  std::function<std::int64_t()> unix_seconds_;
  std::optional<signature_check> check_;
  std::uint64_t received_ = 0; ///< the number of the request at hand, from 1
};

/// The 16 bytes of a UUID in its 36-character form; zeros for any other text.
[[nodiscard]] std::array<std::uint8_t, 16> uuid_bytes(std::string_view text);

} // namespace vicket::bench
