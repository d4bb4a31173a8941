#include "tests/support/swallowing_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace vicket::testing {

namespace {

constexpr int fillers = 4;     // a queue of length 0 takes one; more for kernels that count otherwise
constexpr int settle_ms = 100; // until those that can connect have

} // namespace

swallowing_port::swallowing_port(const std::string& address, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  const auto* place = reinterpret_cast<const sockaddr*>(&at);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener_, place, sizeof at) != 0 || ::listen(listener_, 0) != 0)
    throw std::runtime_error{"swallowing_port: " + address};
  for (int i = 0; i < fillers; ++i) {
    fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers_.back(), place, sizeof at);
    pollfd until_connected{fillers_.back(), POLLOUT, 0};
    if (::poll(&until_connected, 1, settle_ms) == 0)
      return;
  }
}

swallowing_port::~swallowing_port() {
  for (const auto filler : fillers_)
    ::close(filler);
  ::close(listener_);
}

} // namespace vicket::testing
