// What a round brings about, and what becomes of it when it does not fit: without actors, on a store in memory, with the
// test in the log's place.

#include "actors/partition_rounds.hpp"
#include "policy/assertion.hpp"
#include "storage/testing/environments.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace vicket;

namespace {

constexpr timestamp_ms noon{1'779'537'600'000};
const store_status no_space{store_errc::full, "no space"};

/// What became of an answer.
struct heard {
  std::string of;
  bool durable = false;
  friend bool operator==(const heard&, const heard&) = default;
};

class recorded_reply final : public round_reply {
public:
  recorded_reply(std::string name, std::vector<heard>& log) : name_{std::move(name)}, log_{log} {}
  void durable() override { log_.push_back({name_, true}); }
  void refused(const store_status&) override { log_.push_back({name_, false}); }

private:
  std::string name_;
  std::vector<heard>& log_;
};

/// A partition whose log is the test: rounds are on their way until it says what became of them.
class rounds_fixture {
public:
  rounds_fixture() { open(); }

  void open() {
    rounds.reset();
    store.reset();
    store_options options;
    options.folder = "/partition-0";
    options.environment = environment.get();
    auto opened = partition_store::open(options);
    if (auto* why = std::get_if<store_status>(&opened))
      FAIL(why->detail);
    store = std::get<0>(std::move(opened));
    partition_rounds::setup with;
    with.window.events = 4;
    with.late_ms = 1'000'000;
    with.history = history;
    rounds.emplace(*store, with);
    for (auto& config : store->connectors())
      rounds->load(config);
  }

  static connector config_of(const std::string& id, bool enabled = true) {
    connector config;
    config.id = {id};
    config.url = "https://" + id + ".example.com/";
    config.enabled = enabled;
    config.max_in_flight = 1;
    return config;
  }

  static event_id id_of(std::size_t number) {
    event_id id;
    for (std::size_t i = 0; i < 8; ++i)
      id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return id;
  }

  partition_rounds::acceptance send(const std::string& to, std::size_t number,
                                    const std::string& reply = {}) {
    composed_event event;
    event.id = id_of(number);
    event.id_of_sender = true;
    event.connector = {to};
    event.event = "ticket.created";
    event.envelope = std::string{"{}"};
    auto answer = rounds->accept(event, noon);
    if (!reply.empty())
      rounds->reply_with_round(std::make_unique<recorded_reply>(reply, replies));
    return answer;
  }

  void put(const std::string& id, const std::string& reply = {}, bool enabled = true) {
    rounds->put(config_of(id, enabled));
    if (!reply.empty())
      rounds->reply_with_round(std::make_unique<recorded_reply>(reply, replies));
  }

  supervisor_seat supervise(const std::string& id) {
    const auto slot = rounds->find({id}).value();
    REQUIRE(rounds->activate(slot) != nullptr);
    return rounds->seat_supervisor(slot);
  }

  /// An attempt at the event with this position, given up or to be tried again.
  void record(supervisor_seat seat, due_position was, std::optional<timestamp_ms> next = {},
              std::uint32_t number = 1, std::string body = {}) {
    record_attempts message;
    message.seat = seat;
    attempt_decision decision;
    decision.was = was;
    decision.accepted_at = noon;
    decision.envelope_bytes = 2;
    decision.state_after = next ? event_state::pending : event_state::delivered;
    decision.value.number = number;
    decision.value.result = next ? outcome::http_status : outcome::delivered;
    decision.value.next_attempt_at = next;
    decision.value.response_body = std::move(body);
    message.decisions.push_back(std::move(decision));
    rounds->record(std::move(message), noon);
  }

  void seal() {
    flying = rounds->seal();
    rounds->check();
  }
  /// The log says that the round on its way is there.
  partition_rounds::released durable() {
    if (flying != nullptr)
      REQUIRE(store->apply(*std::exchange(flying, nullptr), partition_store::durability::synced).ok());
    partition_rounds::released out;
    rounds->durable(out);
    for (const auto& reply : out.replies)
      reply->durable();
    out.replies.clear();
    rounds->check();
    return out;
  }
  partition_rounds::released commit() {
    seal();
    return durable();
  }
  partition_rounds::released refused() {
    flying = nullptr;
    partition_rounds::released out;
    rounds->refused(no_space, out);
    for (const auto& reply : out.refused)
      reply->refused(no_space);
    out.refused.clear();
    rounds->check();
    return out;
  }

  static setting_key rule(const std::string& id) { return {setting_kind::rule, id}; }
  static std::string numbered_rule(std::size_t number) { return std::to_string(number).insert(0, 1, 'r'); }
  std::optional<refusal> put_setting(setting_kind kind, const std::string& id, std::string bytes) {
    setting put;
    put.key.kind = kind;
    put.key.id = id;
    put.bytes = std::move(bytes);
    return rounds->put_setting(std::move(put));
  }
  std::optional<refusal> put_rule(const std::string& id, std::string bytes, const std::string& reply = {}) {
    auto no = put_setting(setting_kind::rule, id, std::move(bytes));
    if (!reply.empty())
      rounds->reply_with_round(std::make_unique<recorded_reply>(reply, replies));
    return no;
  }
  [[nodiscard]] std::string stored_rule(const std::string& id) const {
    const auto found = store->settings()->find(rule(id));
    return found ? found->bytes : "(none)";
  }

  [[nodiscard]] bool is_stored(const std::string& to, std::size_t number) const {
    return store->find_event(id_of(number), {to}).has_value();
  }
  [[nodiscard]] std::size_t waiting(const std::string& id) const {
    return store->read_due({id}, {}, {noon.value * 2}, 100, 1'000'000, {}).events.size();
  }

  history_ledger::limits history;
  std::unique_ptr<store_environment> environment = make_memory_environment();
  std::unique_ptr<partition_store> store;
  std::optional<partition_rounds> rounds;
  const sealed_round* flying = nullptr;
  std::vector<heard> replies;
};

bool is_new(const partition_rounds::acceptance& answer) {
  const auto* yes = std::get_if<accepted>(&answer.result);
  return yes != nullptr && !yes->duplicate;
}
bool is_duplicate(const partition_rounds::acceptance& answer) {
  const auto* yes = std::get_if<accepted>(&answer.result);
  return yes != nullptr && yes->duplicate;
}
errc code_of(const partition_rounds::acceptance& answer) {
  return std::get<refusal>(answer.result).code;
}

} // namespace

TEST_CASE("nothing is answered, handed over or let go before its round is durable") {
  rounds_fixture f;
  f.put("crm", "put");
  CHECK(is_new(f.send("crm", 1, "event")));
  f.seal();
  CHECK(f.replies.empty());
  CHECK(is_duplicate(f.send("crm", 1))); // of what is on its way
  const auto out = f.durable();
  CHECK(f.replies == std::vector<heard>{{"put", true}, {"event", true}});
  REQUIRE(out.taken.size() == 1);
  REQUIRE(out.taken[0].second.events.size() == 1);

  const auto seat = f.supervise("crm");
  f.record(seat, out.taken[0].second.events[0].position, noon + 5'000);
  f.seal();
  CHECK(f.rounds->at(seat.slot).active->window.events() == 1);
  const auto let_go = f.durable();
  REQUIRE(let_go.let_go.size() == 1);
  CHECK(let_go.has_attempts);
  CHECK(f.rounds->at(seat.slot).active->window.events() == 0);
}

TEST_CASE("a supervisor hears of its attempts where it has something to do for them; the others can see it") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto seat = f.supervise("crm");
  for (std::size_t i = 1; i <= 3; ++i)
    static_cast<void>(f.send("crm", i));
  const auto events = f.commit().taken.at(0).second.events;

  SECTION("not of what is settled") {
    f.record(seat, events[0].position);
    f.rounds->took_records(7);
    f.seal();
    f.rounds->took_records(8); // of the next round
    const auto out = f.durable();
    CHECK(out.let_go.empty());
    CHECK(out.has_attempts);
    CHECK(out.recorded_through == 8); // nothing to write: the next round was none
    CHECK(f.rounds->at(seat.slot).active->window.events() == 2);
  }
  SECTION("what is in the next round is not durable with this one") {
    f.record(seat, events[0].position);
    f.rounds->took_records(7);
    f.seal();
    f.record(seat, events[1].position);
    f.rounds->took_records(8);
    CHECK(f.durable().recorded_through == 7);
    CHECK(f.commit().recorded_through == 8);
  }
  SECTION("of a retry, which it waits for") {
    f.record(seat, events[0].position);
    f.record(seat, events[1].position, noon + 5'000);
    const auto out = f.commit();
    REQUIRE(out.let_go.size() == 1);
    REQUIRE(out.let_go[0].second.attempts.size() == 1);
    CHECK(out.let_go[0].second.attempts[0].sequence == events[1].position.sequence);
  }
  SECTION("of all, while more waits in the index") {
    f.rounds->at(seat.slot).backlog = true;
    f.record(seat, events[0].position);
    CHECK(f.commit().let_go.size() == 1);
  }
  SECTION("of all, when it is wanted") {
    f.rounds->tell_all_of_records();
    f.record(seat, events[0].position);
    CHECK(f.commit().let_go.size() == 1);
  }
}

TEST_CASE("a put between events is part of their round, so a crash after it loses none of them") {
  rounds_fixture f;
  f.put("crm");
  f.put("other");
  f.commit();
  const auto seat = f.supervise("crm");
  for (std::size_t i = 1; i <= 8; ++i) // four are handed over, four wait in the index
    CHECK(is_new(f.send("crm", i)));
  f.put("other", "put", false);
  f.commit();
  CHECK(f.replies == std::vector<heard>{{"put", true}});
  static_cast<void>(seat);
  f.open(); // as after a crash: what was handed over is found again
  CHECK(f.waiting("crm") == 8);
}

TEST_CASE("the next round is filled from what the one on its way will be") {
  rounds_fixture f;
  f.put("crm");
  f.seal();
  CHECK(is_new(f.send("crm", 1))); // the connector is on its way
  CHECK(code_of(f.send("gone", 2)) == errc::unknown_connector);
  f.durable();
  CHECK_FALSE(f.is_stored("crm", 1));
  f.commit();
  CHECK(f.is_stored("crm", 1));
}

TEST_CASE("a round that does not fit takes along what was decided on top of it") {
  rounds_fixture f;
  f.put("old");
  f.commit();
  f.put("new", "put new");
  f.put("old", "put old", false);
  CHECK(is_new(f.send("new", 1, "one")));
  const auto twice = f.send("new", 1, "again");
  CHECK(is_duplicate(twice));
  CHECK(twice.waits); // and fails with the first
  f.seal();
  CHECK(is_new(f.send("new", 2, "two")));
  CHECK(is_duplicate(f.send("new", 1, "once more")));
  const auto disabled = f.send("old", 3, "three");
  CHECK(code_of(disabled) == errc::connector_disabled);
  CHECK(disabled.waits); // the put that disabled it may yet be refused
  f.refused();
  CHECK(f.replies.size() == 7);
  for (const auto& each : f.replies)
    CHECK_FALSE(each.durable);
  CHECK_FALSE(f.rounds->find({"new"}));
  CHECK(f.rounds->at(f.rounds->find({"old"}).value()).enabled);
  CHECK(is_new(f.send("old", 1))); // the id was never stored
  f.commit();
  CHECK(f.is_stored("old", 1));
  CHECK_FALSE(f.is_stored("new", 1));
  CHECK(f.store->connectors().size() == 1);
}

TEST_CASE("attempts and index entries survive a round that does not fit, in their order") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto seat = f.supervise("crm");
  for (std::size_t i = 1; i <= 3; ++i)
    static_cast<void>(f.send("crm", i));
  const auto events = f.commit().taken.at(0).second.events;
  f.record(seat, events[0].position, noon + 5'000);
  f.seal();
  f.record(seat, events[1].position);
  f.rounds->took_records(2);
  f.refused();
  CHECK(f.rounds->at(seat.slot).active->window.events() == 3);
  f.refused(); // still no room
  const auto out = f.commit();
  REQUIRE(out.let_go.size() == 1);
  REQUIRE(out.let_go[0].second.attempts.size() == 1);
  CHECK(out.let_go[0].second.attempts[0].next_due == noon + 5'000);
  CHECK(out.recorded_through == 2);
  CHECK(f.rounds->at(seat.slot).active->window.events() == 1);
  CHECK(f.store->attempts_of(events[0].position.sequence).size() == 1);
  CHECK(f.waiting("crm") == 1);
  f.open();
  CHECK(f.waiting("crm") == 2); // and the one that was never attempted
}

TEST_CASE("what a dead supervisor held goes into the index, and its successor hears of it when it is there") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto first = f.supervise("crm");
  static_cast<void>(f.send("crm", 1));
  static_cast<void>(f.commit());
  static_cast<void>(f.send("crm", 2));
  f.seal(); // on its way when the supervisor dies
  static_cast<void>(f.send("crm", 3));
  f.rounds->vacate(first.slot);
  f.rounds->give_up_held(first.slot);
  CHECK(f.rounds->is_busy(first.slot));
  const auto second = f.supervise("crm");
  auto out = f.durable();
  CHECK(out.taken.empty());
  CHECK(out.grown.empty()); // not in the index yet
  CHECK(f.rounds->is_busy(first.slot));
  SECTION("the disk has room") {
    out = f.commit();
    CHECK(out.taken.empty());
    REQUIRE(out.grown.size() == 1);
    CHECK(f.waiting("crm") == 3);
  }
  SECTION("the disk is full for a while") {
    f.refused();
    CHECK(f.rounds->is_busy(first.slot));
    out = f.commit();
    REQUIRE(out.grown.size() == 1);
    CHECK(f.waiting("crm") == 2); // the third was refused
  }
  // What the dead one still says counts no more.
  f.record(first, {noon, 1});
  CHECK_FALSE(f.rounds->has_work());
  CHECK(f.rounds->seat(first) == nullptr);
  CHECK(f.rounds->seat(second) != nullptr);
}

TEST_CASE("a connector is busy as long as anything of it is pending anywhere") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto slot = f.rounds->find({"crm"}).value();
  CHECK_FALSE(f.rounds->is_busy(slot));
  static_cast<void>(f.send("crm", 1));
  CHECK(f.rounds->is_busy(slot)); // in the round being filled
  f.seal();
  CHECK(f.rounds->is_busy(slot)); // on its way
  const auto event = f.durable().taken.at(0).second.events.at(0);
  CHECK(f.rounds->is_busy(slot)); // handed over
  const auto seat = f.supervise("crm");
  f.record(seat, event.position, noon + 1);
  f.commit();
  CHECK(f.rounds->is_busy(slot)); // in the index
  f.record(seat, {noon + 1, event.position.sequence}, {}, 2);
}

TEST_CASE("a delete that is refused leaves the connector; one that is durable frees its place") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto slot = f.rounds->find({"crm"}).value();
  f.rounds->remove(slot);
  CHECK_FALSE(f.rounds->find({"crm"}));
  CHECK(code_of(f.send("crm", 1)) == errc::unknown_connector);
  f.put("crm"); // again, under the same name
  f.refused();
  CHECK(f.rounds->find({"crm"}) == slot);
  const auto seat = f.supervise("crm");
  f.rounds->remove(slot);
  const auto out = f.commit();
  CHECK(out.removed == std::vector<std::pair<connector_slot, bool>>{{slot, true}});
  CHECK(f.store->connectors().empty());
  f.put("next");
  CHECK(f.rounds->find({"next"}) == slot); // the place is used again,
  CHECK(f.rounds->seat(seat) ==
        nullptr); // and a late word from the old supervisor is not taken for its successor's
  f.supervise("next");
  CHECK(f.rounds->seat(seat) == nullptr);
}

TEST_CASE("a filter holds from its put on, and is the one before where its round does not fit") {
  rounds_fixture f;
  const auto put = [&](const std::string& filter_json) {
    auto config = rounds_fixture::config_of("a");
    config.filter_json = filter_json;
    f.rounds->put(config);
  };
  std::size_t number = 0;
  const auto send = [&](const std::string& name) {
    composed_event event;
    event.id = rounds_fixture::id_of(++number);
    event.connector = {"a"};
    event.event = name;
    event.envelope = R"({"data":{}})";
    return f.rounds->accept(event, noon);
  };
  put(R"({"event":{"eq":"x"}})");
  CHECK(is_new(send("x")));
  CHECK(code_of(send("y")) == errc::filtered);
  f.commit();
  put(R"({"event":{"eq":"y"}})");
  CHECK(is_new(send("y")));
  const auto filtered = send("x");
  CHECK(code_of(filtered) == errc::filtered);
  CHECK(filtered.waits); // the put of this filter may yet be refused
  f.seal();
  f.refused();
  CHECK(is_new(send("x")));
  CHECK(code_of(send("y")) == errc::filtered);
  put("");
  CHECK(is_new(send("y")));
  f.commit();
  CHECK(f.store->read_connector({"a"})->filter_json.empty());
}

TEST_CASE("whoever sends a connector's events has it as it is on disk, not as it was put since") {
  rounds_fixture f;
  const auto put = [&](const std::string& host) {
    auto config = rounds_fixture::config_of("a");
    config.url = "https://" + host + "/";
    return f.rounds->put(config);
  };
  const auto slot = put("first");
  const auto url = [&] {
    REQUIRE(f.rounds->activate(slot) != nullptr);
    return f.rounds->durable_config(slot)->url;
  };
  CHECK(url() == "https://first/");
  f.commit();
  put("second");
  CHECK(url() == "https://first/");
  f.seal();
  put("third");
  put("fourth");
  CHECK(url() == "https://first/");
  f.durable();
  CHECK(url() == "https://second/");
  f.seal();
  put("fifth");
  CHECK(url() == "https://second/");
  f.refused();
  CHECK(url() == "https://second/");
  REQUIRE(f.rounds->activate(slot) != nullptr);
  CHECK(f.rounds->at(slot).config().url == "https://second/");
  put("sixth");
  f.commit();
  CHECK(url() == "https://sixth/");
}

TEST_CASE("what is no envelope is not judged by a filter") {
  rounds_fixture f;
  auto config = rounds_fixture::config_of("a");
  config.filter_json = R"({"not":{"event":{"eq":"x"}}})";
  f.rounds->put(config);
  CHECK(code_of(f.send("a", 1)) == errc::invalid_event); // its data is missing
}

TEST_CASE("ids are per connector, and known whatever the connector has become") {
  rounds_fixture f;
  f.put("a");
  f.put("b");
  CHECK(is_new(f.send("a", 1)));
  CHECK(is_new(f.send("b", 1)));
  CHECK(is_duplicate(f.send("a", 1)));
  f.commit();
  CHECK(is_duplicate(f.send("b", 1)));
  f.put("a", {}, false);
  CHECK(is_duplicate(f.send("a", 1)));
  CHECK(code_of(f.send("a", 2)) == errc::connector_disabled);
}

TEST_CASE("a body equal to that of the attempt before is stored once, and reads the same") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto seat = f.supervise("crm");
  static_cast<void>(f.send("crm", 1));
  const auto event = f.commit().taken.at(0).second.events.at(0);
  const std::string page(4'000, 'x');
  due_position was = event.position;
  for (std::uint32_t number = 1; number <= 4; ++number) {
    const auto next = noon + number;
    f.record(seat, was, next, number, number == 3 ? page + "!" : page);
    f.commit();
    was = {next, event.position.sequence};
    f.rounds->budget().hold(f.rounds->at(seat.slot).active->window, 2); // as a refill gives it back
  }
  const auto attempts = f.store->attempts_of(event.position.sequence);
  REQUIRE(attempts.size() == 4);
  for (const auto& each : attempts)
    CHECK(each.value.response_body == (each.value.number == 3 ? page + "!" : page));
  CHECK(attempts[1].same_body_as == 1);
  CHECK_FALSE(attempts[2].same_body_as);
  CHECK_FALSE(attempts[3].same_body_as); // only the one before is looked at
}

TEST_CASE("a connector's answers beyond its budget are dropped with the next round, also after a restart") {
  rounds_fixture f;
  f.history.budget_bytes = 10'000;
  f.open();
  f.put("crm");
  f.commit();
  auto seat = f.supervise("crm");
  static_cast<void>(f.send("crm", 1));
  const auto event = f.commit().taken.at(0).second.events.at(0);
  due_position was = event.position;
  std::uint32_t number = 0;
  const auto attempt_again = [&] {
    const auto next = noon + ++number;
    f.record(seat, was, next, number, std::to_string(number) + std::string(999, 'x'));
    f.commit();
    was = {next, event.position.sequence};
    f.rounds->budget().hold(f.rounds->at(seat.slot).active->window, 2); // as a refill gives it back
  };
  const auto kept = [&] {
    std::size_t whole = 0;
    for (const auto& one : f.store->attempts_of(event.position.sequence)) {
      const bool dropped = one.value.response_body.empty();
      CHECK(dropped == one.value.response_truncated);
      CHECK((!dropped || whole == 0)); // the oldest go first
      whole += dropped ? 0 : 1;
    }
    return whole;
  };
  for (int i = 0; i < 9; ++i)
    attempt_again();
  CHECK(kept() == 9); // within the budget nothing is dropped
  for (int i = 0; i < 6; ++i)
    attempt_again();
  CHECK(kept() <= 10); // of the last round it is counted when that is durable
  CHECK(kept() >= 9);
  f.rounds->check();

  f.open();
  f.rounds->check();
  seat = f.supervise("crm");
  f.rounds->budget().hold(f.rounds->at(seat.slot).active->window, 2);
  CHECK(kept() <= 10);
  for (int i = 0; i < 3; ++i)
    attempt_again();
  CHECK(kept() <= 10);
  CHECK(kept() >= 9);
  f.rounds->check();
}

TEST_CASE("a round that is refused drops no answers, and the next one does") {
  rounds_fixture f;
  f.history.budget_bytes = 1'000;
  f.open();
  f.put("crm");
  f.commit();
  const auto seat = f.supervise("crm");
  static_cast<void>(f.send("crm", 1));
  const auto event = f.commit().taken.at(0).second.events.at(0);
  due_position was = event.position;
  for (std::uint32_t number = 1; number <= 2; ++number) {
    auto body = std::to_string(number);
    body.resize(body.size() + 999, 'x');
    f.record(seat, was, noon + number, number, body);
    f.commit();
    was = {noon + number, event.position.sequence};
    f.rounds->budget().hold(f.rounds->at(seat.slot).active->window, 2);
  }
  const auto is_dropped = [&] {
    return f.store->attempts_of(event.position.sequence).at(0).value.response_body.empty();
  };
  CHECK_FALSE(is_dropped()); // it is when the round after that is written
  static_cast<void>(f.send("crm", 2));
  f.seal();
  f.refused();
  CHECK_FALSE(is_dropped());
  f.rounds->check();
  static_cast<void>(f.send("crm", 3));
  f.commit();
  CHECK(is_dropped());
  f.rounds->check();
}

TEST_CASE("a round without anything to write lets those go who wait in it") {
  rounds_fixture f;
  f.put("crm");
  CHECK(is_new(f.send("crm", 1)));
  f.seal();
  CHECK(is_duplicate(f.send("crm", 1, "again"))); // hangs on what is on its way, and writes nothing
  f.durable();
  CHECK(f.replies == std::vector<heard>{{"again", true}});
  CHECK_FALSE(f.rounds->has_work());
  f.seal();
  CHECK(f.flying == nullptr);
}

TEST_CASE("laggards get their index entries in the round whose mark passes them, whatever else is in it") {
  rounds_fixture f;
  f.put("slow");
  f.put("busy");
  f.commit();
  f.supervise("slow");
  const auto busy = f.supervise("busy");
  static_cast<void>(f.send("slow", 1));
  const auto lagging = f.commit().taken.at(0).second.events.at(0).position.sequence;
  std::size_t positions = 0;
  for (std::size_t number = 0; positions <= partition_rounds::default_max_unindexed; ++number) {
    static_cast<void>(f.send("busy", number));
    f.seal();
    const auto taken = f.durable().taken.at(0).second.events.at(0);
    f.record(busy, taken.position);
    positions += 2;
    if (number % 16 == 0)
      static_cast<void>(f.commit());
  }
  f.commit(); // the laggard's entry is in the round that is being filled now
  f.put("other");
  f.commit();
  CHECK(f.store->settled_below() > lagging);
  f.open(); // as after a crash
  CHECK(f.waiting("slow") == 1);
}

TEST_CASE("a connector that was set aside goes on with what waits when it is put again") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto slot = f.rounds->find({"crm"}).value();
  f.rounds->activate(slot)->complaint = "its URL is none";
  f.rounds->at(slot).backlog = true; // as the store says at the start
  CHECK(code_of(f.send("crm", 1)) == errc::connector_disabled);
  f.put("crm");
  CHECK(f.rounds->at(slot).complaint().empty());
  const auto out = f.commit();
  REQUIRE(out.grown.size() == 1);
  CHECK(out.grown[0].second == due_position{});
}

TEST_CASE("a supervisor that held nothing dies while its connector is deleted: there is nobody to tell") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto seat = f.supervise("crm");
  f.rounds->vacate(seat.slot);
  f.rounds->give_up_held(seat.slot);
  REQUIRE_FALSE(f.rounds->is_busy(seat.slot));
  f.rounds->remove(seat.slot);
  const auto out = f.commit();
  CHECK(out.removed.size() == 1);
  CHECK(out.grown.empty());
}

TEST_CASE("a connector that is put and deleted in one round is not told to go on") {
  rounds_fixture f;
  f.put("crm");
  f.commit();
  const auto slot = f.rounds->find({"crm"}).value();
  f.rounds->at(slot).backlog = true; // there may be something, which the index then has not
  f.put("crm");
  f.rounds->remove(slot);
  const auto out = f.commit();
  CHECK(out.removed.size() == 1);
  CHECK(out.grown.empty());
}

TEST_CASE("events for a connector that turns out to be of no use wait in the index, and none is lost") {
  rounds_fixture f;
  f.put("crm");
  static_cast<void>(f.send("crm", 1));
  auto out = f.commit();
  REQUIRE(out.taken.size() == 1);
  const auto slot = out.taken[0].first;
  f.rounds->give_up_held(slot); // nobody could take them
  CHECK(f.rounds->is_busy(slot));
  f.commit();
  CHECK(f.waiting("crm") == 1);
  CHECK(f.rounds->at(slot).active->window.events() == 0);
  CHECK(f.rounds->is_busy(slot));
}

TEST_CASE("settings are part of a round, with all that happens because of it") {
  rounds_fixture f;
  CHECK_FALSE(f.put_rule("a", "1", "put"));
  f.put("crm");
  f.seal();
  CHECK(f.stored_rule("a") == "(none)");
  CHECK(f.replies.empty());
  CHECK(f.rounds->delete_setting(f.rule("a"))); // of what is on its way
  CHECK_FALSE(f.rounds->delete_setting(f.rule("a")));
  CHECK(f.rounds->has_unfinished_settings());
  f.durable();
  CHECK(f.replies == std::vector<heard>{{"put", true}});
  CHECK(f.stored_rule("a") == "1");
  f.commit();
  CHECK(f.stored_rule("a") == "(none)");
  CHECK_FALSE(f.rounds->has_unfinished_settings());
  CHECK_FALSE(f.put_rule("b", "2"));
  f.commit();
  f.open();
  CHECK(f.stored_rule("b") == "2");
  CHECK(f.rounds->delete_setting(f.rule("b")));
}

TEST_CASE(
    "settings of a round that did not fit are as they were, and so is what was decided on top of them") {
  rounds_fixture f;
  CHECK_FALSE(f.put_rule("kept", "1"));
  f.commit();
  CHECK_FALSE(f.put_rule("kept", "2", "first"));
  CHECK_FALSE(f.put_rule("new", "1"));
  f.seal();
  CHECK(f.rounds->delete_setting(f.rule("kept")));
  CHECK_FALSE(f.put_rule("new", "2", "second"));
  f.refused();
  CHECK(f.replies == std::vector<heard>{{"first", false}, {"second", false}});
  f.commit();
  CHECK(f.stored_rule("kept") == "1");
  CHECK(f.stored_rule("new") == "(none)");
  CHECK_FALSE(f.rounds->delete_setting(f.rule("new")));
  CHECK(f.rounds->delete_setting(f.rule("kept")));
}

TEST_CASE("settings have bounds: of a record, of all their bytes, of how many there are of a kind") {
  rounds_fixture f;
  const auto code = [](const std::optional<refusal>& no) { return no ? no->code : errc{}; };
  CHECK(code(f.put_rule("", "1")) == errc::invalid_event);
  CHECK(code(f.put_rule("a/b", "1")) == errc::invalid_event);
  CHECK(code(f.put_rule(std::string(65, 'a'), "1")) == errc::invalid_event);
  CHECK(code(f.put_rule("a", std::string(settings_bounds::record_bytes + 1, 'x'))) == errc::too_large);
  CHECK_FALSE(f.rounds->has_work());

  SECTION("bytes") {
    const std::string large(settings_bounds::record_bytes, 'x');
    std::size_t taken = 0;
    for (; taken < 1'000 && !f.put_rule(f.numbered_rule(100 + taken), large); ++taken)
      if (taken % 10 == 0)
        f.commit();
    CHECK(taken == settings_bounds::all_bytes / (large.size() + 4));
    CHECK_FALSE(f.put_rule("r100", large)); // takes its own place
    CHECK(f.rounds->delete_setting(f.rule("r100")));
    CHECK_FALSE(f.put_rule("last", large));
    CHECK(code(f.put_rule("more", large)) == errc::too_large);
    f.seal();
    f.refused(); // that round's own are not there, nor is the delete
    CHECK(f.rounds->delete_setting(f.rule("r100")));
    CHECK_FALSE(f.put_rule("more", large));
  }
  SECTION("number") {
    for (std::size_t i = 0; i < settings_bounds::per_kind; ++i)
      REQUIRE_FALSE(f.put_rule(f.numbered_rule(i), "1"));
    f.commit();
    f.open();
    CHECK(code(f.put_rule("one-more", "1")) == errc::too_large);
    CHECK_FALSE(f.put_rule("r7", "2"));
    CHECK_FALSE(f.put_setting(setting_kind{2}, "one-more", "1"));
    CHECK(f.rounds->delete_setting(f.rule("r8")));
    CHECK_FALSE(f.put_rule("one-more", "1"));
    CHECK(code(f.put_rule("r8", "1")) == errc::too_large);
  }
}
