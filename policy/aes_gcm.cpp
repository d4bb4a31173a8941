#include "policy/aes_gcm.hpp"

#include "policy/assertion.hpp"

#include <openssl/evp.h>

#include <array>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

namespace vicket::aes_gcm {

namespace {

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

void require(bool succeeded) {
  if (!succeeded)
    throw std::runtime_error{"OpenSSL: AES-256-GCM failed"};
}

int size_of(std::string_view text) {
  VICKET_ASSERT(text.size() <= std::numeric_limits<int>::max() / 2);
  return static_cast<int>(text.size());
}

} // namespace

void seal(std::string_view key, std::string_view nonce, std::string_view place, std::string_view text,
          char* to) {
  VICKET_ASSERT(key.size() == key_bytes && nonce.size() == nonce_bytes);
  const cipher_ptr context{EVP_CIPHER_CTX_new()};
  auto size = 0;
  require(context &&
          EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) ==
              1 &&
          EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(place), size_of(place)) == 1 &&
          EVP_EncryptUpdate(context.get(), bytes_of(to), &size, bytes_of(text), size_of(text)) == 1 &&
          EVP_EncryptFinal_ex(context.get(), bytes_of(to) + text.size(), &size) == 1 &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, to + text.size()) == 1);
}

bool open(std::string_view key, std::string_view nonce, std::string_view place, std::string_view sealed,
          char* to) {
  VICKET_ASSERT(key.size() == key_bytes && nonce.size() == nonce_bytes);
  if (sealed.size() < tag_bytes)
    return false;
  const auto cipher = sealed.substr(0, sealed.size() - tag_bytes);
  auto tag = std::string{sealed.substr(cipher.size())};
  const cipher_ptr context{EVP_CIPHER_CTX_new()};
  auto size = 0;
  require(context &&
          EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) ==
              1 &&
          EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(place), size_of(place)) == 1 &&
          (cipher.empty() ||
           EVP_DecryptUpdate(context.get(), bytes_of(to), &size, bytes_of(cipher), size_of(cipher)) == 1) &&
          EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  std::array<unsigned char, tag_bytes> rest{};
  return EVP_DecryptFinal_ex(context.get(), rest.data(), &size) == 1;
}

} // namespace vicket::aes_gcm
