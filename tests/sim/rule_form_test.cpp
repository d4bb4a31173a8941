#include "tests/sim/rule_form.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

namespace vicket::sim {

TEST_CASE("a filter of a simulation is one of three, each with its text") {
  CHECK(text_of(filter_form::none).empty());
  for (const auto form : {filter_form::none, filter_form::by_kind, filter_form::by_name})
    CHECK(filter_form_of(text_of(form)) == form);
  CHECK(passes(filter_form::none, {4, 4}));
  CHECK(passes(filter_form::by_kind, {4, 2}));
  CHECK_FALSE(passes(filter_form::by_kind, {1, 3}));
  CHECK(passes(filter_form::by_name, {41, 4}));
  CHECK_FALSE(passes(filter_form::by_name, {14, 0}));
}

TEST_CASE("a rule matches if it is enabled, and its names and its filter do") {
  rule_form form;
  CHECK(form.matches({1, 4}));
  form.events = rule_form::names::ours;
  CHECK(form.matches({1, 4}));
  form.filter = filter_form::by_kind;
  CHECK_FALSE(form.matches({1, 4}));
  CHECK(form.matches({1, 0}));
  form.events = rule_form::names::others;
  CHECK_FALSE(form.matches({1, 0}));
  form.events = rule_form::names::all;
  form.enabled = false;
  CHECK_FALSE(form.matches({1, 0}));
}

TEST_CASE("the same number draws the same rule, and all forms come") {
  const std::vector<connector_id> ids(6, connector_id{"c"});
  std::set<std::size_t> actions;
  std::set<rule_form::names> names;
  std::set<filter_form> filters;
  std::set<std::uint32_t> connectors;
  std::size_t disabled = 0;
  std::size_t own_kinds = 0;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    const auto form = draw_rule(7, number, {1, 5});
    CHECK(to_rule(0, number, form, ids) == to_rule(0, number, draw_rule(7, number, {1, 5}), ids));
    actions.insert(form.actions.size());
    names.insert(form.events);
    filters.insert(form.filter);
    disabled += form.enabled ? 0 : 1;
    for (const auto& one : form.actions) {
      connectors.insert(one.connector);
      own_kinds += one.own_kind ? 1 : 0;
    }
  }
  CHECK(actions == std::set<std::size_t>{1, 2});
  CHECK(names.size() == 3);
  CHECK(filters.size() == 3);
  CHECK(connectors == std::set<std::uint32_t>{1, 5});
  CHECK(disabled > 0);
  CHECK(own_kinds > 0);
}

TEST_CASE("an envelope tells its rule, its action, the change and the trigger") {
  const auto mark =
      mark_in(R"({"id":"1","event":"e.128","data":{"kind":4,"message":"rule-3/1 v17 of e.128"}})");
  REQUIRE(mark);
  CHECK(mark->rule == 3);
  CHECK(mark->action == 1);
  CHECK(mark->number == 17);
  CHECK(mark->serial == 128);
  CHECK(mark->kind == 4);
  CHECK_FALSE(mark_in(R"({"event":"e.128","data":{"kind":4}})"));
  CHECK_FALSE(mark_in(R"({"event":"e.128","data":{"message":"rule-3/1 v17 of e.128"}})"));
  CHECK(change_in(R"({"id":"rule-3","name":"v17"})") == 17);
  CHECK_FALSE(change_in("{}"));
  CHECK(rule_of_name("rule-3") == 3);
  CHECK_FALSE(rule_of_name("rule-"));
  CHECK_FALSE(rule_of_name("rule-3x"));
}

} // namespace vicket::sim
