#include "policy/lease.hpp"

#include <algorithm>

namespace vicket {

owner_lease::owner_lease(std::int64_t claim_first_sent_ms, std::int64_t now_ms, bool after_yield)
    : not_before_ms_{after_yield ? now_ms : now_ms + wait_after_claim_ms}, acknowledged_ms_{
                                                                               claim_first_sent_ms} {}

void owner_lease::acknowledged(std::int64_t first_sent_ms) {
  acknowledged_ms_ = std::max(acknowledged_ms_, first_sent_ms);
}

void claim_watch::polled(std::int64_t sent_ms, std::int64_t now_ms, std::uint64_t last_record) {
  // An answer that took long says nothing about the time that it took; nor do two with a long time between them.
  if (now_ms - sent_ms > prompt_ms || (has_polled_ && sent_ms - polled_ms_ > prompt_ms))
    since_ms_ = now_ms;
  if (!has_polled_ || last_record != last_record_) {
    since_ms_ = now_ms;
    released_ = false;
  }
  has_polled_ = true;
  polled_ms_ = now_ms;
  last_record_ = last_record;
}

void claim_watch::lost_sight(std::int64_t now_ms) {
  has_polled_ = false;
  since_ms_ = now_ms;
}

void claim_watch::lived(std::int64_t first_sent_ms) {
  lived_ms_ = std::max(lived_ms_, first_sent_ms);
}

bool claim_watch::may_claim(std::int64_t now_ms, std::uint32_t rank) const {
  if (!has_polled_ || now_ms - polled_ms_ > prompt_ms || now_ms - lived_ms_ > prompt_ms)
    return false;
  const auto wait = (released_ ? 0 : silent_ms) + static_cast<std::int64_t>(rank) * per_rank_ms;
  return now_ms - since_ms_ >= wait;
}

void failover_watch::seen(std::uint64_t timeline, std::uint64_t lowest_looked_at, std::int64_t now_ms) {
  if (timeline != timeline_)
    since_ms_ = now_ms;
  timeline_ = timeline;
  lowest_ = lowest_looked_at;
}

bool failover_watch::may_claim(std::int64_t now_ms) const {
  return timeline_ != 0 && (lowest_ >= timeline_ || now_ms - since_ms_ >= patience_ms);
}

} // namespace vicket
