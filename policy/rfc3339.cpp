#include "policy/rfc3339.hpp"

#include <algorithm>
#include <chrono>

namespace vicket {

namespace {

constexpr std::int64_t ms_per_day = 86'400'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits of `text` at [at, at + count), or -1. The caller has checked the length.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (!is_digit(c))
      return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool in_range(int value, int low, int high) {
  return value >= low && value <= high;
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
std::optional<std::int64_t> parse_date(std::string_view text) {
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  if (text[4] != '-' || text[7] != '-' || !in_range(year, 1, 9999) || month < 0 || day < 0)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

/// Milliseconds into the day of `hh:mm:ss`; the second may be 60.
std::optional<std::int64_t> parse_time(std::string_view text) {
  const int hour = number_at(text, 0, 2);
  const int minute = number_at(text, 3, 2);
  const int second = number_at(text, 6, 2);
  if (text[2] != ':' || text[5] != ':' || !in_range(hour, 0, 23) || !in_range(minute, 0, 59) ||
      !in_range(second, 0, 60))
    return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * std::int64_t{1'000};
}

/// Consumes `.digits` if it is there; milliseconds, or nothing when no digit follows the dot.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.'))
    return 0;
  text.remove_prefix(1);
  std::int64_t ms = 0;
  std::int64_t weight = 100;
  std::size_t count = 0;
  for (; count < text.size() && is_digit(text[count]); ++count) {
    ms += (text[count] - '0') * weight;
    weight /= 10;
  }
  text.remove_prefix(count);
  if (count == 0)
    return std::nullopt;
  return ms;
}

/// `Z` or `+hh:mm`, in milliseconds east of UTC.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z")
    return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
    return std::nullopt;
  const int hours = number_at(text, 1, 2);
  const int minutes = number_at(text, 4, 2);
  if (!in_range(hours, 0, 23) || !in_range(minutes, 0, 59))
    return std::nullopt;
  const auto ms = (hours * 60 + minutes) * std::int64_t{60'000};
  return text[0] == '-' ? -ms : ms;
}

void put_digits(std::string& text, std::int64_t value, std::size_t count) {
  const auto begin = text.size();
  text.append(count, '0');
  for (auto at = begin + count; at > begin; value /= 10)
    text[--at] = static_cast<char>('0' + value % 10);
}

} // namespace

std::optional<timestamp_ms> parse_rfc3339(std::string_view text) {
  constexpr std::size_t up_to_seconds = 19; // YYYY-MM-DDThh:mm:ss
  if (text.size() <= up_to_seconds || (text[10] != 'T' && text[10] != 't'))
    return std::nullopt;
  const auto days = parse_date(text.substr(0, 10));
  const auto time_ms = parse_time(text.substr(11, 8));
  auto rest = text.substr(up_to_seconds);
  const auto fraction_ms = take_fraction(rest);
  const auto offset_ms = parse_offset(rest);
  if (!days || !time_ms || !fraction_ms || !offset_ms)
    return std::nullopt;
  const auto whole_seconds_ms = *days * ms_per_day + *time_ms - *offset_ms;
  const bool leap_second = text[17] == '6';
  if (leap_second && whole_seconds_ms % ms_per_day != 0) // leap seconds end a day of UTC
    return std::nullopt;
  const timestamp_ms result{whole_seconds_ms + *fraction_ms};
  if (result < min_rfc3339 || result > max_rfc3339)
    return std::nullopt;
  return result;
}

std::string format_rfc3339(timestamp_ms time) {
  std::string text;
  text.reserve(24);
  append_rfc3339(text, time);
  return text;
}

void append_rfc3339(std::string& text, timestamp_ms time) {
  using namespace std::chrono;
  const auto shown = std::clamp(time, min_rfc3339, max_rfc3339);
  const sys_time<milliseconds> point{milliseconds{shown.value}};
  const auto midnight = floor<days>(point);
  const year_month_day date{midnight};
  const auto in_day_ms = (point - midnight).count();
  put_digits(text, static_cast<int>(date.year()), 4);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.month()), 2);
  text += '-';
  put_digits(text, static_cast<unsigned>(date.day()), 2);
  text += 'T';
  put_digits(text, in_day_ms / 3'600'000, 2);
  text += ':';
  put_digits(text, in_day_ms / 60'000 % 60, 2);
  text += ':';
  put_digits(text, in_day_ms / 1'000 % 60, 2);
  text += '.';
  put_digits(text, in_day_ms % 1'000, 3);
  text += 'Z';
}

} // namespace vicket
