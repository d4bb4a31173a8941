#pragma once

#include "bench/sink/descriptor.hpp"

#include <vector>

namespace vicket::bench {

/// What ends the sink: SIGTERM, SIGINT, or the end of its standard input when that is a pipe or a socket (so
/// a terminal, a file or /dev/null doesn't). Blocks the two signals for the calling thread; to be made before
/// there is another.
class termination_watch {
public:
  /// Throws std::runtime_error when signals can't be had as a descriptor.
  termination_watch();

  /// Those to wait for; when one can be read, ask whether it `ended`.
  [[nodiscard]] const std::vector<int>& descriptors() const noexcept { return watched_; }
  /// False: it was only something on standard input, which is dropped.
  [[nodiscard]] bool ended(int descriptor) const;

private:
  descriptor signals_;
  std::vector<int> watched_;
};

} // namespace vicket::bench
