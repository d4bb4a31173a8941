#include "actors/alarm.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

alarm::alarm(handle::pointer self, const schedule_clock& clock) : self_{self}, clock_{clock} {}

alarm::handle::behavior_type alarm::make_behavior() {
  return {
      [this](const wake_me& request) { set(request); },
      [this](const nap_over& nap) {
        if (nap_ends_at_ != nap.at) // one that an earlier one has made needless
          return;
        nap_ends_at_.reset();
        ring();
      },
  };
}

void alarm::set(const wake_me& request) {
  auto sender = caf::actor_cast<sleeper_actor>(self_->current_sender());
  if (!sender)
    return;
  const auto id = sender.id();
  if (auto known = places_.find(id); known != places_.end())
    queue_.erase(known->second);
  places_[id] = queue_.emplace(request.at, std::move(sender));
  nap();
}

void alarm::ring() {
  const auto now = clock_.now();
  while (!queue_.empty() && queue_.begin()->first <= now) {
    self_->send(queue_.begin()->second, wake_up{});
    places_.erase(queue_.begin()->second.id());
    queue_.erase(queue_.begin());
  }
  nap();
}

void alarm::nap() {
  if (queue_.empty())
    return;
  const auto now = clock_.now();
  const auto nap_ms = std::clamp<std::int64_t>(queue_.begin()->first - now, 0, max_nap_ms);
  if (nap_ends_at_ && *nap_ends_at_ <= now + nap_ms)
    return; // a tick that comes soon enough is under way already
  nap_ends_at_ = now + nap_ms;
  if (nap_ms == 0)
    self_->send(self_, nap_over{*nap_ends_at_});
  else
    self_->delayed_send(self_, std::chrono::milliseconds{nap_ms}, nap_over{*nap_ends_at_});
}

} // namespace vicket
