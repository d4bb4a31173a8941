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
constexpr std::size_t max_datagram_bytes = 512; // RFC 1035 2.3.4

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
  if (::pipe(stop_) != 0)
    throw std::runtime_error{"dns_peer: pipe"};
  // A port that is free for datagrams may be taken for streams.
  for (int tries_left = 20; !open_sockets(); --tries_left) {
    ::close(socket_);
    ::close(listener_);
    if (tries_left == 0)
      throw std::runtime_error{"dns_peer: no port"};
  }
  thread_ = std::thread{[this] { serve(); }};
}

bool dns_peer::open_sockets() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* place = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_, place, size) != 0 || ::getsockname(socket_, place, &size) != 0 ||
      ::bind(listener_, place, size) != 0 || ::listen(listener_, 16) != 0)
    return false;
  port_ = ntohs(address.sin_port);
  return true;
}

dns_peer::~dns_peer() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(socket_);
  ::close(listener_);
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
    std::array<pollfd, 3> polled{pollfd{socket_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0},
                                 pollfd{listener_, POLLIN, 0}};
    ::poll(polled.data(), polled.size(), later_.empty() ? -1 : 5);
    if (polled[1].revents)
      return;
    send_due();
    if (polled[2].revents)
      serve_stream();
    if (!polled[0].revents)
      continue;
    std::string query(1500, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto n =
        ::recvfrom(socket_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < static_cast<long>(header_bytes))
      continue;
    query.resize(static_cast<std::size_t>(n));
    auto said = reply(query);
    if (said.bytes.size() > max_datagram_bytes) { // no records, and the bit that says so (TC)
      said.bytes.resize(query.size());
      said.bytes[2] = static_cast<char>(said.bytes[2] | 2);
      said.bytes[6] = said.bytes[7] = 0;
    }
    if (!said.bytes.empty() && !silent_)
      later_.emplace(std::chrono::steady_clock::now() + said.after, std::pair{from, std::move(said.bytes)});
    send_due();
  }
}

/// Queries of one connection, one after the other, each of which must come at once.
void dns_peer::serve_stream() {
  const auto stream = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const timeval patience{1, 0};
  ::setsockopt(stream, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string size(2, '\0');
  while (::recv(stream, size.data(), 2, MSG_WAITALL) == 2) {
    std::string query(get_16(size, 0), '\0');
    if (::recv(stream, query.data(), query.size(), MSG_WAITALL) != static_cast<long>(query.size()))
      break;
    const auto said = reply(query).bytes;
    std::string framed;
    put_16(framed, static_cast<std::uint32_t>(said.size()));
    framed += said;
    ::send(stream, framed.data(), framed.size(), MSG_NOSIGNAL);
  }
  ::close(stream);
}

void dns_peer::send_due() {
  while (!later_.empty() && later_.begin()->first <= std::chrono::steady_clock::now()) {
    const auto& [to, bytes] = later_.begin()->second;
    ::sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    later_.erase(later_.begin());
  }
}

dns_peer::dns_reply dns_peer::reply(const std::string& query) {
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
  const auto says = (type == type_a ? what.v4_what : what.v6_what).value_or(what.what);
  if (says == dns_answer::kind::silence)
    return {};
  const std::vector<std::string> none;
  const auto& addresses = says != dns_answer::kind::addresses ? none
                          : type == type_a                    ? what.v4
                          : type == type_aaaa                 ? what.v6
                                                              : none;
  auto result = query.substr(0, 2);
  put_16(result, 0x8180U | rcode_of(says)); // an answer, recursion desired and available
  put_16(result, 1);
  put_16(result, static_cast<std::uint32_t>(addresses.size()));
  put_16(result, 0);
  put_16(result, 0);
  result += question;
  for (const auto& address : addresses)
    result += record(type, what.ttl_s, address);
  return {std::move(result), type == type_a ? what.v4_after : what.v6_after};
}

} // namespace vicket::testing
