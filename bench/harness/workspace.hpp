#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace vicket::bench {

/// Where a run keeps what it needs: certificates, data folders, logs. A folder of its own below `parent`, gone
/// with its object unless it is kept.
class workspace {
public:
  /// `certificates`: a folder where they are kept, and made if there are none; empty: this run's own.
  /// Throws std::runtime_error when a folder can't be made or written to.
  workspace(const std::filesystem::path& parent, const std::filesystem::path& certificates, bool keep);
  ~workspace();
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  /// For 127.0.0.1.
  [[nodiscard]] std::filesystem::path ca_file() const { return certificates_ / "ca.pem"; }
  [[nodiscard]] std::filesystem::path cert_file() const { return certificates_ / "sink.pem"; }
  [[nodiscard]] std::filesystem::path key_file() const { return certificates_ / "sink.key"; }

  /// Of all connectors.
  [[nodiscard]] const std::string& secret() const { return secret_; }

  [[nodiscard]] std::uint64_t free_bytes() const;

private:
  void make_certificates() const;

  std::filesystem::path folder_;
  std::filesystem::path certificates_;
  std::string secret_;
  bool keep_;
};

/// Bytes that the files below take.
[[nodiscard]] std::uint64_t folder_bytes(const std::filesystem::path& folder);

} // namespace vicket::bench
