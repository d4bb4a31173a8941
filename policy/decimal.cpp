#include "policy/decimal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vicket {

namespace {

/// A number as 0.d1d2d3… * 10^(shift + exponent), where d1 is not 0.
struct decimal {
  bool negative = false;
  std::string_view digits; ///< from d1 on, with a point among them perhaps; empty: the number is 0
  std::int64_t shift = 0;  ///< places from before d1 to the point
  bool exponent_negative = false;
  std::string_view exponent; ///< digits, of any number
};

decimal taken_apart(std::string_view text) {
  decimal result;
  if (text.starts_with('-')) {
    result.negative = true;
    text.remove_prefix(1);
  }
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    result.exponent = text.substr(e + 1);
    text = text.substr(0, e);
    if (result.exponent.starts_with('-') || result.exponent.starts_with('+')) {
      result.exponent_negative = result.exponent.front() == '-';
      result.exponent.remove_prefix(1);
    }
  }
  const auto first = text.find_first_not_of("0.");
  if (first == std::string_view::npos)
    return {};
  const auto point = std::min(text.find('.'), text.size());
  result.shift =
      static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + (first > point ? 1 : 0);
  result.digits = text.substr(first);
  return result;
}

/// The difference of two exponents, exact where it is below 10^16, else at least so far from 0.
std::int64_t exponent_difference(const decimal& a, const decimal& b) {
  constexpr std::int64_t beyond_any_shift = 100'000'000'000'000'000; // 10^17; ten times that fits
  const auto longest = std::max(a.exponent.size(), b.exponent.size());
  const auto digit = [longest](std::string_view text, std::size_t i) -> std::int64_t {
    const auto missing = longest - text.size();
    return i < missing ? 0 : text[i - missing] - '0';
  };
  std::int64_t difference = 0;
  for (std::size_t i = 0; i < longest; ++i) {
    const auto of_a = digit(a.exponent, i) * (a.exponent_negative ? -1 : 1);
    const auto of_b = digit(b.exponent, i) * (b.exponent_negative ? -1 : 1);
    // Once it is beyond, no further digit brings it back.
    difference = std::clamp(difference * 10 + of_a - of_b, -beyond_any_shift, beyond_any_shift);
  }
  return difference;
}

/// The next digit, passing over a point; behind the last one zeros follow.
char take_digit(std::string_view& digits) {
  if (digits.starts_with('.'))
    digits.remove_prefix(1);
  if (digits.empty())
    return '0';
  const char first = digits.front();
  digits.remove_prefix(1);
  return first;
}

std::strong_ordering compare_digits(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty())
    if (const auto order = take_digit(a) <=> take_digit(b); order != 0)
      return order;
  return std::strong_ordering::equal;
}

std::strong_ordering compare_magnitudes(const decimal& a, const decimal& b) {
  if (a.digits.empty() || b.digits.empty())
    return !a.digits.empty() <=> !b.digits.empty();
  const auto places = exponent_difference(a, b) + (a.shift - b.shift);
  return places != 0 ? places <=> 0 : compare_digits(a.digits, b.digits);
}

/// As most numbers are written; those that are not 0 in it are as long as they are great.
bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == '0')
    return text.size() == 1;
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (is_plain(a) && is_plain(b))
    return a.size() != b.size() ? a.size() <=> b.size() : a <=> b;
  const auto left = taken_apart(a);
  const auto right = taken_apart(b);
  if (left.negative != right.negative)
    return right.negative <=> left.negative;
  return left.negative ? compare_magnitudes(right, left) : compare_magnitudes(left, right);
}

} // namespace vicket
