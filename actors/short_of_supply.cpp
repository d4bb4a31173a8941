#include "actors/short_of_supply.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

void short_of_supply::came_back(const std::string& what, std::size_t in_flight, timestamp_ms now) {
  pause_.came_back(in_flight, now);
  what_ = what;
}

void short_of_supply::came_back_from_destination(const std::string& what, std::size_t waiting,
                                                 timestamp_ms now) {
  if (!log_)
    return;
  log_->lasts(partition_, what, waiting, now);
  told_at_ = now;
}

void short_of_supply::waits(const supervisor_actor& who, std::size_t deliveries) {
  const auto [place, is_new] = places_.try_emplace(who.id(), 0);
  if (is_new)
    line_.push_back(who);
  place->second += deliveries;
  waiting_ += deliveries;
}

std::vector<supervisor_actor> short_of_supply::give_word(std::size_t in_flight, std::size_t places) {
  auto count = line_.size();
  if (pause_.on()) {
    const auto room = std::min(pause_.room(in_flight), places);
    count = std::min(count, room > given_ ? room - given_ : 0);
    given_ += count;
  }
  std::vector<supervisor_actor> chosen;
  for (; count > 0; --count) {
    waiting_ -= places_.extract(line_.front().id()).mapped();
    chosen.push_back(std::move(line_.front()));
    line_.pop_front();
  }
  return chosen;
}

void short_of_supply::look(std::size_t in_flight, timestamp_ms now) {
  if (pause_.next_look() && *pause_.next_look() <= now) {
    pause_.look(in_flight, now);
    given_ = 0;
  }
  if (!pause_.on())
    tell_end(now);
  else if (waiting_ > 0)
    tell(now);
  if (!log_ || !told_at_ || now - *told_at_ < shortage_notice::lapse_ms)
    return;
  told_at_.reset();
  log_->look(now);
}

void short_of_supply::tell(timestamp_ms now) {
  if (!log_)
    return;
  log_->lasts(partition_, what_, waiting_, now);
  told_at_ = now;
  if (told_what_ != what_)
    tell_end(now); // of the other thing
  told_what_ = what_;
}

/// Nobody is held back any more. What only an endpoint is short of has no such moment, and lapses.
void short_of_supply::tell_end(timestamp_ms now) {
  if (const auto what = std::exchange(told_what_, {}); !what.empty())
    log_->ends(partition_, what, now);
}

std::optional<timestamp_ms> short_of_supply::looks_at() const {
  auto at = pause_.next_look();
  if (told_at_ && (!at || *told_at_ + shortage_notice::lapse_ms < *at))
    at = *told_at_ + shortage_notice::lapse_ms;
  return at;
}

} // namespace vicket
