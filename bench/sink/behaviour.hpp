#pragma once

#include <cstdint>
#include <string_view>

namespace vicket::bench {

inline constexpr std::uint32_t max_delay_ms = 60'000;

/// What an endpoint of the sink does; a request's path says which: `/<behaviour>/<connector number>`.
///
/// | path | |
/// |---|---|
/// | `/ok/7` | 200, without a body |
/// | `/status-500/7` | any status from 200 to 999, with a short body where one may be |
/// | `/delay-1000/7` | 200 after so many milliseconds, 60,000 at most |
/// | `/hang/7` | no answer ever |
/// | `/gate/7` | 200 while the harness holds the gate open, else 503 |
/// | anything else | 404 |
struct behaviour {
  enum class kind : std::uint8_t { answer, hang, gate };

  kind what = kind::answer;
  std::uint16_t status = 404;  ///< of `answer`
  std::uint32_t delay_ms = 0;  ///< of `answer`; 0: at once
  std::uint32_t connector = 0; ///< 0 when the path is none of the above

  friend bool operator==(const behaviour&, const behaviour&) = default;
};

[[nodiscard]] behaviour behaviour_of(std::string_view path);

} // namespace vicket::bench
