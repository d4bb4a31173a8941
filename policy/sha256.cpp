#include "policy/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace vicket {

namespace {

constexpr std::size_t digest_bytes = 32;

void check(int done) {
  if (done != 1)
    throw std::runtime_error{"OpenSSL: SHA-256 failed"};
}

unsigned char* bytes_of(std::string& digest) {
  return reinterpret_cast<unsigned char*>(digest.data());
}

} // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(digest_bytes, '\0');
  check(EVP_Digest(bytes.data(), bytes.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr));
  return digest;
}

struct sha256_sum::state {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

sha256_sum::sha256_sum() : state_{std::make_unique<state>()} {
  check(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1 ? 1 : 0);
}

sha256_sum::~sha256_sum() = default;

void sha256_sum::add(std::string_view piece) {
  check(EVP_DigestUpdate(state_->context.get(), piece.data(), piece.size()));
}

std::string sha256_sum::digest() {
  std::string digest(digest_bytes, '\0');
  check(EVP_DigestFinal_ex(state_->context.get(), bytes_of(digest), nullptr));
  return digest;
}

} // namespace vicket
