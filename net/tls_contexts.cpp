#include "net/tls_contexts.hpp"

#include "policy/address_guard.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vicket::internal {

namespace {

ssl_context_ptr make_context(const SSL_METHOD* method) {
  ssl_context_ptr result{SSL_CTX_new(method)};
  if (!result)
    return result;
  auto* context = result.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  // One read fetches what is there. (The record buffers are kept: there are a few hundred connections at most, and giving
  // 34 KB back and forth for each record costs more than they take.)
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  // Without it OpenSSL would ask the terminal for a pass phrase.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  return result;
}

/// Whether it is the root of an intermediate that is there as well: lists are asked for of those that issue certificates
/// of clients, not of what stands above them.
bool issues_another(const STACK_OF(X509_OBJECT) * objects, const X509* ca) {
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const auto* other = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (other != nullptr && X509_NAME_cmp(X509_get_issuer_name(other), X509_get_subject_name(ca)) == 0 &&
        X509_NAME_cmp(X509_get_subject_name(other), X509_get_subject_name(ca)) != 0)
      return true;
  }
  return false;
}

/// A CA of which there is no revocation list that is valid now: none of its certificates would be accepted.
std::optional<std::string> nobody_gets_in(X509_STORE* store) {
  const auto* objects = X509_STORE_get0_objects(store);
  const auto count = sk_X509_OBJECT_num(objects);
  for (int i = 0; i < count; ++i) {
    const auto* ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (ca == nullptr || issues_another(objects, ca))
      continue;
    bool is_listed = false;
    bool is_valid = false;
    for (int j = 0; j < count && !is_valid; ++j) {
      auto* list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, j));
      if (list == nullptr || X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(ca)) != 0)
        continue;
      is_listed = true;
      const auto* until = X509_CRL_get0_nextUpdate(list);
      is_valid = X509_cmp_current_time(X509_CRL_get0_lastUpdate(list)) < 0 &&
                 (until == nullptr || X509_cmp_current_time(until) > 0);
    }
    if (is_valid)
      continue;
    std::array<char, 256> name{};
    X509_NAME_oneline(X509_get_subject_name(ca), name.data(), static_cast<int>(name.size()));
    return (is_listed ? std::string{"the list is not valid now (expired?) of the CA "}
                      : std::string{"there is none of the CA "}) +
           name.data() + ", so that none of its certificates would be accepted";
  }
  return std::nullopt;
}

std::optional<std::string> load(SSL_CTX* context, const tls_files& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1)
    return "certificate " + files.cert + ": " + take_tls_errors();
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return "private key " + files.key + ": " + take_tls_errors();
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return "private key " + files.key + " does not belong to certificate " + files.cert;
  }
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1)
    return "CA file " + files.ca + ": " + take_tls_errors();
  if (!files.crl.empty()) {
    auto* store = SSL_CTX_get_cert_store(context);
    auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup || X509_load_crl_file(lookup, files.crl.c_str(), X509_FILETYPE_PEM) < 1)
      return "revocation list " + files.crl + ": " + take_tls_errors();
    if (auto why = nobody_gets_in(store))
      return "revocation list " + files.crl + ": " + *why;
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  return std::nullopt;
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
  // To open a pipe that has come in the place of a file could wait for ever.
  for (const auto* file : {&files_.cert, &files_.key, &files_.ca, &files_.crl})
    if (std::error_code ignored; !file->empty() && std::filesystem::exists(*file, ignored) &&
                                 !std::filesystem::is_regular_file(*file, ignored))
      return *file + " is no regular file any more";
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
