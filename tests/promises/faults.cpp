// A library to preload into a node, which has faults when a test says so. The test and the node share a page of 64-bit
// numbers, the file that PROMISE_FAULTS names (no VICKET_ before it: a node takes those for its settings); what each of
// them says is below, and faults.py has the same list. "Logs" are RocksDB's write-ahead logs, "tables" its .sst files.
//
// Without the variable, or with zeros in the page, everything is as without the library.

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string_view>

namespace {

using number = std::atomic<std::int64_t>;
static_assert(number::is_always_lock_free && sizeof(number) == 8);

/// Who counts down or up is the library; who sets is the test.
struct page {
  number words; ///< how many numbers follow: both sides have the same list

  number syncs_begun;   ///< of logs, since the node began
  number hold_from;     ///< the sync of a log with this count, and all later ones, wait; 0: none
  number syncs_waiting; ///< at this moment

  number sync_error;    ///< a sync of a log is done, and then fails with this errno
  number sync_failures; ///< how many more of them; -1: all

  number append_error;    ///< an append to a log writes nothing and fails with this errno
  number append_failures; ///< how many more of them; -1: all

  number table_error;    ///< an append of a compaction to a table writes nothing and fails with this errno
  number table_failures; ///< how many more of them; -1: all
  number tables_refused; ///< how many did

  number table_delay_ms; ///< an append to a table takes as much longer

  number hold_flushes;    ///< an append of a flush to a table waits while it is not 0
  number flushes_waiting; ///< at this moment

  number wall_ms;   ///< the wall clock is ahead by this; whole seconds
  number steady_ms; ///< the steady clock is; it must not be made less

  number
      throw_from_bytes; ///< operator new for as much, but less than `throw_below_bytes`, throws in threads of this
  number throw_below_bytes; ///< kind (1: actors with a thread of their own, 2: the other actors); 0: never
  number throw_in;
  number throws;       ///< how many more times
  number throw_spares; ///< so many that would are let through before
};

constexpr std::int64_t words = sizeof(page) / sizeof(number) - 1;
constexpr useconds_t look_us = 5'000;
constexpr std::int64_t us_per_ms = 1'000;

page* shared() noexcept {
  static page* const mapped = []() -> page* {
    const char* path = std::getenv("PROMISE_FAULTS");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
      return nullptr;
    void* const memory = ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED)
      return nullptr;
    auto* const result = static_cast<page*>(memory);
    result->words = words;
    return result;
  }();
  return mapped;
}

template <class Function>
Function next(const char* name) noexcept {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool is_file_of(int file, std::string_view ending) noexcept {
  std::array<char, 64> link{};
  std::array<char, 1'024> path{};
  std::array<char, 12> digits{};
  auto at = digits.size();
  do {
    digits.at(--at) = static_cast<char>('0' + file % 10);
    file /= 10;
  } while (file > 0);
  auto end = std::size_t{0};
  for (const char c : std::string_view{"/proc/self/fd/"})
    link.at(end++) = c;
  for (; at < digits.size(); ++at)
    link.at(end++) = digits.at(at);
  const auto length = ::readlink(link.data(), path.data(), path.size());
  return length > 0 && std::string_view{path.data(), static_cast<std::size_t>(length)}.ends_with(ending);
}

bool thread_begins_with(std::string_view name) noexcept {
  std::array<char, 16> own{};
  return ::pthread_getname_np(::pthread_self(), own.data(), own.size()) == 0 &&
         std::string_view{own.data()}.starts_with(name);
}

/// Whether one more of `left` is to happen now.
bool takes_one(number& left) noexcept {
  for (auto seen = left.load(); seen != 0;)
    if (seen < 0 || left.compare_exchange_weak(seen, seen - 1))
      return true;
  return false;
}

int fail_with(const number& error) noexcept {
  errno = static_cast<int>(error.load());
  return -1;
}

int sync_with(const char* name, int file) noexcept {
  auto* const real = next<int (*)(int)>(name);
  auto* const faults = shared();
  if (faults == nullptr || !is_file_of(file, ".log"))
    return real(file);
  const auto own = ++faults->syncs_begun;
  ++faults->syncs_waiting;
  for (auto from = faults->hold_from.load(); from != 0 && own >= from; from = faults->hold_from.load())
    ::usleep(look_us);
  --faults->syncs_waiting;
  const auto result = real(file);
  return result == 0 && takes_one(faults->sync_failures) ? fail_with(faults->sync_error) : result;
}

void delay_tables(int file) noexcept {
  auto* const faults = shared();
  if (faults != nullptr && faults->table_delay_ms != 0 && is_file_of(file, ".sst"))
    ::usleep(static_cast<useconds_t>(faults->table_delay_ms * us_per_ms));
  if (faults == nullptr || faults->hold_flushes == 0 || !thread_begins_with("rocksdb:high") ||
      !is_file_of(file, ".sst"))
    return;
  ++faults->flushes_waiting;
  while (faults->hold_flushes != 0)
    ::usleep(look_us);
  --faults->flushes_waiting;
}

bool refuses_append(int file) noexcept {
  auto* const faults = shared();
  if (faults == nullptr || (faults->append_failures == 0 && faults->table_failures == 0))
    return false;
  if (faults->append_failures != 0 && is_file_of(file, ".log") && takes_one(faults->append_failures)) {
    fail_with(faults->append_error);
    return true;
  }
  if (faults->table_failures != 0 && thread_begins_with("rocksdb:low") && is_file_of(file, ".sst") &&
      takes_one(faults->table_failures)) {
    ++faults->tables_refused;
    fail_with(faults->table_error);
    return true;
  }
  return false;
}

constexpr std::int64_t ms_per_s = 1'000;
constexpr long ns_per_ms = 1'000'000;
constexpr long ns_per_s = 1'000'000'000;

timespec moved(timespec value, std::int64_t by_ms) noexcept {
  value.tv_sec += by_ms / ms_per_s;
  value.tv_nsec += static_cast<long>(by_ms % ms_per_s) * ns_per_ms;
  if (value.tv_nsec >= ns_per_s) {
    value.tv_nsec -= ns_per_s;
    ++value.tv_sec;
  } else if (value.tv_nsec < 0) {
    value.tv_nsec += ns_per_s;
    --value.tv_sec;
  }
  return value;
}

std::int64_t ahead_ms(clockid_t clock) noexcept {
  const auto* const faults = shared();
  if (faults == nullptr)
    return 0;
  return clock == CLOCK_REALTIME    ? faults->wall_ms.load()
         : clock == CLOCK_MONOTONIC ? faults->steady_ms.load()
                                    : 0;
}

bool has_to_throw(std::size_t bytes) noexcept {
  auto* const faults = shared();
  if (faults == nullptr || faults->throws == 0)
    return false;
  const auto size = static_cast<std::int64_t>(bytes);
  if (size < faults->throw_from_bytes || size >= faults->throw_below_bytes)
    return false;
  const auto* const kind = faults->throw_in == 1 ? "caf.thread" : "caf.worker";
  return thread_begins_with(kind) && !takes_one(faults->throw_spares) && takes_one(faults->throws);
}

} // namespace

extern "C" int fdatasync(int file) {
  return sync_with("fdatasync", file);
}

extern "C" int fsync(int file) {
  return sync_with("fsync", file);
}

extern "C" ssize_t write(int file, const void* bytes, size_t count) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  delay_tables(file);
  return refuses_append(file) ? -1 : real(file, bytes, count);
}

extern "C" ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  delay_tables(file);
  return refuses_append(file) ? -1 : real(file, bytes, count, offset);
}

extern "C" int clock_gettime(clockid_t clock, timespec* result) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const auto status = real(clock, result);
  if (status == 0)
    *result = moved(*result, ahead_ms(clock));
  return status;
}

extern "C" int gettimeofday(timeval* result, void* zone) noexcept {
  static const auto real = next<int (*)(timeval*, void*)>("gettimeofday");
  const auto status = real(result, zone);
  if (status == 0)
    result->tv_sec += ahead_ms(CLOCK_REALTIME) / ms_per_s;
  return status;
}

// Whoever waits until a time by a clock that is ahead waits by one that is not.

extern "C" int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                      const timespec* until) {
  static const auto real =
      next<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>("pthread_cond_clockwait");
  const auto then = moved(*until, -ahead_ms(clock));
  return real(condition, mutex, clock, &then);
}

extern "C" int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                      const timespec* until) {
  static const auto real =
      next<int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
  const auto then = moved(*until, -ahead_ms(CLOCK_REALTIME));
  return real(condition, mutex, &then);
}

void* operator new(std::size_t bytes) {
  if (has_to_throw(bytes))
    throw std::bad_alloc{};
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes))
    return memory;
  throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
