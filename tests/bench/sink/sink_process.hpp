#pragma once

#include "bench/sink/arrival_log.hpp"
#include "tests/bench/sink/raw_client.hpp"
#include "tests/support/process.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vicket::testing {

/// A real sink on free ports of 127.0.0.1, ready when constructed, with a log of its own.
class sink_process {
public:
  static constexpr std::uint64_t log_capacity = 200'000;

  explicit sink_process(const std::vector<std::string>& flags = {});

  /// To its HTTPS port.
  [[nodiscard]] std::unique_ptr<raw_client> connect() const;
  /// To its plain one.
  [[nodiscard]] std::unique_ptr<raw_client> connect_plainly() const;

  [[nodiscard]] bench::arrival_log& log() { return log_; }
  [[nodiscard]] process& self() { return *process_; }

private:
  temporary_folder folder_;
  std::string ca_file_;
  bench::arrival_log log_;
  std::unique_ptr<process> process_;
  std::uint16_t https_port_ = 0;
  std::uint16_t plain_port_ = 0;
};

/// Looks until it is so; false: it was not within a minute.
[[nodiscard]] bool becomes_true(const std::function<bool()>& condition);

} // namespace vicket::testing
