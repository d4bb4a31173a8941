#pragma once

#include "tests/support/certificates.hpp"
#include "tests/support/process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vicket::testing {

using arguments = std::vector<std::string>;

arguments operator+(arguments a, const arguments& b);

/// Files of one certificate authority, and of what it issued.
class certificate_files {
public:
  [[nodiscard]] std::string ca() const { return folder_.path() + "/ca.pem"; }
  /// `--tls-cert C --tls-key K` for a fresh certificate.
  [[nodiscard]] arguments identity(const std::string& name) const;
  /// The three flags of mutual TLS.
  [[nodiscard]] arguments mutual(const std::string& name) const;

  certificate_files() { static_cast<void>(folder_.file("ca.pem", authority_.pem())); }

private:
  temporary_folder folder_;
  certificate_authority authority_;
};

/// A real node on a free port of 127.0.0.1, ready when constructed.
class node_process {
public:
  explicit node_process(const std::string& data_dir, const arguments& flags = {},
                        const std::string& listen = "127.0.0.1:0");

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] process& self() { return *process_; }

  /// Asks it to stop; its exit code.
  int stop();
  /// Like a power cut.
  void kill();

  /// `vicket --node … ARGS`.
  [[nodiscard]] finished_process vicket(const arguments& args, const std::string& input = {}) const;
  [[nodiscard]] arguments vicket_arguments(const arguments& args) const;

private:
  std::unique_ptr<process> process_;
  std::string address_;
};

/// `vicket listen` with a certificate of `files`, ready when constructed.
class listen_process {
public:
  static constexpr const char* secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

  explicit listen_process(const certificate_files& files, const arguments& flags = {});

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] process& self() { return *process_; }

private:
  std::unique_ptr<process> process_;
  std::string url_;
};

/// What a node needs to deliver to a `listen_process`.
[[nodiscard]] arguments may_reach(const certificate_files& files);

[[nodiscard]] std::string connector_json(const std::string& id, const std::string& url);
[[nodiscard]] std::string event_json(const std::string& connector, int number,
                                     const std::string& run = "run-1");

/// A text field of a JSON object on one line, as the program printed it; empty without one.
[[nodiscard]] std::string text_field(const std::string& json, const std::string& name);

} // namespace vicket::testing
