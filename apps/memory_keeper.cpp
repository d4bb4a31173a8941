#include "apps/memory_keeper.hpp"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace vicket {

std::size_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::size_t all_pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> all_pages >> resident_pages))
    return 0;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

memory_keeper::memory_keeper(std::function<std::size_t()> users)
    : users_{std::move(users)}, thread_{[this] { run(); }} {}

memory_keeper::~memory_keeper() {
  {
    const std::lock_guard guard{mutex_};
    ending_ = true;
  }
  ends_.notify_one();
  thread_.join();
}

void memory_keeper::run() {
  trim_schedule schedule{resident_bytes()};
  std::unique_lock lock{mutex_};
  while (!ends_.wait_for(lock, interval, [this] { return ending_; })) {
    const auto before = resident_bytes();
    if (!schedule.worth_it(before, users_()))
      continue;
    lock.unlock();
    ::malloc_trim(0);
    schedule.done(before, resident_bytes());
    lock.lock();
  }
}

} // namespace vicket
