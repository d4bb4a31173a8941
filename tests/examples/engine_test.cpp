// The example's engine against a node that says what the test wants: refusals that a real one gives under
// stress only.

#include "examples/workflow_engine/engine.hpp"

#include "link/port.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch_session.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <functional>
#include <map>
#include <set>
#include <vector>

namespace {

using namespace vicket;

/// Outlives the node, and is read once that has ended.
struct node_script {
  std::deque<batch_result> answers; ///< to the batches, in their order
  std::vector<send_batch> batches;  ///< those that came
  std::deque<trigger_batch_result> trigger_answers;
  std::vector<trigger_batch> trigger_batches;
  std::set<event_id> lost; ///< instead of their first outcomes there are gaps
  std::map<event_id, event_page> histories;
};

/// Answers as the script says, and reports every event that it accepted as delivered.
class scripted_node {
public:
  scripted_node(node_actor::pointer self, node_script& script) : self_{self}, script_{script} {}

  node_actor::behavior_type make_behavior() {
    const auto unused = caf::make_error(caf::sec::unexpected_message);
    return {
        [unused](const send_to_connector&) -> caf::result<accepted> { return unused; },
        [this](const send_batch& batch) { return take(batch); },
        [unused](const put_connector&) -> caf::result<connector_view> { return unused; },
        [unused](const get_connector&) -> caf::result<connector_view> { return unused; },
        [unused](const delete_connector&) -> caf::result<void> { return unused; },
        [unused](const list_connectors&) -> caf::result<connector_page> { return unused; },
        [this](const get_event& request) -> caf::result<event_page> {
          if (const auto found = script_.histories.find(request.id); found != script_.histories.end())
            return found->second;
          return make_refusal(errc::not_found, "no event has this id");
        },
        [unused](const get_run&) -> caf::result<run_page> { return unused; },
        [this](const read_outcomes&) -> caf::result<outcome_page> {
          reader_ = self_->make_response_promise<outcome_page>();
          report();
          return reader_;
        },
        [unused](const get_status&) -> caf::result<node_status> { return unused; },
        [unused](const trigger&) -> caf::result<trigger_result> { return unused; },
        [this](const trigger_batch& batch) { return take(batch); },
        [unused](const put_rule&) -> caf::result<rule> { return unused; },
        [unused](const get_rule&) -> caf::result<rule> { return unused; },
        [unused](const delete_rule&) -> caf::result<void> { return unused; },
        [unused](const list_rules&) -> caf::result<rule_page> { return unused; },
        [unused](const try_rules&) -> caf::result<trial_page> { return unused; },
        [unused](const make_backup&) -> caf::result<backup_made> { return unused; },
    };
  }

private:
  batch_result take(const send_batch& batch) {
    script_.batches.push_back(batch);
    auto answer = std::move(script_.answers.front());
    script_.answers.pop_front();
    for (std::size_t i = 0; i < answer.results.size(); ++i)
      if (std::holds_alternative<accepted>(answer.results[i])) {
        if (script_.lost.erase(*batch.items[i].id) == 1)
          page_.gap_cursor = "gap";
        else
          add_delivered(batch.items[i]);
      }
    report();
    return answer;
  }

  /// The outcomes are told first, and may be read before the answer.
  trigger_batch_result take(const trigger_batch& batch) {
    script_.trigger_batches.push_back(batch);
    auto answer = std::move(script_.trigger_answers.front());
    script_.trigger_answers.pop_front();
    for (std::size_t i = 0; i < answer.results.size(); ++i)
      if (const auto* made = std::get_if<trigger_result>(&answer.results[i]))
        for (const auto& each : made->events)
          if (const auto* yes = std::get_if<accepted>(&each.result); yes != nullptr && !yes->duplicate) {
            if (script_.lost.erase(yes->id) == 1) {
              page_.gap_cursor = "gap";
              continue;
            }
            send_to_connector event;
            event.id = yes->id;
            event.connector = each.connector;
            event.workflow = batch.items[i].workflow;
            add_delivered(event);
          }
    report();
    return answer;
  }

  void add_delivered(const send_to_connector& event) {
    outcome_entry entry;
    entry.summary = {*event.id, event.connector,        event.event, event.workflow,
                     event.run, event_state::delivered, {},          {}};
    entry.value.status = 200;
    page_.entries.push_back(std::move(entry));
  }

  void report() {
    if ((page_.entries.empty() && page_.gap_cursor.empty()) || !reader_.pending())
      return;
    page_.cursor += "x";
    reader_.deliver(page_);
    page_.entries.clear();
    page_.gap_cursor.clear();
  }

  node_actor::pointer self_;
  node_script& script_;
  caf::typed_response_promise<outcome_page> reader_;
  outcome_page page_;
};

send_to_connector action_number(std::uint8_t number) {
  send_to_connector action;
  action.connector = {"crm"};
  action.event = "ticket.opened";
  action.data_json = "{}";
  action.workflow = "triage";
  action.id = event_id{{number}};
  return action;
}

trigger trigger_number(std::uint8_t number) {
  const auto action = action_number(number);
  return {action.event, {}, action.data_json, {}, action.workflow, {}, action.id};
}

/// Of a trigger that became events with these ids.
trigger_result made_of(std::uint8_t number, std::vector<std::uint8_t> events) {
  trigger_result result;
  result.id = event_id{{number}};
  for (const auto each : events)
    result.events.push_back({{"crm"}, {"rule"}, 0, accepted{event_id{{each}}}});
  return result;
}

/// Fires the actions or triggers at an engine, and lets it end: its reason.
template <class Fired>
caf::error run_engine(caf::actor_system& system, node_script& script, std::vector<Fired> actions) {
  const auto node = system.spawn<caf::stateful_actor<scripted_node, node_actor::base>>(std::ref(script));
  auto opened = actor_port::open(system, node, {{{{"127.0.0.1", 0}, {}}}, {}, {}, [](const std::string&) {}});
  REQUIRE(std::holds_alternative<std::unique_ptr<actor_port>>(opened));
  const auto& port = std::get<0>(opened);
  const auto where = port->places().front();
  const auto cursor_file =
      std::filesystem::temp_directory_path() / ("engine-test-" + std::to_string(where.address.port));
  link_options link;
  link.nodes = {where.to_string()};
  const auto under_test = system.spawn<engine>(engine_options{link, "triage", cursor_file});
  caf::scoped_actor self{system};
  self->monitor(under_test);
  for (auto& action : actions)
    self->send(under_test, std::move(action));
  self->send(under_test, caf::close_atom_v);
  caf::error reason;
  self->receive([&](const caf::down_msg& end) { reason = end.reason; });
  self->monitor(node);
  self->send_exit(node, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  std::filesystem::remove(cursor_file);
  return reason;
}

std::vector<std::uint8_t> numbers_of(const std::vector<send_batch>& batches) {
  std::vector<std::uint8_t> numbers;
  for (const auto& batch : batches)
    for (const auto& item : batch.items)
      numbers.push_back(item.id->bytes[0]);
  return numbers;
}

} // namespace

TEST_CASE("an engine sends again what is refused for now, and nothing else") {
  const auto code = GENERATE(errc::overloaded, errc::storage_full, errc::unavailable);
  CAPTURE(to_string(code));
  caf::actor_system_config config;
  caf::actor_system system{config};
  node_script script;
  // given a node that takes the first event, refuses the second for now and takes it when it comes again
  script.answers = {{{accepted{{{1}}}}}, {{refusal{code, "later"}}}, {{accepted{{{2}}}}}};
  // when the engine is to send two
  const auto reason = run_engine(system, script, std::vector{action_number(1), action_number(2)});
  // then both are delivered, and only the second was sent twice
  CHECK_FALSE(reason);
  CHECK(numbers_of(script.batches) == std::vector<std::uint8_t>{1, 2, 2});
}

TEST_CASE("an engine gives up what is refused for good, says so at its end, and delivers the rest") {
  const auto code = GENERATE(errc::unknown_connector, errc::connector_disabled, errc::filtered,
                             errc::invalid_event, errc::too_large);
  CAPTURE(to_string(code));
  caf::actor_system_config config;
  caf::actor_system system{config};
  node_script script;
  script.answers = {{{refusal{code, "never"}}}, {{accepted{{{2}}}}}};
  const auto reason = run_engine(system, script, std::vector{action_number(1), action_number(2)});
  CHECK(reason == caf::sec::runtime_error);
  CHECK(numbers_of(script.batches) == std::vector<std::uint8_t>{1, 2});
}

TEST_CASE(
    "after a gap an engine asks what became of its events, and sends again what the node does not know") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  node_script script;
  script.answers = {{{accepted{{{1}}}}}, {{accepted{{{2}}}}}, {{accepted{{{2}}}}}};
  // given a node whose outcomes of the first two events are gone, and that still knows the first: delivered
  script.lost = {event_id{{1}}, event_id{{2}}};
  event_history delivered;
  delivered.summary.id = event_id{{1}};
  delivered.summary.connector = {"crm"};
  delivered.summary.state = event_state::delivered;
  auto elsewhere = delivered;
  elsewhere.summary.connector = {"another"};
  elsewhere.summary.state = event_state::failed;
  script.histories[delivered.summary.id].events = {elsewhere, delivered};
  // when the engine sends them
  const auto reason = run_engine(system, script, std::vector{action_number(1), action_number(2)});
  // then it counts the first as delivered, and sends the second again
  CHECK_FALSE(reason);
  CHECK(numbers_of(script.batches) == std::vector<std::uint8_t>{1, 2, 2});
}

TEST_CASE(
    "an engine follows what rules make of its triggers, and sends again a trigger that was not taken whole") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  node_script script;
  auto once_more = made_of(2, {21, 22});
  std::get<accepted>(once_more.events[0].result).duplicate = true;
  event_history known;
  known.summary.connector = {"crm"};
  known.summary.state = event_state::delivered;
  script.histories[event_id{{21}}].events = {known};
  // given a node that takes the first trigger, and the second one only when it comes again; and that knows nothing of one of
  // its two events any more, whose outcome is gone
  script.trigger_answers = {{{made_of(1, {11, 12})}},
                            {{refusal{errc::unavailable, "a partition is not there"}}},
                            {{made_of(2, {21, 22})}},
                            {{once_more}}};
  script.lost = {event_id{{22}}};
  // when the engine is to fire both
  const auto reason = run_engine(system, script, std::vector{trigger_number(1), trigger_number(2)});
  // then it ends when all of their events are delivered
  CHECK_FALSE(reason);
  std::vector<std::uint8_t> sent;
  for (const auto& batch : script.trigger_batches)
    for (const auto& item : batch.items)
      sent.push_back(item.id->bytes[0]);
  CHECK(sent == std::vector<std::uint8_t>{1, 2, 2, 2});
}

TEST_CASE("an engine says at its end which triggers, or events of theirs, were refused for good") {
  caf::actor_system_config config;
  caf::actor_system system{config};
  node_script script;
  auto in_part = made_of(1, {11});
  in_part.events.push_back({{"erp"}, {"rule"}, 1, refusal{errc::connector_disabled, "off"}});
  script.trigger_answers = {{{in_part}}, {{refusal{errc::too_large, "never"}}}};
  CHECK(run_engine(system, script, std::vector{trigger_number(1), trigger_number(2)}) ==
        caf::sec::runtime_error);
  CHECK(script.trigger_batches.size() == 2);
}

int main(int argc, char** argv) {
  register_message_types();
  return Catch::Session().run(argc, argv);
}
