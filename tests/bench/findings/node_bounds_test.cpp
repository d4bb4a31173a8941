// Each goal of the bounds of a node can be missed: by what lies just beyond it, and by nothing else.

#include "bench/findings/node_bounds.hpp"

#include "bench/findings/figures.hpp"
#include "bench/report/verdict.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace vicket::bench;

namespace {

const hanging_cap_findings good_cap{
    64, 8, {900, 1'000, 1'100}, {1'500, 2'000, 2'500}, {5'000, 6'000, 7'000}, 128, {1'000}, {2'000}};
const hostile_port_findings good_port{200,
                                      1'000,
                                      {1'000, 1'000, 1'000},
                                      {1'000, 1'000, 1'000},
                                      {1'200, 1'300, 1'400},
                                      {9e9, 9e9, 9e9},
                                      {1'200, 1'300, 1'400},
                                      {9e9, 9e9, 9e9},
                                      {20'000, 30'000, 40'000},
                                      10e6};
const drain_findings good_drain{
    {1'000, 1'000, 1'000}, {1'200, 1'300, 1'400}, {100, 100, 100}, {9e9, 9e9, 9e9}};
const big_events_findings good_memory{1'000, 30e6, 9e12, 100e6, {90e6, 95e6, 100e6}, {0.5, 0.5, 0.5}};
const status_findings good_status{5'000'000, 100'000, {0.001, 0.002, 0.003}, {9, 9, 9}};
const waiting_connectors_findings good_million{1'000'000, 100'000, {9, 9, 9}, {150e6, 160e6, 170e6}, 180e6};
const many_connectors_findings good_many{100'000, 64, {29'000, 30'000, 31'000}, {30'000, 31'000, 32'000}};

/// The keys of figures whose verdict is that one.
std::vector<std::string> with_verdict(const std::vector<figure>& figures, verdict wanted) {
  std::vector<std::string> keys;
  for (const auto& one : figures)
    if (verdict_of(one) == wanted)
      keys.push_back(one.key);
  return keys;
}

/// Good findings of which one was replaced.
template <class Findings, class Member>
Findings changed(Findings from, Member Findings::*member, Member value) {
  from.*member = value;
  return from;
}

struct row {
  const char* what;
  std::vector<figure> good;
  std::vector<figure> at_must; ///< one value is just what it must be
  std::vector<figure> wrong;   ///< and here just beyond
  std::string key;             ///< the figure of that value
};

std::vector<row> all_goals() {
  using cap = hanging_cap_findings;
  using port = hostile_port_findings;
  using memory = big_events_findings;
  using million = waiting_connectors_findings;
  const std::vector<double> three_worst{1, 1e6, 2};
  const std::vector<double> too_slow{1, 1e6 + 1, 2};
  const auto cap_p99 = [](double us) {
    return figures_of(changed(good_cap, &cap::beside_p99_us, {1, us, 9e9}));
  };
  const auto attacked = [](double us) {
    return figures_of(changed(good_port, &port::attacked_accepted_us, {0, us, 9e9}));
  };
  const auto pinged = [](double us) {
    return figures_of(changed(good_port, &port::pinged_accepted_us, {0, us, 9e9}));
  };
  const auto drain = [](double us) {
    return figures_of(changed(good_drain, &drain_findings::during_p99_us, {0, us, 9e9}));
  };
  const auto waiting = [](double bytes) {
    return figures_of(changed(good_memory, &memory::waiting_bytes, bytes), true);
  };
  const auto restarted = [](double bytes) {
    return figures_of(changed(good_memory, &memory::restarted_bytes, {0, bytes, 9e12}), true);
  };
  const auto page = [](double s) {
    return figures_of(changed(good_status, &status_findings::page_s, {0, s, 9e9}), true);
  };
  const auto rest = [](double bytes) {
    return figures_of(changed(good_million, &million::memory_bytes, {0, bytes, 9e12}), true);
  };
  const auto tried = [](double bytes) {
    return figures_of(changed(good_million, &million::memory_tried_bytes, bytes), true);
  };
  const auto many = [](double per_s) {
    return figures_of(changed(good_many, &many_connectors_findings::many_per_s, {0, per_s, 9e9}));
  };
  const auto status = [](double s) { return std::vector{status_figure(status_goal_pending, {0, s, 9e9})}; };
  return {
      {"p99 beside hanging ones", figures_of(good_cap), cap_p99(100e3), cap_p99(100e3 + 1), "healthy_p99"},
      {"worst beside hanging ones", figures_of(good_cap),
       figures_of(changed(good_cap, &cap::beside_worst_us, three_worst)),
       figures_of(changed(good_cap, &cap::beside_worst_us, too_slow)), "healthy_worst"},
      {"p99 beside a crowd that hangs", figures_of(good_cap),
       figures_of(changed(good_cap, &cap::crowd_p99_us, {100e3})),
       figures_of(changed(good_cap, &cap::crowd_p99_us, {100e3 + 1})), "crowd_p99"},
      {"worst beside a crowd that hangs", figures_of(good_cap),
       figures_of(changed(good_cap, &cap::crowd_worst_us, {1e6})),
       figures_of(changed(good_cap, &cap::crowd_worst_us, {1e6 + 1})), "crowd_worst"},
      {"an honest sender beside an attack", figures_of(good_port), attacked(3'000), attacked(3'001),
       "accepted_p99_ratio"},
      {"the slowest beside an attack", figures_of(good_port),
       figures_of(changed(good_port, &port::attacked_worst_us, three_worst)),
       figures_of(changed(good_port, &port::attacked_worst_us, too_slow)), "attacked_accepted_worst"},
      {"memory under attack", figures_of(good_port),
       figures_of(changed(good_port, &port::growth_bytes, 50e6)),
       figures_of(changed(good_port, &port::growth_bytes, 50e6 + 1)), "growth"},
      {"an honest sender beside a flood of pings", figures_of(good_port), pinged(3'000), pinged(3'001),
       "pinged_accepted_p99_ratio"},
      {"neighbours of a drain", figures_of(good_drain), drain(4'000), drain(4'001),
       "neighbours_whole_p99_ratio"},
      {"big events wait", figures_of(good_memory, true), waiting(200e6), waiting(200e6 + 1),
       "memory_waiting"},
      {"big events after a restart", figures_of(good_memory, true), restarted(200e6), restarted(200e6 + 1),
       "memory_restarted"},
      {"a page of a status", figures_of(good_status, true), page(0.020), page(0.0201), "page"},
      {"a status", status(0.001), status(0.020), status(0.0201), "status_5000000"},
      {"a million connectors", figures_of(good_million, true), rest(400e6), rest(400e6 + 1), "memory"},
      {"a million, some tried", figures_of(good_million, true), tried(400e6), tried(400e6 + 1),
       "memory_tried"},
      {"many connectors", figures_of(good_many), many(31'000 * 0.8), many(31'000 * 0.8 - 1), "ratio"},
  };
}

} // namespace

TEST_CASE("good findings meet every goal with the aim") {
  for (const auto& one : all_goals()) {
    INFO(one.what);
    CHECK(with_verdict(one.good, verdict::missed).empty());
    CHECK(with_verdict(one.good, verdict::must_met).empty());
    CHECK_FALSE(with_verdict(one.good, verdict::aim_met).empty());
  }
}

TEST_CASE("a value that is just what it must be meets its goal, and one beyond misses it, and no other") {
  const std::vector<std::string> none;
  for (const auto& one : all_goals()) {
    INFO(one.what);
    CHECK(with_verdict(one.at_must, verdict::missed) == none);
    CHECK(with_verdict(one.wrong, verdict::missed) == std::vector<std::string>{one.key});
  }
}

TEST_CASE("every goal of the bounds is in the table of these tests") {
  std::vector<std::string> in_table;
  for (const auto& one : all_goals())
    in_table.push_back(one.key);
  for (const auto& figures :
       {figures_of(good_cap), figures_of(good_port), figures_of(good_drain), figures_of(good_memory, true),
        figures_of(good_status, true), figures_of(good_million, true), figures_of(good_many)})
    for (const auto& one : figures)
      if (one.wanted) {
        INFO(one.key);
        CHECK(std::count(in_table.begin(), in_table.end(), one.key) == 1);
      }
}

TEST_CASE("aims are those that were set") {
  const auto aim_of = [](const std::vector<figure>& figures, const std::string& key) {
    for (const auto& one : figures)
      if (one.key == key && one.wanted)
        return one.wanted->aim;
    return -1.0;
  };
  CHECK(aim_of(figures_of(good_cap), "healthy_p99") == 20e3);
  CHECK(aim_of(figures_of(good_port), "accepted_p99_ratio") == 1.5);
  CHECK(aim_of(figures_of(good_port), "pinged_accepted_p99_ratio") == 1.5);
  CHECK(aim_of(figures_of(good_drain), "neighbours_whole_p99_ratio") == 1.5);
  CHECK(aim_of(figures_of(good_memory, true), "memory_waiting") == 120e6);
  CHECK(aim_of(figures_of(good_memory, true), "memory_restarted") == 120e6);
  CHECK(aim_of(figures_of(good_status, true), "page") == 5e-3);
  CHECK(status_figure(status_goal_pending, {1}).wanted->aim == 5e-3);
  CHECK(aim_of(figures_of(good_million, true), "memory") == 200e6);
  CHECK(aim_of(figures_of(good_many), "ratio") == 0.95);
}

TEST_CASE("the goals of a full size are not those of a smaller one") {
  for (const auto& figures :
       {figures_of(good_memory, false), figures_of(good_status, false), figures_of(good_million, false),
        std::vector{status_figure(status_goal_pending - 1, {9e9})}})
    for (const auto& one : figures)
      CHECK_FALSE(one.wanted);
}

TEST_CASE("a round in which no healthy event came misses the goals of that round, not meets them") {
  auto starved = good_cap;
  starved.beside_p99_us[1] = not_measured;
  starved.beside_worst_us[1] = not_measured;
  CHECK(with_verdict(figures_of(starved), verdict::missed) ==
        std::vector<std::string>{"healthy_p99", "healthy_worst"});
  auto kept_out = good_port;
  kept_out.attacked_accepted_us[2] = not_measured;
  CHECK(with_verdict(figures_of(kept_out), verdict::missed) ==
        std::vector<std::string>{"accepted_p99_ratio"});
  auto silent = good_drain;
  silent.during_p99_us[0] = not_measured;
  CHECK(with_verdict(figures_of(silent), verdict::missed) ==
        std::vector<std::string>{"neighbours_whole_p99_ratio"});
}

TEST_CASE("a ratio is the median of the pairs' ratios, not the ratio of medians") {
  // given pairs on a machine that got slower from one to the next
  const drain_findings drifting{{100, 1'000, 10'000}, {300, 3'000, 90'000}, {1, 1, 1}, {1, 1, 1}};
  CHECK(figures_of(drifting).at(0).value == 3);
}

TEST_CASE("the way to the sink is shown beside the way to the answer, of the same pairs") {
  auto found = good_port;
  found.attacked_sink_us = {2'000, 7'000, 4'000};
  found.pinged_sink_us = {5'000, 6'000, 5'500};
  const auto figures = figures_of(found);
  const auto value_of = [&](const std::string& key) {
    const auto at =
        std::find_if(figures.begin(), figures.end(), [&](const figure& one) { return one.key == key; });
    REQUIRE(at != figures.end());
    CHECK_FALSE(at->wanted);
    return at->value;
  };
  CHECK(value_of("sink_p99_ratio") == 4);
  CHECK(value_of("pinged_sink_p99_ratio") == 5.5);
}
