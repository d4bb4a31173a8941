#include "bench/report/html.hpp"

#include "bench/report/figure_row.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/report/page_style.hpp"
#include "bench/report/svg.hpp"
#include "bench/report/verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace vicket::bench {

namespace {

std::string element(std::string_view name, std::string_view css_class, std::string_view text) {
  const std::string tag{name};
  const auto attribute = css_class.empty() ? "" : " class=\"" + std::string{css_class} + '"';
  return '<' + tag + attribute + '>' + escaped_markup(text) + "</" + tag + '>';
}

std::string_view class_of(verdict said) {
  switch (said) {
  case verdict::no_goal:
    return "";
  case verdict::aim_met:
    return "good";
  case verdict::must_met:
    return "fair";
  case verdict::missed:
    return "bad";
  }
  return "";
}

std::string anchor_of(std::size_t scenario) {
  return "scenario-" + std::to_string(scenario + 1);
}

std::string goal_cells(const figure_row& row) {
  return element("td", "figure", row.title) + element("td", "number", row.value) +
         element("td", "number", row.must) + element("td", "number", row.aim) +
         element("td", "verdict " + std::string{class_of(row.said)}, to_string(row.said));
}

constexpr std::string_view goal_titles =
    "<th>Figure</th><th class=\"number\">Value</th><th class=\"number\">Must</th>"
    "<th class=\"number\">Aim</th><th>Verdict</th>";

std::string table(std::string_view titles, std::string_view rows) {
  return "<div class=\"wide\"><table>\n<thead><tr>" + std::string{titles} + "</tr></thead>\n<tbody>\n" +
         std::string{rows} + "</tbody>\n</table></div>\n";
}

std::string facts_of(const run_result& run) {
  std::string text = "<dl>\n";
  const auto put = [&](std::string_view name, std::string_view value, std::string_view tag) {
    if (!value.empty())
      text += element("dt", "", name) + "<dd>" + element(tag, "", value) + "</dd>\n";
  };
  put("Machine", run.machine, "span");
  put("Version", run.version, "span");
  put("Commit", run.commit, "code");
  put("Command", run.command, "code");
  put("Tools", run.tools, "span");
  put("Started", run.started_at, "span");
  put("Took", show_took(run.took_s), "span");
  return text + "</dl>\n";
}

std::string_view class_of(const run_result& run) {
  if (!correct(run) || !fast_enough(run))
    return "bad";
  const auto goals = count_goals(run);
  return goals.aim_met == goals.all ? "good" : "fair";
}

std::string goals_of(const run_result& run) {
  std::string rows;
  for (std::size_t i = 0; i < run.scenarios.size(); ++i)
    for (const auto& one : run.scenarios[i].figures)
      if (const auto row = row_of(one); row.said != verdict::no_goal)
        rows += "<tr><td><a href=\"#" + anchor_of(i) + "\">" + escaped_markup(run.scenarios[i].name) +
                "</a></td>" + goal_cells(row) + "</tr>\n";
  if (rows.empty())
    return "";
  return "<h2>Goals</h2>\n" + table("<th>Scenario</th>" + std::string{goal_titles}, rows);
}

std::string figures_of(const scenario_result& scenario) {
  if (scenario.figures.empty())
    return "<p>No figures.</p>\n";
  const bool in_rounds = std::any_of(scenario.figures.begin(), scenario.figures.end(),
                                     [](const auto& one) { return !one.rounds.empty(); });
  std::string rows;
  for (const auto& one : scenario.figures) {
    const auto row = row_of(one);
    rows += "<tr>" + goal_cells(row) + (in_rounds ? element("td", "rounds", row.rounds) : "") + "</tr>\n";
  }
  return table(std::string{goal_titles} + (in_rounds ? "<th>Rounds</th>" : ""), rows);
}

std::string list_of(const std::vector<std::string>& texts, std::string_view css_class,
                    std::string_view before) {
  if (texts.empty())
    return "";
  auto list = "<ul class=\"" + std::string{css_class} + "\">\n";
  for (const auto& text : texts)
    list += "<li>" + std::string{before} + escaped_markup(text) + "</li>\n";
  return list + "</ul>\n";
}

std::string section_of(const scenario_result& scenario, std::size_t number) {
  auto text = "<section id=\"" + anchor_of(number) + "\">\n" + element("h2", "", scenario.name) + '\n' +
              element("p", "what", scenario.title + " (" + show_took(scenario.took_s) + ")") + '\n';
  text += list_of(listed_violations(scenario), "violations bad", "<strong>Violation:</strong> ");
  text += figures_of(scenario) + list_of(scenario.notes, "notes", "");
  if (!scenario.plots.empty())
    text += "<div class=\"plots\">\n";
  for (const auto& one : scenario.plots)
    text += "<figure>\n" + svg_of(one) + "</figure>\n";
  if (!scenario.plots.empty())
    text += "</div>\n";
  return text + "</section>\n";
}

} // namespace

std::string html_of(const run_result& run) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                     "'unsafe-inline'\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>vicket-bench report</title>\n<style>";
  page += page_style;
  page += "</style>\n</head>\n<body>\n<header>\n<h1>vicket-bench</h1>\n" + facts_of(run) +
          element("p", "said " + std::string{class_of(run)}, summary_of(run)) + "\n</header>\n<main>\n" +
          goals_of(run);
  for (std::size_t i = 0; i < run.scenarios.size(); ++i)
    page += section_of(run.scenarios[i], i);
  return page + "</main>\n</body>\n</html>\n";
}

} // namespace vicket::bench
