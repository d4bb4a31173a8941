#include "bench/report/svg.hpp"

#include "bench/report/line_runs.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/plot_scale.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket::bench {

namespace {

// In units of the drawing, which are pixels at its natural size.
constexpr double total_width = 760;
constexpr double plot_height = 300;
constexpr double right_margin = 28;
constexpr double text_size = 12;
constexpr double title_size = 15;
constexpr double row_height = 19;
constexpr double sample_width = 30; ///< of a line, in the legend
constexpr double padding = 12;
/// Fonts differ; most take less than this for a character.
constexpr double character_width = 0.58;
/// With more points than these, dots would hide their line.
constexpr std::size_t most_dots = 24;
constexpr std::size_t most_title_characters = 80;
constexpr std::size_t most_legend_characters = 60;

struct line_look {
  std::string_view colour; ///< on white paper; told apart with the common kinds of colour blindness
  std::string_view dashes;
};
constexpr std::array<line_look, most_lines_drawn> looks{{{"#0072b2", "none"},
                                                         {"#d55e00", "8 4"},
                                                         {"#2f9960", "2 3"},
                                                         {"#a63c7f", "10 3 2 3"},
                                                         {"#2b3538", "16 4"},
                                                         {"#b88e47", "5 2"},
                                                         {"#149aee", "10 3 2 3 2 3"},
                                                         {"#801616", "4 4 1 4"}}};

std::string coordinate(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1).ptr;
  std::string result{text.data(), end};
  if (result.ends_with(".0"))
    result.resize(result.size() - 2);
  return result == "-0" ? "0" : result;
}

bool continues(char c) {
  return (c & 0xC0) == 0x80;
}

double width_of(std::string_view text, double size) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); });
  return static_cast<double>(characters) * size * character_width;
}

std::string cut(std::string_view text, std::size_t most_characters) {
  auto valid = with_replaced_invalid_utf8(text);
  std::size_t characters = 0;
  for (std::size_t i = 0; i < valid.size(); ++i)
    if (!continues(valid[i]) && ++characters > most_characters)
      return valid.substr(0, i) + "…";
  return valid;
}

enum class anchor : std::uint8_t { start, middle, end };

std::string text_at(double x, double y, std::string_view text, anchor where,
                    std::string_view colour = "muted") {
  constexpr std::array<std::string_view, 3> names{"start", "middle", "end"};
  const std::string_view fallback = colour == "text" ? "#1b1f24" : "#57606a";
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" +
         std::string{names[static_cast<std::size_t>(where)]} + "\" style=\"fill:var(--" +
         std::string{colour} + ',' + std::string{fallback} + ")\">" + escaped_markup(text) + "</text>\n";
}

/// `faint`: for the grid between two labels.
std::string straight(spot from, spot to, bool faint = false) {
  return "<line x1=\"" + coordinate(from.first) + "\" y1=\"" + coordinate(from.second) + "\" x2=\"" +
         coordinate(to.first) + "\" y2=\"" + coordinate(to.second) +
         (faint ? "\" stroke-opacity=\"0.5\"/>\n" : "\"/>\n");
}

std::span<const plot_line> drawn_of(const plot& drawn) {
  return std::span{drawn.lines}.first(std::min(drawn.lines.size(), most_lines_drawn));
}

std::vector<double> values_of(const plot& drawn, double std::pair<double, double>::*coordinate_of) {
  std::vector<double> values;
  for (const auto& line : drawn_of(drawn))
    for (const auto& point : line.points)
      if (has_place(point))
        values.push_back(point.*coordinate_of);
  return values;
}

/// The legend's entries, broken into rows; what was left out is its last.
struct legend_entry {
  double left = 0;
  std::size_t row = 0;
  std::string text;
};

std::vector<legend_entry> legend_of(const plot& drawn) {
  std::vector<legend_entry> entries;
  for (const auto& line : drawn.lines) {
    auto text = cut(line.title, most_legend_characters);
    if (entries.size() == most_lines_drawn)
      text = "and " + std::to_string(drawn.lines.size() - most_lines_drawn) + " more, not drawn";
    else if (std::none_of(line.points.begin(), line.points.end(), has_place))
      text += " (no points)";
    entries.push_back({0, 0, std::move(text)});
    if (entries.size() > most_lines_drawn)
      break;
  }
  double left = padding;
  std::size_t row = 0;
  for (auto& entry : entries) {
    const double width = sample_width + 6 + width_of(entry.text, text_size);
    if (left > padding && left + width > total_width - padding) {
      left = padding;
      ++row;
    }
    entry.left = left;
    entry.row = row;
    left += width + 18;
  }
  return entries;
}

std::string style_of(std::size_t line) {
  return "style=\"color:var(--line-" + std::to_string(line + 1) + ',' + std::string{looks[line].colour} +
         ")\"";
}

std::string stroke_of(std::size_t line) {
  return "fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linejoin=\"round\" "
         "stroke-dasharray=\"" +
         std::string{looks[line].dashes} + '"';
}

std::string legend_markup(const std::vector<legend_entry>& entries, double top) {
  std::string text;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    const double middle = top + (static_cast<double>(entry.row) + 0.5) * row_height;
    if (i < most_lines_drawn) {
      text += "<g " + style_of(i) + "><path d=\"M" + coordinate(entry.left) + ' ' + coordinate(middle) + 'h' +
              coordinate(sample_width) + "\" " + stroke_of(i) + "/></g>\n";
    }
    text += text_at(entry.left + sample_width + 6, middle + 4, entry.text, anchor::start, "text");
  }
  return text;
}

std::string dot(const spot& where) {
  return "<circle cx=\"" + coordinate(where.first) + "\" cy=\"" + coordinate(where.second) +
         "\" r=\"3\" fill=\"currentColor\"/>\n";
}

std::string line_markup(std::size_t number, std::string_view title,
                        const std::vector<std::vector<spot>>& runs) {
  std::size_t spots = 0;
  for (const auto& run : runs)
    spots += run.size();
  if (spots == 0)
    return "";
  auto text = "<g " + style_of(number) + "><title>" + escaped_markup(cut(title, 4 * most_title_characters)) +
              "</title>\n";
  for (const auto& run : runs) {
    std::string path;
    for (const auto& [x, y] : run)
      path += (path.empty() ? "M" : "L") + coordinate(x) + ' ' + coordinate(y);
    if (run.size() > 1)
      text += "<path d=\"" + path + "\" " + stroke_of(number) + "/>\n";
    if (run.size() == 1 || spots <= most_dots)
      for (const auto& one : run)
        text += dot(one);
  }
  return text + "</g>\n";
}

std::string grid_markup(const plot_frame& where, const plot_scale& x, const plot_scale& y) {
  std::string lines;
  std::string labels;
  for (const auto& tick : x.ticks()) {
    const double at = where.x(tick.at);
    lines += straight({at, where.top}, {at, where.bottom}, tick.label.empty());
    if (!tick.label.empty())
      labels += text_at(at, where.bottom + 18, tick.label, anchor::middle);
  }
  for (const auto& tick : y.ticks()) {
    const double at = where.y(tick.at);
    lines += straight({where.left, at}, {where.right, at}, tick.label.empty());
    if (!tick.label.empty())
      labels += text_at(where.left - 8, at + 4, tick.label, anchor::end);
  }
  return "<g stroke-width=\"1\" style=\"stroke:var(--grid,#e1e4e8)\">\n" + lines +
         "</g>\n<g stroke-width=\"1\" style=\"stroke:var(--muted,#57606a)\">\n" +
         straight({where.left, where.top}, {where.left, where.bottom}) +
         straight({where.left, where.bottom}, {where.right, where.bottom}) + "</g>\n" + labels;
}

double left_margin(const plot_scale& y) {
  double widest = 0;
  for (const auto& tick : y.ticks())
    widest = std::max(widest, width_of(tick.label, text_size));
  return padding + widest + 8;
}

std::string opening(const plot& drawn, double height) {
  const auto size = coordinate(total_width) + ' ' + coordinate(height);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" viewBox=\"0 0 " + size +
         "\" font-size=\"" + coordinate(text_size) +
         "\" style=\"font-family:system-ui,sans-serif;font-variant-numeric:tabular-nums\" aria-label=\"" +
         escaped_markup(cut(drawn.title, 4 * most_title_characters)) + "\">\n<rect width=\"" +
         coordinate(total_width) + "\" height=\"" + coordinate(height) +
         "\" style=\"fill:var(--paper,#ffffff)\"/>\n";
}

} // namespace

std::string svg_of(const plot& drawn) {
  const plot_scale x{drawn.x.scale, axis_way::across, values_of(drawn, &std::pair<double, double>::first)};
  const plot_scale y{drawn.y.scale, axis_way::up, values_of(drawn, &std::pair<double, double>::second)};
  const auto legend = legend_of(drawn);
  const double legend_top = padding + title_size + 8;
  const double legend_height = legend.empty() ? 0 : static_cast<double>(legend.back().row + 1) * row_height;
  const double top = legend_top + legend_height + row_height + 12;
  const plot_frame where{left_margin(y), top, total_width - right_margin, top + plot_height};
  auto text = opening(drawn, where.bottom + 18 + row_height + padding);
  text += "<g font-size=\"" + coordinate(title_size) + "\" font-weight=\"600\">" +
          text_at(padding, padding + title_size - 2, cut(drawn.title, most_title_characters), anchor::start,
                  "text") +
          "</g>\n" + legend_markup(legend, legend_top);
  text += text_at(padding, where.top - 10, cut(drawn.y.title, most_title_characters), anchor::start);
  text += grid_markup(where, x, y);
  text += text_at((where.left + where.right) / 2, where.bottom + 18 + row_height,
                  cut(drawn.x.title, most_title_characters), anchor::middle);
  bool any = false;
  for (std::size_t i = 0; i < drawn_of(drawn).size(); ++i) {
    const auto line = line_markup(i, drawn.lines[i].title, runs_of(drawn.lines[i].points, where, x, y));
    any = any || !line.empty();
    text += line;
  }
  if (!any)
    text +=
        text_at((where.left + where.right) / 2, (where.top + where.bottom) / 2, "no points", anchor::middle);
  return text + "</svg>\n";
}

} // namespace vicket::bench
