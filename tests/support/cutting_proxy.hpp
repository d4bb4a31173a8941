#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace vicket::testing {

/// Hands on what comes on a port of 127.0.0.1 to another and back. The first connection is cut when that many bytes have
/// passed, both directions together; later ones are whole.
class cutting_proxy {
public:
  cutting_proxy(std::uint16_t to, std::size_t cut_after_bytes);
  ~cutting_proxy();
  cutting_proxy(const cutting_proxy&) = delete;
  cutting_proxy& operator=(const cutting_proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

private:
  void serve();
  void hand_on(int from, bool whole);

  std::uint16_t to_;
  std::size_t cut_after_bytes_;
  int listener_ = -1;
  int stop_ = -1; ///< readable: it is to end
  std::uint16_t port_ = 0;
  std::thread thread_;
};

} // namespace vicket::testing
