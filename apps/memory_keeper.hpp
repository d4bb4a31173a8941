#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace vicket {

/// Decides when memory that was freed is worth giving back to the system. glibc keeps what lies between blocks that are
/// in use: after a burst to 100,000 connectors, 310 of 580 MB were free and stayed the process's for ever
/// (`vicket-bench --scenario many-connectors`). Giving it back takes each arena's lock, so it is for rare occasions.
///
/// Pure.
class trim_schedule {
public:
  /// The process has to be larger than it was at its smallest by so much,
  static constexpr std::size_t worth_bytes = 64u << 20;
  /// and its size within so much of what it was an interval before: a node at work would soon want it back.
  static constexpr std::size_t quiet_bytes = 4u << 20;
  /// A time that gave back less was not worth it: what there is is in use. The next one waits twice as long, or until many
  /// of those who use it are gone.
  static constexpr std::size_t little_bytes = 16u << 20;
  static constexpr unsigned max_pause = 64;
  static constexpr std::size_t many_users = 1'000; ///< and a quarter of them

  explicit trim_schedule(std::size_t resident_bytes)
      : smallest_bytes_{resident_bytes}, before_bytes_{resident_bytes} {}

  /// Asked once per interval: whether to do it now. `users`: how many there are that take a good part of it (actors).
  [[nodiscard]] bool worth_it(std::size_t resident_bytes, std::size_t users) {
    users_ = users;
    if (users + std::max(many_users, users_then_ / 4) <= users_then_) {
      pause_ = 1;
      users_then_ = users;
    }
    users_then_ = std::max(users_then_, users); // those who come and go between two times count as well
    const auto before = std::exchange(before_bytes_, resident_bytes);
    const auto change = resident_bytes > before ? resident_bytes - before : before - resident_bytes;
    if (resident_bytes < smallest_bytes_ + worth_bytes || change > quiet_bytes)
      return false;
    return ++waited_ >= pause_;
  }
  void done(std::size_t before_bytes, std::size_t after_bytes) {
    waited_ = 0;
    users_then_ = users_;
    pause_ = before_bytes < after_bytes + little_bytes ? std::min(pause_ * 2, max_pause) : 1;
    smallest_bytes_ = std::min(smallest_bytes_, after_bytes);
    before_bytes_ = after_bytes;
  }

private:
  std::size_t smallest_bytes_;
  std::size_t before_bytes_; ///< when it was asked last
  std::size_t users_ = 0;
  std::size_t users_then_ = 0; ///< most since it was done last, or the pause was ended
  unsigned pause_ = 1;         ///< intervals between two times
  unsigned waited_ = 0;
};

/// Looks now and then, on a thread of its own, until it is destroyed.
class memory_keeper {
public:
  static constexpr std::chrono::seconds interval{10};

  /// `users`: see `trim_schedule`; called on its thread.
  explicit memory_keeper(std::function<std::size_t()> users);
  memory_keeper(const memory_keeper&) = delete;
  memory_keeper& operator=(const memory_keeper&) = delete;
  ~memory_keeper();

private:
  void run();

  std::function<std::size_t()> users_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool ending_ = false; ///< guarded by mutex_
  std::thread thread_;  ///< last: it uses the above
};

/// Of this process; 0 where the system does not tell.
[[nodiscard]] std::size_t resident_bytes();

} // namespace vicket
