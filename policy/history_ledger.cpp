#include "policy/history_ledger.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

constexpr std::uint64_t stretches = 64; ///< that a budget is cut into
constexpr std::size_t most_stretches =
    3 * stretches + 2;                       ///< 64 with answers, and any two without fill one together
constexpr std::uint64_t small_share = 1'024; ///< of the budget: with less a connector has no account
constexpr std::size_t small_places = 4'096;  ///< that those share, 32 KiB
constexpr std::size_t candidates = 16;       ///< accounts that are looked at when one has to go

} // namespace

// -- counting ---------------------------------------------------------------------------------------------------------

history_ledger::history_ledger(limits with) : with_{with}, small_(small_places) {}

std::uint64_t history_ledger::stretch_bytes() const noexcept {
  return std::max<std::uint64_t>(with_.budget_bytes / stretches, 1);
}

void history_ledger::load(std::uint64_t connector, account known) {
  entry made;
  for (const auto& one : known.stretches)
    made.bytes += one.bytes();
  made.attempts_from_stored = known.attempts_from;
  made.value = std::move(known);
  made.stored = true;
  if (accounts_.size() >= with_.accounts)
    if (const auto victim = find_victim(); victim != accounts_.end())
      remove(victim);
  if (accounts_.size() < with_.accounts)
    accounts_.emplace(connector, std::move(made));
}

void history_ledger::add(std::uint64_t connector, std::uint64_t position, std::uint64_t answer_bytes,
                         std::uint64_t attempt_bytes) {
  const auto bytes = answer_bytes + attempt_bytes;
  if (bytes == 0)
    return;
  const auto found = accounts_.find(connector);
  auto* const of = found != accounts_.end() ? &found->second : admit(connector, bytes);
  if (of == nullptr || position < of->value.counted_to)
    return;
  auto& parts = of->value.stretches;
  if (parts.empty() || parts.back().bytes() >= stretch_bytes())
    parts.push_back({position, 0, 0});
  parts.back().answer_bytes += answer_bytes;
  parts.back().attempt_bytes += attempt_bytes;
  of->bytes += bytes;
  of->value.counted_to = position + 1;
  if (of->changed_number == 0) {
    of->changed_number = ++last_number_;
    of->changed_position = position;
    changed_.push_back({connector, of->changed_number, position, counted_bytes_});
  }
  counted_bytes_ += bytes;
  bool dropped = false;
  while (of->bytes > with_.budget_bytes && drop_something(*of))
    dropped = true;
  if (dropped)
    urgent_.push_back(connector);
}

/// False: there is nothing but the last stretch.
bool history_ledger::drop_something(entry& of) const {
  auto& [answers_from, attempts_from, counted_to, parts] = of.value;
  if (parts.size() <= 1)
    return false;
  const auto oldest =
      std::find_if(parts.begin(), parts.end() - 1, [](const stretch& one) { return one.answer_bytes > 0; });
  if (oldest == parts.end() - 1) {
    of.bytes -= parts.front().bytes();
    parts.erase(parts.begin());
    attempts_from = parts.front().first;
    answers_from = std::max(answers_from, attempts_from);
    return true;
  }
  of.bytes -= oldest->answer_bytes;
  oldest->answer_bytes = 0;
  answers_from = (oldest + 1)->first;
  // What is left of it is small: with the one before it makes one, so that there are not many more than a budget has.
  if (oldest != parts.begin() && (oldest - 1)->bytes() + oldest->bytes() <= stretch_bytes()) {
    (oldest - 1)->attempt_bytes += oldest->attempt_bytes;
    parts.erase(oldest);
  }
  return true;
}

void history_ledger::forget_below(std::uint64_t position) {
  for (auto at = accounts_.begin(); at != accounts_.end();) {
    const auto one = at++;
    auto& parts = one->second.value.stretches;
    while (parts.size() > 1 && parts[1].first <= position) {
      one->second.bytes -= parts.front().bytes();
      parts.erase(parts.begin());
    }
    if (one->second.value.counted_to <= position)
      remove(one);
  }
}

// -- who has an account -----------------------------------------------------------------------------------------------

/// One of those who share a place gets an account when they have enough together. That is the one who comes most likely
/// that has most of it.
history_ledger::entry* history_ledger::admit(std::uint64_t connector, std::uint64_t bytes) {
  auto& place = small_[connector % small_.size()];
  place += bytes;
  if (place < with_.budget_bytes / small_share)
    return nullptr;
  const auto together = std::exchange(place, 0);
  if (accounts_.size() >= with_.accounts) {
    const auto victim = find_victim();
    if (victim == accounts_.end() || victim->second.bytes >= together)
      return nullptr;
    remove(victim);
  }
  return &accounts_[connector];
}

/// Of a few, the one with the fewest bytes that drops nothing: what was dropped must stay so.
history_ledger::map::iterator history_ledger::find_victim() {
  auto victim = accounts_.end();
  const auto buckets = accounts_.bucket_count();
  std::size_t seen = 0;
  for (std::size_t i = 0; i < buckets && seen < candidates; ++i) {
    next_victim_ = (next_victim_ + 1) % buckets;
    for (auto at = accounts_.begin(next_victim_); at != accounts_.end(next_victim_); ++at, ++seen)
      if (at->second.value.answers_from == 0 &&
          (victim == accounts_.end() || at->second.bytes < victim->second.bytes))
        victim = accounts_.find(at->first);
  }
  return victim;
}

void history_ledger::remove(map::iterator which) {
  if (which->second.stored)
    removed_.push_back(which->first);
  accounts_.erase(which);
}

// -- storing ----------------------------------------------------------------------------------------------------------

const history_ledger::entry* history_ledger::entry_of(const changed_place& place) const {
  const auto found = accounts_.find(place.connector);
  return found != accounts_.end() && found->second.changed_number == place.number ? &found->second : nullptr;
}

bool history_ledger::waits_too_long(const changed_place& place, std::uint64_t end) const {
  return place.position + with_.lag_positions <= end ||
         counted_bytes_ - place.bytes_before >= with_.lag_bytes;
}

history_ledger::change history_ledger::take(std::uint64_t connector, entry& of) {
  const bool drops_attempts = of.value.attempts_from > of.attempts_from_stored;
  of.stored = true;
  of.changed_number = 0;
  of.attempts_from_stored = of.value.attempts_from;
  return {connector, of.value, of.changed_position, drops_attempts};
}

std::vector<history_ledger::change> history_ledger::take_changes(std::uint64_t end, std::size_t limit) {
  std::vector<change> changes;
  for (; !removed_.empty() && changes.size() < limit; removed_.pop_back())
    if (!accounts_.contains(removed_.back()))
      changes.push_back({removed_.back(), std::nullopt, 0, false});
  for (; !urgent_.empty() && changes.size() < limit; urgent_.pop_back())
    if (const auto found = accounts_.find(urgent_.back());
        found != accounts_.end() && found->second.changed_number != 0) // else it was taken as another one's
      changes.push_back(take(found->first, found->second));
  for (; !changed_.empty(); changed_.pop_front()) {
    const auto& place = changed_.front();
    if (entry_of(place) == nullptr)
      continue;
    if (changes.size() >= limit || !waits_too_long(place, end))
      break;
    changes.push_back(take(place.connector, accounts_.at(place.connector)));
  }
  return changes;
}

void history_ledger::put_back(const std::vector<change>& changes) {
  for (const auto& one : changes) {
    if (!one.value) {
      removed_.push_back(one.connector);
      continue;
    }
    const auto found = accounts_.find(one.connector);
    if (found == accounts_.end())
      continue;
    auto& of = found->second;
    if (one.drops_attempts)
      of.attempts_from_stored = 0;
    of.changed_number = ++last_number_;
    of.changed_position = one.position;
    const auto before = std::upper_bound(
        changed_.begin(), changed_.end(), one.position,
        [](std::uint64_t position, const changed_place& place) { return position < place.position; });
    changed_.insert(before, {one.connector, of.changed_number, one.position, counted_bytes_});
    urgent_.push_back(one.connector);
  }
}

std::uint64_t history_ledger::counted_below(std::uint64_t end) const {
  for (const auto& place : changed_)
    if (entry_of(place) != nullptr)
      return std::min(place.position, end);
  return end;
}

// -- looking ----------------------------------------------------------------------------------------------------------

const history_ledger::account* history_ledger::find(std::uint64_t connector) const {
  const auto found = accounts_.find(connector);
  return found == accounts_.end() ? nullptr : &found->second.value;
}

void history_ledger::check() const {
  VICKET_ASSERT(accounts_.size() <= with_.accounts);
  std::size_t changed = 0;
  for (const auto& [connector, of] : accounts_) {
    const auto& [answers_from, attempts_from, counted_to, parts] = of.value;
    VICKET_ASSERT(answers_from >= attempts_from);
    std::uint64_t bytes = 0;
    auto from = attempts_from;
    for (const auto& one : parts) {
      VICKET_ASSERT(one.first >= from && one.first < counted_to);
      VICKET_ASSERT(one.first >= answers_from || one.answer_bytes == 0);
      from = one.first + 1;
      bytes += one.bytes();
    }
    VICKET_ASSERT(bytes == of.bytes && (bytes <= with_.budget_bytes || parts.size() == 1));
    VICKET_ASSERT(parts.size() <= most_stretches);
    changed += of.changed_number != 0 ? 1 : 0;
  }
  for (const auto& place : changed_)
    changed -= entry_of(place) != nullptr ? 1 : 0;
  VICKET_ASSERT(changed == 0);
  VICKET_ASSERT(std::is_sorted(changed_.begin(), changed_.end(),
                               [](const auto& a, const auto& b) { return a.position < b.position; }));
}

} // namespace vicket
