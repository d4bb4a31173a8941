#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace vicket::internal {

/// What was asked over a link and has no answer yet, by the numbers that the other side has given. Pure: time is handed in.
///
/// A number may be used again once it is answered; its turn tells one use of it from the next, so that an answer that comes
/// too late belongs to none.
///
/// Invariants: `waiting_` has what was asked and not answered; `order_` the same, oldest first, but nothing whose answer may
/// take any time, and some that are answered: not more of all than `most_answered` and twice as many as wait.
class open_requests {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using number = std::uint64_t;
  using turn = std::uint64_t;
  static constexpr std::size_t most_answered = 64;

  /// How long an answer may take.
  explicit open_requests(std::chrono::milliseconds answer_time) : answer_time_{answer_time} {}

  [[nodiscard]] bool contains(number which) const { return waiting_.contains(which); }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  /// It is asked now. `bytes`: of its message. The number is not there. `any_time`: its answer may take as long as it does.
  turn add(number which, std::size_t bytes, bool any_time = false) {
    const auto mine = ++last_turn_;
    waiting_.emplace(which, asked{bytes, mine});
    if (!any_time)
      order_.push_back({which, mine, now_});
    return mine;
  }

  /// It is answered: the bytes of its message. Nothing: it did not wait for this answer any more.
  [[nodiscard]] std::optional<std::size_t> settle(number which, turn of) {
    const auto found = waiting_.find(which);
    if (found == waiting_.end() || found->second.mine != of)
      return std::nullopt;
    const auto bytes = found->second.bytes;
    waiting_.erase(found);
    if (order_.size() > most_answered + 2 * waiting_.size())
      std::erase_if(order_, [this](const due& each) { return !waits(each); });
    return bytes;
  }

  /// The time is that now. Calls `overdue(number, turn)` for each that has waited too long; it settles it.
  template <class Overdue>
  void look(time_point now, Overdue overdue) {
    now_ = now;
    while (!order_.empty()) {
      auto& first = order_.front();
      const bool is_open = waits(first);
      if (is_open && first.asked_at == time_point{}) { // asked before the time was known
        first.asked_at = now;
        return;
      }
      if (is_open && now - first.asked_at < answer_time_)
        return;
      const auto gone = first;
      order_.pop_front();
      if (is_open)
        overdue(gone.which, gone.mine);
    }
  }

  /// Those that are answered and not forgotten yet are among them.
  [[nodiscard]] std::size_t remembered() const noexcept { return order_.size(); }

  void clear() {
    waiting_.clear();
    order_.clear();
  }

private:
  struct asked {
    std::size_t bytes;
    turn mine;
  };
  struct due {
    number which;
    turn mine;
    time_point asked_at;
  };

  [[nodiscard]] bool waits(const due& one) const {
    const auto found = waiting_.find(one.which);
    return found != waiting_.end() && found->second.mine == one.mine;
  }

  std::chrono::milliseconds answer_time_;
  turn last_turn_ = 0;
  std::unordered_map<number, asked> waiting_;
  std::deque<due> order_;
  time_point now_{}; ///< of the last look
};

} // namespace vicket::internal
