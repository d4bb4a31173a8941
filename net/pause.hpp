#pragma once

#include "net/io_thread.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace vicket::internal {

/// A timer, one call at a time. Of the I/O thread, but for its making and its end.
class pause {
public:
  explicit pause(const io_thread& io);
  ~pause();
  pause(const pause&) = delete;
  pause& operator=(const pause&) = delete;

  /// `then` is called after it, in place of what was to be called before.
  void start(std::chrono::milliseconds length, std::function<void()> then);
  void cancel();

private:
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket::internal
