#pragma once

#include "actors/feed_cursor.hpp"
#include "actors/gather.hpp"
#include "actors/history_limits.hpp"
#include "actors/history_order.hpp"
#include "actors/history_page.hpp"
#include "actors/interfaces.hpp"
#include "actors/reading_places.hpp"
#include "policy/schedule_clock.hpp"

#include <caf/actor_addr.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// The run history and the outcome feed over all partitions of a node: asks each partition's reader and merges.
/// A partition of a cluster that can't be reached (`unavailable`) keeps its place in the feed and does not hold up the page; a
/// history is only answered when all could look.
/// Holds the answers of those who follow the feed until there is something new, or they are gone. So many pages are put together at the
/// same time as `history_limits` says.
class history {
public:
  using handle = history_actor;

  static constexpr auto name = "history";

  /// Followers that wait at the same time; one more is answered at once with an empty page.
  static constexpr std::size_t max_followers = 1'000;
  /// Followers are looked at in this interval: how exactly `wait_ms` is kept.
  static constexpr std::int64_t look_ms = 50;
  /// How soon it is heard of a partition that could not be read, for those who wait.
  static constexpr std::int64_t unread_ms = 200;

  history(handle::pointer self, std::vector<partition_reader_actor> readers, const schedule_clock& clock,
          history_limits limits = {});

  handle::behavior_type make_behavior();

private:
  struct follower {
    caf::typed_response_promise<outcome_page> promise;
    caf::actor_addr asker;
    std::vector<std::optional<feed_position>> from; ///< by partition; absent: from the oldest that is kept
    std::string cursor;                             ///< the same as text, once they are all there
    std::vector<std::string> unread;                ///< see `outcome_page`
    read_outcomes request;
    timestamp_ms until;
    bool reading = false; ///< a read for it is under way
  };
  using follower_ptr = std::shared_ptr<follower>;

  caf::result<event_page> event(const get_event& request);
  caf::result<run_page> run(const get_run& request);
  template <class Page, class Cursor>
  void read_page(caf::typed_response_promise<Page> promise, Cursor from, ordered_events order,
                 std::optional<caf::error> nothing);
  caf::result<outcome_page> outcomes(const read_outcomes& request);
  void read_for(const follower_ptr& who);
  void ask_for(const follower_ptr& who);
  /// At least one has an answer; the others can't be reached.
  void answer_or_keep(const follower_ptr& who, std::vector<gathered<partition_outcomes>> answers);
  void keep(const follower_ptr& who);
  /// Its answer is given, or nobody waits for it.
  void let_go(const follower_ptr& who);
  void forget(const caf::actor_addr& asker);
  void feed_has_grown();
  void look_at_followers();
  void schedule_look();

  handle::pointer self_;
  std::vector<partition_reader_actor> readers_;
  const schedule_clock& clock_;
  history_limits limits_;
  reading_places histories_;          ///< pages of events and runs
  reading_places feeds_;              ///< apart from them, so that a long history holds up no follower
  std::list<follower_ptr> followers_; ///< bounded by max_followers
  bool look_under_way_ = false;
};

} // namespace vicket
