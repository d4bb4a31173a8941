#include "net/tls_reader.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <filesystem>
#include <system_error>

namespace vicket::internal {

namespace {

/// Why `what` can't be used, in OpenSSL's words.
std::string unusable(const std::string& what, const std::string& file) {
  const bool none = ERR_peek_error() == 0;
  const auto words = take_tls_errors();
  return what + " " + file + " can't be read: " + (none ? "no reason is known" : words);
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

} // namespace

ssl_context_ptr new_tls_context(const SSL_METHOD* method) {
  ssl_context_ptr context{SSL_CTX_new(method)};
  if (context) {
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  }
  return context;
}

tls_complaint read_certificate(SSL_CTX* context, const std::string& cert, const std::string& key) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1)
    return unusable("the certificate", cert);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1)
    return std::nullopt; // and it is the certificate's, or it would not have been taken
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  if (reason != X509_R_KEY_VALUES_MISMATCH && reason != X509_R_KEY_TYPE_MISMATCH)
    return unusable("the private key", key);
  ERR_clear_error();
  return "the private key " + key + " does not belong to the certificate " + cert;
}

tls_complaint read_trust_roots(SSL_CTX* context, const std::string& ca) {
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, ca.c_str()) != 1)
    return unusable("the CA file", ca);
  return std::nullopt;
}

tls_complaint read_revocations(SSL_CTX* context, const std::string& crl) {
  ERR_clear_error();
  auto* store = SSL_CTX_get_cert_store(context);
  auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (!lookup || X509_load_crl_file(lookup, crl.c_str(), X509_FILETYPE_PEM) < 1)
    return unusable("the revocation list", crl);
  if (const auto why = nobody_gets_in(store))
    return "the revocation list " + crl + ": " + *why;
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return std::nullopt;
}

tls_complaint replaced_by_no_file(const std::vector<std::string>& files) {
  for (const auto& file : files)
    if (std::error_code ignored; !file.empty() && std::filesystem::exists(file, ignored) &&
                                 !std::filesystem::is_regular_file(file, ignored))
      return file + " is no regular file any more";
  return std::nullopt;
}

} // namespace vicket::internal
