#include "policy/shortage_pause.hpp"

#include <algorithm>

namespace vicket {

namespace {

/// Beyond what any node has in flight.
constexpr std::size_t largest_step = std::size_t{1} << 20;

} // namespace

void shortage_pause::came_back(std::size_t in_flight, timestamp_ms now) {
  limit_ = in_flight;
  if (next_look_ && !tries_) // one more of the same try
    return;
  tries_ = false;
  step_ = 1;
  next_look_ = now + moment_.next_ms();
}

void shortage_pause::look(std::size_t in_flight, timestamp_ms now) {
  if (!next_look_ || now < *next_look_)
    return;
  if (tries_) {
    if (in_flight < limit_) {
      *this = {};
      return;
    }
    moment_.reset();
    step_ = std::min(step_ * 2, largest_step);
  }
  limit_ = std::max(limit_, in_flight) + step_;
  tries_ = true;
  next_look_ = now + retry_moment::first_ms;
}

} // namespace vicket
