#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// A parsed value, or what is wrong with the text: a clause that completes "--flag: …".
template <class T>
using parsed = std::variant<T, std::string>;

/// A place to listen on or to connect to. Written `HOST:PORT`, IPv6 addresses in brackets: `[::1]:4242`.
struct host_port {
  std::string host; ///< without brackets
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// `HOST:PORT`. Port 0 is allowed.
[[nodiscard]] parsed<host_port> parse_host_port(std::string_view text);

/// Whether `host` means this machine only: 127/8, ::1, or `localhost`.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Where an actor port listens or is dialled: `HOST:PORT`, or `unix:PATH`.
struct place {
  host_port address;     ///< where there is no path
  std::string unix_path; ///< empty: TCP

  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  [[nodiscard]] std::string to_string() const;
  /// Whether only this machine reaches it.
  [[nodiscard]] bool is_local() const { return is_unix() || is_loopback(address.host); }

  friend bool operator==(const place&, const place&) = default;
};

[[nodiscard]] parsed<place> parse_place(std::string_view text);

} // namespace vicket
