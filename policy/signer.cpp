#include "policy/signer.hpp"

#include "policy/base64.hpp"
#include "policy/secret.hpp"

// For SHA256_Update and its like, see below.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <variant>

namespace vicket {

namespace {

constexpr std::size_t digest_bytes = 32;
constexpr std::size_t block_bytes = 64;
constexpr int base64_bytes = 44; // of a digest

using digest = std::array<unsigned char, digest_bytes>;

void check(bool good) {
  if (!good)
    throw std::runtime_error{"OpenSSL failed to compute an HMAC-SHA256"};
}

/// SHA-256 by OpenSSL's functions for this hash alone, which it calls deprecated: its general ones allocate a state for
/// each copy, and keep it in two places of memory (docs/decisions/0004-speed.md, 19, has what these are worth).
class running_hash {
public:
  /// What one whole block leaves behind.
  using state = std::array<SHA_LONG, 8>;

  running_hash() { check(SHA256_Init(&hash_) == 1); }
  /// Goes on behind that block.
  explicit running_hash(const state& after_block) : running_hash() {
    std::copy(after_block.begin(), after_block.end(), std::begin(hash_.h));
    hash_.Nl = block_bytes * 8; // in bits; the rest is as at the beginning
  }
  running_hash(const running_hash&) = delete;
  running_hash& operator=(const running_hash&) = delete;
  ~running_hash() { OPENSSL_cleanse(&hash_, sizeof hash_); }

  void add(const void* bytes, std::size_t size) { check(SHA256_Update(&hash_, bytes, size) == 1); }
  void end(digest& result) { check(SHA256_Final(result.data(), &hash_) == 1); }

  /// After one whole block.
  void read(state& to) const { std::copy(std::begin(hash_.h), std::end(hash_.h), to.begin()); }

private:
  SHA256_CTX hash_{};
};

/// HMAC-SHA256 (RFC 2104) with a fixed key: the states after the key's inner and outer block, never changed once made.
class keyed_hmac {
public:
  explicit keyed_hmac(std::string_view key) {
    std::array<unsigned char, block_bytes> block{};
    if (key.size() > block_bytes) {
      digest hashed{};
      running_hash of_key;
      of_key.add(key.data(), key.size());
      of_key.end(hashed);
      std::copy(hashed.begin(), hashed.end(), block.begin());
      OPENSSL_cleanse(hashed.data(), hashed.size());
    } else {
      std::transform(key.begin(), key.end(), block.begin(),
                     [](char c) { return static_cast<unsigned char>(c); });
    }
    read_after(block, 0x36, inner_);
    read_after(block, 0x5c, outer_);
    OPENSSL_cleanse(block.data(), block.size());
  }
  keyed_hmac(const keyed_hmac&) = default;
  keyed_hmac& operator=(const keyed_hmac&) = delete;
  ~keyed_hmac() {
    OPENSSL_cleanse(inner_.data(), sizeof inner_);
    OPENSSL_cleanse(outer_.data(), sizeof outer_);
  }

  template <class... Parts>
  [[nodiscard]] digest of(Parts... parts) const {
    digest result{};
    running_hash inner{inner_};
    (inner.add(parts.data(), parts.size()), ...);
    inner.end(result);
    running_hash outer{outer_};
    outer.add(result.data(), result.size());
    outer.end(result);
    return result;
  }

private:
  static void read_after(std::array<unsigned char, block_bytes> block, unsigned char pad,
                         running_hash::state& state) {
    for (auto& byte : block)
      byte ^= pad;
    running_hash hash;
    hash.add(block.data(), block.size());
    OPENSSL_cleanse(block.data(), block.size());
    hash.read(state);
  }

  running_hash::state inner_{};
  running_hash::state outer_{};
};

/// The key that a Standard Webhooks secret carries in base64.
std::optional<std::string> decoded_key(std::string_view secret) {
  if (!secret.starts_with(secret_prefix) || secret.size() == secret_prefix.size())
    return std::nullopt;
  auto decoded = base64_decode_any(secret.substr(secret_prefix.size()));
  if (auto* key = std::get_if<std::string>(&decoded))
    return std::move(*key);
  return std::nullopt;
}

/// A number's digits, in place.
class seconds_text {
public:
  explicit seconds_text(std::int64_t value)
      : end_{std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr} {}
  seconds_text(const seconds_text&) = delete;
  seconds_text& operator=(const seconds_text&) = delete;

  [[nodiscard]] std::string_view characters() const { return {digits_.data(), end_}; }

private:
  std::array<char, 20> digits_{};
  const char* end_;
};

std::optional<std::int64_t> parse_unix_seconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool in_tolerance(std::int64_t seconds, std::int64_t now_seconds) {
  // Not |now - t|: the difference of two hostile numbers may overflow.
  return seconds >= now_seconds - signature_tolerance_s && seconds <= now_seconds + signature_tolerance_s;
}

bool same_bytes(std::string_view expected, std::string_view given) {
  return expected.size() == given.size() && CRYPTO_memcmp(expected.data(), given.data(), given.size()) == 0;
}

} // namespace

struct signing_key::keys {
  keyed_hmac characters;
  std::optional<keyed_hmac> decoded;

  [[nodiscard]] const keyed_hmac& standard() const { return decoded ? *decoded : characters; }
};

signing_key::signing_key(std::string_view secret) {
  auto made = std::make_shared<keys>(keys{keyed_hmac{secret}, std::nullopt});
  if (auto key = decoded_key(secret)) {
    made->decoded.emplace(*key);
    OPENSSL_cleanse(key->data(), key->size());
  }
  keys_ = std::move(made);
}

bool signing_key::has_decoded_key() const noexcept {
  return keys_->decoded.has_value();
}

void append_vicket_signature(std::string& text, const signing_key& key, std::int64_t unix_seconds,
                             std::string_view body) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  text += "hmac-sha256, t=";
  text += seconds_text{unix_seconds}.characters();
  text += ", v1=";
  const auto mac = key.keys_->characters.of(body);
  std::array<char, 2 * digest_bytes> hex{};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    hex[2 * i] = hex_digits[mac[i] >> 4];
    hex[2 * i + 1] = hex_digits[mac[i] & 15];
  }
  text.append(hex.data(), hex.size());
}

std::string vicket_signature(const signing_key& key, std::int64_t unix_seconds, std::string_view body) {
  std::string text;
  text.reserve(104);
  append_vicket_signature(text, key, unix_seconds, body);
  return text;
}

void append_standard_webhooks_signature(std::string& text, const signing_key& key, std::string_view id,
                                        std::int64_t unix_seconds, std::string_view body) {
  const seconds_text seconds{unix_seconds};
  const auto mac =
      key.keys_->standard().of(id, std::string_view{"."}, seconds.characters(), std::string_view{"."}, body);
  std::array<unsigned char, base64_bytes + 1> base64{}; // EVP_EncodeBlock ends with a zero
  check(EVP_EncodeBlock(base64.data(), mac.data(), digest_bytes) == base64_bytes);
  text += "v1,";
  text.append(reinterpret_cast<const char*>(base64.data()), base64_bytes);
}

std::string standard_webhooks_signature(const signing_key& key, std::string_view id,
                                        std::int64_t unix_seconds, std::string_view body) {
  std::string text;
  text.reserve(3 + base64_bytes);
  append_standard_webhooks_signature(text, key, id, unix_seconds, body);
  return text;
}

bool verify_vicket_signature(const signing_key& key, std::string_view header, std::string_view body,
                             std::int64_t now_seconds) {
  constexpr std::string_view start = "hmac-sha256, t=";
  constexpr std::string_view separator = ", v1=";
  const auto end_of_time = header.find(separator);
  if (!header.starts_with(start) || end_of_time == std::string_view::npos || end_of_time < start.size())
    return false;
  const auto seconds = parse_unix_seconds(header.substr(start.size(), end_of_time - start.size()));
  return seconds && in_tolerance(*seconds, now_seconds) &&
         same_bytes(vicket_signature(key, *seconds, body), header);
}

bool verify_standard_webhooks_signature(const signing_key& key, std::string_view id,
                                        std::string_view timestamp, std::string_view signatures,
                                        std::string_view body, std::int64_t now_seconds) {
  const auto seconds = parse_unix_seconds(timestamp);
  if (!seconds || !in_tolerance(*seconds, now_seconds))
    return false;
  const auto expected = standard_webhooks_signature(key, id, *seconds, body);
  bool found = false;
  while (!signatures.empty()) {
    const auto end = std::min(signatures.find(' '), signatures.size());
    found |= same_bytes(expected, signatures.substr(0, end));
    signatures.remove_prefix(std::min(end + 1, signatures.size()));
  }
  return found;
}

} // namespace vicket
