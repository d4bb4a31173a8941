#include "transport/tls_failure.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace vicket {

namespace {

/// The alert's number (RFC 8446 6.2) when the peer sent one; -1: the session failed on this side.
int alert_of(unsigned long code) {
  const int reason = ERR_GET_REASON(code);
  const bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
                     reason < SSL_AD_REASON_OFFSET + 256;
  return alert ? reason - SSL_AD_REASON_OFFSET : -1;
}

/// Alerts by which servers say that a client certificate is missing, besides the one made for it.
bool may_mean_no_certificate(int alert) {
  switch (alert) {
  case SSL_AD_HANDSHAKE_FAILURE:
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_ACCESS_DENIED:
  case SSL_AD_UNEXPECTED_MESSAGE:
    return true;
  default:
    return false;
  }
}

std::string alert_failure(int alert, bool asked_for_certificate, const std::string& host) {
  const std::string name = SSL_alert_desc_string_long(alert);
  const auto said = " (TLS alert \"" + name + "\")";
  if (alert == SSL_AD_CERTIFICATE_REQUIRED || (asked_for_certificate && may_mean_no_certificate(alert)))
    return "wants a client certificate, and deliveries have none" + said;
  switch (alert) {
  case SSL_AD_PROTOCOL_VERSION:
    return "speaks no TLS 1.2 or newer" + said;
  case SSL_AD_HANDSHAKE_FAILURE:
  case SSL_AD_INSUFFICIENT_SECURITY:
    return "refused the TLS handshake" + said +
           ": it has no cipher or version in common with TLS 1.2 and 1.3 as they are " +
           "spoken today, or wants a client certificate, or serves nothing under the name " + host;
  case SSL_AD_UNRECOGNIZED_NAME:
    return "serves nothing under the name " + host + said;
  case SSL_AD_NO_APPLICATION_PROTOCOL:
    return "does not speak HTTP/1.1 there" + said;
  case SSL_AD_INTERNAL_ERROR:
    return "failed in the TLS handshake" + said +
           "; many servers do so for a name that they do not serve, here " + host;
  case SSL_AD_ACCESS_DENIED:
    return "refused the connection" + said;
  default:
    return "ended the TLS session" + said;
  }
}

const char* own_failure(int reason) {
  switch (reason) {
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_HTTP_REQUEST:
  case SSL_R_HTTPS_PROXY_REQUEST:
  case SSL_R_PACKET_LENGTH_TOO_LONG:
  case SSL_R_RECORD_TOO_SMALL:
  case SSL_R_BAD_RECORD_TYPE:
    return "answered with something that is not TLS (is it a plain HTTP port?)";
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_WRONG_SSL_VERSION:
  case SSL_R_UNSUPPORTED_SSL_VERSION:
  case SSL_R_VERSION_TOO_LOW:
  case SSL_R_INAPPROPRIATE_FALLBACK:
    return "speaks no TLS 1.2 or newer";
  case SSL_R_DH_KEY_TOO_SMALL:
    return "offers Diffie-Hellman parameters that are too short to be safe";
  case SSL_R_WRONG_SIGNATURE_TYPE:
  case SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED:
  case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    return "signs the TLS handshake with an algorithm that is no longer safe (SHA-1, for example)";
  case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    return "does not support secure renegotiation (RFC 5746), so its TLS is too old to be safe";
  default:
    return nullptr;
  }
}

} // namespace

std::string tls_failure(unsigned long code, bool asked_for_certificate, const std::string& host) {
  if (const auto alert = alert_of(code); alert >= 0)
    return alert_failure(alert, asked_for_certificate, host);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL)
    if (const auto* known = own_failure(ERR_GET_REASON(code)))
      return known;
  const auto* reason = ERR_reason_error_string(code);
  return std::string{"failed the TLS session: "} + (reason ? reason : "unknown error");
}

} // namespace vicket
