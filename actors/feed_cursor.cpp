#include "actors/feed_cursor.hpp"

#include <array>
#include <charconv>

namespace vicket {

namespace {

constexpr std::string_view prefix = "v1";

} // namespace

std::optional<feed_cursor> feed_cursor::parse(std::string_view text, std::size_t partitions) {
  feed_cursor cursor;
  if (text.empty()) {
    cursor.after.assign(partitions, 0);
    return cursor;
  }
  if (!text.starts_with(prefix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  while (!text.empty()) {
    if (text.front() != '-' || cursor.after.size() == partitions)
      return std::nullopt;
    text.remove_prefix(1);
    log_sequence position = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position, 16);
    if (error != std::errc{})
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    cursor.after.push_back(position);
  }
  if (cursor.after.size() != partitions)
    return std::nullopt;
  return cursor;
}

std::string feed_cursor::to_string() const {
  std::string text{prefix};
  for (const auto position : after) {
    std::array<char, 16> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), position, 16);
    text.push_back('-');
    text.append(digits.data(), end);
  }
  return text;
}

} // namespace vicket
