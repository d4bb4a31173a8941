#include "actors/partition_seat.hpp"
#include "tests/actors/scripted_partition.hpp"

#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>

using namespace vicket;
using namespace vicket::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t partition = 3;

struct seat_world : scripted_system {
  partition_seat_actor seat = system().spawn<actor_of<partition_seat>>(partition);
  std::shared_ptr<scripted_partition> here = std::make_shared<scripted_partition>();
  std::shared_ptr<scripted_peer> b = std::make_shared<scripted_peer>();
  std::shared_ptr<scripted_peer> c = std::make_shared<scripted_peer>();
  peer_actor at_b = peer(b);
  peer_actor at_c = peer(c);

  ~seat_world() {
    b.reset();
    caf::anon_send_exit(seat, caf::exit_reason::user_shutdown);
    run();
  }

  void owned_by(const std::string& node, const peer_actor& there, std::uint64_t epoch = 1) {
    tell(seat, owner_changed{epoch, {}, {}, node, there, {}});
  }
  void owned_here() { tell(seat, owner_changed{9, head(here), reader(here), "a", {}, {}}); }
  void owned_by_nobody() { tell(seat, owner_changed{}); }
};

composed_event event(std::uint8_t id, bool of_sender = false, std::size_t bytes = 10) {
  composed_event result;
  result.id = {{id}};
  result.id_of_sender = of_sender;
  result.connector = {"crm"};
  result.event = "ticket.opened";
  result.envelope = std::string(bytes, 'x');
  return result;
}

accept_events events(std::vector<composed_event> some) {
  return {partition, std::move(some)};
}

batch_result all_accepted(const accept_events& request, bool duplicate = false) {
  batch_result result;
  for (const auto& one : request.events)
    result.results.emplace_back(accepted{one.id, duplicate});
  return result;
}

refusal lost() {
  return {errc::unavailable, "the connection was lost"};
}
refusal not_there() {
  return {errc::not_owner, "not this node's"};
}

template <class Kept>
void refuse(seat_world& w, Kept& kept, const refusal& why) {
  kept.take().promise.deliver(make_refusal(why));
  w.run();
}

void accept_all(seat_world& w, scripted_peer& peer, bool duplicate = false) {
  auto one = peer.batches.take();
  one.promise.deliver(all_accepted(one.request.body, duplicate));
  w.run();
}

} // namespace

TEST_CASE("what this node owns is asked of its own persistence and reader, as it came", "[seat]") {
  seat_world w;
  w.owned_here();
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  REQUIRE(w.here->batches.waiting.size() == 1);
  auto one = w.here->batches.take();
  CHECK_FALSE(one.request.events.at(0).id_of_sender);
  one.promise.deliver(all_accepted(one.request));
  w.run();
  CHECK(std::get<accepted>(value(sent).results.at(0)).id == event_id{{1}});
  const auto found = w.ask<found_events>(w.seat, find_partition_run{"r", 0, 1});
  w.here->runs.take().promise.deliver(found_events{{{7, {"crm"}, {}}}, false});
  w.run();
  CHECK(value(found).events.at(0).sequence == 7);
  const auto refused = w.ask<connector_view>(w.seat, get_connector{{"x"}});
  w.here->gets.take().promise.deliver(make_refusal(errc::not_found, "x"));
  w.run();
  CHECK(no(refused).code == errc::not_found);
}

TEST_CASE("what comes while nobody is known to own the partition waits for who does", "[seat]") {
  seat_world w;
  const auto sent = w.ask<batch_result>(w.seat, events({event(1), event(2, true)}));
  const auto run = w.ask<found_events>(w.seat, find_partition_run{"r", 0, 1});
  w.advance(5s);
  CHECK_FALSE(sent());
  w.owned_by("b", w.at_b);
  REQUIRE(w.b->batches.waiting.size() == 1);
  const auto& asked = w.b->batches.waiting.front().request;
  CHECK(asked.partition == partition);
  CHECK(asked.body.events.at(0).id == event_id{{1}});
  CHECK(asked.body.events.at(0).id_of_sender);
  accept_all(w, *w.b);
  CHECK(value(sent).results.size() == 2);
  w.b->runs.take().promise.deliver(found_events{});
  w.run();
  CHECK(value(run).events.empty());
}

TEST_CASE("and is taken over by this node itself when it gets the partition", "[seat]") {
  seat_world w;
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  w.owned_here();
  auto one = w.here->batches.take();
  one.promise.deliver(all_accepted(one.request, true));
  w.run();
  CHECK_FALSE(std::get<accepted>(value(sent).results.at(0)).duplicate);
}

TEST_CASE(
    "an event is sent again after a lost link and `not_owner`, under its id, and not answered as a duplicate "
    "unless the sender made the id",
    "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1), event(2, true)}));
  refuse(w, w.b->batches, lost());
  CHECK(w.b->batches.waiting.empty());
  w.advance(200ms);
  REQUIRE(w.b->batches.waiting.size() == 1);
  refuse(w, w.b->batches, not_there());
  w.advance(200ms);
  REQUIRE(w.b->batches.waiting.size() == 1);
  CHECK(w.b->batches.waiting.front().request.body.events.at(0).id == event_id{{1}});
  accept_all(w, *w.b, true);
  const auto results = value(sent).results;
  CHECK(std::get<accepted>(results.at(0)) == accepted{event_id{{1}}, false});
  CHECK(std::get<accepted>(results.at(1)) == accepted{event_id{{2}}, true});
}

TEST_CASE("a storm of `not_owner` is asked again five times a second, and ends after ten", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1), event(2)}));
  for (int i = 0; i < 120; ++i) {
    while (!w.b->batches.waiting.empty())
      refuse(w, w.b->batches, not_there());
    w.advance(100ms);
  }
  CHECK(w.b->batches.count >= 30);
  CHECK(w.b->batches.count <= 52);
  const auto results = value(sent).results;
  REQUIRE(results.size() == 2);
  for (const auto& each : results) {
    const auto& why = std::get<refusal>(each);
    CHECK(why.code == errc::unavailable);
    CHECK(why.detail == "partition 3 can't be reached, of node b: not this node's");
  }
  const auto before = w.b->batches.count;
  w.advance(5s);
  CHECK(w.b->batches.count == before);
}

TEST_CASE("a change of the owner sends what is under way to the new one at once, and no answer comes twice",
          "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  const auto read = w.ask<found_events>(w.seat, find_partition_events{event_id{{1}}, {}, 1});
  CHECK(w.b->batches.waiting.size() == 1);
  w.owned_by("c", w.at_c, 2);
  REQUIRE(w.c->batches.waiting.size() == 1);
  REQUIRE(w.c->events.waiting.size() == 1);
  accept_all(w, *w.b); // too late: by now the new one's answer is the one that counts
  CHECK_FALSE(sent());
  w.owned_by("c", w.at_c, 3); // the same node: it is asked already
  CHECK(w.c->batches.waiting.size() == 1);
  accept_all(w, *w.c, true);
  CHECK(std::get<accepted>(value(sent).results.at(0)) == accepted{event_id{{1}}, false});
  w.c->events.take().promise.deliver(found_events{});
  w.run();
  CHECK(value(read).events.empty());
}

TEST_CASE("a peer that does not answer is given up when the time is over", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  const auto list = w.ask<connector_page>(w.seat, list_connectors{});
  w.advance(2'200ms);
  CHECK(no(list) ==
        refusal{errc::unavailable, "partition 3 can't be reached, of node b: it did not answer in time"});
  CHECK_FALSE(sent());
  w.advance(8s);
  CHECK(std::get<refusal>(value(sent).results.at(0)).code == errc::unavailable);
  accept_all(w, *w.b); // and is answered once only
}

TEST_CASE("of a batch only those events are sent again that were not decided", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1), event(2), event(3), event(4)}));
  batch_result first;
  first.results = {accepted{event_id{{1}}}, not_there(), refusal{errc::filtered, "f"},
                   refusal{errc::unavailable, "the node is stopping"}};
  w.b->batches.take().promise.deliver(first);
  w.run();
  CHECK_FALSE(sent());
  w.owned_by("c", w.at_c, 2);
  REQUIRE(w.c->batches.waiting.size() == 1);
  const auto& again = w.c->batches.waiting.front().request.body.events;
  REQUIRE(again.size() == 2);
  CHECK(again[0].id == event_id{{2}});
  CHECK(again[1].id == event_id{{4}});
  accept_all(w, *w.c);
  const auto results = value(sent).results;
  CHECK(std::get<accepted>(results.at(0)).id == event_id{{1}});
  CHECK(std::get<accepted>(results.at(1)).id == event_id{{2}});
  CHECK(std::get<refusal>(results.at(2)).code == errc::filtered);
  CHECK(std::get<accepted>(results.at(3)).id == event_id{{4}});
}

TEST_CASE("an answer that does not fit is none", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  w.b->batches.take().promise.deliver(batch_result{});
  w.run();
  CHECK_FALSE(sent());
  w.advance(200ms);
  accept_all(w, *w.b);
  CHECK(std::get<accepted>(value(sent).results.at(0)).id == event_id{{1}});
}

TEST_CASE("events go out in messages that a link takes, and their answers are put together in order",
          "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  constexpr std::size_t large = 5u << 20;
  const auto sent = w.ask<batch_result>(
      w.seat, events({event(1, false, large), event(2, false, large), event(3), event(4, false, large)}));
  REQUIRE(w.b->batches.waiting.size() == 3);
  CHECK(w.b->batches.waiting[1].request.body.events.size() == 2);
  std::rotate(w.b->batches.waiting.begin(), w.b->batches.waiting.begin() + 1, w.b->batches.waiting.end());
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(sent());
    accept_all(w, *w.b);
  }
  const auto results = value(sent).results;
  REQUIRE(results.size() == 4);
  for (std::uint8_t i = 0; i < 4; ++i)
    CHECK(std::get<accepted>(results[i]).id == event_id{{static_cast<std::uint8_t>(i + 1)}});
}

TEST_CASE("a put is sent again, but for one that has a secret made and may have been done", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  put_connector with;
  with.value.id = {"crm"};
  with.value.secret = {"whsec_x"};
  auto without = with;
  without.value.secret = {};
  const auto first = w.ask<connector_view>(w.seat, with);
  refuse(w, w.b->puts, lost());
  w.advance(200ms);
  w.b->puts.take().promise.deliver(connector_view{});
  w.run();
  value(first);
  const auto second = w.ask<connector_view>(w.seat, without);
  refuse(w, w.b->puts, not_there()); // for sure not done
  w.advance(200ms);
  REQUIRE(w.b->puts.waiting.size() == 1);
  w.owned_by("c", w.at_c, 2);
  CHECK(w.c->puts.waiting.empty()); // it may be being done
  refuse(w, w.b->puts, lost());
  CHECK(no(second).code == errc::unavailable);
  w.advance(1s);
  CHECK(w.c->puts.count == 0);
}

TEST_CASE("a delete that finds nothing the second time has deleted, and one by force takes its time",
          "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto first = w.ask<std::monostate>(w.seat, delete_connector{{"crm"}});
  refuse(w, w.b->deletes, lost());
  w.advance(200ms);
  refuse(w, w.b->deletes, {errc::not_found, "no connector"});
  value(first);
  const auto second = w.ask<std::monostate>(w.seat, delete_connector{{"crm"}});
  refuse(w, w.b->deletes, not_there());
  w.advance(200ms);
  refuse(w, w.b->deletes, {errc::not_found, "no connector"});
  CHECK(no(second).code == errc::not_found); // the first one was not done

  const auto forced = w.ask<std::monostate>(w.seat, delete_connector{{"crm"}, true});
  w.advance(60s);
  CHECK_FALSE(forced());
  w.b->deletes.take().promise.deliver();
  w.run();
  value(forced);
  const auto cut = w.ask<std::monostate>(w.seat, delete_connector{{"crm"}, true});
  w.advance(60s);
  refuse(w, w.b->deletes, lost());
  CHECK(no(cut).code == errc::unavailable);
}

TEST_CASE("what waits is bounded in number and in bytes", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  std::vector<scripted_system::answer<found_events>> waiting;
  for (std::size_t i = 0; i < partition_seat::max_requests; ++i)
    waiting.push_back(w.ask<found_events>(w.seat, find_partition_run{"r", 0, 1}));
  CHECK(no(w.ask<found_events>(w.seat, find_partition_run{"r", 0, 1})).code == errc::overloaded);
  const auto more = w.ask<batch_result>(w.seat, events({event(1), event(2)}));
  const auto results = value(more).results;
  REQUIRE(results.size() == 2);
  CHECK(std::get<refusal>(results[1]).code == errc::overloaded);
  while (!w.b->runs.waiting.empty())
    w.b->runs.take().promise.deliver(found_events{});
  w.run();
  for (const auto& each : waiting)
    value(each);

  std::vector<composed_event> large;
  for (std::uint8_t i = 0; i < 5; ++i)
    large.push_back(event(i, false, 8u << 20));
  const auto alone = w.ask<batch_result>(w.seat, events(large)); // one is always allowed
  const auto next = w.ask<batch_result>(w.seat, events({event(9)}));
  CHECK(std::get<refusal>(value(next).results.at(0)).code == errc::overloaded);
  while (!w.b->batches.waiting.empty())
    accept_all(w, *w.b);
  CHECK(value(alone).results.size() == 5);
  const auto after = w.ask<batch_result>(w.seat, events({event(9)}));
  accept_all(w, *w.b);
  value(after);
}

TEST_CASE("of a partition that is halted nothing waits, and everybody is told why", "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const auto under_way = w.ask<batch_result>(w.seat, events({event(1)}));
  owner_changed news;
  news.halted = "record 7 is gone";
  w.tell(w.seat, news);
  const std::string sentence = "partition 3 is halted: record 7 is gone";
  CHECK(std::get<refusal>(value(under_way).results.at(0)) == refusal{errc::unavailable, sentence});
  const auto sent = w.ask<batch_result>(w.seat, events({event(2), event(3)}));
  CHECK(std::get<refusal>(value(sent).results.at(1)) == refusal{errc::unavailable, sentence});
  CHECK(no(w.ask<connector_view>(w.seat, get_connector{{"x"}})) == refusal{errc::unavailable, sentence});
  CHECK(no(w.ask<partition_outcomes>(w.seat, read_partition_outcomes{})).detail == sentence);
  const auto overview = value(w.ask<partition_overview>(w.seat, get_partition_overview{}));
  CHECK(overview.partition.halted == "record 7 is gone");
  CHECK_FALSE(overview.partition.accepting);
  w.b->batches.take();     // nobody waits for its answer any more
  w.owned_by("b", w.at_b); // somebody has put it right
  const auto later = w.ask<batch_result>(w.seat, events({event(2)}));
  accept_all(w, *w.b);
  CHECK(std::holds_alternative<accepted>(value(later).results.at(0)));
}

TEST_CASE("an overview has the owner's name, and says why there is none", "[seat]") {
  seat_world w;
  const auto nobody = w.ask<partition_overview>(w.seat, get_partition_overview{});
  w.advance(2'200ms);
  auto shown = value(nobody);
  CHECK(shown.partition.number == partition);
  CHECK(shown.partition.owner.empty());
  CHECK_FALSE(shown.partition.accepting);
  CHECK(shown.partition.why == "partition 3 can't be reached: no node is known to have it");
  w.owned_by("b", w.at_b);
  const auto good = w.ask<partition_overview>(w.seat, get_partition_overview{});
  partition_overview answer;
  answer.partition.number = partition;
  answer.partition.pending = 5;
  w.b->overviews.take().promise.deliver(answer);
  w.run();
  shown = value(good);
  CHECK(shown.partition.owner == "b");
  CHECK(shown.partition.pending == 5);
  CHECK(shown.partition.why.empty());
  const auto silent = w.ask<partition_overview>(w.seat, get_partition_overview{});
  w.advance(2'200ms);
  CHECK(value(silent).partition.why == "partition 3 can't be reached, of node b: it did not answer in time");
  const auto forbidden = w.ask<partition_overview>(w.seat, get_partition_overview{});
  w.b->overviews.take(); // the silent one's
  for (int i = 0; i < 12; ++i) {
    while (!w.b->overviews.waiting.empty())
      refuse(w, w.b->overviews, {errc::forbidden, "not a peer"});
    w.advance(200ms);
  }
  CHECK(value(forbidden).partition.why == "partition 3 can't be reached, of node b: not a peer");
  w.owned_here();
  const auto own = w.ask<partition_overview>(w.seat, get_partition_overview{});
  auto asked = w.here->overviews.take();
  CHECK(asked.is_urgent); // not behind all that a busy partition has to do
  asked.promise.deliver(answer);
  w.run();
  CHECK(value(own).partition.owner == "a");
}

TEST_CASE("when this node's own persistence ends, what comes waits for the next owner", "[seat]") {
  seat_world w;
  const auto head = w.head(w.here);
  w.tell(w.seat, owner_changed{1, head, w.reader(w.here), "a", {}, {}});
  caf::anon_send_exit(head, caf::exit_reason::user_shutdown);
  w.run();
  const auto sent = w.ask<batch_result>(w.seat, events({event(1)}));
  CHECK_FALSE(sent());
  w.owned_by("b", w.at_b, 2);
  accept_all(w, *w.b);
  value(sent);
}

TEST_CASE("the feed waits for nobody, and whoever watches it hears when it is worth a look", "[seat]") {
  seat_world w;
  auto told = std::make_shared<int>(0);
  const auto watcher =
      w.system().spawn([told](feed_watcher_actor::pointer) -> feed_watcher_actor::behavior_type {
        return {[told](const feed_grew& news) {
          CHECK(news.partition == partition);
          ++*told;
        }};
      });
  const auto watch = [&](log_sequence after) {
    caf::send_as(watcher, w.seat, watch_feed{after});
    w.run();
  };
  const auto read = [&] { return w.ask<partition_outcomes>(w.seat, read_partition_outcomes{{}, 1, 1}); };
  // Nobody has it.
  CHECK(no(read()).code == errc::unavailable);
  watch(5);
  w.advance(1s);
  CHECK(*told == 0);
  w.owned_by("b", w.at_b);
  CHECK(*told == 1);
  CHECK(w.b->awaits.count == 0);
  // It is there.
  const auto good = read();
  w.b->outcomes.take().promise.deliver(partition_outcomes{});
  w.run();
  value(good);
  watch(7);
  watch(7);
  REQUIRE(w.b->awaits.waiting.size() == 1);
  CHECK(w.b->awaits.waiting.front().request.after == 7);
  CHECK(w.b->awaits.waiting.front().request.wait_ms == await_feed::max_wait_ms);
  w.advance(10s);
  CHECK(*told == 1);
  w.b->awaits.take().promise.deliver(feed_awaited{true});
  w.run();
  CHECK(*told == 2);
  w.advance(5s); // nobody watches any more
  CHECK(w.b->awaits.count == 1);
  // One that has seen less than is awaited looks at once.
  watch(9);
  watch(8);
  CHECK(*told == 3);
  // The link is lost.
  watch(9);
  w.b->awaits.take().promise.deliver(make_refusal(lost()));
  w.run();
  CHECK(*told == 3);
  w.advance(300ms);
  REQUIRE(w.b->awaits.waiting.size() == 1);
  CHECK(w.b->awaits.waiting.front().request.wait_ms == 0);
  w.b->awaits.take().promise.deliver(make_refusal(lost()));
  for (int i = 0; i < 10; ++i) {
    w.advance(100ms);
    while (!w.b->awaits.waiting.empty())
      w.b->awaits.take().promise.deliver(make_refusal(lost()));
    w.run();
  }
  CHECK(w.b->awaits.count <= 10);
  w.advance(200ms);
  w.b->awaits.take().promise.deliver(feed_awaited{false});
  w.run();
  CHECK(*told == 4);
  // A read that fails is not tried again, nor another one for a while.
  const auto bad = read();
  refuse(w, w.b->outcomes, lost());
  CHECK(no(bad).code == errc::unavailable);
  const auto before = w.b->outcomes.count;
  CHECK(no(read()).code == errc::unavailable);
  CHECK(w.b->outcomes.count == before);
  // The owner changes while it is awaited.
  watch(20);
  w.owned_by("c", w.at_c, 2);
  CHECK(*told == 5);
  watch(20);
  REQUIRE(w.c->awaits.waiting.size() == 1);
  CHECK(w.c->awaits.waiting.front().request.wait_ms == await_feed::max_wait_ms);
  while (!w.b->awaits.waiting.empty())
    w.b->awaits.take().promise.deliver(feed_awaited{true}); // of the one before: it is none any more
  w.run();
  CHECK(*told == 5);
  // This node itself.
  w.owned_here();
  CHECK(*told == 6);
  watch(21);
  REQUIRE(w.here->watches.size() == 1);
  CHECK(w.here->watches.front().second == 21);
  CHECK(w.here->watches.front().first == w.seat);
  w.tell(w.seat, feed_grew{partition});
  CHECK(*told == 7);
}

TEST_CASE("changes of settings are sent again, and a delete that finds nothing the second time has deleted",
          "[seat]") {
  seat_world w;
  w.owned_by("b", w.at_b);
  const setting_key key{setting_kind::rule, "r"};
  const auto put = w.ask<std::monostate>(w.seat, put_setting{{key, "1"}});
  refuse(w, w.b->put_settings, lost());
  w.advance(300ms);
  auto again = w.b->put_settings.take();
  CHECK(again.request.partition == partition);
  CHECK(again.request.body.value.key == key);
  CHECK(again.request.body.value.bytes == "1");
  again.promise.deliver();
  w.run();
  CHECK(value(put) == std::monostate{});
  const auto deleted = w.ask<std::monostate>(w.seat, delete_setting{key});
  refuse(w, w.b->deleted_settings, lost());
  w.advance(300ms);
  refuse(w, w.b->deleted_settings, {errc::not_found, "none"});
  CHECK(value(deleted) == std::monostate{});
  const auto missing = w.ask<std::monostate>(w.seat, delete_setting{key});
  refuse(w, w.b->deleted_settings, {errc::not_found, "none"});
  CHECK(no(missing).code == errc::not_found);
  w.owned_here();
  const auto got = w.ask<setting>(w.seat, get_setting{key});
  w.here->got_settings.take().promise.deliver(setting{key, "2"});
  w.run();
  CHECK(value(got).bytes == "2");
  const auto listed = w.ask<settings_page>(w.seat, list_settings{});
  w.here->listed_settings.take().promise.deliver(settings_page{{}, true});
  w.run();
  CHECK(value(listed).more);
}
