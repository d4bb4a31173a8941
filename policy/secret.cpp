#include "policy/secret.hpp"

#include "policy/base64.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace vicket {

namespace {

constexpr std::size_t generated_bytes = 32; // as long as HMAC-SHA256's output, RFC 2104 section 3

/// The prefix in other letters, or in quotes.
bool looks_prefixed(std::string_view secret) {
  const auto bare = secret.substr(std::min(secret.find_first_not_of("\"'`"), secret.size()));
  return !secret.starts_with(secret_prefix) && bare.size() > secret_prefix.size() &&
         std::equal(secret_prefix.begin(), secret_prefix.end(), bare.begin(), [](char wanted, char c) {
           return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
         });
}

} // namespace

secret_text generate_secret(random_source& random) {
  std::string bytes;
  bytes.reserve(generated_bytes); // so that it leaves no shorter one behind
  while (bytes.size() < generated_bytes) {
    auto number = random.next();
    for (int i = 0; i < 8; ++i, number >>= 8)
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(number & 0xff)));
  }
  auto text = base64_encode(bytes);
  secret_text made{std::string{secret_prefix} + text};
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(text.data(), text.size());
  return made;
}

std::optional<std::string> secret_complaint(std::string_view secret) {
  if (secret.empty() || secret.size() > max_secret_bytes)
    return "the secret has " + std::to_string(secret.size()) + " bytes; 1 to " +
           std::to_string(max_secret_bytes) + " are allowed";
  const auto wrong = std::find_if(secret.begin(), secret.end(), [](char c) { return c < 0x21 || c > 0x7e; });
  if (wrong != secret.end())
    return "the secret has something else than a visible ASCII character at byte " +
           std::to_string(wrong - secret.begin());
  if (!secret.starts_with(secret_prefix))
    return std::nullopt;
  const auto rest = secret.substr(secret_prefix.size());
  if (rest.empty())
    return "the secret is \"whsec_\" alone; the key in base64 has to follow";
  auto decoded = base64_decode_any(rest);
  if (auto* key = std::get_if<std::string>(&decoded))
    OPENSSL_cleanse(key->data(), key->size());
  if (const auto* fault = std::get_if<base64_fault>(&decoded))
    return "the secret begins with whsec_, so base64 has to follow, but what follows " +
           std::string{fault->what} + " (at byte " + std::to_string(secret_prefix.size() + fault->at) + ")";
  return std::nullopt;
}

std::optional<std::string> secret_remark(std::string_view secret) {
  if (looks_prefixed(secret))
    return "the secret is not taken as a whsec_ one, since that has to stand at its very beginning, in lower "
           "case and without "
           "quotes: requests are signed with its characters as they are";
  if (!secret.starts_with(secret_prefix) || base64_decode(secret.substr(secret_prefix.size())))
    return std::nullopt;
  return "the secret's base64 is in the URL form, or without padding: some libraries of Standard Webhooks "
         "(Python's, for one) "
         "refuse it. Give receivers the same key with + and / for - and _, filled up with = to a multiple of "
         "four "
         "characters";
}

} // namespace vicket
