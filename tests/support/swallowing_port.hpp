#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vicket::testing {

/// An address whose port answers no SYN, as behind a firewall that drops: a listener whose queue is full.
class swallowing_port {
public:
  swallowing_port(const std::string& address, std::uint16_t port);
  swallowing_port(const swallowing_port&) = delete;
  swallowing_port& operator=(const swallowing_port&) = delete;
  ~swallowing_port();

private:
  int listener_ = -1;
  std::vector<int> fillers_; ///< connections that nobody accepts
};

} // namespace vicket::testing
