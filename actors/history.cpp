#include "actors/history.hpp"

#include "actors/gather.hpp"
#include "actors/history_order.hpp"
#include "actors/merging.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vicket {

namespace {

timestamp_ms ended_at(const attempt& value) {
  return value.started_at + value.duration_us / 1'000;
}

caf::error too_many_reads() {
  return make_refusal(errc::overloaded, "too many pages of history are being read: ask again a little later");
}

caf::error bad_cursor(const std::string& text) {
  const auto* why = text.starts_with("v1-")
                        ? "' is of an older version, which did not say what it is a place in: read from the "
                          "oldest that is kept, without a cursor"
                        : "' is not one of this node's: use one that it gave, or none";
  return make_refusal(errc::invalid_event, "unknown cursor: '" + text.substr(0, 64) + why);
}

} // namespace

history::history(handle::pointer self, std::vector<partition_reader_actor> readers,
                 const schedule_clock& clock, history_limits limits)
    : self_{self}, readers_{std::move(readers)}, clock_{clock}, limits_{limits},
      histories_{limits.reads, limits.waiting}, feeds_{limits.reads, limits.waiting} {
  self_->set_down_handler([this](const caf::down_msg& gone) { forget(gone.source); });
}

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

// -- histories --------------------------------------------------------------------------------------------------------

namespace {

template <class Page, class Cursor>
Page make_page(const Cursor& from, const ordered_events& order, history_page::result read) {
  Page page;
  page.more = order.more || read.left || read.seen < order.events.size();
  page.cursor = cursor_after(from, order, read.seen, read.left).to_string();
  page.events = std::move(read.events);
  return page;
}

} // namespace

/// Reads what was found, and answers with it. `nothing`: the answer when there is nothing of it.
template <class Page, class Cursor>
void history::read_page(caf::typed_response_promise<Page> promise, Cursor from, ordered_events order,
                        std::optional<caf::error> nothing) {
  std::vector<history_page::wanted_event> wanted;
  for (const auto& one : order.events)
    wanted.push_back({one.partition, {one.event.sequence, one.left}});
  history_page::read(self_, readers_, std::move(wanted), limits_.page_bytes,
                     [this, promise, from = std::move(from), order = std::move(order),
                      nothing = std::move(nothing)](history_page::result read, caf::error why) mutable {
                       if (why)
                         promise.deliver(std::move(why));
                       else if (nothing && read.events.empty())
                         promise.deliver(*std::move(nothing));
                       else
                         promise.deliver(make_page<Page>(from, order, std::move(read)));
                       histories_.end();
                     });
}

/// An id does not say its partition, and may be in several: "not found" is only true, and a page only whole, if every
/// partition could look.
caf::result<event_page> history::event(const get_event& request) {
  const auto from = event_cursor::parse(request.cursor);
  if (!from)
    return bad_cursor(request.cursor);
  auto promise = self_->make_response_promise<event_page>();
  auto read = [this, from = *from, id = request.id, promise, first = request.cursor.empty()] {
    gather<found_events>(
        self_, readers_,
        [&](std::size_t) {
          return find_partition_events{id, from.connector, event_page::max_events + 1};
        },
        [this, from, id, promise, first](std::vector<found_events> parts, caf::error why) mutable {
          if (why) {
            promise.deliver(std::move(why));
            histories_.end();
            return;
          }
          std::optional<caf::error> nothing;
          if (first)
            nothing = make_refusal(errc::not_found, "no event has the id " + id.to_string() +
                                                        ", or it is older than the retention");
          read_page<event_page>(promise, from, order_by_connector(from, std::move(parts)),
                                std::move(nothing));
        });
  };
  if (!histories_.begin(std::move(read)))
    promise.deliver(too_many_reads());
  return promise;
}

caf::result<run_page> history::run(const get_run& request) {
  const auto from = run_cursor::parse(request.cursor, readers_.size());
  if (!from)
    return bad_cursor(request.cursor);
  const auto limit = std::clamp(request.limit, 1u, get_run::max_limit);
  auto promise = self_->make_response_promise<run_page>();
  auto read = [this, from = *from, limit, run = request.run, promise, first = request.cursor.empty()] {
    gather<found_events>(
        self_, readers_,
        [&](std::size_t i) {
          return find_partition_run{run, from.after[i], limit};
        },
        [this, from, limit, run, promise, first](std::vector<found_events> parts, caf::error why) mutable {
          if (why) {
            promise.deliver(std::move(why));
            histories_.end();
            return;
          }
          std::optional<caf::error> nothing;
          if (first)
            nothing = make_refusal(errc::not_found,
                                   "no events of run '" + run + "', or they are older than the retention");
          read_page<run_page>(promise, from, order_by_acceptance(from, std::move(parts), limit),
                              std::move(nothing));
        });
  };
  if (!histories_.begin(std::move(read)))
    promise.deliver(too_many_reads());
  return promise;
}

// -- the feed ---------------------------------------------------------------------------------------------------------

caf::result<outcome_page> history::outcomes(const read_outcomes& request) {
  auto who = std::make_shared<follower>();
  who->from.resize(readers_.size());
  if (!request.cursor.empty()) {
    const auto cursor = feed_cursor::parse(request.cursor, readers_.size());
    if (!cursor)
      return bad_cursor(request.cursor);
    who->from = cursor->positions;
  }
  who->promise = self_->make_response_promise<outcome_page>();
  who->asker = caf::actor_cast<caf::actor_addr>(who->promise.source());
  who->request = request;
  who->until = clock_.now() + std::min(request.wait_ms, read_outcomes::max_wait_ms);
  auto promise = who->promise;
  read_for(who);
  return promise;
}

void history::read_for(const follower_ptr& who) {
  who->reading = true;
  if (feeds_.begin([this, who] { ask_for(who); }))
    return;
  let_go(who);
  who->promise.deliver(too_many_reads());
}

namespace {

/// Nothing where all were read, or, of a page that may be `partial`, some, and the others can't be reached.
std::optional<caf::error> why_no_page(const std::vector<gathered<partition_outcomes>>& answers,
                                      bool partial) {
  const caf::error* why = nullptr;
  bool any = answers.empty();
  for (const auto& one : answers) {
    any = any || one.answer;
    if (one.answer)
      continue;
    if (!partial || refusal_of(one.why).code != errc::unavailable)
      return one.why;
    why = why != nullptr ? why : &one.why;
  }
  return any ? std::nullopt : std::optional{*why};
}

} // namespace

/// Each partition gives its share of a page: so all of them together give no more than one.
void history::ask_for(const follower_ptr& who) {
  const auto limit = std::clamp(who->request.limit, 1u, read_outcomes::max_limit);
  const auto share = limits_.page_bytes / std::max<std::size_t>(readers_.size(), 1);
  gather_each<partition_outcomes>(
      self_, readers_,
      [&](std::size_t i) {
        return read_partition_outcomes{who->from[i], limit, share};
      },
      [this, who](std::vector<gathered<partition_outcomes>> answers) {
        who->reading = false;
        if (auto why = why_no_page(answers, limits_.partial_feeds)) {
          let_go(who);
          who->promise.deliver(*std::move(why));
        } else {
          answer_or_keep(who, std::move(answers));
        }
        feeds_.end();
      });
}

void history::answer_or_keep(const follower_ptr& who, std::vector<gathered<partition_outcomes>> answers) {
  const auto limit = std::clamp(who->request.limit, 1u, read_outcomes::max_limit);
  outcome_page page;
  feed_cursor at;
  bool gap = false;
  std::vector<partition_outcomes> parts(answers.size()); // without anything where one was not read
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].answer)
      parts[i] = *std::move(answers[i].answer);
    gap = gap || parts[i].gap;
    at.positions.push_back(answers[i].answer ? std::optional{parts[i].from} : who->from[i]);
  }
  for (const auto& one : answers)
    if (!one.answer)
      page.unread.push_back(refusal_of(one.why).detail);
  if (gap)
    page.gap_cursor = at.to_string();
  bool unfinished =
      false; // one has looked at much that is not kept any more, and what it has next may be the first
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (answers[i].answer && parts[i].entries.empty()) {
      at.positions[i] = parts[i].through;
      unfinished = unfinished || parts[i].more;
    }
  if (unfinished && !gap) {
    who->from = at.positions;
    return read_for(who);
  }
  std::size_t page_bytes = 0;
  std::vector<std::size_t> used(parts.size(), 0);
  // When one has given all of its share, what comes next may be of that one.
  const auto is_cut = [&](std::size_t i) { return parts[i].more && used[i] == parts[i].entries.size(); };
  while (!unfinished && page.entries.size() < limit) {
    const auto i = first_of(
        parts, used, [](const auto& part) -> const auto& { return part.entries; },
        [](const auto& a, const auto& b) { return ended_at(a.value) < ended_at(b.value); });
    if (i == parts.size())
      break;
    auto& next = parts[i].entries[used[i]];
    page_bytes +=
        page_bytes_of(next.summary) + page_bytes_of(next.value) + feed_cursor::most_text_bytes(parts.size());
    if (!page.entries.empty() && page_bytes > limits_.page_bytes)
      break;
    ++used[i];
    at.positions[i] = used[i] < parts[i].entries.size() ? next.at : parts[i].through;
    page.entries.push_back({std::move(next.summary), std::move(next.value), at.to_string()});
    if (is_cut(i))
      break;
  }
  page.cursor = at.to_string();
  const auto now = clock_.now();
  const bool known = std::find(followers_.begin(), followers_.end(), who) != followers_.end();
  if (!page.entries.empty() || gap || now >= who->until || (!known && followers_.size() >= max_followers)) {
    who->promise.deliver(std::move(page));
    let_go(who);
    return;
  }
  // All partitions that can be reached were looked through, so what is waited for comes after that, and the next look
  // starts there.
  who->cursor = std::move(page.cursor);
  who->unread = std::move(page.unread);
  if (!known)
    keep(who);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    const watch_feed from{at.positions[i] ? at.positions[i]->after : 0};
    if (answers[i].answer)
      self_->send(readers_[i], from);
    else
      self_->delayed_send(readers_[i], std::chrono::milliseconds{unread_ms}, from);
  }
  who->from = std::move(at.positions);
  schedule_look();
}

void history::keep(const follower_ptr& who) {
  followers_.push_back(who);
  if (const auto asker = caf::actor_cast<caf::strong_actor_ptr>(who->asker))
    self_->monitor(asker);
}

void history::let_go(const follower_ptr& who) {
  if (followers_.remove(who) > 0)
    self_->demonitor(who->asker);
}

void history::forget(const caf::actor_addr& asker) {
  followers_.remove_if([&](const follower_ptr& who) { return who->asker == asker; });
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
    ++at;
    let_go(who);
    who->promise.deliver(outcome_page{{}, {}, who->cursor, who->unread});
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
