#include "actors/feed_cursor.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>

namespace vicket {

namespace {

constexpr std::string_view feed_prefix = "v2";
constexpr std::string_view run_prefix = "run1";

/// Takes numbers in hexadecimal off the front of a text.
class hex_reader {
public:
  explicit hex_reader(std::string_view text) : rest_{text} {}

  /// What has to stand here.
  bool skip(std::string_view expected) {
    if (!rest_.starts_with(expected))
      return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  template <std::unsigned_integral Number>
  bool read(Number& number) {
    const auto* const begin = rest_.data();
    const auto [end, error] = std::from_chars(begin, begin + rest_.size(), number, 16);
    rest_.remove_prefix(static_cast<std::size_t>(end - begin));
    return error == std::errc{};
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

void append_hex(std::string& text, char before, std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  text.push_back(before);
  text.append(digits.data(), end);
}

} // namespace

// -- as text ----------------------------------------------------------------------------------------------------------

std::optional<feed_cursor> feed_cursor::parse(std::string_view text, std::size_t partitions) {
  hex_reader in{text};
  if (!in.skip(feed_prefix))
    return std::nullopt;
  feed_cursor cursor;
  for (std::size_t i = 0; i < partitions; ++i) {
    auto& at = cursor.positions.emplace_back();
    if (!in.skip("-") || !in.read(at.after) || !in.skip(".") || !in.read(at.tag) || !in.skip(".") ||
        !in.read(at.promised_from))
      return std::nullopt;
  }
  return in.at_end() ? std::optional{std::move(cursor)} : std::nullopt;
}

std::string feed_cursor::to_string() const {
  std::string text{feed_prefix};
  for (const auto& at : positions) {
    append_hex(text, '-', at.after);
    append_hex(text, '.', at.tag);
    append_hex(text, '.', at.promised_from);
  }
  return text;
}

std::optional<run_cursor> run_cursor::parse(std::string_view text, std::size_t partitions) {
  run_cursor cursor;
  cursor.after.assign(partitions, 0);
  if (text.empty())
    return cursor;
  hex_reader in{text};
  if (!in.skip(run_prefix))
    return std::nullopt;
  for (auto& position : cursor.after)
    if (!in.skip("-") || !in.read(position))
      return std::nullopt;
  return in.at_end() ? std::optional{std::move(cursor)} : std::nullopt;
}

std::string run_cursor::to_string() const {
  std::string text{run_prefix};
  for (const auto position : after)
    append_hex(text, '-', position);
  return text;
}

// -- going on ---------------------------------------------------------------------------------------------------------

feed_start start_reading(const kept_log& log, const std::optional<feed_position>& asked) {
  const auto forgotten = log.oldest - 1; // the last position that is
  const auto go_on_at = [&](log_sequence after) {
    return feed_position{after, log.lineage->tag_of(after), log.end + 1};
  };
  if (!asked)
    return {go_on_at(forgotten), false};
  const auto common = log.lineage->common_up_to(asked->after, asked->tag, log.end);
  if (!common)
    return {go_on_at(forgotten), true};
  if (*common < asked->after || asked->after < log.lost)
    return {go_on_at(std::max(*common, forgotten)), true};
  // Of another copy, its promise may begin later than this log's: what this one forgets from here on is news.
  return {{asked->after, asked->tag, std::min(asked->promised_from, log.end + 1)}, false};
}

} // namespace vicket
