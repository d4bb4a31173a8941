#include "apps/terminal.hpp"

#include "policy/rfc3339.hpp"
#include "policy/utf8.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace vicket {

namespace {

const char* escape_of(colour how) {
  switch (how) {
  case colour::none:
    return "";
  case colour::bold:
    return "\033[1m";
  case colour::dim:
    return "\033[2m";
  case colour::red:
    return "\033[31m";
  case colour::green:
    return "\033[32m";
  case colour::yellow:
    return "\033[33m";
  }
  return "";
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Code points; near enough to columns for what is shown here.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string with_unit(std::int64_t number, const char* unit) {
  return std::to_string(number) + ' ' + unit;
}

} // namespace

std::string printable(std::string_view text, std::size_t max_columns) {
  // A column takes 4 bytes at most; no need to look at a whole body.
  const auto valid = with_replaced_invalid_utf8(text.substr(0, max_columns * 4 + 4));
  std::string shown;
  std::size_t columns = 0;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    // C0, DEL, and C1 (U+0080 to U+009F, that is 0xC2 and a byte up to 0x9F).
    const bool c1 = byte == 0xC2 && i + 1 < valid.size() && static_cast<unsigned char>(valid[i + 1]) < 0xA0;
    if (!continues(valid[i]) && ++columns > max_columns)
      return shown + "…";
    if (byte >= 0x20 && byte != 0x7F && !c1) {
      shown += valid[i];
      continue;
    }
    std::array<char, 8> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\x%02x",
                  c1 ? static_cast<unsigned char>(valid[++i]) : byte);
    shown += escaped.data();
    columns += 3;
  }
  return shown;
}

std::string first_line(std::string_view text, std::size_t max_columns) {
  const auto end = text.find_first_of("\r\n");
  auto shown = printable(text.substr(0, end), max_columns);
  const bool more =
      end != std::string_view::npos && text.find_first_not_of("\r\n", end) != std::string_view::npos;
  if (more && !shown.ends_with("…"))
    shown += "…";
  return shown;
}

std::string show_duration_us(std::int64_t us) {
  std::array<char, 32> text{};
  if (us < 1'000'000)
    std::snprintf(text.data(), text.size(), "%.1f ms", static_cast<double>(us) / 1e3);
  else
    std::snprintf(text.data(), text.size(), "%.3f s", static_cast<double>(us) / 1e6);
  return text.data();
}

std::string show_age_ms(std::int64_t ms) {
  const auto seconds = std::max<std::int64_t>(0, ms / 1'000);
  const std::array<std::pair<std::int64_t, const char*>, 4> units{
      {{86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}}};
  for (std::size_t i = 0; i + 1 < units.size(); ++i)
    if (seconds >= units[i].first)
      return with_unit(seconds / units[i].first, units[i].second) + ' ' +
             with_unit(seconds % units[i].first / units[i + 1].first, units[i + 1].second);
  return with_unit(seconds, "s");
}

std::string show_time(std::optional<timestamp_ms> time) {
  return time ? format_rfc3339(*time) : "-";
}

terminal terminal::standard() {
  const char* no_colour = std::getenv("NO_COLOR");
  return terminal{is_interactive() && (no_colour == nullptr || *no_colour == '\0')};
}

bool terminal::is_interactive() {
  return ::isatty(STDOUT_FILENO) == 1;
}

std::string terminal::paint(std::string_view text, colour how) const {
  if (!colours_ || how == colour::none || text.empty())
    return std::string{text};
  return escape_of(how) + std::string{text} + "\033[0m";
}

void terminal::line(std::string_view text) const {
  std::cout << text << '\n';
}

void terminal::text(std::string_view text) const {
  std::cout << text;
}

void terminal::flush() const {
  std::cout.flush();
  if (!std::cout)
    std::_Exit(1); // nobody reads on
}

text_table::text_table(std::vector<std::string> header, std::vector<bool> right_aligned)
    : right_aligned_{std::move(right_aligned)} {
  right_aligned_.resize(header.size());
  widths_before_.resize(header.size());
  std::vector<cell> titles;
  for (auto& title : header)
    titles.push_back({std::move(title), colour::dim});
  rows_.push_back(std::move(titles));
}

void text_table::add(std::vector<cell> row) {
  row.resize(right_aligned_.size());
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> text_table::widths() const {
  auto widths = widths_before_;
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i].text));
  return widths;
}

std::vector<std::string> text_table::lines(const terminal& out, std::string_view indent) const {
  const auto widths = this->widths();
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line{indent};
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - columns_of(row[i].text), ' ');
      const bool last = i + 1 == row.size();
      line += right_aligned_[i] ? padding : "";
      line += out.paint(row[i].text, row[i].how);
      line += right_aligned_[i] || last ? "" : padding;
      line += last ? "" : "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> text_table::take_lines(const terminal& out, std::string_view indent) {
  auto taken = lines(out, indent);
  widths_before_ = widths();
  rows_.clear();
  return taken;
}

void text_table::print(const terminal& out, std::string_view indent) const {
  for (const auto& line : lines(out, indent))
    out.line(line);
}

std::string indented_json(std::string_view compact) {
  std::string result;
  std::size_t depth = 0;
  bool in_string = false;
  auto new_line = [&] { result += '\n' + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    const char next = i + 1 < compact.size() ? compact[i + 1] : '\0';
    if (in_string) {
      result += c;
      if (c == '\\')
        result += compact[++i];
      in_string = c != '"';
    } else if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
      result += {c, next};
      ++i;
    } else if (c == '{' || c == '[') {
      result += c;
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      result += c;
    } else {
      in_string = c == '"';
      result += c;
      if (c == ',')
        new_line();
      else if (c == ':')
        result += ' ';
    }
  }
  return result;
}

} // namespace vicket
