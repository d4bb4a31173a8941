#include "tests/support/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace vicket::testing {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int to, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(to, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

} // namespace

cutting_proxy::cutting_proxy(std::uint16_t to, std::size_t cut_after_bytes)
    : to_{to}, cut_after_bytes_{cut_after_bytes}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)},
      stop_{::eventfd(0, EFD_CLOEXEC)} {
  auto address = loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error{"no proxy"};
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

cutting_proxy::~cutting_proxy() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_, &one, sizeof(one)));
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

void cutting_proxy::serve() {
  for (bool whole = false;; whole = true) {
    std::array<pollfd, 2> both{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    ::poll(both.data(), both.size(), -1);
    if (both[1].revents != 0)
      return;
    const int from = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (from >= 0)
      hand_on(from, whole);
  }
}

void cutting_proxy::hand_on(int from, bool whole) {
  const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(to_);
  bool goes_on = ::connect(to, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  for (std::size_t left = cut_after_bytes_; goes_on && (whole || left > 0);) {
    std::array<pollfd, 3> all{{{from, POLLIN, 0}, {to, POLLIN, 0}, {stop_, POLLIN, 0}}};
    ::poll(all.data(), all.size(), -1);
    if (all[2].revents != 0)
      break;
    for (const bool forth : {true, false}) {
      if (!goes_on || all[forth ? 0 : 1].revents == 0 || (!whole && left == 0))
        continue;
      std::array<char, 4096> bytes{};
      const auto most = whole ? bytes.size() : std::min(bytes.size(), left);
      const auto got = ::recv(forth ? from : to, bytes.data(), most, 0);
      goes_on = got > 0 && send_all(forth ? to : from, bytes.data(), static_cast<std::size_t>(got));
      if (!whole && got > 0)
        left -= static_cast<std::size_t>(got);
    }
  }
  ::close(from);
  ::close(to);
}

} // namespace vicket::testing
