#include "bench/report/markdown.hpp"

#include "bench/report/figure_row.hpp"
#include "bench/report/measure_text.hpp"
#include "bench/report/verdict.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace vicket::bench {

namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Valid UTF-8 on one line that does not start with blanks.
std::string one_line(std::string_view text) {
  auto line = with_replaced_invalid_utf8(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  line.erase(0, line.find_first_not_of(' '));
  return line;
}

/// Where the mark ends that would start a list or a heading inside of an item: "# ", "- ", "1. ".
std::size_t block_mark(std::string_view line) {
  const auto word = line.substr(0, line.find(' '));
  const bool mark = !word.empty() && word.find_first_not_of("#+-=") == std::string_view::npos;
  const bool number = (word.ends_with('.') || word.ends_with(')')) && word.size() > 1 &&
                      word.find_first_not_of("0123456789") == word.size() - 1;
  return mark || number ? word.size() - 1 : std::string_view::npos;
}

/// Text that is shown as it is, in a cell or an item.
std::string escaped(std::string_view text) {
  const auto line = one_line(text);
  const auto mark = block_mark(line);
  std::string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool inside_word = i > 0 && i + 1 < line.size() && is_word(line[i - 1]) && is_word(line[i + 1]);
    if (c == '<')
      result += "&lt;";
    else if (c == '&')
      result += "&amp;";
    else if (i == mark || std::string_view{"\\`*[]|~$"}.find(c) != std::string_view::npos ||
             (c == '_' && !inside_word))
      result += {'\\', c};
    else
      result += c;
  }
  return result;
}

/// Between more backticks than it has in a row.
std::string as_code(std::string_view text) {
  const auto line = one_line(text);
  std::size_t longest = 0;
  std::size_t row = 0;
  for (const char c : line) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  const std::string fence(longest + 1, '`');
  const std::string space = longest > 0 ? " " : "";
  return fence + space + line + space + fence;
}

std::string table_row(std::initializer_list<std::string> cells) {
  std::string row = "|";
  for (const auto& cell : cells)
    row += (cell.empty() ? "" : " " + cell) + " |";
  return row + '\n';
}

std::string said_in(const figure_row& row) {
  const std::string word{to_string(row.said)};
  return row.said == verdict::missed ? "**" + word + "**" : word;
}

std::string facts_of(const run_result& run) {
  std::string text;
  const auto put = [&](std::string_view name, const std::string& value) {
    if (!value.empty())
      text += "- " + std::string{name} + ": " + value + '\n';
  };
  put("Machine", escaped(run.machine));
  put("Version", escaped(run.version));
  put("Commit", run.commit.empty() ? "" : as_code(run.commit));
  put("Command", run.command.empty() ? "" : as_code(run.command));
  put("Tools", escaped(run.tools));
  put("Started", escaped(run.started_at) + (run.started_at.empty() ? "" : ", took " + show_took(run.took_s)));
  put("Result", escaped(summary_of(run)));
  return text;
}

std::string goals_of(const run_result& run) {
  std::string rows;
  for (const auto& scenario : run.scenarios)
    for (const auto& one : scenario.figures)
      if (const auto row = row_of(one); row.said != verdict::no_goal)
        rows += table_row({escaped(scenario.name), escaped(row.title), escaped(row.value), escaped(row.must),
                           escaped(row.aim), said_in(row)});
  if (rows.empty())
    return "No goals were set.\n";
  return "| Scenario | Figure | Value | Must | Aim | Verdict |\n|---|---|--:|--:|--:|---|\n" + rows;
}

std::string figures_of(const scenario_result& scenario) {
  if (scenario.figures.empty())
    return "No figures.\n";
  std::string text = "| Figure | Value | Must | Aim | Verdict | Rounds |\n|---|--:|--:|--:|---|---|\n";
  for (const auto& one : scenario.figures) {
    const auto row = row_of(one);
    text += table_row({escaped(row.title), escaped(row.value), escaped(row.must), escaped(row.aim),
                       said_in(row), escaped(row.rounds)});
  }
  return text;
}

std::string section_of(const scenario_result& scenario) {
  auto text = "\n## " + escaped(scenario.name) + "\n\n" + escaped(scenario.title) + " (" +
              show_took(scenario.took_s) + ")\n\n" + figures_of(scenario);
  const auto violations = listed_violations(scenario);
  if (!scenario.notes.empty() || !violations.empty())
    text += '\n';
  for (const auto& note : scenario.notes)
    text += "- " + escaped(note) + '\n';
  for (const auto& violation : violations)
    text += "- **VIOLATION**: " + escaped(violation) + '\n';
  return text;
}

} // namespace

std::string markdown_of(const run_result& run) {
  auto text = facts_of(run) + "\n## Goals\n\n" + goals_of(run);
  for (const auto& scenario : run.scenarios)
    text += section_of(scenario);
  return text;
}

} // namespace vicket::bench
