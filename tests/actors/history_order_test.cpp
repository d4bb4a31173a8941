#include "actors/history_order.hpp"

#include "messages/history.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

using namespace vicket;

namespace {

found_event by_connector(log_sequence sequence, std::string connector) {
  return {sequence, {std::move(connector)}, {}};
}

found_event by_time(log_sequence sequence, std::int64_t accepted_at) {
  return {sequence, {}, {accepted_at}};
}

/// `partition:sequence`, in their order; with `+` those of which only some attempts are left.
std::string text_of(const ordered_events& order) {
  std::string text;
  for (const auto& one : order.events)
    text +=
        std::to_string(one.partition) + ":" + std::to_string(one.event.sequence) + (one.left ? "+ " : " ");
  return text + (order.more ? "more" : "end");
}

} // namespace

TEST_CASE("an id's events are in the order of their connectors, from the cursor's on") {
  const std::vector<found_events> parts{{{by_connector(7, "b"), by_connector(3, "d")}, false},
                                        {{by_connector(9, "a"), by_connector(8, "c")}, false}};
  const auto check = [&](const event_cursor& from, const std::string& expected) {
    INFO(from.to_string());
    CHECK(text_of(order_by_connector(from, parts)) == expected);
  };
  check({}, "1:9 0:7 1:8 0:3 end");
  check({{"a"}, std::nullopt}, "0:7 1:8 0:3 end");
  check({{"a"}, event_cursor::within_event{9, {5, 6}}}, "1:9+ 0:7 1:8 0:3 end");
  // the event that it was within is forgotten, and its id was used again
  check({{"a"}, event_cursor::within_event{4, {5, 6}}}, "0:7 1:8 0:3 end");
}

TEST_CASE("a page has so many events of an id, and says that there are more") {
  std::vector<found_events> parts(2);
  for (log_sequence i = 0; i < event_page::max_events; ++i)
    parts[i % 2].events.push_back(by_connector(i + 1, std::to_string(1'000 + i)));
  CHECK_FALSE(order_by_connector({}, parts).more);
  CHECK(order_by_connector({}, parts).events.size() == event_page::max_events);
  parts[1].events.push_back(by_connector(999, "2000"));
  CHECK(order_by_connector({}, parts).more);
  CHECK(order_by_connector({}, parts).events.size() == event_page::max_events);
  parts[1].events.pop_back();
  parts[1].more = true;
  CHECK(order_by_connector({}, parts).more);
}

TEST_CASE(
    "a run's events are in the order in which they were accepted, the one that the cursor is within first") {
  const std::vector<found_events> parts{{{by_time(1, 10), by_time(5, 40)}, false},
                                        {{by_time(2, 20), by_time(3, 30)}, true}};
  run_cursor within{{0, 0}, run_cursor::within_event{0, {2, 3}}};
  within.after[0] = 77;
  CHECK(text_of(order_by_acceptance({{0, 0}, {}}, parts, 10)) == "0:1 1:2 1:3 0:5 more");
  CHECK(text_of(order_by_acceptance({{0, 0}, {}}, parts, 2)) == "0:1 1:2 more");
  CHECK(text_of(order_by_acceptance(within, parts, 2)) == "0:77+ 0:1 more");
  auto last = parts;
  last[1].more = false;
  CHECK(text_of(order_by_acceptance({{0, 0}, {}}, last, 4)) == "0:1 1:2 1:3 0:5 end");
  CHECK(text_of(order_by_acceptance({{0, 0}, {}}, last, 3)) == "0:1 1:2 1:3 more");
}

TEST_CASE("a history goes on after what was seen, or within the last of it") {
  const ordered_events order{{{1, by_connector(9, "a"), {}}, {0, by_connector(7, "b"), {}}}, false};
  const attempts_left left{4, 6};

  CHECK(cursor_after(event_cursor{}, order, 2, {}).to_string() == "event1-b");
  CHECK(cursor_after(event_cursor{}, order, 1, left).to_string() == "event1+9.4.6-a");
  const event_cursor from{{"0"}, event_cursor::within_event{3, left}};
  CHECK(cursor_after(from, order, 0, {}).to_string() == from.to_string());

  const run_cursor before{{5, 5}, run_cursor::within_event{0, left}};
  CHECK(cursor_after(before, order, 0, {}).to_string() == before.to_string());
  CHECK(cursor_after(before, order, 1, {}).to_string() == "run1-5-9");
  CHECK(cursor_after(before, order, 2, {}).to_string() == "run1-7-9");
  CHECK(cursor_after(before, order, 2, left).to_string() == "run1-7-9+0.4.6");
}
