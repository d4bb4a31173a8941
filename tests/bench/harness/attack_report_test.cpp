// What the attacker says is read as it is meant, and an attack that did not take place is told from one that did.

#include "bench/harness/attacker_process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace vicket::bench;

namespace {

attack_report good() {
  attack_report report;
  report.attacks = {{"silent", {500, 500, 0}}, {"pings", {300, 90, 900}}};
  report.seconds = 10;
  report.crowd = 80;
  report.burst = 1'500;
  return report;
}

constexpr attack_demand demand{100, 0.8, 0.3, 100, 1'500};

} // namespace

TEST_CASE("what the attacker says at its end is read line by line") {
  attack_report_reader reader;
  CHECK_FALSE(reader.read("attack silent 500 400 0"));
  CHECK_FALSE(reader.read("attack pings 300 200 900"));
  CHECK(reader.read("end 4.0 144 1500"));
  const auto& report = reader.report();
  CHECK(report.attacks.at("silent").tried == 500);
  CHECK(report.attacks.at("silent").reached == 400);
  CHECK(report.attacks.at("pings").messages == 900);
  CHECK(report.crowd == 144);
  CHECK(report.burst == 1'500);
  CHECK(report.connections_per_s() == 200);
  CHECK(report.messages_per_s() == 225);
}

TEST_CASE("a line that the attacker does not say is an error, not nothing") {
  for (const auto* line :
       {"", "attack", "attack pings 1 2", "attack pings a b c", "end", "end 4.0 144", "ready"}) {
    INFO(line);
    attack_report_reader reader;
    CHECK_THROWS_AS(reader.read(line), std::runtime_error);
  }
}

TEST_CASE(
    "an attack that is just what it had to be is one, and one that is less in any way is complained of") {
  CHECK(complaints_of(good(), demand).empty());
  struct row {
    const char* what;
    void (*spoil)(attack_report&);
    std::string sentence;
  };
  const std::vector<row> rows{
      {"slower", [](attack_report& of) { of.seconds = 10.1; }, "connections/s were made"},
      {"a smaller crowd", [](attack_report& of) { of.crowd = 79; }, "only 79 upgraded"},
      {"a smaller burst", [](attack_report& of) { of.burst = 1'499; }, "only 1499 connections"},
      {"one kind got nowhere", [](attack_report& of) { of.attacks["pings"].reached = 89; },
       "of 300 connections of the kind pings only 89"},
      {"one kind was not tried", [](attack_report& of) { of.attacks["drip"] = {}; }, "of 0 connections"},
  };
  for (const auto& [what, spoil, sentence] : rows) {
    INFO(what);
    auto report = good();
    spoil(report);
    const auto found = complaints_of(report, demand);
    REQUIRE(found.size() == 1);
    CHECK(found.front().find(sentence) != std::string::npos);
  }
}

TEST_CASE("an attack without any connection is complained of") {
  CHECK_FALSE(complaints_of({}, demand).empty());
  CHECK(attack_report{}.connections_per_s() == 0);
}
