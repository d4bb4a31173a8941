#include "tests/support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace vicket::testing {

namespace {

struct openssl_deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* x) const { X509_free(x); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, openssl_deleter>;
using x509_ptr = std::unique_ptr<X509, openssl_deleter>;
using bio_ptr = std::unique_ptr<BIO, openssl_deleter>;

void require(bool done, const char* what) {
  if (!done)
    throw std::runtime_error{std::string{"making a test certificate: "} + what};
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

certificate to_pem(X509* x, EVP_PKEY* key) {
  const bio_ptr certificate_bio{BIO_new(BIO_s_mem())};
  const bio_ptr key_bio{BIO_new(BIO_s_mem())};
  require(PEM_write_bio_X509(certificate_bio.get(), x) == 1, "its text");
  require(PEM_write_bio_PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "its key's text");
  return {text_of(certificate_bio.get()), text_of(key_bio.get())};
}

void add_extension(X509* x, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const certificate_request& request) {
  std::string result;
  for (const auto& name : request.dns_names)
    result += (result.empty() ? "DNS:" : ",DNS:") + name;
  for (const auto& address : request.addresses)
    result += (result.empty() ? "IP:" : ",IP:") + address;
  return result;
}

x509_ptr unsigned_certificate(EVP_PKEY* key, const std::string& common_name,
                              const certificate_request& request) {
  x509_ptr x{X509_new()};
  X509_set_version(x.get(), X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), request.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), request.valid_until_s);
  X509_set_pubkey(x.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return x;
}

key_ptr new_key() {
  key_ptr key{EVP_EC_gen("P-256")};
  require(key != nullptr, "its key");
  return key;
}

certificate_request names_of_good() {
  return {.dns_names = {"localhost", "*.example.test"}, .addresses = {"127.0.0.1", "::1"}};
}

} // namespace

certificate_authority::certificate_authority(const std::string& name) {
  const auto key = new_key();
  const auto x = unsigned_certificate(key.get(), name, {});
  X509_set_issuer_name(x.get(), X509_get_subject_name(x.get()));
  add_extension(x.get(), x.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(x.get(), x.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(x.get(), x.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(x.get(), key.get(), EVP_sha256()) > 0, "its signature");
  own_ = to_pem(x.get(), key.get());
}

certificate certificate_authority::issue(const certificate_request& request) const {
  const bio_ptr issuer_bio{BIO_new_mem_buf(own_.pem.data(), static_cast<int>(own_.pem.size()))};
  const x509_ptr issuer{PEM_read_bio_X509(issuer_bio.get(), nullptr, nullptr, nullptr)};
  const bio_ptr key_bio{BIO_new_mem_buf(own_.key_pem.data(), static_cast<int>(own_.key_pem.size()))};
  const key_ptr issuer_key{PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr)};
  require(issuer && issuer_key, "its issuer");
  const auto key = new_key();
  const auto x = unsigned_certificate(key.get(), request.common_name, request);
  X509_set_issuer_name(x.get(), X509_get_subject_name(issuer.get()));
  add_extension(x.get(), issuer.get(), NID_authority_key_identifier, "keyid");
  if (request.authority) {
    add_extension(x.get(), issuer.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x.get(), issuer.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x.get(), x.get(), NID_subject_key_identifier, "hash");
  } else {
    add_extension(x.get(), issuer.get(), NID_ext_key_usage, request.purposes);
  }
  if (const auto names = alternative_names(request); !names.empty())
    add_extension(x.get(), issuer.get(), NID_subject_alt_name, names);
  require(X509_sign(x.get(), issuer_key.get(), EVP_sha256()) > 0, "its signature");
  return to_pem(x.get(), key.get());
}

certificate_authority certificate_authority::intermediate(const std::string& name) const {
  return certificate_authority{issue({.common_name = name, .authority = true})};
}

certificate certificate_authority::good() const {
  return issue(names_of_good());
}

certificate certificate_authority::expired() const {
  auto request = names_of_good();
  request.valid_from_s = -7'200;
  request.valid_until_s = -3'600;
  return issue(request);
}

certificate certificate_authority::wrong_name() const {
  return issue({.dns_names = {"other.example.test"}});
}

certificate self_signed_certificate() {
  const auto key = new_key();
  const auto request = names_of_good();
  const auto x = unsigned_certificate(key.get(), "localhost", request);
  X509_set_issuer_name(x.get(), X509_get_subject_name(x.get()));
  add_extension(x.get(), x.get(), NID_subject_alt_name, alternative_names(request));
  require(X509_sign(x.get(), key.get(), EVP_sha256()) > 0, "its signature");
  return to_pem(x.get(), key.get());
}

temporary_file::temporary_file(const std::string& content) {
  auto pattern = (std::filesystem::temp_directory_path() / "vicket-test-XXXXXX").string();
  const auto fd = ::mkstemp(pattern.data());
  require(fd >= 0, "a temporary file");
  ::close(fd);
  path_ = pattern;
  std::ofstream{path_} << content;
}

temporary_file::~temporary_file() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

} // namespace vicket::testing
