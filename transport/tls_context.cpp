#include "transport/tls_context.hpp"

#include "net/tls_reader.hpp"
#include "policy/address_guard.hpp"
#include "policy/certificate_name.hpp"
#include "transport/shortage.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vicket {

namespace {

/// How many of a certificate's names, and how many bytes of a text in it, a sentence shows.
constexpr int max_names_shown = 5;
constexpr std::size_t max_text_bytes = 128;

/// A certificate's text is the peer's: only printable ASCII of it may reach logs and history.
std::string printable(std::string_view text) {
  std::string result{text.substr(0, max_text_bytes)};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm utc{};
  if (!time || ASN1_TIME_to_tm(time, &utc) != 1)
    return "an unreadable date";
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), size};
}

std::string common_name(const X509_NAME* name) {
  std::array<char, max_text_bytes + 1> text{};
  if (X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, text.data(), text.size()) > 0)
    return printable(text.data());
  X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
  return printable(text.data());
}

std::string_view bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string name_text(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS)
    return printable(bytes_of(name.d.dNSName));
  if (name.type == GEN_IPADD) {
    ip_address address;
    const auto bytes = bytes_of(name.d.iPAddress);
    address.v6 = bytes.size() == 16;
    std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), 16), address.bytes.begin());
    return address.to_string();
  }
  return {};
}

/// The entries of a certificate's subjectAltName.
class alternative_names {
public:
  explicit alternative_names(const X509* certificate)
      : names_{static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))} {}

  [[nodiscard]] bool covers(const std::string& host) const {
    const auto address = ip_address::parse(host);
    return any([&](const GENERAL_NAME& name) {
      return address
                 ? name.type == GEN_IPADD && certificate_address_covers(bytes_of(name.d.iPAddress), *address)
                 : name.type == GEN_DNS && certificate_name_covers(bytes_of(name.d.dNSName), host);
    });
  }

  /// A numeric host that is there, but as a DNS name.
  [[nodiscard]] bool names_address_as_text(const std::string& host) const {
    return ip_address::parse(host) && any([&](const GENERAL_NAME& name) {
             return name.type == GEN_DNS && bytes_of(name.d.dNSName) == host;
           });
  }

  /// "a.example, b.example"; empty when there are none.
  [[nodiscard]] std::string text() const {
    std::string result;
    int shown = 0;
    any([&](const GENERAL_NAME& name) {
      const auto one = name_text(name);
      if (one.empty())
        return false;
      if (shown++ == max_names_shown) {
        result += ", …";
        return true;
      }
      result += (result.empty() ? "" : ", ") + one;
      return false;
    });
    return result;
  }

private:
  struct deleter {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };

  template <class Predicate>
  bool any(Predicate fits) const {
    for (int i = 0; names_ && i < sk_GENERAL_NAME_num(names_.get()); ++i)
      if (fits(*sk_GENERAL_NAME_value(names_.get(), i)))
        return true;
    return false;
  }

  std::unique_ptr<GENERAL_NAMES, deleter> names_;
};

std::string mismatch(const alternative_names& names, const X509* certificate, const std::string& host) {
  const auto text = names.text();
  if (text.empty())
    return "has a certificate without DNS names or addresses (subjectAltName); its common name, " +
           common_name(X509_get_subject_name(certificate)) + ", counts for nothing (RFC 9525)";
  if (names.names_address_as_text(host))
    return "has a certificate that has the address " + host +
           " as a DNS name; an address has to be an IP entry of it";
  return "has a certificate for other names: " + text;
}

/// A predicate to "1.2.3.4:443 …".
std::string refusal(int error, int depth, const X509* certificate) {
  const std::string whose =
      depth == 0 ? "has a certificate"
                 : "has an issuer's certificate (" + common_name(X509_get_subject_name(certificate)) + ")";
  switch (error) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    return whose + " that expired on " + time_text(X509_get0_notAfter(certificate));
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return whose + " that is not valid before " + time_text(X509_get0_notBefore(certificate));
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    return "has a self-signed certificate, which is not among the trusted roots (a node started with "
           "--ca-file "
           "would trust it)";
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    return "has a certificate of an unknown issuer (" + common_name(X509_get_subject_name(certificate)) +
           "): that root is not trusted (a node started with --ca-file would trust it)";
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    return whose + " of an unknown issuer (" + common_name(X509_get_issuer_name(certificate)) +
           "): either the server leaves out an intermediate certificate, or the root is not trusted "
           "(--ca-file)";
  case X509_V_ERR_INVALID_PURPOSE:
    return whose + (depth == 0 ? " that is not for servers (its extended key usage does not say serverAuth)"
                               : " that is not for servers' certificates (its extended key usage)");
  case X509_V_ERR_INVALID_CA:
    return whose + " that may not issue others (it is no CA's: basicConstraints, keyUsage)";
  case X509_V_ERR_EE_KEY_TOO_SMALL:
  case X509_V_ERR_CA_KEY_TOO_SMALL:
    return whose + " with a key that is too short to be safe";
  case X509_V_ERR_CA_MD_TOO_WEAK:
    return "has a certificate that is signed with an algorithm that is no longer safe (SHA-1, for example)";
  default:
    return whose + " that does not verify: " + X509_verify_cert_error_string(error);
  }
}

int on_verify(int accepted, X509_STORE_CTX* store) {
  if (accepted)
    return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* owner = static_cast<tls_session_owner*>(SSL_get_app_data(ssl));
  const auto* certificate = X509_STORE_CTX_get_current_cert(store);
  if (owner && certificate)
    owner->on_certificate_refused(
        refusal(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store), certificate));
  return 0;
}

/// An issuer that is unknown may be in a file of the system's folder of roots, which is opened when it is looked for.
std::optional<std::string> shortage_behind(int verdict) {
  switch (verdict) {
  case X509_V_ERR_OUT_OF_MEM:
    return "memory (to verify a certificate)";
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    return shortage_of_descriptors();
  default:
    return std::nullopt;
  }
}

/// The chain is OpenSSL's to judge, the name ours.
int verify(X509_STORE_CTX* store, void*) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* owner = static_cast<tls_session_owner*>(SSL_get_app_data(ssl));
  if (X509_verify_cert(store) <= 0) { // `on_verify` has said why
    if (auto what = shortage_behind(X509_STORE_CTX_get_error(store)); what && owner)
      owner->on_shortage(*std::move(what));
    return 0;
  }
  const auto* certificate = X509_STORE_CTX_get0_cert(store);
  const alternative_names names{certificate};
  if (owner && names.covers(owner->host()))
    return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  if (owner)
    owner->on_certificate_refused(mismatch(names, certificate, owner->host()));
  return 0;
}

int on_certificate_asked(SSL* ssl, X509**, EVP_PKEY**) {
  if (auto* owner = static_cast<tls_session_owner*>(SSL_get_app_data(ssl)))
    owner->on_certificate_asked();
  return 0; // there is none
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* owner = static_cast<tls_session_owner*>(SSL_get_app_data(ssl));
  if (!owner)
    return 0;
  owner->on_ticket(ssl_session_ptr{session});
  return 1; // the reference is the owner's now
}

/// Names the host in the handshake; a numeric one is not named (RFC 6066 section 3).
bool name_host(SSL* ssl, const std::string& host) {
  return ip_address::parse(host) || SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

} // namespace

ssl_context_ptr tls_context::make() {
  auto result = internal::new_tls_context(TLS_client_method());
  if (!result)
    throw std::runtime_error{"TLS can't be set up: " + take_tls_errors()};
  auto* context = result.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
  SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
  SSL_CTX_set_client_cert_cb(context, on_certificate_asked);
  // Whatever the operator names is trusted: an intermediate or an endpoint's own certificate without its root, too.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  // A connection that waits for its answer holds no record buffers, and one read fetches a whole record.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  // Sessions are kept by endpoint, with the pool, not in OpenSSL's own cache.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  static constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, http_1_1.data(), http_1_1.size());
  return result;
}

ssl_context_ptr tls_context::share(SSL_CTX* context) {
  SSL_CTX_up_ref(context);
  return ssl_context_ptr{context};
}

ssl_ptr tls_context::open(int fd, const std::string& host, SSL_SESSION* session,
                          tls_session_owner& owner) const {
  ssl_ptr ssl{SSL_new(context_.get())};
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1 || !name_host(ssl.get(), host)) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_app_data(ssl.get(), &owner);
  if (session)
    SSL_set_session(ssl.get(), session);
  SSL_set_connect_state(ssl.get());
  return ssl;
}

} // namespace vicket
