#include "bench/report/svg.hpp"

#include "tests/bench/report/example_run.hpp"
#include "tests/bench/report/markup_check.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <string>
#include <vector>

namespace vicket::bench {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check_sound(const std::string& svg) {
  CHECK(xml_complaint(svg).empty());
  CHECK(count_of(svg, "<svg ") == 1);
  for (const auto* number :
       {"nan", "inf", "e+", "e-0"}) { // in coordinates; the texts of these tests have none
    INFO(number);
    CHECK(count_of(svg, number) == 0);
  }
}

} // namespace

TEST_CASE("the plots of a run are well-formed") {
  for (const auto& scenario : example_run().scenarios)
    for (const auto& drawn : scenario.plots) {
      INFO(drawn.title);
      const auto svg = svg_of(drawn);
      CHECK(xml_complaint(svg).empty());
      for (const auto& line : drawn.lines)
        CHECK(count_of(svg, ">" + line.title + "<") >= 1);
      CHECK(count_of(svg, ">" + drawn.title + "<") == 1);
      CHECK(count_of(svg, ">" + drawn.x.title + "<") == 1);
      CHECK(count_of(svg, ">" + drawn.y.title + "<") == 1);
    }
}

TEST_CASE("a plot is sound whatever was measured, on every pair of scales") {
  using points = std::vector<std::pair<double, double>>;
  const std::vector<points> cases{
      {},
      {{1, 1}},
      {{0, 0}},
      {{0, 0}, {0, 0}},
      {{0, 0}, {1, 0}, {2, 0}},
      {{0, -1}, {1, -2}},
      {{nan, nan}},
      {{0, 1}, {1, nan}, {2, 3}},
      {{infinity, 1}, {1, -infinity}},
      {{-1e308, 1e308}, {1e308, -1e308}},
      {{1e-320, 1e-320}, {1, 1}},
      {{1e15, 1e15}, {1e15 + 1, 1e15}},
  };
  for (const auto x : {axis_scale::linear, axis_scale::logarithmic, axis_scale::nines})
    for (const auto y : {axis_scale::linear, axis_scale::logarithmic, axis_scale::nines})
      for (std::size_t i = 0; i < cases.size(); ++i) {
        INFO("case " << i << ", scales " << static_cast<int>(x) << " and " << static_cast<int>(y));
        const auto svg = svg_of(plot_with(cases[i], x, y));
        CHECK(xml_complaint(svg).empty());
        for (const auto* number : {"\"nan", "\"inf", "Mnan", "Lnan", "Minf", "Linf"})
          CHECK(count_of(svg, number) == 0);
      }
}

TEST_CASE("a plot of nothing says so") {
  plot drawn;
  CHECK(xml_complaint(svg_of(drawn)).empty());
  CHECK(count_of(svg_of(drawn), ">no points<") == 1);
  const auto one_empty_line = svg_of(plot_with({}));
  CHECK(count_of(one_empty_line, ">no points<") == 1);
  CHECK(count_of(one_empty_line, ">a line (no points)<") == 1);
  check_sound(one_empty_line);
}

TEST_CASE("an empty line beside others is in the legend, and is said to be empty") {
  auto drawn = plot_with({{0, 1}, {1, 2}});
  drawn.lines.push_back({"nothing came", {}});
  drawn.lines.push_back({"nothing finite came", {{nan, 1}, {1, infinity}}});
  const auto svg = svg_of(drawn);
  check_sound(svg);
  CHECK(count_of(svg, ">no points<") == 0);
  CHECK(count_of(svg, ">nothing came (no points)<") == 1);
  CHECK(count_of(svg, ">nothing finite came (no points)<") == 1);
}

TEST_CASE("a single point is a dot") {
  const auto svg = svg_of(plot_with({{3, 4}}));
  check_sound(svg);
  CHECK(count_of(svg, "<circle ") == 1);
}

TEST_CASE("a point that is not finite is left out and leaves a gap") {
  // Given 30 points, more than get dots of their own, of which one is not finite
  auto drawn = plot_with({});
  for (int i = 0; i < 30; ++i)
    drawn.lines[0].points.emplace_back(i, i == 10 ? nan : 5);
  // Then two pieces are drawn, besides the legend's sample
  const auto svg = svg_of(drawn);
  check_sound(svg);
  CHECK(count_of(svg, "<path ") == 3);
  CHECK(count_of(svg, "<circle ") == 0);
  // And a point between two gaps is not lost
  drawn.lines[0].points[12].second = nan;
  CHECK(count_of(svg_of(drawn), "<circle ") == 1);
}

TEST_CASE("zero on a logarithmic axis stands where the smallest positive value does") {
  const auto svg =
      svg_of(plot_with({{1, 0}, {2, 0.01}, {3, 1}}, axis_scale::linear, axis_scale::logarithmic));
  const auto height = [&](std::size_t which) {
    std::size_t at = 0;
    for (std::size_t i = 0; i <= which; ++i)
      at = svg.find(" cy=\"", at) + 5;
    return svg.substr(at, svg.find('"', at) - at);
  };
  REQUIRE(count_of(svg, "<circle ") == 3);
  CHECK(height(0) == height(1));
  CHECK(height(1) != height(2));
}

TEST_CASE("lines have colours and dashes of their own, up to eight; what is left out is counted") {
  plot drawn{"many", {}, {}, {}};
  for (int i = 0; i < 11; ++i)
    drawn.lines.push_back({"number " + std::to_string(i), {{0, i}, {1, i}}});
  const auto svg = svg_of(drawn);
  check_sound(svg);
  for (std::size_t i = 1; i <= most_lines_drawn; ++i)
    CHECK(count_of(svg, "var(--line-" + std::to_string(i) + ",#") == 2); // the legend's and the line's
  CHECK(count_of(svg, "--line-9") == 0);
  CHECK(count_of(svg, ">number 7<") == 2);
  CHECK(count_of(svg, ">number 8<") == 0);
  CHECK(count_of(svg, ">and 3 more, not drawn<") == 1);
  // And what is not drawn does not stretch the axes
  drawn.lines.back().points = {{1e6, 1e6}};
  CHECK(svg_of(drawn) == svg);
}

TEST_CASE("texts of a plot are escaped") {
  auto drawn = plot_with({{0, 1}, {1, 2}});
  const std::string evil = "<script>alert(\"1\" & '2')</script>\x01\xFF]]>";
  drawn.title = drawn.x.title = drawn.y.title = drawn.lines[0].title = evil;
  const auto svg = svg_of(drawn);
  CHECK(xml_complaint(svg).empty());
  CHECK(count_of(svg, "<script") == 0);
  CHECK(count_of(svg, "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)") >= 4);
}

TEST_CASE("a long text is cut, and not within a character") {
  auto drawn = plot_with({{0, 1}});
  drawn.title.clear();
  for (int i = 0; i < 1'000; ++i)
    drawn.title += "ä€";
  drawn.x.title = drawn.y.title = drawn.lines[0].title = drawn.title;
  const auto svg = svg_of(drawn);
  CHECK(xml_complaint(svg).empty());
  CHECK(count_of(svg, "…<") == 5); // the line's in the legend and in its tooltip
  CHECK(count_of(svg, "\xEF\xBF\xBD") == 0);
}

TEST_CASE("the size of a plot is bounded, and its extremes are kept") {
  // Given 200,000 points, one of them far above the others, and every second not finite in the second line
  auto drawn = plot_with({});
  drawn.lines.push_back({"half of it", {}});
  for (int i = 0; i < 200'000; ++i) {
    drawn.lines[0].points.emplace_back(i, i == 123'456 ? 1'000 : i % 7);
    drawn.lines[1].points.emplace_back(i, i % 2 == 0 ? nan : i % 7);
  }
  const auto svg = svg_of(drawn);
  check_sound(svg);
  CHECK(svg.size() < 150'000);
  // Then the peak reaches the top of the plot, where the grid's lines start
  const auto at = svg.find("y1=\"") + 4;
  const auto top = svg.substr(at, svg.find('"', at) - at);
  CHECK(count_of(svg, " " + top + "L") == 1);
}

} // namespace vicket::bench
