#pragma once

#include "actors/local_messages.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace vicket {

/// What the supervisors of a partition hold in memory, all together: events that were handed to them, and the answers of
/// attempts that are not recorded yet. Dealt by need: who asks gets more as long as there is room. When there is none,
/// those who ask wait in line, those who hold nothing before all others, and those who hold most are asked to give some
/// of it back to the due index. Pure: no actors, no store.
///
/// Each connector may hold as much as one small event weighs (`free_bytes`), whatever the others do, and that is not
/// counted: nobody waits for a small event because others are slow. What it holds beyond that comes out of the bytes, of
/// which three quarters are for anybody and the last quarter is for connectors that hold nothing. So all together hold at
/// most the bytes, and `free_bytes` for each that holds anything; only an event that is larger than all of the bytes is
/// taken beyond them, by itself.
///
/// A node has one for each partition, with an equal part of the node's bytes. One that they share would deal better when
/// partitions differ, which they hardly do, since connectors are spread over them by a hash; and giving back in one would
/// have to wake those who wait in another.
///
/// Thread safety: one thread, but for the answers, which come from any.
class window_budget {
public:
  /// Counted for an event besides its envelope: names, run, pointers.
  static constexpr std::size_t event_bytes = 512;
  /// By weight, for each connector: an envelope of 4 KiB.
  static constexpr std::size_t free_bytes = 4'096 + event_bytes;
  /// How many are asked to give back at a time.
  static constexpr std::size_t max_asked = 8;

  [[nodiscard]] static constexpr std::size_t weight(std::size_t envelope_bytes) noexcept {
    return envelope_bytes + event_bytes;
  }

  /// What one connector holds, and whether it waits for more. Stays where it is while it is not `idle`.
  class share {
  public:
    explicit share(connector_slot owner) : owner_{owner} {}
    share(const share&) = delete;
    share& operator=(const share&) = delete;

    [[nodiscard]] std::size_t events() const noexcept { return events_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; } ///< of envelopes
    [[nodiscard]] std::size_t weighs() const noexcept { return bytes_ + events_ * event_bytes; }
    /// What of it comes out of the budget.
    [[nodiscard]] std::size_t counts() const noexcept { return beyond_free(weighs()); }
    [[nodiscard]] std::size_t would_count(std::size_t more_envelope_bytes) const noexcept {
      return beyond_free(weighs() + weight(more_envelope_bytes)) - counts();
    }
    [[nodiscard]] bool waits() const noexcept { return ticket_ != 0; }
    /// Holds nothing and waits for nothing.
    [[nodiscard]] bool idle() const noexcept { return events_ == 0 && ticket_ == 0; }

  private:
    friend class window_budget;

    static constexpr std::uint8_t unranked = 0xff;

    static constexpr std::size_t beyond_free(std::size_t weighs) noexcept {
      return weighs > free_bytes ? weighs - free_bytes : 0;
    }

    connector_slot owner_;
    bool called_ = false;
    bool of_firsts_ = false;       ///< it held nothing when it began to wait
    std::uint8_t rank_ = unranked; ///< the power of two that it counts; unless asked to give back
    std::uint32_t rank_place_ = 0;
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t ticket_ = 0; ///< 0: it does not wait
    std::size_t wanted_ = 0;   ///< what the event that it waits for would count
    std::size_t expected_ = 0; ///< what it was asked to give back, and has not answered yet
  };

  explicit window_budget(std::size_t limit_bytes);

  // -- events ---------------------------------------------------------------------------------------------------------

  /// Whether a new event may be handed over as it comes. Else it goes to the due index.
  [[nodiscard]] bool has_room(const share& of, std::size_t envelope_bytes) const;

  void hold(share& of, std::size_t envelope_bytes);
  void let_go(share& of, std::size_t envelope_bytes);
  void let_go_all(share& of);

  // -- refills --------------------------------------------------------------------------------------------------------

  /// A refill, event by event. One that was called has its turn with it.
  class refill {
  public:
    /// How much is worth reading, by weight. The first event may weigh more, and be taken all the same.
    [[nodiscard]] std::size_t worth_reading() const noexcept {
      return grant_ + free_bytes - std::min(free_bytes, of_.weighs());
    }
    /// The next event; false: there is no room for it, and nothing more is taken in this refill.
    bool take(std::size_t envelope_bytes);
    /// There is an event that found no room, so the connector waits for as much.
    void wait(std::size_t envelope_bytes);

  private:
    friend class window_budget;
    refill(window_budget& budget, share& of);

    window_budget& budget_;
    share& of_;
    std::uint64_t ticket_ = 0; ///< of the turn
    std::size_t grant_ = 0;
  };
  [[nodiscard]] refill begin_refill(share& of) { return {*this, of}; }

  /// It wants nothing any more: it declined, or its supervisor is gone.
  void forget(share& of);

  /// Those for whom there is room now, to be told: what they wait for is kept for them until they come or are forgotten.
  /// First come, first served; those who held nothing when they came before all others.
  [[nodiscard]] std::vector<connector_slot> call();

  struct asked {
    connector_slot who = 0;
    std::size_t bytes = 0; ///< by weight
  };
  /// Those who are to give back so that the first in line gets its event: it holds nothing, and there is no room. Nobody
  /// is asked again before `answered`, or before what it holds has changed.
  [[nodiscard]] std::vector<asked> ask_back();
  /// It gave back what it could, which `let_go` was told.
  void answered(share& of, bool gave_something);

  // -- answers of attempts that are not recorded yet; any thread ------------------------------------------------------

  /// Counts them in; false: with them it would be more than a quarter of the bytes while there is no room. They are to be
  /// cut then, and are not counted.
  [[nodiscard]] bool add_answer(std::size_t bytes) noexcept;
  void drop_answer(std::size_t bytes) noexcept { answers_.fetch_sub(bytes, std::memory_order_relaxed); }

  // -- state ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  [[nodiscard]] std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t answers() const noexcept { return answers_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t large_holders() const noexcept { return large_holders_; } ///< of those who count
  [[nodiscard]] std::size_t waiting() const noexcept {
    return firsts_.size() + others_.size() + called_.size();
  }
  /// What each could have if all who hold or wait had the same.
  [[nodiscard]] std::size_t fair_share() const noexcept;

  void check() const; ///< the invariants below, as far as they can be seen from here

private:
  static constexpr std::size_t ranks = 64; ///< by powers of two of what is counted

  [[nodiscard]] std::size_t common() const noexcept { return limit_ - limit_ / 4; }
  [[nodiscard]] std::size_t used() const noexcept { return held() + answers(); }
  [[nodiscard]] bool fits_first(std::size_t counts) const noexcept;
  [[nodiscard]] bool fits_other(std::size_t counts) const noexcept;
  void change(share& of, std::size_t events, std::size_t bytes);
  void rank(share& of);
  void unrank(share& of);
  void stop_waiting(share& of);

  // Invariants:
  // - held_ is what all shares count, large_holders_ how many of them count;
  // - a share with a ticket is in exactly one of firsts_, others_ and called_, under it; called_bytes_ is what those in
  //   the last want;
  // - a share that counts is in ranked_, unless it was asked to give back.
  const std::size_t limit_;
  std::atomic<std::size_t> held_{0}; ///< written by the owner only
  std::atomic<std::size_t> answers_{0};
  std::size_t large_holders_ = 0;
  std::size_t largest_ = 0; ///< count of an event so far
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, share*> firsts_;
  std::map<std::uint64_t, share*> others_;
  std::map<std::uint64_t, share*> called_;
  std::size_t called_bytes_ = 0;
  std::size_t expected_bytes_ = 0; ///< of those who were asked
  std::array<std::vector<share*>, ranks> ranked_;
};

} // namespace vicket
