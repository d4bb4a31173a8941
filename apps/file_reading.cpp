#include "apps/file_reading.hpp"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace vicket {

struct file_reading::state {
  const std::function<complaint()> read;
  std::mutex mutex;
  std::function<void(const complaint&)> tell; ///< guarded by mutex; empty: nobody is there any more
  bool reads = false;                         ///< likewise
  bool again = false;                         ///< likewise
};

file_reading::file_reading(std::function<complaint()> read, std::function<void(const complaint&)> tell)
    : state_{new state{.read = std::move(read), .mutex = {}, .tell = std::move(tell)}} {}

file_reading::~file_reading() {
  const std::lock_guard guard{state_->mutex};
  state_->tell = nullptr;
  state_->again = false;
}

bool file_reading::begin() {
  {
    const std::lock_guard guard{state_->mutex};
    if (std::exchange(state_->reads, true)) {
      state_->again = true;
      return false;
    }
  }
  try {
    std::thread{[shared = state_] { run(shared); }}.detach();
  } catch (const std::system_error&) { // the node is short of threads: as long as it takes, then
    run(state_);
  }
  return true;
}

void file_reading::run(const std::shared_ptr<state>& shared) {
  for (bool goes_on = true; goes_on;) {
    const auto why = shared->read();
    const std::lock_guard guard{shared->mutex};
    if (shared->tell)
      shared->tell(why);
    goes_on = shared->reads = std::exchange(shared->again, false);
  }
}

} // namespace vicket
