#include "bench/report/measure_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

namespace vicket::bench {

namespace {

constexpr double most_without_exponent = 1e15;
constexpr double least_without_exponent = 1e-6;
constexpr int bound_digits = 6;

/// Enough for 16 digits before the point and 23 behind it.
using digits_buffer = std::array<char, 64>;

std::string written(double value, std::chars_format format, int precision) {
  digits_buffer text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format, precision).ptr;
  return {text.data(), end};
}

/// Of the number as it is after rounding: 9.996 with three digits is 10.0, not 10.00.
int decimal_exponent(double value, int significant) {
  const auto text = written(value, std::chars_format::scientific, significant - 1);
  const auto at = text.find('e') + 1;
  return std::atoi(text.c_str() + at);
}

std::string with_thousands_apart(std::string text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  const auto point = std::min(text.find('.'), text.size());
  for (std::size_t at = point; at > first + 3; at -= 3)
    text.insert(at - 3, 1, ',');
  return text;
}

struct step {
  double size;
  std::string_view suffix;
};

constexpr std::array<step, 3> times_us{{{1, " µs"}, {1e3, " ms"}, {1e6, " s"}}};
constexpr std::array<step, 5> byte_counts{
    {{1, " B"}, {1e3, " KB"}, {1e6, " MB"}, {1e9, " GB"}, {1e12, " TB"}}};

/// 999.5 of something are shown as 1000 of it with three digits, that is as 1 of the next.
constexpr double next_unit_from = 0.9995;

display_unit fitting(double value, double own_size, std::span<const step> steps) {
  auto best = steps.front();
  if (value == 0) // in its own unit, where one of them is that
    for (const auto& one : steps)
      best = one.size == own_size ? one : best;
  else
    for (const auto& one : steps)
      best = std::abs(value) * own_size >= one.size * next_unit_from ? one : best;
  return {best.size / own_size, std::string{best.suffix}};
}

} // namespace

std::string show_number(double value, int significant) {
  if (!std::isfinite(value))
    return "n/a";
  if (value == 0)
    return "0";
  significant = std::clamp(significant, 1, 17);
  const double size = std::abs(value);
  if (size >= most_without_exponent || size < least_without_exponent)
    return written(value, std::chars_format::scientific, significant - 1);
  const int decimals = std::max(0, significant - 1 - decimal_exponent(value, significant));
  return with_thousands_apart(written(value, std::chars_format::fixed, decimals));
}

std::string show_bound(double value) {
  auto text = show_number(value, bound_digits);
  if (text.find('.') == std::string::npos || text.find('e') != std::string::npos)
    return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.'))
    text.pop_back();
  return text;
}

display_unit display_unit_for(double value, std::string_view unit) {
  if (!std::isfinite(value))
    value = 0;
  if (unit == "us")
    return fitting(value, 1, times_us);
  if (unit == "ms")
    return fitting(value, 1e3, times_us);
  if (unit == "s")
    return fitting(value, 1e6, times_us);
  if (unit == "bytes")
    return fitting(value, 1, byte_counts);
  if (unit == "1" || unit.empty())
    return {};
  return {1, (unit.front() == '/' ? "" : " ") + std::string{unit}};
}

std::string show_measure(double value, std::string_view unit) {
  if (!std::isfinite(value))
    return show_number(value);
  const auto shown = display_unit_for(value, unit);
  return show_number(value / shown.size) + shown.suffix;
}

std::string show_took(double seconds) {
  constexpr double longest_s = 1e9;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > longest_s)
    return "n/a";
  if (seconds < 9.95)
    return written(seconds, std::chars_format::fixed, 1) + " s";
  const auto whole = std::llround(seconds);
  if (whole < 60)
    return std::to_string(whole) + " s";
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

} // namespace vicket::bench
