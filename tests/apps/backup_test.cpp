// Backups of a running node, and data folders that are made of them.

#include "tests/apps/node_process.hpp"

#include "policy/backup_manifest.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <variant>
#include <vector>

using namespace vicket::testing;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string id_of(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "5ba2ca11-0000-4000-8000-%012x", static_cast<unsigned>(number));
  return text;
}

constexpr int connectors = 4;

std::string events(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i)
    lines += R"({"connector":"c)" + std::to_string(i % connectors) +
             R"(","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{"n":)" +
             std::to_string(i) + R"(},"id":")" + id_of(i) + "\"}\n";
  return lines;
}

std::set<std::string> ids(int first, int count) {
  std::set<std::string> all;
  for (int i = first; i < first + count; ++i)
    all.insert(id_of(i));
  return all;
}

/// What the feed has, in its order.
struct feed {
  std::vector<std::string> ids; ///< of the attempts
  std::string cursor;           ///< behind the last one
  bool gap = false;             ///< at its beginning
};

feed feed_from(const node_process& node, const std::string& cursor = {}) {
  auto args = arguments{"outcomes", "--json"};
  if (!cursor.empty())
    args = args + arguments{"--from", cursor};
  const auto read = node.vicket(args);
  REQUIRE(read.code == 0);
  feed found;
  found.cursor = cursor;
  found.gap = !read.lines.empty() && has(read.lines.front(), R"("gap":true)");
  for (const auto& line : read.lines) {
    found.cursor = text_field(line, "cursor");
    if (!has(line, R"("gap":true)"))
      found.ids.push_back(text_field(line, "id"));
  }
  return found;
}

std::set<std::string> set_of(const feed& read) {
  return {read.ids.begin(), read.ids.end()};
}

/// Until each of these was delivered; it waits on the node, not on the clock.
void wait_for_deliveries(const node_process& node, std::set<std::string> missing) {
  process follow{node.vicket_arguments({"outcomes", "--follow", "--json"})};
  while (!missing.empty())
    missing.erase(text_field(follow.line_with(R"("outcome":"delivered")"), "id"));
}

void put_connectors(const node_process& node, const std::string& url) {
  for (int i = 0; i < connectors; ++i)
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("c" + std::to_string(i), url)).code == 0);
}

/// A data folder and a folder for backups, apart from each other.
struct places {
  temporary_folder scratch;
  std::string data = scratch.path() + "/data";
  std::string root = scratch.path() + "/backups";
  std::string restored = scratch.path() + "/restored";
  std::string key = data + "/secret.key";

  places() { fs::create_directory(root); }
  [[nodiscard]] std::string backup(const std::string& name) const { return root + "/" + name; }
  [[nodiscard]] finished_process restore(const std::string& from, const std::string& to,
                                         const std::string& key_file) const {
    return run_process({VICKETD_PATH, "--restore", from, "--data-dir", to, "--secret-key-file", key_file});
  }
};

vicket::backup_manifest manifest_of(const std::string& backup) {
  std::ifstream file{backup + "/BACKUP.json"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto read = vicket::backup_manifest_from_json(text);
  REQUIRE(std::holds_alternative<vicket::backup_manifest>(read));
  return std::get<vicket::backup_manifest>(read);
}

/// Half of the events before the backup, the others while it is made.
void back_up_under_load(int count) {
  const places at;
  const certificate_files files;
  const listen_process receiver{files};
  const auto flags = may_reach(files) + arguments{"--backup-root", at.root};
  auto node = std::make_unique<node_process>(at.data, flags);
  put_connectors(*node, receiver.url());
  const int half = count / 2;
  REQUIRE(node->vicket({"send", at.scratch.file("first", events(0, half))}).code == 0);
  const auto before = feed_from(*node);

  process sending{node->vicket_arguments({"send", at.scratch.file("second", events(half, half))})};
  int acknowledged = 0; // before the backup was asked for
  for (; acknowledged < half / 10; ++acknowledged)
    REQUIRE(has(sending.line().value_or(""), R"("duplicate":false)"));
  const auto made = node->vicket({"backup", at.backup("today"), "--json"});
  INFO(made.errors);
  REQUIRE(made.code == 0);
  CHECK(has(made.lines.at(0), R"("stores":3)"));
  // Until something was delivered that the backup can't have.
  REQUIRE(node->vicket({"send", "-"}, events(count, connectors)).code == 0);
  wait_for_deliveries(*node, ids(count, connectors));
  const auto after = feed_from(*node, before.cursor);
  node->kill();
  sending.wait();

  const auto restored = at.restore(at.backup("today"), at.restored, at.key);
  INFO(restored.errors);
  REQUIRE(restored.code == 0);
  node =
      std::make_unique<node_process>(at.restored, may_reach(files) + arguments{"--secret-key-file", at.key});
  auto must_be = ids(0, half + acknowledged);
  wait_for_deliveries(*node, must_be);
  const auto all = feed_from(*node);
  CHECK_FALSE(all.gap);
  const auto there = set_of(all);
  CHECK(std::includes(there.begin(), there.end(), must_be.begin(), must_be.end()));
  const auto sent = ids(0, count + connectors);
  CHECK(std::includes(sent.begin(), sent.end(), there.begin(),
                      there.end())); // none under an id that nobody sent
  const auto on = feed_from(*node, before.cursor);
  CHECK_FALSE(on.gap);
  auto together = before.ids;
  together.insert(together.end(), on.ids.begin(), on.ids.end());
  auto whole = feed_from(*node).ids;
  together.resize(std::min(together.size(), whole.size())); // more may be delivered while they are read
  whole.resize(together.size());
  std::sort(together.begin(), together.end());
  std::sort(whole.begin(), whole.end());
  CHECK(together == whole);
  CHECK(feed_from(*node, after.cursor).gap); // what was read beyond the backup is not there any more
  CHECK(node->stop() == 0);
}

} // namespace

TEST_CASE(
    "what was accepted before a backup is in the folder that is made of it, and cursors know where it ends",
    "[backup]") {
  back_up_under_load(6'000);
}

TEST_CASE("the same with 100,000 events", "[.backup-long]") {
  back_up_under_load(100'000);
}

TEST_CASE("a node makes backups only below the folder that it was given, and only in new ones", "[backup]") {
  const places at;
  {
    const node_process node{at.data};
    const auto refused = node.vicket({"backup", at.backup("today")});
    CHECK(refused.code == 1);
    CHECK(has(refused.errors, "--backup-root"));
  }
  fs::create_directories(at.data + "/backup.new/partition-0"); // as a crash leaves it
  node_process node{at.data, {"--backup-root", at.root + "/"}};
  CHECK_FALSE(fs::exists(at.data + "/backup.new"));
  const auto refuses = [&](const std::string& where, const std::string& why, int code = 1) {
    const auto answer = node.vicket({"backup", where});
    INFO(where << ": " << answer.errors);
    CHECK(answer.code == code);
    CHECK(has(answer.errors, why));
  };
  refuses("relative", "absolute", 2);
  for (const auto* elsewhere : {"/tmp/elsewhere", "/", ""})
    refuses(elsewhere, elsewhere == std::string{} ? "absolute" : "directly below " + at.root,
            elsewhere == std::string{} ? 2 : 1);
  refuses(at.root, "directly below");
  refuses(at.root + "/a/b", "directly below");
  refuses(at.root + "/../backups2", "directly below");
  refuses(at.root + "/..", "directly below");
  refuses(at.root + "/.hidden", "directly below");
  refuses(at.root + "/a b", "directly below");
  fs::create_directory(at.backup("full"));
  std::ofstream{at.backup("full") + "/something"} << "x";
  refuses(at.backup("full"), "forbidden: no backup was made: ");
  refuses(at.backup("full"), "is there already");
  fs::create_directory(at.scratch.path() + "/outside");
  fs::create_directory_symlink(at.scratch.path() + "/outside", at.backup("link"));
  refuses(at.backup("link"), "name one that is not there yet");
  CHECK(fs::is_empty(at.scratch.path() + "/outside"));

  const auto made = node.vicket({"backup", at.backup("good") + "/"});
  INFO(made.errors);
  CHECK(made.code == 0);
  CHECK((fs::status(at.backup("good")).permissions() & fs::perms::mask) == fs::perms::owner_all);
  CHECK_FALSE(fs::exists(at.data + "/backup.new"));
  refuses(at.backup("good"), "is there already");
  const auto is = manifest_of(at.backup("good"));
  CHECK(is.partitions == 2);
  CHECK(is.stores.size() == 3);
  CHECK_FALSE(is.cluster);
  std::ifstream key{at.key, std::ios::binary};
  const std::string secret{std::istreambuf_iterator<char>{key}, {}};
  for (const auto& entry : fs::recursive_directory_iterator{at.root})
    if (entry.is_regular_file()) {
      std::ifstream file{entry.path(), std::ios::binary};
      CHECK_FALSE(has({std::istreambuf_iterator<char>{file}, {}}, secret));
    }
  node.stop();

  const auto unusable =
      run_process({VICKETD_PATH, "--data-dir", at.data, "--backup-root", at.data + "/inside"});
  CHECK(unusable.code == 2);
  fs::create_directory(at.data + "/inside");
  CHECK(run_process({VICKETD_PATH, "--data-dir", at.data, "--backup-root", at.data + "/inside"}).code == 2);
  CHECK(run_process({VICKETD_PATH, "--data-dir", at.data, "--backup-root", "relative"}).code == 2);
}

TEST_CASE("nothing is restored of a backup that is damaged or not whole, nor over anything", "[backup]") {
  const places at;
  {
    node_process node{at.data, {"--backup-root", at.root}};
    put_connectors(node, "https://hooks.example.com/x");
    REQUIRE(node.vicket({"send", "-"}, events(0, 100)).code == 0);
    REQUIRE(node.vicket({"backup", at.backup("good")}).code == 0);
    node.stop();
  }
  const auto refuses = [&](const std::string& from, const std::string& to, const std::string& why) {
    const auto answer = at.restore(from, to, at.key);
    INFO(answer.errors);
    CHECK(answer.code == 1);
    CHECK(has(answer.errors, why));
    CHECK((to != at.restored || !fs::exists(to + "/VICKET")));
  };
  const auto copy = [&](const std::string& name) {
    fs::copy(at.backup("good"), at.backup(name), fs::copy_options::recursive);
    return at.backup(name);
  };
  refuses(at.data, at.restored, "is no backup");
  const auto unfinished = copy("unfinished");
  fs::remove(unfinished + "/BACKUP.json");
  refuses(unfinished, at.restored, "did not come to its end");

  const auto is = manifest_of(at.backup("good"));
  const auto largest = std::max_element(is.stores.at(0).files.begin(), is.stores.at(0).files.end(),
                                        [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  const auto inside = "/" + is.stores.at(0).name + "/" + largest->name;
  const auto cut = copy("cut");
  fs::resize_file(cut + inside, largest->bytes - 1);
  refuses(cut, at.restored, "is damaged");
  const auto flipped = copy("flipped");
  {
    std::fstream file{flipped + inside, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(static_cast<std::streamoff>(largest->bytes / 2));
    const auto was = file.get();
    file.seekp(static_cast<std::streamoff>(largest->bytes / 2));
    file.put(static_cast<char>(was ^ 1));
  }
  refuses(flipped, at.restored, "checksum");
  const auto lacking = copy("lacking");
  fs::remove(lacking + inside);
  refuses(lacking, at.restored, "is damaged");
  refuses(at.backup("good"), at.data, "is one already");
  const auto full = at.scratch.path() + "/full";
  fs::create_directory(full);
  std::ofstream{full + "/something"} << "x";
  refuses(at.backup("good"), full, "is not empty");
  const auto other_key = at.scratch.file("other.key", std::string(32, 'x'));
  fs::permissions(other_key, fs::perms::owner_read | fs::perms::owner_write);
  const auto wrong = at.restore(at.backup("good"), at.restored, other_key);
  CHECK(wrong.code == 1);
  CHECK(has(wrong.errors, is.key_fingerprint));
  CHECK_FALSE(fs::exists(at.restored + "/VICKET"));

  // Without a key it says which one is needed, and the node asks for it.
  const auto restored = at.restore(at.backup("good"), at.restored, at.restored + "/secret.key");
  INFO(restored.errors);
  CHECK(restored.code == 0);
  CHECK(has(restored.lines.at(0), is.key_fingerprint));
  fs::copy_file(at.key, at.restored + "/secret.key");
  node_process node{at.restored};
  CHECK(has(node.vicket({"event", id_of(42), "--json"}).lines.at(0), R"("connector":"c2")"));
  CHECK(node.stop() == 0);
}
