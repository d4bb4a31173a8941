#pragma once

#include "bench/sink/arrival_log.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace vicket::bench {

/// An HTTPS endpoint in a process of its own, and what came to it.
class sink {
public:
  virtual ~sink() = default;

  /// Where a connector's events go: `https://127.0.0.1:PORT/<behaviour>/<number>`.
  [[nodiscard]] virtual std::string url(const std::string& behaviour, std::uint32_t number) const = 0;

  /// Requests that came so far, counted without disturbing the measured processes. May be late by what the sink
  /// gathers before it writes, 50 ms at most.
  [[nodiscard]] virtual std::uint64_t arrived() const = 0;

  /// Hands on what came since the last call, in the order of its coming. Throws std::runtime_error when the sink's
  /// record is not what it ought to be.
  virtual void read_arrivals(const std::function<void(const arrival&)>& take) = 0;

  [[nodiscard]] virtual pid_t process() const = 0;
};

} // namespace vicket::bench
