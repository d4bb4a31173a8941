#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

namespace vicket::internal {

/// How long a connection's other side may take. Each counts only while it is its turn.
struct deadline_limits {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds tls{5'000};
  std::chrono::milliseconds upgrade{5'000};
  std::chrono::milliseconds message{30'000}; ///< from its first byte to its last
  std::chrono::milliseconds write{30'000};   ///< without taking a byte of what is being written
  std::chrono::milliseconds ping{20'000};    ///< of silence, then it is asked whether it is still there
  std::chrono::milliseconds silence{60'000}; ///< in all, then it is not
  std::chrono::milliseconds close{2'000};    ///< for the answer to a close
};

/// A connection's deadlines. Pure: time is handed in.
class deadlines {
public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class phase { connect, tls, upgrade, open, closing };

  deadlines(deadline_limits limits, phase first, time_point now)
      : limits_{limits}, phase_{first}, since_{now}, heard_{now} {}

  void enter(phase next, time_point now) {
    phase_ = next;
    since_ = heard_ = now;
  }
  [[nodiscard]] phase now_in() const { return phase_; }

  void heard(time_point now) {
    heard_ = now;
    pinged_ = false;
  }
  void message_began(time_point now) { message_ = now; }
  void message_ended() { message_.reset(); }
  /// We do not read for a while, or do so again: the other side can't be held to account for that time.
  void reading(bool on, time_point now) {
    if (on == !paused_)
      return;
    if (!on) {
      paused_ = now;
      return;
    }
    if (message_)
      *message_ += now - *paused_;
    heard_ = now;
    paused_.reset();
  }
  void write_began(time_point now) { write_ = now; }
  void wrote_some(time_point now) {
    if (write_)
      write_ = now;
  }
  void write_ended() { write_.reset(); }

  struct verdict {
    bool ping = false;
    const char* end = nullptr; ///< not null: end it, since …
  };
  [[nodiscard]] verdict look(time_point now) {
    switch (phase_) {
    case phase::connect:
      return {false, since_ + limits_.connect <= now ? "no connection in time" : nullptr};
    case phase::tls:
      return {false, since_ + limits_.tls <= now ? "the TLS handshake took too long" : nullptr};
    case phase::upgrade:
      return {false, since_ + limits_.upgrade <= now ? "the upgrade took too long" : nullptr};
    case phase::closing:
      return {false, since_ + limits_.close <= now ? "the close was not answered" : nullptr};
    case phase::open:
      break;
    }
    if (write_ && *write_ + limits_.write <= now)
      return {false, "it takes nothing of what is written"};
    if (paused_)
      return {};
    if (message_ && *message_ + limits_.message <= now)
      return {false, "a message took too long"};
    if (heard_ + limits_.silence <= now)
      return {false, "it is silent, and answers no ping"};
    if (heard_ + limits_.ping <= now && !pinged_) {
      pinged_ = true;
      return {true, nullptr};
    }
    return {};
  }

  /// How long from a look to the next, so that no deadline of the phase is missed by more than an eighth of it.
  [[nodiscard]] std::chrono::milliseconds until_next_look() const {
    return std::max(shortest_limit() / 8, std::chrono::milliseconds{1});
  }

private:
  [[nodiscard]] std::chrono::milliseconds shortest_limit() const {
    switch (phase_) {
    case phase::connect:
      return limits_.connect;
    case phase::tls:
      return limits_.tls;
    case phase::upgrade:
      return limits_.upgrade;
    case phase::closing:
      return limits_.close;
    case phase::open:
      break;
    }
    return std::min({limits_.message, limits_.write, limits_.ping, limits_.silence});
  }

  deadline_limits limits_;
  phase phase_;
  time_point since_; ///< the phase began
  time_point heard_; ///< the last byte came
  bool pinged_ = false;
  std::optional<time_point> message_;
  std::optional<time_point> write_;
  std::optional<time_point> paused_;
};

} // namespace vicket::internal
