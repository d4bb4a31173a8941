#include "messages/actors.hpp"
#include "messages/type_id.hpp"

#include <catch2/catch_test_macros.hpp>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/message.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

namespace {

// Printing a message and naming an error need the types' meta objects.
const bool registered = [] {
  register_message_types();
  caf::core::init_global_meta_objects();
  return true;
}();

/// Where a type stands in the block, which starts at CAF's first custom id.
template <class T>
constexpr int offset_of = int{caf::type_id_v<T>} - int{caf::first_custom_type_id};

/// What the other process sees after the value has crossed the wire.
template <class T>
T over_the_wire(const T& value) {
  caf::byte_buffer bytes;
  caf::binary_serializer sink{nullptr, bytes};
  REQUIRE(sink.apply(value));
  T result;
  caf::binary_deserializer source{nullptr, bytes};
  REQUIRE(source.apply(result));
  CHECK(source.remaining() == 0);
  return result;
}

/// Whether these bytes are an enum's value.
template <class T>
bool readable(std::uint8_t number) {
  caf::byte_buffer bytes{static_cast<caf::byte>(number)};
  T result{};
  caf::binary_deserializer source{nullptr, bytes};
  return source.apply(result);
}

connector some_connector() {
  connector settings;
  settings.id = {"crm-prod"};
  settings.url = "https://hooks.example.com/vicket";
  settings.secret = {"hunter2"};
  settings.headers = {{"X-Team", "support"}};
  settings.secret_headers = {{"Authorization", {"Bearer hunter2"}}};
  settings.events = {"ticket.*"};
  settings.rate = rate_limit{100, 1'000, 10};
  settings.filter_json = R"({"event":{"eq":"ticket.created"}})";
  return settings;
}

} // namespace

TEST_CASE("the type ids are the wire: each stays where it is, new ones go to the end") {
  // Do not adapt these numbers to the code: nodes and engines of another version would misread each other.
  CHECK(int{caf::first_custom_type_id} == 200);
  CHECK(offset_of<errc> == 0);
  CHECK(offset_of<connector_id> == 1);
  CHECK(offset_of<event_id> == 2);
  CHECK(offset_of<timestamp_ms> == 3);
  CHECK(offset_of<refusal> == 4);
  CHECK(offset_of<send_to_connector> == 5);
  CHECK(offset_of<accepted> == 6);
  CHECK(offset_of<send_batch> == 7);
  CHECK(offset_of<batch_result> == 8);
  CHECK(offset_of<secret_text> == 9);
  CHECK(offset_of<rate_limit> == 10);
  CHECK(offset_of<retry_policy> == 11);
  CHECK(offset_of<connector> == 12);
  CHECK(offset_of<connector_view> == 13);
  CHECK(offset_of<put_connector> == 14);
  CHECK(offset_of<get_connector> == 15);
  CHECK(offset_of<delete_connector> == 16);
  CHECK(offset_of<list_connectors> == 17);
  CHECK(offset_of<connector_page> == 18);
  CHECK(offset_of<outcome> == 19);
  CHECK(offset_of<phase_timings> == 20);
  CHECK(offset_of<attempt> == 21);
  CHECK(offset_of<event_state> == 22);
  CHECK(offset_of<event_summary> == 23);
  CHECK(offset_of<event_history> == 24);
  CHECK(offset_of<get_event> == 25);
  CHECK(offset_of<get_run> == 26);
  CHECK(offset_of<run_page> == 27);
  CHECK(offset_of<read_outcomes> == 28);
  CHECK(offset_of<outcome_entry> == 29);
  CHECK(offset_of<outcome_page> == 30);
  CHECK(offset_of<get_status> == 31);
  CHECK(offset_of<connector_status> == 32);
  CHECK(offset_of<partition_status> == 33);
  CHECK(offset_of<node_status> == 34);
  CHECK(offset_of<event_page> == 35);
  CHECK(offset_of<link_state> == 36);
  CHECK(offset_of<settings_status> == 37);
  CHECK(offset_of<rule_id> == 38);
  CHECK(offset_of<rule_action> == 39);
  CHECK(offset_of<rule> == 40);
  CHECK(offset_of<put_rule> == 41);
  CHECK(offset_of<get_rule> == 42);
  CHECK(offset_of<delete_rule> == 43);
  CHECK(offset_of<list_rules> == 44);
  CHECK(offset_of<rule_page> == 45);
  CHECK(offset_of<try_rules> == 46);
  CHECK(offset_of<tried_action> == 47);
  CHECK(offset_of<tried_rule> == 48);
  CHECK(offset_of<trial_page> == 49);
  CHECK(offset_of<trigger> == 50);
  CHECK(offset_of<trigger_batch> == 51);
  CHECK(offset_of<triggered_event> == 52);
  CHECK(offset_of<trigger_result> == 53);
  CHECK(offset_of<trigger_batch_result> == 54);
  CHECK(offset_of<make_backup> == 55);
  CHECK(offset_of<backup_made> == 56);
  CHECK(caf::id_block::vicket::end - caf::id_block::vicket::begin == 57);
}

TEST_CASE("the enums' numbers are the wire, and an unknown number is refused") {
  CHECK(static_cast<int>(errc::unknown_connector) == 1);
  CHECK(static_cast<int>(errc::connector_disabled) == 2);
  CHECK(static_cast<int>(errc::filtered) == 3);
  CHECK(static_cast<int>(errc::invalid_event) == 4);
  CHECK(static_cast<int>(errc::too_large) == 5);
  CHECK(static_cast<int>(errc::overloaded) == 6);
  CHECK(static_cast<int>(errc::storage_full) == 7);
  CHECK(static_cast<int>(errc::unavailable) == 8);
  CHECK(static_cast<int>(errc::invalid_connector) == 9);
  CHECK(static_cast<int>(errc::not_found) == 10);
  CHECK(static_cast<int>(errc::connector_busy) == 11);
  CHECK(static_cast<int>(errc::forbidden) == 12);
  CHECK(static_cast<int>(errc::not_owner) == 13);
  CHECK(static_cast<int>(errc::invalid_rule) == 14);
  CHECK(static_cast<int>(outcome::delivered) == 1);
  CHECK(static_cast<int>(outcome::http_status) == 2);
  CHECK(static_cast<int>(outcome::timeout) == 3);
  CHECK(static_cast<int>(outcome::dns) == 4);
  CHECK(static_cast<int>(outcome::connect) == 5);
  CHECK(static_cast<int>(outcome::tls) == 6);
  CHECK(static_cast<int>(outcome::protocol) == 7);
  CHECK(static_cast<int>(outcome::blocked) == 8);
  CHECK(static_cast<int>(event_state::pending) == 1);
  CHECK(static_cast<int>(event_state::delivered) == 2);
  CHECK(static_cast<int>(event_state::failed) == 3);
  for (int number = 0; number < 256; ++number) {
    INFO(number);
    CHECK(readable<errc>(static_cast<std::uint8_t>(number)) == (number >= 1 && number <= 14));
    CHECK(readable<outcome>(static_cast<std::uint8_t>(number)) == (number >= 1 && number <= 8));
    CHECK(readable<event_state>(static_cast<std::uint8_t>(number)) == (number >= 1 && number <= 3));
  }
}

TEST_CASE("the errors' names are the contract") {
  for (const std::string_view name :
       {"unknown_connector", "connector_disabled", "filtered", "invalid_event", "too_large", "overloaded",
        "storage_full", "unavailable", "invalid_connector", "not_found", "connector_busy", "forbidden",
        "not_owner", "invalid_rule"}) {
    auto code = errc{};
    REQUIRE(from_string(name, code));
    CHECK(to_string(code) == name);
  }
  auto code = errc{};
  CHECK_FALSE(from_string("unknown_error", code));
}

TEST_CASE("a secret crosses the wire but never shows when a message is printed") {
  REQUIRE(registered);
  const auto settings = some_connector();
  CHECK(over_the_wire(settings) == settings);
  CHECK(over_the_wire(put_connector{settings}).value.secret.value == "hunter2");
  CHECK(over_the_wire(put_connector{settings}).value.secret_headers[0].second.value == "Bearer hunter2");

  for (const auto& text :
       {caf::deep_to_string(settings.secret), caf::deep_to_string(settings),
        caf::deep_to_string(put_connector{settings}), caf::deep_to_string(connector_view{settings, true}),
        caf::deep_to_string(connector_page{{{settings, true}}, false}),
        caf::to_string(caf::make_message(put_connector{settings}))}) {
    INFO(text);
    CHECK(text.find("hunter2") == std::string::npos);
    CHECK(text.find("***") != std::string::npos);
  }
}

TEST_CASE("a secret that is let go leaves zeros where it was, also of a longer one before it") {
  secret_text kept;
  kept.value.reserve(64); // its memory stays while it is wiped
  kept.value = "hunter2-hunter2-hunter2-hunter2";
  const auto* memory = kept.value.data();
  kept.value.resize(4);
  kept.wipe();
  CHECK(kept.empty());
  REQUIRE(kept.value.data() == memory);
  CHECK(std::string_view{memory, 31} == std::string(31, '\0'));
  secret_text shorter{"hunter2"}; // within the object itself
  const secret_text moved{std::move(shorter)};
  CHECK(moved.value == "hunter2");
  CHECK(std::string_view{shorter.value.data(), 7} == std::string(7, '\0')); // NOLINT(bugprone-use-after-move)
}

TEST_CASE("what a workflow engine sends and reads crosses the wire unchanged") {
  send_to_connector event;
  event.connector = {"crm-prod"};
  event.event = "ticket.status_changed";
  event.occurred_at = {1'779'546'071'412};
  event.data_json = R"({"n":1.50})";
  event.message = "m";
  event.run = "run-42";
  event.id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001");
  const auto arrived = over_the_wire(send_batch{{event}}).items.at(0);
  CHECK(arrived.connector == event.connector);
  CHECK(arrived.event == event.event);
  CHECK(arrived.occurred_at == event.occurred_at);
  CHECK(arrived.data_json == event.data_json);
  CHECK(arrived.message == event.message);
  CHECK(arrived.workflow.empty());
  CHECK(arrived.run == event.run);
  CHECK(arrived.id == event.id);

  const batch_result answers{{accepted{*event.id, true}, refusal{errc::filtered, "why"}}};
  CHECK(over_the_wire(answers).results == answers.results);

  attempt value;
  value.number = 3;
  value.status = 503;
  value.result = outcome::http_status;
  value.response_body = std::string{"\xff\0raw", 5};
  value.phases.tls_us = 7;
  value.response_headers = {{"Location", "/elsewhere"}};
  value.retry_after = retry_hint{"30", timestamp_ms{5}, std::nullopt};
  CHECK(over_the_wire(value) == value);
}

TEST_CASE("a refusal survives being a CAF error, and any other error is unavailable") {
  const auto why = make_refusal(errc::too_large, "300 bytes");
  CHECK(refusal_of(why) == refusal{errc::too_large, "300 bytes"});
  CHECK(refusal_of(make_refusal(refusal{errc::filtered, "no pattern"})) ==
        refusal{errc::filtered, "no pattern"});
  CHECK(refusal_of(caf::make_error(errc::not_found)).code == errc::not_found);
  CHECK(refusal_of(caf::make_error(caf::sec::request_timeout)).code == errc::unavailable);
}

} // namespace vicket
