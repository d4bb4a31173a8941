#include "transport/name_server.hpp"

#include "transport/shortage.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace vicket {

namespace asio = boost::asio;

namespace {

void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (const auto status = ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS)
      throw std::runtime_error{std::string{"DNS can't be set up: "} + ares_strerror(status)};
  });
}

ip_address address_from(const void* bytes, bool v6) {
  ip_address result;
  result.v6 = v6;
  std::memcpy(result.bytes.data(), bytes, v6 ? 16 : 4);
  return result;
}

std::optional<ip_address> address_of(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET)
    return address_from(&reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr, false);
  if (node.ai_family == AF_INET6)
    return address_from(&reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr, true);
  return std::nullopt;
}

void add_once(std::vector<ip_address>& to, const ip_address& address) {
  if (std::find(to.begin(), to.end(), address) == to.end())
    to.push_back(address);
}

name_server::reply reply_of(int status, const ares_addrinfo* found) {
  name_server::reply result{status, {}, std::chrono::hours{24}};
  for (const auto* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
    if (const auto address = address_of(*node))
      add_once(result.addresses, *address);
    result.ttl = std::clamp(std::chrono::seconds{node->ai_ttl}, std::chrono::seconds{0}, result.ttl);
  }
  if (result.status == ARES_SUCCESS && result.addresses.empty())
    result.status = ARES_ENODATA;
  return result;
}

} // namespace

name_server::name_server(asio::io_context& context, const std::string& address,
                         std::function<bool()> make_room)
    : context_{context}, make_room_{std::move(make_room)} {
  initialize_library();
  ares_options options{};
  // What went wrong comes back as it is (NOCHECKRESP), instead of being asked again at once.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP;
  options.timeout = first_try_ms;
  options.tries = tries;
  options.sock_state_cb = on_socket_state;
  options.sock_state_cb_data = this;
  char dns_only[] = "b";
  options.lookups = dns_only;
  auto set = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
#ifdef ARES_OPT_QUERY_CACHE // since 1.31, on by default there: it also keeps "no such record" without being told to
  options.qcache_max_ttl = 0;
  set |= ARES_OPT_QUERY_CACHE;
#endif
  if (const auto status = ares_init_options(&channel_, &options, set); status != ARES_SUCCESS) {
    if (auto what = shortage_of_descriptors()) // it reads files
      throw short_of_descriptors{*what};
    throw std::runtime_error{std::string{"DNS can't be set up: "} + ares_strerror(status)};
  }
  // c-ares wants an IPv6 address with a port in brackets and one without as it is; both pass unchanged.
  if (const auto status = ares_set_servers_ports_csv(channel_, address.c_str()); status != ARES_SUCCESS) {
    ares_destroy(channel_);
    throw std::runtime_error{"the DNS server \"" + address + "\" can't be used: " + ares_strerror(status)};
  }
  static constexpr ares_socket_functions ours{open_socket, close_socket, connect_socket, receive, send};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // since 1.34, whose successor 1.18 does not have
  ares_set_socket_functions(channel_, &ours, this);
#pragma GCC diagnostic pop
}

name_server::~name_server() {
  closed_ = true;
  ares_destroy(channel_); // closes the sockets and ends the questions
}

void name_server::ask(const std::string& name, family what, question whom) {
  if (questions_ >= max_questions)
    return whom({ARES_ENOMEM, {}, {}});
  ++questions_;
  ares_addrinfo_hints hints{};
  hints.ai_family = what == family::v6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM; // else each address comes once per protocol
  hints.ai_flags = ARES_AI_NOSORT; // the dial order is ours, and sorting opens a socket for each address
  auto* one = new asked{this, std::move(whom)}; // given back by `on_answer`, which is always called
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, on_answer, one);
}

void name_server::on_answer(void* argument, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<asked> one{static_cast<asked*>(argument)};
  auto result = reply_of(status, found);
  ares_freeaddrinfo(found);
  if (result.status == ARES_ECONNREFUSED || result.status == ARES_ENOMEM) // what a socket that fails comes to
    result.shortage = one->of->shortage_;
  --one->of->questions_;
  if (!one->of->closed_)
    one->whom(result);
}

void name_server::check_timeouts() {
  if (questions_ > 0)
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

std::vector<ip_address> name_server::addresses_in_hosts_file(const std::string& name) const {
  std::vector<ip_address> result;
  for (const auto number : {AF_INET6, AF_INET}) {
    hostent* found = nullptr;
    auto status = ares_gethostbyname_file(channel_, name.c_str(), number, &found);
    while (status == ARES_EFILE || status == ARES_ENOMEM) {
      const auto what = shortage_of_descriptors();
      if (!what)
        break;
      if (!make_room_())
        throw short_of_descriptors{*what};
      status = ares_gethostbyname_file(channel_, name.c_str(), number, &found);
    }
    if (status != ARES_SUCCESS)
      continue;
    for (auto** address = found->h_addr_list; found->h_addrtype == number && *address; ++address)
      add_once(result, address_from(*address, number == AF_INET6));
    ares_free_hostent(found);
  }
  return result;
}

void name_server::on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
  auto& server = *static_cast<name_server*>(self);
  const auto found = server.sockets_.find(fd);
  if (found == server.sockets_.end())
    return;
  found->second->wants_read = readable;
  found->second->wants_write = writable;
  if (readable || writable)
    server.watch(found->second);
}

ares_socket_t name_server::open_socket(int domain, int type, int protocol, void* self) {
  auto& server = *static_cast<name_server*>(self);
  for (;;) {
    const auto fd = server.try_to_open(domain, type, protocol);
    if (fd >= 0 || !server.shortage_ || !server.make_room_())
      return fd;
  }
}

/// With errno, as c-ares expects it.
ares_socket_t name_server::try_to_open(int domain, int type, int protocol) {
  shortage_.reset();
  const auto fd = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) {
    shortage_ = shortage_of(errno);
    return fd;
  }
  try {
    sockets_.try_emplace(fd, std::make_shared<watched_socket>(context_, fd));
    return fd;
  } catch (const std::exception&) { // nobody would hear of its answers
    shortage_ = "memory (to watch a socket)";
    ::close(fd);
    errno = ENOMEM;
    return ARES_SOCKET_BAD;
  }
}

int name_server::close_socket(ares_socket_t fd, void* self) {
  auto& server = *static_cast<name_server*>(self);
  if (const auto found = server.sockets_.find(fd); found != server.sockets_.end()) {
    found->second->closed = true;
    found->second->descriptor.release();
    server.sockets_.erase(found);
  }
  return ::close(fd);
}

int name_server::connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* self) {
  const auto result = ::connect(fd, to, size);
  if (result == 0)
    return result;
  const auto number =
      errno == EAGAIN ? ENOBUFS : errno; // no port; c-ares would take it for a connection under way
  static_cast<name_server*>(self)->shortage_ = shortage_of(number);
  errno = number;
  return result;
}

ares_ssize_t name_server::receive(ares_socket_t fd, void* into, std::size_t size, int flags, sockaddr* from,
                                  ares_socklen_t* from_size, void*) {
  return ::recvfrom(fd, into, size, flags, from, from_size);
}

ares_ssize_t name_server::send(ares_socket_t fd, const iovec* parts, int count, void* self) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  const auto sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
  if (sent >= 0 || errno == EAGAIN)
    return sent;
  const auto number = errno;
  static_cast<name_server*>(self)->shortage_ = shortage_of(number);
  errno = number;
  return sent;
}

void name_server::watch(const std::shared_ptr<watched_socket>& socket) {
  using descriptor = asio::posix::stream_descriptor;
  if (socket->wants_read && !std::exchange(socket->awaits_read, true))
    socket->descriptor.async_wait(descriptor::wait_read, [this, socket](const boost::system::error_code& ec) {
      socket->awaits_read = false;
      if (ec || socket->closed)
        return;
      ares_process_fd(channel_, socket->descriptor.native_handle(), ARES_SOCKET_BAD);
      if (!socket->closed)
        watch(socket);
    });
  if (socket->wants_write && !std::exchange(socket->awaits_write, true))
    socket->descriptor.async_wait(
        descriptor::wait_write, [this, socket](const boost::system::error_code& ec) {
          socket->awaits_write = false;
          if (ec || socket->closed)
            return;
          ares_process_fd(channel_, ARES_SOCKET_BAD, socket->descriptor.native_handle());
          if (!socket->closed)
            watch(socket);
        });
}

} // namespace vicket
