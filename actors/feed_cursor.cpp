#include "actors/feed_cursor.hpp"

#include "actors/cursor_text.hpp"

#include <algorithm>

namespace vicket {

namespace {

constexpr std::string_view feed_prefix = "v2";

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
