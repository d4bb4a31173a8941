#pragma once

#include "actors/interfaces.hpp"

#include <cstdint>
#include <vector>

namespace vicket {

/// Knows which actor heads each partition, and hands requests on to it: the one place where connector → partition →
/// handle is decided. A handle may be of another process.
class router {
public:
  using handle = router_actor;

  static constexpr auto name = "router";

  router(handle::pointer self, std::vector<partition_actor> heads);

  handle::behavior_type make_behavior();

private:
  [[nodiscard]] const partition_actor& head_of(const connector_id& id) const;

  handle::pointer self_;
  std::vector<partition_actor> heads_; ///< by partition number; never empty
};

} // namespace vicket
