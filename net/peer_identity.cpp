#include "net/peer_identity.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace vicket::internal {

namespace {

constexpr std::size_t max_names = 64; // of one certificate
constexpr std::size_t max_name_bytes = 1'024;
constexpr std::size_t max_names_shown = 2;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_dns_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_uri(std::string_view name) {
  return name.find(':') != std::string_view::npos;
}

bool is_dns_name(std::string_view name) {
  constexpr std::size_t max_dns_bytes = 253;
  return !name.empty() && name.size() <= max_dns_bytes && name.front() != '.' && name.back() != '.' &&
         name.find("..") == std::string_view::npos && std::all_of(name.begin(), name.end(), [](char c) {
           return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.';
         });
}

bool printable(std::string_view text) {
  return !text.empty() && text.size() <= max_name_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

std::string peer_identity::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < max_names_shown; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return text.empty() ? address : text + " (" + address + ")";
}

std::vector<std::string> certificate_names(const SSL* ssl) {
  std::vector<std::string> result;
  const auto* certificate = SSL_get0_peer_certificate(ssl);
  if (!certificate)
    return result;
  struct deleter {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  const std::unique_ptr<GENERAL_NAMES, deleter> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && result.size() < max_names; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_URI)
      continue;
    const ASN1_STRING* string = name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
    const std::string_view text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                                static_cast<std::size_t>(ASN1_STRING_length(string))};
    // A DNS entry with a colon in it must not pass for a URI, nor the other way round.
    if (printable(text) && is_uri(text) == (name->type == GEN_URI))
      result.emplace_back(text);
  }
  return result;
}

bool name_fits(std::string_view pattern, std::string_view name) {
  if (is_uri(pattern) || is_uri(name))
    return pattern == name;
  if (!pattern.starts_with("*."))
    return !name.empty() && same_dns_name(pattern, name);
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(0, dot) != "*" &&
         same_dns_name(pattern.substr(1), name.substr(dot));
}

bool is_name_pattern(std::string_view pattern) {
  if (is_uri(pattern))
    return printable(pattern) && pattern.front() != ':' && pattern.find('*') == std::string_view::npos;
  return is_dns_name(pattern.starts_with("*.") ? pattern.substr(2) : pattern);
}

} // namespace vicket::internal
