#include "policy/connector_state.hpp"

#include "policy/fnv1a.hpp"

namespace vicket {

namespace {

constexpr char version = 1;
constexpr int has_rate = 0x01;
constexpr int has_hold = 0x02;
constexpr int all_flags = 0x03;
constexpr std::size_t head_bytes = 2;
constexpr std::size_t number_bytes = 8;

void put(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(number >> shift));
}

std::uint64_t take(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (const auto c : bytes.substr(0, number_bytes))
    number = (number << 8) | static_cast<std::uint8_t>(c);
  bytes.remove_prefix(number_bytes);
  return number;
}

} // namespace

std::optional<timestamp_ms> hold_of(const connector_state& value, std::string_view url) {
  return value.held && value.held->endpoint == fnv1a(url) ? std::optional{value.held->until} : std::nullopt;
}

connector_state::hold make_hold(timestamp_ms until, std::string_view url) {
  return {until, fnv1a(url)};
}

std::string encode(const connector_state& value) {
  const int flags = (value.rate_taken_until_us ? has_rate : 0) | (value.held ? has_hold : 0);
  std::string bytes{version, static_cast<char>(flags)};
  if (value.rate_taken_until_us)
    put(bytes, static_cast<std::uint64_t>(*value.rate_taken_until_us));
  if (value.held) {
    put(bytes, static_cast<std::uint64_t>(value.held->until.value));
    put(bytes, value.held->endpoint);
  }
  return bytes;
}

std::optional<connector_state> decode_connector_state(std::string_view bytes) {
  if (bytes.size() < head_bytes || bytes[0] != version || (bytes[1] & ~all_flags) != 0)
    return std::nullopt;
  const bool rated = (bytes[1] & has_rate) != 0;
  const bool held = (bytes[1] & has_hold) != 0;
  bytes.remove_prefix(head_bytes);
  if (bytes.size() != (rated ? number_bytes : 0) + (held ? 2 * number_bytes : 0))
    return std::nullopt;
  connector_state value;
  if (rated)
    value.rate_taken_until_us = static_cast<std::int64_t>(take(bytes));
  if (held) {
    value.held = connector_state::hold{};
    auto& hold = *value.held;
    hold.until.value = static_cast<std::int64_t>(take(bytes));
    hold.endpoint = take(bytes);
  }
  return value;
}

} // namespace vicket
