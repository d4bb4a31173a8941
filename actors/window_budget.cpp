#include "actors/window_budget.hpp"

#include "policy/assertion.hpp"

#include <bit>
#include <utility>

namespace vicket {

window_budget::window_budget(std::size_t limit_bytes) : limit_{std::max<std::size_t>(limit_bytes, 1)} {}

// -- events -----------------------------------------------------------------------------------------------------------

bool window_budget::fits_first(std::size_t counts) const noexcept {
  return counts == 0 || (held() == 0 && called_.empty()) || used() + called_bytes_ + counts <= limit_;
}

bool window_budget::has_room(const share& of, std::size_t envelope_bytes) const {
  const auto counts = of.would_count(envelope_bytes);
  if (counts == 0)
    return true;
  if (waiting() > 0)
    return false;
  return of.events_ == 0 ? fits_first(counts) : used() + counts <= common();
}

void window_budget::hold(share& of, std::size_t envelope_bytes) {
  largest_ = std::max(largest_, of.would_count(envelope_bytes));
  change(of, of.events_ + 1, of.bytes_ + envelope_bytes);
}

void window_budget::let_go(share& of, std::size_t envelope_bytes) {
  VICKET_ASSERT(of.events_ > 0 && of.bytes_ >= envelope_bytes);
  change(of, of.events_ - 1, of.bytes_ - envelope_bytes);
}

void window_budget::let_go_all(share& of) {
  change(of, 0, 0);
}

void window_budget::change(share& of, std::size_t events, std::size_t bytes) {
  const auto before = of.counts();
  of.events_ = events;
  of.bytes_ = bytes;
  const auto after = of.counts();
  if (before == after) // as nearly always: small events, soon gone
    return;
  held_.store(held() - before + after, std::memory_order_relaxed);
  large_holders_ = large_holders_ - (before > 0 ? 1 : 0) + (after > 0 ? 1 : 0);
  expected_bytes_ -= std::exchange(of.expected_, 0);
  rank(of);
}

void window_budget::rank(share& of) {
  const auto counts = of.counts();
  const auto wanted = counts == 0 ? share::unranked : static_cast<std::uint8_t>(std::bit_width(counts) - 1);
  if (wanted == of.rank_)
    return;
  unrank(of);
  if (wanted == share::unranked)
    return;
  auto& equals = ranked_[wanted];
  of.rank_ = wanted;
  of.rank_place_ = static_cast<std::uint32_t>(equals.size());
  equals.push_back(&of);
}

void window_budget::unrank(share& of) {
  if (of.rank_ == share::unranked)
    return;
  auto& equals = ranked_[of.rank_];
  equals.back()->rank_place_ = of.rank_place_;
  equals[of.rank_place_] = equals.back();
  equals.pop_back();
  of.rank_ = share::unranked;
}

// -- refills ----------------------------------------------------------------------------------------------------------

window_budget::refill::refill(window_budget& budget, share& of) : budget_{budget}, of_{of} {
  if (of.called_) {
    ticket_ = of.ticket_;
    grant_ = of.wanted_;
    budget_.stop_waiting(of);
  }
  const auto used = budget_.used() + budget_.called_bytes_;
  const auto room = budget_.common() - std::min(budget_.common(), used);
  const auto others = budget_.waiting() - (of.waits() ? 1 : 0);
  if (others == 0)
    grant_ = std::max(grant_, room);
  else if (ticket_ != 0) // as much as is fair
    grant_ =
        std::max(grant_, std::min(room, budget_.fair_share() - std::min(budget_.fair_share(), of.counts())));
}

bool window_budget::refill::take(std::size_t envelope_bytes) {
  const auto counts = of_.would_count(envelope_bytes);
  // Who holds nothing comes before those who want more, but not before others who hold nothing.
  const bool is_next = ticket_ != 0 || budget_.firsts_.empty() || budget_.firsts_.begin()->second == &of_;
  const bool as_first = of_.events_ == 0 && is_next && budget_.fits_first(counts);
  if (counts > grant_ && !as_first)
    return false;
  if (ticket_ != 0 && !budget_.fits_first(counts))
    return false; // answers took the room while it was on its way
  grant_ -= std::min(grant_, counts);
  budget_.stop_waiting(of_);
  budget_.hold(of_, envelope_bytes);
  return true;
}

void window_budget::refill::wait(std::size_t envelope_bytes) {
  if (!of_.waits()) {
    of_.ticket_ = ticket_ != 0 ? ticket_ : ++budget_.last_ticket_;
    of_.of_firsts_ = of_.events_ == 0;
    (of_.of_firsts_ ? budget_.firsts_ : budget_.others_).emplace(of_.ticket_, &of_);
  }
  if (!of_.called_)
    of_.wanted_ = of_.would_count(envelope_bytes);
}

void window_budget::forget(share& of) {
  stop_waiting(of);
}

void window_budget::stop_waiting(share& of) {
  if (!of.waits())
    return;
  if (of.called_)
    called_bytes_ -= of.wanted_;
  (of.called_ ? called_ : of.of_firsts_ ? firsts_ : others_).erase(of.ticket_);
  of.ticket_ = 0;
  of.called_ = false;
}

std::vector<connector_slot> window_budget::call() {
  std::vector<connector_slot> told;
  const auto call_first_of = [&](std::map<std::uint64_t, share*>& line) {
    auto& first = *line.begin()->second;
    line.erase(line.begin());
    first.called_ = true;
    called_.emplace(first.ticket_, &first);
    called_bytes_ += first.wanted_;
    told.push_back(first.owner_);
  };
  while (!firsts_.empty() && fits_first(firsts_.begin()->second->wanted_))
    call_first_of(firsts_);
  while (firsts_.empty() && !others_.empty() && fits_other(others_.begin()->second->wanted_))
    call_first_of(others_);
  return told;
}

/// Three quarters may be less than the event: then it goes when nothing else is there.
bool window_budget::fits_other(std::size_t counts) const noexcept {
  return used() + called_bytes_ + counts <= common() || (held() == 0 && called_.empty());
}

std::vector<window_budget::asked> window_budget::ask_back() {
  std::vector<asked> all;
  if (firsts_.empty())
    return all;
  const auto needed = used() + called_bytes_ + firsts_.begin()->second->wanted_;
  const auto fair = fair_share();
  for (auto rank = ranks; rank-- > 0;) {
    auto& equals = ranked_[rank];
    while (!equals.empty()) {
      if (all.size() == max_asked || needed <= limit_ + expected_bytes_)
        return all;
      auto& chosen = *equals.back();
      unrank(chosen);
      // A fair share may be too much, too, when the event is a large part of all there is.
      chosen.expected_ = chosen.counts() > fair ? chosen.counts() - fair : (chosen.counts() + 1) / 2;
      expected_bytes_ += chosen.expected_;
      all.push_back({chosen.owner_, chosen.expected_});
    }
  }
  return all;
}

void window_budget::answered(share& of, bool gave_something) {
  expected_bytes_ -= std::exchange(of.expected_, 0);
  if (gave_something)
    rank(of); // else it is not asked again before what it holds has changed
}

// -- answers ----------------------------------------------------------------------------------------------------------

bool window_budget::add_answer(std::size_t bytes) noexcept {
  const auto all = answers_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (all <= limit_ / 4 || all + held() <= limit_)
    return true;
  drop_answer(bytes);
  return false;
}

// -- state ------------------------------------------------------------------------------------------------------------

std::size_t window_budget::fair_share() const noexcept {
  return common() / std::max<std::size_t>(1, large_holders_ + firsts_.size());
}

void window_budget::check() const {
  VICKET_ASSERT(held() <= std::max(limit_, largest_));
  std::size_t called_bytes = 0;
  for (const auto* line : {&firsts_, &others_, &called_})
    for (const auto& [ticket, who] : *line) {
      VICKET_ASSERT(who->ticket_ == ticket && who->called_ == (line == &called_));
      called_bytes += who->called_ ? who->wanted_ : 0;
    }
  VICKET_ASSERT(called_bytes == called_bytes_);
}

} // namespace vicket
