#include "apps/sockets.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace vicket {

namespace {

class socket_handle {
public:
  explicit socket_handle(const addrinfo& address)
      : number_{::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {}
  ~socket_handle() {
    if (number_ >= 0)
      ::close(number_);
  }
  socket_handle(const socket_handle&) = delete;
  socket_handle& operator=(const socket_handle&) = delete;

  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

struct address_list {
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> first{nullptr, &freeaddrinfo};
  std::string problem;
};

address_list look_up(const host_port& place) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  address_list list;
  const int failed = getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &found);
  list.first.reset(found);
  if (failed != 0)
    list.problem = gai_strerror(failed);
  return list;
}

std::string words_of(int error) {
  return std::strerror(error);
}

} // namespace

std::optional<std::string> try_bind(const host_port& place) {
  const auto addresses = look_up(place);
  if (!addresses.first)
    return addresses.problem;
  const socket_handle socket{*addresses.first};
  const int on = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (socket.number() < 0 ||
      ::bind(socket.number(), addresses.first->ai_addr, addresses.first->ai_addrlen) != 0 ||
      ::listen(socket.number(), 1) != 0)
    return words_of(errno);
  return std::nullopt;
}

} // namespace vicket
