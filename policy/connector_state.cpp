#include "policy/connector_state.hpp"

namespace vicket {

namespace {

constexpr char version = 1;
constexpr char has_rate = 0x01;
constexpr std::size_t head_bytes = 2;
constexpr std::size_t rate_bytes = 8;

} // namespace

std::string encode(const connector_state& value) {
  std::string bytes{version, value.rate_taken_until_us ? has_rate : '\0'};
  if (value.rate_taken_until_us)
    for (int shift = 56; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(*value.rate_taken_until_us) >> shift));
  return bytes;
}

std::optional<connector_state> decode_connector_state(std::string_view bytes) {
  if (bytes.size() < head_bytes || bytes[0] != version || (bytes[1] & ~has_rate) != 0)
    return std::nullopt;
  const bool rated = (bytes[1] & has_rate) != 0;
  if (bytes.size() != head_bytes + (rated ? rate_bytes : 0))
    return std::nullopt;
  connector_state value;
  if (rated) {
    std::uint64_t number = 0;
    for (const auto c : bytes.substr(head_bytes))
      number = (number << 8) | static_cast<std::uint8_t>(c);
    value.rate_taken_until_us = static_cast<std::int64_t>(number);
  }
  return value;
}

} // namespace vicket
