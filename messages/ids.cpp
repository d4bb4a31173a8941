#include "messages/ids.hpp"

#include <algorithm>
#include <cstring>

namespace vicket {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

constexpr bool hyphen_follows(std::size_t byte) noexcept {
  return byte == 3 || byte == 5 || byte == 7 || byte == 9;
}

bool id_character(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= connector_id::max_bytes &&
         std::all_of(text.begin(), text.end(), id_character);
}

} // namespace

bool connector_id::valid() const noexcept {
  return is_name(value);
}

bool rule_id::valid() const noexcept {
  return is_name(value);
}

std::optional<event_id> event_id::parse(std::string_view text) noexcept {
  if (text.size() != 36)
    return std::nullopt;
  event_id result;
  std::size_t at = 0;
  for (std::size_t i = 0; i < result.bytes.size(); ++i) {
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    result.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
    if (hyphen_follows(i) && text[at++] != '-')
      return std::nullopt;
  }
  return result;
}

std::string event_id::to_string() const {
  const auto text = to_chars();
  return {text.data(), text.size()};
}

std::array<char, 36> event_id::to_chars() const noexcept {
  std::array<char, 36> text{};
  text.fill('-');
  auto* next = text.data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    *next++ = hex_digits[bytes[i] >> 4];
    *next++ = hex_digits[bytes[i] & 15];
    next += hyphen_follows(i) ? 1 : 0;
  }
  return text;
}

} // namespace vicket

std::size_t std::hash<vicket::event_id>::operator()(const vicket::event_id& id) const noexcept {
  // Any half would do for random UUIDs; both, since a sender may count up in one of them.
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, id.bytes.data(), 8);
  std::memcpy(&low, id.bytes.data() + 8, 8);
  return static_cast<std::size_t>((high * 0x9e3779b97f4a7c15ULL) ^ low);
}
