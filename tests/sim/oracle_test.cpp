#include "tests/sim/oracle.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

namespace {

world_shape two_connectors() {
  world_shape shape;
  for (const auto* id : {"c0", "c1"}) {
    connector made;
    made.id = {id};
    made.url = std::string{"https://"} + id + ".example.com/hook";
    made.events = {"e.*"};
    made.retry.base_ms = 1'000;
    made.retry.cap_ms = 8'000;
    shape.connectors.push_back(made);
  }
  shape.retention_ms = 30 * 60'000;
  shape.kept_history_bytes = 1 << 30;
  shape.window_memory_bytes = 64u << 20;
  return shape;
}

event_id id_of(std::uint8_t last) {
  event_id id;
  id.bytes[15] = last;
  return id;
}

/// What an oracle is told, step by step. Connector c0 is there.
struct story {
  world_shape shape = two_connectors();
  oracle judge{shape};
  moment time{1'779'546'071'000, 0, 0};

  story() {
    judge.life_began(now());
    pass(0);
    judge.connectors().change_sent(0, shape.connectors[0], true, now());
    judge.connectors().change_done(0, now());
  }

  moment now() {
    ++time.order;
    return time;
  }
  void pass(std::int64_t duration_ms) {
    time.wall_ms += duration_ms;
    time.steady_ms += duration_ms;
    judge.events().time_is(now());
  }
  void rest() { judge.quiet(now()); }
  /// Long enough for everything that was answered to be recorded.
  void settle() {
    rest();
    pass(2'000);
    rest();
  }

  void send(std::uint64_t serial, std::optional<event_id> id = std::nullopt, std::uint32_t connector = 0) {
    planned_event event;
    event.serial = serial;
    event.connector = connector;
    event.id = id;
    judge.events().sent(event, 7, now());
  }
  void answer(std::uint64_t serial, const send_result& result) { judge.answered(serial, result, now()); }
  /// Sends and is accepted.
  void accept(std::uint64_t serial, std::uint32_t connector = 0) {
    send(serial, id_of(static_cast<std::uint8_t>(serial)), connector);
    answer(serial, accepted{id_of(static_cast<std::uint8_t>(serial)), false});
  }
  void request(std::uint64_t number, std::uint64_t serial, std::uint32_t life = 1,
               const std::string& body = "{}", const std::string& host = "a") {
    judge.events().requested(number, serial, id_of(static_cast<std::uint8_t>(serial)).to_string(), body, life,
                             now(), host);
  }
  void ask_for_peace(std::uint64_t number, std::int64_t for_ms) {
    respond(number, false, for_ms);
    judge.events().peace_was_asked(number, for_ms, now());
  }
  void respond(std::uint64_t number, bool ok, std::int64_t retry_after_ms = 0, std::size_t answer_bytes = 0) {
    judge.events().responded(number, ok, retry_after_ms, answer_bytes, now());
  }

  [[nodiscard]] attempt attempt_of(std::uint32_t number, std::uint64_t request_number, bool ok,
                                   std::optional<std::int64_t> next_in_ms = std::nullopt) const {
    attempt made;
    made.number = number;
    made.started_at = {time.wall_ms};
    made.result = ok ? outcome::delivered : outcome::http_status;
    made.response_body = mark_of(request_number);
    if (next_in_ms)
      made.next_attempt_at = timestamp_ms{time.wall_ms + *next_in_ms};
    return made;
  }
  [[nodiscard]] event_history history_of(std::uint64_t serial, std::vector<attempt> attempts) const {
    event_history made;
    made.summary.id = id_of(static_cast<std::uint8_t>(serial));
    made.summary.connector = shape.connectors[0].id;
    made.summary.event = event_name_of(serial);
    made.summary.run = run_of(7);
    if (!attempts.empty() && attempts.back().result == outcome::delivered)
      made.summary.state = event_state::delivered;
    else if (!attempts.empty() && !attempts.back().next_attempt_at)
      made.summary.state = event_state::failed;
    made.attempts = std::move(attempts);
    return made;
  }
  void tell(const event_history& history) {
    const auto asked = now();
    judge.events().told(history, asked, now());
  }
  [[nodiscard]] static outcome_entry entry_of(const event_history& history) {
    outcome_entry made;
    made.summary = history.summary;
    made.value = history.attempts.back();
    return made;
  }
  void read(std::vector<outcome_entry> entries, bool gap = false, const std::string& cursor = "next") {
    outcome_page page;
    page.entries = std::move(entries);
    page.cursor = cursor;
    for (const auto& entry : page.entries)
      judge.events().told(entry, now());
    judge.feed().page(0, page, gap, 1'000, judge.events());
  }

  [[nodiscard]] bool well() const {
    for (const auto& one : judge.complaints())
      UNSCOPED_INFO(one.rule << ": " << one.detail);
    return judge.complaints().empty();
  }
  [[nodiscard]] bool breaks(const std::string& rule) const {
    const auto& all = judge.complaints();
    return std::any_of(all.begin(), all.end(), [&](const complaint& one) { return one.rule == rule; });
  }
};

/// Event 1 is accepted, fails once, is delivered, and everything is told.
struct delivered_story : story {
  attempt first;
  attempt second;

  delivered_story() {
    accept(1);
    request(1, 1);
    respond(1, false);
    first = attempt_of(1, 1, false, 600);
    pass(700);
    request(2, 1);
    respond(2, true);
    second = attempt_of(2, 2, true);
    settle();
  }
};

} // namespace

TEST_CASE("what goes well breaks no rule") {
  delivered_story told;
  told.tell(told.history_of(1, {told.first, told.second}));
  told.read({story::entry_of(told.history_of(1, {told.first})),
             story::entry_of(told.history_of(1, {told.first, told.second}))});
  told.judge.events().check_ids();
  told.judge.events().check_drained();
  told.judge.feed().check_complete(told.judge.events());
  CHECK(told.well());
}

// -- holds ----------------------------------------------------------------------------------------------------

namespace {

constexpr auto left_alone = "an endpoint that asks to be left alone is left alone";

/// Events 1 and 2 of c0; the first is answered with 429 and 4 s.
struct held_story : story {
  held_story() {
    accept(1);
    accept(2);
    request(1, 1);
    ask_for_peace(1, 4'000);
  }
};

} // namespace

TEST_CASE("a request that comes before the hold's end breaks a rule, one after it none") {
  held_story told;
  told.rest();
  told.pass(4'000);
  told.request(2, 2);
  CHECK(told.well());
  held_story early;
  early.rest();
  early.pass(3'999);
  early.request(2, 2);
  CHECK(early.breaks(left_alone));
}

TEST_CASE("a hold binds when the node has heard of it, and in its next life when it was recorded") {
  held_story unheard;
  unheard.request(2, 2);
  CHECK(unheard.well());
  held_story lost;
  lost.judge.life_ended(lost.now());
  lost.judge.life_began(lost.now());
  lost.request(2, 2, 2);
  CHECK(lost.well());
  held_story recorded;
  recorded.settle();
  recorded.judge.life_ended(recorded.now());
  recorded.judge.life_began(recorded.now());
  recorded.request(2, 2, 2);
  CHECK(recorded.breaks(left_alone));
}

TEST_CASE(
    "a hold binds its endpoint only, as long as the connector stays there, and by a clock that is straight") {
  held_story neighbour;
  neighbour.rest();
  neighbour.judge.connectors().change_sent(1, neighbour.shape.connectors[1], true, neighbour.now());
  neighbour.judge.connectors().change_done(1, neighbour.now());
  neighbour.accept(3, 1);
  neighbour.request(2, 3, 1, "{}", "b");
  CHECK(neighbour.well());
  held_story elsewhere;
  elsewhere.rest();
  elsewhere.judge.events().connector_changes(0, "b");
  elsewhere.request(2, 2, 1, "{}", "b");
  CHECK(elsewhere.well());
  held_story same;
  same.rest();
  same.judge.events().connector_changes(0, "a");
  same.request(2, 2);
  CHECK(same.breaks(left_alone));
  held_story bent;
  bent.rest();
  bent.judge.events().clock_went_back(bent.now());
  bent.request(2, 2);
  CHECK(bent.well());
  held_story died;
  died.judge.events().supervisor_died();
  died.rest();
  died.request(2, 2);
  CHECK(died.well());
}

// -- what was answered ----------------------------------------------------------------------------------------

TEST_CASE("accepted and not there: what was accepted is kept") {
  story told;
  told.accept(1);
  told.judge.events().not_found(1, told.now());
  CHECK(told.breaks("what was accepted is kept"));
}

TEST_CASE("what was settled longer ago than the retention may be missing") {
  delivered_story told;
  told.pass(told.shape.retention_ms);
  told.judge.events().not_found(1, told.now());
  CHECK(told.well());
}

TEST_CASE("what was settled after it had been pending for long is kept as long as the rest") {
  story told;
  told.accept(1);
  told.pass(2 * told.shape.retention_ms);
  told.request(1, 1);
  told.respond(1, true);
  told.settle();
  told.judge.events().not_found(1, told.now());
  CHECK(told.breaks("what was accepted is kept"));
}

TEST_CASE("what was refused is not delivered, not kept and not in the feed") {
  story told;
  told.send(1);
  told.judge.disk_is(true, true, told.now());
  told.answer(1, refusal{errc::storage_full, ""});
  told.tell(told.history_of(1, {}));
  CHECK(told.breaks("what was refused is not kept"));
  told.request(1, 1);
  CHECK(told.breaks("what was refused is not delivered"));
  told.respond(1, true);
  told.read({story::entry_of(told.history_of(1, {told.attempt_of(1, 1, true)}))});
  CHECK(told.breaks("what was refused is not in the feed"));
}

TEST_CASE("what was answered `unavailable` may be there or not") {
  story told;
  told.judge.stopping();
  told.send(1);
  told.answer(1, refusal{errc::unavailable, ""});
  told.judge.events().not_found(1, told.now());
  told.send(2);
  told.answer(2, refusal{errc::unavailable, ""});
  told.request(1, 2);
  CHECK(told.well());
}

TEST_CASE("what is not there does not come back") {
  story told;
  told.send(1);
  told.judge.life_ended(told.now());
  told.judge.events().not_found(1, told.now());
  told.request(1, 1);
  CHECK(told.breaks("what is not there does not come back"));
}

TEST_CASE("only what was sent is delivered, kept and in the feed") {
  story told;
  told.request(1, 5);
  CHECK(told.breaks("only what was sent is delivered"));
  told.tell(told.history_of(6, {}));
  CHECK(told.breaks("only what was sent is kept"));
  told.read({story::entry_of(told.history_of(6, {told.attempt_of(1, 1, true)}))});
  CHECK(told.breaks("only what was sent is in the feed"));
}

// -- ids --------------------------------------------------------------------------------------------------------

TEST_CASE("a duplicate of what was accepted, or may have been, is one") {
  story told;
  told.accept(1);
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), true});
  told.send(3, id_of(9));
  told.send(4, id_of(9));
  told.answer(4, accepted{id_of(9), true});
  told.answer(3, accepted{id_of(9), false});
  CHECK(told.well());
}

TEST_CASE("a duplicate of nothing") {
  story told;
  told.send(1, id_of(1));
  told.answer(1, accepted{id_of(1), true});
  CHECK(told.breaks("a duplicate is as safe as its first"));
  story without_id;
  without_id.send(1);
  without_id.answer(1, accepted{id_of(1), true});
  CHECK(without_id.breaks("only a known id is a duplicate"));
}

TEST_CASE("a duplicate whose first is refused afterwards") {
  story told;
  told.send(1, id_of(1));
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), true});
  told.judge.disk_is(true, true, told.now());
  told.answer(1, refusal{errc::storage_full, ""});
  CHECK(told.breaks("a duplicate is as safe as its first"));
}

TEST_CASE("a duplicate whose first an audit does not find") {
  story told;
  told.send(1, id_of(1));
  told.judge.life_ended(told.now());
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), true});
  told.judge.events().not_found(1, told.now());
  told.judge.events().check_ids();
  CHECK(told.breaks("a duplicate is as safe as its first"));
}

TEST_CASE("a known id is accepted again") {
  story told;
  told.accept(1);
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), false});
  CHECK(told.breaks("a known id is a duplicate"));
}

TEST_CASE("an id may be accepted again once its retention has passed") {
  delivered_story told;
  told.pass(told.shape.retention_ms);
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), false});
  CHECK(told.well());
}

TEST_CASE("a known id is refused because the connector is disabled") {
  story told;
  told.accept(1);
  auto disabled = told.shape.connectors[0];
  disabled.enabled = false;
  told.judge.connectors().change_sent(0, disabled, true, told.now());
  told.judge.connectors().change_done(0, told.now());
  told.send(2, id_of(1));
  told.answer(2, refusal{errc::connector_disabled, ""});
  CHECK(told.breaks("a known id is a duplicate, also where it would be refused by now"));
}

TEST_CASE("the same id for another connector is a duplicate") {
  story told;
  told.judge.connectors().change_sent(1, told.shape.connectors[1], true, told.now());
  told.judge.connectors().change_done(1, told.now());
  told.accept(1);
  told.send(2, id_of(1), 1);
  told.answer(2, accepted{id_of(1), true});
  CHECK(told.breaks("the same id for another connector is another event"));
}

TEST_CASE("a duplicate is delivered as an event of its own") {
  story told;
  told.accept(1);
  told.send(2, id_of(1));
  told.answer(2, accepted{id_of(1), true});
  told.judge.events().requested(1, 2, id_of(1).to_string(), "{}", 1, told.now());
  CHECK(told.breaks("a duplicate delivers nothing new"));
}

TEST_CASE("an event changes its id") {
  story told;
  told.accept(1);
  told.judge.events().requested(1, 1, id_of(8).to_string(), "{}", 1, told.now());
  CHECK(told.breaks("an event keeps its id"));
}

// -- requests ---------------------------------------------------------------------------------------------------

TEST_CASE("a second request while the first is open") {
  story told;
  told.accept(1);
  told.request(1, 1);
  told.request(2, 1);
  CHECK(told.breaks("an event has one request in flight at a time"));
}

TEST_CASE("what was in flight when the node was killed is sent again") {
  story told;
  told.accept(1);
  told.request(1, 1, 1);
  told.judge.life_ended(told.now());
  told.judge.life_began(told.now());
  told.request(2, 1, 2);
  CHECK(told.well());
}

TEST_CASE("what was in flight when its supervisor died is sent again") {
  story told;
  told.accept(1);
  told.request(1, 1);
  told.judge.events().supervisor_died();
  told.request(2, 1);
  CHECK(told.well());
}

TEST_CASE("a request after the 2xx") {
  story told;
  told.accept(1);
  told.request(1, 1);
  told.respond(1, true);
  told.request(2, 1);
  CHECK(told.breaks("nothing comes after the end"));
}

TEST_CASE("a request in the next life after a 2xx that was recorded") {
  story told;
  told.accept(1);
  told.request(1, 1, 1);
  told.respond(1, true);
  told.settle();
  told.judge.life_ended(told.now());
  told.judge.life_began(told.now());
  told.request(2, 1, 2);
  CHECK(told.breaks("nothing comes after the end"));
}

TEST_CASE("a retry before half of its backoff, or before its Retry-After") {
  story early;
  early.accept(1);
  early.request(1, 1);
  early.respond(1, false);
  early.pass(499);
  early.request(2, 1);
  CHECK(early.breaks("no retry comes early"));
  story asked;
  asked.accept(1);
  asked.request(1, 1);
  asked.respond(1, false, 3'000);
  asked.pass(2'999);
  asked.request(2, 1);
  CHECK(asked.breaks("no retry comes early"));
  story on_time;
  on_time.accept(1);
  on_time.request(1, 1);
  on_time.respond(1, false);
  on_time.pass(500);
  on_time.request(2, 1);
  CHECK(on_time.well());
}

TEST_CASE("a body that differs from the first one") {
  story told;
  told.accept(1);
  told.request(1, 1);
  told.respond(1, false);
  told.pass(1'000);
  told.request(2, 1, 1, "{ }");
  CHECK(told.breaks("every attempt has the same body"));
}

TEST_CASE("a request to the old address, or of a disabled connector") {
  story told;
  auto moved = told.shape.connectors[0];
  moved.url = "https://elsewhere.example.com/hook";
  told.judge.connectors().change_sent(0, moved, true, told.now());
  told.judge.connectors().change_done(0, told.now());
  told.judge.connectors().check_request(0, "c0.example.com");
  CHECK(told.well()); // it was on its way
  told.rest();
  told.judge.connectors().check_request(0, "elsewhere.example.com");
  CHECK(told.well());
  told.judge.connectors().check_request(0, "c0.example.com");
  CHECK(told.breaks("a put of another address is followed"));
  moved.enabled = false;
  told.judge.connectors().change_sent(0, moved, true, told.now());
  told.judge.connectors().change_done(0, told.now());
  told.rest();
  told.judge.connectors().check_request(0, "elsewhere.example.com");
  CHECK(told.breaks("a disabled connector sends nothing"));
}

// -- histories --------------------------------------------------------------------------------------------------

TEST_CASE("an answered attempt is in no history") {
  delivered_story told;
  told.tell(told.history_of(1, {told.first}));
  CHECK(told.breaks("an attempt is recorded"));
}

TEST_CASE("a history that lost an attempt") {
  delivered_story told;
  told.tell(told.history_of(1, {told.first, told.second}));
  told.tell(told.history_of(1, {told.first}));
  CHECK(told.breaks("a history loses nothing"));
}

TEST_CASE("a history that was asked for before its last attempt was told may be without it") {
  delivered_story told;
  const auto asked = told.now();
  told.tell(told.history_of(1, {told.first, told.second}));
  auto older = told.history_of(1, {told.first, told.second});
  older.attempts.pop_back();
  older.summary.state = event_state::pending;
  told.judge.events().told(older, asked, told.now());
  CHECK(told.well());
}

TEST_CASE("attempts that are numbered wrongly, used twice, out of order or of nobody") {
  delivered_story numbered;
  auto second = numbered.second;
  second.number = 3;
  numbered.tell(numbered.history_of(1, {numbered.first, second}));
  CHECK(numbered.breaks("attempts are numbered from 1 on"));

  delivered_story changed;
  changed.tell(changed.history_of(1, {changed.first, changed.second}));
  auto other = changed.first;
  other.next_attempt_at = std::nullopt;
  changed.tell(changed.history_of(1, {other, changed.second}));
  CHECK(changed.breaks("no number is used twice"));

  delivered_story swapped;
  auto one = swapped.first;
  auto two = swapped.second;
  std::swap(one.response_body, two.response_body);
  swapped.tell(swapped.history_of(1, {one, two}));
  CHECK(swapped.breaks("attempts follow each other"));
  CHECK(swapped.breaks("an attempt tells what its endpoint answered"));

  delivered_story invented;
  auto nobody = invented.second;
  nobody.response_body = mark_of(99);
  invented.tell(invented.history_of(1, {invented.first, nobody}));
  CHECK(invented.breaks("an attempt was seen by its endpoint"));

  // One whose answer was cut tells its request by the time that it took.
  for (const std::int64_t request : {2, 99}) {
    delivered_story cut;
    auto short_one = cut.second;
    short_one.response_body.clear();
    short_one.response_truncated = true;
    short_one.phases.first_byte_us = request;
    cut.tell(cut.history_of(1, {cut.first, short_one}));
    CHECK(cut.breaks("an attempt was seen by its endpoint") == (request == 99));
  }

  delivered_story twice;
  auto again = twice.first;
  again.number = 2;
  twice.tell(twice.history_of(1, {twice.first, again}));
  CHECK(twice.breaks("a request is one attempt"));
}

TEST_CASE("an attempt that began before the due time of the one before says so") {
  delivered_story told;
  auto first = told.first;
  first.next_attempt_at = timestamp_ms{told.second.started_at.value + 1};
  told.tell(told.history_of(1, {first, told.second}));
  CHECK(told.breaks("no retry comes early"));
}

TEST_CASE("given up too early, and given up with reason") {
  story early;
  early.accept(1);
  early.request(1, 1);
  early.respond(1, false);
  early.tell(early.history_of(1, {early.attempt_of(1, 1, false)}));
  CHECK(early.breaks("an event is given up for its age or its attempts only"));
  story old;
  old.accept(1);
  old.pass(old.shape.connectors[0].retry.max_age_ms);
  old.request(1, 1);
  old.respond(1, false);
  old.tell(old.history_of(1, {old.attempt_of(1, 1, false)}));
  CHECK(old.well());
}

TEST_CASE("a state that does not fit, and one that changes after the end") {
  delivered_story told;
  auto history = told.history_of(1, {told.first, told.second});
  history.summary.state = event_state::pending;
  told.tell(history);
  CHECK(told.breaks("the state is that of the last attempt"));
  auto failed = told.second;
  failed.result = outcome::http_status;
  told.tell(told.history_of(1, {told.first, failed}));
  CHECK(told.breaks("what is settled stays so"));
}

TEST_CASE("a history with another run") {
  story told;
  told.accept(1);
  auto history = told.history_of(1, {});
  history.summary.run = "another";
  told.tell(history);
  CHECK(told.breaks("a history is that of its event"));
}

TEST_CASE("what was settled twice the retention ago is still told") {
  delivered_story told;
  const auto settled_before = told.time.wall_ms;
  told.pass(2 * told.shape.retention_ms);
  told.judge.events().retention_has_passed_for(settled_before);
  told.tell(told.history_of(1, {told.first, told.second}));
  CHECK(told.breaks("what is settled is forgotten after the retention"));
}

TEST_CASE("pending when everything should have drained") {
  story told;
  told.accept(1);
  told.tell(told.history_of(1, {}));
  told.judge.events().check_drained();
  CHECK(told.breaks("everything drains when the endpoints are well"));
}

// -- the feed ---------------------------------------------------------------------------------------------------

TEST_CASE("a feed that repeats, skips, or leaves out") {
  delivered_story repeats;
  const auto entry = story::entry_of(repeats.history_of(1, {repeats.first}));
  repeats.read({entry, entry});
  CHECK(repeats.breaks("the feed repeats nothing"));

  delivered_story skips;
  const auto last = skips.history_of(1, {skips.first, skips.second});
  skips.accept(2);
  skips.request(3, 2);
  skips.respond(3, false);
  auto third = skips.attempt_of(3, 3, false, 600);
  skips.read(
      {story::entry_of(skips.history_of(1, {skips.first})), story::entry_of(skips.history_of(1, {third}))});
  CHECK(skips.breaks("the feed tells attempts in their order"));

  delivered_story misses;
  misses.tell(last);
  misses.read({story::entry_of(misses.history_of(1, {misses.first}))});
  misses.judge.feed().check_complete(misses.judge.events());
  CHECK(misses.breaks("the feed is complete, or says that it is not"));
}

TEST_CASE("a gap for nothing, and one where retention took something") {
  delivered_story told;
  told.read({}, false, "first");
  told.read({}, true, "second");
  CHECK(told.breaks("a gap is told only where something is missing"));
  delivered_story old;
  old.read({}, false, "first");
  old.pass(old.shape.retention_ms);
  old.read({}, true, "second");
  old.tell(old.history_of(1, {old.first, old.second}));
  old.judge.feed().check_complete(old.judge.events());
  CHECK(old.well());
}

TEST_CASE("a cursor of a future that a restore took back") {
  story told;
  const auto copy = told.judge.take_copy(0);
  told.accept(1);
  told.request(1, 1);
  told.respond(1, true);
  told.read({story::entry_of(told.history_of(1, {told.attempt_of(1, 1, true)}))}, false, "later");
  told.judge.life_ended(told.now());
  told.judge.restored(copy, told.now());
  SECTION("is told a gap") {
    told.read({}, true, "again");
    CHECK(told.well());
  }
  SECTION("is told nothing") {
    told.read({}, false, "again");
    CHECK(told.breaks("a cursor of a future that was taken back is told a gap"));
  }
  SECTION("and what was accepted in it is unknown") {
    told.request(2, 1, 2);
    CHECK(told.breaks("only what was sent is delivered"));
  }
}

TEST_CASE("a cursor from before the copy that was put back needs no gap") {
  delivered_story told;
  told.read({story::entry_of(told.history_of(1, {told.first}))}, false, "early");
  const auto copy = told.judge.take_copy(2);
  told.judge.life_ended(told.now());
  told.judge.restored(copy, told.now());
  told.read({story::entry_of(told.history_of(1, {told.first, told.second}))}, false, "late");
  CHECK(told.well());
}

namespace {

/// What the two attempts of a delivered story take at most.
constexpr std::uint64_t two_attempts_bytes = 600;

event_history without_attempts(const delivered_story& told, std::uint32_t count) {
  auto history = told.history_of(1, {told.first, told.second});
  history.attempts.clear();
  history.attempts_dropped = count;
  return history;
}

} // namespace

TEST_CASE("attempts that are dropped beyond the bound, and what is wrong with others") {
  delivered_story told;
  told.shape.kept_history_bytes = two_attempts_bytes - 1;
  told.tell(told.history_of(1, {told.first, told.second}));
  told.settle();
  told.tell(without_attempts(told, 2));
  CHECK(told.well());

  delivered_story within;
  within.shape.kept_history_bytes = two_attempts_bytes;
  within.tell(without_attempts(within, 2));
  CHECK(within.breaks("attempts are dropped only beyond their bound"));

  delivered_story fewer;
  fewer.shape.kept_history_bytes = 1;
  fewer.tell(fewer.history_of(1, {fewer.first, fewer.second}));
  fewer.tell(without_attempts(fewer, 1));
  CHECK(fewer.breaks("a history loses nothing"));

  delivered_story unrecorded;
  unrecorded.shape.kept_history_bytes = 1;
  unrecorded.settle();
  unrecorded.tell(without_attempts(unrecorded, 1));
  CHECK(unrecorded.breaks("an attempt is recorded"));

  delivered_story pending;
  pending.shape.kept_history_bytes = 1;
  auto history = without_attempts(pending, 2);
  history.summary.state = event_state::pending;
  pending.tell(history);
  CHECK(pending.breaks("what is pending keeps its attempts"));

  delivered_story some;
  some.shape.kept_history_bytes = 1;
  history = without_attempts(some, 2);
  history.attempts = {some.first};
  some.tell(history);
  CHECK(some.breaks("attempts are dropped together"));

  delivered_story otherwise;
  otherwise.shape.kept_history_bytes = 1;
  otherwise.tell(otherwise.history_of(1, {otherwise.first, otherwise.second}));
  history = without_attempts(otherwise, 2);
  history.summary.state = event_state::failed;
  otherwise.tell(history);
  CHECK(otherwise.breaks("what is settled stays so"));
}

TEST_CASE("an answer that is dropped within the bound") {
  for (const std::uint64_t bound : {two_attempts_bytes - 1, two_attempts_bytes}) {
    delivered_story told;
    told.shape.kept_history_bytes = bound;
    auto cut = told.second;
    cut.response_body.clear();
    cut.response_truncated = true;
    cut.response_body_bytes = 3;
    cut.phases.first_byte_us = 2;
    told.tell(told.history_of(1, {told.first, cut}));
    CHECK(told.breaks("answers are dropped only beyond their bound") == (bound == two_attempts_bytes));
  }
}

TEST_CASE("a gap where the bound on histories took something, and where it did not, and none where it did") {
  for (const std::uint64_t bound : {two_attempts_bytes - 1, two_attempts_bytes}) {
    delivered_story told;
    told.shape.kept_history_bytes = bound;
    told.read({}, false, "first");
    told.read({}, true, "second");
    CHECK(told.breaks("a gap is told only where something is missing") == (bound == two_attempts_bytes));
  }
  delivered_story silent;
  silent.read({story::entry_of(silent.history_of(1, {silent.first}))}, false, "first");
  silent.shape.kept_history_bytes = two_attempts_bytes - 1; // from here on something may be dropped
  silent.tell(silent.history_of(1, {silent.first, silent.second}));
  silent.read({}, false, "second");
  silent.judge.feed().check_complete(silent.judge.events());
  CHECK(silent.breaks("the feed is complete, or says that it is not"));
}

// -- connectors, status, disk and lives ---------------------------------------------------------------------------

TEST_CASE("an event is refused without a reason") {
  for (const auto code : {errc::unknown_connector, errc::connector_disabled, errc::filtered}) {
    story told;
    told.send(1);
    told.answer(1, refusal{code, ""});
    CHECK(told.breaks("an event is refused for a reason"));
  }
}

TEST_CASE("a put that is lost") {
  story told;
  const auto asked = told.now();
  told.judge.connectors().shown(0, nullptr, asked, told.now());
  CHECK(told.breaks("a connector is what the last put made of it"));
}

TEST_CASE("a put whose answer was lost may have happened or not, and is known once it is shown") {
  story told;
  auto moved = told.shape.connectors[0];
  moved.enabled = false;
  told.judge.connectors().change_sent(0, moved, true, told.now());
  told.judge.life_ended(told.now());
  const auto asked = told.now();
  told.judge.connectors().shown(0, &moved, asked, told.now());
  CHECK(told.well());
  const auto again = told.now();
  told.judge.connectors().shown(0, &told.shape.connectors[0], again, told.now());
  CHECK(told.breaks("a connector is what the last put made of it"));
}

TEST_CASE("a connector is deleted while an event waits for it") {
  story told;
  told.accept(1);
  const auto sent = told.now();
  told.judge.connectors().change_sent(0, told.shape.connectors[0], false, sent);
  told.judge.deleted(0, false, sent, told.now());
  CHECK(told.breaks("a connector is not deleted while events wait for it"));
}

TEST_CASE("a delete by force fails what waits, and nothing else does") {
  story told;
  told.accept(1);
  told.accept(2);
  auto given_up = told.attempt_of(1, 0, false);
  given_up.result = outcome::blocked;
  given_up.response_body.clear();
  given_up.error = "not sent: the connector was deleted with what was pending for it";
  const auto erase = [&] {
    const auto sent = told.now();
    told.judge.events().forced_delete_sent(0, sent);
    told.judge.connectors().change_sent(0, told.shape.connectors[0], false, sent);
    told.judge.deleted(0, true, sent, told.now());
  };
  SECTION("all of them") {
    erase();
    told.tell(told.history_of(1, {given_up}));
    told.tell(told.history_of(2, {given_up}));
    CHECK(told.judge.complaints().empty());
  }
  SECTION("one stays pending") {
    erase();
    told.tell(told.history_of(1, {given_up}));
    told.tell(told.history_of(2, {}));
    CHECK(told.breaks("a delete by force leaves nothing pending"));
  }
  SECTION("without one") {
    told.tell(told.history_of(1, {given_up}));
    CHECK(told.breaks("only a delete by force gives up what could be sent"));
  }
  SECTION("one that was sent when it was done") {
    erase();
    told.accept(3);
    told.tell(told.history_of(3, {given_up}));
    CHECK(told.breaks("only a delete by force gives up what could be sent"));
  }
  SECTION("and it is tried again all the same") {
    erase();
    given_up.next_attempt_at = timestamp_ms{told.time.wall_ms + 1'000};
    told.tell(told.history_of(1, {given_up}));
    CHECK(told.breaks("what is given up is not tried again"));
  }
}

TEST_CASE("a status that is not a count") {
  story told;
  told.accept(1);
  node_status status;
  status.connectors_configured = 1;
  told.judge.told(status, {});
  CHECK(told.breaks("the status agrees with a count"));
  story right;
  right.accept(1);
  connector_status one;
  one.id = right.shape.connectors[0].id;
  one.pending = 1;
  one.in_flight = 1;
  one.oldest_pending_at = timestamp_ms{right.now().wall_ms};
  status.connectors.push_back(one);
  partition_status partition;
  partition.pending = 1;
  partition.in_flight = 1;
  status.partitions.push_back(partition);
  right.judge.told(status, {{0, 1}});
  CHECK(right.well());
  status.partitions[0].counting = true;
  right.judge.told(status, {{0, 1}});
  CHECK(right.breaks("what a start finds is counted"));
  story ageless;
  ageless.accept(1);
  status.partitions[0].counting = false;
  status.connectors[0].oldest_pending_at.reset();
  ageless.judge.told(status, {{0, 1}});
  CHECK(ageless.breaks("the status agrees with a count"));
  story less_in_flight;
  less_in_flight.accept(1);
  status.connectors[0].oldest_pending_at = timestamp_ms{less_in_flight.now().wall_ms};
  status.partitions[0].in_flight = 0;
  less_in_flight.judge.told(status, {{0, 1}});
  CHECK(less_in_flight.breaks("the status agrees with a count"));
}

TEST_CASE("storage_full without a full disk, and long after it had room again") {
  story never_full;
  never_full.send(1);
  never_full.answer(1, refusal{errc::storage_full, ""});
  CHECK(never_full.breaks("the disk has room again, and the node takes events again without a restart"));
  story late;
  late.judge.disk_is(true, true, late.now());
  late.judge.disk_is(false, false, late.now());
  late.pass(3'000);
  late.send(1);
  late.answer(1, refusal{errc::storage_full, ""});
  CHECK(late.breaks("the disk has room again, and the node takes events again without a restart"));
  story soon;
  soon.judge.disk_is(true, true, soon.now());
  soon.judge.disk_is(false, false, soon.now());
  soon.pass(500);
  soon.send(1);
  soon.answer(1, refusal{errc::storage_full, ""});
  CHECK(soon.well());
}

TEST_CASE("below the reserve events are refused, and puts of known connectors are not") {
  story told;
  told.judge.disk_is(false, true, told.now());
  told.send(1);
  told.answer(1, refusal{errc::storage_full, ""});
  CHECK(told.well());
  const auto sent = told.now();
  told.judge.connectors().change_sent(0, told.shape.connectors[0], true, sent);
  told.judge.change_refused(0, operation::put_connector, {errc::storage_full, ""}, sent, told.now());
  CHECK(told.breaks("below the reserve, known connectors are still put and deleted"));
}

TEST_CASE("a squeezed disk on which room was missing is full until somebody makes room, however often it is "
          "squeezed") {
  story told;
  const auto put_is_refused = [&] {
    const auto sent = told.now();
    told.judge.connectors().change_sent(0, told.shape.connectors[0], true, sent);
    told.judge.change_refused(0, operation::put_connector, {errc::storage_full, ""}, sent, told.now());
  };
  told.judge.disk_is(false, true, told.now());
  told.judge.room_was_missing(told.now());
  told.pass(5'000);
  told.judge.disk_is(false, true, told.now());
  put_is_refused();
  CHECK(told.well());
  told.judge.disk_is(false, false, told.now());
  told.pass(5'000);
  told.judge.disk_is(false, true, told.now());
  put_is_refused();
  CHECK(told.breaks("below the reserve, known connectors are still put and deleted"));
}

TEST_CASE("unavailable, overloaded and invalid without a reason") {
  story told;
  told.send(1);
  told.answer(1, refusal{errc::unavailable, ""});
  CHECK(told.breaks("a node that runs is there"));
  told.send(2);
  told.answer(2, refusal{errc::overloaded, ""});
  CHECK(told.breaks("little is not too much"));
  const auto sent = told.now();
  told.judge.connectors().change_sent(0, told.shape.connectors[0], true, sent);
  told.judge.change_refused(0, operation::put_connector, {errc::invalid_connector, ""}, sent, told.now());
  CHECK(told.breaks("a put that is well-formed is taken"));
}

TEST_CASE("a delete that finds nothing where a connector is") {
  story told;
  const auto sent = told.now();
  told.judge.connectors().change_sent(0, told.shape.connectors[0], false, sent);
  told.judge.change_refused(0, operation::delete_connector, {errc::not_found, ""}, sent, told.now());
  CHECK(told.breaks("a connector that was put is there"));
}

TEST_CASE("a node that ends for a full disk, and one that does not end for a failed sync") {
  story full;
  full.judge.room_was_missing(full.now());
  full.judge.node_failed("no space left", full.now());
  CHECK(full.breaks("a node ends only for what it can't live with"));
  story failing;
  failing.judge.something_serious_failed();
  failing.judge.commit_sync_failed();
  failing.rest();
  CHECK(failing.breaks("a failed sync ends the node"));
  story right;
  right.judge.something_serious_failed();
  right.judge.commit_sync_failed();
  right.judge.node_failed("sync failed", right.now());
  right.rest();
  CHECK(right.well());
}

TEST_CASE("a node that failed acknowledges nothing that came later, and calls nothing full") {
  story told;
  told.judge.something_serious_failed();
  told.judge.node_failed("sync failed", told.now());
  told.accept(1);
  CHECK(told.breaks("a store that failed acknowledges nothing"));
  told.send(2);
  told.answer(2, refusal{errc::storage_full, ""});
  CHECK(told.breaks("a store that failed is not called full"));
}

TEST_CASE("a node that does not start on what a crash has left") {
  story told;
  told.judge.start_failed("damaged", true);
  CHECK(told.well());
  told.judge.start_failed("damaged", false);
  CHECK(told.breaks("a node starts on what a crash has left"));
}

// -- filters, rules and triggers ------------------------------------------------------------------------------

TEST_CASE("what a filter refuses is neither accepted nor sent") {
  story told;
  auto with_filter = told.shape.connectors[0];
  with_filter.filter_json = text_of(filter_form::by_name);
  told.judge.connectors().change_sent(0, with_filter, true, told.now());
  told.judge.connectors().change_done(0, told.now());
  const auto arrive = [&](std::uint64_t number, std::uint64_t serial) {
    told.judge.arrived(number, serial, 0, id_of(static_cast<std::uint8_t>(serial)).to_string(),
                       R"({"data":)" + data_of(look_of(serial).kind, 3) + "}", 1, told.now(), "c0");
  };
  told.accept(13);
  arrive(1, 13);
  told.send(14, id_of(14));
  told.answer(14, refusal{errc::filtered, "why"});
  CHECK(told.well());
  told.send(24, id_of(24));
  arrive(2, 24); // its answer is still to come
  CHECK(told.breaks("what a filter refuses is never sent"));
  CHECK_FALSE(told.breaks("what a filter refuses is never accepted"));
  told.answer(24, accepted{id_of(24), false});
  CHECK(told.breaks("what a filter refuses is never accepted"));
}

namespace {

/// Rule 0 is there by a change that `draw_rule` makes one with two actions for c0; trigger 640 is on its way.
struct triggered_story : story {
  std::uint64_t number = 1;
  planned_trigger sent{640, id_of(99), 1, 20};

  triggered_story() {
    shape.rule_seed = 5;
    shape.rule_targets = {0};
    while (!draws_two(number))
      ++number;
    REQUIRE(judge.rules().begin(0, number, false, now().order));
    judge.rule_done(0, number, false, time, now());
    judge.trigger_sent(sent, 10, now());
  }
  [[nodiscard]] bool draws_two(std::uint64_t which) const {
    const auto form = draw_rule(shape.rule_seed, which, shape.rule_targets);
    return form.matches({640, 1}) && form.actions.size() == 2;
  }
  [[nodiscard]] static triggered_event event_of(std::uint32_t action, std::uint8_t id,
                                                bool duplicate = false) {
    return {{"c0"}, {"rule-0"}, action, accepted{id_of(id), duplicate}};
  }
  void answer_trigger(bool duplicate = false) {
    judge.trigger_answered(640, trigger_result{id_of(99), {event_of(0, 1, duplicate), event_of(1, 2)}},
                           now());
  }
  /// Of the event with this id, as one of the trigger.
  void tell_of(std::uint8_t id) {
    event_history history;
    history.summary.id = id_of(id);
    history.summary.connector = shape.connectors[0].id;
    history.summary.event = event_name_of(640);
    history.summary.run = run_of(10);
    tell(history);
  }
  /// An audit that finds nothing more.
  void miss_the_rest(const std::set<std::uint64_t>& there) {
    for (const auto serial : judge.events().of_action(10))
      if (!there.contains(serial))
        judge.events().not_found(serial, now());
    judge.events().check_ids();
  }
};

} // namespace

TEST_CASE("events of a trigger are known by their ids, whenever the node speaks of them") {
  triggered_story told;
  told.tell_of(2); // before the answer
  told.answer_trigger();
  told.tell_of(1);
  CHECK(told.judge.events().of_action(10) == std::vector<std::uint64_t>{640, 641});
  told.miss_the_rest({640, 641});
  CHECK(told.well());
}

TEST_CASE("a trigger that was answered is everywhere") {
  triggered_story told;
  told.answer_trigger();
  told.miss_the_rest({640});
  CHECK(told.breaks("what was accepted is kept"));
  triggered_story duplicate;
  duplicate.answer_trigger(true);
  duplicate.tell_of(2);
  CHECK(duplicate.well());
  duplicate.miss_the_rest({641});
  CHECK(duplicate.breaks("a trigger that was answered is everywhere"));
}

TEST_CASE("what an answer to a trigger does not name is not there") {
  triggered_story before;
  before.tell_of(3);
  CHECK(before.well());
  before.answer_trigger();
  CHECK(before.breaks("the answer to a trigger names all that is there"));
  triggered_story after;
  after.answer_trigger();
  after.tell_of(3);
  CHECK(after.breaks("what was refused is not kept"));
  triggered_story refused;
  refused.judge.trigger_answered(640, refusal{errc::overloaded, "why"}, refused.now());
  refused.tell_of(3);
  CHECK(refused.breaks("what was refused is not kept"));
}

TEST_CASE("of a trigger without an answer some may be there, and some not") {
  triggered_story told;
  told.judge.life_ended(told.now());
  told.tell_of(1);
  told.miss_the_rest({640});
  CHECK(told.well());
}

TEST_CASE("a trigger is refused for a reason") {
  triggered_story told;
  told.judge.trigger_answered(640, refusal{errc::unavailable, "why"}, told.now());
  CHECK(told.breaks("a node that runs is there"));
  triggered_story full;
  full.judge.disk_is(true, false, full.now());
  full.pass(10'000);
  full.judge.trigger_answered(640, refusal{errc::unavailable, "why"}, full.now());
  CHECK(full.well());
  triggered_story early;
  early.judge.disk_is(true, false, early.now());
  early.pass(9'000);
  early.judge.trigger_answered(640, refusal{errc::unavailable, "why"}, early.now());
  CHECK(early.breaks("a trigger waits 10 s for room"));
}

TEST_CASE("a connector that rules name is not deleted, and a refusal that says so is true") {
  triggered_story told;
  const auto remove = [&told] {
    const auto sent = told.now();
    told.judge.connectors().change_sent(0, told.shape.connectors[0], false, sent);
    return sent;
  };
  const refusal named{errc::connector_busy, "rules name connector 'c0': 'rule-0'"};
  told.judge.change_refused(0, operation::delete_connector, named, remove(), told.now());
  CHECK(told.well());
  told.judge.deleted(0, false, remove(), told.now());
  CHECK(told.breaks("a connector that rules name is not deleted"));
  triggered_story free;
  REQUIRE(free.judge.rules().begin(0, free.number + 1, true, free.now().order));
  free.judge.rule_done(0, free.number + 1, true, free.time, free.now());
  const auto sent = free.now();
  free.judge.connectors().change_sent(0, free.shape.connectors[0], false, sent);
  free.judge.change_refused(0, operation::delete_connector, named, sent, free.now());
  CHECK(free.breaks("a delete is refused for a reason"));
}

TEST_CASE("a rule names connectors that exist, and is refused only where one does not") {
  triggered_story told;
  const auto put = [&told] {
    ++told.number;
    REQUIRE(told.judge.rules().begin(0, told.number, false, told.now().order));
    return told.time;
  };
  const refusal missing{errc::unknown_connector, "why"};
  const auto refused = put();
  told.judge.rule_refused(0, told.number, false, missing, refused, told.now());
  CHECK(told.breaks("a rule is refused for a reason"));
  const auto sent = told.now();
  told.judge.connectors().change_sent(0, told.shape.connectors[0], false, sent);
  told.judge.connectors().change_done(0, told.now());
  CHECK_FALSE(told.breaks("a rule names connectors that exist"));
  const auto done = put();
  told.judge.rule_done(0, told.number, false, done, told.now());
  CHECK(told.breaks("a rule names connectors that exist"));
}

} // namespace vicket::sim
