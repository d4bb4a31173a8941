#include "policy/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

namespace vicket {

namespace {

// All of this reads text in lower case.

constexpr std::array<std::string_view, 12> months{"january",   "february", "march",    "april",
                                                  "may",       "june",     "july",     "august",
                                                  "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> days_of_week{"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};

constexpr double second_ms = 1'000;
constexpr double minute_ms = 60 * second_ms;
constexpr double hour_ms = 60 * minute_ms;

struct unit {
  std::string_view name;
  double ms;
};
constexpr std::array units{unit{"ms", 1},
                           unit{"s", second_ms},
                           unit{"sec", second_ms},
                           unit{"secs", second_ms},
                           unit{"second", second_ms},
                           unit{"seconds", second_ms},
                           unit{"m", minute_ms},
                           unit{"min", minute_ms},
                           unit{"mins", minute_ms},
                           unit{"minute", minute_ms},
                           unit{"minutes", minute_ms},
                           unit{"h", hour_ms},
                           unit{"hr", hour_ms},
                           unit{"hrs", hour_ms},
                           unit{"hour", hour_ms},
                           unit{"hours", hour_ms}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Takes a text apart from the left; after the first mismatch everything fails.
class text_reader {
public:
  explicit text_reader(std::string_view text) : rest_{text} {}

  [[nodiscard]] bool next_is(char c) const { return rest_.starts_with(c); }
  [[nodiscard]] bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  [[nodiscard]] bool next_is_letter() const { return !rest_.empty() && is_letter(rest_.front()); }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }

  void check(bool condition) { good_ = good_ && condition; }

  bool take_if(char c) {
    if (!next_is(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }
  void take(char c) { check(take_if(c)); }

  /// How many there were.
  std::size_t blanks() { return take_while(is_blank).size(); }
  std::string_view word() { return take_while(is_letter); }
  std::string_view digits() { return take_while(is_digit); }

  int number(std::size_t min_digits, std::size_t max_digits) {
    const auto text = digits();
    check(text.size() >= min_digits && text.size() <= max_digits);
    int value = 0;
    if (good_)
      std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  /// Without sign or exponent; digits on one side of the point are enough.
  double decimal() {
    double value = 0;
    if (!next_is_digit() && !(rest_.size() > 1 && rest_[0] == '.' && is_digit(rest_[1]))) {
      good_ = false;
      return value;
    }
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, std::chars_format::fixed);
    if (error != std::errc{})
      value = static_cast<double>(retry_after_limit_ms);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

private:
  template <class Predicate>
  std::string_view take_while(Predicate fits) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), fits);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

// -- waits ------------------------------------------------------------------------------------------------------------

std::optional<double> unit_ms(std::string_view name) {
  const auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == name; });
  return found == units.end() ? std::nullopt : std::optional{found->ms};
}

/// `30`, `30.0`, `+30`, `30 s`, `1m30s`; a number without a unit stands alone.
std::optional<std::int64_t> parse_wait(std::string_view text) {
  text_reader in{text};
  const bool negative = in.take_if('-');
  if (!negative)
    in.take_if('+');
  double total_ms = 0;
  for (bool first = true; first || !in.at_end(); first = false) {
    const auto count = in.decimal();
    in.blanks();
    const auto ms = in.next_is_letter()    ? unit_ms(in.word())
                    : first && in.at_end() ? std::optional{second_ms}
                                           : std::nullopt;
    if (!ms || !in.good())
      return std::nullopt;
    total_ms += count * *ms;
    in.blanks();
  }
  if (negative)
    return 0;
  // Less than a nanosecond of what adding up fractions has made.
  return static_cast<std::int64_t>(
      std::min(std::ceil(total_ms - 1e-6), static_cast<double>(retry_after_limit_ms)));
}

std::string_view without_blanks_around(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// One wait, or the same several times.
std::optional<std::int64_t> parse_waits(std::string_view text) {
  std::optional<std::int64_t> wait_ms;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    more = comma != std::string_view::npos;
    const auto one = parse_wait(without_blanks_around(text.substr(0, comma)));
    if (!one || (wait_ms && *wait_ms != *one))
      return std::nullopt;
    wait_ms = one;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  return wait_ms;
}

// -- dates ------------------------------------------------------------------------------------------------------------

struct calendar_time {
  int year = 0;
  unsigned month = 0; ///< from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int offset_minutes = 0; ///< east of UTC
};

/// Three letters of a name are enough: `sep`, `sept`, `september`.
template <std::size_t N>
std::optional<unsigned> one_of(const std::array<std::string_view, N>& names, std::string_view word) {
  for (unsigned i = 0; i < N; ++i)
    if (word.size() >= 3 && names[i].starts_with(word))
      return i;
  return std::nullopt;
}

void read_month(text_reader& in, calendar_time& date) {
  const auto month = one_of(months, in.word());
  in.check(month.has_value());
  date.month = month.value_or(0);
}

/// One that looks more than 50 years ahead is the past one with the same last two digits (RFC 9110 5.6.7).
void read_year(text_reader& in, calendar_time& date, timestamp_ms now, bool two_digits_will_do) {
  using namespace std::chrono;
  const auto text = in.digits();
  in.check(text.size() == 4 || (two_digits_will_do && text.size() == 2));
  if (!in.good())
    return;
  std::from_chars(text.data(), text.data() + text.size(), date.year);
  if (text.size() == 4)
    return;
  const year_month_day today{floor<days>(sys_time<milliseconds>{milliseconds{now.value}})};
  const int this_year = static_cast<int>(today.year());
  date.year += this_year - this_year % 100;
  if (date.year > this_year + 50)
    date.year -= 100;
}

/// `08:49`, `8:49:37`, `08:49:37.123`.
void read_time(text_reader& in, calendar_time& date) {
  date.hour = in.number(1, 2);
  in.take(':');
  date.minute = in.number(2, 2);
  if (!in.take_if(':'))
    return;
  date.second = in.number(2, 2);
  if (in.take_if('.'))
    in.check(!in.digits().empty());
}

/// `gmt`, `+0200`, `gmt+02:00`. Of an offset without minutes POSIX and people mean opposite signs.
void read_zone(text_reader& in, calendar_time& date) {
  const auto name = in.word();
  in.check(name.empty() || name == "gmt" || name == "utc" || name == "ut" || name == "z");
  const bool east = in.next_is('+');
  if (!east && !in.next_is('-'))
    return in.check(!name.empty());
  in.take(east ? '+' : '-');
  auto hours_and_minutes = in.digits();
  std::string text{hours_and_minutes};
  if (text.size() == 2 && in.take_if(':'))
    text += in.digits();
  in.check(text.size() == 4);
  if (!in.good())
    return;
  const int number = (text[0] - '0') * 1'000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
  in.check(number / 100 < 24 && number % 100 < 60);
  date.offset_minutes = (number / 100 * 60 + number % 100) * (east ? 1 : -1);
}

/// JavaScript puts the zone's name behind its offset.
void pass_comment(text_reader& in) {
  in.blanks();
  if (!in.take_if('('))
    return;
  do {
    in.word();
  } while (in.blanks() > 0);
  in.take(')');
}

/// `sun, 06 nov 1994 08:49:37 gmt`, `sunday, 06-nov-94 08:49:37 gmt`; from the day on.
void read_day_first(text_reader& in, calendar_time& date, timestamp_ms now) {
  const auto between = [&in] { in.check(in.blanks() > 0 || in.take_if('-')); };
  date.day = in.number(1, 2);
  between();
  read_month(in, date);
  between();
  read_year(in, date, now, true);
  in.check(in.blanks() > 0);
  read_time(in, date);
  in.blanks();
  read_zone(in, date);
  pass_comment(in);
}

/// `sun nov  6 08:49:37 1994` (asctime), `sun nov  6 08:49:37 utc 1994` (date), `sun nov 06 1994 08:49:37 gmt+0000
/// (coordinated universal time)` (JavaScript); from the month on.
void read_month_first(text_reader& in, calendar_time& date, timestamp_ms now) {
  read_month(in, date);
  in.check(in.blanks() > 0);
  date.day = in.number(1, 2);
  in.take_if(',');
  in.check(in.blanks() > 0);
  auto ahead = in;
  if (ahead.digits().size() == 4) {
    read_year(in, date, now, false);
    in.check(in.blanks() > 0);
    read_time(in, date);
    in.blanks();
    read_zone(in, date);
    return pass_comment(in);
  }
  read_time(in, date);
  in.check(in.blanks() > 0);
  if (!in.next_is_digit()) {
    read_zone(in, date);
    in.check(in.blanks() > 0);
  }
  read_year(in, date, now, false);
}

/// `1994-11-06t08:49:37z`, `1994-11-06 08:49:37 utc`.
void read_digits_only(text_reader& in, calendar_time& date, timestamp_ms now) {
  read_year(in, date, now, false);
  in.take('-');
  date.month = static_cast<unsigned>(in.number(2, 2)) - 1;
  in.take('-');
  date.day = in.number(2, 2);
  in.check(in.take_if('t') || in.blanks() > 0);
  read_time(in, date);
  in.blanks();
  read_zone(in, date);
}

std::optional<timestamp_ms> to_time(const calendar_time& date) {
  using namespace std::chrono;
  const auto day = year_month_day{year{date.year}, month{date.month + 1},
                                  std::chrono::day(static_cast<unsigned>(date.day))};
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60)
    return std::nullopt;
  const auto time =
      sys_days{day} + hours{date.hour} + minutes{date.minute - date.offset_minutes} + seconds{date.second};
  return timestamp_ms{duration_cast<milliseconds>(time.time_since_epoch()).count()};
}

std::optional<timestamp_ms> parse_date(std::string_view text, timestamp_ms now) {
  text_reader in{text};
  calendar_time date;
  auto ahead = in;
  if (one_of(days_of_week, ahead.word())) {
    in = ahead;
    const bool comma = in.take_if(',');
    in.check(in.blanks() > 0 || comma);
  }
  if (in.next_is_letter())
    read_month_first(in, date, now);
  else if (ahead = in; ahead.digits().size() == 4)
    read_digits_only(in, date, now);
  else
    read_day_first(in, date, now);
  return in.complete() ? to_time(date) : std::nullopt;
}

std::string_view without_quotes(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
  return quoted ? without_blanks_around(text.substr(1, text.size() - 2)) : text;
}

} // namespace

std::optional<std::int64_t> parse_retry_after(std::string_view value, timestamp_ms now) {
  const auto text = lower(without_quotes(without_blanks_around(value)));
  if (const auto wait_ms = parse_waits(text))
    return wait_ms;
  const auto date = parse_date(text, now);
  if (!date)
    return std::nullopt;
  return std::clamp<std::int64_t>(*date - now, 0, retry_after_limit_ms);
}

retry_hint heed_retry_after(std::string_view value, std::optional<std::uint16_t> status,
                            const retry_policy& policy, timestamp_ms now) {
  retry_hint hint;
  hint.heard = value.substr(0, retry_hint::max_heard_bytes);
  const auto wait_ms = parse_retry_after(value, now);
  if (!wait_ms || *wait_ms > policy.max_age_ms)
    return hint;
  hint.not_before = now + std::min(*wait_ms, policy.cap_ms);
  if (*wait_ms > 0 && (status == 429 || status == 503))
    hint.held_until = now + std::min(*wait_ms, longest_hold_ms);
  return hint;
}

} // namespace vicket
