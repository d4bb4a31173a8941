#include "policy/retry_after.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace vicket {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> short_days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};

/// Takes a date apart from the left; after the first mismatch everything fails.
class date_reader {
public:
  explicit date_reader(std::string_view text) : rest_{text} {}

  void literal(std::string_view expected) {
    if (rest_.starts_with(expected))
      rest_.remove_prefix(expected.size());
    else
      good_ = false;
  }

  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) {
    for (unsigned i = 0; i < N; ++i) {
      if (rest_.starts_with(names[i])) {
        rest_.remove_prefix(names[i].size());
        return i;
      }
    }
    good_ = false;
    return 0;
  }

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  [[nodiscard]] bool next_is(char c) const { return rest_.starts_with(c); }
  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool good_ = true;
};

struct http_date {
  int year = 0;
  unsigned month = 0; ///< from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_time(date_reader& in, http_date& date) {
  date.hour = in.digits(2);
  in.literal(":");
  date.minute = in.digits(2);
  in.literal(":");
  date.second = in.digits(2);
}

std::optional<std::int64_t> to_ms(const http_date& date) {
  using namespace std::chrono;
  const auto day = year_month_day{year{date.year}, month{date.month + 1},
                                  std::chrono::day(static_cast<unsigned>(date.day))};
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60)
    return std::nullopt;
  const auto time = sys_days{day} + hours{date.hour} + minutes{date.minute} + seconds{date.second};
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::optional<std::int64_t> parse_imf_fixdate(std::string_view text) {
  date_reader in{text};
  http_date date;
  in.one_of(short_days);
  in.literal(", ");
  date.day = in.digits(2);
  in.literal(" ");
  date.month = in.one_of(months);
  in.literal(" ");
  date.year = in.digits(4);
  in.literal(" ");
  read_time(in, date);
  in.literal(" GMT");
  return in.complete() ? to_ms(date) : std::nullopt;
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`; a year that looks more than 50 years ahead is the past one with the same
/// digits.
std::optional<std::int64_t> parse_rfc850_date(std::string_view text, timestamp_ms now) {
  using namespace std::chrono;
  date_reader in{text};
  http_date date;
  in.one_of(long_days);
  in.literal(", ");
  date.day = in.digits(2);
  in.literal("-");
  date.month = in.one_of(months);
  in.literal("-");
  const int two_digits = in.digits(2);
  in.literal(" ");
  read_time(in, date);
  in.literal(" GMT");
  if (!in.complete())
    return std::nullopt;
  const year_month_day today{floor<days>(sys_time<milliseconds>{milliseconds{now.value}})};
  const int this_year = static_cast<int>(today.year());
  date.year = this_year - this_year % 100 + two_digits;
  if (date.year > this_year + 50)
    date.year -= 100;
  return to_ms(date);
}

/// `Sun Nov  6 08:49:37 1994`
std::optional<std::int64_t> parse_asctime_date(std::string_view text) {
  date_reader in{text};
  http_date date;
  in.one_of(short_days);
  in.literal(" ");
  date.month = in.one_of(months);
  in.literal(" ");
  const bool padded = in.next_is(' ');
  if (padded)
    in.literal(" ");
  date.day = in.digits(padded ? 1 : 2);
  in.literal(" ");
  read_time(in, date);
  in.literal(" ");
  date.year = in.digits(4);
  return in.complete() ? to_ms(date) : std::nullopt;
}

std::optional<std::int64_t> parse_delta_seconds(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative)
    text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  if (negative)
    return 0;
  std::int64_t seconds = 0;
  for (const char c : text) // the bound keeps any number of digits from overflowing
    seconds = std::min(seconds * 10 + (c - '0'), retry_after_limit_ms / 1'000);
  return seconds * 1'000;
}

std::string_view without_blanks_around(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

} // namespace

std::optional<std::int64_t> parse_retry_after(std::string_view value, timestamp_ms now) {
  const auto text = without_blanks_around(value);
  if (const auto wait_ms = parse_delta_seconds(text))
    return wait_ms;
  auto date_ms = parse_imf_fixdate(text);
  if (!date_ms)
    date_ms = parse_rfc850_date(text, now);
  if (!date_ms)
    date_ms = parse_asctime_date(text);
  if (!date_ms)
    return std::nullopt;
  return std::clamp<std::int64_t>(*date_ms - now.value, 0, retry_after_limit_ms);
}

} // namespace vicket
