#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <set>

namespace vicket::internal {

/// What the connections of a port hold in memory, all of them together: messages that are being read, requests without
/// an answer, answers that are not written. Beyond the limit none is read on, with two exceptions, so that nobody starves
/// and no two wait for each other: who holds less than `always` bytes may read a piece, and the first in line may finish
/// its message. Answers are not asked for by reading: where they are not taken, and all of it comes to twice the limit, the
/// connection that holds most is given up. So it is never more than that and what one call adds. Of one thread.
class byte_budget {
public:
  byte_budget(std::size_t limit, std::size_t always) : limit_{limit}, always_{always} {}
  byte_budget(const byte_budget&) = delete;
  byte_budget& operator=(const byte_budget&) = delete;

  [[nodiscard]] std::size_t held() const { return held_; }
  /// What a share left behind is in memory no more.
  void give_left_behind(std::size_t bytes);

  /// One connection's part. The budget outlives it.
  class share {
  public:
    /// `go_on` is called when a read that was refused may be tried again, `give_up` when it is to end: it holds most. Neither
    /// may use the budget within the call.
    share(
        byte_budget& all, std::function<void()> go_on, std::function<void()> give_up = [] {});
    ~share();
    share(const share&) = delete;
    share& operator=(const share&) = delete;

    [[nodiscard]] std::size_t held() const { return held_; }
    /// Whether a piece may be read now. Else `go_on` will be called. `in_message`: one has begun and is not whole.
    [[nodiscard]] bool may_read(bool in_message);
    void take(std::size_t bytes);
    void give(std::size_t bytes);
    /// So much of it stays in memory, and in the budget, after its end.
    void leave_behind(std::size_t bytes) { held_ -= bytes; }
    /// What was being read is whole.
    void message_ended();

  private:
    friend class byte_budget;

    byte_budget& all_;
    std::function<void()> go_on_;
    std::function<void()> give_up_;
    bool given_up_ = false;
    std::size_t held_ = 0;
    bool in_line_ = false;
    bool in_message_ = false; ///< when it was refused
  };

private:
  void look();
  void give_up_largest();

  const std::size_t limit_;
  const std::size_t always_;
  std::size_t held_ = 0;
  share* first_ = nullptr; ///< may finish its message
  std::list<share*> line_; ///< those that were refused, in that order
  std::set<share*> shares_;
};

} // namespace vicket::internal
