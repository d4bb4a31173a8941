#include "policy/start_dealer.hpp"

#include "policy/assertion.hpp"

#include <algorithm>

namespace vicket {

// -- turns ------------------------------------------------------------------------------------------------------------

std::list<turn_rounds::member>& turn_rounds::list_of(const seat& of) {
  auto& of_kind = queues_[index(of.what)];
  return of.in_next ? of_kind.next : of_kind.now;
}

void turn_rounds::join(member who, start_kind what) {
  if (who >= seats_.size())
    seats_.resize(who + 1);
  auto& mine = seats_[who];
  if (mine.taken && mine.what == what)
    return;
  leave(who);
  mine.taken = true;
  mine.what = what;
  mine.in_next = mine.had_turn[index(what)] == queues_[index(what)].round;
  auto& list = list_of(mine);
  mine.place = list.insert(list.end(), who);
}

void turn_rounds::leave(member who) {
  if (!has(who))
    return;
  auto& mine = seats_[who];
  list_of(mine).erase(mine.place);
  mine.taken = false;
}

void turn_rounds::begin_round(start_kind what) {
  auto& of_kind = queues_[index(what)];
  of_kind.now.splice(of_kind.now.end(), of_kind.next);
  for (const auto who : of_kind.now)
    seats_[who].in_next = false;
  ++of_kind.round;
}

std::optional<turn_rounds::member> turn_rounds::next(bool with_backlog) {
  auto& fresh = queues_[index(start_kind::fresh)];
  auto& backlog = queues_[index(start_kind::backlog)];
  for (const bool is_new_round : {false, true}) {
    if (is_new_round) {
      begin_round(start_kind::fresh);
      if (with_backlog)
        begin_round(start_kind::backlog);
    }
    if (!fresh.now.empty())
      return fresh.now.front();
    if (with_backlog && !backlog.now.empty())
      return backlog.now.front();
    if (fresh.next.empty() && (!with_backlog || backlog.next.empty()))
      return std::nullopt;
  }
  return std::nullopt;
}

void turn_rounds::begin_turn(member who) {
  auto& mine = seats_[who];
  mine.had_turn[index(mine.what)] = queues_[index(mine.what)].round;
}

void turn_rounds::end_turn(member who) {
  auto& mine = seats_[who];
  auto& next = queues_[index(mine.what)].next;
  next.splice(next.end(), list_of(mine), mine.place);
  mine.in_next = true;
}

void turn_rounds::reset(member who) {
  leave(who);
  if (who < seats_.size())
    seats_[who].had_turn = {};
}

// -- the dealer -------------------------------------------------------------------------------------------------------

start_dealer::start_dealer(std::size_t places) : kept_{kept_of(places)}, ordinary_{places - kept_} {
  VICKET_ASSERT(places > 0);
}

std::optional<start_dealer::line_number> start_dealer::find(connector_key connector) const {
  const auto found = lines_by_key_.find(connector);
  return found == lines_by_key_.end() ? std::nullopt : std::optional{found->second};
}

start_dealer::line_number start_dealer::line_of(connector_key connector) {
  if (const auto known = find(connector))
    return *known;
  if (idle_ >= std::max(max_idle_connectors, places()))
    forget_idle();
  if (free_lines_.empty()) {
    free_lines_.push_back(static_cast<line_number>(lines_.size()));
    lines_.emplace_back();
  }
  const auto number = free_lines_.back();
  free_lines_.pop_back();
  auto& made = lines_[number];
  made = {};
  made.key = connector;
  made.known = true;
  ++idle_;
  in_rounds_.reset(number);
  empty_handed_.reset(number);
  lines_by_key_.emplace(connector, number);
  return number;
}

void start_dealer::forget_idle() {
  for (line_number number = 0; number < lines_.size(); ++number) {
    auto& each = lines_[number];
    if (!each.known || !each.idle)
      continue;
    lines_by_key_.erase(each.key);
    each.known = false;
    free_lines_.push_back(number);
  }
  idle_ = 0;
}

void start_dealer::note_idle(line_number who) {
  auto& mine = lines_[who];
  const bool idle = mine.holds() == 0 && mine.wanted == 0;
  if (idle && !mine.idle)
    ++idle_;
  else if (!idle && mine.idle)
    --idle_;
  mine.idle = idle;
}

// -- starts and ends --------------------------------------------------------------------------------------------------

bool start_dealer::may_start(start_kind what) const {
  return !stopped_ && (what == start_kind::fresh || backlog_left_ > 0);
}

void start_dealer::count_backlog(start_kind what) noexcept {
  if (what == start_kind::backlog && backlog_left_ > 0)
    --backlog_left_;
}

void start_dealer::uncount_backlog(start_kind what) noexcept {
  if (what == start_kind::backlog && backlog_left_ < unlimited)
    ++backlog_left_;
}

std::optional<start_dealer::place> start_dealer::take(connector_key connector, start_kind what) {
  if (!may_start(what) || used() == places())
    return std::nullopt;
  const auto number = line_of(connector);
  auto& mine = lines_[number];
  const bool kept = ordinary_used_ == ordinary_;
  if (mine.wanted > 0 || (kept && (kept_used_ == kept_ || mine.holds() > 0)))
    return std::nullopt;
  ++(kept ? kept_used_ : ordinary_used_);
  count_backlog(what);
  ++mine.running;
  note_idle(number);
  return place{number, kept, what};
}

std::pair<bool, start_kind> start_dealer::end_offer(line& of) {
  const bool kept = of.offered_kept > 0;
  const auto what = of.offered_backlog > 0 ? start_kind::backlog : start_kind::fresh;
  of.offered_kept -= kept ? 1 : 0;
  of.offered_backlog -= what == start_kind::backlog ? 1 : 0;
  --of.offered;
  --offered_;
  return {kept, what};
}

std::optional<start_dealer::place> start_dealer::take_offered(connector_key connector, start_kind what) {
  const auto number = find(connector);
  if (!number || lines_[*number].offered == 0)
    return std::nullopt;
  auto& mine = lines_[*number];
  const auto [kept, counted_as] = end_offer(mine);
  uncount_backlog(counted_as);
  count_backlog(what);
  ++mine.running;
  return place{*number, kept, what};
}

void start_dealer::give_back(const place& ended) {
  VICKET_ASSERT(ended.line < lines_.size() && lines_[ended.line].running > 0);
  --(ended.kept ? kept_used_ : ordinary_used_);
  --lines_[ended.line].running;
  look_at_hands(ended.line);
}

// -- the line ---------------------------------------------------------------------------------------------------------

void start_dealer::set_wanted(line_number who, std::uint32_t starts, start_kind first) {
  auto& mine = lines_[who];
  const auto count = [&](bool in_line, start_kind what, std::size_t by) {
    in_line_ += in_line ? by : 0;
    backlog_in_line_ += in_line && what == start_kind::backlog ? by : 0;
  };
  count(mine.wanted > 0, mine.what, ~std::size_t{0}); // one less
  mine.wanted = starts;
  mine.what = first;
  count(mine.wanted > 0, mine.what, 1);
}

/// Whoever is in line and holds nothing may have a kept place.
void start_dealer::look_at_hands(line_number who) {
  const auto& mine = lines_[who];
  if (mine.wanted > 0 && mine.holds() == 0)
    empty_handed_.join(who, mine.what);
  else
    empty_handed_.leave(who);
  note_idle(who);
}

void start_dealer::want_no_more(line_number who) {
  auto& mine = lines_[who];
  set_wanted(who, 0, mine.what);
  mine.deficit = 0;
  in_rounds_.leave(who);
  look_at_hands(who);
}

void start_dealer::want(connector_key connector, std::uint32_t starts, start_kind first,
                        std::uint32_t weight) {
  const auto known = find(connector);
  if (!known && starts == 0)
    return;
  const auto number = known ? *known : line_of(connector);
  auto& mine = lines_[number];
  starts -= std::min(starts, mine.offered); // those it is still to hear of
  mine.weight = std::max(weight, 1u);
  if (starts == 0) {
    want_no_more(number);
    return;
  }
  if (mine.what != first) // it gets the turn of the other kind from its beginning
    mine.deficit = 0;
  set_wanted(number, starts, first);
  in_rounds_.join(number, first);
  look_at_hands(number);
}

void start_dealer::decline(connector_key connector, std::uint32_t places) {
  const auto number = find(connector);
  if (!number)
    return;
  auto& mine = lines_[*number];
  for (places = std::min(places, mine.offered); places > 0; --places) {
    const auto [kept, what] = end_offer(mine);
    --(kept ? kept_used_ : ordinary_used_);
    uncount_backlog(what);
  }
  look_at_hands(*number);
}

void start_dealer::forget(connector_key connector) {
  const auto number = find(connector);
  if (!number)
    return;
  decline(connector, lines_[*number].offered);
  want_no_more(*number);
}

bool start_dealer::is_waiting(connector_key connector) const {
  const auto number = find(connector);
  return number && (lines_[*number].wanted > 0 || lines_[*number].offered > 0);
}

// -- dealing ----------------------------------------------------------------------------------------------------------

std::optional<start_dealer::line_number> start_dealer::next_in_turn(bool& kept) {
  if (stopped_)
    return std::nullopt;
  const bool with_backlog = may_start(start_kind::backlog);
  if (ordinary_used_ < ordinary_) {
    kept = false;
    return in_rounds_.next(with_backlog);
  }
  kept = true;
  return kept_used_ < kept_ ? empty_handed_.next(with_backlog) : std::nullopt;
}

void start_dealer::give_offer(line_number to, bool kept) {
  auto& mine = lines_[to];
  ++(kept ? kept_used_ : ordinary_used_);
  ++offered_;
  ++mine.offered;
  mine.offered_kept += kept ? 1 : 0;
  if (mine.what == start_kind::backlog) {
    count_backlog(mine.what);
    ++mine.offered_backlog;
  }
  if (mine.newly_offered++ == 0)
    offered_now_.push_back(to);
  if (kept) {
    empty_handed_.begin_turn(to);
  } else {
    in_rounds_.begin_turn(to);
    mine.deficit = (mine.deficit == 0 ? mine.weight : mine.deficit) - 1;
  }
  set_wanted(to, mine.wanted - 1, mine.what);
  if (mine.wanted == 0) {
    mine.deficit = 0;
    in_rounds_.leave(to);
  } else if (!kept && mine.deficit == 0) {
    in_rounds_.end_turn(to);
  }
  look_at_hands(to);
}

void start_dealer::deal(std::vector<offer>& to) {
  to.clear();
  if (in_line_ == 0)
    return;
  bool kept = false;
  while (const auto who = next_in_turn(kept))
    give_offer(*who, kept);
  for (const auto number : offered_now_) {
    auto& mine = lines_[number];
    to.push_back({mine.key, mine.newly_offered});
    mine.newly_offered = 0;
  }
  offered_now_.clear();
}

// -- invariants -------------------------------------------------------------------------------------------------------

void start_dealer::check() const {
  std::size_t holds = 0;
  std::size_t offered = 0;
  std::size_t in_line = 0;
  std::size_t backlog_in_line = 0;
  std::size_t idle = 0;
  for (line_number number = 0; number < lines_.size(); ++number) {
    const auto& each = lines_[number];
    if (!each.known)
      continue;
    holds += each.holds();
    offered += each.offered;
    in_line += each.wanted > 0 ? 1 : 0;
    backlog_in_line += each.wanted > 0 && each.what == start_kind::backlog ? 1 : 0;
    idle += each.idle ? 1 : 0;
    VICKET_ASSERT(find(each.key) == number);
    VICKET_ASSERT(each.offered_kept <= each.offered && each.offered_backlog <= each.offered);
    VICKET_ASSERT(each.idle == (each.holds() == 0 && each.wanted == 0));
    VICKET_ASSERT(in_rounds_.has(number) == (each.wanted > 0));
    VICKET_ASSERT(empty_handed_.has(number) == (each.wanted > 0 && each.holds() == 0));
  }
  VICKET_ASSERT(kept_used_ <= kept_ && ordinary_used_ <= ordinary_);
  VICKET_ASSERT(holds == used() && offered == offered_ && offered_ <= used());
  VICKET_ASSERT(in_line == in_line_ && backlog_in_line == backlog_in_line_ && idle == idle_);
}

} // namespace vicket
