#include "policy/history_ledger.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

constexpr std::uint64_t stretches = 64; ///< that a budget is cut into
constexpr std::size_t candidates = 16;  ///< accounts that are looked at when one has to go

} // namespace

// -- counting ---------------------------------------------------------------------------------------------------------

void history_ledger::load(std::uint64_t connector, account known) {
  entry made;
  for (const auto& one : known.stretches)
    made.bytes += one.bytes;
  made.value = std::move(known);
  made.stored = true;
  if (accounts_.size() >= with_.accounts)
    if (const auto victim = find_victim(); victim != accounts_.end())
      remove(victim);
  if (accounts_.size() < with_.accounts)
    accounts_.emplace(connector, std::move(made));
}

void history_ledger::add(std::uint64_t connector, std::uint64_t position, std::uint64_t bytes) {
  const auto found = accounts_.find(connector);
  auto* const of = found != accounts_.end() ? &found->second : admit(connector, bytes);
  if (of == nullptr || position < of->value.counted_to)
    return;
  auto& parts = of->value.stretches;
  if (parts.empty() || parts.back().bytes >= std::max<std::uint64_t>(with_.budget_bytes / stretches, 1))
    parts.push_back({position, 0});
  parts.back().bytes += bytes;
  of->bytes += bytes;
  of->value.counted_to = position + 1;
  if (of->changed_number == 0) {
    of->changed_number = ++last_number_;
    of->changed_position = position;
    changed_.push_back({connector, of->changed_number, position, counted_bytes_});
  }
  counted_bytes_ += bytes;
  if (of->bytes <= with_.budget_bytes || parts.size() == 1)
    return;
  while (of->bytes > with_.budget_bytes && parts.size() > 1) {
    of->bytes -= parts.front().bytes;
    parts.erase(parts.begin());
  }
  of->value.kept_from = parts.front().first;
  urgent_.push_back(connector);
}

void history_ledger::forget_below(std::uint64_t position) {
  for (auto at = accounts_.begin(); at != accounts_.end();) {
    const auto one = at++;
    auto& parts = one->second.value.stretches;
    while (parts.size() > 1 && parts[1].first <= position) {
      one->second.bytes -= parts.front().bytes;
      parts.erase(parts.begin());
    }
    if (one->second.value.counted_to <= position)
      remove(one);
  }
}

// -- who has an account -----------------------------------------------------------------------------------------------

history_ledger::entry* history_ledger::admit(std::uint64_t connector, std::uint64_t bytes) {
  if (accounts_.size() >= with_.accounts) {
    const auto victim = find_victim();
    if (victim == accounts_.end() || victim->second.bytes >= bytes)
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
      if (at->second.value.kept_from == 0 &&
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
  of.stored = true;
  of.changed_number = 0;
  return {connector, of.value, of.changed_position};
}

std::vector<history_ledger::change> history_ledger::take_changes(std::uint64_t end, std::size_t limit) {
  std::vector<change> changes;
  for (; !removed_.empty() && changes.size() < limit; removed_.pop_back())
    if (!accounts_.contains(removed_.back()))
      changes.push_back({removed_.back(), std::nullopt, 0});
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
    const auto& [kept_from, counted_to, parts] = of.value;
    std::uint64_t bytes = 0;
    auto from = kept_from;
    for (const auto& one : parts) {
      VICKET_ASSERT(one.first >= from && one.first < counted_to);
      from = one.first + 1;
      bytes += one.bytes;
    }
    VICKET_ASSERT(bytes == of.bytes && (bytes <= with_.budget_bytes || parts.size() == 1));
    changed += of.changed_number != 0 ? 1 : 0;
  }
  for (const auto& place : changed_)
    changed -= entry_of(place) != nullptr ? 1 : 0;
  VICKET_ASSERT(changed == 0);
  VICKET_ASSERT(std::is_sorted(changed_.begin(), changed_.end(),
                               [](const auto& a, const auto& b) { return a.position < b.position; }));
}

} // namespace vicket
