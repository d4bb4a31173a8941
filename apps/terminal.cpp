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

/// As wide as any terminal is: a line that goes on in the next one can't be written over.
constexpr std::size_t most_progress_columns = 78;

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

/// The character at `at` of valid UTF-8 if it is one that steers a terminal, or the order in which it shows a line: U+007F,
/// C1, Bidi_Control (UAX #9: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), U+2028 and U+2029, at which
/// readers of lines in some languages end one. 0: another one.
char32_t steering(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  if (byte(0) == 0x7F)
    return 0x7F;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0)
    return byte(1);
  if (byte(0) == 0xD8 && byte(1) == 0x9C)
    return 0x061C;
  if (byte(0) != 0xE2 || (byte(1) != 0x80 && byte(1) != 0x81) || !continues(static_cast<char>(byte(2))))
    return 0;
  const auto point = static_cast<char32_t>(0x2000 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu));
  const bool is_mark = point == 0x200E || point == 0x200F;
  const bool is_override = point >= 0x202A && point <= 0x202E;
  const bool is_isolate = point >= 0x2066 && point <= 0x2069;
  const bool ends_line = point == 0x2028 || point == 0x2029;
  return is_mark || is_override || is_isolate || ends_line ? point : 0;
}

constexpr std::size_t bytes_of(char32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : 3;
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
    const auto point = byte < 0x20 ? char32_t{byte} : steering(valid, i);
    if (!continues(valid[i]) && ++columns > max_columns)
      return shown + "…";
    if (byte >= 0x20 && point == 0) {
      shown += valid[i];
      continue;
    }
    std::array<char, 16> escaped{};
    const auto length = std::snprintf(escaped.data(), escaped.size(), point < 0x100 ? "\\x%02x" : "\\u%04x",
                                      static_cast<unsigned>(point));
    shown += escaped.data();
    columns += static_cast<std::size_t>(length) - 1;
    i += bytes_of(point) - 1;
  }
  return shown;
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  for (auto end = text.find('\n'); !text.empty(); end = text.find('\n')) {
    shown += printable(text.substr(0, end), 2'000);
    if (end == std::string_view::npos)
      break;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
  return shown;
}

std::string with_escaped_controls(std::string text) {
  const auto may_begin = [](char c) { return c == '\x7F' || c == '\xC2' || c == '\xD8' || c == '\xE2'; };
  if (std::none_of(text.begin(), text.end(), may_begin))
    return text;
  std::string escaped;
  escaped.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto point = may_begin(text[i]) ? steering(text, i) : 0;
    if (point == 0) {
      escaped += text[i];
      continue;
    }
    std::array<char, 16> one{};
    std::snprintf(one.data(), one.size(), "\\u%04x", static_cast<unsigned>(point));
    escaped += one.data();
    i += bytes_of(point) - 1;
  }
  return escaped;
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
  std::cout << with_escaped_controls(std::string{text}) << '\n';
}

void terminal::text(std::string_view text) const {
  std::cout << with_escaped_controls(std::string{text});
}

void terminal::flush() const {
  std::cout.flush();
  if (!std::cout)
    std::_Exit(1); // nobody reads on
}

progress_line progress_line::standard() {
  return progress_line{std::cerr, ::isatty(STDERR_FILENO) == 1};
}

void progress_line::show(std::string_view text) {
  if (!on_)
    return;
  out_ << "\r\033[K" << printable(text, most_progress_columns) << std::flush;
  written_ = true;
}

void progress_line::clear() {
  if (std::exchange(written_, false))
    out_ << "\r\033[K" << std::flush;
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
