// The examples of docs/rules.md are what it says they are.

#include "policy/compiled_rule.hpp"
#include "policy/connector_config.hpp"
#include "policy/json_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

std::string page() {
  std::ifstream file{VICKET_RULES_PAGE};
  REQUIRE(file);
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// What stands between `begin` and `end`, each time.
std::vector<std::string> parts_between(std::string_view text, std::string_view begin, std::string_view end) {
  std::vector<std::string> result;
  for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at)) {
    at += begin.size();
    const auto behind = text.find(end, at);
    REQUIRE(behind != std::string_view::npos);
    result.emplace_back(text.substr(at, behind - at));
    at = behind + end.size();
  }
  return result;
}

} // namespace

TEST_CASE("the filters, connectors and rules of the page can be put") {
  int filters = 0;
  int connectors = 0;
  int rules = 0;
  for (const auto& json : parts_between(page(), "```json\n", "```")) {
    INFO(json);
    if (json.find("\"actions\"") != std::string::npos) {
      auto read = rule_from_json(json);
      REQUIRE(std::holds_alternative<rule>(read));
      CHECK(compiled_rule::compile(std::get<rule>(std::move(read))).index() == 0);
      ++rules;
    } else if (json.find("\"url\"") != std::string::npos) {
      const auto read = connector_from_json(json);
      REQUIRE(std::holds_alternative<connector>(read));
      CHECK_FALSE(connector_complaint(std::get<connector>(read), {}));
      CHECK_FALSE(std::get<connector>(read).filter_json.empty());
      ++connectors;
    } else {
      CHECK(content_filter::compile(json).index() == 0);
      ++filters;
    }
  }
  CHECK((filters == 1 && connectors == 1 && rules == 1));
}

TEST_CASE("the templates of the page come to what it says") {
  const auto text = page();
  const auto data = parts_between(text, "with the data `", "`");
  REQUIRE(data.size() == 1);
  int rows = 0;
  const auto section = text.substr(text.find("with the data `"));
  for (const auto& line : parts_between(section.substr(0, section.find("\n\n") + 1), "| `", " |\n")) {
    const auto middle = line.find("` | `");
    REQUIRE(middle != std::string::npos);
    const auto written = line.substr(0, middle);
    const auto becomes = line.substr(middle + 5, line.size() - middle - 6);
    INFO(written);
    auto made = event_template::of_json(written);
    REQUIRE(made.index() == 0);
    const auto filled = std::get<event_template>(made).fill({"e", {}, data[0]}, 10'000);
    REQUIRE(filled.index() == 0);
    CHECK(std::get<std::string>(filled) == becomes);
    ++rows;
  }
  CHECK(rows == 4);
}

} // namespace vicket
