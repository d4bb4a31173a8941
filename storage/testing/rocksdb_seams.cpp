#include "storage/testing/rocksdb_seams.hpp"

#include "policy/assertion.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <mutex>
#include <pthread.h>
#include <string>
#include <string_view>
#include <utility>

// RocksDB's headers for these two are not installed: util/random.h and test_util/sync_point.h.
namespace rocksdb {

class Random {
public:
  static Random* GetTLSInstance();

  std::uint32_t seed; ///< 1 to 2^31-2
};

/// Weak: null in a library that was built without assertions.
class SyncPoint {
public:
  [[gnu::weak]] static SyncPoint* GetInstance();
  [[gnu::weak]] void SetCallBack(const std::string& point, const std::function<void(void*)>& callback);
  [[gnu::weak]] void EnableProcessing();
};

} // namespace rocksdb

namespace vicket::internal {

namespace {

/// The newest, which leads to the others. No container: other threads wait while they end, too.
thread_local rocksdb_seams* of_this_thread = nullptr;

constexpr std::uint32_t random_modulus = 2'147'483'647; // of RocksDB's generator, which must not be at 0
constexpr std::size_t session_id_chars = 20;            // in base 36 (table/unique_id.cc)
constexpr ::time_t max_wait_s = 20;                     // for another real thread
constexpr std::int64_t idle_wait_ms = 5;

} // namespace

struct seam_access {
  /// Any of them does a piece.
  static bool work(const rocksdb_seams* newest) {
    for (const auto* each = newest; each != nullptr; each = each->next_)
      if (each->work_())
        return true;
    return false;
  }

  static rocksdb_seams** link_to(const rocksdb_seams* gone) {
    auto** link = &of_this_thread;
    while (*link != gone)
      link = &(*link)->next_;
    return link;
  }

  static std::string session_id(const rocksdb_seams& seams) {
    constexpr auto digits = std::string_view{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"};
    auto result = std::string(session_id_chars, '1'); // never all zeros
    for (auto i = std::size_t{0}; i + 1 < result.size(); ++i)
      result[i] = digits[seams.random_() % digits.size()];
    return result;
  }
};

namespace {

void take_test_points() {
  if (&rocksdb::SyncPoint::GetInstance == nullptr)
    return;
  auto& points = *rocksdb::SyncPoint::GetInstance();
  points.SetCallBack("DBImpl::SetDbSessionId", [](void* id) {
    if (of_this_thread != nullptr)
      *static_cast<std::string*>(id) = seam_access::session_id(*of_this_thread);
  });
  points.SetCallBack("Arena::AllocateNewBlock:0", [](void* sizes) {
    const auto& [counted, asked_for] = *static_cast<std::pair<std::size_t*, std::size_t*>*>(sizes);
    if (of_this_thread != nullptr)
      *counted = *asked_for;
  });
  points.EnableProcessing();
}

using wait_function = int (*)(::pthread_cond_t*, ::pthread_mutex_t*);

wait_function system_wait() {
  static const auto result = reinterpret_cast<wait_function>(::dlsym(RTLD_NEXT, "pthread_cond_wait"));
  return result;
}

int wait_on_seams(const rocksdb_seams* seams, ::pthread_cond_t* condition, ::pthread_mutex_t* mutex) {
  ::pthread_mutex_unlock(mutex);
  const auto worked = seam_access::work(seams);
  ::pthread_mutex_lock(mutex);
  if (worked)
    return 0;
  // RocksDB's timer thread may be what it waits for, for a moment. Anything else would be for ever. That thread may have
  // signalled while the mutex was not ours: so only a short wait, after which the caller looks again.
  thread_local auto idle_since_ms = std::int64_t{0};
  thread_local auto last_idle_ms = std::int64_t{0};
  auto deadline = ::timespec{};
  ::clock_gettime(CLOCK_MONOTONIC, &deadline);
  const auto now_ms = std::int64_t{deadline.tv_sec} * 1'000 + deadline.tv_nsec / 1'000'000;
  deadline.tv_nsec += idle_wait_ms * 1'000'000;
  if (deadline.tv_nsec >= 1'000'000'000) {
    deadline.tv_nsec -= 1'000'000'000;
    ++deadline.tv_sec;
  }
  const auto error = ::pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &deadline);
  if (error != ETIMEDOUT)
    return error;
  if (now_ms - last_idle_ms > 20 * idle_wait_ms) // another wait than the last one
    idle_since_ms = now_ms;
  last_idle_ms = now_ms;
  const auto waits_for_nothing = now_ms - idle_since_ms > max_wait_s * 1'000;
  VICKET_ASSERT(!waits_for_nothing);
  return 0;
}

} // namespace

rocksdb_seams::rocksdb_seams(std::function<bool()> work, std::function<std::uint64_t()> random)
    : next_(of_this_thread), work_(std::move(work)), random_(std::move(random)) {
  static auto once = std::once_flag{};
  std::call_once(once, take_test_points);
  of_this_thread = this;
}

rocksdb_seams::~rocksdb_seams() {
  *seam_access::link_to(this) = next_;
}

void rocksdb_seams::seed_thread(std::uint32_t seed) {
  rocksdb::Random::GetTLSInstance()->seed = seed % (random_modulus - 1) + 1;
}

} // namespace vicket::internal

/// Stands before the C library's in the whole program.
extern "C" [[gnu::visibility("default")]] int pthread_cond_wait(::pthread_cond_t* condition,
                                                                ::pthread_mutex_t* mutex) {
  auto* const seams = vicket::internal::of_this_thread;
  return seams == nullptr ? vicket::internal::system_wait()(condition, mutex)
                          : vicket::internal::wait_on_seams(seams, condition, mutex);
}
