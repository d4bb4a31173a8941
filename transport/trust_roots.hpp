#pragma once

#include "transport/tls_context.hpp"
#include "transport/watched_files.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace vicket {

/// Reads whom deliveries trust: the system's roots, and every certificate of the operator's files, be it a root, an
/// intermediate or an endpoint's own. Of one thread, which may have to wait for the files: they may be on a mount that hangs.
class trust_roots {
public:
  /// What has come of reading them again. Neither: there was nothing to do.
  struct news {
    ssl_context_ptr fresh; ///< others are trusted from now on
    std::string line;      ///< for the log: why those that were trusted stay so
  };

  explicit trust_roots(std::vector<std::string> ca_files);

  /// Throws `std::runtime_error` when one of the files can't be read.
  [[nodiscard]] ssl_context_ptr read() const;
  /// Where the files have changed since they were read. Those that were trusted stay so while they can't be read.
  [[nodiscard]] news refresh(std::chrono::steady_clock::time_point now);
  /// The same without asking whether they have.
  [[nodiscard]] news reload();

private:
  const std::vector<std::string> ca_files_;
  watched_files files_;    ///< looked at before they are read
  bool was_short_ = false; ///< when they were to be read last
};

} // namespace vicket
