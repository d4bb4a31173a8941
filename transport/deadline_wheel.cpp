#include "transport/deadline_wheel.hpp"

#include <algorithm>

namespace vicket {

deadline_wheel::deadline_wheel(time_point now) : next_tick_{tick_at_or_after(now)} {
  for (std::size_t i = 0; i < slots; ++i)
    slots_[i].previous_ = slots_[i].next_ = &slots_[i];
}

void deadline_wheel::add(entry& deadline, time_point due) {
  remove(deadline);
  const auto last = next_tick_ + static_cast<std::int64_t>(slots) - 1;
  const auto at = std::clamp(tick_at_or_after(due), next_tick_, last);
  deadline.due_ = due;
  deadline.wheel_ = this;
  link(slots_[static_cast<std::size_t>(at) % slots], deadline);
  ++size_;
}

void deadline_wheel::remove(entry& deadline) {
  if (!deadline.wheel_)
    return;
  unlink(deadline);
  deadline.wheel_ = nullptr;
  --size_;
}

void deadline_wheel::advance(time_point now) {
  const auto current = now.time_since_epoch() / tick;
  // After a long pause once around the wheel visits every entry.
  next_tick_ = std::max(next_tick_, current - static_cast<std::int64_t>(slots) + 1);
  while (next_tick_ <= current) {
    auto& slot = slots_[static_cast<std::size_t>(next_tick_) % slots];
    ++next_tick_;
    fire_slot(slot, now);
  }
}

void deadline_wheel::fire_slot(entry& slot, time_point now) {
  if (slot.next_ == &slot)
    return;
  // The slot's entries move to a list of their own first: what is called may add to the slot.
  entry passing;
  passing.next_ = slot.next_;
  passing.previous_ = slot.previous_;
  passing.next_->previous_ = &passing;
  passing.previous_->next_ = &passing;
  slot.previous_ = slot.next_ = &slot;
  while (passing.next_ != &passing) {
    auto& deadline = *passing.next_;
    const auto due = deadline.due_;
    remove(deadline);
    if (due > now)
      add(deadline, due);
    else
      deadline.on_due_(deadline.owner_);
  }
}

std::int64_t deadline_wheel::tick_at_or_after(time_point t) {
  return (t.time_since_epoch() + tick - time_point::duration{1}) / tick;
}

void deadline_wheel::link(entry& list, entry& deadline) {
  deadline.previous_ = list.previous_;
  deadline.next_ = &list;
  list.previous_->next_ = &deadline;
  list.previous_ = &deadline;
}

void deadline_wheel::unlink(entry& deadline) {
  deadline.previous_->next_ = deadline.next_;
  deadline.next_->previous_ = deadline.previous_;
  deadline.previous_ = deadline.next_ = nullptr;
}

} // namespace vicket
