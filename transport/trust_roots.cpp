#include "transport/trust_roots.hpp"

#include "net/tls_reader.hpp"
#include "transport/shortage.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace vicket {

namespace {

/// `ca_files`, and where OpenSSL looks for the system's roots.
std::vector<std::string> trust_files(std::vector<std::string> ca_files) {
  const auto add = [&](const char* variable, const char* otherwise) {
    const auto* path = std::getenv(variable);
    ca_files.emplace_back(path ? path : otherwise);
  };
  add(X509_get_default_cert_file_env(), X509_get_default_cert_file());
  add(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  return ca_files;
}

} // namespace

trust_roots::trust_roots(std::vector<std::string> ca_files)
    : ca_files_{std::move(ca_files)}, files_{trust_files(ca_files_)} {}

ssl_context_ptr trust_roots::read() const {
  auto context = tls_context::make();
  SSL_CTX_set_default_verify_paths(context.get());
  for (const auto& file : ca_files_)
    if (auto why = internal::read_trust_roots(context.get(), file))
      throw std::runtime_error{*std::move(why)};
  ERR_clear_error(); // a system without roots of its own is fine
  return context;
}

trust_roots::news trust_roots::refresh(std::chrono::steady_clock::time_point now) {
  return files_.changed(now) ? reload() : news{};
}

trust_roots::news trust_roots::reload() {
  try {
    if (auto why = internal::replaced_by_no_file(ca_files_))
      throw std::runtime_error{"the CA file " + *std::move(why)};
    auto fresh = read();
    if (auto what = shortage_of_descriptors()) // then OpenSSL passes over the system's roots without a word
      throw std::runtime_error{"the trust roots can't be read, this node is short of " + *what};
    was_short_ = false;
    return {std::move(fresh), {}};
  } catch (const std::runtime_error& why) {
    if (shortage_of_descriptors()) {
      files_.look_again();
      if (std::exchange(was_short_, true))
        return {};
    } else {
      was_short_ = false;
    }
    return {nullptr,
            std::string{why.what()} +
                (was_short_ ? "; deliveries trust what they trusted before, until it can be"
                            : "; deliveries trust what they trusted before, until it changes once more")};
  }
}

} // namespace vicket
