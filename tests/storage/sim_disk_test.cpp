// The disk that whole nodes are simulated on: what it does to bytes and names, and that RocksDB on one thread neither
// hangs nor differs between two runs of one seed.

#include "storage/testing/sim_disk.hpp"

#include "store_fixture.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <thread>

using namespace vicket;
using namespace vicket::test;

namespace {

using rocksdb::IOOptions;

constexpr auto block_bytes = std::size_t{4'096};

/// A file that is written through the disk's RocksDB environment, as RocksDB would.
class written_file {
public:
  written_file(sim_disk& disk, const std::string& path) {
    const auto status = disk.env().GetFileSystem()->NewWritableFile(path, {}, &file_, nullptr);
    opened_ = status.ok();
  }
  [[nodiscard]] bool opened() const { return opened_; }
  [[nodiscard]] rocksdb::IOStatus append(const std::string& bytes) {
    return file_->Append(bytes, IOOptions{}, nullptr);
  }
  [[nodiscard]] rocksdb::IOStatus sync() { return file_->Sync(IOOptions{}, nullptr); }

private:
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  bool opened_ = false;
};

rocksdb::IOStatus sync_folder(sim_disk& disk, const std::string& path) {
  auto folder = std::unique_ptr<rocksdb::FSDirectory>{};
  REQUIRE(disk.env().GetFileSystem()->NewDirectory(path, IOOptions{}, &folder, nullptr).ok());
  return folder->Fsync(IOOptions{}, nullptr);
}

bool exists(sim_disk& disk, const std::string& path) {
  return disk.env().FileExists(path).ok();
}

/// A folder with one file in it, both safe.
void make_safe_file(sim_disk& disk, const std::string& path, const std::string& bytes) {
  REQUIRE(disk.env().CreateDirIfMissing("/p").ok());
  auto file = written_file{disk, path};
  REQUIRE(file.append(bytes).ok());
  REQUIRE(file.sync().ok());
  REQUIRE(sync_folder(disk, "/p").ok());
}

/// Not one byte of it zero.
std::string bytes_of(std::size_t count, char first = 'a') {
  auto result = std::string(count, '\0');
  for (auto i = std::size_t{0}; i < count; ++i)
    result[i] = static_cast<char>(first + static_cast<char>(i % 23));
  return result;
}

} // namespace

// -- bytes --------------------------------------------------------------------------------------------------

TEST_CASE("a power loss leaves what was synced, and of the rest what its kind of loss says") {
  const auto loss = GENERATE(power_loss::chance, power_loss::dropped, power_loss::torn, power_loss::reordered,
                             power_loss::none);
  const auto written = bytes_of(5 * block_bytes);
  const auto synced = std::size_t{6'000};
  auto sizes = std::set<std::size_t>{};
  auto had_holes = false;
  for (auto seed = std::uint64_t{0}; seed < 200; ++seed) {
    auto disk = sim_disk{1};
    make_safe_file(disk, "/p/1.log", "");
    {
      auto file = written_file{disk, "/p/1.log"};
      REQUIRE(file.append(written.substr(0, synced)).ok());
      REQUIRE(file.sync().ok());
      REQUIRE(sync_folder(disk, "/p").ok());
      REQUIRE(file.append(written.substr(synced)).ok());
      REQUIRE(disk.copy("/p").at("1.log")->size() == synced);
    }
    disk.crash();
    disk.restart(seed, loss);
    const auto found = disk.read_file("/p/1.log");
    REQUIRE(found.substr(0, synced) == written.substr(0, synced));
    sizes.insert(found.size());
    for (auto at = synced; at < found.size();) { // a block is there or not
      const auto end = std::min(found.size(), (at / block_bytes + 1) * block_bytes);
      const auto is_hole = found[at] == '\0';
      REQUIRE(found.substr(at, end - at) ==
              (is_hole ? std::string(end - at, '\0') : written.substr(at, end - at)));
      had_holes = had_holes || is_hole;
      at = end;
    }
    REQUIRE(disk.copy("/p").at("1.log")->size() == found.size()); // all safe now
  }
  CHECK(had_holes == (loss == power_loss::chance || loss == power_loss::reordered));
  switch (loss) {
  case power_loss::none:
    CHECK(sizes == std::set<std::size_t>{written.size()});
    break;
  case power_loss::dropped:
    CHECK(sizes == std::set<std::size_t>{synced});
    break;
  case power_loss::reordered:
    CHECK(sizes ==
          std::set<std::size_t>{synced, 2 * block_bytes, 3 * block_bytes, 4 * block_bytes, 5 * block_bytes});
    break;
  case power_loss::torn:
  case power_loss::chance:
    CHECK(sizes.size() > 50);
    CHECK(*sizes.begin() >= synced);
    break;
  }
}

TEST_CASE("what a failed sync was for stays in doubt, whatever a later one says") {
  auto seen = std::set<bool>{};
  for (auto seed = std::uint64_t{0}; seed < 40; ++seed) {
    auto disk = sim_disk{1};
    make_safe_file(disk, "/p/1.log", "");
    {
      auto file = written_file{disk, "/p/1.log"};
      REQUIRE(sync_folder(disk, "/p").ok());
      disk.fail({.operation = disk_operation::sync, .error = disk_error::io});
      REQUIRE(file.append(bytes_of(block_bytes)).ok());
      REQUIRE(!file.sync().ok());
      REQUIRE(file.append(bytes_of(10)).ok());
      REQUIRE(file.sync().ok());
    }
    disk.crash();
    disk.restart(seed, power_loss::reordered);
    const auto found = disk.read_file("/p/1.log");
    REQUIRE(found.size() == block_bytes + 10);
    REQUIRE(found.substr(block_bytes) == bytes_of(10));
    const auto is_there = found.substr(0, block_bytes) == bytes_of(block_bytes);
    REQUIRE((is_there || found.substr(0, block_bytes) == std::string(block_bytes, '\0')));
    seen.insert(is_there);
  }
  CHECK(seen.size() == 2);
}

// -- names --------------------------------------------------------------------------------------------------

TEST_CASE(
    "a change of a name may be undone by a power loss until its folder was synced, and not afterwards") {
  struct row {
    const char* what;
    void (*change)(sim_disk&);
    /// Whether it happened; it must be one of the two, whole.
    bool (*happened)(sim_disk&);
  };
  const auto change = GENERATE(
      row{"create",
          [](sim_disk& disk) {
            auto file = written_file{disk, "/p/new"};
            REQUIRE(file.append("new").ok());
            REQUIRE(file.sync().ok());
          },
          [](sim_disk& disk) { return exists(disk, "/p/new") && disk.read_file("/p/new") == "new"; }},
      row{"rename over another",
          [](sim_disk& disk) {
            make_safe_file(disk, "/p/other", "other");
            REQUIRE(disk.env().RenameFile("/p/other", "/p/old").ok());
          },
          [](sim_disk& disk) {
            const auto bytes = disk.read_file("/p/old");
            REQUIRE(bytes == (exists(disk, "/p/other") ? "old" : "other"));
            return bytes == "other";
          }},
      row{"remove", [](sim_disk& disk) { REQUIRE(disk.env().DeleteFile("/p/old").ok()); },
          [](sim_disk& disk) {
            const auto is_there = exists(disk, "/p/old");
            REQUIRE((!is_there || disk.read_file("/p/old") == "old"));
            return !is_there;
          }},
      row{"create over another",
          [](sim_disk& disk) {
            auto file = written_file{disk, "/p/old"};
            REQUIRE(file.append("newer").ok());
            REQUIRE(file.sync().ok());
          },
          [](sim_disk& disk) {
            const auto bytes = disk.read_file("/p/old");
            REQUIRE((bytes == "old" || bytes == "newer"));
            return bytes == "newer";
          }});
  INFO(change.what);
  const auto is_synced = GENERATE(false, true);
  auto seen = std::set<bool>{};
  for (auto seed = std::uint64_t{0}; seed < 40; ++seed) {
    auto disk = sim_disk{1};
    make_safe_file(disk, "/p/old", "old");
    change.change(disk);
    REQUIRE(change.happened(disk));
    if (is_synced)
      REQUIRE(sync_folder(disk, "/p").ok());
    disk.crash();
    disk.restart(seed);
    seen.insert(change.happened(disk));
  }
  CHECK(seen == (is_synced ? std::set{true} : std::set{false, true}));
}

TEST_CASE("an older copy of a folder can be put back, and costs nothing while nothing changes") {
  auto disk = sim_disk{1};
  make_safe_file(disk, "/p/a", "first");
  make_safe_file(disk, "/p/b", "second");
  const auto before = disk.copy("/p");
  CHECK(before.at("a") == disk.copy("/p").at("a"));
  make_safe_file(disk, "/p/a", "newer");
  make_safe_file(disk, "/p/c", "third");
  REQUIRE(disk.env().DeleteFile("/p/b").ok());
  disk.restore("/p", before);
  disk.crash();
  disk.restart(7);
  CHECK(disk.read_file("/p/a") == "first");
  CHECK(disk.read_file("/p/b") == "second");
  CHECK(!exists(disk, "/p/c"));
  CHECK(disk.used_bytes() == 11);
}

// -- faults -------------------------------------------------------------------------------------------------

TEST_CASE("every operation can be ordered to fail, and says so as the operating system's layer does") {
  const auto error = GENERATE(disk_error::no_space, disk_error::quota, disk_error::io);
  const auto operation = GENERATE(disk_operation::create, disk_operation::append, disk_operation::sync,
                                  disk_operation::rename, disk_operation::remove, disk_operation::sync_folder,
                                  disk_operation::open, disk_operation::read);
  auto disk = sim_disk{1};
  make_safe_file(disk, "/p/1.sst", "bytes");
  auto log = written_file{disk, "/p/2.log"};
  const auto attempt = [&]() -> rocksdb::IOStatus {
    auto& files = *disk.env().GetFileSystem();
    auto writable = std::unique_ptr<rocksdb::FSWritableFile>{};
    auto readable = std::unique_ptr<rocksdb::FSRandomAccessFile>{};
    char scratch[8];
    auto result = rocksdb::Slice{};
    switch (operation) {
    case disk_operation::create:
      return files.NewWritableFile("/p/3.sst", {}, &writable, nullptr);
    case disk_operation::append:
      return log.append(bytes_of(100));
    case disk_operation::sync:
      return log.sync();
    case disk_operation::rename:
      return files.RenameFile("/p/1.sst", "/p/1.sst", IOOptions{}, nullptr);
    case disk_operation::remove:
      return files.DeleteFile("/p/1.sst", IOOptions{}, nullptr);
    case disk_operation::sync_folder:
      return sync_folder(disk, "/p");
    case disk_operation::open:
      return files.NewRandomAccessFile("/p/1.sst", {}, &readable, nullptr);
    case disk_operation::read: {
      auto opened = files.NewRandomAccessFile("/p/1.sst", {}, &readable, nullptr);
      return opened.ok() ? readable->Read(0, 5, IOOptions{}, &result, scratch, nullptr) : opened;
    }
    case disk_operation::truncate:
      break;
    }
    return rocksdb::IOStatus::NotSupported();
  };

  disk.fail({.operation = operation, .error = error, .after = operation == disk_operation::remove ? 0u : 1u});
  if (operation != disk_operation::remove)
    REQUIRE(attempt().ok());
  const auto status = attempt();
  REQUIRE(!status.ok());
  CHECK(status.IsIOError());
  CHECK(status.IsNoSpace() == (error == disk_error::no_space));
  CHECK((status.ToString().find("Disk quota exceeded") != std::string::npos) == (error == disk_error::quota));
  CHECK(disk.failed(operation, error) == 1);
  CHECK(disk.asked(operation) >= 1);
  CHECK(attempt().ok()); // it was ordered once
  CHECK(disk.failed(operation, error) == 1);
}

TEST_CASE("an order is for a kind of file") {
  const auto [kind, path] =
      GENERATE(std::pair{file_kind::log, "/p/1.log"}, std::pair{file_kind::table, "/p/1.sst"},
               std::pair{file_kind::manifest, "/p/MANIFEST-000001"},
               std::pair{file_kind::current, "/p/000001.dbtmp"}, std::pair{file_kind::other, "/p/IDENTITY"});
  auto disk = sim_disk{1};
  REQUIRE(disk.env().CreateDirIfMissing("/p").ok());
  disk.fail({.operation = disk_operation::create, .kind = kind, .count = disk_fault::always});
  for (const auto* other : {"/p/1.log", "/p/1.sst", "/p/MANIFEST-000001", "/p/000001.dbtmp", "/p/IDENTITY"})
    CHECK(written_file{disk, other}.opened() == (std::string{other} != path));
  disk.clear_faults();
  CHECK(written_file{disk, path}.opened());
}

TEST_CASE("an append that fails has written a prefix") {
  auto lengths = std::set<std::size_t>{};
  for (auto seed = std::uint64_t{0}; seed < 100; ++seed) {
    auto disk = sim_disk{seed};
    make_safe_file(disk, "/p/1.log", "");
    auto log = written_file{disk, "/p/1.log"};
    disk.fail({.operation = disk_operation::append, .error = disk_error::no_space});
    REQUIRE(log.append(bytes_of(50)).IsNoSpace());
    const auto found = disk.read_file("/p/1.log");
    REQUIRE(found.size() < 50);
    REQUIRE(found == bytes_of(50).substr(0, found.size()));
    lengths.insert(found.size());
  }
  CHECK(lengths.size() > 20);
}

TEST_CASE("a disk has room for so many bytes, and gets it back when a removed file is closed") {
  auto disk = sim_disk{1};
  CHECK(!disk.volume_of("/p"));
  disk.set_capacity_bytes(1'000);
  make_safe_file(disk, "/p/a", bytes_of(600));
  CHECK(disk.volume_of("/p")->free_bytes == 400);
  CHECK(disk.volume_of("/p")->total_bytes == 1'000);
  {
    auto file = written_file{disk, "/p/b"};
    CHECK(file.append(bytes_of(500)).IsNoSpace());
    CHECK(disk.read_file("/p/b") == bytes_of(400));
    CHECK(disk.volume_of("/p")->free_bytes == 0);
    REQUIRE(disk.env().DeleteFile("/p/b").ok());
    CHECK(disk.used_bytes() == 1'000);
  }
  CHECK(disk.used_bytes() == 600);
  disk.set_capacity_bytes(500);
  CHECK(disk.volume_of("/p")->free_bytes == 0);
}

TEST_CASE("after a crash nothing changes any more; in the operation that it comes in, it may have happened "
          "or not") {
  auto seen = std::set<bool>{};
  for (auto seed = std::uint64_t{0}; seed < 40; ++seed) {
    auto disk = sim_disk{seed};
    make_safe_file(disk, "/p/old", "old");
    disk.crash_after(1);
    REQUIRE(disk.env().RenameFile("/p/old", "/p/new").ok());
    CHECK(!disk.crashed());
    CHECK(!sync_folder(disk, "/p").ok());
    CHECK(disk.crashed());
    CHECK(!disk.env().DeleteFile("/p/new").ok());
    CHECK(!written_file{disk, "/p/other"}.opened());
    CHECK(exists(disk, "/p/new"));
    disk.restart(1, power_loss::dropped);
    seen.insert(exists(disk, "/p/new"));
    CHECK(written_file{disk, "/p/other"}.opened());
  }
  CHECK(seen.size() == 2);
}

// -- a store on it ------------------------------------------------------------------------------------------

namespace {

/// Small enough that a few hundred commits meet flushes, compactions and stopped writes.
store_options tiny_options(sim_disk& disk, std::size_t block_cache_bytes = 1u << 20) {
  auto result = small_options(&disk);
  result.write_buffer_bytes = 192 * 1024;
  result.block_cache_bytes = block_cache_bytes;
  return result;
}

struct run_options {
  std::uint64_t seed = 1;
  int commits = 500;
  std::uint64_t one_in_runs_a_job = 3; ///< 0: only waits run any
  std::uint64_t one_in_crashes = 30;   ///< 0: none
  power_loss loss = power_loss::torn;
  std::uint64_t max_events = 8; ///< of a commit, of up to 3 KB each
  std::size_t block_cache_bytes = 1u << 20;
  std::optional<disk_fault> fault =
      std::nullopt; ///< ordered again and again, with an `after` by chance up to this one
};

/// A store, what it acknowledged, and a trace of it all.
class store_run {
public:
  explicit store_run(const run_options& options)
      : options_(options), random_(options.seed), disk_(options.seed) {
    disk_.trace_to([this](std::string_view line) { (trace_ += line) += '\n'; });
    store_ = open_store(tiny_options(disk_, options_.block_cache_bytes));
  }

  void run() {
    for (auto i = 0; i < options_.commits; ++i) {
      order();
      commit();
      run_jobs();
      if (!store_ || chance(options_.one_in_crashes))
        restart();
      disk_.set_now_us(disk_.now_us() + 1'000);
    }
    restart();
  }

  [[nodiscard]] const std::string& trace() const { return trace_; }
  [[nodiscard]] sim_disk& disk() { return disk_; }
  [[nodiscard]] int restarts() const { return restarts_; }
  [[nodiscard]] int resumes() const { return resumes_; }

private:
  [[nodiscard]] bool chance(std::uint64_t one_in) { return one_in != 0 && random_() % one_in == 0; }

  void order() {
    if (chance(options_.one_in_crashes))
      disk_.crash_after(random_() % 100);
    if (options_.fault && chance(20)) {
      auto fault = *options_.fault;
      fault.after = random_() % (fault.after + 1);
      disk_.fail(fault);
    }
  }

  void run_jobs() {
    while (!disk_.pending_jobs().empty() && chance(options_.one_in_runs_a_job))
      disk_.run_job(random_() % disk_.pending_jobs().size());
  }

  void commit() {
    auto batch = write_batch{};
    auto sequences = std::vector<log_sequence>{};
    for (auto count = 1 + random_() % options_.max_events; count > 0; --count) {
      sequences.push_back(store_->allocate_sequence());
      batch.add_event(event_of(sequences.back(), {.envelope_bytes = 100 + random_() % 3'000}), true);
    }
    auto status = store_->commit(batch, store_->settled_below());
    if (status.code == store_errc::full && resume())
      status = store_->commit(batch, store_->settled_below());
    INFO(status.detail);
    if (status.ok()) {
      accepted_.insert(accepted_.end(), sequences.begin(), sequences.end());
      return;
    }
    REQUIRE((disk_.crashed() || options_.fault));
    in_doubt_ = std::move(sequences);
    store_.reset();
  }

  [[nodiscard]] bool resume() {
    ++resumes_;
    disk_.clear_faults();
    const auto status = store_->resume();
    INFO(status.detail);
    REQUIRE((status.ok() || disk_.crashed()));
    return status.ok();
  }

  /// The machine may die again while the store is opened.
  void restart() {
    if (chance(2))
      disk_.crash();
    store_.reset();
    do {
      REQUIRE(disk_.pending_jobs().empty());
      disk_.restart(random_(), options_.loss);
      if (options_.one_in_crashes != 0 && chance(3))
        disk_.crash_after(random_() % 60);
      auto opened = partition_store::open(tiny_options(disk_, options_.block_cache_bytes));
      if (auto* store = std::get_if<std::unique_ptr<partition_store>>(&opened)) {
        store_ = std::move(*store);
      } else {
        INFO(std::get<store_status>(opened).detail);
        REQUIRE(disk_.crashed());
      }
    } while (!store_);
    ++restarts_;
    check();
  }

  /// All that was acknowledged, once each, and of the commit that was not, all or nothing.
  void check() {
    constexpr auto everything = std::numeric_limits<std::uint32_t>::max();
    auto found = std::vector<log_sequence>{};
    for (const auto& event :
         store_->read_due({"crm-prod"}, {noon, 0}, noon, everything, everything, {}).events)
      found.push_back(event.position.sequence);
    REQUIRE(store_->health().ok());
    if (!in_doubt_.empty() && std::binary_search(found.begin(), found.end(), in_doubt_.front()))
      accepted_.insert(accepted_.end(), in_doubt_.begin(), in_doubt_.end());
    in_doubt_.clear();
    INFO("the last of what happened:\n"
         << trace_.substr(trace_.size() - std::min<std::size_t>(trace_.size(), 2'000)));
    REQUIRE(found == accepted_);
    for (auto i = 0; i < 10 && !accepted_.empty(); ++i) {
      const auto sequence = accepted_[random_() % accepted_.size()];
      REQUIRE(store_->read_event(sequence, true).has_value());
      REQUIRE(store_->find_event(id_of(sequence), {"crm-prod"}) == sequence);
    }
  }

  run_options options_;
  std::mt19937_64 random_;
  std::string trace_;
  sim_disk disk_; ///< outlives the store
  std::unique_ptr<partition_store> store_;
  std::vector<log_sequence> accepted_; ///< ascending
  std::vector<log_sequence> in_doubt_; ///< of a commit that the machine died in
  int restarts_ = 0;
  int resumes_ = 0;
};

std::uint64_t lines_with(const std::string& trace, const std::string& what) {
  auto result = std::uint64_t{0};
  for (auto at = trace.find(what); at != std::string::npos; at = trace.find(what, at + 1))
    ++result;
  return result;
}

} // namespace

TEST_CASE(
    "on one thread, with jobs at any time, crashes and power losses: all that was acknowledged is there") {
  const auto first_seed = std::uint64_t{Catch::getSeed()}; // printed; repeat with --rng-seed
  auto trace = std::string{};
  for (auto seed = first_seed; seed < first_seed + 6; ++seed) {
    INFO("--rng-seed " << seed);
    auto run = store_run{{.seed = seed}};
    run.run();
    trace += run.trace();
  }
  CHECK(lines_with(trace, "restart") > 60);
  CHECK(lines_with(trace, "run flush") > 100);
  CHECK(lines_with(trace, "run compaction") > 20);
  CHECK(lines_with(trace, "lost ") > 50);
}

TEST_CASE(
    "jobs run when the owner says, on the owner's behalf, and closing takes those that are left out again") {
  auto disk = sim_disk{1};
  auto trace = std::string{};
  disk.trace_to([&trace](std::string_view line) { (trace += line) += '\n'; });
  auto store = open_store(tiny_options(disk));
  while (disk.pending_jobs().empty())
    accept(*store, true, {.envelope_bytes = 10'000});
  REQUIRE(disk.pending_jobs().front().user == disk_user::flush);
  CHECK(lines_with(trace, "flush create") == 0);
  disk.run_job(0);
  CHECK(lines_with(trace, "flush create /partition-0/") > 0);
  CHECK(lines_with(trace, "foreground create /partition-0/") > 0);
  CHECK(disk.run_all_jobs() < 100);

  while (disk.pending_jobs().empty())
    accept(*store, true, {.envelope_bytes = 10'000});
  store.reset();
  CHECK(disk.pending_jobs().empty());
  CHECK(lines_with(trace, "unschedule flush") > 0);
  CHECK(disk.jobs_run_by_waits() == 0);
}

TEST_CASE("RocksDB's time is the disk's, and what it sleeps passes there") {
  auto disk = sim_disk{1};
  disk.set_now_us(1'000'000'000'000'000);
  auto store = open_store(tiny_options(disk));
  while (disk.pending_jobs().empty())
    accept(*store, true, {.envelope_bytes = 10'000});
  CHECK(disk.now_us() == 1'000'000'000'000'000);
  disk.fail({.operation = disk_operation::append, .error = disk_error::io, .user = disk_user::flush});
  disk.run_job(0);
  CHECK(disk.failed(disk_operation::append, disk_error::io) == 1);
  CHECK(disk.now_us() == 1'000'000'001'000'000);
}

TEST_CASE("an older copy of a partition's folder opens as it was") {
  auto disk = sim_disk{1};
  auto store = open_store(tiny_options(disk));
  const auto first = accept(*store, true);
  const auto before = disk.copy(partition_folder); // as a snapshot of the volume has it, of a store in use
  const auto second = accept(*store, true);
  store.reset();
  disk.restore(partition_folder, before);
  store = open_store(tiny_options(disk));
  CHECK(store->read_event(first, true));
  CHECK(!store->find_event(id_of(second), {"crm-prod"}));
}

TEST_CASE("a store whose jobs nobody runs does not hang: stopped writes run them") {
  auto run = store_run{{.commits = 1'500, .one_in_runs_a_job = 0, .one_in_crashes = 0}};
  run.run();
  CHECK(run.disk().jobs_run_by_waits() > 20);
  CHECK(lines_with(run.trace(), "run compaction") > 0);
}

TEST_CASE("the same seed and the same calls give the same trace, byte for byte") {
  const auto seed = std::uint64_t{Catch::getSeed()};
  auto traces = std::vector<std::string>{};
  for (auto i = 0; i < 2; ++i)
    std::thread{[&traces, seed] { // a thread has state of RocksDB's that an earlier test may have changed
      auto run = store_run{{.seed = seed, .commits = 500, .block_cache_bytes = 0}};
      run.run();
      traces.push_back(run.trace() + "read " + std::to_string(run.disk().asked(disk_operation::read)) +
                       " times\n");
    }}
        .join();
  const auto [left, right] =
      std::mismatch(traces[0].begin(), traces[0].end(), traces[1].begin(), traces[1].end());
  const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, left - traces[0].begin() - 300));
  INFO("the first:\n" << traces[0].substr(from, 600));
  INFO("the second:\n" << traces[1].substr(std::min(from, traces[1].size()), 600));
  CHECK(traces[0].size() > 100'000);
  REQUIRE((left == traces[0].end() && right == traces[1].end()));
}

TEST_CASE("unsynced blocks that survive out of order are no damage", "[!mayfail]") {
  const auto first_seed = std::uint64_t{Catch::getSeed()};
  for (auto seed = first_seed; seed < first_seed + 3; ++seed) {
    INFO("--rng-seed " << seed);
    store_run{
        {.seed = seed, .commits = 300, .one_in_crashes = 10, .loss = power_loss::chance, .max_events = 60}}
        .run();
  }
}

TEST_CASE("faults of the background work and of commits: what was acknowledged is there") {
  const auto error = GENERATE(disk_error::no_space, disk_error::quota, disk_error::io);
  const auto fault =
      GENERATE(disk_fault{.operation = disk_operation::append, .kind = file_kind::log, .after = 50},
               disk_fault{.operation = disk_operation::sync, .kind = file_kind::log, .after = 50},
               disk_fault{.operation = disk_operation::create, .kind = file_kind::log},
               disk_fault{.operation = disk_operation::create, .user = disk_user::flush},
               disk_fault{.operation = disk_operation::append, .user = disk_user::flush, .after = 10},
               disk_fault{.operation = disk_operation::sync, .user = disk_user::flush, .after = 5},
               disk_fault{.operation = disk_operation::sync_folder, .after = 5},
               disk_fault{.operation = disk_operation::append, .user = disk_user::compaction, .after = 5},
               disk_fault{.operation = disk_operation::append, .kind = file_kind::manifest, .after = 3},
               disk_fault{.operation = disk_operation::sync, .kind = file_kind::manifest, .after = 3},
               disk_fault{.operation = disk_operation::remove, .after = 3});
  auto order = fault;
  order.error = error;
  CAPTURE(static_cast<int>(error), static_cast<int>(fault.operation), fault.kind.has_value(),
          fault.user.has_value());
  auto run = store_run{{.seed = Catch::getSeed(), .commits = 200, .one_in_crashes = 60, .fault = order}};
  run.run();
}
