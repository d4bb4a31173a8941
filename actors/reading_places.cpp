#include "actors/reading_places.hpp"

#include "policy/assertion.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

reading_places::reading_places(std::size_t places, std::size_t max_waiting)
    : places_{std::max<std::size_t>(places, 1)}, max_waiting_{max_waiting} {}

bool reading_places::begin(std::function<void()> read) {
  if (under_way_ < places_) {
    ++under_way_;
    read();
    return true;
  }
  if (waiting_.size() >= max_waiting_)
    return false;
  waiting_.push_back(std::move(read));
  return true;
}

void reading_places::end() {
  VICKET_ASSERT(under_way_ > 0);
  if (waiting_.empty()) {
    --under_way_;
    return;
  }
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next(); // takes the place over
}

} // namespace vicket
