#include "bench/sink/listening_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace vicket::bench {

namespace {

/// Connections that wait to be accepted; the system's own limit, 4,096 by default, may be lower.
constexpr int backlog = 16'384;

[[noreturn]] void fail(const std::string& place, const std::string& what) {
  throw std::runtime_error("can't listen on " + place + ": " + what);
}

std::string last_error() {
  return std::generic_category().message(errno);
}

struct address_release {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, address_release>;

address_list parse_place(const std::string& place) {
  const auto colon = place.rfind(':');
  if (colon == std::string::npos)
    fail(place, "it is not HOST:PORT, such as 127.0.0.1:0 or [::1]:8443");
  auto host = place.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), place.c_str() + colon + 1, &wanted, &found);
  if (failed != 0 || host.empty())
    fail(place, "it needs an IP address and a port, such as 127.0.0.1:0 or [::1]:8443");
  return address_list{found};
}

void set_option(int socket, int level, int name) {
  const int on = 1;
  ::setsockopt(socket, level, name, &on, sizeof on); // an improvement each, no condition
}

/// Of this one connection: the client gave up before it was accepted.
bool is_the_clients_fault(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

} // namespace

listening_socket::listening_socket(const std::string& place) {
  const auto address = parse_place(place);
  socket_ = descriptor{::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (number() < 0)
    fail(place, last_error());
  set_option(number(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(number(), address->ai_addr, address->ai_addrlen) != 0 || ::listen(number(), backlog) != 0)
    fail(place, last_error());
}

std::optional<descriptor> listening_socket::accept() {
  for (;;) {
    descriptor accepted{::accept4(number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (accepted.number() >= 0) {
      set_option(accepted.number(), IPPROTO_TCP, TCP_NODELAY);
      return accepted;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return std::nullopt;
    if (!is_the_clients_fault(errno))
      throw std::runtime_error("can't accept a connection: " + last_error());
  }
}

std::uint16_t listening_socket::port() const {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(number(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    throw std::runtime_error("a socket does not know its port: " + last_error());
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

} // namespace vicket::bench
