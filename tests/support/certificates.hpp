#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicket::testing {

/// A certificate and its key, as PEM text.
struct certificate {
  std::string pem;
  std::string key_pem;
};

/// What a certificate says.
struct certificate_request {
  std::string common_name = "Vicket test endpoint";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> addresses = {};
  long valid_from_s = -3'600; ///< relative to now
  long valid_until_s = 86'400;
  std::string purposes = "serverAuth,clientAuth";
  bool authority = false; ///< may issue others
};

/// A certificate authority that is made anew for each test run: keys on P-256, nothing written to disk.
class certificate_authority {
public:
  explicit certificate_authority(const std::string& name = "Vicket test root");

  [[nodiscard]] const std::string& pem() const { return own_.pem; }
  [[nodiscard]] certificate issue(const certificate_request& request) const;

  /// For `localhost`, `*.example.test`, `127.0.0.1` and `::1`.
  [[nodiscard]] certificate good() const;
  [[nodiscard]] certificate expired() const;
  /// One that this one has issued; what it issues comes without its own certificate.
  [[nodiscard]] certificate_authority intermediate(const std::string& name) const;
  [[nodiscard]] certificate wrong_name() const;

private:
  explicit certificate_authority(certificate own) : own_{std::move(own)} {}

  certificate own_;
};

/// Signed by itself, for the names of `good`.
[[nodiscard]] certificate self_signed_certificate();

/// A file in the temporary folder that is gone with its object; for what only takes file names (`--ca-file`).
class temporary_file {
public:
  explicit temporary_file(const std::string& content);
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file();

  [[nodiscard]] std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

} // namespace vicket::testing
