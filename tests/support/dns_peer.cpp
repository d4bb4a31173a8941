#include "tests/support/dns_peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace vicket::testing {

namespace {

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::size_t header_bytes = 12;

void put_16(std::string& to, std::uint32_t value) {
  to += static_cast<char>(value >> 8 & 0xff);
  to += static_cast<char>(value & 0xff);
}

std::uint16_t get_16(const std::string& from, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(from.at(at)) << 8 |
                                    static_cast<unsigned char>(from.at(at + 1)));
}

/// A resource record whose name is the question's (a pointer to offset 12).
std::string record(std::uint16_t type, std::uint32_t ttl_s, const std::string& address) {
  std::array<char, 16> bytes{};
  ::inet_pton(type == type_a ? AF_INET : AF_INET6, address.c_str(), bytes.data());
  const std::size_t size = type == type_a ? 4 : 16;
  std::string result{"\xc0\x0c"};
  put_16(result, type);
  put_16(result, 1);
  put_16(result, ttl_s >> 16);
  put_16(result, ttl_s & 0xffff);
  put_16(result, static_cast<std::uint32_t>(size));
  return result.append(bytes.data(), size);
}

unsigned rcode_of(dns_answer::kind what) {
  switch (what) {
  case dns_answer::kind::server_failure:
    return 2;
  case dns_answer::kind::no_such_name:
    return 3;
  case dns_answer::kind::refused:
    return 5;
  default:
    return 0;
  }
}

} // namespace

dns_peer::dns_peer() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::pipe(stop_) != 0 || ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error{"dns_peer: socket"};
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this] { serve(); }};
}

dns_peer::~dns_peer() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(socket_);
}

void dns_peer::set(const std::string& name, dns_answer what) {
  const std::lock_guard guard{mutex_};
  answers_[name] = std::move(what);
}

unsigned dns_peer::asked(const std::string& name) const {
  const std::lock_guard guard{mutex_};
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

void dns_peer::serve() {
  for (;;) {
    std::array<pollfd, 2> polled{pollfd{socket_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    ::poll(polled.data(), polled.size(), -1);
    if (polled[1].revents)
      return;
    std::string query(1500, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n =
        ::recvfrom(socket_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < static_cast<long>(header_bytes))
      continue;
    query.resize(static_cast<std::size_t>(n));
    const auto bytes = reply(query);
    if (!bytes.empty())
      ::sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
}

std::string dns_peer::reply(const std::string& query) {
  std::string name;
  auto at = header_bytes;
  while (const auto label = static_cast<unsigned char>(query.at(at))) {
    name += (name.empty() ? "" : ".") + query.substr(at + 1, label);
    at += label + 1U;
  }
  const auto type = get_16(query, at + 1);
  const auto question = query.substr(header_bytes, at + 5 - header_bytes);
  const std::lock_guard guard{mutex_};
  if (type == type_a)
    ++asked_[name];
  const auto found = answers_.find(name);
  const auto& what =
      found == answers_.end() ? dns_answer{.what = dns_answer::kind::no_such_name} : found->second;
  if (what.what == dns_answer::kind::silence)
    return {};
  const std::vector<std::string> none;
  const auto& addresses = what.what != dns_answer::kind::addresses ? none
                          : type == type_a                         ? what.v4
                          : type == type_aaaa                      ? what.v6
                                                                   : none;
  auto result = query.substr(0, 2);
  put_16(result, 0x8180U | rcode_of(what.what)); // an answer, recursion desired and available
  put_16(result, 1);
  put_16(result, static_cast<std::uint32_t>(addresses.size()));
  put_16(result, 0);
  put_16(result, 0);
  result += question;
  for (const auto& address : addresses)
    result += record(type, what.ttl_s, address);
  return result;
}

} // namespace vicket::testing
