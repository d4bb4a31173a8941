#include "cluster/log_position.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace vicket {

namespace {

constexpr char version = 2;
constexpr char version_without_copies = 1;
constexpr std::size_t fixed_bytes = 1 + 3 * 8 + 4 + 1 + 1 + 32 + 8;

void put(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (auto i = bytes; i > 0; --i)
    to += static_cast<char>(value >> (8 * (i - 1)) & 0xff);
}

std::uint64_t take(std::string_view& from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = value << 8 | static_cast<unsigned char>(from[i]);
  from.remove_prefix(bytes);
  return value;
}

} // namespace

std::string encode(const log_position& position) {
  const auto& last = position.history.last();
  std::string bytes(1, version);
  put(bytes, last.number, 8);
  put(bytes, last.epoch, 8);
  put(bytes, last.durable_to, 8);
  put(bytes, last.partition, 4);
  put(bytes, static_cast<std::uint64_t>(last.kind), 1);
  put(bytes, position.history.owned() ? 1 : 0, 1);
  const auto& digest = position.history.digest();
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  put(bytes, position.owner ? position.owner->incarnation : 0, 8);
  const auto name = position.owner ? position.owner->node : std::string{};
  VICKET_ASSERT(name.size() <= 0xff);
  put(bytes, name.size(), 1);
  return bytes + name + encode_copies(position.copies);
}

std::optional<log_position> decode_log_position(std::string_view bytes) {
  if (bytes.size() < fixed_bytes || (bytes.front() != version && bytes.front() != version_without_copies))
    return std::nullopt;
  const auto has_copies = bytes.front() == version;
  bytes.remove_prefix(1);
  record_head last;
  last.number = take(bytes, 8);
  last.epoch = take(bytes, 8);
  last.durable_to = take(bytes, 8);
  last.partition = static_cast<std::uint32_t>(take(bytes, 4));
  const auto kind = take(bytes, 1);
  const auto owned = take(bytes, 1);
  record_digest digest{};
  std::copy_n(bytes.begin(), digest.size(), reinterpret_cast<char*>(digest.data()));
  bytes.remove_prefix(digest.size());
  const auto incarnation = take(bytes, 8);
  if (last.number == 0 || kind < static_cast<std::uint64_t>(record_kind::genesis) ||
      kind > static_cast<std::uint64_t>(record_kind::yield) || owned > 1)
    return std::nullopt;
  last.kind = static_cast<record_kind>(kind);
  log_position position{log_history{last, digest, owned == 1}, std::nullopt, {}};
  auto name = bytes;
  if (has_copies) {
    if (bytes.empty() || bytes.size() - 1 < static_cast<unsigned char>(bytes.front()))
      return std::nullopt;
    name = bytes.substr(1, static_cast<unsigned char>(bytes.front()));
    if (const auto rest = bytes.substr(1 + name.size()); !rest.empty()) {
      auto copies = decode_copies(rest);
      if (!copies)
        return std::nullopt;
      position.copies = *std::move(copies);
    }
  }
  if (!name.empty())
    position.owner = claim_owner{std::string{name}, incarnation};
  return position;
}

} // namespace vicket
