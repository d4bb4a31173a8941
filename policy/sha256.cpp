#include "policy/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace vicket {

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                 EVP_sha256(), nullptr) != 1)
    throw std::runtime_error{"OpenSSL: SHA-256 failed"};
  return digest;
}

} // namespace vicket
