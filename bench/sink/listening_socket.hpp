#pragma once

#include "bench/sink/descriptor.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vicket::bench {

/// A TCP port that connections come in by. Never waits.
class listening_socket {
public:
  /// `place`: an address and a port, `127.0.0.1:8443` or `[::1]:0`; port 0 picks a free one. Throws
  /// std::runtime_error that says what can't be done and why.
  explicit listening_socket(const std::string& place);

  /// The next connection, non-blocking and without Nagle's delay; absent: there is none now. Throws
  /// std::runtime_error where the system has no room for one more.
  [[nodiscard]] std::optional<descriptor> accept();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int number() const noexcept { return socket_.number(); }

private:
  descriptor socket_;
};

} // namespace vicket::bench
