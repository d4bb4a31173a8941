#include "net/tls_contexts.hpp"

#include "net/tls_reader.hpp"
#include "policy/address_guard.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <utility>

namespace vicket::internal {

namespace {

ssl_context_ptr make_context(const SSL_METHOD* method) {
  auto result = new_tls_context(method);
  if (!result)
    return result;
  auto* context = result.get();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // One read fetches what is there. (The record buffers are kept: there are a few hundred connections at most, and giving
  // 34 KB back and forth for each record costs more than they take.)
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  return result;
}

tls_complaint load(SSL_CTX* context, const tls_files& files) {
  if (auto why = read_certificate(context, files.cert, files.key))
    return why;
  if (auto why = read_trust_roots(context, files.ca))
    return why;
  return files.crl.empty() ? std::nullopt : read_revocations(context, files.crl);
}

} // namespace

std::variant<std::shared_ptr<tls_contexts>, std::string> tls_contexts::make(tls_files files) {
  std::shared_ptr<tls_contexts> result{new tls_contexts{std::move(files)}};
  if (auto why = result->reload())
    return *std::move(why);
  return result;
}

std::variant<tls_contexts::pair, std::string> tls_contexts::read() const {
  ERR_clear_error();
  pair fresh{make_context(TLS_server_method()), make_context(TLS_client_method())};
  if (!fresh.server || !fresh.client)
    return "TLS can't be set up: " + take_tls_errors();
  for (auto* context : {fresh.server.get(), fresh.client.get()})
    if (auto why = load(context, files_))
      return *std::move(why);
  SSL_CTX_set_verify(fresh.server.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify(fresh.client.get(), SSL_VERIFY_PEER, nullptr);
  ERR_clear_error();
  return fresh;
}

std::optional<std::string> tls_contexts::reload() {
  if (auto why = replaced_by_no_file({files_.cert, files_.key, files_.ca, files_.crl}))
    return why;
  auto fresh = read();
  if (auto* why = std::get_if<std::string>(&fresh))
    return std::move(*why);
  const std::lock_guard guard{mutex_};
  now_ = std::move(std::get<pair>(fresh));
  return std::nullopt;
}

ssl_ptr tls_contexts::accept() const {
  const std::lock_guard guard{mutex_};
  ssl_ptr ssl{SSL_new(now_.server.get())};
  if (ssl)
    SSL_set_accept_state(ssl.get());
  else
    ERR_clear_error();
  return ssl;
}

ssl_ptr tls_contexts::dial(const std::string& host) const {
  const std::lock_guard guard{mutex_};
  ssl_ptr ssl{SSL_new(now_.client.get())};
  const bool numeric = ip_address::parse(host).has_value();
  auto* checks = ssl ? SSL_get0_param(ssl.get()) : nullptr;
  const bool good = ssl && (numeric ? X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) == 1
                                    : X509_VERIFY_PARAM_set1_host(checks, host.c_str(), 0) == 1 &&
                                          SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1);
  if (!good) {
    ERR_clear_error();
    return nullptr;
  }
  X509_VERIFY_PARAM_set_hostflags(checks,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string handshake_failure(const SSL* ssl, const std::string& host) {
  const auto verdict = SSL_get_verify_result(ssl);
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    ERR_clear_error();
    return "its certificate is not for the name " + host + ", which was dialled";
  }
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    return std::string{"its certificate is not accepted: "} + X509_verify_cert_error_string(verdict);
  }
  return "TLS failed: " + take_tls_errors();
}

} // namespace vicket::internal
