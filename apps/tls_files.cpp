#include "apps/tls_files.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace vicket {

namespace {

using context_ptr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

context_ptr make_context() {
  context_ptr context{SSL_CTX_new(TLS_method()), &SSL_CTX_free};
  // Without it OpenSSL would ask the terminal for a pass phrase.
  if (context)
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  return context;
}

/// OpenSSL's own words for the first thing that went wrong, without its source references.
std::string last_words() {
  const auto code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "not readable" : reason;
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
  if (auto complaint = certificate_complaint(files.cert, files.key))
    return complaint;
  return trust_roots_complaint(files.ca);
}

} // namespace vicket
