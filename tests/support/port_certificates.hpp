#pragma once

#include "net/tls_files.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace vicket::testing {

/// The certificates of an actor port and of those who come to it, in a folder.
class port_certificates {
public:
  /// Makes the folder and the files. Throws std::runtime_error when they can't be written.
  explicit port_certificates(const std::filesystem::path& folder);

  [[nodiscard]] tls_files honest() const { return of("honest"); } ///< sender and operator
  [[nodiscard]] tls_files sender() const { return of("sender"); } ///< sender, and nothing else
  [[nodiscard]] tls_files foreign() const {
    return of("foreign");
  } ///< of an authority that the node does not know
  /// A node's, with the roles of those above.
  [[nodiscard]] std::vector<std::string> node_flags() const;

private:
  [[nodiscard]] tls_files of(const std::string& name) const;

  std::filesystem::path folder_;
};

} // namespace vicket::testing
