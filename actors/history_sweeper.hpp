#pragma once

#include "actors/interfaces.hpp"
#include "storage/partition_store.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace vicket {

/// Has the stores of all partitions rewrite, one after the other, the files of which much is answers that are dropped. On
/// a thread of its own, below everything that somebody waits for.
class history_sweeper {
public:
  using handle = history_sweeper_actor;

  static constexpr auto name = "history_sweeper";

  /// How long after nothing was to be done it looks again.
  static constexpr std::chrono::milliseconds look{10'000};

  history_sweeper(handle::pointer self, std::vector<std::shared_ptr<const partition_store>> stores);

  handle::behavior_type make_behavior();

private:
  void sweep();

  handle::pointer self_;
  std::vector<std::shared_ptr<const partition_store>> stores_;
};

} // namespace vicket
