#pragma once

#include "bench/harness/sink.hpp"
#include "bench/harness/workspace.hpp"
#include "tests/support/child_process.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace vicket::bench {

/// The sink of this project: slow, failing and hanging endpoints, arrival times to the microsecond, and signatures
/// checked by code that shares nothing with the engine's.
class own_sink final : public sink {
public:
  struct setup {
    std::filesystem::path program; ///< vicket-bench-sink
    std::string name = "sink";     ///< of its files in the workspace
    std::uint64_t capacity = 10'000'000;
    bool plain = false; ///< listens for plain HTTP too, where every signature is checked
    std::vector<std::string> more_flags;
  };

  /// Throws std::runtime_error with the end of its log when it can't be started.
  own_sink(const workspace& where, const setup& with);

  [[nodiscard]] std::string url(const std::string& behaviour, std::uint32_t number) const override;
  [[nodiscard]] std::uint64_t arrived() const override;
  void read_arrivals(const std::function<void(const arrival&)>& take) override;
  [[nodiscard]] pid_t process() const override { return process_.id(); }

  [[nodiscard]] std::uint16_t plain_port() const { return plain_port_; }
  [[nodiscard]] std::uint64_t hanging() const;
  [[nodiscard]] std::uint64_t open_connections() const;
  void open_gate(bool open); ///< what `gate` answers: 200 or 503

private:
  arrival_log log_;
  testing::child_process process_;
  std::uint16_t port_ = 0;
  std::uint16_t plain_port_ = 0;
  std::uint64_t taken_ = 0;
};

} // namespace vicket::bench
