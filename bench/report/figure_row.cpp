#include "bench/report/figure_row.hpp"

#include "bench/report/measure_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace vicket::bench {

namespace {

constexpr int most_digits = 9;
/// Below this in the goal's unit a value is shown in its own: 12 µs rather than 0.0000120 s.
constexpr double least_in_goals_unit = 0.01;

double rounded(double value, int significant) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific,
                                 significant - 1)
                       .ptr;
  double result = value;
  std::from_chars(text.data(), end, result);
  return result;
}

display_unit unit_of(const figure& value) {
  if (!value.wanted)
    return display_unit_for(value.value, value.unit);
  auto goals = display_unit_for(value.wanted->must, value.unit);
  const bool tiny = value.value != 0 && std::abs(value.value / goals.size) < least_in_goals_unit;
  return tiny ? display_unit_for(value.value, value.unit) : goals;
}

/// The digits that leave the verdict as it is when the value is rounded to them.
int telling_digits(const figure& value, const display_unit& shown_in) {
  const double shown = value.value / shown_in.size;
  for (int digits = usual_digits; digits < most_digits; ++digits) {
    const double less = rounded(shown, digits);
    auto seen = value;
    seen.value = less * shown_in.size;
    const bool exact = std::abs(less - shown) <= std::abs(shown) * 1e-12;
    if (exact || verdict_of(seen) == verdict_of(value))
      return digits;
  }
  return most_digits;
}

std::string value_of(const figure& value, const display_unit& shown_in) {
  if (!std::isfinite(value.value))
    return show_number(value.value);
  return show_number(value.value / shown_in.size, telling_digits(value, shown_in)) + shown_in.suffix;
}

std::string bound_of(double bound, const figure& value) {
  const auto shown_in = display_unit_for(value.wanted->must, value.unit); // for both, so that they compare
  return (value.wanted->more_is_better ? "≥ " : "≤ ") + show_bound(bound / shown_in.size) + shown_in.suffix;
}

std::string spread_of(const figure& value, const display_unit& shown_in) {
  auto measured = value.rounds;
  std::erase_if(measured, [](double one) { return !std::isfinite(one); });
  if (value.rounds.empty())
    return "";
  const auto count = std::to_string(value.rounds.size()) + (value.rounds.size() == 1 ? " round" : " rounds");
  if (measured.empty())
    return "none of " + count + " measured";
  const auto [least, most] = std::minmax_element(measured.begin(), measured.end());
  auto text = show_number(*least / shown_in.size) + " – " + show_number(*most / shown_in.size) +
              shown_in.suffix + ", " + count;
  if (measured.size() < value.rounds.size())
    text += ", " + std::to_string(value.rounds.size() - measured.size()) + " of them not measured";
  return text;
}

} // namespace

figure_row row_of(const figure& value) {
  const auto shown_in = unit_of(value);
  figure_row row;
  row.title = value.title.empty() ? value.key : value.title;
  row.value = value_of(value, shown_in);
  row.rounds = spread_of(value, shown_in);
  row.said = verdict_of(value);
  if (value.wanted) {
    row.must = bound_of(value.wanted->must, value);
    row.aim = bound_of(value.wanted->aim, value);
  }
  return row;
}

} // namespace vicket::bench
