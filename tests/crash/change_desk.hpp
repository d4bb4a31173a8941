#pragma once

#include "tests/crash/journal.hpp"
#include "tests/crash/plan.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace vicket::crash {

/// Which connector is put or deleted next, and what came of it; the feeder asks the node. Invariant: of each connector
/// one change is under way at most, so that what it may be at any moment is known.
class change_desk {
public:
  /// `ports`: of the receivers, and at last the one on which nobody listens. Both have to outlive this.
  change_desk(const plan& promises, journal& notes, std::array<std::uint16_t, plan::receivers + 1> ports);

  struct task {
    const planned_connector* of = nullptr;
    std::uint64_t version = 0;
    std::optional<connector> put; ///< absent: a delete
  };

  /// The plan's next change, if it is time for it and its connector is free; noted down as asked. `in_burst`: the
  /// connector that a burst holds is not.
  [[nodiscard]] std::optional<task> next(std::int64_t now_ms, bool in_burst);
  /// A put of this very connector, for a burst; absent: one is under way. `enabled`: only of the one that is held.
  [[nodiscard]] bool free(std::string_view connector) const;
  [[nodiscard]] std::optional<task> put_now(std::string_view connector, bool enabled);
  /// When no more events come: puts every changed connector as it shall be at the end. Absent: all is done or waits.
  [[nodiscard]] std::optional<task> next_last();
  [[nodiscard]] bool all_last_done() const { return last_done_.size() == last_count_; }

  /// `lost`: of a node that has ended meanwhile; it is noted down, and says nothing of what is under way now.
  void answered(const task& done, std::optional<errc> refused, bool lost);
  /// The node has ended, and with it what was under way.
  void node_lost() { under_way_.clear(); }

private:
  [[nodiscard]] task begin(const planned_connector& of, std::uint64_t version, bool remove);

  const plan& promises_;
  journal& notes_;
  std::array<std::uint16_t, plan::receivers + 1> ports_;
  std::uint64_t next_number_ = 1;
  std::int64_t last_change_ms_ = 0;
  std::set<std::string, std::less<>> under_way_; ///< `max_under_way` at most, besides a burst's
  std::set<std::string> last_done_;
  std::size_t last_count_ = 0;
};

} // namespace vicket::crash
