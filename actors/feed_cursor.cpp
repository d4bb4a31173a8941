#include "actors/feed_cursor.hpp"

#include "actors/cursor_text.hpp"

#include <algorithm>

namespace vicket {

namespace {

constexpr std::string_view feed_prefix = "v3";
constexpr std::string_view untagged_prefix = "v2"; ///< of versions whose promises had no tags
constexpr std::string_view not_begun = "_";

} // namespace

// -- as text ----------------------------------------------------------------------------------------------------------

std::optional<feed_cursor> feed_cursor::parse(std::string_view text, std::size_t partitions) {
  hex_reader in{text};
  const bool is_tagged = in.skip(feed_prefix);
  if (!is_tagged && !in.skip(untagged_prefix))
    return std::nullopt;
  std::vector<std::optional<feed_position>> known;
  while (known.size() < partitions && in.skip("-")) {
    if (is_tagged && in.skip(not_begun)) {
      known.emplace_back();
      continue;
    }
    auto& at = known.emplace_back(std::in_place).value();
    if (!in.read(at.after) || !in.skip(".") || !in.read(at.tag) || !in.skip(".") ||
        !in.read(at.promised_from) || (is_tagged && (!in.skip(".") || !in.read(at.promise_tag))))
      return std::nullopt;
  }
  if (known.empty() || partitions % known.size() != 0 || !in.at_end())
    return std::nullopt;
  feed_cursor cursor;
  for (std::size_t i = 0; i < partitions; ++i)
    cursor.positions.push_back(known[i % known.size()]);
  return cursor;
}

std::string feed_cursor::to_string() const {
  std::string text{feed_prefix};
  for (const auto& at : positions) {
    if (!at) {
      text += '-';
      text += not_begun;
      continue;
    }
    append_hex(text, '-', at->after);
    append_hex(text, '.', at->tag);
    append_hex(text, '.', at->promised_from);
    append_hex(text, '.', at->promise_tag);
  }
  return text;
}

// -- going on ---------------------------------------------------------------------------------------------------------

feed_start start_reading(const kept_log& log, const std::optional<feed_position>& asked) {
  const auto forgotten = log.oldest - 1; // the last position that is
  const auto go_on_at = [&](log_sequence after) {
    return feed_position{after, log.lineage->tag_of(after), log.end + 1, log.lineage->tag_of(log.end)};
  };
  if (!asked)
    return {go_on_at(forgotten), false};
  const auto common = log.lineage->common_up_to(asked->after, asked->tag, log.end);
  if (!common)
    return {go_on_at(forgotten), true};
  if (*common < asked->after || asked->after < log.lost)
    return {go_on_at(std::max(*common, forgotten)), true};
  // What a copy forgot since it is another log than that of the promise is news to its reader.
  const auto promised = log.lineage->common_up_to(std::max<log_sequence>(asked->promised_from, 1) - 1,
                                                  asked->promise_tag, log.end);
  const feed_position at{asked->after, asked->tag, promised.value_or(0) + 1, asked->promise_tag};
  if (log.drops != nullptr && asked->after + 1 < log.drops->reach_since(at.promised_from))
    return {go_on_at(std::max(asked->after, forgotten)), true};
  return {at, false};
}

} // namespace vicket
