#include "tests/bench/sink/sink_process.hpp"

#include "tests/bench/sink/engine_request.hpp"
#include "tests/support/certificates.hpp"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace vicket::testing {

sink_process::sink_process(const std::vector<std::string>& flags)
    : log_{bench::arrival_log::create(folder_.path() + "/arrivals", log_capacity)} {
  const certificate_authority authority;
  const auto own = authority.good();
  ca_file_ = folder_.file("ca.pem", authority.pem());
  std::vector<std::string> command{SINK_PATH,
                                   "--cert",
                                   folder_.file("sink.pem", own.pem),
                                   "--key",
                                   folder_.file("sink.key", own.key_pem),
                                   "--records",
                                   folder_.path() + "/arrivals",
                                   "--plain",
                                   "127.0.0.1:0",
                                   "--secret",
                                   engine_secret};
  command.insert(command.end(), flags.begin(), flags.end());
  process_ = std::make_unique<process>(command);
  const auto line = process_->line_with("sink ready");
  unsigned https = 0;
  unsigned plain = 0;
  if (std::sscanf(line.c_str(), "sink ready https=%u plain=%u", &https, &plain) != 2)
    throw std::runtime_error("not the line of a sink that is ready: " + line);
  https_port_ = static_cast<std::uint16_t>(https);
  plain_port_ = static_cast<std::uint16_t>(plain);
}

std::unique_ptr<raw_client> sink_process::connect() const {
  return std::make_unique<raw_client>(https_port_, ca_file_);
}

std::unique_ptr<raw_client> sink_process::connect_plainly() const {
  return std::make_unique<raw_client>(plain_port_, "");
}

bool becomes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + process::patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace vicket::testing
