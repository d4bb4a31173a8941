#include "bench/report/table.hpp"

#include "apps/terminal.hpp"
#include "bench/report/figure_row.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/report/verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace vicket::bench {

namespace {

constexpr std::size_t prose_columns = 110;
constexpr std::size_t cell_columns = 70;
/// A text of a run is a sentence or a few; more is cut.
constexpr std::size_t text_columns = 2'000;

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Words on lines of `prose_columns`, the first behind `start`, the others below it.
std::string wrapped(std::string_view start, std::string_view text) {
  const auto safe = printable(text, text_columns);
  const std::string indent(columns_of(start), ' ');
  std::string result{start};
  std::size_t column = columns_of(start);
  std::string_view rest{safe};
  for (bool first = true; !rest.empty(); first = false) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto width = columns_of(word);
    if (!first && column + 1 + width > prose_columns) {
      result += '\n' + indent;
      column = indent.size();
      first = true;
    }
    result += first ? "" : " ";
    result += word;
    column += width + (first ? 0 : 1);
  }
  return result + '\n';
}

std::string heading_of(const run_result& run) {
  std::string text;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      text += wrapped(name, value);
  };
  put("machine   ", run.machine);
  put("version   ", run.version);
  put("commit    ", run.commit);
  put("command   ", run.command);
  put("tools     ", run.tools);
  put("started   ", run.started_at);
  return text + (text.empty() ? "" : "\n");
}

std::string figures_of(const scenario_result& scenario) {
  if (scenario.figures.empty())
    return "  no figures\n";
  text_table table{{"FIGURE", "VALUE", "MUST", "AIM", "VERDICT", "ROUNDS"},
                   {false, true, true, true, false, false}};
  for (const auto& one : scenario.figures) {
    const auto row = row_of(one);
    table.add({{printable(row.title, cell_columns)},
               {printable(row.value, cell_columns)},
               {printable(row.must, cell_columns)},
               {printable(row.aim, cell_columns)},
               {std::string{to_string(row.said)}},
               {printable(row.rounds, cell_columns)}});
  }
  std::string text;
  for (const auto& line : table.lines(terminal{false}, "  "))
    text += line + '\n';
  return text;
}

std::string text_of(const scenario_result& scenario) {
  auto text = wrapped(printable(scenario.name, cell_columns) + ": ",
                      scenario.title + " (" + show_took(scenario.took_s) + ')');
  text += figures_of(scenario);
  for (const auto& note : scenario.notes)
    text += wrapped("  note: ", note);
  for (const auto& violation : listed_violations(scenario))
    text += wrapped("  VIOLATION: ", violation);
  return text + '\n';
}

} // namespace

std::string table_of(const run_result& run) {
  auto text = heading_of(run);
  for (const auto& scenario : run.scenarios)
    text += text_of(scenario);
  return text + printable(summary_of(run) + "; took " + show_took(run.took_s), text_columns) + '\n';
}

} // namespace vicket::bench
