#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// A place to listen on or to connect to. Written `HOST:PORT`, IPv6 addresses in brackets: `[::1]:4242`.
struct host_port {
  std::string host; ///< without brackets
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// A parsed value, or what is wrong with the text: a clause that completes "--flag: …".
template <class T>
using parsed = std::variant<T, std::string>;

/// `HOST:PORT`. Port 0 is allowed.
[[nodiscard]] parsed<host_port> parse_host_port(std::string_view text);

/// `262144`, `256KiB`, `1MiB`, `2GiB`; also kB, MB, GB (powers of 1,000) and B.
[[nodiscard]] parsed<std::uint64_t> parse_bytes(std::string_view text);

/// `7d`, `12h`, `30m`, `45s`, `250ms`, and sums of them such as `1d12h`, in milliseconds. A number alone is
/// refused: nobody could tell which unit was meant.
[[nodiscard]] parsed<std::int64_t> parse_duration_ms(std::string_view text);

/// A decimal number from `least` to `most`.
[[nodiscard]] parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t least,
                                                std::uint64_t most);

/// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`.
[[nodiscard]] parsed<bool> parse_switch(std::string_view text);

/// Whether `host` means this machine only: 127/8, ::1, or `localhost`.
[[nodiscard]] bool is_loopback(std::string_view host);

} // namespace vicket
