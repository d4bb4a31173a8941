#include "policy/secret_box.hpp"

#include "policy/aes_gcm.hpp"
#include "policy/assertion.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace vicket {

namespace {

constexpr char version = 1;
constexpr std::string_view fingerprint_text = "vicket secret key";
constexpr std::size_t fingerprint_digits = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool succeeded, const char* what) {
  if (!succeeded)
    throw std::runtime_error{std::string{"OpenSSL: "} + what + " failed"};
}

void hmac(const secret_bytes& key, std::string_view text, unsigned char* to) {
  auto size = 0u;
  require(HMAC(EVP_sha256(), key.view().data(), static_cast<int>(key.size()), bytes_of(text), text.size(), to,
               &size) != nullptr,
          "HMAC");
}

std::string fingerprint_of(const secret_bytes& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  hmac(key, fingerprint_text, digest.data());
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  std::string text;
  for (std::size_t i = 0; i < fingerprint_digits / 2; ++i) {
    text += digits[digest[i] >> 4];
    text += digits[digest[i] & 15];
  }
  return text;
}

} // namespace

secret_box::secret_box(secret_bytes key, random_source* nonces) : key_{std::move(key)}, nonces_{nonces} {
  VICKET_ASSERT(key_.size() == key_bytes);
  fingerprint_ = fingerprint_of(key_);
}

bool secret_box::is_sealed(std::string_view text) noexcept {
  return text.size() >= overhead_bytes && text[0] == version;
}

void secret_box::make_nonce(unsigned char* to) const {
  if (nonces_ == nullptr) {
    require(RAND_bytes(to, nonce_bytes) == 1, "RAND_bytes");
    return;
  }
  const std::array<std::uint64_t, 2> drawn{nonces_->next(), nonces_->next()};
  static_assert(sizeof(drawn) >= nonce_bytes);
  std::memcpy(to, drawn.data(), nonce_bytes);
}

std::string secret_box::seal(std::string_view text, std::string_view place) const {
  std::string sealed(overhead_bytes + text.size(), '\0');
  sealed[0] = version;
  auto* const nonce = sealed.data() + 1;
  make_nonce(reinterpret_cast<unsigned char*>(nonce));
  aes_gcm::seal(key_.view(), {nonce, nonce_bytes}, place, text, nonce + nonce_bytes);
  return sealed;
}

std::optional<secret_bytes> secret_box::open(std::string_view sealed, std::string_view place) const {
  constexpr std::size_t most = std::numeric_limits<int>::max() / 2;
  if (!is_sealed(sealed) || sealed.size() > most || place.size() > most)
    return std::nullopt;
  auto text = secret_bytes::of_size(sealed.size() - overhead_bytes);
  if (!aes_gcm::open(key_.view(), sealed.substr(1, nonce_bytes), place, sealed.substr(1 + nonce_bytes),
                     text.data()))
    return std::nullopt;
  return text;
}

secret_bytes secret_box::derive(std::string_view purpose) const {
  auto derived = secret_bytes::of_size(key_bytes);
  hmac(key_, purpose, reinterpret_cast<unsigned char*>(derived.data()));
  return derived;
}

} // namespace vicket
