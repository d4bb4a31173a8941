// A supervisor alone, between a persistence, a delivery and an alarm that the test plays: what comes in which order.

#include "actors/alarm.hpp"
#include "actors/node.hpp"
#include "actors/supervisor.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>

#include <deque>
#include <mutex>

using namespace vicket;
using namespace vicket::testing;

namespace {

struct quiet_config : caf::actor_system_config {
  quiet_config() {
    static std::once_flag once;
    std::call_once(once, register_all_types);
    set("caf.scheduler.policy", "testing");
  }
};

/// Plays everyone around one supervisor.
class lone_supervisor {
public:
  enum class timed_by { the_test, an_alarm };

  explicit lone_supervisor(timed_by timer = timed_by::the_test) {
    supervisor::setup needs;
    needs.profile = profile_with_cap(cap_ms);
    needs.persistence =
        caf::actor_cast<persistence_actor>(caf::actor_cast<caf::strong_actor_ptr>(store_.ptr()));
    needs.records = records_;
    needs.orders = orders_;
    needs.alarm = caf::actor_cast<alarm_actor>(caf::actor_cast<caf::strong_actor_ptr>(alarm_.ptr()));
    if (timer == timed_by::an_alarm) {
      real_alarm_ = system_.spawn<actor_of<vicket::alarm>>(std::cref(*schedule));
      needs.alarm = real_alarm_;
    }
    needs.clock = schedule;
    needs.random = &random_;
    subject_ = system_.spawn<actor_of<supervisor>>(std::move(needs));
  }
  ~lone_supervisor() {
    if (subject_)
      caf::anon_send_exit(subject_, caf::exit_reason::kill);
    if (real_alarm_)
      caf::anon_send_exit(real_alarm_, caf::exit_reason::kill);
    run();
  }

  /// The memory of the actor itself; null: it has gone, and with it the strong references of others.
  caf::weak_actor_ptr watch() const { return caf::actor_cast<caf::weak_actor_ptr>(subject_); }
  void forget_it() { subject_ = nullptr; }

  static constexpr std::int64_t cap_ms = 21'600'000;

  static std::shared_ptr<const delivery_profile> profile_with_cap(std::int64_t retry_cap_ms) {
    connector config;
    config.id = {"crm"};
    config.url = "https://crm.example.com/hook";
    config.retry.cap_ms = retry_cap_ms;
    return make_delivery_profile(config, secret_box{secret_bytes{std::string(secret_box::key_bytes, 'k')}},
                                 "test");
  }

  template <class Message>
  void tell(Message message) {
    caf::anon_send(subject_, std::move(message));
    run();
  }

  /// The refill that was asked for, if one was.
  std::optional<refill_window> refill() { return next<refill_window>(store_); }
  std::optional<deliver> delivery() {
    std::vector<order_inbox::order> orders;
    if (const auto call = next<orders_wait>(transport_))
      call->inbox->take(orders);
    REQUIRE(orders.size() <= 1);
    return orders.empty() ? std::nullopt : std::optional{std::move(orders.front().what)};
  }
  /// The events of all that are there, with one call.
  std::vector<log_sequence> orders() {
    std::vector<order_inbox::order> orders;
    std::vector<log_sequence> events;
    const auto call = next<orders_wait>(transport_);
    CHECK_FALSE(next<orders_wait>(transport_).has_value());
    if (call)
      call->inbox->take(orders);
    for (const auto& one : orders)
      for (const auto& job : one.what.jobs)
        events.push_back(job.sequence);
    return events;
  }
  std::optional<wake_me> alarm() { return next<wake_me>(alarm_); }
  /// As long after the time has passed as it may take.
  void let_the_alarm_look() {
    dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())
        .advance_time(std::chrono::milliseconds{vicket::alarm::max_nap_ms});
    run();
  }
  std::optional<retire> wants_to_go() { return next<retire>(store_); }
  void answer_retire(bool may_go) {
    bool asked = false;
    while (!asked && store_->has_next_message())
      store_->receive([&](const retire&) { return asked = true, may_go; },
                      caf::others >> [](caf::message&) -> caf::skippable_result { return caf::message{}; });
    REQUIRE(asked);
    run();
  }
  std::vector<log_sequence> gave_back() {
    std::vector<log_sequence> events;
    if (const auto given = next<given_back>(store_))
      for (const auto& one : given->events)
        events.push_back(one.position.sequence);
    return events;
  }
  /// What it left for its records is durable.
  void make_durable() {
    std::vector<record_attempts> records;
    records_->set_durable(records_->take(records));
  }
  /// What it says it holds, when it is made to ask for more.
  std::vector<log_sequence> held() {
    tell(backlog_grew{{clock.wall_now(), 99}});
    const auto asked = refill();
    REQUIRE(asked.has_value());
    tell(refilled{{}, std::nullopt});
    return asked->held;
  }

  manual_clock clock;
  std::shared_ptr<const schedule_clock> schedule = std::make_shared<const schedule_clock>(clock);

private:
  void run() { dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()).run(1'000'000); }

  template <class Message>
  static std::optional<Message> next(caf::scoped_actor& who) {
    std::optional<Message> found;
    while (!found && who->has_next_message())
      who->receive([&](Message& message) { found = std::move(message); },
                   caf::others >> [](caf::message&) -> caf::skippable_result { return caf::message{}; });
    return found;
  }

  quiet_config config_;
  caf::actor_system system_{config_};
  seeded_random random_{1};
  caf::scoped_actor store_{system_};
  std::shared_ptr<record_inbox> records_ = std::make_shared<record_inbox>(
      caf::actor_cast<persistence_actor>(caf::actor_cast<caf::strong_actor_ptr>(store_.ptr())), 0);
  caf::scoped_actor transport_{system_};
  std::shared_ptr<order_inbox> orders_ = std::make_shared<order_inbox>(
      caf::actor_cast<delivery_actor>(caf::actor_cast<caf::strong_actor_ptr>(transport_.ptr())));
  caf::scoped_actor alarm_{system_};
  alarm_actor real_alarm_;
  supervisor_actor subject_;
};

due_event event_due(timestamp_ms due, log_sequence sequence) {
  due_event event;
  event.position = {due, sequence};
  event.accepted_at = due;
  event.envelope = std::make_shared<const std::string>("{}");
  return event;
}

} // namespace

TEST_CASE("a retry that is recorded while a refill is under way is not forgotten") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();

  // given: two events of an earlier life, one taken and delivered in vain, the other still in the store
  crm.tell(backlog_grew{{now - 1'000, 1}});
  REQUIRE(crm.refill().has_value());
  crm.tell(refilled{{event_due(now - 1'000, 1)}, now - 500});
  REQUIRE(crm.delivery().has_value());
  const auto second = crm.refill();
  REQUIRE(second.has_value());
  CHECK(second->held == std::vector<log_sequence>{1});

  // when: the retry is on disk before the refill is answered, by someone who believes that the event is still held
  crm.tell(attempts_recorded{{{1, now + 50}}});
  crm.tell(refilled{{}, std::nullopt});

  // then: it is asked for when it is due, from its place or before
  const auto alarm = crm.alarm();
  REQUIRE(alarm.has_value());
  crm.clock.advance_ms(51);
  crm.tell(wake_up{});
  const auto third = crm.refill();
  REQUIRE(third.has_value());
  CHECK(third->from <= due_position{now + 50, 1});
  CHECK(third->until >= now + 50);
}

TEST_CASE("a backlog that grows while a refill is under way is not forgotten") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();
  crm.tell(backlog_grew{{now - 1'000, 5}});
  REQUIRE(crm.refill().has_value());
  crm.tell(backlog_grew{{now - 2'000, 3}});
  crm.tell(refilled{{event_due(now - 1'000, 5)}, std::nullopt});
  const auto more = crm.refill();
  REQUIRE(more.has_value());
  CHECK(more->from <= due_position{now - 2'000, 3});
}

TEST_CASE(
    "a due time later than the longest backoff is no reason to wait: the store is asked for it as due now") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();
  crm.tell(backlog_grew{{now + lone_supervisor::cap_ms + 1, 1}});
  const auto asked = crm.refill();
  REQUIRE(asked.has_value());
  CHECK(asked->until == now);
  CHECK(asked->beyond == now + lone_supervisor::cap_ms);
  crm.tell(refilled{{event_due(now + lone_supervisor::cap_ms + 1, 1)}, std::nullopt});
  REQUIRE(crm.delivery().has_value());

  // What is recorded of it, and what is due by then, are as ever.
  crm.tell(attempts_recorded{{{1, now + 50}}});
  CHECK_FALSE(crm.refill().has_value());
  crm.clock.advance_ms(51);
  crm.tell(wake_up{});
  const auto second = crm.refill();
  REQUIRE(second.has_value());
  CHECK(second->from <= due_position{now + 50, 1});
  CHECK_FALSE(second->beyond.has_value());
}

TEST_CASE("a due time that is possible is waited for: by the longest cap that the connector has had since "
          "its start") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();
  const auto longer_ms = 10 * lone_supervisor::cap_ms;
  crm.tell(reconfigure{lone_supervisor::profile_with_cap(longer_ms)});
  crm.tell(reconfigure{lone_supervisor::profile_with_cap(1'000)});
  crm.tell(backlog_grew{{now + longer_ms, 1}});
  CHECK_FALSE(crm.refill().has_value());
  crm.tell(backlog_grew{{now + lone_supervisor::cap_ms, 2}});
  CHECK_FALSE(crm.refill().has_value());
  crm.clock.advance_ms(lone_supervisor::cap_ms);
  crm.tell(wake_up{});
  const auto asked = crm.refill();
  REQUIRE(asked.has_value());
  CHECK_FALSE(asked->beyond.has_value());
}

TEST_CASE(
    "what an earlier life left is judged once, whatever is due first, and until all of it was looked at") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();
  const auto soon = now + 3'600'000;
  crm.tell(backlog_grew{{soon, 0}, true});
  auto asked = crm.refill();
  REQUIRE(asked.has_value());
  CHECK(asked->beyond == now + lone_supervisor::cap_ms);

  // Room for one: there is more that is due now.
  crm.tell(refilled{{event_due(soon + 10 * lone_supervisor::cap_ms, 7)}, now});
  asked = crm.refill();
  REQUIRE(asked.has_value());
  CHECK(asked->from <= due_position{soon, 0}); // what is possible before it was not passed over
  CHECK(asked->beyond.has_value());
  CHECK(asked->held == std::vector<log_sequence>{7});

  // All that is left is due when it says.
  crm.tell(refilled{{}, soon});
  CHECK_FALSE(crm.refill().has_value());
  crm.clock.advance_ms(3'600'000);
  crm.tell(wake_up{});
  asked = crm.refill();
  REQUIRE(asked.has_value());
  CHECK(asked->from <= due_position{soon, 0});
  CHECK_FALSE(asked->beyond.has_value());
}

namespace {

deliveries_done done(log_sequence sequence, outcome result) {
  deliveries_done what;
  auto& one = what.deliveries.emplace_back();
  one.sequence = sequence;
  one.value.number = 1;
  one.value.result = result;
  return what;
}

take_events one_event(timestamp_ms due, log_sequence sequence) {
  take_events given;
  given.events.push_back(event_due(due, sequence));
  return given;
}

} // namespace

TEST_CASE(
    "what is settled is held until it is durable, and let go without a word; a retry's word is waited for") {
  lone_supervisor crm;
  crm.tell(one_event(crm.clock.wall_now(), 1));
  REQUIRE(crm.delivery().has_value());
  SECTION("settled") {
    crm.tell(done(1, outcome::delivered));
    CHECK(crm.held() == std::vector<log_sequence>{1});
    crm.make_durable();
    CHECK(crm.held().empty());
    crm.tell(one_event(crm.clock.wall_now(), 2));
    crm.tell(done(2, outcome::delivered));
    CHECK(crm.held() == std::vector<log_sequence>{2}); // the first record says nothing of the second
  }
  SECTION("to be tried again") {
    crm.tell(done(1, outcome::timeout));
    crm.make_durable();
    CHECK(crm.held() == std::vector<log_sequence>{1});
    crm.tell(attempts_recorded{{{1, crm.clock.wall_now() + 3'600'000}}});
    CHECK(crm.held().empty());
  }
}

TEST_CASE("what was delivered while a refill was under way is not delivered again when that brings it") {
  lone_supervisor crm;
  const auto now = crm.clock.wall_now();
  crm.tell(backlog_grew{{now, 1}});
  REQUIRE(crm.refill().has_value());
  crm.tell(one_event(now, 2)); // it is put into the index while it is held, and read from there
  REQUIRE(crm.delivery().has_value());
  crm.tell(done(2, outcome::delivered));
  crm.make_durable();
  SECTION("at once") {}
  SECTION("and something else has happened meanwhile") {
    crm.tell(one_event(now, 3));
    CHECK(crm.orders() == std::vector<log_sequence>{3});
  }
  refilled answer;
  answer.events.push_back(event_due(now, 2));
  crm.tell(answer);
  CHECK(crm.orders().empty());
  CHECK(crm.gave_back() == std::vector<log_sequence>{2});
  CHECK(crm.held() != std::vector<log_sequence>{2}); // from then on it is let go
}

TEST_CASE("whoever has nothing to do asks to go, but not before it has heard of its retries") {
  lone_supervisor crm;
  crm.tell(one_event(crm.clock.wall_now(), 1));
  const auto rest = [&] {
    crm.clock.advance_ms(supervisor::default_idle_ms);
    crm.tell(wake_up{});
  };
  SECTION("persistence knows what is settled and not yet recorded") {
    crm.tell(done(1, outcome::delivered));
    rest();
    CHECK(crm.wants_to_go().has_value());
  }
  SECTION("a retry that it has not heard of would be forgotten") {
    crm.tell(done(1, outcome::timeout));
    crm.make_durable();
    rest();
    rest();
    CHECK_FALSE(crm.wants_to_go().has_value());
    crm.tell(attempts_recorded{{{1, crm.clock.wall_now() + 3'600'000}}});
    rest();
    const auto asked = crm.wants_to_go();
    REQUIRE(asked.has_value());
    CHECK(asked->next_due.has_value());
  }
  SECTION("one that is given up after all is no retry") {
    crm.tell(give_up_all{"deleted"});
    crm.tell(done(1, outcome::timeout));
    rest();
    CHECK(crm.wants_to_go().has_value());
  }
}

TEST_CASE("the alarm holds nobody who goes until the retry that it goes for is due") {
  lone_supervisor crm{lone_supervisor::timed_by::an_alarm};
  const auto subject = crm.watch();
  crm.tell(one_event(crm.clock.wall_now(), 1));
  REQUIRE(crm.delivery().has_value());
  crm.tell(done(1, outcome::timeout));
  crm.make_durable();
  crm.tell(attempts_recorded{{{1, crm.clock.wall_now() + 3'600'000}}});
  const auto rest = [&] {
    crm.clock.advance_ms(supervisor::default_idle_ms);
    crm.let_the_alarm_look();
  };
  SECTION("it may go") {
    rest();
    crm.answer_retire(true);
    crm.forget_it();
    CHECK(subject.lock() == nullptr);
    CHECK(subject.get()->weak_refs == 1); // else the memory is still there
  }
  SECTION("it may not, and is woken as before") {
    rest();
    crm.answer_retire(false);
    rest();
    crm.answer_retire(false);
    CHECK(subject.lock() != nullptr);
    crm.clock.advance_ms(3'600'000);
    crm.let_the_alarm_look();
    CHECK(crm.refill().has_value());
  }
}

TEST_CASE("orders gather behind one message, and the next calls again") {
  lone_supervisor crm;
  crm.tell(one_event(crm.clock.wall_now(), 1));
  crm.tell(one_event(crm.clock.wall_now(), 2));
  CHECK(crm.orders() == std::vector<log_sequence>{1, 2});
  CHECK(crm.orders().empty());
  crm.tell(one_event(crm.clock.wall_now(), 3));
  CHECK(crm.orders() == std::vector<log_sequence>{3});
}
