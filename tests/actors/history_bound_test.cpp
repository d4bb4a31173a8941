// Interface: "--history-per-connector: beyond it, the response bodies of older attempts are dropped first, then whole
// attempts of settled events." And the feed never skips in silence.

#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// A node with room for some dozens of small attempts of each connector.
class frugal_node : public node_fixture {
public:
  frugal_node() {
    options.history_bytes_per_connector = 4'000;
    restart();
    put("crm");
    put("erp");
  }

  outcome_page read(const std::string& cursor, std::uint32_t limit = 1'000) {
    auto answer = ask<outcome_page>(read_outcomes{cursor, limit, 0});
    REQUIRE(std::holds_alternative<outcome_page>(answer));
    return std::get<outcome_page>(answer);
  }

  std::vector<event_id> send_many(const std::string& connector, int count) {
    std::vector<event_id> sent;
    for (int i = 0; i < count; ++i)
      sent.push_back(send(connector).id);
    return sent;
  }
};

std::size_t kept(frugal_node& node, const std::vector<event_id>& events) {
  std::size_t count = 0;
  for (const auto& id : events) {
    const auto found = node.event(id);
    CHECK(found.summary.state == event_state::delivered);
    CHECK(found.attempts.size() + found.attempts_dropped == 1);
    count += found.attempts.size();
  }
  return count;
}

} // namespace

TEST_CASE("beyond its bound a connector's oldest events lose their attempts, and another's do not") {
  frugal_node node;
  const auto others = node.send_many("erp", 5);
  const auto events = node.send_many("crm", 200);
  const auto count = kept(node, events);
  CHECK(count > 10);
  CHECK(count < 120);
  for (std::size_t i = 0; i < events.size(); ++i) // the oldest go first
    CHECK(node.event(events[i]).attempts.empty() == (i < events.size() - count));
  CHECK(kept(node, others) == 5);
  node.restart();
  CHECK(kept(node, events) == count);
  node.send_many("crm", 20);
  CHECK(kept(node, events) < count);
  CHECK(kept(node, others) == 5);
}

TEST_CASE("an event that is pending keeps its attempts, however much comes after") {
  frugal_node node;
  node.transport->on(node_fixture::host_of("crm"),
                     [](const http_request&) { return scripted_transport::status(500); });
  const auto pending = node.send("crm").id;
  node.transport->on(node_fixture::host_of("crm"),
                     [](const http_request&) { return scripted_transport::status(200); });
  const auto events = node.send_many("crm", 200);
  CHECK(kept(node, events) < 120);
  const auto found = node.event(pending);
  CHECK(found.summary.state == event_state::pending);
  REQUIRE(found.attempts.size() == 1);
  CHECK(found.attempts[0].status == 500);
  node.advance_ms(6'000);
  CHECK(node.event(pending).summary.state == event_state::delivered);
  CHECK(node.event(pending).attempts.size() == 2);
}

TEST_CASE("a reader of the feed is told when attempts went that it had yet to read, once") {
  frugal_node node;
  const auto unread = node.read("").cursor;
  node.send_many("crm", 10);
  const auto first = node.read(unread);
  CHECK(first.entries.size() == 10);
  node.send_many("crm", 200);
  const auto others = node.send_many("erp", 3);

  // who has read the first ten, and who has read none
  for (const auto& cursor : {unread, first.cursor}) {
    auto page = node.read(cursor);
    CHECK_FALSE(page.gap_cursor.empty());
    CHECK(page.entries.size() > 10);
    CHECK(page.entries.size() < 120);
    CHECK(node.read(page.gap_cursor).gap_cursor.empty());
    CHECK(node.read(page.gap_cursor).entries.size() == page.entries.size());
    CHECK(node.read(page.cursor).entries.empty());
  }
  // who begins was promised what there is
  const auto begun = node.read("", 1);
  CHECK(begun.gap_cursor.empty());
  REQUIRE(begun.entries.size() == 1);
  // and is told when it loses some of that
  node.send_many("crm", 200);
  CHECK_FALSE(node.read(begun.cursor).gap_cursor.empty());
  node.restart();
  const auto page = node.read(begun.cursor);
  CHECK_FALSE(page.gap_cursor.empty());
  // who follows misses nothing, and hears of nothing
  auto at = page.cursor;
  for (int i = 0; i < 100; ++i) {
    node.send_many("crm", 3);
    const auto next = node.read(at);
    CHECK(next.gap_cursor.empty());
    CHECK(next.entries.size() == 3);
    at = next.cursor;
  }
}

TEST_CASE("a feed in which much was dropped is read in steps, and ends where it ends") {
  frugal_node node;
  node.send_many("crm", 300);
  const auto last = node.send("erp").id;
  std::string at;
  std::set<std::string> seen;
  for (int pages = 0; pages < 400; ++pages) {
    const auto page = node.read(at, 1);
    if (page.entries.empty())
      break;
    for (const auto& entry : page.entries)
      CHECK(seen.insert(entry.summary.id.to_string()).second);
    at = page.cursor;
  }
  CHECK(seen.contains(last.to_string()));
  CHECK(seen.size() < 120);
}
