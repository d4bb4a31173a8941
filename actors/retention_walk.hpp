#pragma once

#include "actors/interfaces.hpp"
#include "policy/retention_rule.hpp"
#include "policy/schedule_clock.hpp"
#include "storage/partition_store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace vicket {

/// Moves a partition's retention edge on: the reader's part of the steps in storage/partition_retention.cpp. Owned by the
/// history reader, on whose thread it reads; one request to the writer at a time, so that events go first.
class retention_walk {
public:
  /// What one request carries over at most.
  static constexpr std::size_t max_page_bytes = 1u << 20;
  static constexpr std::size_t max_page_late = 2'000;

  struct setup {
    std::shared_ptr<const partition_store> store;
    persistence_actor persistence;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    retention_rule rule{0};
  };

  retention_walk(history_reader_actor::pointer self, setup with);

  /// Begins a step when the edge is to move and none is under way.
  void look();

private:
  struct step {
    timestamp_ms edge_time;
    timestamp_ms settled_since;
    log_sequence edge = 0;
    std::uint64_t reads_refused = 0; ///< by the store, before the step
    std::vector<log_sequence> kept;  ///< below the edge, rising
  };

  void carry(log_sequence from);
  void move_edge();
  void end(bool done);
  /// What could not be read must not be taken for nothing to keep.
  [[nodiscard]] bool all_was_read() const;

  history_reader_actor::pointer self_;
  setup with_;
  std::optional<step> under_way_;
  std::optional<timestamp_ms> done_; ///< the edge's time as of the last whole step of this process
};

} // namespace vicket
