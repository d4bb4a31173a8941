#include "transport/socket_watch.hpp"

#include <boost/system/system_error.hpp>

#include <sys/epoll.h>

#include <array>
#include <cerrno>

namespace vicket {

namespace {

int new_epoll() {
  const auto descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0)
    throw boost::system::system_error{errno, boost::system::generic_category(), "epoll_create1"};
  return descriptor;
}

constexpr std::uint32_t index_of(socket_watch::ticket given) {
  return static_cast<std::uint32_t>(given);
}

constexpr std::uint32_t turn_of(socket_watch::ticket given) {
  return static_cast<std::uint32_t>(given >> 32);
}

readiness readiness_of(std::uint32_t events) {
  constexpr std::uint32_t over = EPOLLHUP | EPOLLERR;
  return {.readable = (events & (EPOLLIN | EPOLLRDHUP | over)) != 0,
          .writable = (events & (EPOLLOUT | over)) != 0,
          .ended = (events & (EPOLLRDHUP | over)) != 0};
}

} // namespace

socket_watch::socket_watch(boost::asio::io_context& context) : epoll_{context, new_epoll()} {
  wait();
}

std::optional<socket_watch::ticket> socket_watch::add(int socket, listener& to) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto index = free_.back();
  auto& place = slots_[index];
  const auto given = std::uint64_t{place.turn} << 32 | index;
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.u64 = given;
  if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &wanted) != 0)
    return std::nullopt;
  free_.pop_back();
  place.to = &to;
  return given;
}

void socket_watch::remove(ticket given) {
  auto& place = slots_[index_of(given)];
  place.to = nullptr;
  ++place.turn;
  free_.push_back(index_of(given));
}

bool socket_watch::poll() {
  std::array<epoll_event, max_events> events;
  const auto count = ::epoll_wait(epoll_.native_handle(), events.data(), max_events, 0);
  for (int i = 0; i < count; ++i) {
    const ticket given = events[static_cast<std::size_t>(i)].data.u64;
    const auto& place = slots_[index_of(given)];
    if (place.to && place.turn == turn_of(given)) // else a listener before it has removed it
      place.to->on_ready(readiness_of(events[static_cast<std::size_t>(i)].events));
  }
  return count > 0;
}

void socket_watch::stop() {
  boost::system::error_code ignored;
  epoll_.cancel(ignored);
}

void socket_watch::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& ec) {
                      if (ec)
                        return;
                      poll();
                      wait();
                    });
}

} // namespace vicket
