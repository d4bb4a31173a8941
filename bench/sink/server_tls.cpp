#include "bench/sink/server_tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <stdexcept>
#include <string>

namespace vicket::bench {

namespace {

/// More than an answer is, and as much as a usual certificate is: the buffer for it is that long.
constexpr long max_sent_record_bytes = 4'096;

std::string last_tls_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

void require(bool done, const std::string& what) {
  if (!done)
    throw std::runtime_error(what + ": " + last_tls_error());
}

} // namespace

void tls_context_release::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

void tls_session_release::operator()(SSL* session) const noexcept {
  SSL_free(session);
}

tls_context make_server_context(const std::filesystem::path& certificate_chain,
                                const std::filesystem::path& private_key) {
  tls_context context{SSL_CTX_new(TLS_server_method())};
  require(context != nullptr, "TLS can't be set up");
  SSL_CTX* const c = context.get();
  require(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1, "TLS 1.2 can't be had");
  require(SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256") == 1,
          "AES-128-GCM can't be had");
  require(SSL_CTX_set_cipher_list(c, "ECDHE+AES128GCM:ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
          "AES-128-GCM can't be had for TLS 1.2");
  SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
  // Answers that had to wait for the socket may lie elsewhere when they are tried again, with more behind
  // them.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  require(SSL_CTX_set_max_send_fragment(c, max_sent_record_bytes) == 1, "small records can't be had");
  SSL_CTX_set_read_ahead(c, 1); // one read() brings a record's head and its content
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  require(SSL_CTX_set_num_tickets(c, 1) == 1, "session tickets can't be had");
  require(SSL_CTX_use_certificate_chain_file(c, certificate_chain.c_str()) == 1,
          "--cert " + certificate_chain.string());
  require(SSL_CTX_use_PrivateKey_file(c, private_key.c_str(), SSL_FILETYPE_PEM) == 1,
          "--key " + private_key.string());
  require(SSL_CTX_check_private_key(c) == 1, "--key " + private_key.string());
  return context;
}

tls_session make_server_session(SSL_CTX& context, int descriptor) {
  tls_session session{SSL_new(&context)};
  require(session != nullptr && SSL_set_fd(session.get(), descriptor) == 1, "no TLS for a connection");
  SSL_set_accept_state(session.get());
  return session;
}

} // namespace vicket::bench
