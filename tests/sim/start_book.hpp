#pragma once

#include "tests/sim/facts.hpp"
#include "tests/sim/plan.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vicket::sim {

/// Follows which requests are under way, and complains where there are more than there may be, or where a connector that
/// could start something waits although a place is free, or for longer than two rounds of dealing.
class start_book {
public:
  /// Each of two rounds has a turn for what is fresh and one for what has waited, and as much of the kept places.
  static constexpr std::uint64_t most_passed_by = 8;

  start_book(const world_shape& shape, std::vector<complaint>& complaints)
      : shape_{shape}, connectors_(shape.connectors.size()), complaints_{complaints} {}

  void life_began();
  /// `most`: how many the connector may have had under way at any time since it had none (`none_since`).
  void requested(std::uint32_t which, std::uint32_t most, const moment& now);
  void responded(std::uint32_t which, bool asks_for_peace, const moment& now);
  /// What it had under way its successor knows nothing of. Nobody knows which one it was.
  void supervisor_died();
  /// The connector changes: nobody knows for how long it may start nothing.
  void connector_changes(std::uint32_t which) { waiting_.erase(which); }
  /// Something is amiss for which starts may wait.
  void nobody_has_to_start() { waiting_.clear(); }
  /// Nothing moves, nothing is amiss, and these have events that are due and were never sent.
  void at_rest(const std::set<std::uint32_t>& with_events, const moment& now);

  [[nodiscard]] std::uint64_t none_since(std::uint32_t which) const { return connectors_[which].none_since; }

  /// For this long after its last answer a connector may have to wait for the record of it.
  [[nodiscard]] std::int64_t settle_ms() const { return shape_.late_rounds ? 60'000 : 3'000; }

private:
  struct connector_fact {
    std::uint64_t open = 0;
    std::uint64_t none_since = 0; ///< a place in the order
    bool excused = false;         ///< from its own bound, until nothing is open
    std::int64_t answered_ms = never_ms;
    std::int64_t asked_for_peace_ms = never_ms;
  };
  static constexpr std::int64_t never_ms = -1'000'000;
  static constexpr std::int64_t longest_peace_ms = 60'000;
  static constexpr std::size_t ample_window_bytes = 1u << 20; ///< all events of a world fit into it

  void complain(std::string rule, std::string detail) {
    complaints_.push_back({std::move(rule), std::move(detail)});
  }
  /// All connectors get their places from one dealer.
  [[nodiscard]] bool has_one_dealer() const { return shape_.partitions == 1 || shape_.max_in_flight < 16; }

  const world_shape& shape_;
  std::vector<connector_fact> connectors_;
  std::uint64_t open_ = 0;
  /// Those that wait, and how often each of the others was started since.
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> waiting_;
  std::vector<complaint>& complaints_;
};

} // namespace vicket::sim
