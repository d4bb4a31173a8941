#include "policy/endpoint_hold.hpp"

#include "policy/retry_after.hpp"

namespace vicket {

bool endpoint_hold::ends_by(timestamp_ms now) {
  if (!until_ || places_ > 0)
    return false;
  until_ = std::min(*until_, now + longest_hold_ms);
  if (*until_ > now)
    return false;
  places_ = 1;
  return true;
}

} // namespace vicket
