#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

namespace vicket::internal {

/// The bytes of a connection's messages that its owner has not let go of yet. While the connection is there they are part of
/// what it holds; after its end they stay in the budget until they are let go of. Thread-safe: messages are let go of by
/// whoever has them.
class handed_out {
public:
  /// `given_back` is told of what is let go of after the end, by the thread that does so.
  explicit handed_out(std::function<void(std::size_t)> given_back) : given_back_{std::move(given_back)} {}

  void hand_out(std::size_t bytes) {
    const std::lock_guard guard{mutex_};
    bytes_ += bytes;
  }
  void let_go(std::size_t bytes) {
    std::size_t left = 0;
    {
      const std::lock_guard guard{mutex_};
      bytes_ -= bytes;
      left = std::min(bytes, left_behind_);
      left_behind_ -= left;
    }
    if (left > 0)
      given_back_(left);
  }
  /// The connection's end, when `held` bytes of it are in the budget: how many of them stay there.
  [[nodiscard]] std::size_t end(std::size_t held) {
    const std::lock_guard guard{mutex_};
    return left_behind_ = std::min(bytes_, held);
  }

private:
  const std::function<void(std::size_t)> given_back_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;       ///< guarded by mutex_
  std::size_t left_behind_ = 0; ///< guarded by mutex_: of these, in the budget without a connection
};

} // namespace vicket::internal
