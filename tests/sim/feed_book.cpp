#include "tests/sim/feed_book.hpp"

#include <algorithm>
#include <utility>

namespace vicket::sim {

namespace {

std::string name(std::size_t reader) {
  return "reader " + std::to_string(reader);
}

} // namespace

void feed_book::page(std::size_t reader_number, const outcome_page& told, bool gap,
                     std::uint64_t newest_request, event_book& events) {
  auto& who = readers_[reader_number];
  if (who.saw_the_future && !gap && !who.cursor.empty())
    complain("a cursor of a future that was taken back is told a gap",
             name(reader_number) + " was not, at " + who.cursor);
  const auto forgettable = gap || who.cursor.empty() ? newest_forgettable(who, events) : 0;
  if (who.cursor.empty()) // it begins with the oldest that is kept
    who.excused_to = std::max(who.excused_to, forgettable);
  if (gap && !who.from_the_future && forgettable == 0 && !events.what_was_given_up_may_be_gone())
    complain("a gap is told only where something is missing", name(reader_number) + " misses nothing");
  if (gap && who.from_the_future)
    who.seen_since.clear();
  if (gap) {
    who.excused_to = newest_request;
    who.last_number.clear();
  }
  who.from_the_future = who.saw_the_future = false;
  for (const auto& entry : told.entries)
    take(reader_number, entry, events.serial_of(entry.summary));
  who.cursor = told.cursor;
  who.has_read = true;
}

void feed_book::take(std::size_t number, const outcome_entry& entry, std::uint64_t serial) {
  auto& who = readers_[number];
  const auto what = "attempt " + std::to_string(entry.value.number) + " of event #" + std::to_string(serial);
  const auto request = request_of(entry.value).value_or(0);
  who.seen.emplace(serial, entry.value.number, request);
  if (!who.seen_since.emplace(serial, entry.value.number, request).second)
    return complain("the feed repeats nothing", name(number) + " was told " + what + " twice");
  auto& last = who.last_number[serial];
  if (last != 0 && entry.value.number != last + 1)
    complain("the feed tells attempts in their order",
             name(number) + " was told " + what + " after number " + std::to_string(last));
  last = entry.value.number;
}

/// Of what the reader was not told and retention, or the bound on histories, may have taken, the newest request; 0: there is none.
std::uint64_t feed_book::newest_forgettable(const reader_fact& who, const event_book& events) {
  std::set<std::uint64_t> seen; // by this cursor: what it was told before it lost its place counts no more
  for (const auto& one : who.seen_since)
    seen.insert(std::get<2>(one));
  std::uint64_t newest = 0;
  for (const auto& [serial, event] : events.events())
    for (const auto& request : event.requests)
      if ((events.outcome_may_be_forgotten(request) || (request.answered && events.may_be_dropped(event))) &&
          !seen.contains(request.number))
        newest = std::max(newest, request.number);
  return newest;
}

void feed_book::restored(const std::vector<std::string>& cursors_then, std::uint64_t newest_request_then) {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    auto& who = readers_[i];
    // Also one that was there already: the copy may be of a life that had written nothing yet.
    who.from_the_future = who.from_the_future || !cursors_then[i].empty() || !who.cursor.empty();
    who.saw_the_future = false; // a second restore may have brought it back
    for (const auto& one : who.seen_since)
      who.saw_the_future = who.saw_the_future || std::get<2>(one) > newest_request_then;
    who.last_number.clear();
  }
}

std::vector<std::string> feed_book::cursors() const {
  std::vector<std::string> all;
  for (const auto& one : readers_)
    all.push_back(one.cursor);
  return all;
}

void feed_book::check_complete(const event_book& events) const {
  for (std::size_t i = 0; i < readers_.size(); ++i)
    for (const auto& [serial, event] : events.events())
      for (const auto& [number, one] : event.attempts)
        if (readers_[i].has_read && one.request > readers_[i].excused_to &&
            !readers_[i].seen.contains({serial, number, one.request}))
          complain("the feed is complete, or says that it is not",
                   name(i) + " was not told attempt " + std::to_string(number) + " of event #" +
                       std::to_string(serial));
}

} // namespace vicket::sim
