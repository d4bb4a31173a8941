#include "tests/crash/tls_identity.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace vicket::crash {

namespace {

constexpr long valid_s = 2 * 24 * 3600;

using key_pointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using certificate_pointer = std::unique_ptr<X509, decltype(&X509_free)>;
using file_pointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void require(bool good, const char* what) {
  if (!good)
    throw std::runtime_error{std::string{"no certificate: "} + what};
}

key_pointer make_key() {
  key_pointer key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  require(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension{
      X509V3_EXT_conf_nid(nullptr, &context, nid, value), &X509_EXTENSION_free};
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

certificate_pointer make_certificate(const char* name, long serial, EVP_PKEY* key, X509* issuer) {
  certificate_pointer made{X509_new(), &X509_free};
  require(made != nullptr, "certificate");
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), valid_s);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer == nullptr ? made.get() : issuer));
  return made;
}

file_pointer open_file(const std::filesystem::path& file) {
  file_pointer opened{std::fopen(file.c_str(), "we"), &std::fclose};
  require(opened != nullptr, file.c_str());
  return opened;
}

} // namespace

tls_identity tls_identity_in(const std::filesystem::path& folder) {
  return {folder / "authority.pem", folder / "receiver.pem", folder / "receiver.key"};
}

tls_identity make_tls_identity(const std::filesystem::path& folder) {
  const auto authority_key = make_key();
  const auto authority = make_certificate("Crash oracle's authority", 1, authority_key.get(), nullptr);
  add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(authority.get(), authority_key.get(), EVP_sha256()) > 0, "signature");

  const auto key = make_key();
  const auto certificate = make_certificate("127.0.0.1", 2, key.get(), authority.get());
  add_extension(certificate.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), authority.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  add_extension(certificate.get(), authority.get(), NID_ext_key_usage, "serverAuth");
  add_extension(certificate.get(), authority.get(), NID_authority_key_identifier, "keyid");
  require(X509_sign(certificate.get(), authority_key.get(), EVP_sha256()) > 0, "signature");

  const auto files = tls_identity_in(folder);
  require(PEM_write_X509(open_file(files.authority).get(), authority.get()) == 1, "authority's file");
  require(PEM_write_X509(open_file(files.certificate).get(), certificate.get()) == 1, "certificate's file");
  require(
      PEM_write_PrivateKey(open_file(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "key's file");
  return files;
}

} // namespace vicket::crash
