#include "actors/history_order.hpp"

#include "actors/merging.hpp"
#include "messages/history.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

ordered_events order_by_connector(const event_cursor& from, std::vector<found_events> parts) {
  ordered_events order;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    order.more = order.more || parts[i].more;
    for (auto& event : parts[i].events) {
      std::optional<attempts_left> left;
      if (event.connector == from.connector) {
        if (!from.within || from.within->sequence != event.sequence)
          continue; // it was seen; or it was forgotten, and this is a later one of the same id
        left = from.within->left;
      }
      order.events.push_back({i, std::move(event), left});
    }
  }
  std::sort(order.events.begin(), order.events.end(),
            [](const auto& a, const auto& b) { return a.event.connector < b.event.connector; });
  if (order.events.size() > event_page::max_events) {
    order.events.resize(event_page::max_events);
    order.more = true;
  }
  return order;
}

ordered_events order_by_acceptance(const run_cursor& from, std::vector<found_events> parts,
                                   std::size_t limit) {
  ordered_events order;
  if (from.within) {
    const auto partition = from.within->partition;
    order.events.push_back({partition, {from.after[partition], {}, {}}, from.within->left});
  }
  std::vector<std::size_t> used(parts.size(), 0);
  while (order.events.size() < limit) {
    const auto i = first_of(
        parts, used, [](const auto& part) -> const auto& { return part.events; },
        [](const auto& a, const auto& b) { return a.accepted_at < b.accepted_at; });
    if (i == parts.size())
      break;
    order.events.push_back({i, std::move(parts[i].events[used[i]++]), std::nullopt});
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    order.more = order.more || parts[i].more || used[i] < parts[i].events.size();
  return order;
}

event_cursor cursor_after(event_cursor from, const ordered_events& order, std::size_t seen,
                          std::optional<attempts_left> left) {
  if (seen == 0)
    return from;
  const auto& last = order.events[seen - 1].event;
  event_cursor at{last.connector, std::nullopt};
  if (left)
    at.within = {last.sequence, *left};
  return at;
}

run_cursor cursor_after(run_cursor from, const ordered_events& order, std::size_t seen,
                        std::optional<attempts_left> left) {
  if (seen == 0)
    return from;
  for (std::size_t i = 0; i < seen; ++i)
    from.after[order.events[i].partition] = order.events[i].event.sequence;
  from.within = std::nullopt;
  if (left)
    from.within = {static_cast<std::uint32_t>(order.events[seen - 1].partition), *left};
  return from;
}

} // namespace vicket
