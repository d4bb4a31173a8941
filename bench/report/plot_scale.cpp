#include "bench/report/plot_scale.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

namespace vicket::bench {

namespace {

/// Of a logarithm, so that 0.1 + 0.2 does not open a decade of its own.
constexpr double rounding = 1e-9;

std::string written(double value, std::chars_format format, int precision) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, format, precision).ptr};
}

/// 1, 2 or 5 times a power of ten: the least that is no smaller.
double nice_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - rounding))
      return factor * power;
  return 10 * power;
}

struct magnitude {
  double size;
  std::string_view suffix;
};

magnitude magnitude_of(double value) {
  constexpr std::array<magnitude, 4> all{{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}, {0, ""}}};
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return value >= one.size; });
  if (found->size == 0)
    return {1, ""};
  return {found->suffix == "k" ? 1e3 : found->size, found->suffix};
}

bool needs_exponent(double value) {
  return value >= 1e13 || (value > 0 && value < 1e-4);
}

/// Of a multiple of `step`, on an axis that goes to `largest`: all have the same decimals and suffix.
std::string linear_label(double value, double step, double largest) {
  if (value == 0)
    return "0";
  if (needs_exponent(largest))
    return written(value, std::chars_format::general, 4);
  const auto shown_in = magnitude_of(largest);
  const double decimals = -std::floor(std::log10(step / shown_in.size) + rounding);
  return written(value / shown_in.size, std::chars_format::fixed,
                 static_cast<int>(std::clamp(decimals, 0.0, 12.0))) +
         std::string{shown_in.suffix};
}

/// Of 1, 2 or 5 times a power of ten: "0.01", "5", "1000", "10k".
std::string decade_label(double value) {
  if (needs_exponent(value))
    return written(value, std::chars_format::general, 1);
  const auto shown_in = magnitude_of(value * (1 + rounding));
  return written(value / shown_in.size, std::chars_format::general, 4) + std::string{shown_in.suffix};
}

std::string nines_label(int nines) {
  if (nines == 0)
    return "0";
  const std::string all(static_cast<std::size_t>(nines), '9');
  if (nines == 1)
    return "90";
  return nines == 2 ? all : all.substr(0, 2) + '.' + all.substr(2);
}

} // namespace

bool plot_scale::places(double value) {
  return std::isfinite(value) && std::abs(value) <= largest;
}

plot_scale::plot_scale(axis_scale kind, axis_way way, std::span<const double> values) : kind_{kind} {
  std::vector<double> placed;
  std::copy_if(values.begin(), values.end(), std::back_inserter(placed), places);
  std::sort(placed.begin(), placed.end());
  switch (kind_) {
  case axis_scale::linear:
    span_linear(way, placed.empty() ? 0 : placed.front(), placed.empty() ? 1 : placed.back());
    break;
  case axis_scale::logarithmic: {
    const auto first =
        std::find_if(placed.begin(), placed.end(), [](double one) { return one >= 1 / largest; });
    smallest_positive_ = first == placed.end() ? 1 : *first;
    span_decades(first == placed.end() ? 1 : placed.back());
    break;
  }
  case axis_scale::nines:
    span_nines(placed);
    break;
  }
}

void plot_scale::mark(double position, std::string label) {
  ticks_.push_back({(position - low_) / (high_ - low_), std::move(label)});
}

void plot_scale::span_linear(axis_way way, double least, double most) {
  if (way == axis_way::up) {
    least = std::min(least, 0.0);
    most = std::max(most, 0.0);
  }
  const double size = std::max(std::abs(least), std::abs(most));
  if (size < 1 / largest) {
    least = 0;
    most = 1;
  } else if (most - least < size * rounding) { // a single value: it stands in the middle
    least -= size / 2;
    most += size / 2;
  }
  const double step = nice_step((most - least) / 6);
  // Whole numbers of steps: adding them up would drift.
  const double first =
      way == axis_way::up ? std::floor(least / step + rounding) : std::ceil(least / step - rounding);
  const double last =
      way == axis_way::up ? std::ceil(most / step - rounding) : std::floor(most / step + rounding);
  low_ = way == axis_way::up ? first * step : least;
  high_ = way == axis_way::up ? last * step : most;
  const double furthest = std::max(std::abs(low_), std::abs(high_));
  for (double n = first; n <= last; ++n)
    mark(n * step, linear_label(n * step, step, furthest));
}

void plot_scale::span_decades(double most) {
  low_ = std::floor(std::log10(smallest_positive_) + rounding);
  high_ = std::max(low_ + 1, std::ceil(std::log10(most) - rounding));
  const int decades = static_cast<int>(high_ - low_);
  const int every = (decades + most_decades_labelled - 1) / most_decades_labelled;
  for (int n = 0; n <= decades; n += every) {
    const double decade = low_ + n;
    mark(decade, decade_label(std::pow(10.0, decade)));
    if (n == decades || decades > most_decades_labelled / 2)
      continue;
    for (int factor = 2; factor <= 9; ++factor) {
      const bool labelled = decades == 1 && (factor == 2 || factor == 5);
      mark(decade + std::log10(factor), labelled ? decade_label(factor * std::pow(10.0, decade)) : "");
    }
  }
}

void plot_scale::span_nines(std::span<const double> percentiles) {
  const auto below_100 =
      std::find_if(percentiles.rbegin(), percentiles.rend(), [](double p) { return p < 100; });
  high_ = most_nines; // so that `position` does not cut what it is asked for
  const double furthest = below_100 == percentiles.rend() ? 0 : position(*below_100);
  const double last = std::max(2.0, std::ceil(furthest - 1e-6));
  const bool whole = !percentiles.empty() && percentiles.back() >= 100;
  high_ = whole ? last + 1 : last;
  for (int n = 0; n <= static_cast<int>(last); ++n) {
    mark(n, nines_label(n));
    if (n == 0 && high_ <= 5)
      mark(std::log10(2.0), "50");
  }
  if (whole)
    mark(high_, "100");
}

double plot_scale::position(double value) const {
  switch (kind_) {
  case axis_scale::linear:
    return value;
  case axis_scale::logarithmic:
    return std::log10(std::max(value, smallest_positive_));
  case axis_scale::nines:
    if (value >= 100)
      return high_;
    return std::clamp(-std::log10(1 - value / 100), 0.0, static_cast<double>(most_nines));
  }
  return 0;
}

double plot_scale::at(double value) const {
  return std::clamp((position(value) - low_) / (high_ - low_), 0.0, 1.0);
}

} // namespace vicket::bench
