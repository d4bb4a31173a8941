#include "actors/peer_door.hpp"
#include "tests/actors/scripted_partition.hpp"

#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

struct door_world : scripted_system {
  peer_door_actor door = system().spawn<actor_of<peer_door>>(peer_door::setup{2});
  std::shared_ptr<scripted_partition> one = std::make_shared<scripted_partition>();

  ~door_world() {
    caf::anon_send_exit(door, caf::exit_reason::user_shutdown);
    run();
  }

  void serve(std::uint32_t partition) { tell(door, serve_partition{partition, head(one), reader(one)}); }
};

} // namespace

TEST_CASE("a partition that this node does not have is refused with `not_owner`, whatever is asked",
          "[door]") {
  door_world w;
  w.serve(1);
  for (const std::uint32_t partition : {0u, 2u, 0xffffffffu}) {
    const auto is_refused = [&]<class Answer>(const scripted_system::answer<Answer>& answer) {
      CHECK(no(answer).code == errc::not_owner);
    };
    is_refused(w.ask<batch_result>(w.door, of_partition<accept_events>{partition, {}}));
    is_refused(w.ask<connector_view>(w.door, of_partition<put_connector>{partition, {}}));
    is_refused(w.ask<connector_view>(w.door, of_partition<get_connector>{partition, {}}));
    is_refused(w.ask<std::monostate>(w.door, of_partition<delete_connector>{partition, {}}));
    is_refused(w.ask<connector_page>(w.door, of_partition<list_connectors>{partition, {}}));
    is_refused(w.ask<partition_overview>(w.door, of_partition<get_partition_overview>{partition, {}}));
    is_refused(w.ask<found_events>(w.door, of_partition<find_partition_events>{partition, {}}));
    is_refused(w.ask<found_events>(w.door, of_partition<find_partition_run>{partition, {}}));
    is_refused(w.ask<partition_histories>(w.door, of_partition<read_partition_histories>{partition, {}}));
    is_refused(w.ask<partition_outcomes>(w.door, of_partition<read_partition_outcomes>{partition, {}}));
    is_refused(w.ask<feed_awaited>(w.door, await_feed{partition, 0, 0}));
    is_refused(w.ask<std::monostate>(w.door, of_partition<put_setting>{partition, {}}));
    is_refused(w.ask<std::monostate>(w.door, of_partition<delete_setting>{partition, {}}));
    is_refused(w.ask<setting>(w.door, of_partition<get_setting>{partition, {}}));
    is_refused(w.ask<settings_page>(w.door, of_partition<list_settings>{partition, {}}));
  }
}

TEST_CASE("what is asked of its own goes to the partition, within the bounds of this node's own front",
          "[door]") {
  door_world w;
  w.serve(1);
  const auto sent = w.ask<batch_result>(w.door, of_partition<accept_events>{1, {7, {composed_event{}}}});
  auto events = w.one->batches.take();
  CHECK(events.request.partition == 1);
  CHECK(events.request.events.size() == 1);
  events.promise.deliver(batch_result{{accepted{}}});
  w.run();
  CHECK(value(sent).results.size() == 1);
  const auto list = w.ask<connector_page>(w.door, of_partition<list_connectors>{1, {{}, 1'000'000}});
  const auto listed = w.one->lists.take();
  CHECK(listed.request.limit == list_connectors::max_limit);
  CHECK_FALSE(listed.is_urgent);
  const auto shown =
      w.ask<partition_overview>(w.door, of_partition<get_partition_overview>{1, {{}, 1'000'000}});
  auto overview = w.one->overviews.take();
  CHECK(overview.request.limit == get_status::max_limit);
  CHECK(overview.is_urgent);
  partition_overview answer;
  answer.partition.pending = 5;
  overview.promise.deliver(answer);
  w.run();
  CHECK(value(shown).partition.pending == 5);
  const auto run = w.ask<found_events>(w.door, of_partition<find_partition_run>{1, {"r", 0, 1'000'000}});
  CHECK(w.one->runs.take().request.limit == event_page::max_events + 1);
  const auto read = w.ask<partition_histories>(
      w.door, of_partition<read_partition_histories>{1, {{}, std::uint64_t{1} << 60, true}});
  CHECK(w.one->histories.take().request.max_bytes == event_page::max_bytes);
  const auto feed = w.ask<partition_outcomes>(
      w.door, of_partition<read_partition_outcomes>{1, {{}, 1'000'000, std::uint64_t{1} << 60}});
  const auto asked = w.one->outcomes.take().request;
  CHECK(asked.max_bytes == event_page::max_bytes);
  CHECK(asked.limit == read_outcomes::max_limit);
  w.tell(w.door, serve_partition{1, {}, {}});
  CHECK(no(w.ask<connector_page>(w.door, of_partition<list_connectors>{1, {}})).code == errc::not_owner);
}

TEST_CASE("the partition `settings` takes settings, no other does, and it takes no connectors or events",
          "[door]") {
  door_world w;
  w.serve(1);
  w.serve(2);
  const setting_key key{setting_kind::rule, "r"};
  CHECK(no(w.ask<std::monostate>(w.door, of_partition<put_setting>{1, {{key, "1"}}})).code ==
        errc::not_owner);
  CHECK(no(w.ask<settings_page>(w.door, of_partition<list_settings>{1, {}})).code == errc::not_owner);
  CHECK(no(w.ask<batch_result>(w.door, of_partition<accept_events>{2, {}})).code == errc::not_owner);
  CHECK(no(w.ask<connector_view>(w.door, of_partition<put_connector>{2, {}})).code == errc::not_owner);
  const auto listed =
      w.ask<settings_page>(w.door, of_partition<list_settings>{2, {setting_kind::rule, "q", 1'000'000}});
  auto asked = w.one->listed_settings.take();
  CHECK(asked.request.limit == list_settings::max_limit);
  CHECK(asked.request.after == "q");
  asked.promise.deliver(settings_page{{{key, "1"}}, true});
  w.run();
  CHECK(value(listed).settings.at(0).bytes == "1");
  const auto put = w.ask<std::monostate>(w.door, of_partition<put_setting>{2, {{key, "1"}}});
  w.one->put_settings.take().promise.deliver();
  w.run();
  CHECK(value(put) == std::monostate{});
  const auto shown = w.ask<partition_overview>(w.door, of_partition<get_partition_overview>{2, {}});
  CHECK(w.one->overviews.waiting.size() == 1);
}

TEST_CASE("the feed is waited for until it grows, the time is over, or the partition goes", "[door]") {
  door_world w;
  w.serve(1);
  CHECK_FALSE(value(w.ask<feed_awaited>(w.door, await_feed{1, 5, 0})).grew);
  CHECK(w.one->watches.empty());
  const auto first = w.ask<feed_awaited>(w.door, await_feed{1, 5, 1'000});
  const auto second = w.ask<feed_awaited>(w.door, await_feed{1, 6});
  REQUIRE(w.one->watches.size() == 2);
  CHECK(w.one->watches[1] == std::pair{caf::actor_cast<feed_watcher_actor>(w.door), log_sequence{6}});
  w.advance(900ms);
  CHECK_FALSE(first());
  w.advance(400ms);
  CHECK_FALSE(value(first).grew);
  CHECK_FALSE(second());
  w.tell(w.door, feed_grew{1});
  CHECK(value(second).grew);
  const auto third = w.ask<feed_awaited>(w.door, await_feed{1, 7, 1'000'000});
  w.advance(20'400ms);
  CHECK_FALSE(value(third).grew); // no longer than it may be
  const auto fourth = w.ask<feed_awaited>(w.door, await_feed{1, 7});
  w.tell(w.door, serve_partition{1, {}, {}});
  CHECK(no(fourth).code == errc::not_owner);
}

TEST_CASE("so many wait for a feed at the same time", "[door]") {
  door_world w;
  w.serve(0);
  std::vector<scripted_system::answer<feed_awaited>> waiting;
  for (std::size_t i = 0; i < peer_door::max_waiting; ++i)
    waiting.push_back(w.ask<feed_awaited>(w.door, await_feed{0, 5}));
  CHECK(no(w.ask<feed_awaited>(w.door, await_feed{0, 5})).code == errc::overloaded);
  w.tell(w.door, feed_grew{0});
  for (const auto& each : waiting)
    CHECK(value(each).grew);
}
