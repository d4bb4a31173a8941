#include "tests/crash/delivery_oracle.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vicket::crash {

namespace {

/// A run made up: two lives, the first ended by a kill at 20,000, and one event of connector `flaky` (base 50
/// ms, timeout 2,000 ms) that was attempted twice: 500, then 200. Without a change it violates nothing.
struct made_up_run {
  plan promises{1};
  std::vector<node_life> lives{{{10'000}, {20'000}, true}, {{20'100}, {40'000}, false}};
  send_to_connector sent = event_of(promises, "flaky");
  std::vector<send_record> sends{{1, {10'500}}};
  std::vector<answer_record> answers{{1, accepted{*sent.id, false}, {10'510}}};
  std::vector<request_record> requests{request(10'600, 500), request(11'000, 200)};
  std::optional<event_history> history = history_of({failed(1, 10'600, 11'000), delivered(2, 11'000)});
  std::optional<std::vector<outcome_entry>> feed;     ///< absent: as the history has it
  std::optional<std::vector<outcome_entry>> followed; ///< likewise

  static send_to_connector event_of(const plan& promises, const std::string& connector) {
    for (std::uint64_t serial = 1; serial < 10'000; ++serial)
      if (auto event = promises.event(serial); event.id && event.connector.value == connector) {
        event.run = "run-1"; // whatever its serial number in the plan was
        event.data_json = R"({"serial":1,"text":"a \"b\" ü"})";
        event.message = "done";
        event.occurred_at = {1'779'546'071'412};
        return event;
      }
    throw std::logic_error{"the plan has no event for " + connector};
  }

  [[nodiscard]] std::string body() const {
    return R"({"id":")" + sent.id->to_string() + R"(","event":")" + sent.event +
           R"(","occurred_at":"2026-05-23T14:21:11.412Z","data":{"serial":1,"text":"a \"b\" ü","message":"done"}})";
  }

  [[nodiscard]] request_record request(std::int64_t at, std::uint16_t status) const {
    request_record made;
    made.connector = sent.connector.value;
    made.id = sent.id->to_string();
    made.body = body();
    made.body_sha256 = "digest of the body";
    made.signed_at_s = at / 1'000;
    made.vicket_signature_good = made.standard_signature_good = made.head_good = true;
    made.connection_accepted_at = {at + 1};
    made.arrived_at = {at + 2};
    made.answer.kind = status == 200 ? reply::ok : reply::server_error;
    made.answer.status = status;
    made.finished = made.written = true;
    made.finished_at = {at + 3};
    return made;
  }

  static attempt delivered(std::uint32_t number, std::int64_t at) {
    attempt made;
    made.number = number;
    made.started_at = {at};
    made.duration_us = 5'000;
    made.result = outcome::delivered;
    made.status = 200;
    return made;
  }

  static attempt failed(std::uint32_t number, std::int64_t at, std::int64_t next) {
    auto made = delivered(number, at);
    made.result = outcome::http_status;
    made.status = 500;
    made.error = "status 500";
    made.next_attempt_at = timestamp_ms{next};
    return made;
  }

  [[nodiscard]] event_history history_of(std::vector<attempt> attempts) const {
    event_history made;
    made.summary = {*sent.id, sent.connector,         sent.event, sent.workflow,
                    sent.run, event_state::delivered, {10'505},   std::nullopt};
    if (attempts.empty() || attempts.back().result != outcome::delivered) {
      made.summary.state = event_state::pending;
      made.summary.next_attempt_at =
          attempts.empty() ? timestamp_ms{10'505} : attempts.back().next_attempt_at;
    }
    made.attempts = std::move(attempts);
    return made;
  }

  [[nodiscard]] std::vector<outcome_entry> entries() const {
    std::vector<outcome_entry> made;
    for (const auto& one : history ? history->attempts : std::vector<attempt>{}) {
      outcome_entry entry{history->summary, one, "cursor"};
      entry.summary.next_attempt_at = one.next_attempt_at;
      entry.summary.state = one.result == outcome::delivered ? event_state::delivered
                            : one.next_attempt_at            ? event_state::pending
                                                             : event_state::failed;
      made.push_back(std::move(entry));
    }
    return made;
  }

  [[nodiscard]] delivery_oracle oracle() const {
    delivery_oracle made{promises, [this](std::uint64_t) { return sent; }};
    for (const auto& one : sends)
      made.add(one);
    for (const auto& one : answers)
      made.add(one);
    for (const auto& one : feed.value_or(entries()))
      made.add_feed(one);
    for (const auto& one : followed.value_or(entries()))
      made.add_followed(one);
    for (const auto& one : requests)
      made.add(one);
    for (const auto& id : made.ids())
      made.add_history(id, history);
    for (const auto& one : lives)
      made.add(one);
    return made;
  }

  [[nodiscard]] std::vector<violation> found() const { return oracle().check(); }
};

bool has(const std::vector<violation>& found, const std::string& rule) {
  return std::any_of(found.begin(), found.end(), [&](const violation& one) { return one.rule == rule; });
}

const std::string lost_rule = "every accepted id was delivered or is pending";
const std::string early_rule = "no retry comes earlier than its stored due time";
const std::string number_rule = "attempt numbers never fall and have no gap";
const std::string duplicate_rule = "duplicates only of deliveries that were in flight at a kill";

} // namespace

TEST_CASE("a run in which all promises were kept has no violation") {
  const made_up_run run;
  auto oracle = run.oracle();
  CHECK(oracle.check().empty());
  CHECK(oracle.counted().delivered == 1);
  CHECK(oracle.counted().retries == 1);
  CHECK(oracle.counted().in_flight_duplicates == 0);
}

TEST_CASE("every accepted id was delivered or is pending") {
  made_up_run run;
  SECTION("the node does not know it any more") {
    run.history.reset();
    run.requests.clear();
    CHECK(has(run.found(), lost_rule));
  }
  SECTION("the history says delivered, but no receiver has answered 2xx") {
    run.requests.pop_back();
    CHECK(has(run.found(), lost_rule));
  }
  SECTION("it is pending for ever, though its receiver is well") {
    run.history = run.history_of({made_up_run::failed(1, 10'600, 11'000)});
    run.requests.pop_back();
    CHECK(has(run.found(), lost_rule));
  }
  SECTION("it failed, though its connector never gives up") {
    run.history->attempts.pop_back();
    run.history->attempts.back().next_attempt_at.reset();
    run.history->summary.state = event_state::failed;
    run.requests.pop_back();
    CHECK(has(run.found(), lost_rule));
  }
  SECTION("it is pending without a due time") {
    run.sent = made_up_run::event_of(run.promises, "never-well");
    run.answers = {{1, accepted{*run.sent.id, false}, {10'510}}};
    run.requests.clear();
    run.history = run.history_of({});
    CHECK(run.found().empty());
    run.history->summary.next_attempt_at.reset();
    CHECK(has(run.found(), lost_rule));
  }
}

TEST_CASE("an event fails only after its connector's number of attempts") {
  made_up_run run;
  run.sent = made_up_run::event_of(run.promises, "gives-up");
  run.answers = {{1, accepted{*run.sent.id, false}, {10'510}}};
  run.requests.clear();
  std::vector<attempt> attempts;
  for (std::uint32_t number = 1; number <= 4; ++number) {
    const std::int64_t at = 11'000 + 1'000 * number;
    run.requests.push_back(run.request(at, 500));
    attempts.push_back(made_up_run::failed(number, at, at + 1'000));
  }
  attempts.back().next_attempt_at.reset();
  run.history = run.history_of(attempts);
  run.history->summary.state = event_state::failed;
  CHECK(run.found().empty());
  run.history->attempts.erase(run.history->attempts.begin() + 2);
  run.history->attempts[2].number = 3;
  CHECK(has(run.found(), "an event fails after its connector's number of attempts"));
}

TEST_CASE("an id that was sent but never answered may be kept or not") {
  made_up_run run;
  run.answers.clear();
  auto kept = run.oracle();
  CHECK(kept.check().empty());
  CHECK(kept.counted().unanswered_but_kept == 1);
  run.history.reset();
  run.requests.clear();
  CHECK(run.found().empty());
  run.requests = {run.request(10'600, 200)};
  CHECK(has(run.found(), "nothing is delivered that is not kept"));
}

TEST_CASE("the same id again answers duplicate") {
  made_up_run run;
  run.sends.push_back({1, {10'550}});
  run.answers.push_back({1, accepted{*run.sent.id, true}, {10'560}});
  CHECK(run.found().empty());
  SECTION("not accepted as new twice") {
    run.answers.back().result = accepted{*run.sent.id, false};
    CHECK(has(run.found(), "the same id again answers duplicate"));
  }
  SECTION("not called a duplicate at once") {
    run.answers.front().result = accepted{*run.sent.id, true};
    CHECK(has(run.found(), "an event is a duplicate only of one that was sent before"));
    run.sends.push_back({1, {10'400}}); // but an unanswered send came before
    CHECK(run.found().empty());
  }
  SECTION("not refused, however its connector is by now") {
    run.answers.back().result = refusal{errc::connector_disabled, "no"};
    CHECK(has(run.found(), "the same id again answers duplicate"));
    run.answers.back().result = refusal{errc::overloaded, "not now"};
    CHECK(run.found().empty());
  }
  SECTION("under the id that was sent") {
    run.answers.back().result = accepted{event_id{}, true};
    CHECK(has(run.found(), "an answer is about the event that was sent"));
  }
}

TEST_CASE("a valid event is accepted, or refused because there is too much") {
  made_up_run run;
  run.sends.push_back({1, {10'400}});
  run.answers.push_back({1, refusal{errc::overloaded, "later"}, {10'401}});
  CHECK(run.found().empty());
  run.answers.back().result = refusal{errc::invalid_event, "no"};
  CHECK(has(run.found(), "a valid event is accepted"));
}

TEST_CASE("bodies and connectors match") {
  made_up_run run;
  SECTION("the bytes change between two attempts") {
    run.requests[1].body_sha256 = "another";
    CHECK(has(run.found(), "the same bytes on every attempt"));
  }
  const auto change = [&](const std::string& from, const std::string& to) {
    for (auto& one : run.requests)
      one.body.replace(one.body.find(from), from.size(), to);
    return has(run.found(), "the body is what was sent");
  };
  SECTION("the data") {
    CHECK(change(R"("text":"a)", R"("text":"b)"));
  }
  SECTION("the message") {
    CHECK(change(R"(,"message":"done")", ""));
  }
  SECTION("the time") {
    CHECK(change("11.412Z", "11.413Z"));
  }
  SECTION("the event") {
    CHECK(change("\"event\":\"ticket", "\"event\":\"packet"));
  }
  SECTION("the order of the fields") {
    CHECK(change(R"("event")", R"("evens")"));
  }
  SECTION("another field") {
    CHECK(change(R"("data":)", R"("more":1,"data":)"));
  }
  SECTION("not JSON") {
    CHECK(change("{", "["));
  }
  SECTION("another connector's path") {
    run.requests[0].connector = "steady";
    CHECK(has(run.found(), "the connector matches"));
  }
  SECTION("another connector in the history") {
    run.history->summary.connector.value = "steady";
    CHECK(has(run.found(), "the history shows the event as it was sent"));
  }
}

TEST_CASE("every request is signed, with the time of its attempt") {
  made_up_run run;
  SECTION("X-Vicket-Signature") {
    run.requests[1].vicket_signature_good = false;
    CHECK(has(run.found(), "every request carries a good X-Vicket-Signature"));
  }
  SECTION("webhook-signature") {
    run.requests[1].standard_signature_good = false;
    CHECK(has(run.found(), "every request carries a good webhook-signature"));
  }
  SECTION("the other headers") {
    run.requests[0].head_good = false;
    CHECK(has(run.found(), "every request carries the documented headers"));
  }
  SECTION("an old time") {
    run.requests[0].signed_at_s -= 60;
    CHECK(has(run.found(), "t is the time of the attempt"));
  }
}

TEST_CASE("attempt numbers never fall") {
  made_up_run run;
  SECTION("the count starts over") {
    run.history->attempts[1].number = 1;
    CHECK(has(run.found(), number_rule));
  }
  SECTION("there is a gap") {
    run.history->attempts[1].number = 3;
    CHECK(has(run.found(), number_rule));
  }
}

TEST_CASE("no retry comes earlier than its stored due time") {
  made_up_run run;
  SECTION("by a millisecond") {
    run.history->attempts[0].next_attempt_at = timestamp_ms{11'001};
    CHECK(has(run.found(), early_rule));
  }
  SECTION("nor one that was never due") {
    run.history->attempts[0].next_attempt_at.reset();
    CHECK(has(run.found(), early_rule));
  }
  SECTION("nor one of which only the receiver knows") {
    // given a retry in flight at the kill, unrecorded, and made again by the next life
    run.requests = {run.request(10'600, 500), run.request(19'000, 200), run.request(20'500, 200)};
    run.history = run.history_of({made_up_run::failed(1, 10'600, 19'000), made_up_run::delivered(2, 20'500)});
    CHECK(run.found().empty());
    run.history->attempts[0].next_attempt_at = timestamp_ms{19'500};
    CHECK(has(run.found(), early_rule));
  }
  SECTION("and the due time itself leaves the backoff") {
    run.history->attempts[0].next_attempt_at = timestamp_ms{10'620};
    CHECK(has(run.found(), "the stored due time follows the connector's backoff"));
  }
}

TEST_CASE("Retry-After is a floor of the stored due time") {
  made_up_run run;
  run.requests[0].answer.retry_after_s = 1;
  run.requests[1] = run.request(11'700, 200);
  run.history = run.history_of({made_up_run::failed(1, 10'600, 11'600), made_up_run::delivered(2, 11'700)});
  CHECK(run.found().empty());
  run.history->attempts[0].next_attempt_at = timestamp_ms{11'500};
  CHECK(has(run.found(), "Retry-After is a floor"));
}

TEST_CASE("duplicates only of deliveries that were in flight at a kill") {
  made_up_run run;
  SECTION("one unrecorded request before the kill is allowed, and counted") {
    run.requests = {run.request(10'600, 500), run.request(19'900, 200), run.request(20'500, 200)};
    run.history = run.history_of({made_up_run::failed(1, 10'600, 19'000), made_up_run::delivered(2, 20'500)});
    auto oracle = run.oracle();
    CHECK(oracle.check().empty());
    CHECK(oracle.counted().in_flight_duplicates == 1);

    AND_WHEN("there are two of them before the same kill") {
      run.requests.push_back(run.request(19'950, 200));
      CHECK(has(run.found(), duplicate_rule));
    }
    AND_WHEN("the node was stopped with SIGTERM instead") {
      run.lives[0].killed = false;
      CHECK(has(run.found(), duplicate_rule));
    }
    AND_WHEN("the kill came long after it") {
      run.requests[1] = run.request(15'000, 200);
      run.history->attempts[0].next_attempt_at = timestamp_ms{14'000};
      CHECK(has(run.found(), duplicate_rule));
    }
    AND_WHEN("it was answered long before the kill, which is time enough for a commit") {
      run.requests[1] = run.request(17'900, 200);
      run.history->attempts[0].next_attempt_at = timestamp_ms{17'000};
      CHECK(has(run.found(), duplicate_rule));
    }
    AND_WHEN("the same node made an attempt after it") {
      run.history =
          run.history_of({made_up_run::failed(1, 10'600, 19'000), made_up_run::failed(2, 19'990, 20'400),
                          made_up_run::delivered(3, 20'500)});
      run.requests.push_back(run.request(19'990, 500));
      CHECK(has(run.found(), duplicate_rule));
    }
    AND_WHEN("it was read after the kill from a connection that was made before") {
      run.requests[1].arrived_at = {20'120};
      CHECK(run.found().empty());
    }
    AND_WHEN("it came over a connection of the next life") {
      run.requests[1] = run.request(20'300, 200);
      CHECK(has(run.found(), duplicate_rule));
    }
  }
  SECTION("a second request after the recorded delivery is not") {
    run.requests.push_back(run.request(19'900, 200));
    CHECK(has(run.found(), early_rule));
    run.requests.back() = run.request(20'300, 200);
    CHECK(has(run.found(), duplicate_rule));
  }
  SECTION("two requests at once without a kill are not") {
    run.requests.push_back(run.request(11'001, 200));
    CHECK(has(run.found(), duplicate_rule));
  }
  SECTION("a request that was repeated because its pooled connection was closed is of the same attempt") {
    auto replaced = run.request(10'600, 0);
    replaced.answer.kind = reply::close_before_answer;
    replaced.request_on_connection = 2;
    run.requests.insert(run.requests.begin(), replaced);
    auto oracle = run.oracle();
    CHECK(oracle.check().empty());
    CHECK(oracle.counted().replaced_requests == 1);
    run.requests.front().answer = run.requests.back().answer; // also where half an answer had the same status
    run.requests.front().answer.kind = reply::cut_server_error;
    CHECK(run.found().empty());
    run.requests.front().request_on_connection = 1; // the first on its connection is not replaced
    CHECK(has(run.found(), duplicate_rule));
  }
}

TEST_CASE("what is recorded is what the receiver saw") {
  made_up_run run;
  SECTION("an answered attempt without a request") {
    run.requests.erase(run.requests.begin());
    CHECK(has(run.found(), "an answered attempt was seen by its receiver"));
  }
  SECTION("an attempt with another status") {
    run.requests[0].answer.status = 503;
    CHECK(has(run.found(), "an answered attempt was seen by its receiver"));
  }
  SECTION("a 2xx that is recorded as something else") {
    run.requests[0] = run.request(10'600, 200);
    run.history->attempts[0].result = outcome::protocol;
    run.history->attempts[0].status.reset();
    CHECK(has(run.found(), "2xx is success"));
  }
  SECTION("an attempt while no node ran") {
    run.history->attempts[1].started_at = {20'050};
    CHECK(has(run.found(), "an attempt is made by a living node"));
  }
}

TEST_CASE("only what was sent is delivered") {
  made_up_run run;
  auto stranger = run.request(12'000, 200);
  stranger.id = "00000000-0000-4000-8000-000000000000";
  run.requests.push_back(stranger);
  CHECK(has(run.found(), "only what was sent is delivered"));
}

TEST_CASE("an event without an id is recognised by its content, under one id") {
  made_up_run run;
  const auto id = run.sent.id;
  run.answers.clear();
  auto oracle = [&] {
    auto sent = run.sent;
    sent.id.reset();
    delivery_oracle made{run.promises, [sent](std::uint64_t) { return sent; }};
    made.add(run.sends.front());
    for (const auto& one : run.entries())
      made.add_feed(one);
    for (const auto& one : run.requests)
      made.add(one);
    for (const auto& one : run.entries())
      made.add_followed(one);
    made.add_history(*id, run.history);
    for (const auto& one : run.lives)
      made.add(one);
    return made.check();
  };
  CHECK(oracle().empty());
  run.requests[1].id = "00000000-0000-4000-8000-000000000000";
  CHECK(has(oracle(), "only what was sent is delivered"));
}

TEST_CASE("the feed contains each recorded attempt exactly once, each event's in order") {
  made_up_run run;
  const auto all = run.entries();
  SECTION("a gap") {
    run.feed = std::vector{all[1]};
    CHECK(has(run.found(), "the feed misses no attempt"));
  }
  SECTION("a gap for the one who follows") {
    run.followed = std::vector{all[0]};
    CHECK(has(run.found(), "the feed misses no attempt"));
  }
  SECTION("a repetition") {
    run.feed = std::vector{all[0], all[0], all[1]};
    CHECK(has(run.found(), "the feed has each attempt once"));
  }
  SECTION("another order") {
    run.followed = std::vector{all[1], all[0]};
    CHECK(has(run.found(), "in the feed each event's attempts rise"));
  }
  SECTION("an attempt that was told and then forgotten") {
    run.followed = all;
    run.followed->push_back(all[1]);
    run.followed->back().value.number = 3;
    CHECK(has(run.found(), "what the feed has told is kept"));
  }
  SECTION("an attempt that was told differently") {
    run.followed = all;
    run.followed->front().value.status = 501;
    CHECK(has(run.found(), "feed and history tell the same"));
  }
  SECTION("a summary of another moment") {
    run.feed = all;
    run.feed->front().summary.state = event_state::delivered;
    CHECK(has(run.found(), "a feed entry's summary is the one right after its attempt"));
  }
  SECTION("an event that nobody sent") {
    run.feed = all;
    run.feed->push_back(all[0]);
    run.feed->back().summary.id = {};
    CHECK(has(run.found(), "only what was sent is in the feed"));
  }
}

TEST_CASE("the same id for two connectors is two events") {
  made_up_run run;
  auto other = run.sent;
  other.connector.value = "steady";
  other.run = "run-2";
  auto second = run.history_of({made_up_run::delivered(1, 12'000)});
  second.summary.connector = other.connector;
  second.summary.run = other.run;
  auto to_other = run.request(12'000, 200);
  to_other.connector = "steady";
  const auto found = [&](bool as_duplicate) {
    delivery_oracle made{run.promises, [&](std::uint64_t serial) { return serial == 1 ? run.sent : other; }};
    made.add(send_record{1, {10'500}});
    made.add(send_record{2, {10'500}});
    made.add(answer_record{1, accepted{*run.sent.id, false}, {10'510}});
    made.add(answer_record{2, accepted{*run.sent.id, as_duplicate}, {10'510}});
    for (const auto& one : run.requests)
      made.add(one);
    made.add(to_other);
    made.add_history(*run.sent.id, run.history);
    if (!as_duplicate)
      made.add_history(*run.sent.id, second);
    for (const auto& one : run.entries())
      made.add_feed(one), made.add_followed(one);
    const outcome_entry entry{second.summary, second.attempts.front(), "cursor"};
    made.add_feed(entry);
    made.add_followed(entry);
    for (const auto& one : run.lives)
      made.add(one);
    return made.check();
  };
  CHECK(found(false).empty());
  CHECK(has(found(true), "an event is a duplicate only of one that was sent before"));
  CHECK(has(found(true), lost_rule));
}

TEST_CASE("a violation comes with the whole story of its id") {
  const made_up_run run;
  const auto story = run.oracle().story(run.sent.id->to_string());
  for (const auto* part : {"flaky", "sent", "accepted", "attempt 1 recorded: http_status 500", "node started",
                           "answer ok 200", "state: delivered"})
    CHECK(story.find(part) != std::string::npos);
}

} // namespace vicket::crash
