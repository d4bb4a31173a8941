// Rule 5: a damaged log is reported and refused, never silently cut off; one that a crash left incomplete is
// no damage.

#include "storage/log_scan.hpp"

#include "store_fixture.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

using namespace vicket;
using namespace vicket::test;

namespace {

std::string read_all(const std::filesystem::path& path) {
  auto file = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_all(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

/// A store's folder right after its process was killed: copied while it runs, so its log is not yet flushed.
struct killed_store {
  explicit killed_store(std::size_t envelope_bytes, int events = 20) {
    auto store = open_store(small_options(nullptr, folder.path() / "running"));
    for (auto i = 0; i < events; ++i)
      sequences.push_back(accept(*store, true, {.envelope_bytes = envelope_bytes}));
    std::filesystem::copy(folder.path() / "running", path());
    for (const auto& entry : std::filesystem::directory_iterator{path()})
      if (entry.path().extension() == ".log" && entry.file_size() > 0)
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

} // namespace

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
    auto scan = log_scan{};
    for (auto at = std::size_t{0}; at < size; at += log_scan::block_bytes)
      scan.add_block(
          std::string_view{killed.original}.substr(at, std::min(log_scan::block_bytes, size - at)));
    REQUIRE(!scan.damage());
  }
}

TEST_CASE("a damaged last record is refused too: it may have been acknowledged") {
  auto killed = killed_store{100};
  auto bytes = killed.original;
  bytes[bytes.size() - 20] ^= 1;
  write_all(killed.log, bytes);
  CHECK(open_refused(killed.options()).code == store_errc::corrupt);
}
