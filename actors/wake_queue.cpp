#include "actors/wake_queue.hpp"

namespace vicket {

void wake_queue::set(connector_slot slot, timestamp_ms at) {
  if (slot >= places_.size())
    places_.resize(slot + 1, nowhere);
  auto where = std::size_t{places_[slot]};
  if (where == nowhere) {
    where = heap_.size();
    heap_.push_back({at, slot});
  }
  const auto earlier = where > 0 && at < heap_[(where - 1) / 2].at;
  const entry value{at, slot};
  if (earlier)
    sift_up(where, value);
  else
    sift_down(where, value);
}

void wake_queue::erase(connector_slot slot) {
  if (slot < places_.size() && places_[slot] != nowhere)
    remove(places_[slot]);
}

std::optional<timestamp_ms> wake_queue::at(connector_slot slot) const {
  return slot < places_.size() && places_[slot] != nowhere ? std::optional{heap_[places_[slot]].at}
                                                           : std::nullopt;
}

void wake_queue::place(std::size_t at, const entry& value) {
  heap_[at] = value;
  places_[value.slot] = static_cast<std::uint32_t>(at);
}

void wake_queue::sift_up(std::size_t at, const entry& value) {
  for (; at > 0 && value.at < heap_[(at - 1) / 2].at; at = (at - 1) / 2)
    place(at, heap_[(at - 1) / 2]);
  place(at, value);
}

void wake_queue::sift_down(std::size_t at, const entry& value) {
  for (auto child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at)
      ++child;
    if (!(heap_[child].at < value.at))
      break;
    place(at, heap_[child]);
    at = child;
  }
  place(at, value);
}

void wake_queue::remove(std::size_t at) {
  places_[heap_[at].slot] = nowhere;
  const auto last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size())
    return;
  if (at > 0 && last.at < heap_[(at - 1) / 2].at)
    sift_up(at, last);
  else
    sift_down(at, last);
}

} // namespace vicket
