#include "policy/secret_box.hpp"

#include "policy/assertion.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

namespace vicket {

namespace {

constexpr char version = 1;
constexpr std::string_view fingerprint_text = "vicket secret key";
constexpr std::size_t fingerprint_digits = 16;

struct cipher_deleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using cipher_ptr = std::unique_ptr<EVP_CIPHER_CTX, cipher_deleter>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

void require(bool succeeded, const char* what) {
  if (!succeeded)
    throw std::runtime_error{std::string{"OpenSSL: "} + what + " failed"};
}

std::string fingerprint_of(const secret_bytes& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  auto size = 0u;
  require(HMAC(EVP_sha256(), key.view().data(), static_cast<int>(key.size()), bytes_of(fingerprint_text),
               fingerprint_text.size(), digest.data(), &size) != nullptr,
          "HMAC");
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
  VICKET_ASSERT(text.size() <= std::numeric_limits<int>::max() / 2 &&
                place.size() <= std::numeric_limits<int>::max() / 2);
  std::string sealed(overhead_bytes + text.size(), '\0');
  sealed[0] = version;
  auto* nonce = bytes_of(sealed.data() + 1);
  auto* cipher = nonce + nonce_bytes;
  make_nonce(nonce);
  const cipher_ptr context{EVP_CIPHER_CTX_new()};
  auto size = 0;
  require(
      context &&
          EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.view()), nonce) == 1 &&
          EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(place), static_cast<int>(place.size())) ==
              1 &&
          EVP_EncryptUpdate(context.get(), cipher, &size, bytes_of(text), static_cast<int>(text.size())) ==
              1 &&
          EVP_EncryptFinal_ex(context.get(), cipher + text.size(), &size) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, cipher + text.size()) == 1,
      "AES-256-GCM");
  return sealed;
}

std::optional<secret_bytes> secret_box::open(std::string_view sealed, std::string_view place) const {
  if (!is_sealed(sealed) || sealed.size() > std::numeric_limits<int>::max() / 2 ||
      place.size() > std::numeric_limits<int>::max() / 2)
    return std::nullopt;
  const auto nonce = sealed.substr(1, nonce_bytes);
  const auto cipher = sealed.substr(1 + nonce_bytes, sealed.size() - overhead_bytes);
  auto tag = std::string{sealed.substr(sealed.size() - tag_bytes)};
  const cipher_ptr context{EVP_CIPHER_CTX_new()};
  auto text = secret_bytes::of_size(cipher.size());
  auto size = 0;
  require(context &&
              EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.view()),
                                 bytes_of(nonce)) == 1 &&
              EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(place),
                                static_cast<int>(place.size())) == 1 &&
              (cipher.empty() || EVP_DecryptUpdate(context.get(), bytes_of(text.data()), &size,
                                                   bytes_of(cipher), static_cast<int>(cipher.size())) == 1) &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1,
          "AES-256-GCM");
  std::array<unsigned char, tag_bytes> rest{};
  if (EVP_DecryptFinal_ex(context.get(), rest.data(), &size) != 1)
    return std::nullopt;
  return text;
}

} // namespace vicket
