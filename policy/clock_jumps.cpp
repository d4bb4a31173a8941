#include "policy/clock_jumps.hpp"

namespace vicket {

void clock_jumps::add(timestamp_ms from, std::int64_t by_ms) {
  if (jumps_.size() == max_jumps) {
    jumps_[1].by_ms += jumps_[0].by_ms;
    jumps_.erase(jumps_.begin());
  }
  jumps_.push_back({from, by_ms});
}

std::int64_t clock_jumps::since_ms(timestamp_ms accepted_at) const {
  // Of the times that this clock gives out none lies within a jump. One that does was stamped by an earlier process,
  // before this one's clock fell behind it: it was right, and so is the age that follows from it.
  std::int64_t sum_ms = 0;
  for (auto at = jumps_.rbegin(); at != jumps_.rend() && at->from >= accepted_at; ++at)
    sum_ms += at->by_ms;
  return sum_ms;
}

} // namespace vicket
