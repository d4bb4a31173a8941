#pragma once

#include "actors/feed_cursor.hpp"
#include "actors/interfaces.hpp"
#include "actors/retention_walk.hpp"
#include "policy/schedule_clock.hpp"
#include "policy/start_permit.hpp"
#include "storage/partition_store.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace vicket {

/// Reads one partition's store for the run history and the outcome feed, on a thread of its own beside the writer; and
/// tells the writer what history is too old to keep.
class history_reader {
public:
  using handle = history_reader_actor;

  static constexpr auto name = "history_reader";

  struct setup {
    std::uint32_t partition = 0;
    std::shared_ptr<const partition_store> store;
    persistence_actor persistence;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    /// Of a partition of a cluster: without it what is read here may be old, and is not shown. See `start_permit`.
    std::shared_ptr<const start_permit> permit;
    std::int64_t retention_ms = 0;
  };

  history_reader(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  caf::result<found_events> find(const find_partition_events& request) const;
  caf::result<found_events> find(const find_partition_run& request) const;
  caf::result<partition_histories> histories(const read_partition_histories& request) const;
  caf::result<partition_outcomes> outcomes(const read_partition_outcomes& request) const;
  void watch(const watch_feed& request);
  void pass_on(const feed_grew& news);

  [[nodiscard]] partition_outcomes read_outcomes_from(const read_partition_outcomes& request,
                                                      log_sequence oldest, const feed_drops& drops) const;
  [[nodiscard]] found_events locate(std::vector<log_sequence> sequences, std::uint32_t limit) const;
  /// Absent: it is not there any more. Without room for one attempt there are none, and all are left.
  [[nodiscard]] std::optional<partition_history>
  read_history(const wanted_history& wanted, std::size_t room_bytes, bool at_least_one) const;
  [[nodiscard]] std::optional<partition_store::last_attempt> last_of(const wanted_history& wanted) const;
  /// What could not be read must not pass for "not there": an answer is given only while the store is whole, and none of
  /// its reads was refused since `refused_before`.
  template <class Answer>
  [[nodiscard]] caf::result<Answer> unless_unread(std::uint64_t refused_before,
                                                  caf::result<Answer> answer) const;
  [[nodiscard]] std::optional<caf::error> unread(std::uint64_t refused_before) const;

  handle::pointer self_;
  setup with_;
  std::vector<feed_watcher_actor> watchers_; ///< each once: of a clustered node its own seat, and the door
  retention_walk retention_;
};

} // namespace vicket
