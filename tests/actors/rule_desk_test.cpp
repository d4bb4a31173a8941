// Rules and triggers of a whole node: what rules make of a trigger, once, whatever happens on the way.

#include "tests/actors/node_fixture.hpp"

#include "policy/trigger_plan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <variant>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

rule rule_for(const std::string& id, std::vector<std::string> connectors,
              std::vector<std::string> events = {}) {
  rule made;
  made.id = {id};
  made.events = std::move(events);
  for (auto& each : connectors)
    made.actions.push_back({{std::move(each)}, std::nullopt, {}});
  return made;
}

trigger some_trigger(const std::string& event = "ticket.created", std::optional<event_id> id = {}) {
  trigger made;
  made.event = event;
  made.occurred_at = {manual_clock::start_ms - 60'000};
  made.data_json = R"({"ticket":{"id":"T-1","priority":"high"}})";
  made.run = "run-1";
  made.id = id;
  return made;
}

std::variant<rule, refusal> put(node_fixture& node, const rule& value) {
  return node.ask<rule>(put_rule{value});
}

void put_good(node_fixture& node, const rule& value) {
  const auto answer = put(node, value);
  if (const auto* no = std::get_if<refusal>(&answer))
    FAIL("put of a rule: " << to_string(no->code) << ": " << no->detail);
}

refusal refused(const std::variant<rule, refusal>& answer) {
  REQUIRE(std::holds_alternative<refusal>(answer));
  return std::get<refusal>(answer);
}

trigger_result fire(node_fixture& node, const trigger& value) {
  const auto answer = node.ask<trigger_result>(value);
  if (const auto* no = std::get_if<refusal>(&answer))
    FAIL("trigger: " << to_string(no->code) << ": " << no->detail);
  return std::get<trigger_result>(answer);
}

std::size_t duplicates(const trigger_result& of) {
  return static_cast<std::size_t>(std::count_if(of.events.begin(), of.events.end(), [](const auto& each) {
    const auto* yes = std::get_if<accepted>(&each.result);
    return yes != nullptr && yes->duplicate;
  }));
}

std::size_t all_accepted(const trigger_result& of) {
  return static_cast<std::size_t>(std::count_if(of.events.begin(), of.events.end(), [](const auto& each) {
    return std::holds_alternative<accepted>(each.result);
  }));
}

constexpr event_id some_id{{0x01, 0x97, 0x1f, 0x2e, 0x8c, 0x4b, 0x7d, 0x3a, 0x9a, 0x55, 1, 2, 3, 4, 5, 6}};

} // namespace

TEST_CASE("a rule is put, shown, listed and deleted, and is there after a restart") {
  node_fixture node{2};
  node.put("crm");
  const auto value = rule_for("notify", {"crm"}, {"ticket.*"});
  put_good(node, value);
  put_good(node, rule_for("another", {"crm"}));
  for (int life = 0; life < 2; ++life) {
    CHECK(std::get<rule>(node.ask<rule>(get_rule{{"notify"}})) == value);
    const auto page = std::get<rule_page>(node.ask<rule_page>(list_rules{}));
    REQUIRE(page.rules.size() == 2);
    CHECK(page.rules[0].id.value == "another");
    CHECK(page.rules[1] == value);
    const auto second = std::get<rule_page>(node.ask<rule_page>(list_rules{{"another"}, 5}));
    CHECK(second.rules.size() == 1);
    CHECK(fire(node, some_trigger()).events.size() == 2);
    node.restart();
  }
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_rule{{"notify"}})));
  CHECK(std::get<refusal>(node.ask<std::monostate>(delete_rule{{"notify"}})).code == errc::not_found);
  CHECK(refused(node.ask<rule>(get_rule{{"notify"}})).code == errc::not_found);
  CHECK(fire(node, some_trigger()).events.size() == 1);
}

TEST_CASE(
    "a rule that is malformed, or names a connector that is not there, is refused with what and where") {
  node_fixture node;
  node.put("crm");
  auto value = rule_for("r", {"crm"});
  value.filter_json = R"({"/ticket/id":{"is":"T-1"}})";
  auto no = refused(put(node, value));
  CHECK(no.code == errc::invalid_rule);
  CHECK(no.detail.find("/filter") != std::string::npos);
  no = refused(put(node, rule_for("r", {"crm", "nobody"})));
  CHECK(no.code == errc::unknown_connector);
  CHECK(no.detail.find("'nobody'") != std::string::npos);
  CHECK(std::get<rule_page>(node.ask<rule_page>(list_rules{})).rules.empty());
}

TEST_CASE("a connector that rules name is not deleted, and the refusal says which") {
  node_fixture node;
  node.put("crm");
  put_good(node, rule_for("b", {"crm"}));
  put_good(node, rule_for("a", {"crm"}));
  for (const bool force : {false, true}) {
    const auto answer = node.ask<std::monostate>(delete_connector{{"crm"}, force});
    REQUIRE(std::holds_alternative<refusal>(answer));
    CHECK(std::get<refusal>(answer).code == errc::connector_busy);
    CHECK(std::get<refusal>(answer).detail.find("'a', 'b'") != std::string::npos);
  }
  node.ask<std::monostate>(delete_rule{{"a"}});
  node.ask<std::monostate>(delete_rule{{"b"}});
  CHECK(std::holds_alternative<std::monostate>(node.ask<std::monostate>(delete_connector{{"crm"}})));
}

TEST_CASE(
    "a trigger goes to all actions of all rules that match, over all partitions, and each is sent once") {
  node_fixture node{3};
  constexpr std::size_t rules = 64;
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    node.put(node_fixture::connector_in(partition, 3));
  for (std::size_t i = 0; i < rules; ++i)
    put_good(node,
             rule_for("rule-" + std::to_string(100 + i),
                      {node_fixture::connector_in(static_cast<std::uint32_t>(i % 3), 3)}, {"ticket.*"}));
  put_good(node, rule_for("other", {node_fixture::connector_in(0, 3)}, {"user.*"}));
  const auto result = fire(node, some_trigger());
  REQUIRE(result.events.size() == rules);
  CHECK(all_accepted(result) == rules);
  CHECK(duplicates(result) == 0);
  std::set<event_id> ids;
  for (std::size_t i = 0; i < rules; ++i) {
    const auto& one = result.events[i];
    CHECK(one.rule.value == "rule-" + std::to_string(100 + i));
    CHECK(one.action == 0);
    CHECK(one.connector.value == node_fixture::connector_in(static_cast<std::uint32_t>(i % 3), 3));
    const auto id = std::get<accepted>(one.result).id;
    CHECK(id == planned_id(result.id, one.rule, 0));
    CHECK(ids.insert(id).second);
    CHECK(node.event(id).summary.state == event_state::delivered);
  }
  CHECK(fire(node, some_trigger("call.ended")).events.empty()); // which is a result, too
}

TEST_CASE("a trigger that is sent again adds nothing that is there, and what rules make of it now") {
  node_fixture node{3};
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    node.put(node_fixture::connector_in(partition, 3));
  const auto first_connector = node_fixture::connector_in(0, 3);
  put_good(node, rule_for("a", {first_connector, node_fixture::connector_in(1, 3)}));
  const auto first = fire(node, some_trigger("ticket.created", some_id));
  CHECK(first.id == some_id);
  CHECK(duplicates(first) == 0);
  CHECK(duplicates(fire(node, some_trigger("ticket.created", some_id))) == 2);
  put_good(node, rule_for("b", {node_fixture::connector_in(2, 3)}));
  const auto third = fire(node, some_trigger("ticket.created", some_id));
  REQUIRE(third.events.size() == 3);
  CHECK(duplicates(third) == 2);
  CHECK(std::get<accepted>(third.events[0].result).id == std::get<accepted>(first.events[0].result).id);
  // Of triggers without an id each is another one.
  CHECK(duplicates(fire(node, some_trigger())) == 0);
  CHECK(duplicates(fire(node, some_trigger())) == 0);
}

TEST_CASE("what one action is refused for good holds up no other") {
  node_fixture node{2};
  const auto off = node_fixture::connector_in(0, 2);
  const auto on = node_fixture::connector_in(1, 2);
  node.put(off);
  node.put(on);
  put_good(node, rule_for("a", {off, on}));
  node.put(off, [](connector& c) { c.enabled = false; });
  const auto result = fire(node, some_trigger());
  CHECK(std::get<refusal>(result.events.at(0).result).code == errc::connector_disabled);
  CHECK(std::holds_alternative<accepted>(result.events.at(1).result));
}

TEST_CASE("a message and data are filled in, for each action its own") {
  node_fixture node;
  node.put("crm");
  auto value = rule_for("a", {"crm", "crm"});
  value.actions[0].message = "Ticket {{/ticket/id}}";
  value.actions[1].data_json = R"({"id":"{{/ticket/id}}"})";
  put_good(node, value);
  fire(node, some_trigger());
  REQUIRE(node.transport->requests(node_fixture::host_of("crm")).size() == 2);
  std::string bodies;
  for (const auto& each : node.transport->requests(node_fixture::host_of("crm")))
    bodies += each.body + "\n";
  CHECK(bodies.find(R"("message":"Ticket T-1")") != std::string::npos);
  CHECK(bodies.find(R"("data":{"id":"T-1"})") != std::string::npos);
}

TEST_CASE("while a disk has no room a trigger waits, with what was planned first, and is whole then") {
  node_fixture node{3};
  for (std::uint32_t partition = 0; partition < 3; ++partition)
    node.put(node_fixture::connector_in(partition, 3));
  put_good(node, rule_for("a", {node_fixture::connector_in(0, 3), node_fixture::connector_in(1, 3)}));
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  const auto answer = node.ask_later<trigger_result>(some_trigger());
  node.advance_ms(3'000);
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  put_good(node, rule_for("b", {node_fixture::connector_in(2, 3)})); // comes too late for that one
  node.advance_ms(1'000);
  const auto result = answer();
  REQUIRE(std::holds_alternative<trigger_result>(result));
  CHECK(std::get<trigger_result>(result).events.size() == 2);
  CHECK(all_accepted(std::get<trigger_result>(result)) == 2);
  CHECK(duplicates(std::get<trigger_result>(result)) == 0);
}

TEST_CASE("a trigger that can't be taken whole within ten seconds says so with its id, and is completed "
          "under that") {
  node_fixture node{2};
  node.put(node_fixture::connector_in(0, 2));
  node.put(node_fixture::connector_in(1, 2));
  put_good(node, rule_for("a", {node_fixture::connector_in(0, 2), node_fixture::connector_in(1, 2)}));
  node.disk.set_volume({.free_bytes = 1u << 20, .total_bytes = 1u << 30});
  const auto answer = node.ask_later<trigger_result>(some_trigger("ticket.created", some_id));
  node.advance_ms(11'000);
  const auto late = answer();
  REQUIRE(std::holds_alternative<refusal>(late));
  CHECK(std::get<refusal>(late).code == errc::unavailable);
  CHECK(std::get<refusal>(late).detail.find(some_id.to_string()) != std::string::npos);
  node.disk.set_volume({.free_bytes = 1u << 29, .total_bytes = 1u << 30});
  const auto again = fire(node, some_trigger("ticket.created", some_id));
  CHECK(all_accepted(again) == 2);
  CHECK(duplicates(fire(node, some_trigger("ticket.created", some_id))) == 2);
}

TEST_CASE("a batch of triggers is answered item by item, in order") {
  node_fixture node{2};
  node.put("crm");
  put_good(node, rule_for("a", {"crm"}, {"ticket.*"}));
  trigger_batch batch;
  batch.items = {some_trigger(), some_trigger("call.ended"), some_trigger(), some_trigger()};
  batch.items[2].data_json = "[]";
  const auto answer = node.ask<trigger_batch_result>(batch);
  const auto& results = std::get<trigger_batch_result>(answer).results;
  REQUIRE(results.size() == 4);
  CHECK(all_accepted(std::get<trigger_result>(results[0])) == 1);
  CHECK(std::get<trigger_result>(results[1]).events.empty());
  CHECK(std::get<refusal>(results[2]).code == errc::invalid_event);
  CHECK(all_accepted(std::get<trigger_result>(results[3])) == 1);
  CHECK(std::get<trigger_batch_result>(node.ask<trigger_batch_result>(trigger_batch{})).results.empty());
  batch.items.assign(trigger_batch::max_items + 1, some_trigger());
  CHECK(std::get<refusal>(node.ask<trigger_batch_result>(batch)).code == errc::invalid_event);
}

namespace {

/// Rules with 64 conditions each, none of which holds for `large_trigger`, which takes long to find out.
void put_laborious(node_fixture& node, std::size_t rules) {
  auto value = rule_for("r", {"crm"}, {"large"});
  value.filter_json = R"({"any":[)";
  for (auto i = 0; i < 63; ++i)
    value.filter_json += R"({"/a":{"contains":-1}},)";
  value.filter_json += R"({"/a":{"contains":-2}}]})";
  for (std::size_t i = 0; i < rules; ++i) {
    value.id = {"r-" + std::to_string(10 + i)};
    put_good(node, value);
  }
}

trigger large_trigger() {
  auto made = some_trigger("large", some_id);
  made.data_json = R"({"a":[99)";
  while (made.data_json.size() < 70'000)
    made.data_json += ",99";
  made.data_json += "]}";
  return made;
}

} // namespace

TEST_CASE("a trigger that takes long to judge holds up nobody else") {
  node_fixture node;
  node.put("crm");
  put_laborious(node, 30);
  const auto late = node.ask_later<trigger_result>(large_trigger());
  const auto other = node.ask_later<trigger_result>(some_trigger("large"));
  const auto event = node.ask_later<accepted>(node_fixture::event_for("crm"));
  node.run();
  CHECK(std::holds_alternative<trigger_result>(other()));
  CHECK(std::holds_alternative<accepted>(event()));
  node.advance_ms(25, 1); // a turn is one rule
  const auto so_far = late();
  REQUIRE(std::holds_alternative<refusal>(so_far));
  CHECK(std::get<refusal>(so_far).detail == "no answer");
  node.advance_ms(10, 1);
  const auto result = late();
  REQUIRE(std::holds_alternative<trigger_result>(result));
  CHECK(std::get<trigger_result>(result).events.empty());
}

TEST_CASE("a trigger that is not judged within ten seconds is given up, and says how far it came") {
  node_fixture node;
  node.put("crm");
  put_laborious(node, 30);
  const auto late = node.ask_later<trigger_result>(large_trigger());
  node.advance_ms(3, 1);
  node.pass_ms(11'000);
  node.run();
  const auto result = late();
  REQUIRE(std::holds_alternative<refusal>(result));
  CHECK(std::get<refusal>(result).code == errc::unavailable);
  CHECK(std::get<refusal>(result).detail.find("its rules take too long to judge: ") != std::string::npos);
  CHECK(std::get<refusal>(result).detail.find(" of 30 with a pattern for its name are") != std::string::npos);
  CHECK(std::get<refusal>(result).detail.find(some_id.to_string()) != std::string::npos);
  CHECK(fire(node, some_trigger()).events.empty());
}

TEST_CASE("a page of what rules would make of a trigger ends where judging it takes long") {
  node_fixture node;
  node.put("crm");
  put_laborious(node, 3);
  try_rules request{large_trigger(), {}, 10};
  std::size_t pages = 0;
  for (bool more = true; more; ++pages) {
    const auto answer = node.ask<trial_page>(request);
    const auto& page = std::get<trial_page>(answer);
    REQUIRE(page.rules.size() == 1);
    request.after = page.rules.back().rule;
    more = page.more;
  }
  CHECK(pages == 3);
}

TEST_CASE("what rules would make of a trigger is shown, and nothing is sent") {
  node_fixture node;
  node.put("crm");
  put_good(node, rule_for("a", {"crm"}, {"ticket.*"}));
  put_good(node, rule_for("b", {"crm"}, {"user.*"}));
  const auto answer = node.ask<trial_page>(try_rules{some_trigger("ticket.created", some_id), {}, 10});
  const auto& page = std::get<trial_page>(answer);
  REQUIRE(page.rules.size() == 2);
  CHECK_FALSE(page.more);
  CHECK(page.rules[0].matches);
  REQUIRE(page.rules[0].actions.size() == 1);
  CHECK(page.rules[0].actions[0].id == planned_id(some_id, {"a"}, 0));
  CHECK(std::get<std::string>(page.rules[0].actions[0].envelope).find(R"("id":"T-1")") != std::string::npos);
  CHECK_FALSE(page.rules[1].matches);
  CHECK(page.rules[1].why_not.at(0).find("/events") != std::string::npos);
  const auto first = node.ask<trial_page>(try_rules{some_trigger(), {}, 1});
  CHECK(std::get<trial_page>(first).more);
  CHECK(node.transport->requests(node_fixture::host_of("crm")).empty());
}
