#pragma once

#include <cstdint>
#include <string>

namespace vicket {

/// Why the store did not do it.
enum class store_errc : std::uint8_t {
  none,
  full,    ///< no space on the device; the same may be given again once `resume()` says ok
  failed,  ///< a write or sync failed: nothing may be acknowledged any more, the process must end (rule 4)
  corrupt, ///< what is on disk is not what was written (rule 5)
  locked,  ///< another process has it
  foreign, ///< not our format, or a newer one
  away,    ///< a cluster's log can't be reached: as `full`, but for what it is short of
};

struct store_status {
  store_errc code = store_errc::none;
  std::string detail; ///< one sentence with the path and what to do

  [[nodiscard]] bool ok() const noexcept { return code == store_errc::none; }
};

} // namespace vicket
