// More partitions are made of a data folder's: cursors, ids, runs and what is pending go on, and a kill at any moment leaves the
// folder as it was, or split.

#include "tests/apps/node_process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace vicket::testing;

namespace {

namespace fs = std::filesystem;

constexpr int connectors = 12;
constexpr int events = 240; ///< the first half is read before the split

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string id_of(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "5b117000-0000-4000-8000-%012x", static_cast<unsigned>(number));
  return text;
}

std::string connector_of(int number) {
  return "c" + std::to_string(number % connectors);
}

std::string event_lines(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i)
    lines += R"({"connector":")" + connector_of(i) +
             R"(","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{"n":)" +
             std::to_string(i) + R"(},"run":"run-)" + std::to_string(i % 3) + R"(","id":")" + id_of(i) +
             "\"}\n";
  return lines;
}

std::string marker_of(const std::string& folder) {
  std::ifstream file{folder + "/VICKET"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

finished_process split(const std::string& folder, const std::string& into,
                       const std::vector<std::string>& environment = {}) {
  return run_process({VICKETD_PATH, "--data-dir", folder, "--split", into}, {}, environment);
}

std::vector<std::string> feed_from(const node_process& node, const std::string& cursor, std::string& end) {
  auto args = arguments{"outcomes", "--json"};
  if (!cursor.empty())
    args = args + arguments{"--from", cursor};
  const auto read = node.vicket(args);
  REQUIRE(read.code == 0);
  std::vector<std::string> ids;
  for (const auto& line : read.lines) {
    CHECK_FALSE(has(line, R"("gap":true)"));
    ids.push_back(text_field(line, "id"));
    end = text_field(line, "cursor");
  }
  return ids;
}

void wait_for_deliveries(const node_process& node, std::size_t count) {
  process follow{node.vicket_arguments({"outcomes", "--follow", "--json"})};
  while (count-- > 0)
    (void)follow.line_with(R"("outcome":"delivered")");
}

/// A stopped node's folder of two partitions with what is above, and a cursor in the middle.
struct grown_folder {
  temporary_folder scratch;
  std::string data = scratch.path() + "/data";
  std::string cursor;
  certificate_files files;
  listen_process receiver{files};

  grown_folder() {
    node_process node{data, may_reach(files)};
    for (int i = 0; i < connectors; ++i)
      REQUIRE(node.vicket({"connector", "put", "-"}, connector_json(connector_of(i), receiver.url())).code ==
              0);
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("nobody", "https://127.0.0.1:1/")).code ==
            0);
    REQUIRE(node.vicket({"send", "-"}, event_lines(0, events / 2)).code == 0);
    wait_for_deliveries(node, events / 2);
    REQUIRE(feed_from(node, {}, cursor).size() == events / 2);
    REQUIRE(node.vicket({"send", "-"}, event_lines(events / 2, events / 2)).code == 0);
    wait_for_deliveries(node, events);
    REQUIRE(node.vicket({"send", "-"}, event_json("nobody", 1, "run-waits")).code == 0);
    REQUIRE(node.stop() == 0);
  }

  /// As a node shows it that is started on it.
  void check(const std::string& folder, int partitions) const {
    node_process node{folder, may_reach(files)};
    const auto status = node.vicket({"status", "--json"}).lines.at(0);
    CHECK(has(status, R"("number":)" + std::to_string(partitions - 1)));
    CHECK_FALSE(has(status, R"("partitions":[{"number":)" + std::to_string(partitions)));
    CHECK(has(status, R"("connectors_configured":)" + std::to_string(connectors + 1)));
    // What waited is delivered when it can be.
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("nobody", receiver.url())).code == 0);
    wait_for_deliveries(node, events + 1);
    std::string end;
    auto on = feed_from(node, cursor, end);
    std::erase_if(on, [](const auto& id) { return !id.starts_with("5b117000"); }); // the one that waited
    std::vector<std::string> expected;
    for (int i = events / 2; i < events; ++i)
      expected.push_back(id_of(i));
    std::sort(on.begin(), on.end());
    CHECK(on == expected); // each of them once
    for (const int i : {0, 1, 57, events - 1}) {
      const auto shown = node.vicket({"event", id_of(i), "--json"});
      REQUIRE(shown.code == 0);
      CHECK(has(shown.lines.at(0), R"("connector":")" + connector_of(i)));
      CHECK(has(shown.lines.at(0), R"("outcome":"delivered")"));
    }
    CHECK(node.vicket({"run", "run-1", "--json"}).lines.size() == events / 3);
    // An id that was known is.
    const auto again = node.vicket({"send", "-"}, event_lines(5, 1));
    CHECK(has(again.lines.at(0), R"("duplicate":true)"));
    CHECK(node.stop() == 0);
  }
};

} // namespace

TEST_CASE("a node goes on with more partitions: cursors, ids, runs, and what was pending", "[split]") {
  const grown_folder grown;
  const auto wrong = split(grown.data, "5");
  CHECK(wrong.code == 1);
  CHECK(has(wrong.errors, "multiple"));
  CHECK(split(grown.data, "0").code == 2);
  CHECK(split(grown.data, "257").code == 2);
  CHECK(split(grown.scratch.path() + "/none", "4").code == 1);
  const auto same = split(grown.data, "2");
  CHECK(same.code == 0);
  CHECK(has(same.lines.at(0), "already"));
  const auto done = split(grown.data, "6");
  INFO(done.errors);
  REQUIRE(done.code == 0);
  CHECK(has(marker_of(grown.data), "partitions 6\n"));
  grown.check(grown.data, 6);
  // And again, with cursors of before the first time.
  REQUIRE(split(grown.data, "12").code == 0);
  grown.check(grown.data, 12);
}

#if !VICKET_SANITIZED // the sanitizer's runtime has to be the first library
TEST_CASE(
    "a split that is killed at any sync leaves the folder as it was, or split, and the next one is the last",
    "[split]") {
  const grown_folder grown;
  const auto path = grown.scratch.path() + "/killed";
  int ended_before = 0;
  int ended_after = 0;
  const auto killed_at = [&](int step) {
    fs::remove_all(path);
    fs::copy(grown.data, path, fs::copy_options::recursive);
    const auto answer = split(path, "4",
                              {"LD_PRELOAD=" KILL_AT_SYNC_PATH, "KILL_FROM=" + path + "/VICKET",
                               "KILL_AT=" + std::to_string(step)});
    if (answer.code == 0)
      return false;
    INFO("killed at step " << step << ": " << answer.errors);
    REQUIRE(answer.code == 128 + SIGKILL);
    const auto marker = marker_of(path);
    const bool was_decided = has(marker, "partitions 4\n");
    (was_decided ? ended_after : ended_before) += 1;
    CHECK(was_decided != has(marker, "partitions 2\n"));
    if (was_decided && ended_after == 2) // whoever opens it next finishes it
      grown.check(path, 4);
    const auto again = split(path, "4");
    INFO(again.errors);
    CHECK(again.code == 0);
    CHECK(has(marker_of(path), "partitions 4\n"));
    CHECK_FALSE(has(marker_of(path), "splitting"));
    CHECK_FALSE(fs::exists(path + "/split"));
    return true;
  };
  // Where it is over, about: the number of syncs is not always the same.
  int killed = 1;
  int over = 2;
  while (killed_at(over)) {
    killed = over;
    over *= 2;
  }
  while (over - killed > 4)
    (killed_at((killed + over) / 2) ? killed : over) = (killed + over) / 2;
  // The last steps, at which the partitions take their places: before and after a sync by turns.
  for (int step = over - 41; step < over; step += 5)
    killed_at(step);
  CHECK(ended_before > 3);
  CHECK(ended_after > 3); // four partitions take the places of two
  grown.check(path, 4);
}
#endif
