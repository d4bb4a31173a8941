#pragma once

#include "cluster/partition_keeper.hpp"
#include "cluster/partition_witness.hpp"
#include "tests/cluster/simulated_table.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace vicket::testing {

/// Nodes that keep one partition over a simulated database, with everything that goes wrong between them, by chance that a seed
/// decides. What must never be seen is looked for after each step (`violation`).
class keeper_world {
public:
  struct faults {
    bool cut_answers = true; ///< calls that are refused, cut or late
    bool failovers =
        true;            ///< rows that no standby has go; standbys are away, and then take over or come back
    bool outages = true; ///< the database answers nobody for a while
    bool pauses = true;  ///< nodes stand still
    bool kills = true;   ///< nodes begin anew from their stores, some of which lost what was not synced
    bool slow_commits = true; ///< everything takes seconds for a while
    bool yields = true;       ///< owners let go
    bool successions = true;  ///< an owner is taken for gone, since its node seems to have begun anew
    bool moves = true;        ///< owners say that others are to keep the partition
  };

  keeper_world(std::uint64_t seed, std::size_t nodes, const faults& with);
  ~keeper_world();
  keeper_world(const keeper_world&) = delete;
  keeper_world& operator=(const keeper_world&) = delete;

  /// So many steps of chance.
  void run(int steps);
  /// No more faults: after half a minute there has to be one owner that makes progress, and everybody follows.
  void calm_down();

  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
  [[nodiscard]] std::size_t claims() const { return claims_; }
  [[nodiscard]] std::size_t acts() const { return acts_; }
  [[nodiscard]] std::size_t moves() const { return moves_; } ///< times that a node has stopped following

private:
  struct applied_round {
    record_head head;
    record_digest digest{};
    placement_copies copies;
  };
  class queued_table;
  struct node {
    std::int64_t clock_offset_ms = 0;
    std::int64_t paused_until_ms = 0;
    std::vector<applied_round> store;
    std::size_t synced = 0;                     ///< of the store
    std::unique_ptr<queued_table> table;        ///< of this life
    std::unique_ptr<partition_keeper> keeper;   ///< likewise; null: it does not follow
    std::unique_ptr<partition_witness> witness; ///< likewise
    std::uint64_t life = 0;
    std::deque<std::function<void()>> inbox;     ///< answers that have come
    std::map<std::uint64_t, record_digest> seen; ///< what it had applied in any life
  };
  struct timer {
    std::int64_t at_ms = 0;
    std::uint64_t order = 0;
    std::size_t node = 0;
    std::uint64_t life = 0;
    std::function<void()> then;
    bool operator<(const timer& other) const { // the earliest is on top
      return at_ms != other.at_ms ? at_ms > other.at_ms : order > other.order;
    }
  };

  [[nodiscard]] bool is_paused(const node& it) const { return now_ms_ < it.paused_until_ms; }
  bool chance(double probability) {
    return std::uniform_real_distribution<double>{0, 1}(random_) < probability;
  }
  std::size_t pick(std::size_t of) { return static_cast<std::size_t>(random_() % of); }

  void start(std::size_t which);
  void wait(std::size_t which, std::int64_t ms, std::function<void()> then);
  void follow(std::size_t which);
  void beat(std::size_t which);
  void beat_keeper(std::size_t which);
  [[nodiscard]] bool is_taken_for_gone(const claim_owner& owner);
  [[nodiscard]] placement_copies copies_at(std::uint64_t number) const;
  void write(std::size_t which);
  bool apply(std::size_t which, const record_head& head, const record_digest& digest);
  void step();
  void let_a_call_happen();
  void deliver();
  void advance(std::int64_t ms);
  void make_trouble();
  void look();
  void complain(const std::string& what);

  std::mt19937_64 random_;
  faults faults_;
  simulated_database database_;
  std::vector<node> nodes_;
  std::priority_queue<timer> timers_;
  std::uint64_t timers_made_ = 0;
  std::int64_t now_ms_ = 1'000'000;
  std::int64_t outage_until_ms_ = 0;
  std::int64_t slow_until_ms_ = 0;
  std::int64_t standby_away_until_ms_ = 0;              ///< commits can be seen, and are not acknowledged
  std::map<std::uint64_t, record_digest> acknowledged_; ///< by number
  std::uint64_t written_ = 0;
  std::size_t claims_ = 0;
  std::size_t acts_ = 0;
  std::size_t moves_ = 0;
  std::string violation_;
};

} // namespace vicket::testing
