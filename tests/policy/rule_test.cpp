#include "policy/compiled_rule.hpp"
#include "policy/envelope.hpp"
#include "policy/json_text.hpp"
#include "policy/rfc3339.hpp"
#include "policy/rule_set.hpp"
#include "policy/trigger_plan.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

const event_id trigger_id = event_id::parse("9f2c1b7e-0000-7000-8000-000000000001").value();

rule read(std::string_view json) {
  auto result = rule_from_json(json);
  if (const auto* wrong = std::get_if<std::string>(&result))
    FAIL(*wrong);
  return std::get<rule>(std::move(result));
}

std::shared_ptr<const compiled_rule> compiled(rule from) {
  auto result = compiled_rule::compile(std::move(from));
  if (const auto* wrong = std::get_if<json_fault>(&result))
    FAIL(wrong->sentence());
  return std::get<std::shared_ptr<const compiled_rule>>(std::move(result));
}

std::string fault_of(rule from) {
  const auto result = compiled_rule::compile(std::move(from));
  const auto* wrong = std::get_if<json_fault>(&result);
  return wrong == nullptr ? "" : wrong->sentence();
}

rule simple(std::string id, std::vector<std::string> events = {}, std::string connector = "crm") {
  rule result;
  result.id = {std::move(id)};
  result.events = std::move(events);
  result.actions.push_back({{std::move(connector)}, std::nullopt, {}});
  return result;
}

checked_trigger triggered(std::string event, std::string data = "{}",
                          std::optional<std::string> message = {}) {
  trigger from;
  from.event = std::move(event);
  from.occurred_at = parse_rfc3339("2026-05-23T14:21:11.412Z").value();
  from.data_json = std::move(data);
  from.message = std::move(message);
  from.workflow = "wf-7";
  from.run = "run-42";
  auto result = checked_trigger::check(std::move(from), trigger_id, 256 * 1024);
  REQUIRE(std::holds_alternative<checked_trigger>(result));
  return std::get<checked_trigger>(std::move(result));
}

std::vector<std::string> ids_of(const std::vector<const compiled_rule*>& rules) {
  std::vector<std::string> result;
  for (const auto* one : rules)
    result.push_back(one->source().id.value);
  return result;
}

constexpr std::string_view full_rule =
    R"({"id":"resolved","name":"Resolved tickets","enabled":true,"events":["ticket.*"],)"
    R"("filter":{"/ticket/status":{"eq":"resolved"}},)"
    R"("actions":[{"send_to_connector":"crm","message":"Ticket {{/ticket/id}} resolved",)"
    R"("data":{"ticket":"{{/ticket/id}}","score":1.50}},{"send_to_connector":"erp"}]})";

constexpr auto no_end = std::numeric_limits<std::size_t>::max();

std::vector<planned_event> plan_of(const rule_set& rules, const checked_trigger& of) {
  trigger_plan plan{rules, of};
  REQUIRE_FALSE(plan.go_on(of, {}, no_end));
  CHECK(plan.is_complete());
  return plan.events();
}

} // namespace

TEST_CASE("a rule is read and written with all its fields") {
  const auto value = read(full_rule);
  CHECK(value.id.value == "resolved");
  CHECK(value.name == "Resolved tickets");
  CHECK(value.enabled);
  CHECK(value.events == std::vector<std::string>{"ticket.*"});
  CHECK(value.filter_json == R"({"/ticket/status":{"eq":"resolved"}})");
  REQUIRE(value.actions.size() == 2);
  CHECK(value.actions[0].connector.value == "crm");
  CHECK(value.actions[0].message == "Ticket {{/ticket/id}} resolved");
  CHECK(value.actions[0].data_json == R"({"ticket":"{{/ticket/id}}","score":1.50})");
  CHECK(value.actions[1] == rule_action{{"erp"}, std::nullopt, {}});
  CHECK(rule_to_json(value) == full_rule);
  CHECK(compiled(value)->source() == value);
}

TEST_CASE("a rule's absent fields have their defaults, and null counts as absent") {
  const auto least = read(R"({"id":"a","actions":[{"send_to_connector":"c"}]})");
  CHECK(least == simple("a", {}, "c"));
  CHECK(read("\xef\xbb\xbf { \"actions\" : [ { \"send_to_connector\" : \"c\" , \"message\" : null , \"data\" "
             ": null } ] , "
             "\"id\" : \"a\" , \"name\" : null , \"enabled\" : null , \"events\" : null , \"filter\" : null "
             "} ") == least);
  CHECK_FALSE(read(R"({"id":"a","enabled":false,"actions":[{"send_to_connector":"c"}]})").enabled);
}

TEST_CASE("a rule that is read wrongly is refused with the place") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "the rule is not valid JSON at line 1, column 1: it ends where a value is expected"},
      {"{\n\"id\" 1}", "the rule is not valid JSON at line 2, column 6: a colon is expected"},
      {"[]", "a rule must be an object"},
      {"{}", "/id: is missing"},
      {R"({"id":"a"})", "/actions: are missing"},
      {R"({"id":"a","actions":[]})", "/actions: are missing"},
      {R"({"id":5})", "/id: must be a string"},
      {R"({"id":null})", "/id: must be a string"},
      {R"({"id":"a","id":"b"})", "/id: is there twice"},
      {R"({"id":"a","nmae":"b"})", "/nmae: is no field of a rule"},
      {R"({"id":"a","enabled":1})", "/enabled: must be true or false"},
      {R"({"id":"a","events":"*"})", "/events: must be an array of strings"},
      {R"({"id":"a","events":["*",5]})", "/events/1: must be a string"},
      {R"({"id":"a","actions":{}})", "/actions: must be an array of actions"},
      {R"({"id":"a","actions":[5]})", "/actions/0: an action must be an object"},
      {R"({"id":"a","actions":[{}]})", "/actions/0/send_to_connector: is missing"},
      {R"({"id":"a","actions":[{"connector":"c"}]})", "/actions/0/connector: is no field of an action"},
      {R"({"id":"a","actions":[{"send_to_connector":"c"},{"send_to_connector":["c"]}]})",
       "/actions/1/send_to_connector: must be a string"},
      {R"({"id":"a","actions":[{"send_to_connector":"c","message":{}}]})",
       "/actions/0/message: must be a string"},
      {R"({"id":"a","filter":{"/a":{"eq":[{"b":1,"b":1}]}}})", "/filter/~1a/eq/0/b: is there twice"},
      {std::string(max_rule_json_bytes + 1, ' '), "the rule has 1048577 bytes; at most 1048576 are read"},
  };
  for (const auto& [json, sentence] : table) {
    INFO(json.substr(0, 200));
    const auto result = rule_from_json(json);
    REQUIRE(std::holds_alternative<std::string>(result));
    CHECK(std::get<std::string>(result) == sentence);
  }
}

TEST_CASE("a rule that may not be stored is refused with the place, what was given and what is allowed") {
  const auto with = [](auto change) {
    auto value = simple("a");
    change(value);
    return fault_of(std::move(value));
  };
  CHECK(with([](rule&) {}).empty());
  CHECK(with([](rule& r) { r.id = {std::string(64, 'x')}; }).empty());
  CHECK(with([](rule& r) { r.id = {std::string(65, 'x')}; }).starts_with("/id: is \"xxx"));
  CHECK(with([](rule& r) { r.id = {"a/b"}; }) ==
        "/id: is \"a/b\"; 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed");
  CHECK(with([](rule& r) { r.name = std::string(256, 'x'); }).empty());
  CHECK(with([](rule& r) { r.name = std::string(257, 'x'); }) ==
        "/name: has 257 bytes; at most 256 are allowed");
  CHECK(with([](rule& r) { r.name = "\xff"; }) == "/name: is not UTF-8 at byte 0");
  CHECK(with([](rule& r) { r.events = std::vector<std::string>(64, "*"); }).empty());
  CHECK(with([](rule& r) { r.events = std::vector<std::string>(65, "*"); }) ==
        "/events: has 65 patterns; at most 64 are allowed");
  CHECK(with([](rule& r) { r.events = {"a", ""}; }) == "/events/1: is empty");
  CHECK(with([](rule& r) { r.events = {std::string(257, 'x')}; }) ==
        "/events/0: has 257 bytes; at most 256 are allowed");
  CHECK(with([](rule& r) {
          r.filter_json = R"({"any":[{"/a":{"like":1}}]})";
        }).starts_with("/filter/any/0/~1a/like: \"like\" is no operator"));
  CHECK(with([](rule& r) { r.actions.clear(); }) == "/actions: has 0 actions; 1 to 16 are allowed");
  CHECK(with([](rule& r) { r.actions.assign(16, r.actions[0]); }).empty());
  CHECK(with([](rule& r) { r.actions.assign(17, r.actions[0]); }) ==
        "/actions: has 17 actions; 1 to 16 are allowed");
  CHECK(with([](rule& r) {
          r.actions[0].connector = {""};
        }).starts_with("/actions/0/send_to_connector: is \"\"; 1 to 64"));
  CHECK(
      with([](rule& r) { r.actions[0].message = "{{x}}"; }).starts_with("/actions/0/message: has \"{{x}}\""));
  CHECK(with([](rule& r) { r.actions[0].message = std::string(8'192, 'x'); }).empty());
  CHECK(with([](rule& r) { r.actions[0].message = std::string(8'193, 'x'); }) ==
        "/actions/0/message: has 8193 bytes; at most 8192 are allowed");
  CHECK(with([](rule& r) {
          r.actions[0].data_json = R"({"a":["{{/b"]})";
        }).starts_with("/actions/0/data/a/0: has a placeholder without an end"));
  CHECK(
      with([](rule& r) { r.actions[0].data_json = "[]"; }).starts_with("/actions/0/data: must be an object"));
  const auto data_of = [](std::size_t bytes) { return R"({"a":")" + std::string(bytes - 8, 'x') + "\"}"; };
  CHECK(with([&](rule& r) { r.actions[0].data_json = data_of(32'768); }).empty());
  CHECK(with([&](rule& r) { r.actions[0].data_json = data_of(32'769); }) ==
        "/actions/0/data: has 32769 bytes; at most 32768 are allowed");
  CHECK(with([&](rule& r) {
          r.actions.assign(16, r.actions[0]);
          for (auto& action : r.actions)
            action.data_json = data_of(16'500);
        }).starts_with("the rule has 26"));
}

TEST_CASE("rules are found by an event's name, in the order of their ids") {
  rule_set rules;
  const std::vector<std::pair<std::string, std::vector<std::string>>> all{
      {"z-exact", {"ticket.created"}},
      {"y-prefix", {"ticket.*"}},
      {"x-suffix", {"*.created"}},
      {"w-both", {"ticket.*d"}},
      {"v-all", {}},
      {"u-star", {"*"}},
      {"t-middle", {"*et.cre*"}},
      {"s-several", {"user.*", "ticket.created", "ticket.*", "*"}},
      {"r-three", {"t*.c*d"}},
      {"q-other", {"user.*", "ticket.deleted"}},
      {"p-long", {"ticket.created.*", "ticket.*created.x"}},
      {"o-overlap", {"ticket.crea*eated"}},
      {"n-overlap", {"ticket.creat*reated"}},
      {"m-zero", {std::string{"ticket.\0created", 15}}},
  };
  for (const auto& [id, events] : all)
    rules.put(compiled(simple(id, events)));
  auto disabled = simple("a-disabled", {"ticket.created"});
  disabled.enabled = false;
  rules.put(compiled(disabled));
  CHECK(rules.size() == 15);
  CHECK(ids_of(rules.with_name("ticket.created")) ==
        std::vector<std::string>{"r-three", "s-several", "t-middle", "u-star", "v-all", "w-both", "x-suffix",
                                 "y-prefix", "z-exact"});
  CHECK(ids_of(rules.with_name("user.created")) ==
        std::vector<std::string>{"q-other", "s-several", "u-star", "v-all", "x-suffix"});
  CHECK(ids_of(rules.with_name("ticket.")) ==
        std::vector<std::string>{"s-several", "u-star", "v-all", "y-prefix"});
  CHECK(ids_of(rules.with_name("x")) == std::vector<std::string>{"s-several", "u-star", "v-all"});
}

TEST_CASE("rules that are put again or removed are found as they are now") {
  rule_set rules;
  rules.put(compiled(simple("a", {"x", "y.*"})));
  rules.put(compiled(simple("b", {"x"})));
  CHECK(ids_of(rules.with_name("x")) == std::vector<std::string>{"a", "b"});
  rules.put(compiled(simple("a", {"z"})));
  CHECK(ids_of(rules.with_name("x")) == std::vector<std::string>{"b"});
  CHECK(ids_of(rules.with_name("y.1")).empty());
  CHECK(ids_of(rules.with_name("z")) == std::vector<std::string>{"a"});
  const auto copy = rules;
  CHECK(rules.remove({"a"}));
  CHECK_FALSE(rules.remove({"a"}));
  CHECK(ids_of(rules.with_name("z")).empty());
  CHECK(rules.find({"a"}) == nullptr);
  CHECK(rules.find({"b"})->source().id.value == "b");
  CHECK(ids_of(copy.with_name("z")) == std::vector<std::string>{"a"});
}

TEST_CASE("the rules that name a connector are known, and all are visited in order") {
  rule_set rules;
  for (const auto* id : {"c", "a", "b", "d"})
    rules.put(compiled(simple(id, {}, std::string{id} == "b" ? "erp" : "crm")));
  CHECK(rules.naming({"crm"}, 10) == std::vector<rule_id>{{"a"}, {"c"}, {"d"}});
  CHECK(rules.naming({"crm"}, 2) == std::vector<rule_id>{{"a"}, {"c"}});
  CHECK(rules.naming({"x"}, 10).empty());
  std::string seen;
  rules.visit_after({"a"}, [&](const compiled_rule& one) {
    seen += one.source().id.value;
    return one.source().id.value != "c";
  });
  CHECK(seen == "bc");
}

TEST_CASE("there is room for so many rules and regular expressions") {
  rule_set rules;
  const auto with_patterns = [](const std::string& id, std::size_t patterns) {
    auto value = simple(id);
    value.filter_json = R"({"any":[)";
    for (std::size_t i = 0; i < patterns; ++i)
      value.filter_json += R"({"/a":{"matches":"x"}},)";
    value.filter_json.back() = ']';
    value.filter_json += "}";
    return compiled(std::move(value));
  };
  for (std::size_t i = 0; i < rule_set::max_patterns / 8; ++i)
    rules.put(with_patterns("p" + std::to_string(i), 8));
  CHECK(rules.complaint(*with_patterns("more", 1)) ==
        "the filters of all rules would have 4097 regular expressions; at most 4096 are allowed");
  CHECK_FALSE(rules.complaint(*with_patterns("p0", 8)));
  const auto plain = compiled(simple("plain"));
  CHECK_FALSE(rules.complaint(*plain));
  for (std::size_t i = rules.size(); i < rule_set::max_rules; ++i)
    rules.put(compiled(simple("r" + std::to_string(i), {"e" + std::to_string(i)})));
  CHECK(rules.complaint(*plain) == "there are 10000 rules already, which is the most: delete one first");
  CHECK_FALSE(rules.complaint(*compiled(simple("p0"))));
  CHECK(rules.with_name("e9999").size() == rule_set::max_patterns / 8 + 1);
}

TEST_CASE("a trigger is judged in steps, and becomes the same") {
  rule_set rules;
  for (auto i = 0; i < 40; ++i) {
    auto value = simple("r-" + std::to_string(i), {}, "c");
    value.filter_json = i % 4 == 0 ? R"({"/a":{"eq":1},"/b":{"exists":false}})" : R"({"/a":{"eq":2}})";
    rules.put(compiled(value));
  }
  const auto of = triggered("e", R"({"a":1})");
  const auto whole = plan_of(rules, of);
  CHECK(whole.size() == 10);
  CHECK(work_of(*whole[0].by, of) == 3 * of.data().size());
  for (const auto work : {std::size_t{0}, std::size_t{1}, 10 * of.data().size()}) {
    trigger_plan plan{rules, of};
    CHECK(plan.rules() == 40);
    std::size_t steps = 0;
    for (; !plan.is_complete(); ++steps) {
      const auto before = plan.judged();
      REQUIRE_FALSE(plan.go_on(of, {}, work));
      CHECK(plan.judged() > before);
    }
    CHECK(steps > 5);
    REQUIRE(plan.events().size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i)
      CHECK(plan.events()[i].envelope == whole[i].envelope);
  }
}

TEST_CASE("a trigger makes an event of each action of each rule that matches") {
  rule_set rules;
  rules.put(compiled(read(full_rule)));
  rules.put(compiled(simple("everything", {}, "log")));
  rules.put(compiled(simple("other", {"user.*"})));
  const auto of =
      triggered("ticket.closed", R"({ "ticket" : { "id" : "T-1", "status" : "resolved" } })", "by hand");
  auto plan = plan_of(rules, of);
  REQUIRE(plan.size() == 3);
  CHECK(plan[0].by->source().id.value == "everything");
  CHECK(plan[0].action == 0);
  CHECK(plan[0].connector().value == "log");
  CHECK(plan[1].by->source().id.value == "resolved");
  CHECK(plan[1].action == 0);
  CHECK(plan[1].connector().value == "crm");
  CHECK(plan[2].by->source().id.value == "resolved");
  CHECK(plan[2].action == 1);

  CHECK(std::get<std::string>(plan[0].envelope) ==
        R"({"id":")" + plan[0].id.to_string() + R"(","event":"ticket.closed","occurred_at":")" +
            format_rfc3339(of.source().occurred_at) +
            R"(","data":{"ticket":{"id":"T-1","status":"resolved"},"message":"by hand"}})");
  CHECK(data_in_own_envelope(std::get<std::string>(plan[1].envelope)) ==
        R"({"ticket":"T-1","score":1.50,"message":"Ticket T-1 resolved"})");
  CHECK(data_in_own_envelope(std::get<std::string>(plan[2].envelope)).ends_with(R"("message":"by hand"})"));
  for (const auto& each : plan) {
    const auto again = plan_action(*each.by, each.action, of, 256 * 1024);
    CHECK(again.id == each.id);
    CHECK(again.envelope == each.envelope);
  }

  plan = plan_of(rules, triggered("ticket.closed", R"({"ticket":{"status":"open"}})"));
  REQUIRE(plan.size() == 1);
  CHECK(data_in_own_envelope(std::get<std::string>(plan[0].envelope)) == R"({"ticket":{"status":"open"}})");
}

TEST_CASE("the events' ids are the same each time, and follow from trigger, rule and action") {
  CHECK(planned_id(trigger_id, {"resolved"}, 1) == planned_id(trigger_id, {"resolved"}, 1));
  // Never to change: a trigger that is sent again would be delivered twice.
  CHECK(planned_id(event_id::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").value(), {"r"}, 0).to_string() ==
        "07d051f0-1307-510c-9a28-8eaf0805a1c1");
  std::set<event_id> ids;
  for (const auto* rule : {"a", "a1", "a-1"})
    for (std::size_t action = 0; action < 12; ++action)
      ids.insert(planned_id(trigger_id, {rule}, action));
  CHECK(ids.size() == 36);
}

TEST_CASE("an action whose templates come to nothing is refused alone, with the part and a sentence") {
  auto value = simple("a");
  value.actions.push_back({{"erp"}, std::nullopt, R"("{{/x}}")"});
  value.actions.push_back({{"log"}, "{{/big}}{{/big}}", {}});
  const auto of = triggered("e", "{\"big\":\"" + std::string(200, 'x') + "\"}");
  const auto rule = compiled(value);
  CHECK(std::holds_alternative<std::string>(plan_action(*rule, 0, of, 399).envelope));
  CHECK(std::get<refusal>(plan_action(*rule, 1, of, 399).envelope) ==
        refusal{errc::invalid_event, "/actions/1/data: data has to be an object, but {{/x}} is missing"});
  CHECK(std::get<refusal>(plan_action(*rule, 2, of, 399).envelope) ==
        refusal{errc::too_large, "/actions/2/message: what comes of the template is longer than 399 bytes"});
}

TEST_CASE("one trigger makes so many events and bytes at most") {
  rule_set rules;
  auto value = simple("a");
  value.actions.assign(16, value.actions[0]);
  for (const auto* id : {"a", "b", "c"}) {
    value.id = {id};
    rules.put(compiled(value));
  }
  const auto of = triggered("e", "{\"v\":\"" + std::string(92, 'x') + "\"}");
  REQUIRE(of.data().size() == 100);
  const auto together = 48 * of.envelope().size();
  const auto complaint = [&](const trigger_limits& limits) {
    return trigger_plan{rules, of}.go_on(of, limits, no_end);
  };
  CHECK_FALSE(complaint({1'000, 48, together}));
  CHECK(plan_of(rules, of).size() == 48);
  CHECK(complaint({1'000, 47, together}) ==
        refusal{errc::too_large, "the rules that match would make more than 47 events of one trigger"});
  CHECK(complaint({1'000, 48, together - 1}) ==
        refusal{errc::too_large, "the events that the rules make of this trigger would have more than " +
                                     std::to_string(together - 1) + " bytes together"});
}

TEST_CASE("a trigger that is no event is refused as an event would be") {
  const auto refused = [](auto change, std::size_t max_envelope_bytes = 1'000) {
    trigger from;
    from.event = "e";
    from.data_json = "{}";
    change(from);
    const auto result = checked_trigger::check(from, trigger_id, max_envelope_bytes);
    return std::holds_alternative<refusal>(result)
               ? to_string(std::get<refusal>(result).code) + ": " + std::get<refusal>(result).detail
               : "";
  };
  CHECK(refused([](trigger&) {}).empty());
  CHECK(refused([](trigger& t) { t.event = ""; }) ==
        "invalid_event: event is empty; 1 to 256 bytes are needed");
  CHECK(refused([](trigger& t) { t.data_json = "[]"; }) == "invalid_event: data is not a JSON object");
  CHECK(refused([](trigger& t) {
          t.data_json = R"({"a":})";
        }).starts_with("invalid_event: data is not valid JSON"));
  CHECK(refused([](trigger& t) { t.message = "\xff"; }) == "invalid_event: message is not UTF-8 at byte 0");
  CHECK(refused([](trigger& t) {
          t.run = std::string(257, 'x');
        }).starts_with("invalid_event: run has 257 bytes"));
  CHECK(refused([](trigger& t) { t.message = std::string(900, 'x'); }).starts_with("too_large"));
  CHECK(refused([](trigger& t) { t.message = std::string(700, 'x'); }).empty());
  CHECK(refused([](trigger& t) {
          t.data_json = "{\"a\":\"" + std::string(900, 'x') + "\"}";
        }).starts_with("too_large"));
}

TEST_CASE("trying a rule says whether it matches, why not, and the bytes that it would send") {
  const auto one = compiled(read(full_rule));
  const auto good =
      try_rule(*one, triggered("ticket.closed", R"({"ticket":{"id":"T-1","status":"resolved"}})"), 1'000);
  CHECK(good.matches);
  CHECK(good.why_not.empty());
  REQUIRE(good.actions.size() == 2);
  CHECK(good.actions[0].connector().value == "crm");
  CHECK(good.actions[0].id == planned_id(trigger_id, {"resolved"}, 0));
  CHECK(std::get<std::string>(good.actions[0].envelope) ==
        R"({"id":")" + good.actions[0].id.to_string() +
            R"(","event":"ticket.closed","occurred_at":"2026-05-23T14:21:11.412Z",)"
            R"("data":{"ticket":"T-1","score":1.50,"message":"Ticket T-1 resolved"}})");
  CHECK(std::get<std::string>(good.actions[1].envelope)
            .ends_with(R"("data":{"ticket":{"id":"T-1","status":"resolved"}}})"));

  const auto why_not = [](const compiled_rule& rule, const checked_trigger& of) {
    const auto trial = try_rule(rule, of, 1'000);
    CHECK_FALSE(trial.matches);
    CHECK(trial.actions.empty());
    REQUIRE(trial.why_not.size() == 1);
    return trial.why_not[0].sentence();
  };
  CHECK(why_not(*one, triggered("user.created")) == "/events: none of the patterns matches \"user.created\"");
  CHECK(why_not(*one, triggered("ticket.created", R"({"ticket":{"status":"open"}})")) ==
        R"(/filter/~1ticket~1status/eq: /ticket/status is "open", which does not equal "resolved")");
  auto off = read(full_rule);
  off.enabled = false;
  CHECK(why_not(*compiled(off), triggered("ticket.created")) == "/enabled: the rule is disabled");
}

} // namespace vicket
