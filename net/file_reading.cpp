#include "net/file_reading.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace vicket::internal {

struct file_reading::state {
  const std::function<news(bool)> read;
  const std::optional<std::chrono::milliseconds> every;
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;  ///< guarded by mutex
  bool reads = false;  ///< likewise
  bool ending = false; ///< likewise: nobody is there any more
  bool ended = false;  ///< likewise
};

file_reading::file_reading(std::function<news(bool)> read, std::optional<std::chrono::milliseconds> every)
    : state_{new state{.read = std::move(read), .every = every, .mutex = {}, .changed = {}}},
      thread_{[shared = state_] { run(shared); }} {}

file_reading::~file_reading() {
  std::unique_lock lock{state_->mutex};
  state_->ending = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, patience, [this] { return state_->ended; });
  lock.unlock();
  if (ended)
    thread_.join();
  else
    thread_.detach();
}

bool file_reading::begin() {
  const std::lock_guard guard{state_->mutex};
  state_->asked = true;
  state_->changed.notify_all();
  return !state_->reads;
}

void file_reading::run(const std::shared_ptr<state>& shared) {
  sigset_t all; // signals are the program's
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "vicket-files");
  std::unique_lock lock{shared->mutex};
  const auto is_due = [&] { return shared->asked || shared->ending; };
  for (;;) {
    if (shared->every)
      shared->changed.wait_for(lock, *shared->every, is_due);
    else
      shared->changed.wait(lock, is_due);
    if (shared->ending)
      break;
    const bool asked = std::exchange(shared->asked, false);
    shared->reads = true;
    lock.unlock();
    const auto tell = shared->read(asked);
    lock.lock();
    shared->reads = false;
    if (tell && !shared->ending)
      tell();
  }
  shared->ended = true;
  shared->changed.notify_all();
}

} // namespace vicket::internal
