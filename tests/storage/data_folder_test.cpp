#include "storage/data_folder.hpp"

#include "store_fixture.hpp"
#include "system_faults.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace vicket;
using namespace vicket::test;

namespace {

std::unique_ptr<data_folder> open_folder(const std::filesystem::path& path, std::uint32_t partitions) {
  auto result = data_folder::open(path, partitions);
  if (auto* status = std::get_if<store_status>(&result))
    FAIL("the folder was refused: " << status->detail);
  return std::get<std::unique_ptr<data_folder>>(std::move(result));
}

store_status refusal(const std::filesystem::path& path, std::uint32_t partitions = 2) {
  auto result = data_folder::open(path, partitions);
  REQUIRE(std::holds_alternative<store_status>(result));
  auto status = std::get<store_status>(result);
  INFO(status.detail);
  CHECK(status.detail.find(path.string()) != std::string::npos);
  CHECK(status.detail.find('\n') == std::string::npos);
  return status;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream{path} << text;
}

std::string read(const std::filesystem::path& path) {
  auto file = std::ifstream{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace

TEST_CASE("a data folder is created if missing, and keeps its number of partitions") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "new" / "data";
  {
    const auto folder = open_folder(path, 2);
    CHECK(folder->partitions() == 2);
    CHECK(folder->partition_path(1) == path / "partition-1");
    CHECK(folder->settings_path() == path / "settings");
    CHECK(std::filesystem::is_directory(path / "settings"));
    CHECK(read(path / "VICKET") == "vicket-data-folder\nformat 3\npartitions 2\n");
    CHECK(read(path / "LOCK") == std::to_string(::getpid()) + "\n");
    struct ::stat found = {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0077) == 0); // secrets lie in it
  }
  CHECK(open_folder(path, 4)->partitions() == 2);
}

TEST_CASE("a data folder is locked while in use") {
  const auto scratch = scratch_folder{};
  auto first = open_folder(scratch.path() / "d", 1);
  const auto status = refusal(scratch.path() / "d");
  CHECK(status.code == store_errc::locked);
  CHECK(status.detail.find("in use by process " + std::to_string(::getpid())) != std::string::npos);
  first.reset();
  CHECK(open_folder(scratch.path() / "d", 1));
}

TEST_CASE("a newer format is refused with a clear line") {
  const auto scratch = scratch_folder{};
  open_folder(scratch.path() / "d", 1).reset();
  write(scratch.path() / "d" / "VICKET", "vicket-data-folder\nformat 4\nsomething new\n");
  const auto status = refusal(scratch.path() / "d");
  CHECK(status.code == store_errc::foreign);
  CHECK(status.detail.find("has format 4, newer than this program's 3: use a newer vicketd") !=
        std::string::npos);
}

TEST_CASE("a folder that is not ours is refused and left as it is") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  std::filesystem::create_directory(path);
  SECTION("something else lies in it") {
    write(path / "notes.txt", "mine");
    CHECK(refusal(path).code == store_errc::foreign);
    CHECK(std::distance(std::filesystem::directory_iterator{path}, {}) == 1);
  }
  SECTION("a file VICKET of something else") {
    write(path / "VICKET", "hello");
    CHECK(refusal(path).code == store_errc::foreign);
    CHECK(read(path / "VICKET") == "hello");
  }
  SECTION("partitions, but no VICKET any more") {
    std::filesystem::create_directory(path / "partition-0");
    write(path / "partition-0" / "CURRENT", "x");
    CHECK(refusal(path).code == store_errc::foreign);
  }
  SECTION("it is a file") {
    std::filesystem::remove(path);
    write(path, "file");
    CHECK(refusal(path).code == store_errc::foreign);
  }
  SECTION("below a file") {
    write(path / "file", "file");
    CHECK(refusal(path / "file" / "d").code == store_errc::failed);
  }
}

TEST_CASE("a damaged folder of ours is refused") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  open_folder(path, 3).reset();
  SECTION("a partition is gone: it must not come back empty") {
    std::filesystem::remove(path / "partition-1");
    const auto status = refusal(path);
    CHECK(status.code == store_errc::corrupt);
    CHECK(status.detail.find("partition-1") != std::string::npos);
  }
  SECTION("its settings are gone: they must not come back empty") {
    std::filesystem::remove(path / "settings");
    const auto status = refusal(path);
    CHECK(status.code == store_errc::corrupt);
    CHECK(status.detail.find("settings") != std::string::npos);
  }
  SECTION("its number of partitions is out of range") {
    write(path / "VICKET", "vicket-data-folder\nformat 1\npartitions 257\n");
    CHECK(refusal(path).code == store_errc::corrupt);
  }
  SECTION("the marker was cut off") {
    write(path / "VICKET", "vicket-data-folder\nformat 1\n");
    CHECK(refusal(path).code == store_errc::corrupt);
  }
}

TEST_CASE("a creation that was cut off is completed by the next start") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  std::filesystem::create_directories(path / "partition-0");
  write(path / "LOCK", "1\n");
  write(path / "VICKET.new", "vicket-da");
  CHECK(open_folder(path, 2)->partitions() == 2);
  CHECK(std::filesystem::is_directory(path / "partition-1"));
}

TEST_CASE("the number of partitions is 1 to 256") {
  const auto scratch = scratch_folder{};
  CHECK(refusal(scratch.path() / "d", 0).code == store_errc::failed);
  CHECK(refusal(scratch.path() / "d", 257).code == store_errc::failed);
}

TEST_CASE("a data folder that finds no room says what to do, and a failed sync is not taken for that") {
  using call = system_fault::call;
  const auto error = GENERATE(ENOSPC, EDQUOT);
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "data";
  {
    const auto full = system_fault{call::write, error, scratch.path().string()};
    const auto status = refusal(path);
    CHECK(status.code == store_errc::full);
    CHECK(status.detail.find("free some space, then start again") != std::string::npos);
  }
  {
    const auto failing = system_fault{call::sync, error, scratch.path().string()};
    CHECK(refusal(path).code == store_errc::failed);
  }
  CHECK(open_folder(path, 2)->partitions() == 2);
}

TEST_CASE("a folder of a format without settings gets them, once, and keeps all that it says") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "d";
  std::filesystem::create_directories(path / "partition-0");
  write(path / "VICKET", "vicket-data-folder\nformat 2\npartitions 1\nsecret-key 0123456789abcdef\n"
                         "cluster 0191c0de-0000-4000-8000-000000000000 node-a\n");
  const bool was_cut_off = GENERATE(false, true);
  if (was_cut_off)
    std::filesystem::create_directory(path / "settings");
  {
    const auto folder = open_folder(path, 1);
    CHECK_FALSE(folder->settings_path());
    REQUIRE(folder->take_key("0123456789abcdef").ok()); // as a change of the key does
    CHECK_FALSE(folder->settings_path());
    REQUIRE(folder->add_settings().ok());
    CHECK(folder->settings_path() == path / "settings");
    REQUIRE(folder->add_settings().ok());
  }
  CHECK(read(path / "VICKET") == "vicket-data-folder\nformat 3\npartitions 1\nsecret-key 0123456789abcdef\n"
                                 "cluster 0191c0de-0000-4000-8000-000000000000 node-a\n");
  CHECK(open_folder(path, 1)->settings_path() == path / "settings");
  std::filesystem::remove(path / "settings");
  CHECK(refusal(path).code == store_errc::corrupt);
}

TEST_CASE("a folder that has joined a cluster says which, and goes on doing so with a key") {
  const auto scratch = scratch_folder{};
  const auto path = scratch.path() / "data";
  {
    const auto folder = open_folder(path, 3);
    CHECK(!folder->cluster());
    REQUIRE(folder->join({"0191c0de-0000-4000-8000-000000000000", "node-a"}).ok());
    REQUIRE(folder->take_key("0123456789abcdef").ok());
  }
  const auto folder = open_folder(path, 3);
  REQUIRE(folder->cluster());
  CHECK(folder->cluster()->uuid == "0191c0de-0000-4000-8000-000000000000");
  CHECK(folder->cluster()->node == "node-a");
  CHECK(folder->key_fingerprint() == "0123456789abcdef");
  CHECK(folder->partitions() == 3);
}
