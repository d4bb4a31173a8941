#include "tests/crash/signature_check.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <charconv>
#include <vector>

namespace vicket::crash {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), result.data(),
       &size);
  return {reinterpret_cast<const char*>(result.data()), size};
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

std::string base64_of(std::string_view bytes) {
  std::vector<unsigned char> text(4 * ((bytes.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(text.data(), bytes_of(bytes), static_cast<int>(bytes.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

/// Of well-formed base64 only.
std::string base64_decoded(std::string_view text) {
  std::vector<unsigned char> bytes(text.size() + 1);
  const int size = EVP_DecodeBlock(bytes.data(), bytes_of(text), static_cast<int>(text.size()));
  if (size < 0)
    return {};
  auto length = static_cast<std::size_t>(size);
  for (auto at = text.rbegin(); at != text.rend() && *at == '=' && length > 0; ++at)
    --length; // EVP_DecodeBlock counts what the padding stands for
  return {reinterpret_cast<const char*>(bytes.data()), length};
}

} // namespace

std::optional<vicket_signature_parts> check_vicket_signature(std::string_view header, std::string_view secret,
                                                             std::string_view body) {
  constexpr std::string_view begin = "hmac-sha256, t=";
  constexpr std::string_view middle = ", v1=";
  if (!header.starts_with(begin))
    return std::nullopt;
  header.remove_prefix(begin.size());
  const auto comma = header.find(middle);
  if (comma == std::string_view::npos)
    return std::nullopt;
  vicket_signature_parts parts;
  const auto [end, error] = std::from_chars(header.data(), header.data() + comma, parts.signed_at_s);
  if (error != std::errc{} || end != header.data() + comma)
    return std::nullopt;
  parts.good = header.substr(comma + middle.size()) == hex_of(hmac_sha256(secret, body));
  return parts;
}

bool check_standard_signature(std::string_view signature, std::string_view id, std::string_view timestamp,
                              std::string_view secret, std::string_view body) {
  constexpr std::string_view prefix = "whsec_";
  const auto key =
      secret.starts_with(prefix) ? base64_decoded(secret.substr(prefix.size())) : std::string{secret};
  auto text = std::string{id}.append(".").append(timestamp).append(".").append(body);
  return signature == "v1," + base64_of(hmac_sha256(key, text));
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes_of(text), text.size(), digest.data());
  return hex_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

} // namespace vicket::crash
