// Rule 5: a damaged log is reported and refused, never silently cut off; one that a crash left incomplete is
// no damage.

#include "storage/log_scan.hpp"

#include "storage/store_files.hpp"
#include "storage/testing/sim_disk.hpp"
#include "store_fixture.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

using namespace vicket;
using namespace vicket::test;
using namespace std::string_literals;

namespace {

std::string read_all(const std::filesystem::path& path) {
  auto file = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_all(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

/// Names and sizes of a folder's files.
std::map<std::string, std::uintmax_t> listing(const std::filesystem::path& folder) {
  auto result = std::map<std::string, std::uintmax_t>{};
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    auto gone = std::error_code{};
    const auto size = entry.file_size(gone);
    result.emplace(entry.path().filename(), gone ? 0 : size);
  }
  return result;
}

/// Copies the folder of a running store as it is at one moment: again while RocksDB's threads change it.
void copy_of_a_moment(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (auto tries = 0; tries < 1'000; ++tries) {
    std::filesystem::remove_all(to);
    const auto before = listing(from);
    auto failed = std::error_code{};
    std::filesystem::copy(from, to, failed); // a file may be deleted between its listing and its copy
    if (!failed && listing(from) == before && listing(to) == before)
      return;
  }
  FAIL(from << " never stands still");
}

/// A store's folder right after its process was killed: copied while it runs, so its log is not yet flushed.
struct killed_store {
  explicit killed_store(std::size_t envelope_bytes, int events = 20) {
    auto store = open_store(small_options(nullptr, folder.path() / "running"));
    for (auto i = 0; i < events; ++i)
      sequences.push_back(accept(*store, true, {.envelope_bytes = envelope_bytes}));
    copy_of_a_moment(folder.path() / "running", path());
    for (const auto& entry : std::filesystem::directory_iterator{path()})
      if (entry.path().extension() == ".log" && entry.file_size() > 0 && entry.path() > log)
        log = entry.path();
    original = read_all(log);
  }

  [[nodiscard]] std::filesystem::path path() const { return folder.path() / "killed"; }
  [[nodiscard]] store_options options() const {
    auto result = small_options(nullptr, path());
    return result;
  }

  scratch_folder folder;
  std::vector<log_sequence> sequences;
  std::filesystem::path log;
  std::string original;
};

/// Writes a log as RocksDB does (db/log_writer.cc).
struct written_log {
  std::string bytes;
  std::vector<std::size_t> ends; ///< of its records

  void add(std::size_t payload_bytes, std::mt19937_64& random) {
    auto payload = std::string{};
    while (payload.size() < payload_bytes)
      payload.push_back(static_cast<char>('a' + random() % 26));
    add(payload);
  }

  void add(std::string_view payload) {
    auto left = std::string_view{payload};
    for (auto begins = true; begins || !left.empty(); begins = false) {
      const auto room = log_scan::block_bytes - bytes.size() % log_scan::block_bytes;
      if (room < 7)
        bytes.append(room, '\0');
      const auto fits = log_scan::block_bytes - bytes.size() % log_scan::block_bytes - 7;
      const auto piece = left.substr(0, fits);
      left.remove_prefix(piece.size());
      add_fragment(begins ? (left.empty() ? '\1' : '\2') : (left.empty() ? '\4' : '\3'), piece);
    }
    ends.push_back(bytes.size());
  }

  void add_fragment(char type, std::string_view payload) {
    const auto crc = crc32c(type + std::string{payload});
    const auto masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    for (auto i = 0; i < 4; ++i)
      bytes.push_back(static_cast<char>(masked >> (8 * i)));
    bytes.push_back(static_cast<char>(payload.size()));
    bytes.push_back(static_cast<char>(payload.size() >> 8));
    bytes.push_back(type);
    bytes += payload;
  }

  void zero(std::size_t from, std::size_t to) {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from),
              bytes.begin() + static_cast<std::ptrdiff_t>(to), '\0');
  }
};

log_scan scan(std::string_view bytes, std::size_t least_record_bytes = log_scan::batch_header_bytes) {
  auto result = log_scan{least_record_bytes};
  for (auto at = std::size_t{0}; at < bytes.size(); at += log_scan::block_bytes)
    result.add_block(bytes.substr(at, log_scan::block_bytes));
  return result;
}

} // namespace

TEST_CASE("what damage means follows from what is behind it") {
  using state = log_scan::state;
  constexpr auto block = log_scan::block_bytes;
  auto random = std::mt19937_64{1};
  // given a small record, one over four blocks, and a small one; and a log that ends with the large one
  auto log = written_log{};
  log.add(1'000, random);
  log.add(3 * block + 10'000, random);
  auto ends_large = log;
  log.add(1'000, random);
  const auto large = log.ends[0];
  const auto last = log.ends[1];

  SECTION("whole") {
    CHECK(scan({}).result() == state::whole);
    CHECK(scan(log.bytes).result() == state::whole);
    CHECK(scan(log.bytes).whole_bytes() == log.bytes.size());
    CHECK(scan(log.bytes).has_commits());
  }
  SECTION("an empty batch, with which RocksDB begins a log, is no commit") {
    auto begun = written_log{};
    begun.add(12, random);
    CHECK(scan(begun.bytes).result() == state::whole);
    CHECK(!scan(begun.bytes).has_commits());
  }
  SECTION("damage before another record: that one was appended after the sync of this") {
    const auto at = GENERATE(0u, 3u, 4u, 5u, 6u, 7u, 900u); // checksum, length, type, payload of the first
    log.bytes[at] ^= 0x10;
    CHECK(scan(log.bytes).result() == state::damaged);
    CHECK(scan(log.bytes).damage_at() == 0);
  }
  SECTION("damage in any fragment of a large record, and zeros as well, with a record behind") {
    const auto fragment = GENERATE(0u, 1u, 2u, 3u);
    const auto begins = fragment == 0 ? large : fragment * block;
    auto zeroed = log;
    zeroed.zero(begins, begins + 5'000);
    CHECK(scan(zeroed.bytes).result() == state::damaged);
    CHECK(scan(zeroed.bytes).damage_at() == begins);
    log.bytes[begins + 100] ^= 1;
    CHECK(scan(log.bytes).result() == state::damaged);
    CHECK(scan(log.bytes).damage_at() == begins);
  }
  SECTION("zeros in the last record, with its own later fragments intact: it was never acknowledged") {
    const auto fragment = GENERATE(0u, 1u, 2u, 3u);
    const auto begins = fragment == 0 ? large : fragment * block;
    ends_large.zero(begins, begins + 4'096 - begins % 4'096);
    CHECK(scan(ends_large.bytes).result() == state::unsynced_end);
    CHECK(scan(ends_large.bytes).whole_bytes() == large);
  }
  SECTION("zeros in the payload of the last record: complete in length, with a wrong checksum") {
    ends_large.zero(2 * block + 4'096, 2 * block + 8'192);
    CHECK(scan(ends_large.bytes).result() == state::unsynced_end);
    CHECK(scan(ends_large.bytes).whole_bytes() == large);
  }
  SECTION("a last record that is damaged otherwise may have been acknowledged") {
    const auto fragment = GENERATE(1u, 2u, 3u);
    ends_large.bytes[fragment * block + 100] ^= 1;
    CHECK(scan(ends_large.bytes).result() == state::damaged_last);
    log.bytes[last + 100] ^= 1;
    CHECK(scan(log.bytes).result() == state::damaged_last);
    CHECK(scan(log.bytes).damage_at() == last);
  }
  SECTION("an end that is cut off, anywhere in the last record") {
    for (auto size = large + 1; size < ends_large.bytes.size(); size += 61) {
      const auto cut = scan(std::string_view{ends_large.bytes}.substr(0, size));
      REQUIRE(cut.result() == state::unsynced_end);
      REQUIRE(cut.whole_bytes() == large);
    }
  }
  SECTION("a length without bytes: only the file's size reached the disk") {
    const auto zeros = GENERATE(1u, 6u, 7u, 5'000u, 100'000u);
    const auto result = scan(log.bytes + std::string(zeros, '\0'));
    CHECK(result.result() == state::unsynced_end);
    CHECK(result.whole_bytes() == log.bytes.size());
  }
  SECTION("fragments that go on with no record, and records in the middle of one") {
    auto headless = written_log{};
    headless.add_fragment('\4', std::string(100, 'x'));
    CHECK(scan(headless.bytes).result() == state::damaged_last);
    auto interrupted = written_log{};
    interrupted.add_fragment('\2', std::string(block - 7, 'x'));
    interrupted.add_fragment('\1', std::string(100, 'x'));
    CHECK(scan(interrupted.bytes).result() == state::damaged);
  }
}

TEST_CASE("whichever pages of the last record are missing, all before it is whole") {
  auto random = std::mt19937_64{Catch::getSeed()};
  INFO("--rng-seed " << Catch::getSeed());
  for (auto round = 0; round < 500; ++round) {
    auto log = written_log{};
    for (auto count = random() % 8; count > 0; --count)
      log.add(12 + random() % (random() % 3 == 0 ? 100'000 : 2'000), random);
    const auto synced = log.bytes.size();
    log.add(12 + random() % 100'000, random);
    auto lost = false;
    for (auto at = synced; at < log.bytes.size(); at = (at / 4'096 + 1) * 4'096)
      if (random() % 2 == 0) {
        log.zero(at, std::min((at / 4'096 + 1) * 4'096, log.bytes.size()));
        lost = true;
      }
    const auto result = scan(log.bytes);
    // (What is left of a block behind the last record is no part of it, and its zeros are no loss.)
    const auto is_whole = result.result() == log_scan::state::whole;
    REQUIRE((lost || is_whole));
    REQUIRE((is_whole || result.result() == log_scan::state::unsynced_end));
    REQUIRE(result.whole_bytes() >= (log.ends.size() > 1 ? log.ends[log.ends.size() - 2] : 0));
    REQUIRE(result.whole_bytes() == (is_whole              ? log.bytes.size()
                                     : log.ends.size() > 1 ? log.ends[log.ends.size() - 2]
                                                           : 0));
  }
}

TEST_CASE("a commit of which some pages are missing is cut off, with a line that says so") {
  auto killed = killed_store{60'000, 2};
  auto bytes = killed.original;
  const auto page = bytes.size() - bytes.size() % 4'096 - 3 * 4'096;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), 4'096, '\0');
  write_all(killed.log, bytes);
  auto lines = std::vector<std::string>{};
  auto options = killed.options();
  options.log_warning = [&](const std::string& line) { lines.push_back(line); };
  {
    const auto store = open_store(options);
    CHECK(all_waiting(*store, "crm-prod").size() == killed.sequences.size() - 1);
  }
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(killed.log.string()) != std::string::npos);
  open_store(options).reset();
  CHECK(lines.size() == 1);
}

TEST_CASE(
    "a log that ends too early is damage when a newer one has commits: it was synced before that was begun") {
  auto killed = killed_store{1'000, 700}; // enough to begin new logs
  auto logs = std::vector<std::filesystem::path>{};
  for (const auto& entry : std::filesystem::directory_iterator{killed.path()})
    if (entry.path().extension() == ".log" && entry.file_size() > 100)
      logs.push_back(entry.path());
  REQUIRE(logs.size() > 1);
  std::sort(logs.begin(), logs.end());
  const auto older = logs[logs.size() - 2];
  std::filesystem::resize_file(older, std::filesystem::file_size(older) - 100);
  const auto status = open_refused(killed.options());
  CHECK(status.code == store_errc::corrupt);
  CHECK(status.detail.find(older.string()) != std::string::npos);
  CHECK(status.detail.find("restore it from a backup") != std::string::npos);
  CHECK(status.detail.find("start empty") == std::string::npos);
}

TEST_CASE("CRC-32C is the one of RFC 3720") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("a byte flipped anywhere in the middle of a log is refused, with a line that names the file") {
  // Small and large envelopes: records within one 32 KiB block, and spread over several.
  const auto envelope_bytes = GENERATE(std::size_t{100}, std::size_t{50'000});
  auto killed = killed_store{envelope_bytes};
  auto random = std::mt19937_64{Catch::getSeed()};
  // Everything but the last record: its damage could be the crash's own (see below).
  const auto middle = killed.original.size() - envelope_bytes - 1'000;
  for (auto i = 0; i < 200; ++i) {
    const auto at =
        i < 60 ? static_cast<std::size_t>(i) : random() % middle; // the first ones hit a header for sure
    INFO("--rng-seed " << Catch::getSeed() << ", byte " << at << " of " << killed.original.size());
    auto bytes = killed.original;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    write_all(killed.log, bytes);
    const auto status = open_refused(killed.options());
    REQUIRE(status.code == store_errc::corrupt);
    REQUIRE(status.detail.find(killed.log.string()) != std::string::npos);
    REQUIRE(read_all(killed.log) == bytes); // and it stays as it is, for whoever repairs it
  }
  write_all(killed.log, killed.original);
  CHECK(all_waiting(*open_store(killed.options()), "crm-prod").size() == killed.sequences.size());
}

TEST_CASE("a log that ends in the middle of a record is what a crash leaves: all before it is recovered") {
  const auto cut = GENERATE(1u, 7u, 100u, 150u);
  auto killed = killed_store{100};
  std::filesystem::resize_file(killed.log, killed.original.size() - cut);
  const auto store = open_store(killed.options());
  const auto waiting = all_waiting(*store, "crm-prod");
  REQUIRE(waiting.size() == killed.sequences.size() - 1);
  CHECK(waiting.back().position.sequence == killed.sequences[killed.sequences.size() - 2]);
}

TEST_CASE("a log cut off at any length opens with a prefix of what was written") {
  auto killed = killed_store{300, 8};
  for (auto size = std::size_t{0}; size < killed.original.size(); size += 97) {
    const auto result = scan(std::string_view{killed.original}.substr(0, size)).result();
    REQUIRE((result == log_scan::state::whole || result == log_scan::state::unsynced_end));
  }
}

TEST_CASE("a damaged last record is refused too: it may have been acknowledged") {
  auto killed = killed_store{100};
  auto bytes = killed.original;
  bytes[bytes.size() - 20] ^= 1;
  write_all(killed.log, bytes);
  CHECK(open_refused(killed.options()).code == store_errc::corrupt);
}

// -- the manifest -------------------------------------------------------------------------------------------

namespace {

/// A killed store whose manifest has edits behind what it began with: memtables were flushed.
struct killed_manifest {
  killed_manifest() {
    auto name = read_all(store.path() / "CURRENT");
    name.pop_back();
    path = store.path() / name;
    original = read_all(path);
    auto whole = log_scan{log_scan::least_edit_bytes};
    whole.add_block(original);
    REQUIRE(whole.result() == log_scan::state::whole);
  }

  void expect_everything(const store_options& options) const {
    CHECK(all_waiting(*open_store(options), "crm-prod").size() == store.sequences.size());
  }

  killed_store store{1'000, 700};
  std::filesystem::path path;
  std::string original;
};

/// Where the record that a manifest ends with begins.
std::size_t last_record(const std::string& bytes) {
  for (auto size = bytes.size() - 1; size > 0; --size)
    if (const auto result = scan(std::string_view{bytes}.substr(0, size), log_scan::least_edit_bytes);
        result.result() == log_scan::state::unsynced_end)
      return result.whole_bytes();
  FAIL("no record");
  return 0;
}

/// An edit of one tag that RocksDB leaves out when it does not know it (db/version_edit.h, kTagSafeIgnoreMask).
std::string edit_of(std::size_t bytes) {
  constexpr auto tag = std::uint32_t{(1u << 13) | 77};
  auto result = std::string{static_cast<char>((tag & 0x7f) | 0x80), static_cast<char>(tag >> 7)};
  result.push_back(static_cast<char>((bytes & 0x7f) | 0x80));
  result.push_back(static_cast<char>(bytes >> 7));
  return result + std::string(bytes, 'x');
}

} // namespace

TEST_CASE("an edit of the manifest of which some blocks are missing is cut off, with a line that says so") {
  const auto killed = killed_manifest{};
  // given an edit over three pages and more, and what power that was lost before its sync may leave of it
  auto random = std::mt19937_64{Catch::getSeed()};
  INFO("--rng-seed " << Catch::getSeed());
  auto longer = written_log{killed.original, {}};
  longer.add(edit_of(10'000));
  for (auto missing = 1; missing < 8; ++missing) {
    auto found = longer;
    auto page = killed.original.size();
    for (auto bit = 0; page < found.bytes.size(); ++bit) {
      const auto end = std::min((page / 4'096 + 1) * 4'096, found.bytes.size());
      if ((missing >> std::min(bit, 2) & 1) != 0)
        found.zero(page, end);
      page = end;
    }
    if (random() % 2 == 0)
      found.bytes.resize(killed.original.size() + 1 + random() % 10'000);
    INFO("missing " << missing << ", " << found.bytes.size() << " bytes");
    write_all(killed.path, found.bytes);
    auto lines = std::vector<std::string>{};
    {
      auto options = killed.store.options();
      options.log_warning = [&](const std::string& line) { lines.push_back(line); };
      const auto scratch = scratch_folder{};
      std::filesystem::copy(killed.store.path(), scratch.path() / "copy");
      options.folder = scratch.path() / "copy";
      killed.expect_everything(options);
    }
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find(killed.path.filename().string()) != std::string::npos);
  }
  // and whole it is kept
  write_all(killed.path, longer.bytes);
  killed.expect_everything(killed.store.options());
}

TEST_CASE("a bit flipped in a synced edit of the manifest is refused, with a line that names the file") {
  const auto killed = killed_manifest{};
  const auto last = last_record(killed.original);
  REQUIRE(last > 500);
  auto random = std::mt19937_64{Catch::getSeed()};
  for (auto i = 0; i < 60; ++i) {
    const auto at = i < 7 ? static_cast<std::size_t>(i) : random() % last;
    INFO("--rng-seed " << Catch::getSeed() << ", byte " << at << " of " << killed.original.size());
    auto bytes = killed.original;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    write_all(killed.path, bytes);
    const auto status = open_refused(killed.store.options());
    REQUIRE(status.code == store_errc::corrupt);
    REQUIRE(status.detail.find(killed.path.string()) != std::string::npos);
    REQUIRE(read_all(killed.path) == bytes);
  }
  SECTION("in the last one as well: it may have been synced") {
    auto bytes = killed.original;
    bytes[last + 8] ^= 1;
    write_all(killed.path, bytes);
    CHECK(open_refused(killed.store.options()).code == store_errc::corrupt);
  }
  SECTION("a length in the last block, at which RocksDB alone would drop what is behind it") {
    auto bytes = killed.original;
    bytes[last_record(bytes.substr(0, last)) + 5] ^= 0x40;
    write_all(killed.path, bytes);
    const auto status = open_refused(killed.store.options());
    CHECK(status.code == store_errc::corrupt);
    CHECK(status.detail.find("intact records behind") != std::string::npos);
  }
  SECTION("a manifest without its beginning, or with nothing") {
    const auto size = GENERATE(0u, 5u, 20u);
    write_all(killed.path, killed.original.substr(0, size));
    CHECK(open_refused(killed.store.options()).code == store_errc::corrupt);
    CHECK(read_all(killed.path).size() == size);
  }
  write_all(killed.path, killed.original);
  killed.expect_everything(killed.store.options());
}

TEST_CASE("of edits that are written under one sync, a power loss leaves never more than the last in doubt") {
  // given a file with its beginning synced, to which several records are appended before the next sync
  const auto found_after = [](const std::string& name, std::uint64_t seed) {
    auto disk = sim_disk{1};
    REQUIRE(disk.env().CreateDirIfMissing("/p").ok());
    const auto files = make_store_files(disk.env());
    auto random = std::mt19937_64{seed};
    {
      auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
      REQUIRE(files->GetFileSystem()->NewWritableFile("/p/" + name, {}, &file, nullptr).ok());
      auto log = written_log{};
      auto written = std::size_t{0};
      const auto append = [&](std::size_t bytes) {
        log.add(bytes, random);
        const auto status = file->Append(log.bytes.substr(written), rocksdb::IOOptions{}, nullptr);
        written = log.bytes.size();
        return status.ok();
      };
      REQUIRE((append(3'000) && append(6'000)));
      REQUIRE(file->Sync(rocksdb::IOOptions{}, nullptr).ok());
      auto folder = std::unique_ptr<rocksdb::FSDirectory>{};
      REQUIRE(files->GetFileSystem()->NewDirectory("/p", rocksdb::IOOptions{}, &folder, nullptr).ok());
      REQUIRE(folder->Fsync(rocksdb::IOOptions{}, nullptr).ok());
      disk.fail({.operation = disk_operation::sync, .after = random() % 4, .count = disk_fault::always});
      for (auto i = 0; i < 4 && append(200 + random() % 9'000);)
        ++i;
    }
    disk.crash();
    disk.restart(seed, power_loss::reordered);
    return scan(disk.read_file("/p/" + name), log_scan::least_edit_bytes).result();
  };
  auto damaged_logs = 0;
  for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
    INFO("seed " << seed);
    const auto manifest = found_after("MANIFEST-000007", seed);
    REQUIRE((manifest == log_scan::state::whole || manifest == log_scan::state::unsynced_end));
    damaged_logs += found_after("000007.log", seed) == log_scan::state::damaged ? 1 : 0;
  }
  CHECK(damaged_logs > 20); // which is what one sync for all of them leaves
}

TEST_CASE("a manifest's own syncs are not done twice") {
  auto disk = sim_disk{1};
  REQUIRE(disk.env().CreateDirIfMissing("/p").ok());
  const auto files = make_store_files(disk.env());
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  REQUIRE(files->GetFileSystem()->NewWritableFile("/p/MANIFEST-000007", {}, &file, nullptr).ok());
  const auto append = [&] { return file->Append("edit", rocksdb::IOOptions{}, nullptr); };
  const auto sync = [&] { return file->Sync(rocksdb::IOOptions{}, nullptr); };
  const auto syncs = [&] { return disk.asked(disk_operation::sync); };
  REQUIRE((append().ok() && append().ok()));
  CHECK(syncs() == 0); // CURRENT does not name it yet
  REQUIRE(sync().ok());
  CHECK(syncs() == 2); // and its length
  REQUIRE(append().ok());
  CHECK(syncs() == 4);
  REQUIRE(sync().ok());
  CHECK(syncs() == 4);
  disk.fail({.operation = disk_operation::sync});
  CHECK(!append().ok());
  REQUIRE(sync().ok());
  CHECK(syncs() == 7);
  file.reset();
}

// -- lengths that are known -----------------------------------------------------------------------------------

namespace {

/// A store's folder after it was closed in order, with `events` in two runs.
struct closed_store {
  closed_store() {
    for (auto run = 0; run < 2; ++run) {
      auto store = open_store(options());
      for (auto i = 0; i < 40; ++i)
        sequences.push_back(accept(*store, true, {.envelope_bytes = 300}));
    }
    for (const auto& entry : std::filesystem::directory_iterator{options().folder}) {
      const auto name = entry.path().filename().string();
      if (name.starts_with("MANIFEST-") && entry.path() > manifest)
        manifest = entry.path();
      if (name.ends_with(".log") && entry.path() > log)
        log = entry.path();
    }
  }

  [[nodiscard]] store_options options() const { return small_options(nullptr, folder.path() / "closed"); }

  scratch_folder folder;
  std::vector<log_sequence> sequences;
  std::filesystem::path manifest, log;
};

} // namespace

TEST_CASE(
    "after a store was closed in order a file that was cut at any byte is refused, and nothing is removed") {
  const auto closed = closed_store{};
  const auto is_manifest = GENERATE(true, false);
  const auto path = is_manifest ? closed.manifest : closed.log;
  const auto original = read_all(path);
  REQUIRE(original.size() > 500);
  const auto count = [&] {
    return std::distance(std::filesystem::directory_iterator{closed.options().folder}, {});
  };
  const auto files = count();
  const auto step = original.size() / 100 + 1;
  for (auto size = std::size_t{0}; size < original.size(); size += step) {
    INFO("cut to " << size << " of " << original.size());
    write_all(path, original.substr(0, size));
    const auto status = open_refused(closed.options());
    REQUIRE(status.code == store_errc::corrupt);
    REQUIRE(status.detail.find(path.filename().string()) != std::string::npos);
    REQUIRE(count() == files);
  }
  std::filesystem::remove(path);
  CHECK(open_refused(closed.options()).code == store_errc::corrupt);
  write_all(path, original);
  CHECK(all_waiting(*open_store(closed.options()), "crm-prod").size() == closed.sequences.size());
}

TEST_CASE("what is known of lengths is only ever too little: without it, damaged or of other files, a store "
          "opens") {
  const auto closed = closed_store{};
  const auto path = closed.options().folder / "SYNCED";
  const auto known = read_all(path);
  REQUIRE(known.find(closed.manifest.filename().string() + " ") != std::string::npos);
  REQUIRE(known.find(closed.log.filename().string() + " ") != std::string::npos);
  SECTION("it is gone") {
    std::filesystem::remove(path);
  }
  SECTION("it is empty") {
    write_all(path, "");
  }
  SECTION("it is cut") {
    write_all(path, known.substr(0, known.size() - 3));
  }
  SECTION("it is damaged") {
    auto bytes = known;
    bytes[12] ^= 1;
    write_all(path, bytes);
  }
  SECTION("it names a manifest that CURRENT does not") {
    const auto text = "MANIFEST-999999 5000\n"s;
    write_all(path, text + "crc32c " + std::to_string(crc32c(text)) + "\n");
  }
  CHECK(all_waiting(*open_store(closed.options()), "crm-prod").size() == closed.sequences.size());
}

TEST_CASE("a manifest that was cut while a store ran, or after it was killed, is refused too") {
  const auto killed = killed_manifest{};
  const auto size = last_record(killed.original); // a synced edit is gone, at its very beginning
  write_all(killed.path, killed.original.substr(0, size));
  const auto status = open_refused(killed.store.options());
  CHECK(status.code == store_errc::corrupt);
  CHECK(status.detail.find("of " + std::to_string(killed.original.size()) + " that were synced") !=
        std::string::npos);
  write_all(killed.path, killed.original);
  killed.expect_everything(killed.store.options());
}
