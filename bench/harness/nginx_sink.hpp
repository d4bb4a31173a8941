#pragma once

#include "bench/harness/own_sink.hpp"
#include "bench/harness/sink.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace vicket::bench {

/// nginx, which nobody here wrote: one worker that answers 200 to every POST and writes a line for each into its
/// access log. One request in 256 (those whose id ends with "00") it hands on to a sink of ours, which checks the
/// signatures over the bytes that came.
class nginx_sink final : public sink {
public:
  /// Throws std::runtime_error with nginx's own words when it can't be started.
  nginx_sink(const workspace& where, const std::filesystem::path& sink_program);

  [[nodiscard]] std::string url(const std::string& behaviour, std::uint32_t number) const override;
  [[nodiscard]] std::uint64_t arrived() const override;
  /// Arrival times are nginx's: to the millisecond. The connector is not told.
  void read_arrivals(const std::function<void(const arrival&)>& take) override;
  [[nodiscard]] pid_t process() const override { return process_->id(); }

private:
  own_sink verifier_;
  std::filesystem::path access_log_;
  std::uint16_t port_ = 0;
  std::unique_ptr<testing::child_process> process_;
  std::ifstream lines_;
  std::string unfinished_line_;
};

/// Where a program is: in PATH or in the folders of the system's services; empty if nowhere.
[[nodiscard]] std::filesystem::path find_program(const std::string& name);

} // namespace vicket::bench
