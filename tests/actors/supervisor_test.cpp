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
  lone_supervisor() {
    supervisor::setup needs;
    needs.profile = profile_with_cap(cap_ms);
    needs.persistence =
        caf::actor_cast<persistence_actor>(caf::actor_cast<caf::strong_actor_ptr>(store_.ptr()));
    needs.records = records_;
    needs.delivery =
        caf::actor_cast<delivery_actor>(caf::actor_cast<caf::strong_actor_ptr>(transport_.ptr()));
    needs.alarm = caf::actor_cast<alarm_actor>(caf::actor_cast<caf::strong_actor_ptr>(alarm_.ptr()));
    needs.clock = schedule;
    needs.random = &random_;
    subject_ = system_.spawn<actor_of<supervisor>>(std::move(needs));
  }
  ~lone_supervisor() { caf::anon_send_exit(subject_, caf::exit_reason::kill), run(); }

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
  std::optional<deliver> delivery() { return next<deliver>(transport_); }
  std::optional<wake_me> alarm() { return next<wake_me>(alarm_); }

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
  caf::scoped_actor alarm_{system_};
  supervisor_actor subject_;
};

waiting_event event_due(timestamp_ms due, log_sequence sequence) {
  waiting_event event;
  event.position = {due, sequence};
  event.event.sequence = sequence;
  event.event.accepted_at = due;
  event.event.envelope = std::make_shared<const std::string>("{}");
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
