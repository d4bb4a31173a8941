#include "tests/support/port_certificates.hpp"

#include "tests/support/certificates.hpp"

#include <fstream>
#include <stdexcept>

namespace vicket::testing {

namespace {

constexpr const char* honest_name = "honest.example.test";
constexpr const char* sender_name = "engine.example.test";

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out{file, std::ios::binary};
  out << text;
  out.close();
  if (!out)
    throw std::runtime_error("can't write " + file.string());
  // A key is for its owner alone.
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

} // namespace

port_certificates::port_certificates(const std::filesystem::path& folder) : folder_{folder} {
  std::filesystem::create_directories(folder_);
  const certificate_authority authority{"Vicket test cluster"};
  const certificate_authority stranger{"Vicket test stranger"};
  const auto keep = [&](const std::string& name, const certificate& one) {
    write(folder_ / (name + ".pem"), one.pem);
    write(folder_ / (name + ".key"), one.key_pem);
  };
  keep("node", authority.good());
  keep("honest", authority.issue({.dns_names = {honest_name}}));
  keep("sender", authority.issue({.dns_names = {sender_name}}));
  keep("foreign", stranger.issue({.dns_names = {sender_name}}));
  write(folder_ / "ca.pem", authority.pem());
}

tls_files port_certificates::of(const std::string& name) const {
  return {(folder_ / (name + ".pem")).string(), (folder_ / (name + ".key")).string(),
          (folder_ / "ca.pem").string()};
}

std::vector<std::string> port_certificates::node_flags() const {
  const auto own = of("node");
  const std::string honest{honest_name};
  return {"--tls-cert", own.cert,
          "--tls-key",  own.key,
          "--tls-ca",   own.ca,
          "--role",     honest + "=sender",
          "--role",     honest + "=operator",
          "--role",     std::string{sender_name} + "=sender"};
}

} // namespace vicket::testing
