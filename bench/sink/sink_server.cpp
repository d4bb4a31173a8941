#include "bench/sink/sink_server.hpp"

#include <malloc.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

namespace vicket::bench {

namespace {

constexpr int max_events_per_wait = 256;
/// Then the open connections get their turn: a handshake costs as much as some twenty requests.
constexpr int max_accepts_per_turn = 64;
/// A handshake takes 45 KB, most of it for its time only; glibc keeps what many at once have left between the
/// rest.
constexpr std::size_t many_handshakes = 512;
constexpr std::uint64_t ns_per_ms = 1'000'000;

std::uint64_t monotonic_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds{since_start}.count());
}

} // namespace

sink_server::sink_server(settings how, arrival_log& log, reception& desk, const termination_watch& end)
    : how_{std::move(how)}, log_{log}, end_{end}, epoll_{::epoll_create1(EPOLL_CLOEXEC)}, space_{
                                                                                              desk, {}, {}} {
  watch_ports(EPOLLIN, EPOLL_CTL_ADD);
  for (const int number : end_.descriptors())
    watch(number, EPOLLIN, EPOLL_CTL_ADD);
}

void sink_server::run() {
  std::array<epoll_event, max_events_per_wait> events{};
  for (;;) {
    const int count =
        ::epoll_wait(epoll_.number(), events.data(), max_events_per_wait, milliseconds_to_wait());
    if (count < 0 && errno != EINTR)
      throw std::runtime_error("waiting for connections failed: " + std::generic_category().message(errno));
    // Of each descriptor there is one event at most, and only its own handling closes it: none of them is
    // stale.
    for (int i = 0; i < count; ++i)
      if (!handle(events[static_cast<std::size_t>(i)].data.fd))
        return;
    serve_those_in_line();
    answer_those_due();
  }
}

/// False: it is time to end.
bool sink_server::handle(int number) {
  if (number == how_.https.number())
    accept_from(how_.https, true);
  else if (how_.plain && number == how_.plain->number())
    accept_from(*how_.plain, false);
  else if (std::find(end_.descriptors().begin(), end_.descriptors().end(), number) !=
           end_.descriptors().end())
    return !end_.ended(number);
  else
    see_to(number, places_[static_cast<std::size_t>(number)].connection->serve(space_));
  return true;
}

void sink_server::watch(int number, std::uint32_t events, int operation) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.fd = number;
  if (::epoll_ctl(epoll_.number(), operation, number, &wanted) != 0)
    throw std::runtime_error("can't watch a descriptor: " + std::generic_category().message(errno));
}

void sink_server::watch_ports(std::uint32_t events, int operation) {
  watch(how_.https.number(), events, operation);
  if (how_.plain)
    watch(how_.plain->number(), events, operation);
}

int sink_server::milliseconds_to_wait() const {
  if (!in_line_.empty())
    return 0;
  if (delayed_.empty())
    return -1;
  const auto due_ns = delayed_.begin()->first;
  const auto now_ns = monotonic_ns();
  // Rounded up: who wakes too early finds nothing to do.
  return due_ns <= now_ns ? 0 : static_cast<int>((due_ns - now_ns + ns_per_ms - 1) / ns_per_ms);
}

void sink_server::accept_from(listening_socket& port, bool over_tls) {
  for (int accepted = 0; accepted < max_accepts_per_turn && open_ < how_.max_connections; ++accepted) {
    auto socket = port.accept();
    if (!socket)
      return;
    open(std::move(*socket), over_tls);
  }
}

void sink_server::open(descriptor socket, bool over_tls) {
  const int number = socket.number();
  const auto index = static_cast<std::size_t>(number);
  auto tls = over_tls ? make_server_session(*how_.tls, number) : nullptr;
  if (places_.size() <= index)
    places_.resize(index + 1);
  places_[index] = {};
  places_[index].connection = std::make_unique<sink_connection>(std::move(socket), std::move(tls), !over_tls);
  places_[index].watched_events = EPOLLIN;
  places_[index].counted_as_new = true;
  most_new_ = std::max(most_new_, ++new_);
  watch(number, EPOLLIN, EPOLL_CTL_ADD);
  log_.top().open_connections.store(++open_, std::memory_order_relaxed);
  if (open_ == how_.max_connections)
    watch_ports(0, EPOLL_CTL_MOD);
}

void sink_server::close(int number) {
  auto& here = places_[static_cast<std::size_t>(number)];
  if (here.counted_as_hanging)
    log_.top().hanging.fetch_sub(1, std::memory_order_relaxed);
  if (here.due_ns != 0)
    delayed_.erase({here.due_ns, number});
  count_as_old(here);
  here = {};
  if (open_ == how_.max_connections)
    watch_ports(EPOLLIN, EPOLL_CTL_MOD);
  log_.top().open_connections.store(--open_, std::memory_order_relaxed);
}

/// After a crowd of new connections, gives back what their handshakes needed.
void sink_server::count_as_old(place& one) {
  if (!std::exchange(one.counted_as_new, false) || --new_ != 0)
    return;
  if (std::exchange(most_new_, 0) >= many_handshakes)
    ::malloc_trim(0);
}

void sink_server::see_to(int number, sink_connection::need what) {
  if (!what.readable && !what.writable && !what.another_turn)
    return close(number);
  auto& here = places_[static_cast<std::size_t>(number)];
  if (what.another_turn && !here.has_another_turn) {
    here.has_another_turn = true;
    in_line_.push_back(number);
  }
  const auto events = (what.readable ? EPOLLIN : 0u) | (what.writable ? EPOLLOUT : 0u);
  if (events != 0 && events != here.watched_events) {
    watch(number, events, EPOLL_CTL_MOD);
    here.watched_events = events;
  }
  if (!here.connection->is_new())
    count_as_old(here);
  if (here.connection->hangs() && !here.counted_as_hanging) {
    here.counted_as_hanging = true;
    log_.top().hanging.fetch_add(1, std::memory_order_relaxed);
  }
  if (const auto delay_ms = here.connection->take_delay_ms(); delay_ms != 0) {
    here.due_ns = monotonic_ns() + delay_ms * ns_per_ms;
    delayed_.emplace(here.due_ns, number);
  }
}

void sink_server::serve_those_in_line() {
  for (const int number : std::exchange(in_line_, {})) {
    auto& here = places_[static_cast<std::size_t>(number)];
    // It may be gone by now, and another in its place.
    if (std::exchange(here.has_another_turn, false))
      see_to(number, here.connection->serve(space_));
  }
}

void sink_server::answer_those_due() {
  if (delayed_.empty())
    return;
  const auto now_ns = monotonic_ns();
  while (!delayed_.empty() && delayed_.begin()->first <= now_ns) {
    const int number = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    auto& here = places_[static_cast<std::size_t>(number)];
    here.due_ns = 0;
    see_to(number, here.connection->answer_delayed(space_));
  }
}

} // namespace vicket::bench
