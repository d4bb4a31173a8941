#include "storage/testing/sim_disk.hpp"

#include "policy/assertion.hpp"
#include "storage/testing/rocksdb_seams.hpp"
#include "storage/testing/sim_file_system.hpp"
#include "storage/testing/sim_state.hpp"

#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

namespace vicket {

namespace {

using internal::bytes_and_sum;
using internal::hex;
using internal::normal;
using internal::sim_state;
using internal::to_view;

// -- clock and queue ----------------------------------------------------------------------------------------

class sim_clock final : public rocksdb::SystemClock {
public:
  explicit sim_clock(sim_state& state) : state_(state) {}

  const char* Name() const override { return "vicket.sim"; }
  std::uint64_t NowMicros() override { return state_.now_us; }
  void SleepForMicroseconds(int us) override { state_.now_us += static_cast<std::uint64_t>(std::max(us, 0)); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override {
    *seconds = static_cast<std::int64_t>(state_.now_us / 1'000'000);
    return rocksdb::Status::OK();
  }
  std::string TimeToString(std::uint64_t seconds) override { return std::to_string(seconds); }

private:
  sim_state& state_;
};

class sim_env final : public rocksdb::EnvWrapper {
public:
  explicit sim_env(sim_state& state)
      : EnvWrapper(rocksdb::NewCompositeEnv(internal::make_sim_file_system(state))), state_(state) {
    system_clock_ = std::make_shared<sim_clock>(state);
  }

  // -- the queue --

  void Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                void (*unscheduled)(void*)) override {
    const auto user = priority == HIGH ? disk_user::flush : disk_user::compaction;
    jobs_.push_back({user, ++scheduled_, state_.now_us});
    calls_.push_back({function, argument, priority, tag, unscheduled});
    state_.say("schedule " + name_of(jobs_.back()));
  }
  int UnSchedule(void* tag, Priority priority) override {
    auto taken = std::vector<call>{};
    for (auto i = std::size_t{0}; i < calls_.size();) {
      if (calls_[i].tag != tag || calls_[i].priority != priority) {
        ++i;
        continue;
      }
      state_.say("unschedule " + name_of(jobs_[i]));
      taken.push_back(take(i));
    }
    for (const auto& job : taken)
      if (job.unscheduled != nullptr)
        job.unscheduled(job.argument);
    return static_cast<int>(taken.size());
  }

  [[nodiscard]] const std::vector<sim_disk::job>& jobs() const { return jobs_; }

  void run(std::size_t index) {
    VICKET_ASSERT(index < jobs_.size());
    const auto name = name_of(jobs_[index]);
    const auto user = std::exchange(state_.user, jobs_[index].user);
    const auto job = take(index);
    state_.say("run " + name);
    job.function(job.argument);
    state_.say("end " + name);
    state_.user = user;
  }

  // -- there are no threads --

  void StartThread(void (*)(void*), void*) override { VICKET_ASSERT(!"RocksDB wants a thread of its own"); }
  void WaitForJoin() override {}
  unsigned int GetThreadPoolQueueLen(Priority priority) const override {
    return static_cast<unsigned int>(
        std::count_if(calls_.begin(), calls_.end(), [&](const call& x) { return x.priority == priority; }));
  }
  void SetBackgroundThreads(int, Priority) override {}
  int GetBackgroundThreads(Priority priority) override { return priority == HIGH || priority == LOW ? 1 : 0; }
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
  void LowerThreadPoolIOPriority(Priority) override {}
  void LowerThreadPoolCPUPriority(Priority) override {}
  rocksdb::Status LowerThreadPoolCPUPriority(Priority, rocksdb::CpuPriority) override {
    return rocksdb::Status::OK();
  }
  int ReserveThreads(int, Priority) override { return 0; }
  int ReleaseThreads(int, Priority) override { return 0; }
  rocksdb::Status GetThreadList(std::vector<rocksdb::ThreadStatus>*) override {
    return rocksdb::Status::NotSupported("there are no threads");
  }
  std::uint64_t GetThreadID() const override { return 1; }

  // -- time and identity --

  std::uint64_t NowMicros() override { return system_clock_->NowMicros(); }
  std::uint64_t NowNanos() override { return system_clock_->NowNanos(); }
  std::uint64_t NowCPUNanos() override { return 0; }
  void SleepForMicroseconds(int us) override { system_clock_->SleepForMicroseconds(us); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override {
    return system_clock_->GetCurrentTime(seconds);
  }
  std::string TimeToString(std::uint64_t seconds) override { return system_clock_->TimeToString(seconds); }
  rocksdb::Status GetHostName(char* name, std::uint64_t bytes) override {
    std::strncpy(name, "simulated", static_cast<std::size_t>(bytes));
    return rocksdb::Status::OK();
  }
  /// In the form of a UUID.
  std::string GenerateUniqueId() override {
    auto digits = std::string{};
    while (digits.size() < 32)
      digits += hex(static_cast<std::uint32_t>(state_.random()));
    for (const auto at : {20u, 16u, 12u, 8u})
      digits.insert(at, "-");
    return digits;
  }

private:
  struct call {
    void (*function)(void*);
    void* argument;
    Priority priority;
    void* tag;
    void (*unscheduled)(void*); ///< may be null
  };

  static std::string name_of(const sim_disk::job& job) {
    return std::string{to_view(job.user)} + " " + std::to_string(job.number);
  }

  call take(std::size_t index) {
    const auto result = calls_[index];
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(index));
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    return result;
  }

  sim_state& state_;
  std::vector<sim_disk::job> jobs_;
  std::vector<call> calls_; ///< of jobs_, one for one
  std::uint64_t scheduled_ = 0;
};

} // namespace

// -- the disk -----------------------------------------------------------------------------------------------

struct sim_disk::rep {
  explicit rep(std::uint64_t seed)
      : state(seed), env(state),
        seams([this] { return run_for_a_wait(); }, [this] { return state.random(); }) {
    internal::rocksdb_seams::seed_thread(static_cast<std::uint32_t>(state.random()));
  }

  bool run_for_a_wait() {
    if (env.jobs().empty())
      return false;
    ++jobs_run_by_waits;
    state.say("wait");
    env.run(0);
    return true;
  }

  sim_state state;
  sim_env env;
  std::uint64_t jobs_run_by_waits = 0;
  internal::rocksdb_seams seams;
};

sim_disk::sim_disk(std::uint64_t seed) : rep_(std::make_unique<rep>(seed)) {}

sim_disk::~sim_disk() = default;

rocksdb::Env& sim_disk::env() {
  return rep_->env;
}

const std::vector<sim_disk::job>& sim_disk::pending_jobs() const {
  return rep_->env.jobs();
}

void sim_disk::run_job(std::size_t index) {
  rep_->env.run(index);
}

std::size_t sim_disk::run_all_jobs() {
  auto count = std::size_t{0};
  for (; !rep_->env.jobs().empty(); ++count)
    rep_->env.run(0);
  return count;
}

std::uint64_t sim_disk::jobs_run_by_waits() const {
  return rep_->jobs_run_by_waits;
}

std::uint64_t sim_disk::now_us() const {
  return rep_->state.now_us;
}

void sim_disk::set_now_us(std::uint64_t value) {
  rep_->state.now_us = value;
}

void sim_disk::fail(const disk_fault& order) {
  rep_->state.faults.add(order);
}

void sim_disk::clear_faults() {
  rep_->state.faults.clear();
}

std::uint64_t sim_disk::asked(disk_operation operation) const {
  return rep_->state.faults.asked(operation);
}

std::uint64_t sim_disk::failed(disk_operation operation, disk_error error) const {
  return rep_->state.faults.failed(operation, error);
}

void sim_disk::set_capacity_bytes(std::uint64_t value) {
  rep_->state.capacity_bytes = value;
}

std::uint64_t sim_disk::used_bytes() const {
  return rep_->state.content.used_bytes();
}

std::optional<store_environment::volume> sim_disk::volume_of(const std::filesystem::path&) const {
  if (rep_->state.capacity_bytes == sim_state::endless)
    return std::nullopt;
  return volume{rep_->state.free_bytes(), rep_->state.capacity_bytes};
}

void sim_disk::crash() {
  rep_->state.say("crash");
  rep_->state.is_down = true;
}

void sim_disk::crash_after(std::uint64_t operations) {
  rep_->state.changes_until_crash = operations;
}

bool sim_disk::crashed() const {
  return rep_->state.is_down;
}

void sim_disk::restart(std::uint64_t seed, power_loss loss) {
  auto& state = rep_->state;
  VICKET_ASSERT(rep_->env.jobs().empty());
  state.say("restart");
  auto random = std::mt19937_64{seed};
  state.content.lose_power(loss, random, [&state](std::string_view path, std::string_view what) {
    state.say("lost " + std::string{path} + ": " + std::string{what});
  });
  state.faults.clear();
  state.is_down = false;
  state.changes_until_crash = sim_state::endless;
  internal::rocksdb_seams::seed_thread(static_cast<std::uint32_t>(random()));
}

sim_disk::folder_copy sim_disk::copy(const std::filesystem::path& folder) const {
  return rep_->state.content.copy(normal(folder));
}

void sim_disk::restore(const std::filesystem::path& folder, const folder_copy& files) {
  rep_->state.say("restore " + normal(folder));
  rep_->state.content.restore(normal(folder), files);
}

std::string sim_disk::read_file(const std::filesystem::path& path) const {
  const auto file = rep_->state.content.find(normal(path));
  VICKET_ASSERT(file != nullptr);
  return std::string{file->bytes()};
}

void sim_disk::write_file(const std::filesystem::path& path, std::string bytes) {
  rep_->state.say("write " + normal(path) + bytes_and_sum(bytes));
  rep_->state.content.put(normal(path), std::move(bytes));
}

void sim_disk::trace_to(std::function<void(std::string_view)> sink) {
  rep_->state.trace = std::move(sink);
}

} // namespace vicket
