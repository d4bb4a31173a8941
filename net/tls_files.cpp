#include "net/tls_files.hpp"

#include "net/tls_contexts.hpp"
#include "net/tls_reader.hpp"

namespace vicket {

namespace {

/// What a context says that reads them, and is thrown away.
template <class Read>
std::optional<std::string> complaint_of(Read read) {
  const auto context = internal::new_tls_context(TLS_method());
  if (!context)
    return "TLS can't be set up: " + internal::take_tls_errors();
  return read(context.get());
}

} // namespace

std::optional<std::string> certificate_complaint(const std::string& cert, const std::string& key) {
  return complaint_of([&](SSL_CTX* context) { return internal::read_certificate(context, cert, key); });
}

std::optional<std::string> trust_roots_complaint(const std::string& ca) {
  return complaint_of([&](SSL_CTX* context) { return internal::read_trust_roots(context, ca); });
}

std::optional<std::string> tls_files_complaint(const tls_files& files) {
  const auto made = internal::tls_contexts::make(files);
  if (const auto* why = std::get_if<std::string>(&made))
    return *why;
  return std::nullopt;
}

} // namespace vicket
