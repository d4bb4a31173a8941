#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

namespace vicket::internal {

/// Steps that take long beside everything else that an I/O thread does, such as those of TLS handshakes (half a
/// millisecond each, where a message takes some microseconds): one at a time, in the order in which they joined. Between any
/// two, the thread looks at its sockets and does all else that is ready, so that many at once hold up nobody by more than
/// one. Each is kept until its turn. Pure.
class step_lane {
public:
  /// False: there was nothing to do any more, and the turn is the next one's. So what has ended takes no time from the
  /// others, and does not pile up: with n at most that have not ended, all that has is gone after n turns.
  using step = std::function<bool()>;

  /// `ask_for_turn`: have `take_turn` called soon, after a look at the sockets. Asked once for each turn.
  explicit step_lane(std::function<void()> ask_for_turn) : ask_for_turn_{std::move(ask_for_turn)} {}

  void join(step next) {
    waiting_.push_back(std::move(next));
    ask();
  }

  void take_turn() {
    asked_ = false;
    for (auto did_something = false; !waiting_.empty() && !did_something;) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      if (!waiting_.empty())
        ask(); // before the step: it may throw
      did_something = next();
    }
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

  /// What waits is not done any more.
  void clear() { std::exchange(waiting_, {}).clear(); }

private:
  void ask() {
    if (!std::exchange(asked_, true))
      ask_for_turn_();
  }

  std::function<void()> ask_for_turn_;
  std::deque<step> waiting_;
  bool asked_ = false;
};

} // namespace vicket::internal
