#include "bench/report/html.hpp"

#include "bench/report/svg.hpp"
#include "tests/bench/report/example_run.hpp"
#include "tests/bench/report/markup_check.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace vicket::bench {

namespace {

constexpr auto svg_namespace = "xmlns=\"http://www.w3.org/2000/svg\"";

} // namespace

TEST_CASE("the page is well-formed, with all goals, scenarios and plots of the run") {
  auto run = example_run();
  run.scenarios[2].violations = {"lost: 3 of 300,000 ids"};
  const auto page = html_of(run);
  CHECK(html_complaint(page).empty());
  for (const auto& text : {run.started_at, run.command, run.version, run.commit, run.machine, run.tools})
    CHECK(count_of(page, ">" + text + "<") == 1);
  for (const auto& scenario : run.scenarios) {
    CHECK(count_of(page, "<h2>" + scenario.name + "</h2>") == 1);
    for (const auto& one : scenario.figures)
      CHECK(count_of(page, ">" + one.title + "<") == (one.wanted ? 2 : 1));
    for (const auto& note : scenario.notes)
      CHECK(count_of(page, note) == 1);
    for (const auto& drawn : scenario.plots)
      CHECK(count_of(page, svg_of(drawn)) == 1);
  }
  CHECK(count_of(page, "lost: 3 of 300,000 ids") == 1);
  CHECK(count_of(page, "NOT CORRECT: 1 violation") == 1);
}

TEST_CASE("a verdict is a colour and a word") {
  const auto page = html_of(example_run());
  CHECK(count_of(page, "<td class=\"verdict good\">aim met</td>") == 6);
  CHECK(count_of(page, "<td class=\"verdict fair\">must met</td>") == 4);
  CHECK(count_of(page, "<td class=\"verdict bad\">MISSED</td>") == 2);
}

TEST_CASE("rounds have a column where there are any") {
  const auto page = html_of(example_run());
  CHECK(count_of(page, "<th>Rounds</th>") == 1);
  CHECK(count_of(page, ">0.421 – 0.439, 3 rounds</td>") == 1);
}

TEST_CASE("the page needs no network and runs no script") {
  const auto page = html_of(example_run());
  const auto namespaces = count_of(page, svg_namespace);
  CHECK(namespaces == 3);
  CHECK(count_of(page, "http://") == namespaces);
  for (const auto* outside :
       {"https://", "src=", "<script", "<link", "<img", "<iframe", "@import", "url(", "@font-face"}) {
    INFO(outside);
    CHECK(count_of(page, outside) == 0);
  }
  CHECK(count_of(page, "href=\"") == count_of(page, "href=\"#scenario-"));
  CHECK(count_of(page, "default-src 'none'") == 1);
}

TEST_CASE("links of the page lead to a section of it") {
  const auto page = html_of(example_run());
  for (const auto* number : {"1", "2", "3"}) {
    CHECK(count_of(page, std::string{"id=\"scenario-"} + number + '"') == 1);
    CHECK(count_of(page, std::string{"href=\"#scenario-"} + number + '"') == 2);
  }
}

TEST_CASE("texts of the page are escaped") {
  const std::string evil = "<script>alert(\"1\")</script>&amp;\x02\xC0";
  auto run = run_with({{evil, evil, 1, evil, goal{}, {1, 2}}});
  run.started_at = run.command = run.version = run.commit = run.machine = run.tools = evil;
  auto& scenario = run.scenarios[0];
  scenario.name = scenario.title = evil;
  scenario.notes = scenario.violations = {evil};
  scenario.plots = {{evil, {evil}, {evil}, {{evil, {{1, 1}}}}}};
  const auto page = html_of(run);
  CHECK(html_complaint(page).empty());
  CHECK(count_of(page, "<script") == 0);
  CHECK(count_of(page, "&amp;amp;") > 10);
}

TEST_CASE("a page of nothing is a page") {
  const auto page = html_of(run_result{});
  CHECK(html_complaint(page).empty());
  CHECK(count_of(page, "nothing was measured") == 1);
}

TEST_CASE("the tests' reader of markup sees what is wrong") {
  for (const auto* good : {"<a/>", "<a b=\"c\">d &amp; e<f/></a>\n", "<a><b></b><b></b></a>"}) {
    INFO(good);
    CHECK(xml_complaint(good).empty());
  }
  for (const auto* bad :
       {"", "<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a b=c/>", "<a b=\"1\" b=\"2\"/>", "<a>&</a>",
        "<a>\x01</a>", "<a b=\"<\"/>", "<a", "<a b=\"", "text"}) {
    INFO(bad);
    CHECK_FALSE(xml_complaint(bad).empty());
  }
}

} // namespace vicket::bench
