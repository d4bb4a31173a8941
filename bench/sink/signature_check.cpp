#include "bench/sink/signature_check.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace vicket::bench {

namespace {

constexpr std::int64_t tolerance_s = 300;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

using digest = std::array<unsigned char, 32>;

digest hmac_sha256(std::string_view key, std::string_view text) {
  digest result{};
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), result.data(),
       nullptr);
  return result;
}

std::string hex_of(const digest& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string base64_of(const digest& bytes) {
  std::array<unsigned char, 4 * ((sizeof(digest) + 2) / 3) + 1> text{};
  const int size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

/// Absent: it is no base64, or none of anything.
std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0)
    return std::nullopt;
  std::vector<unsigned char> bytes(text.size());
  const int size = EVP_DecodeBlock(bytes.data(), bytes_of(text), static_cast<int>(text.size()));
  if (size < 0)
    return std::nullopt;
  // EVP_DecodeBlock counts what the padding stands for.
  const auto padding = text.size() - 1 - text.find_last_not_of('=');
  return std::string{reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size) - padding};
}

std::string standard_key_of(const std::string& secret) {
  constexpr std::string_view prefix = "whsec_";
  if (secret.starts_with(prefix))
    if (auto key = base64_decoded(std::string_view{secret}.substr(prefix.size())))
      return *key;
  return secret;
}

bool is_recent(std::string_view unix_seconds, std::int64_t now_s) {
  std::int64_t time_s = 0;
  const auto [end, error] =
      std::from_chars(unix_seconds.data(), unix_seconds.data() + unix_seconds.size(), time_s);
  return error == std::errc{} && end == unix_seconds.data() + unix_seconds.size() &&
         time_s >= now_s - tolerance_s && time_s <= now_s + tolerance_s;
}

} // namespace

signature_check::signature_check(std::string secret)
    : secret_{std::move(secret)}, standard_key_{standard_key_of(secret_)} {}

bool signature_check::genuine(const request& value, std::string_view body, std::int64_t now_s) const {
  const auto beginning = std::string{R"({"id":")"}.append(value.webhook_id) + '"';
  return !value.webhook_id.empty() && body.starts_with(beginning) &&
         vicket_signature_fits(value.vicket_signature, body, now_s) &&
         standard_signature_fits(value, body, now_s);
}

bool signature_check::vicket_signature_fits(std::string_view header, std::string_view body,
                                            std::int64_t now_s) const {
  constexpr std::string_view begin = "hmac-sha256, t=";
  constexpr std::string_view middle = ", v1=";
  if (!header.starts_with(begin))
    return false;
  header.remove_prefix(begin.size());
  const auto comma = header.find(middle);
  return comma != std::string_view::npos && is_recent(header.substr(0, comma), now_s) &&
         header.substr(comma + middle.size()) == hex_of(hmac_sha256(secret_, body));
}

bool signature_check::standard_signature_fits(const request& value, std::string_view body,
                                              std::int64_t now_s) const {
  if (!is_recent(value.webhook_timestamp, now_s))
    return false;
  std::string text;
  text.reserve(value.webhook_id.size() + value.webhook_timestamp.size() + body.size() + 2);
  text.append(value.webhook_id).append(1, '.').append(value.webhook_timestamp).append(1, '.').append(body);
  return value.webhook_signature == "v1," + base64_of(hmac_sha256(standard_key_, text));
}

} // namespace vicket::bench
