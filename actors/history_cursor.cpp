#include "actors/history_cursor.hpp"

#include "actors/cursor_text.hpp"

namespace vicket {

namespace {

constexpr std::string_view run_prefix = "run1";
constexpr std::string_view event_prefix = "event1";

bool read_left(hex_reader& in, attempts_left& left) {
  return in.skip(".") && in.read(left.first) && in.skip(".") && in.read(left.last) && left.first >= 1 &&
         left.first <= left.last;
}

void append_left(std::string& text, attempts_left left) {
  append_hex(text, '.', left.first);
  append_hex(text, '.', left.last);
}

} // namespace

std::optional<run_cursor> run_cursor::parse(std::string_view text, std::size_t partitions) {
  run_cursor cursor;
  cursor.after.assign(partitions, 0);
  if (text.empty())
    return cursor;
  hex_reader in{text};
  if (!in.skip(run_prefix))
    return std::nullopt;
  std::vector<log_sequence> known;
  while (known.size() < partitions && in.skip("-"))
    if (!in.read(known.emplace_back()))
      return std::nullopt;
  if (known.empty() || partitions % known.size() != 0)
    return std::nullopt;
  for (std::size_t i = 0; i < partitions; ++i)
    cursor.after[i] = known[i % known.size()];
  // Which of several partitions has the event by now can't be told from its position.
  if (known.size() == partitions && in.skip("+")) {
    cursor.within = run_cursor::within_event{};
    auto& within = *cursor.within;
    if (!in.read(within.partition) || within.partition >= partitions || !read_left(in, within.left))
      return std::nullopt;
  }
  return in.at_end() ? std::optional{std::move(cursor)} : std::nullopt;
}

std::string run_cursor::to_string() const {
  std::string text{run_prefix};
  for (const auto position : after)
    append_hex(text, '-', position);
  if (within) {
    append_hex(text, '+', within->partition);
    append_left(text, within->left);
  }
  return text;
}

std::optional<event_cursor> event_cursor::parse(std::string_view text) {
  event_cursor cursor;
  if (text.empty())
    return cursor;
  hex_reader in{text};
  if (!in.skip(event_prefix))
    return std::nullopt;
  if (in.skip("+")) {
    cursor.within = event_cursor::within_event{};
    auto& within = *cursor.within;
    if (!in.read(within.sequence) || !read_left(in, within.left))
      return std::nullopt;
  }
  if (!in.skip("-"))
    return std::nullopt;
  cursor.connector.value = in.rest();
  return cursor.connector.valid() ? std::optional{std::move(cursor)} : std::nullopt;
}

std::string event_cursor::to_string() const {
  std::string text{event_prefix};
  if (within) {
    append_hex(text, '+', within->sequence);
    append_left(text, within->left);
  }
  return text + '-' + connector.value;
}

} // namespace vicket
