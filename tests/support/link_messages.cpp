#include "tests/support/link_messages.hpp"

#include "link/frames.hpp"

#include <cstdint>

namespace vicket::testing {

namespace {

template <class Body>
std::string frame(std::uint8_t kind, std::uint64_t request, const Body& body) {
  return std::string{internal::encode_frame({kind, request}, body).bytes};
}

trigger some_trigger() {
  trigger value;
  value.event = "ticket.opened";
  value.data_json = R"({"ticket":{"id":"T-1"}})";
  value.message = "hello";
  value.id = event_id{{1}};
  return value;
}

rule some_rule() {
  rule value;
  value.id = {"r"};
  value.name = "a rule";
  value.events = {"ticket.*"};
  value.filter_json = R"({"/ticket/id":"T-1"})";
  value.actions = {{{"crm"}, "{{/ticket/id}}", R"({"id":"{{/ticket/id}}"})"}, {{"mail"}, {}, {}}};
  return value;
}

trigger_result some_result() {
  return {event_id{{1}},
          {{{"crm"}, {"r"}, 0, accepted{event_id{{2}}, true}},
           {{"mail"}, {"r"}, 1, refusal{errc::unknown_connector, "none"}}}};
}

setting a_setting() {
  setting made;
  made.key.id = "r";
  made.bytes = "{}";
  return made;
}

} // namespace

std::vector<std::string> valid_link_messages() {
  send_to_connector event;
  event.connector = {"crm"};
  event.event = "ticket.opened";
  event.data_json = R"({"ticket":{"id":"T-1"}})";
  event.message = "hello";
  event.id = event_id{{1}};
  send_batch batch;
  batch.items = {event, event};
  connector value;
  value.id = {"crm"};
  value.url = "https://example.com/hook";
  value.secret = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  value.headers = {{"X-Team", "support"}};
  value.secret_headers = {{"Authorization", {"Bearer token"}}};
  value.events = {"ticket.*"};
  value.rate = rate_limit{1, 1, 1};
  value.filter_json = R"({"event":{"eq":"a"}})";
  composed_event composed;
  composed.id = event_id{{1}};
  composed.id_of_sender = true;
  composed.connector = {"crm"};
  composed.event = "ticket.opened";
  composed.workflow = "w";
  composed.run = "r";
  composed.envelope = R"({"id":"1"})";
  return {frame(1, 1, event),
          frame(2, 2, batch),
          frame(3, 3, get_event{event_id{{1}}, "c"}),
          frame(4, 4, get_run{"run", "c"}),
          frame(5, 5, read_outcomes{"c"}),
          frame(6, 6, put_connector{value}),
          frame(7, 7, get_connector{{"crm"}}),
          frame(8, 8, delete_connector{{"crm"}}),
          frame(9, 9, list_connectors{}),
          frame(10, 10, get_status{}),
          frame(11, 11, of_partition<accept_events>{3, {3, {composed, composed}}}),
          frame(12, 12, of_partition<put_connector>{3, {value}}),
          frame(13, 13, of_partition<get_connector>{3, {{"crm"}}}),
          frame(14, 14, of_partition<delete_connector>{3, {{"crm"}, true}}),
          frame(15, 15, of_partition<list_connectors>{3, {}}),
          frame(16, 16, of_partition<get_partition_overview>{3, {{"crm"}, 7}}),
          frame(17, 17, of_partition<find_partition_events>{3, {event_id{{1}}, {"crm"}, 101}}),
          frame(18, 18, of_partition<find_partition_run>{3, {"run", 7, 100}}),
          frame(19, 19,
                of_partition<read_partition_histories>{3, {{{7, attempts_left{1, 2}}, {8, {}}}, 4096, true}}),
          frame(20, 20, of_partition<read_partition_outcomes>{3, {feed_position{7, 1, 2, 3}, 100, 4096}}),
          frame(21, 21, await_feed{3, 7, 1'000}),
          frame(22, 22, of_partition<put_setting>{3, {a_setting()}}),
          frame(23, 23, of_partition<delete_setting>{3, {{setting_kind::rule, "r"}}}),
          frame(24, 24, of_partition<get_setting>{3, {{setting_kind::rule, "r"}}}),
          frame(25, 25, of_partition<list_settings>{3, {setting_kind::rule, "r", 10}}),
          frame(26, 26, some_trigger()),
          frame(27, 27, trigger_batch{{some_trigger(), some_trigger()}}),
          frame(28, 28, put_rule{some_rule()}),
          frame(29, 29, get_rule{{"r"}}),
          frame(30, 30, delete_rule{{"r"}}),
          frame(31, 31, list_rules{{"r"}, 10}),
          frame(32, 32, try_rules{some_trigger(), {"r"}, 10}),
          frame(33, 33, make_backup{"/var/backups/vicket/today"}),
          frame(34, 34, open_checkpoint{3}),
          frame(35, 35, read_checkpoint{3, 7, 1'048'576}),
          frame(36, 36, close_checkpoint{3})};
}

int last_link_kind() {
  return static_cast<unsigned char>(valid_link_messages().back().front());
}

std::vector<std::string> valid_link_answers() {
  event_summary summary;
  summary.id = event_id{{1}};
  summary.connector = {"crm"};
  summary.event = "ticket.opened";
  summary.workflow = "w";
  summary.run = "r";
  summary.next_attempt_at = timestamp_ms{2'000};
  attempt value;
  value.number = 1;
  value.phases = {1, 2, 3, 4};
  value.result = outcome::http_status;
  value.status = std::uint16_t{503};
  value.error = "the endpoint answered 503";
  value.response_body = "busy";
  value.response_body_bytes = 4;
  value.next_attempt_at = timestamp_ms{2'000};
  value.response_headers = {{"Retry-After", "2"}};
  value.retry_after = retry_hint{"2", timestamp_ms{2'000}, timestamp_ms{2'000}};
  const event_history history{summary, {value}, true, true, 1};
  connector_view view;
  view.value.id = {"crm"};
  view.value.url = "https://example.com/hook";
  view.value.secret_headers = {{"Authorization", {"***"}}};
  view.being_deleted = true;
  node_status status;
  status.version = "1";
  status.partitions = {{}};
  connector_status busy;
  busy.id = {"crm"};
  busy.oldest_pending_at = timestamp_ms{1};
  busy.problem = "p";
  busy.held_until = timestamp_ms{2};
  status.connectors = {busy};
  partition_overview overview;
  overview.partition.owner = "b";
  overview.partition.why = "w";
  overview.connectors_configured = 5;
  overview.connectors = {busy};
  overview.more = true;
  constexpr auto answer = internal::answer_bit;
  return {frame(answer | 1, 1, accepted{event_id{{1}}, true}),
          frame(answer | 2, 2, batch_result{{accepted{event_id{{1}}}, refusal{errc::overloaded, "later"}}}),
          frame(answer | 3, 3, event_page{{history}, "c", true}),
          frame(answer | 4, 4, run_page{{history}, "c", true}),
          frame(answer | 5, 5, outcome_page{"g", {{summary, value, "c"}}, "c", {}}),
          frame(answer | 6, 6, view),
          frame(answer | 7, 7, view),
          frame(answer | 8, 8, internal::nothing{}),
          frame(answer | 9, 9, connector_page{{view}, true}),
          frame(answer | 10, 10, status),
          frame(answer | 11, 11, batch_result{{accepted{event_id{{1}}}, refusal{errc::not_owner, "gone"}}}),
          frame(answer | 12, 12, view),
          frame(answer | 13, 13, view),
          frame(answer | 14, 14, internal::nothing{}),
          frame(answer | 15, 15, connector_page{{view}, true}),
          frame(answer | 16, 16, overview),
          frame(answer | 17, 17, found_events{{{7, {"crm"}, {1}}}, true}),
          frame(answer | 18, 18, found_events{{{7, {"crm"}, {1}}}, true}),
          frame(answer | 19, 19,
                partition_histories{{std::nullopt, partition_history{history, attempts_left{2, 3}}}}),
          frame(answer | 20, 20,
                partition_outcomes{true, {1, 2, 3, 4}, {{{2, 2, 3, 4}, summary, value}}, {5, 2, 3, 4}, true}),
          frame(answer | 21, 21, feed_awaited{true}),
          frame(answer | 22, 22, internal::nothing{}),
          frame(answer | 23, 23, internal::nothing{}),
          frame(answer | 24, 24, a_setting()),
          frame(answer | 25, 25, settings_page{{a_setting()}, true}),
          frame(answer | 26, 26, some_result()),
          frame(answer | 27, 27, trigger_batch_result{{some_result(), refusal{errc::unavailable, "later"}}}),
          frame(answer | 28, 28, some_rule()),
          frame(answer | 29, 29, some_rule()),
          frame(answer | 30, 30, internal::nothing{}),
          frame(answer | 31, 31, rule_page{{some_rule()}, true}),
          frame(answer | 32, 32,
                trial_page{{{{"r"}, true, {}, {{{"crm"}, event_id{{1}}, "{}"}}},
                            {{"s"}, false, {"/enabled: the rule is disabled"}, {}}},
                           true}),
          frame(answer | 33, 33, backup_made{"/var/backups/vicket/today", {1'779'546'071'412}, 2, 12, 4'096}),
          frame(answer | 34, 34, opened_checkpoint{7, 12, {{"CURRENT", 16}, {"000012.sst", 1'024}}}),
          frame(answer | 35, 35, checkpoint_bytes{"bytes", std::string(32, 'd')}),
          frame(answer | 36, 36, internal::nothing{}),
          frame(internal::refusal_kind, 11, refusal{errc::unavailable, "why"})};
}

} // namespace vicket::testing
