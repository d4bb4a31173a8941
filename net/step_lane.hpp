#pragma once

#include <deque>
#include <functional>
#include <utility>

namespace vicket::internal {

/// Steps that take long beside everything else that an I/O thread does, such as those of TLS handshakes (half a
/// millisecond each, where a message takes some microseconds): one at a time, in the order in which they joined. Between any
/// two, the thread looks at its sockets and does all else that is ready, so that many at once hold up nobody by more than
/// one. Each is kept until it was done. Pure.
class step_lane {
public:
  /// `ask_for_turn`: have `take_turn` called soon, after a look at the sockets. Asked once for each turn.
  explicit step_lane(std::function<void()> ask_for_turn) : ask_for_turn_{std::move(ask_for_turn)} {}

  void join(std::function<void()> step) {
    waiting_.push_back(std::move(step));
    ask();
  }

  void take_turn() {
    asked_ = false;
    if (waiting_.empty())
      return;
    const auto step = std::move(waiting_.front());
    waiting_.pop_front();
    if (!waiting_.empty())
      ask(); // before the step: it may throw
    step();
  }

  /// What waits is not done any more.
  void clear() { std::exchange(waiting_, {}).clear(); }

private:
  void ask() {
    if (!std::exchange(asked_, true))
      ask_for_turn_();
  }

  std::function<void()> ask_for_turn_;
  std::deque<std::function<void()>> waiting_;
  bool asked_ = false;
};

} // namespace vicket::internal
