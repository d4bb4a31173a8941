#include "tests/crash/delivery_oracle.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace vicket::crash {

namespace {

const std::string holds_rule = "a change that was answered holds";
const std::string sent_rule = "a request is sent as the connector was configured";
const std::string accepted_rule = "an event is accepted only as its connector was configured";
const std::string valid_rule = "a valid event is accepted";
const std::string deleted_rule = "a connector is not deleted while events wait for it";
const std::string busy_rule = "connector_busy only while events wait";

bool has(const std::vector<violation>& found, const std::string& rule) {
  return std::any_of(found.begin(), found.end(), [&](const violation& one) { return one.rule == rule; });
}

/// A run made up: two lives, the first ended by a kill at 20,000; one connector, `visiting-a`, that is put as version 0
/// at 11,000; one event for it at 12,000, delivered at once. Without a change it violates nothing.
struct made_up_run {
  plan promises{1};
  std::string connector = "visiting-a";
  std::vector<node_life> lives{{{10'000}, {20'000}, true}, {{20'100}, {40'000}, false}};
  std::vector<change_record> changes{{connector, 0, false, {11'000}}};
  std::vector<change_answer_record> answers{{connector, 0, std::nullopt, {11'010}}};
  std::vector<look_record> looks;
  send_to_connector sent = event();
  std::vector<answer_record> sent_answers{{1, accepted{*sent.id, false}, {12'010}}};
  std::vector<request_record> requests{request(12'010, 0, 0)};
  std::optional<event_history> history = delivered_at(12'010);

  [[nodiscard]] send_to_connector event() const {
    send_to_connector made;
    made.connector = {connector};
    made.event = "ticket.created";
    made.occurred_at = {1'779'546'071'412};
    made.data_json = R"({"serial":1})";
    made.run = "run-1";
    made.id = event_id{{1, 2, 3}};
    return made;
  }

  [[nodiscard]] request_record request(std::int64_t at, std::uint64_t version, std::uint32_t secret) const {
    request_record made;
    made.connector = connector;
    made.version = version;
    made.secret = secret;
    made.id = sent.id->to_string();
    made.body = R"({"id":")" + made.id +
                R"(","event":"ticket.created","occurred_at":"2026-05-23T14:21:11.412Z","data":{"serial":1}})";
    made.body_sha256 = "digest";
    made.signed_at_s = at / 1'000;
    made.vicket_signature_good = made.standard_signature_good = made.head_good = true;
    made.connection_accepted_at = made.arrived_at = {at + 1};
    made.finished = made.written = true;
    made.finished_at = {at + 2};
    return made;
  }

  [[nodiscard]] event_history delivered_at(std::int64_t at) const {
    event_history made;
    made.summary = {*sent.id, sent.connector,         sent.event, sent.workflow,
                    sent.run, event_state::delivered, {12'005},   std::nullopt};
    attempt one;
    one.number = 1;
    one.started_at = {at};
    one.duration_us = 3'000;
    one.status = 200;
    made.attempts = {one};
    return made;
  }

  void put(std::uint64_t version, std::int64_t at, std::int64_t answered_at) {
    changes.push_back({connector, version, false, {at}});
    if (answered_at > 0)
      answers.push_back({connector, version, std::nullopt, {answered_at}});
  }

  void remove(std::uint64_t version, std::int64_t at, std::optional<errc> refused = std::nullopt) {
    changes.push_back({connector, version, true, {at}});
    answers.push_back({connector, version, refused, {at + 10}});
  }

  /// Nothing: the connector is not there.
  void look(std::int64_t at, std::optional<std::uint64_t> version) {
    looks.push_back({{at}, {at + 10}, {}});
    if (version)
      looks.back().all.push_back({connector, version, true});
  }

  /// The event is sent and delivered so late.
  void move_to(std::int64_t at, std::uint64_t version, std::uint32_t secret) {
    requests = {request(at + 10, version, secret)};
    history = delivered_at(at + 10);
    history->summary.accepted_at = {at + 5};
    sent_answers.front().at = {at + 10};
    sent_at = at;
  }

  /// The first version, or the first that is off, of the connector's changes.
  [[nodiscard]] std::uint64_t version_that_is(bool enabled, std::uint64_t from = 1) const {
    const auto& of = *promises.find(connector);
    for (auto version = from;; ++version)
      if (const auto put = promises.version(of, version);
          put.value.enabled == enabled && put.value.events.empty())
        return version;
  }

  [[nodiscard]] std::uint32_t secret_of(std::uint64_t version) const {
    return *promises.version(*promises.find(connector), version).secret;
  }

  [[nodiscard]] std::vector<violation> found() const {
    delivery_oracle made{promises, [this](std::uint64_t) { return sent; }};
    made.add(send_record{1, {sent_at}});
    for (const auto& one : sent_answers)
      made.add(one);
    for (const auto& one : changes)
      made.add(one);
    for (const auto& one : answers)
      made.add(one);
    for (const auto& one : looks)
      made.add(one);
    for (const auto& one : requests)
      made.add(one);
    made.add_history(*sent.id, history);
    for (const auto& one : history ? history->attempts : std::vector<attempt>{}) {
      const outcome_entry entry{history->summary, one, "cursor"};
      made.add_feed(entry);
      made.add_followed(entry);
    }
    for (const auto& one : lives)
      made.add(one);
    return made.check();
  }

  std::int64_t sent_at = 12'000;
};

} // namespace

TEST_CASE("a run in which all changes held has no violation") {
  made_up_run run;
  run.look(21'000, 0);
  CHECK(run.found().empty());
}

TEST_CASE("after a restart what was answered for a put or a delete holds") {
  made_up_run run;
  SECTION("a put that was answered is there") {
    run.look(21'000, std::nullopt);
    CHECK(has(run.found(), holds_rule));
  }
  SECTION("as the last one put it") {
    run.put(5, 13'000, 13'010);
    run.look(21'000, 5);
    CHECK(run.found().empty());
    run.looks.clear();
    run.look(21'000, 0);
    CHECK(has(run.found(), holds_rule));
  }
  SECTION("a delete that was answered is done") {
    run.remove(5, 13'000);
    run.look(21'000, std::nullopt);
    CHECK(run.found().empty());
    run.looks.clear();
    run.look(21'000, 0);
    CHECK(has(run.found(), holds_rule));
  }
  SECTION("a refused delete is not") {
    run.remove(5, 12'005, errc::connector_busy);
    run.look(21'000, 0);
    CHECK(run.found().empty());
    run.looks.clear();
    run.look(21'000, std::nullopt);
    CHECK(has(run.found(), holds_rule));
  }
  SECTION("one under way at the kill may be either") {
    run.put(5, 19'990, 0);
    run.look(21'000, 0);
    CHECK(run.found().empty());
    run.looks.clear();
    run.look(21'000, 5);
    CHECK(run.found().empty());
    AND_WHEN("a list has shown which, it stays so") {
      run.look(22'000, 0);
      CHECK(has(run.found(), holds_rule));
    }
    AND_WHEN("it is a version that nobody has put") {
      run.look(22'000, 6);
      CHECK(has(run.found(), holds_rule));
    }
  }
  SECTION("a delete finds what was put") {
    run.remove(5, 13'000, errc::not_found);
    CHECK(has(run.found(), holds_rule));
  }
  SECTION("everything is kept as it was put") {
    run.look(21'000, 0);
    run.looks.back().all.front().as_put = false;
    CHECK(has(run.found(), "connectors match"));
  }
  SECTION("a valid put is not refused") {
    run.changes.push_back({run.connector, 5, false, {13'000}});
    run.answers.push_back({run.connector, 5, errc::invalid_connector, {13'010}});
    CHECK(has(run.found(), "a valid change is made"));
  }
}

TEST_CASE("each event is delivered with a configuration that was possible at that time") {
  made_up_run run;
  const auto version = run.version_that_is(true);
  const auto secret = run.secret_of(version);
  SECTION("not with one that was never put") {
    run.requests.front().version = 77;
    CHECK(has(run.found(), sent_rule));
  }
  SECTION("not with one that comes later") {
    run.requests.front().version = version;
    run.put(version, 15'000, 15'010);
    CHECK(has(run.found(), sent_rule));
  }
  SECTION("with an old one as long as a delivery may have been under way") {
    run.put(version, 12'005, 12'006);
    CHECK(run.found().empty());
    run.move_to(19'000, 0, 0);
    CHECK(has(run.found(), sent_rule));
    run.move_to(19'000, version, secret);
    CHECK(run.found().empty());
  }
  SECTION("but never across a restart") {
    run.put(version, 19'000, 19'010);
    run.move_to(20'200, 0, 0);
    CHECK(has(run.found(), sent_rule));
    run.move_to(20'200, version, secret);
    CHECK(run.found().empty());
  }
  SECTION("with either of what a kill left open") {
    run.put(version, 19'990, 0);
    run.move_to(20'200, 0, 0);
    CHECK(run.found().empty());
    run.move_to(20'200, version, secret);
    CHECK(run.found().empty());
  }
  SECTION("signed with its secret") {
    run.requests.front().secret = 1;
    CHECK(has(run.found(), sent_rule));
  }
  SECTION("not while it is disabled") {
    const auto off = run.version_that_is(false);
    run.put(off, 12'015, 12'016);
    CHECK(run.found().empty());
    run.requests.front() = run.request(19'000, off, run.secret_of(off));
    run.history = run.delivered_at(19'000);
    CHECK(has(run.found(), sent_rule));
  }
}

TEST_CASE("a put without a secret keeps the one that is there") {
  made_up_run run;
  run.connector = "changing";
  run.changes = {{run.connector, 0, false, {11'000}}};
  run.answers = {{run.connector, 0, std::nullopt, {11'010}}};
  run.sent = run.event();
  const auto& of = *run.promises.find(run.connector);
  std::uint64_t keeps = 1;
  while (run.promises.version(of, keeps).secret || !run.promises.version(of, keeps).value.enabled ||
         !run.promises.version(of, keeps).value.events.empty())
    ++keeps;
  run.put(keeps, 11'020, 11'030);
  run.move_to(19'000, keeps, 0);
  CHECK(run.found().empty());
  run.move_to(19'000, keeps, 1);
  CHECK(has(run.found(), sent_rule));
}

TEST_CASE("an event is answered as its connector was then") {
  made_up_run run;
  const auto off = run.version_that_is(false);
  const auto refused = [&](errc code) {
    run.sent_answers = {{1, refusal{code, "no"}, {12'010}}};
    run.requests.clear();
    run.history.reset();
    return run.found();
  };
  SECTION("accepted only if it is there") {
    run.changes.clear();
    run.answers.clear();
    run.changes.push_back({run.connector, 0, false, {15'000}});
    CHECK(has(run.found(), accepted_rule));
  }
  SECTION("accepted only if it is enabled") {
    run.put(off, 11'020, 11'030);
    CHECK(has(run.found(), accepted_rule));
  }
  SECTION("refused as disabled only if it is") {
    CHECK(has(refused(errc::connector_disabled), valid_rule));
    run.put(off, 11'020, 11'030);
    CHECK(refused(errc::connector_disabled).empty());
  }
  SECTION("refused as disabled, too, while the put that does it is under way") {
    run.put(off, 12'005, 13'000);
    CHECK(refused(errc::connector_disabled).empty());
    CHECK(has(refused(errc::unknown_connector), valid_rule));
  }
  SECTION("unknown only if it was deleted") {
    CHECK(has(refused(errc::unknown_connector), valid_rule));
    run.remove(5, 11'020);
    CHECK(refused(errc::unknown_connector).empty());
  }
  SECTION("filtered only if its patterns say so") {
    CHECK(has(refused(errc::filtered), valid_rule));
    const auto& of = *run.promises.find(run.connector);
    std::uint64_t filters = 1;
    while (run.promises.version(of, filters).value.events != std::vector<std::string>{"ticket.status*"} ||
           !run.promises.version(of, filters).value.enabled)
      ++filters;
    run.put(filters, 11'020, 11'030);
    CHECK(refused(errc::filtered).empty());
  }
}

TEST_CASE("a connector is deleted when no events wait for it, and only then") {
  made_up_run run;
  SECTION("done, though an event waited") {
    run.remove(5, 12'015);
    CHECK(run.found().empty());
    run.move_to(12'000, 0, 0);
    run.history = run.delivered_at(12'500);
    run.requests = {run.request(12'500, 0, 0)};
    CHECK(has(run.found(), deleted_rule));
  }
  SECTION("refused, though none waited") {
    run.remove(5, 12'015, errc::connector_busy);
    CHECK(run.found().empty());
    run.answers.pop_back();
    run.changes.pop_back();
    run.remove(5, 18'000, errc::connector_busy);
    CHECK(has(run.found(), busy_rule));
  }
}

} // namespace vicket::crash
