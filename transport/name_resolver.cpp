#include "transport/name_resolver.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace vicket {

namespace asio = boost::asio;

namespace {

/// How often c-ares looks for queries to be sent again. Asking it for the next time instead walks all its
/// queries.
constexpr std::chrono::milliseconds retry_check_interval{100};

void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (const auto status = ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS)
      throw std::runtime_error{std::string{"DNS can't be set up: "} + ares_strerror(status)};
  });
}

std::string sentence(const std::string& name, int status) {
  switch (status) {
  case ARES_ENOTFOUND:
    return "the name " + name + " does not exist (NXDOMAIN)";
  case ARES_ENODATA:
    return "the name " + name + " has no address (neither A nor AAAA)";
  case ARES_ESERVFAIL:
    return "the name servers could not resolve " + name + " (SERVFAIL)";
  case ARES_EREFUSED:
    return "the name servers refused to resolve " + name + " (REFUSED)";
  case ARES_ETIMEOUT:
    return "no name server answered for " + name;
  case ARES_ECONNREFUSED: // c-ares says it as well after trying the next server for a SERVFAIL or REFUSED
    return "no name server resolved " + name +
           ": each was unreachable, failed (SERVFAIL) or refused (REFUSED)";
  default:
    return "the name " + name + " did not resolve: " + ares_strerror(status);
  }
}

std::optional<ip_address> address_of(const ares_addrinfo_node& node) {
  ip_address result;
  if (node.ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(node.ai_addr);
    std::memcpy(result.bytes.data(), &v4->sin_addr, 4);
    return result;
  }
  if (node.ai_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(node.ai_addr);
    std::memcpy(result.bytes.data(), &v6->sin6_addr, 16);
    result.v6 = true;
    return result;
  }
  return std::nullopt;
}

/// c-ares wants an IPv6 address with a port in brackets and one without as it is; both pass unchanged.
std::string comma_separated(const std::vector<std::string>& servers) {
  std::string result;
  for (const auto& server : servers)
    result += (result.empty() ? "" : ",") + server;
  return result;
}

bool is_localhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

} // namespace

name_resolver::name_resolver(asio::io_context& context, const std::vector<std::string>& servers)
    : context_{context}, timer_{context} {
  initialize_library();
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  options.timeout = first_try_ms;
  options.tries = tries;
  options.sock_state_cb = on_socket_state;
  options.sock_state_cb_data = this;
  auto set = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE // since 1.31, on by default there: it also keeps "no such record" without being told to
  options.qcache_max_ttl = 0;
  set |= ARES_OPT_QUERY_CACHE;
#endif
  if (const auto status = ares_init_options(&channel_, &options, set); status != ARES_SUCCESS)
    throw std::runtime_error{std::string{"DNS can't be set up: "} + ares_strerror(status)};
  if (servers.empty())
    return;
  const auto csv = comma_separated(servers);
  if (const auto status = ares_set_servers_ports_csv(channel_, csv.c_str()); status != ARES_SUCCESS) {
    close();
    throw std::runtime_error{"the DNS servers \"" + csv + "\" can't be used: " + ares_strerror(status)};
  }
}

void name_resolver::close() {
  if (std::exchange(closed_, true))
    return;
  timer_.cancel();
  ares_destroy(channel_); // closes the sockets and ends the queries
  under_way_.clear();
}

void name_resolver::lookup(const std::string& name, waiter& who, time_point now) {
  if (is_localhost(name))
    return who.on_resolved({{*ip_address::parse("127.0.0.1")}, {}});
  if (const auto kept = kept_.find(name); kept != kept_.end() && now < kept->second.until)
    return who.on_resolved({kept->second.addresses, {}});
  if (const auto same = under_way_.find(name); same != under_way_.end()) {
    same->second->waiters.push_back(who);
    return;
  }
  if (under_way_.size() >= max_names_under_way)
    return who.on_resolved({{}, "too many names are being resolved to resolve " + name});
  auto& begun = *under_way_.try_emplace(name, std::make_unique<query>(this, name)).first->second;
  begun.waiters.push_back(who);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM; // else each address comes once per protocol
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, on_answer, &begun);
  await_timeouts();
}

void name_resolver::on_answer(void* argument, int status, int, ares_addrinfo* found) {
  auto& what = *static_cast<query*>(argument);
  if (!what.owner->closed_)
    what.owner->ended(what, status, found);
  ares_freeaddrinfo(found);
}

void name_resolver::ended(query& what, int status, const ares_addrinfo* found) {
  const auto owned = std::move(under_way_.extract(what.name).mapped());
  answer result;
  auto ttl = max_ttl;
  for (const auto* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
    const auto address = address_of(*node);
    if (address &&
        std::find(result.addresses.begin(), result.addresses.end(), *address) == result.addresses.end())
      result.addresses.push_back(*address);
    ttl = std::clamp(std::chrono::seconds{node->ai_ttl}, std::chrono::seconds{0}, ttl);
  }
  if (result.addresses.empty())
    result.error = sentence(owned->name, status == ARES_SUCCESS ? ARES_ENODATA : status);
  else if (result.addresses.size() > max_addresses)
    result = {{},
              "the name " + owned->name + " has more than " + std::to_string(max_addresses) + " addresses"};
  else
    keep(owned->name, result.addresses, ttl);
  while (!owned->waiters.empty()) {
    auto& who = owned->waiters.front();
    owned->waiters.pop_front();
    who.on_resolved(result);
  }
}

void name_resolver::keep(const std::string& name, const std::vector<ip_address>& addresses,
                         std::chrono::seconds ttl) {
  if (ttl.count() == 0)
    return;
  const auto until = asio::steady_timer::clock_type::now() + ttl;
  const auto [kept, is_new] = kept_.insert_or_assign(name, kept_answer{addresses, until});
  if (is_new)
    kept_order_.push_back(name);
  if (kept_.size() > max_kept_names) {
    kept_.erase(kept_order_.front());
    kept_order_.pop_front();
  }
}

void name_resolver::forget(const std::string& name) {
  if (const auto kept = kept_.find(name); kept != kept_.end())
    kept->second.until = {}; // its place in `kept_order_` stays
}

void name_resolver::on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
  auto& resolver = *static_cast<name_resolver*>(self);
  auto found = resolver.sockets_.find(fd);
  if (!readable && !writable) {
    if (found != resolver.sockets_.end()) {
      found->second->closed = true;
      found->second->descriptor.release();
      resolver.sockets_.erase(found);
    }
    return;
  }
  if (found == resolver.sockets_.end())
    found = resolver.sockets_.try_emplace(fd, std::make_shared<watched_socket>(resolver.context_, fd)).first;
  found->second->wants_read = readable;
  found->second->wants_write = writable;
  resolver.watch(found->second);
}

void name_resolver::watch(const std::shared_ptr<watched_socket>& socket) {
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

void name_resolver::await_timeouts() {
  if (timer_runs_ || under_way_.empty())
    return;
  timer_runs_ = true;
  timer_.expires_after(retry_check_interval);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec || closed_)
      return;
    timer_runs_ = false;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    await_timeouts();
  });
}

} // namespace vicket
