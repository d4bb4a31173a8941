#pragma once

#include "bench/harness/workspace.hpp"

#include <cstdint>
#include <string>

namespace vicket::bench {

/// The bound: how many POSTs a second `wrk`, which does nothing else, gets through to the same sink, with the same
/// bytes, over as many connections. Throws std::runtime_error when it isn't installed, or met errors.
class wrk {
public:
  /// The request is what the engine would send for the event `body`, headers and signatures included.
  wrk(const workspace& where, const std::string& body);

  struct result {
    double requests_per_s = 0;
    std::uint64_t requests = 0;
  };
  [[nodiscard]] result run(const std::string& url, unsigned connections, unsigned duration_s) const;

private:
  std::string program_;
  std::string script_;
  std::string log_;
};

} // namespace vicket::bench
