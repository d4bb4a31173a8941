#include "actors/history.hpp"

#include "actors/gather.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

namespace {

/// Of several partitions' lists, each in its own order, the partition whose next entry comes first; `lists.size()`
/// when all are used up.
template <class Lists, class NextOf, class Before>
std::size_t first_of(const Lists& lists, const std::vector<std::size_t>& positions, NextOf next_of,
                     Before before) {
  auto best = lists.size();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (positions[i] >= next_of(lists[i]).size())
      continue;
    if (best == lists.size() ||
        before(next_of(lists[i])[positions[i]], next_of(lists[best])[positions[best]]))
      best = i;
  }
  return best;
}

timestamp_ms ended_at(const attempt& value) {
  return value.started_at + value.duration_us / 1'000;
}

caf::error bad_cursor(const std::string& text) {
  const auto* why = text.starts_with("v1-")
                        ? "' is of an older version, which did not say what it is a place in: read from the "
                          "oldest that is kept, without a cursor"
                        : "' is not one of this node's: use one that it gave, or none";
  return make_refusal(errc::invalid_event, "unknown cursor: '" + text.substr(0, 64) + why);
}

} // namespace

history::history(handle::pointer self, std::vector<history_reader_actor> readers, const schedule_clock& clock)
    : self_{self}, readers_{std::move(readers)}, clock_{clock} {}

history::handle::behavior_type history::make_behavior() {
  return {
      [this](const get_event& request) { return event(request); },
      [this](const get_run& request) { return run(request); },
      [this](const read_outcomes& request) { return outcomes(request); },
      [this](const feed_grew&) { feed_has_grown(); },
      [this](const tick&) {
        look_under_way_ = false;
        look_at_followers();
      },
  };
}

caf::result<event_page> history::event(const get_event& request) {
  // An id does not say its partition, and may be in several: "not found" is only true, and a list only whole, if every
  // partition could look.
  auto promise = self_->make_response_promise<event_page>();
  gather<partition_events>(
      self_, readers_, [&](std::size_t) { return request; },
      [promise, id = request.id](std::vector<partition_events> parts, caf::error why) mutable {
        if (why) {
          promise.deliver(std::move(why));
          return;
        }
        event_page page;
        for (auto& part : parts)
          for (auto& found : part.events)
            page.events.push_back(std::move(found));
        if (page.events.empty()) {
          promise.deliver(make_refusal(errc::not_found, "no event has the id " + id.to_string() +
                                                            ", or it is older than the retention"));
          return;
        }
        std::sort(page.events.begin(), page.events.end(),
                  [](const auto& a, const auto& b) { return a.summary.connector < b.summary.connector; });
        promise.deliver(std::move(page));
      });
  return promise;
}

caf::result<run_page> history::run(const get_run& request) {
  auto cursor = run_cursor::parse(request.cursor, readers_.size());
  if (!cursor)
    return bad_cursor(request.cursor);
  const auto limit = std::clamp(request.limit, 1u, get_run::max_limit);
  auto promise = self_->make_response_promise<run_page>();
  gather<partition_run_page>(
      self_, readers_,
      [&](std::size_t i) {
        return read_partition_run{request.run, cursor->after[i], limit};
      },
      [promise, at = *cursor, limit, run = request.run](std::vector<partition_run_page> parts,
                                                        caf::error why) mutable {
        if (why) {
          promise.deliver(std::move(why));
          return;
        }
        const bool from_start = std::all_of(at.after.begin(), at.after.end(), [](auto s) { return s == 0; });
        run_page page;
        std::vector<std::size_t> positions(parts.size(), 0);
        while (page.events.size() < limit) {
          const auto i = first_of(
              parts, positions, [](const auto& part) -> const auto& { return part.events; },
              [](const auto& a, const auto& b) {
                return a.history.summary.accepted_at < b.history.summary.accepted_at;
              });
          if (i == parts.size())
            break;
          auto& next = parts[i].events[positions[i]++];
          at.after[i] = next.sequence;
          page.events.push_back(std::move(next.history));
        }
        for (std::size_t i = 0; i < parts.size(); ++i)
          page.more = page.more || parts[i].more || positions[i] < parts[i].events.size();
        page.cursor = at.to_string();
        if (from_start && page.events.empty()) {
          promise.deliver(make_refusal(errc::not_found, "no events of run '" + run +
                                                            "', or they are older than the retention"));
          return;
        }
        promise.deliver(std::move(page));
      });
  return promise;
}

caf::result<outcome_page> history::outcomes(const read_outcomes& request) {
  auto who = std::make_shared<follower>();
  who->from.resize(readers_.size());
  if (!request.cursor.empty()) {
    const auto cursor = feed_cursor::parse(request.cursor, readers_.size());
    if (!cursor)
      return bad_cursor(request.cursor);
    who->from.assign(cursor->positions.begin(), cursor->positions.end());
  }
  who->promise = self_->make_response_promise<outcome_page>();
  who->request = request;
  who->until = clock_.now() + std::min(request.wait_ms, read_outcomes::max_wait_ms);
  auto promise = who->promise;
  read_for(who);
  return promise;
}

void history::read_for(const follower_ptr& who) {
  who->reading = true;
  const auto limit = std::clamp(who->request.limit, 1u, read_outcomes::max_limit);
  gather<partition_outcomes>(
      self_, readers_,
      [&](std::size_t i) {
        return read_partition_outcomes{who->from[i], limit, max_page_bytes};
      },
      [this, who](std::vector<partition_outcomes> parts, caf::error why) {
        who->reading = false;
        if (!who->promise.pending())
          return;
        if (why) {
          who->promise.deliver(std::move(why));
          return;
        }
        answer_or_keep(who, std::move(parts));
      });
}

void history::answer_or_keep(const follower_ptr& who, std::vector<partition_outcomes> parts) {
  const auto limit = std::clamp(who->request.limit, 1u, read_outcomes::max_limit);
  outcome_page page;
  feed_cursor at;
  bool gap = false;
  for (const auto& part : parts) {
    gap = gap || part.gap;
    at.positions.push_back(part.from);
  }
  if (gap)
    page.gap_cursor = at.to_string();
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i].entries.empty())
      at.positions[i] = parts[i].through;
  std::size_t page_bytes = 0;
  std::vector<std::size_t> used(parts.size(), 0);
  while (page.entries.size() < limit && page_bytes < max_page_bytes) {
    const auto i = first_of(
        parts, used, [](const auto& part) -> const auto& { return part.entries; },
        [](const auto& a, const auto& b) { return ended_at(a.value) < ended_at(b.value); });
    if (i == parts.size())
      break;
    auto& next = parts[i].entries[used[i]++];
    at.positions[i] = used[i] < parts[i].entries.size() ? next.at : parts[i].through;
    page_bytes += next.value.answer_bytes();
    page.entries.push_back({std::move(next.summary), std::move(next.value), at.to_string()});
  }
  page.cursor = at.to_string();
  const auto now = clock_.now();
  const bool known = std::find(followers_.begin(), followers_.end(), who) != followers_.end();
  if (!page.entries.empty() || gap || now >= who->until || (!known && followers_.size() >= max_followers)) {
    who->promise.deliver(std::move(page));
    followers_.remove(who);
    return;
  }
  // All partitions were looked through, so what is waited for comes after that, and the next look starts there.
  who->from.assign(at.positions.begin(), at.positions.end());
  who->cursor = std::move(page.cursor);
  if (!known)
    followers_.push_back(who);
  for (std::size_t i = 0; i < readers_.size(); ++i)
    self_->send(readers_[i], watch_feed{at.positions[i].after});
  schedule_look();
}

void history::feed_has_grown() {
  const auto waiting = followers_; // answering takes them off the list
  for (const auto& who : waiting)
    if (!who->reading)
      read_for(who);
}

void history::look_at_followers() {
  const auto now = clock_.now();
  for (auto at = followers_.begin(); at != followers_.end();) {
    const auto who = *at;
    if (now < who->until || who->reading) {
      ++at;
      continue;
    }
    at = followers_.erase(at);
    who->promise.deliver(outcome_page{{}, {}, who->cursor});
  }
  schedule_look();
}

void history::schedule_look() {
  if (followers_.empty() || look_under_way_)
    return;
  look_under_way_ = true;
  self_->delayed_send(self_, std::chrono::milliseconds{look_ms}, tick{});
}

} // namespace vicket
