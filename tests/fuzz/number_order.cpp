// Two JSON numbers: their order is that of a slow comparison which knows nothing of the fast one.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/decimal.hpp"
#include "policy/json_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace vicket;

struct number_alone {
  static bool number(std::string_view) { return true; }
  static bool literal(std::string_view) { return false; }
  static bool string(const json_string&) { return false; }
  static bool key(const json_string&) { return false; }
  static bool begin_object(std::size_t) { return false; }
  static bool end_object(std::size_t) { return false; }
  static bool begin_array(std::size_t) { return false; }
  static bool end_array(std::size_t) { return false; }
};

bool is_number(std::string_view text) {
  number_alone handler;
  return !text.empty() && text.find_first_of(" \t\r\n") == std::string_view::npos &&
         json_reader{text, 1, handler}.read().why == json_stop::reason::complete;
}

constexpr std::size_t places = 2'000; // on each side of the point, as far as the slow one goes

/// All digits of a number, `places` before the point and as many behind it; absent: it needs more.
std::optional<std::string> written_out(std::string_view text) {
  if (text.starts_with('-'))
    text.remove_prefix(1);
  long exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    const auto digits = text.substr(e + 1);
    if (digits.size() > 5)
      return std::nullopt;
    exponent = std::strtol(std::string{digits}.c_str(), nullptr, 10);
    text = text.substr(0, e);
  }
  const auto point = std::min(text.find('.'), text.size());
  std::string result(2 * places, '0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point || text[i] == '0')
      continue;
    const auto before_point =
        static_cast<long>(point) - static_cast<long>(i) - (i < point ? 1 : 0) + exponent;
    const auto at = static_cast<long>(places) - 1 - before_point;
    if (at < 0 || at >= static_cast<long>(result.size()))
      return std::nullopt;
    result[static_cast<std::size_t>(at)] = text[i];
  }
  return result;
}

int slow_order(std::string_view a, std::string_view b, const std::string& a_digits,
               const std::string& b_digits) {
  const auto sign = [](std::string_view text, const std::string& digits) {
    return digits.find_first_not_of('0') == std::string::npos ? 0 : text.starts_with('-') ? -1 : 1;
  };
  const auto a_sign = sign(a, a_digits);
  const auto b_sign = sign(b, b_digits);
  if (a_sign != b_sign)
    return a_sign < b_sign ? -1 : 1;
  const auto order = a_digits.compare(b_digits);
  return order == 0 ? 0 : order < 0 ? -a_sign : a_sign;
}

int fast_order(std::string_view a, std::string_view b) {
  const auto order = compare_numbers(a, b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

} // namespace

VICKET_FUZZ_TARGET(number_order) {
  const auto separator = input.find(' ');
  if (separator == std::string_view::npos)
    return;
  const auto a = input.substr(0, separator);
  const auto b = input.substr(separator + 1);
  if (!is_number(a) || !is_number(b))
    return;
  EXPECT_THAT_IT_HOLDS(fast_order(a, b) == -fast_order(b, a));
  EXPECT_THAT_IT_HOLDS(fast_order(a, a) == 0);
  // A power of ten more on both sides changes nothing.
  const bool have_exponents =
      a.find_first_of("eE") != std::string_view::npos || b.find_first_of("eE") != std::string_view::npos;
  if (!have_exponents) {
    for (const auto* exponent : {"e17", "e-5", "E+1000000000", "e99999999999999999999999"})
      EXPECT_THAT_IT_HOLDS(fast_order(std::string{a} + exponent, std::string{b} + exponent) ==
                           fast_order(a, b));
  }
  const auto a_digits = written_out(a);
  const auto b_digits = written_out(b);
  if (a_digits && b_digits)
    EXPECT_THAT_IT_HOLDS(fast_order(a, b) == slow_order(a, b, *a_digits, *b_digits));
}
