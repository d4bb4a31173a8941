#pragma once

#include "policy/start_kind.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

/// Who waits for something that is dealt in turns. In each round everybody has one turn of each kind, fresh ones first.
/// Who joins and has had no turn in this round gets one in it, so nobody waits for longer than the rest of this round and
/// the next one.
class turn_rounds {
public:
  using member = std::uint32_t;

  /// Joins at the end of its kind; or changes its kind.
  void join(member who, start_kind what);
  void leave(member who);
  [[nodiscard]] bool has(member who) const { return who < seats_.size() && seats_[who].taken; }

  /// Whose turn it is; absent: nobody's. `with_backlog` false passes over those of that kind, who keep their places.
  [[nodiscard]] std::optional<member> next(bool with_backlog);
  /// Its turn in this round is over; it waits for the next one.
  void end_turn(member who);
  /// Its turn in this round has begun, and will not come again in it if it leaves.
  void begin_turn(member who);

  /// It is somebody else from now on.
  void reset(member who);

private:
  static constexpr std::size_t kinds = 2;
  [[nodiscard]] static std::size_t index(start_kind what) { return static_cast<std::size_t>(what); }

  struct seat {
    bool taken = false;
    bool in_next = false; ///< in the list for the next round
    start_kind what = start_kind::fresh;
    std::list<member>::iterator place; ///< while taken
    std::array<std::uint64_t, kinds> had_turn{};
  };
  struct queue {
    std::uint64_t round = 1;
    std::list<member> now;
    std::list<member> next;
  };
  void begin_round(start_kind what);
  [[nodiscard]] std::list<member>& list_of(const seat& of);

  // Invariants: whoever is taken stands once in one list of its kind; whoever stands in `now` has not had its turn, of
  // that kind, before this round.
  std::array<queue, kinds> queues_;
  std::vector<seat> seats_;
};

/// Deals a node's places in flight over connectors, so that none gets in another's way:
/// - A start takes a place at once where one is free that it may have. Who finds none gets in line, and is offered places
///   in rounds (deficit round robin by weight), first attempts before the backlog of others.
/// - An eighth of the places, rounded to the nearest, is kept for connectors that hold none: those whose endpoints hang
///   can't take all, from four places on.
/// - Nobody in line starves: of the places that are dealt to all, whoever waits is offered one before any other is offered
///   more than two rounds give it, which is its weight for each kind and round; and of those that are kept, before any
///   other is offered more than two for each kind.
/// - The backlog can be paced (`allow_backlog`): then only so many more of its starts are made until more are allowed.
///
/// An offered place is used for nothing else until its offer is answered: who is offered some decides then whether it may
/// still start something (its endpoint may have asked for peace meanwhile), and gives back what it does not use.
///
/// Pure. A connector is known by a key while it holds places or is in line; O(1) for each start, end and offer.
class start_dealer {
public:
  using connector_key = std::uint64_t;
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// A place that a start has taken.
  struct place {
    std::uint32_t line = 0; ///< of the connector, while it has places
    bool kept = false;      ///< one of those for connectors that hold none
    start_kind what = start_kind::fresh;
  };

  struct offer {
    connector_key connector = 0;
    std::uint32_t places = 0;
  };

  /// Connectors that hold nothing and wait for nothing are remembered up to this many, or as many as there are places:
  /// most come again soon.
  static constexpr std::size_t max_idle_connectors = 1'024;

  /// At least one place.
  explicit start_dealer(std::size_t places);

  /// How many of so many places are kept for connectors that hold none.
  [[nodiscard]] static std::size_t kept_of(std::size_t places) noexcept { return (places + 4) / 8; }

  // -- starts and ends --------------------------------------------------------------------------------------------------

  /// For a connector that is not in line. Absent: it has to get in line.
  [[nodiscard]] std::optional<place> take(connector_key connector, start_kind what);
  /// One of the places that it was offered. Absent: it has no such place.
  [[nodiscard]] std::optional<place> take_offered(connector_key connector, start_kind what);
  /// What was started there is over.
  void give_back(const place& ended);

  // -- the line ---------------------------------------------------------------------------------------------------------

  /// The connector would start so many more, the first of them of that kind; 0: it leaves the line.
  void want(connector_key connector, std::uint32_t starts, start_kind first, std::uint32_t weight = 1);
  /// So many offered places are not used.
  void decline(connector_key connector, std::uint32_t places);
  /// The connector's speaker is gone: its offers and its place in line with it. What it has started goes on.
  void forget(connector_key connector);

  /// Offers what is free; to be called after every change that may have freed something. In the order of turns, one
  /// offer for each connector.
  void deal(std::vector<offer>& to);

  /// In line, or with an offer that is not answered.
  [[nodiscard]] bool is_waiting(connector_key connector) const;

  // -- bounds -----------------------------------------------------------------------------------------------------------

  /// So many more starts of the backlog, until it is said again.
  void allow_backlog(std::size_t starts) noexcept { backlog_left_ = starts; }
  /// What is left of that.
  [[nodiscard]] std::size_t backlog_left() const noexcept { return backlog_left_; }
  /// Somebody in line waits for more of it.
  [[nodiscard]] bool backlog_waits() const noexcept { return backlog_in_line_ > 0 && backlog_left_ == 0; }

  /// Nobody starts anything, and nothing is offered, until it is called with false.
  void stop_starts(bool stopped) noexcept { stopped_ = stopped; }

  // -- state ------------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::size_t places() const noexcept { return ordinary_ + kept_; }
  [[nodiscard]] std::size_t used() const noexcept {
    return ordinary_used_ + kept_used_;
  } ///< offered ones too
  [[nodiscard]] std::size_t offered() const noexcept { return offered_; }
  [[nodiscard]] std::size_t known_connectors() const noexcept { return lines_by_key_.size(); }
  /// Somebody is in line.
  [[nodiscard]] bool has_line() const noexcept { return in_line_ > 0; }

  void check() const; ///< the invariants below; walks over everything

private:
  using line_number = std::uint32_t;

  struct line {
    connector_key key = 0;
    bool known = false;
    bool idle = true; ///< counted in `idle_`, while known
    std::uint32_t weight = 1;
    std::uint32_t deficit = 0; ///< what is left of its turn
    std::uint32_t wanted = 0;  ///< beyond what is offered; 0: it is not in line
    start_kind what = start_kind::fresh;
    std::uint32_t running = 0; ///< places in which something was started
    std::uint32_t offered = 0;
    std::uint32_t offered_kept = 0;    ///< of these
    std::uint32_t offered_backlog = 0; ///< of these
    std::uint32_t newly_offered = 0;   ///< while dealing
    [[nodiscard]] std::uint32_t holds() const { return running + offered; }
  };

  [[nodiscard]] line_number line_of(connector_key connector);
  [[nodiscard]] std::optional<line_number> find(connector_key connector) const;
  void note_idle(line_number who);
  void forget_idle();
  [[nodiscard]] bool may_start(start_kind what) const;
  [[nodiscard]] std::optional<line_number> next_in_turn(bool& kept);
  void give_offer(line_number to, bool kept);
  /// One of the line's offered places is no longer that: whether it is a kept one, and what it was counted as.
  [[nodiscard]] std::pair<bool, start_kind> end_offer(line& of);
  void count_backlog(start_kind what) noexcept;
  void uncount_backlog(start_kind what) noexcept;
  void set_wanted(line_number who, std::uint32_t starts, start_kind first);
  void want_no_more(line_number who);
  void look_at_hands(line_number who);

  // Invariants: used() <= places(), of the ordinary and of the kept ones; used() is what all lines hold; in_rounds_ has
  // the lines that want something, empty_handed_ those of them that hold nothing; after `deal` nobody in line may have
  // what is free.
  const std::size_t kept_;
  const std::size_t ordinary_;
  std::size_t kept_used_ = 0;
  std::size_t ordinary_used_ = 0;
  std::size_t offered_ = 0;
  std::size_t backlog_left_ = unlimited;
  bool stopped_ = false;
  std::size_t in_line_ = 0;
  std::size_t backlog_in_line_ = 0; ///< of these
  std::size_t idle_ = 0;            ///< known lines that hold nothing and want nothing
  std::vector<line> lines_;
  std::vector<line_number> free_lines_;
  std::unordered_map<connector_key, line_number> lines_by_key_;
  turn_rounds in_rounds_;                ///< for the ordinary places
  turn_rounds empty_handed_;             ///< for the kept ones
  std::vector<line_number> offered_now_; ///< while dealing
};

} // namespace vicket
