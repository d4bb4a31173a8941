#pragma once

#include <cstddef>
#include <functional>
#include <list>

namespace vicket::internal {

/// What the connections of a port hold in memory, all of them together: messages that are being read, requests without
/// an answer, answers that are not written. Beyond the limit none is read on, with two exceptions, so that nobody starves
/// and no two wait for each other: who holds less than `always` bytes may read a piece, and the first in line may finish
/// its message. So it is never more than the limit, one message, and `always` and a piece for each connection. Of one
/// thread.
class byte_budget {
public:
  byte_budget(std::size_t limit, std::size_t always) : limit_{limit}, always_{always} {}
  byte_budget(const byte_budget&) = delete;
  byte_budget& operator=(const byte_budget&) = delete;

  [[nodiscard]] std::size_t held() const { return held_; }

  /// One connection's part. The budget outlives it.
  class share {
  public:
    /// `go_on` is called when a read that was refused may be tried again. It may not read within the call.
    share(byte_budget& all, std::function<void()> go_on) : all_{all}, go_on_{std::move(go_on)} {}
    ~share();
    share(const share&) = delete;
    share& operator=(const share&) = delete;

    [[nodiscard]] std::size_t held() const { return held_; }
    /// Whether a piece may be read now. Else `go_on` will be called. `in_message`: one has begun and is not whole.
    [[nodiscard]] bool may_read(bool in_message);
    void take(std::size_t bytes);
    void give(std::size_t bytes);
    /// What was being read is whole.
    void message_ended();

  private:
    friend class byte_budget;

    byte_budget& all_;
    std::function<void()> go_on_;
    std::size_t held_ = 0;
    bool in_line_ = false;
    bool in_message_ = false; ///< when it was refused
  };

private:
  void look();

  const std::size_t limit_;
  const std::size_t always_;
  std::size_t held_ = 0;
  share* first_ = nullptr; ///< may finish its message
  std::list<share*> line_; ///< those that were refused, in that order
};

} // namespace vicket::internal
