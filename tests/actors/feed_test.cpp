// Interface: "The feed never skips in silence: where retention (or a restored backup) took what came after a cursor, the
// next line is {"gap":true,"cursor":"…"}."

#include "actors/history.hpp"
#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

/// A node whose history is kept for an hour, with a connector in each partition.
class forgetful_node : public node_fixture {
public:
  explicit forgetful_node(std::uint32_t partitions = 1,
                          faulty_environment::below base = faulty_environment::below::memory)
      : node_fixture{partitions, base} {
    options.retention_ms = hour_ms;
    restart();
    for (std::uint32_t i = 0; i < partitions; ++i) {
      connectors.push_back(connector_in(i, partitions));
      put(connectors.back());
    }
  }

  std::string send_to(std::uint32_t partition = 0) { return send(connectors[partition]).id.to_string(); }

  void advance_minutes(std::int64_t minutes) { advance_ms(minutes * minute_ms, 10'000); }

  outcome_page read(const std::string& cursor, std::uint32_t limit = 1'000) {
    auto answer = ask<outcome_page>(read_outcomes{cursor, limit, 0});
    REQUIRE(std::holds_alternative<outcome_page>(answer));
    return std::get<outcome_page>(answer);
  }

  std::vector<std::string> connectors;
};

using ids = std::vector<std::string>;

ids ids_of(const outcome_page& page) {
  ids all;
  for (const auto& entry : page.entries)
    all.push_back(entry.summary.id.to_string());
  return all;
}

} // namespace

TEST_CASE("where retention took what came after a cursor, the page says so and goes on with what is kept") {
  forgetful_node node;
  const auto unused = node.read("").cursor;
  const auto first = node.send_to();
  const auto after_first = node.read("").cursor;
  CHECK(ids_of(node.read(unused)) == ids{first});
  node.send_to();
  const auto after_second = node.read("").cursor;
  node.advance_minutes(75);

  // all is gone, and nothing came since
  for (const auto& cursor : {unused, after_first}) {
    const auto page = node.read(cursor);
    CHECK_FALSE(page.gap_cursor.empty());
    CHECK(page.entries.empty());
    CHECK(node.read(page.gap_cursor).gap_cursor.empty());
    CHECK(node.read(page.cursor).gap_cursor.empty());
  }
  // whoever has seen all of it missed nothing, and who reads for the first time was promised nothing
  for (const auto& cursor : {after_second, std::string{}}) {
    const auto page = node.read(cursor);
    CHECK(page.gap_cursor.empty());
    CHECK(page.entries.empty());
  }

  const auto fresh = node.send_to();
  for (const auto& cursor : {unused, after_first}) {
    const auto page = node.read(cursor);
    CHECK_FALSE(page.gap_cursor.empty());
    CHECK(ids_of(page) == ids{fresh});
    const auto again = node.read(page.gap_cursor);
    CHECK(again.gap_cursor.empty());
    CHECK(ids_of(again) == ids{fresh});
  }
  for (const auto& cursor : {after_second, std::string{}}) {
    const auto page = node.read(cursor);
    CHECK(page.gap_cursor.empty());
    CHECK(ids_of(page) == ids{fresh});
  }
}

TEST_CASE("a page with a gap does not wait for entries") {
  forgetful_node node;
  const auto cursor = node.read("").cursor;
  node.send_to();
  node.advance_minutes(75);
  auto follower = node.ask_later<outcome_page>(read_outcomes{cursor, 100, 30'000});
  node.run();
  auto answer = follower();
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  CHECK_FALSE(std::get<outcome_page>(answer).gap_cursor.empty());
}

TEST_CASE("an outcome stays in the feed for the retention after it happened, however old its event is") {
  // given an event whose last attempt comes long after it, among younger ones
  forgetful_node node;
  node.put("slow", [](connector& c) { c.retry.base_ms = 70 * minute_ms; });
  node.transport->on("slow.example.com", [n = 0](const http_request&) mutable {
    return scripted_transport::status(n++ == 0 ? 500 : 200);
  });
  const auto slow = node.send("slow").id;
  node.advance_minutes(30);
  const auto cursor = node.read("").cursor;
  const auto before = node.send_to();
  node.advance_minutes(42);
  REQUIRE(node.transport->count("slow.example.com") == 2);
  const auto after = node.send_to();

  // when the retention has passed what was written with the old event
  node.advance_minutes(9);

  // then all of what came after the cursor is there, in its order, for a reader of the time before and for a new one
  for (const auto& from : {cursor, std::string{}}) {
    const auto page = node.read(from);
    CHECK(page.gap_cursor.empty());
    CHECK(ids_of(page) == ids{before, slow.to_string(), after});
  }
}

TEST_CASE("following a log whose attempts retention took costs no messages while nothing happens") {
  forgetful_node node;
  node.send_to();
  const auto behind = node.read("").cursor;
  node.send_to();
  node.advance_minutes(75);
  // A new follower, and one that was told of the gap before.
  const auto is_new = GENERATE(true, false);
  const auto from = is_new ? std::string{} : node.read(behind).cursor;
  auto follower = node.ask_later<outcome_page>(read_outcomes{from, 100, 5'000});
  constexpr std::size_t a_few = 50;
  REQUIRE(node.run(a_few) < a_few);
  node.advance_ms(5'100);
  auto answer = follower();
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  const auto page = std::get<outcome_page>(answer);
  CHECK(page.entries.empty());
  CHECK(page.gap_cursor.empty());

  // its cursor is at the log's end: later retention does not concern it
  const auto fresh = node.send_to();
  const auto next = node.read(page.cursor);
  CHECK(ids_of(next) == ids{fresh});
  CHECK(next.gap_cursor.empty());
}

TEST_CASE("a follower that waits is answered by what comes, also when retention moves past where it began") {
  forgetful_node node;
  node.send_to();
  const auto cursor = node.read("").cursor;
  // given one that waits while retention takes all that it has seen (the waits are shorter than that takes)
  auto at = cursor;
  for (int waits = 0; waits < 160; ++waits) {
    auto follower = node.ask_later<outcome_page>(read_outcomes{at, 100, 30'000});
    REQUIRE(node.run(50) < 50);
    node.advance_ms(30'100, 1'000);
    auto answer = follower();
    REQUIRE(std::holds_alternative<outcome_page>(answer));
    REQUIRE(std::get<outcome_page>(answer).gap_cursor.empty());
    at = std::get<outcome_page>(answer).cursor;
  }
  auto follower = node.ask_later<outcome_page>(read_outcomes{at, 100, 30'000});
  node.run();
  const auto fresh = node.send_to();
  auto answer = follower();
  REQUIRE(std::holds_alternative<outcome_page>(answer));
  CHECK(ids_of(std::get<outcome_page>(answer)) == ids{fresh});
  CHECK(std::get<outcome_page>(answer).gap_cursor.empty());
}

TEST_CASE("a follower that is gone leaves its place to others") {
  forgetful_node node;
  node.send_to();
  const auto cursor = node.read("").cursor;
  const auto follow = [&] {
    auto follower = node.ask_later<outcome_page>(read_outcomes{cursor, 100, 30'000});
    node.run();
    return follower;
  };
  const auto has_answer = [](const auto& follower) {
    return std::holds_alternative<outcome_page>(follower());
  };
  // given as many as may wait, so that one more is answered at once
  std::vector<decltype(follow())> followers;
  for (std::size_t i = 0; i < history::max_followers; ++i)
    followers.push_back(follow());
  REQUIRE_FALSE(has_answer(followers.back()));
  REQUIRE(has_answer(follow()));

  // when they are gone
  followers.clear();
  node.run();

  // then another one may wait, and is answered by what comes
  const auto follower = follow();
  CHECK_FALSE(has_answer(follower));
  node.send_to();
  CHECK(has_answer(follower));
}

TEST_CASE("a cursor of the time after a backup is told that what followed is not what it has seen") {
  // given a backup of a node that has sent one event, which then sent three more
  forgetful_node node{1, faulty_environment::below::disk};
  const auto common = node.send_to();
  const auto at_backup = node.read("").cursor;
  const bool while_it_ran = GENERATE(true, false);
  if (!while_it_ran)
    node.kill();
  node.back_up("backup");
  if (!while_it_ran)
    node.start();
  const auto unseen = node.send_to();
  const auto after_one = node.read("").cursor;
  node.send_to();
  node.send_to();
  const auto ahead = node.read("").cursor;

  // when it is put back, is opened now and then without a commit, and sends others: fewer than the cursor has seen, and more
  node.kill();
  node.restore("backup");
  node.start();
  const int openings = GENERATE(0, 2);
  for (int i = 0; i < openings; ++i)
    node.restart();
  auto page = node.read(ahead);
  CHECK_FALSE(page.gap_cursor.empty());
  const auto told = page.cursor;
  ids fresh;
  const auto others = GENERATE(std::size_t{1}, std::size_t{20});
  while (fresh.size() < others)
    fresh.push_back(node.send_to());

  // then there is a gap, and nothing of the others is missing; what was there before the backup may come again, if the node
  // can't know that the cursor has seen it
  for (const auto& cursor : {after_one, ahead}) {
    page = node.read(cursor);
    CHECK_FALSE(page.gap_cursor.empty());
    auto seen = ids_of(page);
    if (!while_it_ran) {
      REQUIRE_FALSE(seen.empty());
      CHECK(seen.front() == common);
      seen.erase(seen.begin());
    }
    CHECK(seen == fresh);
    CHECK(node.read(page.cursor).gap_cursor.empty());
  }
  // and whoever was told before reads on without another
  page = node.read(told);
  CHECK(page.gap_cursor.empty());
  CHECK(ids_of(page) == fresh);
  // as does whoever was no further than the backup
  page = node.read(at_backup);
  CHECK(page.gap_cursor.empty());
  CHECK(ids_of(page) == fresh);
}

TEST_CASE("two copies that are opened in turn know each other's readers") {
  forgetful_node node{1, faulty_environment::below::disk};
  node.send_to();
  node.kill();
  node.back_up("a");
  node.back_up("b");
  std::map<std::string, std::string> cursors;
  std::map<std::string, ids> sent;
  for (int turn = 0; turn < 3; ++turn)
    for (const std::string name : {"a", "b"}) {
      node.restore(name);
      node.start();
      const auto own = turn == 0 ? node.read("") : node.read(cursors[name]);
      if (turn > 0) {
        CHECK(own.gap_cursor.empty());
        CHECK(own.entries.empty());
      }
      const auto& other = cursors[name == "a" ? "b" : "a"];
      if (!other.empty() && !(turn == 0 && name == "a"))
        CHECK(node.read(other).gap_cursor.empty() == sent[name == "a" ? "b" : "a"].empty());
      if (turn > 0) // the first time, nothing is committed
        for (int i = 0; i <= turn; ++i)
          sent[name].push_back(node.send_to());
      cursors[name] = node.read("").cursor;
      node.kill();
      node.back_up(name);
    }
}

TEST_CASE("a gap in one partition takes nothing away from the others, in pages of any size") {
  forgetful_node node{3};
  const auto cursor = node.read("").cursor;
  node.send_to(1);
  node.advance_minutes(50);
  ids sent;
  for (int i = 0; i < 30; ++i)
    sent.push_back(node.send_to(static_cast<std::uint32_t>(i % 3)));
  node.advance_minutes(25);
  sent.push_back(node.send_to(1));
  std::sort(sent.begin(), sent.end());
  const auto limit = GENERATE(1u, 4u, 1'000u);
  int gaps = 0;
  ids seen;
  for (auto at = cursor;;) {
    const auto page = node.read(at, limit);
    gaps += page.gap_cursor.empty() ? 0 : 1;
    for (const auto& id : ids_of(page))
      seen.push_back(id);
    if (page.entries.empty())
      break;
    if (!page.gap_cursor.empty()) // the gap's line can be gone on from like every other
      CHECK(ids_of(node.read(page.gap_cursor, limit)) == ids_of(page));
    at = page.entries.back().cursor;
    CHECK(at == page.cursor);
  }
  CHECK(gaps == 1);
  std::sort(seen.begin(), seen.end());
  CHECK(seen == sent);
}

TEST_CASE(
    "pages that are bounded by their bytes leave out nothing, also of a partition whose attempts come late") {
  forgetful_node node{2};
  const std::string large(60'000, 'b'); // 4 MiB are 70 of them
  for (const auto& connector : node.connectors)
    node.transport->on(node_fixture::host_of(connector),
                       [large](const http_request&) { return scripted_transport::status(200, large); });
  // given a partition whose attempts begin first and end last
  node.put(node.connectors[1], [](connector& c) { c.max_in_flight = 100; });
  ids sent;
  node.transport->hang(node_fixture::host_of(node.connectors[1]));
  for (int i = 0; i < 100; ++i)
    sent.push_back(node.send_to(1));
  node.advance_ms(10);
  for (int i = 0; i < 100; ++i)
    sent.push_back(node.send_to(0));
  ids seen;
  std::string at;
  bool released = false;
  for (int pages = 0; pages < 100; ++pages) {
    const auto page = node.read(at);
    CHECK(page.gap_cursor.empty());
    CHECK(page.entries.size() <= 71);
    for (const auto& id : ids_of(page))
      seen.push_back(id);
    at = page.cursor;
    if (page.entries.empty() && std::exchange(released, true))
      break;
    if (page.entries.empty())
      node.transport->release(scripted_transport::status(200, large));
    node.run();
  }
  std::sort(sent.begin(), sent.end());
  std::sort(seen.begin(), seen.end());
  CHECK(seen == sent);
}

TEST_CASE("a cursor of the version before is refused with a sentence that says what to do") {
  node_fixture node;
  const auto answer = std::get<refusal>(node.ask<outcome_page>(read_outcomes{"v1-1a", 1, 0}));
  CHECK(answer.code == errc::invalid_event);
  CHECK(answer.detail.find("unknown cursor") == 0);
  CHECK(answer.detail.find("older version") != std::string::npos);
  CHECK(answer.detail.find("without a cursor") != std::string::npos);
}
