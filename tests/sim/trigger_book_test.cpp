#include "tests/sim/trigger_book.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <functional>
#include <string>

namespace vicket::sim {

namespace {

event_id id_of(std::uint8_t last) {
  event_id id;
  id.bytes[15] = last;
  return id;
}

/// What a book is told, step by step. Change 1 is a rule with two actions, to c0 and c1, for kinds 0 to 2; change 2
/// one with one, to c1, for all. Both connectors are there, c1 with a filter by the name.
struct story {
  std::vector<complaint> complaints;
  setting_book rules{complaints};
  connector_book connectors{2, complaints};
  trigger_book book{
      [](std::uint64_t number) { return form_of(number); },
      [](const connector_id& id) -> std::optional<std::uint32_t> {
        return id.value == "c0" ? std::optional{0u} : id.value == "c1" ? std::optional{1u} : std::nullopt;
      },
      complaints};
  moment time;

  story() {
    for (std::uint32_t which = 0; which < 2; ++which) {
      connector value;
      value.filter_json = text_of(which == 1 ? filter_form::by_name : filter_form::none);
      connectors.change_sent(which, value, true, now());
      connectors.change_done(which, now());
    }
    put(1);
  }

  static rule_form form_of(std::uint64_t number) {
    rule_form form;
    form.actions = {{1, false, false}};
    if (number == 1) {
      form.filter = filter_form::by_kind;
      form.actions = {{0, false, false}, {1, true, true}};
    }
    return form;
  }

  moment now() {
    ++time.order;
    return time;
  }
  void put(std::uint64_t number) {
    REQUIRE(rules.begin(0, number, false, now().order));
    rules.done(0, now().order);
  }
  /// Trigger `serial`, of kind 1, with the id 9.
  void send(std::uint64_t serial, std::uint32_t kind = 1, std::optional<event_id> id = id_of(9)) {
    book.sent({serial, id, kind, 20}, now());
  }
  static triggered_event event_of(std::uint32_t action, const std::string& connector, send_result result) {
    return {{connector}, {"rule-0"}, action, std::move(result)};
  }
  static send_result taken(std::uint8_t id, bool duplicate = false) { return accepted{id_of(id), duplicate}; }
  static send_result refused(errc code) { return refusal{code, "why"}; }
  void answer(std::uint64_t serial, std::vector<triggered_event> events, const event_id& id = id_of(9)) {
    book.answered(serial, {id, std::move(events)}, rules, &connectors, now());
  }
  /// As rule 1 makes it.
  void answer_well(std::uint64_t serial) {
    answer(serial, {event_of(0, "c0", taken(1)), event_of(1, "c1", taken(2))});
  }
  void arrive(std::uint64_t serial, std::uint32_t connector, std::uint8_t id, const std::string& message,
              std::uint32_t kind) {
    book.arrived(serial, connector, id_of(id),
                 R"({"id":"i","event":"e","data":{"kind":)" + std::to_string(kind) + R"(,"message":")" +
                     message + R"("}})",
                 rules, &connectors);
  }
  [[nodiscard]] bool well() const {
    for (const auto& one : complaints)
      UNSCOPED_INFO(one.rule << ": " << one.detail);
    return complaints.empty();
  }
  [[nodiscard]] bool breaks(const std::string& rule) const {
    return std::any_of(complaints.begin(), complaints.end(),
                       [&](const complaint& one) { return one.rule == rule; });
  }
};

constexpr auto becomes = "a trigger becomes what the rules of then make of it";
constexpr auto explained = "an action is taken or refused for a reason";
constexpr auto counts = "a rule counts from the answer to its put to that of the next change";
constexpr auto templates = "what a rule sends is what its templates make";
constexpr auto filtered = "what a filter refuses is never sent";
constexpr auto keeps_ids = "an action of a trigger keeps its id";

} // namespace

TEST_CASE("a trigger that becomes what its rule says breaks no rule") {
  story told;
  told.send(10);
  told.answer_well(10);
  told.arrive(10, 0, 1, "rule-0/0 v1 of e.10", 1);
  told.arrive(10, 1, 2, "rule-0/1 v1 of e.10", 4);
  told.send(20, 3);
  told.answer(20, {}); // of another kind
  CHECK(told.well());
  CHECK(told.book.unanswered().empty());
}

TEST_CASE("answers that no rule of then explains") {
  struct wrong {
    std::string what;
    std::string rule;
    std::function<void(story&)> tell;
  };
  const std::vector<wrong> all{
      {"an action is missing", becomes,
       [](story& it) { it.answer(10, {story::event_of(0, "c0", story::taken(1))}); }},
      {"the rule that matches made nothing", becomes, [](story& it) { it.answer(10, {}); }},
      {"the rule does not match", becomes,
       [](story& it) {
         it.send(20, 3);
         it.answer_well(20);
       }},
      {"another connector", becomes,
       [](story& it) {
         it.answer(10,
                   {story::event_of(0, "c1", story::taken(1)), story::event_of(1, "c1", story::taken(2))});
       }},
      {"no rule of this name", becomes,
       [](story& it) {
         it.answer(10, {story::event_of(0, "c0", story::taken(1)), story::event_of(1, "c1", story::taken(2)),
                        triggered_event{{"c1"}, {"rule-9"}, 0, story::taken(3)}});
       }},
      {"a rule that was replaced before", becomes,
       [](story& it) {
         it.put(2);
         it.send(20);
         it.answer_well(20);
       }},
      {"refused without a filter", explained,
       [](story& it) {
         it.answer(10, {story::event_of(0, "c0", story::refused(errc::filtered)),
                        story::event_of(1, "c1", story::taken(2))});
       }},
      {"a refusal that is none of a result's", explained,
       [](story& it) {
         it.answer(10, {story::event_of(0, "c0", story::refused(errc::storage_full)),
                        story::event_of(1, "c1", story::taken(2))});
       }},
      {"accepted in spite of the filter", explained,
       [](story& it) {
         it.send(14);
         it.answer_well(14);
       }},
      {"another id than before", keeps_ids,
       [](story& it) {
         it.answer_well(10);
         it.send(20);
         it.answer(20, {story::event_of(0, "c0", story::taken(3)),
                        story::event_of(1, "c1", story::taken(2, true))});
       }},
      {"one id for two", "actions of a trigger have different ids",
       [](story& it) {
         it.answer(10,
                   {story::event_of(0, "c0", story::taken(1)), story::event_of(1, "c1", story::taken(1))});
       }},
      {"another trigger's id", "a trigger keeps its id",
       [](story& it) {
         it.answer(10, {story::event_of(0, "c0", story::taken(1)), story::event_of(1, "c1", story::taken(2))},
                   id_of(8));
       }},
      {"a duplicate of nothing", "only a known id is a duplicate",
       [](story& it) {
         it.send(20, 1, std::nullopt);
         it.answer(20, {story::event_of(0, "c0", story::taken(1, true)),
                        story::event_of(1, "c1", story::taken(2))});
       }},
  };
  for (const auto& one : all) {
    INFO(one.what);
    story told;
    told.send(10);
    one.tell(told);
    CHECK(told.breaks(one.rule));
  }
}

TEST_CASE("what comes to an endpoint and no rule of then sends there") {
  struct wrong {
    std::string what;
    std::string rule;
    std::function<void(story&)> tell;
  };
  const std::vector<wrong> all{
      {"no message", templates, [](story& it) { it.arrive(10, 0, 1, "", 1); }},
      {"another trigger's name", templates, [](story& it) { it.arrive(10, 0, 1, "rule-0/0 v1 of e.20", 1); }},
      {"another kind", templates, [](story& it) { it.arrive(10, 1, 2, "rule-0/1 v1 of e.10", 1); }},
      {"another connector", becomes, [](story& it) { it.arrive(10, 1, 1, "rule-0/0 v1 of e.10", 1); }},
      {"no such action", becomes, [](story& it) { it.arrive(10, 0, 1, "rule-0/2 v1 of e.10", 1); }},
      {"no such rule", becomes, [](story& it) { it.arrive(10, 0, 1, "rule-7/0 v1 of e.10", 1); }},
      {"the rule's filter", becomes,
       [](story& it) {
         it.send(20, 3);
         it.arrive(20, 0, 1, "rule-0/0 v1 of e.20", 3);
       }},
      {"the connector's filter", filtered,
       [](story& it) {
         it.send(14);
         it.arrive(14, 1, 2, "rule-0/1 v1 of e.14", 4);
       }},
      {"a rule that was put after the answer", counts,
       [](story& it) {
         it.answer_well(10);
         it.put(2);
         it.arrive(10, 1, 1, "rule-0/0 v2 of e.10", 1);
       }},
      {"a rule that was replaced before", counts,
       [](story& it) {
         it.put(2);
         it.send(20);
         it.arrive(20, 0, 1, "rule-0/0 v1 of e.20", 1);
       }},
      {"another id than before", keeps_ids,
       [](story& it) {
         it.arrive(10, 0, 1, "rule-0/0 v1 of e.10", 1);
         it.send(20);
         it.arrive(20, 0, 3, "rule-0/0 v1 of e.20", 1);
       }},
  };
  for (const auto& one : all) {
    INFO(one.what);
    story told;
    told.send(10);
    one.tell(told);
    CHECK(told.breaks(one.rule));
  }
}

TEST_CASE("while a rule changes both are right, and behind the answer the old one no more") {
  story told;
  told.send(11);
  REQUIRE(told.rules.begin(0, 2, false, told.now().order));
  told.send(21, 1, id_of(8));
  told.answer(11, {story::event_of(0, "c0", story::taken(1)), story::event_of(1, "c1", story::taken(2))});
  told.answer(21, {story::event_of(0, "c1", story::taken(3))}, id_of(8));
  told.rules.done(0, told.now().order);
  CHECK(told.well());
  told.send(31, 1, id_of(7));
  told.answer(31, {story::event_of(0, "c0", story::taken(4)), story::event_of(1, "c1", story::taken(5))},
              id_of(7));
  CHECK(told.breaks(becomes));
}

TEST_CASE("a refusal has a connector's reason") {
  story told;
  told.send(14);
  told.answer(14, {story::event_of(0, "c0", story::taken(1)),
                   story::event_of(1, "c1", story::refused(errc::filtered))});
  CHECK(told.well());
}

TEST_CASE("of what a partition was to take of a trigger all is there, or nothing") {
  const auto whole = [](story& told, std::uint32_t partitions, std::uint64_t there) {
    told.book.check_whole(
        told.connectors, [partitions](std::uint32_t which) { return which % partitions; },
        [there](std::uint32_t, const event_id& id) { return id == id_of(1) || there == 2; });
    return told.well();
  };
  story told;
  told.send(10);
  told.book.all_are_lost(told.now());
  CHECK(whole(told, 1, 1)); // nobody knows what it was to become
  told.arrive(10, 0, 1, "rule-0/0 v1 of e.10", 1);
  CHECK(whole(told, 2, 1));
  CHECK_FALSE(whole(told, 1, 1));
  CHECK(told.breaks("within a partition all events of a trigger are there, or none"));
  story both;
  both.send(10);
  both.arrive(10, 0, 1, "rule-0/0 v1 of e.10", 1);
  both.arrive(10, 1, 2, "rule-0/1 v1 of e.10", 4);
  CHECK(whole(both, 1, 2));
  story by_filter;
  by_filter.send(14);
  by_filter.arrive(14, 0, 1, "rule-0/0 v1 of e.14", 1);
  CHECK(whole(by_filter, 1, 1)); // c1 refuses it
}

TEST_CASE("a trigger is answered in time, if only with a refusal") {
  story told;
  told.send(10);
  told.send(20);
  told.book.ended(20, told.now());
  told.time.steady_ms += 5'000; // the node gets it
  told.book.quiet(told.now());
  told.time.steady_ms += 10'500;
  told.book.quiet(told.now());
  CHECK(told.well());
  told.time.steady_ms += 1;
  told.book.quiet(told.now());
  CHECK(told.complaints.size() == 1);
  CHECK(told.breaks("a trigger is answered after 10 s at the latest"));
}

TEST_CASE("of a trigger that was not answered the last sending is remembered, until one was") {
  story told;
  told.send(10);
  told.book.ended(10, told.now());
  told.send(20);
  told.book.all_are_lost(told.now());
  told.send(30, 1, std::nullopt);
  REQUIRE(told.book.unanswered().size() == 1);
  CHECK(told.book.unanswered().front().serial == 20);
  told.send(40);
  told.answer_well(40);
  CHECK(told.book.unanswered().empty());
  told.send(50);
  CHECK(told.book.unanswered().empty());
}

} // namespace vicket::sim
