#include "apps/values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace vicket {

namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::string_view leading_digits(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
}

std::string quoted(std::string_view text) {
  return '"' + std::string{text} + '"';
}

} // namespace

parsed<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> units{{
      {"", 1},
      {"B", 1},
      {"kB", 1'000},
      {"KiB", 1'024},
      {"MB", 1'000'000},
      {"MiB", 1'048'576},
      {"GB", 1'000'000'000},
      {"GiB", 1'073'741'824},
  }};
  const auto digits = leading_digits(text);
  if (const auto number = whole_number(digits))
    for (const auto& [name, factor] : units)
      if (text.substr(digits.size()) == name && *number <= std::numeric_limits<std::uint64_t>::max() / factor)
        return *number * factor;
  return quoted(text) + " is not a size such as 262144, 256KiB or 1MiB";
}

parsed<std::int64_t> parse_duration_ms(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{{
      {"ms", 1},
      {"s", 1'000},
      {"m", 60'000},
      {"h", 3'600'000},
      {"d", 86'400'000},
  }};
  static constexpr std::uint64_t most = 100ull * 366 * 86'400'000; // a century: sums with it can't overflow
  const auto wrong = quoted(text) + " is not a duration such as 7d, 12h, 30m, 45s or 1d12h";
  std::uint64_t sum = 0;
  for (auto rest = text; !rest.empty() || text.empty();) {
    const auto digits = leading_digits(rest);
    const auto number = whole_number(digits);
    if (!number)
      return wrong;
    rest.remove_prefix(digits.size());
    const auto unit_text = rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
    rest.remove_prefix(unit_text.size());
    std::uint64_t factor = 0;
    for (const auto& [name, value] : units)
      if (name == unit_text)
        factor = value;
    if (factor == 0)
      return wrong;
    if (*number > most / factor || (sum += *number * factor) > most)
      return quoted(text) + " is longer than 100 years";
  }
  return static_cast<std::int64_t>(sum);
}

parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = whole_number(text);
  if (!number || *number < least || *number > most)
    return quoted(text) + " is not a number from " + std::to_string(least) + " to " + std::to_string(most);
  return *number;
}

parsed<bool> parse_switch(std::string_view text) {
  for (const auto yes : {"true", "1", "yes", "on"})
    if (text == yes)
      return true;
  for (const auto no : {"false", "0", "no", "off"})
    if (text == no)
      return false;
  return quoted(text) + " is neither true nor false";
}

} // namespace vicket
