#include "bench/attacker/client_tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace vicket::bench {

namespace {

void require(bool done, const std::string& what) {
  ERR_clear_error();
  if (!done)
    throw std::runtime_error(what);
}

} // namespace

tls_context make_client_context(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  tls_context context{SSL_CTX_new(TLS_client_method())};
  require(context != nullptr, "TLS can't be set up");
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (!certificate.empty()) {
    require(SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) == 1,
            "can't use the certificate " + certificate.string());
    require(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1,
            "can't use the key " + key.string());
  }
  return context;
}

tls_session make_client_session(SSL_CTX& context, int descriptor) {
  tls_session session{SSL_new(&context)};
  require(session != nullptr && SSL_set_fd(session.get(), descriptor) == 1, "no TLS for a connection");
  SSL_set_connect_state(session.get());
  return session;
}

std::string client_hello(SSL_CTX& context) {
  const tls_session session{SSL_new(&context)};
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  require(session != nullptr && in != nullptr && out != nullptr, "no TLS for a greeting");
  SSL_set_bio(session.get(), in, out); // which are the session's now
  SSL_set_connect_state(session.get());
  SSL_do_handshake(session.get()); // until there is nothing to read
  ERR_clear_error();
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(out, &bytes);
  require(size > 0, "TLS has no greeting");
  return {bytes, static_cast<std::size_t>(size)};
}

} // namespace vicket::bench
