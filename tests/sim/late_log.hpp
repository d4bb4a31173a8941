#pragma once

#include "storage/round_log.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace vicket::sim {

/// Logs whose rounds come back when the simulation says: as those of a log on another machine do. A round is applied when
/// it comes back, and is lost when the node dies before that.
class late_logs {
public:
  [[nodiscard]] std::unique_ptr<round_log> make(partition_store& store);

  /// Rounds on their way.
  [[nodiscard]] std::size_t ready() const noexcept { return waiting_->size(); }
  void bring_back(std::size_t which);

private:
  struct waiting {
    const round_log* owner = nullptr;
    partition_store* store = nullptr;
    const sealed_round* round = nullptr;
    round_log::completion done;
  };
  class late_log;

  /// Shared with the logs, which take what is theirs along when they go.
  std::shared_ptr<std::vector<waiting>> waiting_ = std::make_shared<std::vector<waiting>>();
};

} // namespace vicket::sim
