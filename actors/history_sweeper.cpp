#include "actors/history_sweeper.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

history_sweeper::history_sweeper(handle::pointer self,
                                 std::vector<std::shared_ptr<const partition_store>> stores)
    : self_{self}, stores_{std::move(stores)} {}

history_sweeper::handle::behavior_type history_sweeper::make_behavior() {
  self_->delayed_send(self_, look, tick{});
  return {[this](const tick&) { sweep(); }};
}

/// One file of each partition; then others, who may want it to end, get their turn.
void history_sweeper::sweep() {
  const auto swept =
      std::count_if(stores_.begin(), stores_.end(), [](const auto& store) { return store->sweep_history(); });
  if (swept > 0)
    self_->send(self_, tick{});
  else
    self_->delayed_send(self_, look, tick{});
}

} // namespace vicket
