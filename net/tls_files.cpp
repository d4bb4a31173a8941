#include "net/tls_files.hpp"

#include "net/openssl.hpp"
#include "net/tls_contexts.hpp"

#include <openssl/err.h>

namespace vicket {

namespace {

internal::ssl_context_ptr make_context() {
  internal::ssl_context_ptr context{SSL_CTX_new(TLS_method())};
  // Without it OpenSSL would ask the terminal for a pass phrase.
  if (context)
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  return context;
}

std::string last_words() {
  const bool none = ERR_peek_error() == 0;
  auto words = internal::take_tls_errors();
  return none ? "not readable" : words;
}

} // namespace

std::optional<std::string> certificate_complaint(const std::string& cert, const std::string& key) {
  ERR_clear_error();
  const auto context = make_context();
  if (!context)
    return "OpenSSL can't be set up: " + last_words();
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert.c_str()) != 1)
    return "certificate " + cert + ": " + last_words();
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
    return "private key " + key + ": " + last_words();
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return "private key " + key + " does not belong to certificate " + cert;
  return std::nullopt;
}

std::optional<std::string> trust_roots_complaint(const std::string& ca) {
  ERR_clear_error();
  const auto context = make_context();
  if (!context)
    return "OpenSSL can't be set up: " + last_words();
  if (SSL_CTX_load_verify_locations(context.get(), ca.c_str(), nullptr) != 1)
    return "CA file " + ca + ": " + last_words();
  return std::nullopt;
}

std::optional<std::string> tls_files_complaint(const tls_files& files) {
  const auto made = internal::tls_contexts::make(files);
  if (const auto* why = std::get_if<std::string>(&made))
    return *why;
  return std::nullopt;
}

} // namespace vicket
