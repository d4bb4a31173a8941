#include "tests/system/endpoints.hpp"

#include "tests/system/real_time.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace vicket::testing {

namespace {

/// The envelope's first field, where the engine always has it.
std::optional<event_id> id_in(const std::string& request) {
  const std::string beginning = "\r\n\r\n{\"id\":\"";
  const auto found = request.find(beginning);
  if (found == std::string::npos)
    return std::nullopt;
  return event_id::parse(std::string_view{request}.substr(found + beginning.size(), 36));
}

} // namespace

event_receiver::event_receiver() : tls_{false}, peer_{[this](http_peer::connection& c) { serve(c); }} {}

event_receiver::event_receiver(const peer_place& at)
    : tls_{false}, address_{at.address}, peer_{[this](http_peer::connection& c) { serve(c); }, at} {}

event_receiver::event_receiver(const certificate& own)
    : tls_{true}, peer_{[this](http_peer::connection& c) { serve(c); }, own} {}

std::string event_receiver::url() const {
  return (tls_ ? "https://" : "http://") + address_ + ":" + std::to_string(peer_.port()) + "/events";
}

void event_receiver::serve(http_peer::connection& c) {
  while (const auto request = c.read_request()) {
    const auto status = note(*request);
    if (status == nothing) {
      c.hang();
      return;
    }
    if (const auto delay_ms = delay_ms_.load(); delay_ms > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{delay_ms}); // the endpoint is slow, not the test
    if (!c.send(answer(status, "noted")))
      return;
  }
}

int event_receiver::note(const std::string& request) {
  const auto status = status_.load();
  const auto now_us = steady_us();
  const auto id = id_in(request);
  const std::lock_guard guard{mutex_};
  ++requests_;
  if (!id)
    return 400;
  auto& event = events_[*id];
  if (event.times++ == 0)
    event.first_at_us = now_us;
  event.acknowledged = event.acknowledged || status / 100 == 2;
  news_.notify_all();
  return status;
}

std::size_t event_receiver::distinct() const {
  const std::lock_guard guard{mutex_};
  return events_.size();
}

std::size_t event_receiver::requests() const {
  const std::lock_guard guard{mutex_};
  return requests_;
}

std::size_t event_receiver::times(const event_id& id) const {
  const std::lock_guard guard{mutex_};
  const auto found = events_.find(id);
  return found == events_.end() ? 0 : found->second.times;
}

std::size_t event_receiver::most_times() const {
  const std::lock_guard guard{mutex_};
  std::size_t most = 0;
  for (const auto& [id, event] : events_)
    most = std::max(most, event.times);
  return most;
}

std::size_t event_receiver::acknowledged() const {
  const std::lock_guard guard{mutex_};
  return static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(),
                                                [](const auto& entry) { return entry.second.acknowledged; }));
}

bool event_receiver::wait_for_distinct(std::size_t count) const {
  std::unique_lock lock{mutex_};
  return news_.wait_for(lock, patience, [&] { return events_.size() >= count; });
}

bool event_receiver::wait_for_requests(std::size_t count) const {
  std::unique_lock lock{mutex_};
  return news_.wait_for(lock, patience, [&] { return requests_ >= count; });
}

std::optional<std::int64_t> event_receiver::wait_for(const event_id& id) const {
  std::unique_lock lock{mutex_};
  if (!news_.wait_for(lock, patience, [&] { return events_.contains(id); }))
    return std::nullopt;
  return events_.at(id).first_at_us;
}

refusing_port::refusing_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error{"no port to be had"};
}

refusing_port::~refusing_port() {
  ::close(socket_);
}

std::string refusing_port::url(const std::string& scheme) const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  return scheme + "://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/events";
}

silent_port::silent_port() {
  if (::listen(socket_, 4'096) != 0)
    throw std::runtime_error{"can't listen"};
}

} // namespace vicket::testing
