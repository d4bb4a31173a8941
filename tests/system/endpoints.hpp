#pragma once

#include "messages/ids.hpp"
#include "tests/support/http_peer.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace vicket::testing {

/// An endpoint that does what it should, or answers another status for a while, and remembers which events
/// came.
class event_receiver {
public:
  /// How long a test waits for events before it says that they will not come.
  static constexpr std::chrono::seconds patience{60};

  event_receiver(); ///< plain HTTP
  explicit event_receiver(const certificate& own);
  explicit event_receiver(const peer_place& at); ///< plain HTTP, on another address than 127.0.0.1

  static constexpr int nothing = 0;

  /// From now on; `nothing`: it reads the request and hangs.
  void answer_with(int status) { status_ = status; }
  /// Every answer is held back for so long: deliveries are in flight for a while.
  void answer_after(std::chrono::milliseconds delay) { delay_ms_ = delay.count(); }

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::size_t distinct() const; ///< events that came at least once
  [[nodiscard]] std::size_t requests() const; ///< all POSTs
  [[nodiscard]] std::size_t times(const event_id& id) const;
  [[nodiscard]] bool has(const event_id& id) const { return times(id) > 0; }
  [[nodiscard]] std::size_t most_times() const;   ///< of any event
  [[nodiscard]] std::size_t acknowledged() const; ///< events that were answered with 2xx

  /// Whether so many different events came, within the patience.
  [[nodiscard]] bool wait_for_distinct(std::size_t count) const;
  /// Whether so many POSTs came, within the patience.
  [[nodiscard]] bool wait_for_requests(std::size_t count) const;
  /// When this event came first, on the steady clock; absent: not within the patience.
  [[nodiscard]] std::optional<std::int64_t> wait_for(const event_id& id) const;

private:
  struct record {
    std::size_t times = 0;
    std::int64_t first_at_us = 0;
    bool acknowledged = false;
  };

  void serve(http_peer::connection& c);
  int note(const std::string& request);

  std::atomic<int> status_{200};
  std::atomic<std::int64_t> delay_ms_{0};
  mutable std::mutex mutex_; ///< guards what follows
  mutable std::condition_variable news_;
  std::unordered_map<event_id, record> events_;
  std::size_t requests_ = 0;
  bool tls_;
  std::string address_ = "127.0.0.1";
  http_peer peer_; ///< last: its threads use the others
};

/// A port of 127.0.0.1 where nobody listens; nobody else gets it as long as this lives.
class refusing_port {
public:
  refusing_port();
  ~refusing_port();
  refusing_port(const refusing_port&) = delete;
  refusing_port& operator=(const refusing_port&) = delete;

  [[nodiscard]] std::string url(const std::string& scheme = "http") const;

protected:
  int socket_ = -1;
};

/// A port where the system takes connections and nobody ever reads or writes: up to the system's backlog
/// limit (4,096 by default) at a time, and no thread for any of them.
class silent_port : public refusing_port {
public:
  silent_port();
};

} // namespace vicket::testing
