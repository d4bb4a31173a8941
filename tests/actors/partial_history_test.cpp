// The history over partitions of which some can't be reached.

#include "actors/actor_of.hpp"
#include "actors/history.hpp"
#include "tests/actors/scripted_partition.hpp"
#include "tests/support/manual_clock.hpp"

#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

refusal unreachable() {
  return {errc::unavailable, "partition 1 can't be reached"};
}

history_limits partial_limits() {
  history_limits limits;
  limits.partial_feeds = true;
  return limits;
}

struct history_world : scripted_system {
  manual_clock wall;
  schedule_clock clock{wall};
  std::shared_ptr<scripted_partition> zero = std::make_shared<scripted_partition>();
  std::shared_ptr<scripted_partition> one = std::make_shared<scripted_partition>();
  history_actor asked = system().spawn<actor_of<history>>(
      std::vector<partition_reader_actor>{reader(zero), reader(one)}, std::cref(clock), partial_limits());

  ~history_world() {
    caf::anon_send_exit(asked, caf::exit_reason::user_shutdown);
    run();
  }

  answer<outcome_page> read(const std::string& cursor, std::uint32_t wait_ms = 0) {
    return ask<outcome_page>(asked, read_outcomes{cursor, 10, wait_ms});
  }

  void pass(std::chrono::milliseconds duration) {
    for (; duration.count() > 0; duration -= 50ms) {
      wall.advance_ms(50);
      advance(50ms);
    }
  }
};

attempt attempt_at(std::int64_t started_at) {
  attempt value;
  value.number = 1;
  value.started_at = {started_at};
  return value;
}

/// A log whose attempts are at these positions, from where it was asked on; each was started at ten times its position.
partition_outcomes log_of(const read_partition_outcomes& request, const std::vector<log_sequence>& attempts,
                          log_sequence end) {
  partition_outcomes page;
  page.from = request.from.value_or(feed_position{0, 7, 1, 7});
  page.through = page.from;
  for (const auto sequence : attempts) {
    if (sequence <= page.from.after)
      continue;
    auto at = page.from;
    at.after = sequence;
    page.entries.push_back({at, {}, attempt_at(static_cast<std::int64_t>(sequence) * 10)});
    page.entries.back().summary.run = std::to_string(sequence);
  }
  page.through.after = std::max(page.from.after, end);
  return page;
}

void give(history_world& w, scripted_partition& from, const std::vector<log_sequence>& attempts,
          log_sequence end) {
  auto one = from.outcomes.take();
  one.promise.deliver(log_of(one.request, attempts, end));
  w.run();
}

void refuse(history_world& w, scripted_partition& from, const refusal& why = unreachable()) {
  from.outcomes.take().promise.deliver(make_refusal(why));
  w.run();
}

std::vector<std::string> runs(const outcome_page& page) {
  std::vector<std::string> result;
  for (const auto& one : page.entries)
    result.push_back(one.summary.run);
  return result;
}

} // namespace

TEST_CASE("a partition that can't be reached keeps its place in the feed, and holds up nobody", "[history]") {
  history_world w;
  auto page = w.read("");
  give(w, *w.zero, {2, 4}, 5);
  refuse(w, *w.one);
  auto first = value(page);
  CHECK(first.gap_cursor.empty());
  CHECK(first.unread == std::vector<std::string>{unreachable().detail});
  CHECK(runs(first) == std::vector<std::string>{"2", "4"});
  CHECK(first.cursor == "v3-5.7.1.7-_");
  // Nothing of it was read yet, and it is still so on the next page.
  page = w.read(first.cursor);
  give(w, *w.zero, {2, 4, 6}, 6);
  refuse(w, *w.one);
  auto second = value(page);
  CHECK(runs(second) == std::vector<std::string>{"6"});
  CHECK(second.cursor == "v3-6.7.1.7-_");
  // Then it comes, from its beginning.
  page = w.read(second.cursor);
  CHECK_FALSE(w.one->outcomes.waiting.at(0).request.from);
  give(w, *w.zero, {2, 4, 6}, 6);
  give(w, *w.one, {3, 5}, 5);
  auto third = value(page);
  CHECK(runs(third) == std::vector<std::string>{"3", "5"});
  CHECK(third.gap_cursor.empty());
  CHECK(third.unread.empty());
  // Away again, in the middle: each entry's own cursor has its place, too.
  page = w.read(third.entries.at(0).cursor);
  give(w, *w.zero, {2, 4, 6, 8}, 8);
  refuse(w, *w.one);
  auto fourth = value(page);
  CHECK(runs(fourth) == std::vector<std::string>{"8"});
  page = w.read(fourth.entries.at(0).cursor);
  CHECK(w.one->outcomes.waiting.at(0).request.from == feed_position{3, 7, 1, 7});
  give(w, *w.zero, {2, 4, 6, 8}, 8);
  give(w, *w.one, {3, 5}, 5);
  CHECK(runs(value(page)) == std::vector<std::string>{"5"});
}

TEST_CASE("whoever waits for the feed is answered when a partition that could not be reached has something",
          "[history]") {
  history_world w;
  const auto page = w.read("", 10'000);
  give(w, *w.zero, {}, 5);
  refuse(w, *w.one);
  CHECK_FALSE(page());
  REQUIRE(w.zero->watches.size() == 1);
  CHECK(w.zero->watches.at(0).second == 5);
  CHECK(w.one->watches.empty()); // not at once, or one that fails at once would be asked without end
  w.pass(300ms);
  REQUIRE(w.one->watches.size() == 1);
  CHECK(w.one->watches.at(0).second == 0);
  CHECK(w.one->outcomes.count == 1);
  w.tell(w.asked, feed_grew{1});
  give(w, *w.zero, {}, 5);
  give(w, *w.one, {3}, 3);
  CHECK(runs(value(page)) == std::vector<std::string>{"3"});
}

TEST_CASE("a wait for the feed ends in its time, with the place of what was not reached", "[history]") {
  history_world w;
  const auto page = w.read("", 1'000);
  give(w, *w.zero, {}, 5);
  refuse(w, *w.one);
  w.pass(1'100ms);
  const auto empty = value(page);
  CHECK(empty.entries.empty());
  CHECK(empty.cursor == "v3-5.7.1.7-_");
  CHECK(empty.unread == std::vector<std::string>{unreachable().detail});
}

TEST_CASE("there is no page when no partition can be reached, or one refuses for another reason",
          "[history]") {
  history_world w;
  auto page = w.read("", 5'000);
  refuse(w, *w.zero, {errc::unavailable, "partition 0 can't be reached"});
  refuse(w, *w.one);
  CHECK(no(page) == refusal{errc::unavailable, "partition 0 can't be reached"});
  page = w.read("", 5'000);
  give(w, *w.zero, {1}, 1);
  refuse(w, *w.one, {errc::overloaded, "too much"});
  CHECK(no(page) == refusal{errc::overloaded, "too much"});
}

TEST_CASE("what could not be looked for everywhere is not said to be not there", "[history]") {
  history_world w;
  const auto by_id = w.ask<event_page>(w.asked, get_event{event_id{{1}}});
  w.zero->events.take().promise.deliver(found_events{});
  w.one->events.take().promise.deliver(make_refusal(unreachable()));
  w.run();
  CHECK(no(by_id) == unreachable());
  const auto by_run = w.ask<run_page>(w.asked, get_run{"r", {}, 10});
  w.zero->runs.take().promise.deliver(found_events{});
  w.one->runs.take().promise.deliver(make_refusal(unreachable()));
  w.run();
  CHECK(no(by_run) == unreachable());
  const auto found = w.ask<run_page>(w.asked, get_run{"r", {}, 10}); // and a page is whole or none
  w.zero->runs.take().promise.deliver(found_events{{{2, {"crm"}, {}}}, false});
  w.one->runs.take().promise.deliver(make_refusal(unreachable()));
  w.run();
  CHECK(no(found) == unreachable());
}
