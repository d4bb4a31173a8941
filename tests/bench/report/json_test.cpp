#include "bench/report/json.hpp"

#include "tests/bench/report/example_run.hpp"

#include <catch2/catch_test_macros.hpp>

#include <rapidjson/document.h>

#include <limits>
#include <string>
#include <vector>

using namespace std::literals;

namespace vicket::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(text.data(),
                                                                                             text.size());
  REQUIRE_FALSE(document.HasParseError());
  REQUIRE(document.IsObject());
  return document;
}

std::vector<std::string> keys_of(const rapidjson::Value& object) {
  std::vector<std::string> keys;
  for (const auto& member : object.GetObject())
    keys.emplace_back(member.name.GetString());
  return keys;
}

} // namespace

TEST_CASE("the JSON has all of a run, in a fixed order") {
  const auto run = example_run();
  const auto json = parsed(json_of(run));
  CHECK(keys_of(json) == std::vector<std::string>{"started_at", "command", "version", "commit", "machine",
                                                  "tools", "took_s", "correct", "fast_enough", "goals",
                                                  "scenarios"});
  CHECK(json["machine"].GetString() == run.machine);
  CHECK(json["correct"].GetBool());
  CHECK_FALSE(json["fast_enough"].GetBool());
  CHECK(json["goals"]["all"].GetUint64() == 6);
  CHECK(json["goals"]["met"].GetUint64() == 5);
  CHECK(json["goals"]["aim_met"].GetUint64() == 3);
  REQUIRE(json["scenarios"].Size() == run.scenarios.size());
  for (rapidjson::SizeType i = 0; i < json["scenarios"].Size(); ++i) {
    const auto& scenario = json["scenarios"][i];
    CHECK(keys_of(scenario) ==
          std::vector<std::string>{"name", "title", "took_s", "figures", "plots", "notes", "violations"});
    CHECK(scenario["name"].GetString() == run.scenarios[i].name);
    CHECK(scenario["figures"].Size() == run.scenarios[i].figures.size());
    CHECK(scenario["plots"].Size() == run.scenarios[i].plots.size());
    CHECK(scenario["notes"].Size() == run.scenarios[i].notes.size());
    CHECK(scenario["violations"].Size() == 0);
  }
}

TEST_CASE("a figure's JSON is its exact value, its goal with the verdict, and its rounds") {
  const auto run = example_run();
  const auto json = parsed(json_of(run));
  const auto& ratio = json["scenarios"][0]["figures"][2];
  CHECK(keys_of(ratio) == std::vector<std::string>{"key", "title", "value", "unit", "goal", "rounds"});
  CHECK(ratio["key"] == "ratio");
  CHECK(ratio["value"].GetDouble() == 0.4306);
  CHECK(ratio["unit"] == "1");
  CHECK(ratio["goal"]["must"].GetDouble() == 0.35);
  CHECK(ratio["goal"]["aim"].GetDouble() == 0.5);
  CHECK(ratio["goal"]["more_is_better"].GetBool());
  CHECK(ratio["goal"]["verdict"] == "must_met");
  REQUIRE(ratio["rounds"].Size() == 3);
  CHECK(ratio["rounds"][1].GetDouble() == 0.4306);
  CHECK(json["scenarios"][0]["figures"][0]["goal"].IsNull());
  CHECK(json["scenarios"][1]["figures"][0]["goal"]["verdict"] == "aim_met");
  CHECK(json["scenarios"][1]["figures"][1]["goal"]["verdict"] == "missed");
}

TEST_CASE("a plot's JSON has its axes and every point") {
  const auto run = example_run();
  const auto json = parsed(json_of(run));
  const auto& drawn = json["scenarios"][1]["plots"][0];
  CHECK(drawn["x"]["scale"] == "nines");
  CHECK(drawn["y"]["scale"] == "logarithmic");
  CHECK(drawn["y"]["title"] == "latency, ms");
  CHECK(json["scenarios"][0]["plots"][0]["x"]["scale"] == "linear");
  const auto& points = run.scenarios[1].plots[0].lines[2].points;
  const auto& written = drawn["lines"][2]["points"];
  REQUIRE(written.Size() == points.size());
  for (rapidjson::SizeType i = 0; i < written.Size(); ++i) {
    CHECK(written[i][0].GetDouble() == points[i].first);
    CHECK(written[i][1].GetDouble() == points[i].second);
  }
}

TEST_CASE("numbers that are not finite are null in the JSON") {
  auto run = run_with({{"key", "title", nan, "ms", goal{infinity, -infinity, true}, {1, nan, infinity}}});
  run.scenarios[0].plots = {plot_with({{0, nan}, {-infinity, 1}})};
  run.took_s = nan;
  const auto json = parsed(json_of(run));
  CHECK(json["took_s"].IsNull());
  const auto& scenario = json["scenarios"][0];
  const auto& written = scenario["figures"][0];
  CHECK(written["value"].IsNull());
  CHECK(written["goal"]["must"].IsNull());
  CHECK(written["goal"]["aim"].IsNull());
  CHECK(written["goal"]["verdict"] == "missed");
  CHECK(written["rounds"][0].GetDouble() == 1);
  CHECK(written["rounds"][1].IsNull());
  CHECK(written["rounds"][2].IsNull());
  const auto& points = scenario["plots"][0]["lines"][0]["points"];
  CHECK(points[0][1].IsNull());
  CHECK(points[1][0].IsNull());
}

TEST_CASE("the JSON is UTF-8 whatever the texts are, and has all violations") {
  auto run = run_with({});
  const auto odd = "quote \" back\\slash \n\0\x01 \xFF\xC0\xED\xA0\x80 ä"s;
  run.command = odd;
  run.scenarios[0].notes = {odd};
  run.scenarios[0].violations.assign(1'000, odd);
  const auto json = parsed(json_of(run));
  CHECK_FALSE(json["correct"].GetBool());
  CHECK(json["scenarios"][0]["violations"].Size() == 1'000);
  const std::string command{json["command"].GetString(), json["command"].GetStringLength()};
  CHECK(command == "quote \" back\\slash \n\0\x01 \uFFFD\uFFFD\uFFFD\uFFFD\uFFFD ä"s);
}

TEST_CASE("the JSON is pretty, with a point on a line, and the same every time") {
  const auto text = json_of(example_run());
  CHECK(text == json_of(example_run()));
  CHECK(text.starts_with("{\n  \"started_at\": \"2026-05-23T14:21:11.412Z\",\n"));
  CHECK(text.ends_with("\n}\n"));
  CHECK(text.find("\n                [10000.0, 61.0],\n") != std::string::npos);
  CHECK(text.find("\"rounds\": [12102.0, 12431.7, 12690.0]\n") != std::string::npos);
}

} // namespace vicket::bench
