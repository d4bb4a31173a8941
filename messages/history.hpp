#pragma once

#include "messages/attempt.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vicket {

/// Numbers are the wire, append only.
enum class event_state : std::uint8_t {
  pending = 1, ///< will be attempted (again)
  delivered,   ///< an attempt got a 2xx
  failed,      ///< given up: age or number of attempts
};

[[nodiscard]] std::string_view to_string(event_state value);
[[nodiscard]] bool from_integer(std::underlying_type_t<event_state> number, event_state& value);

template <class Inspector>
bool inspect(Inspector& f, event_state& x) {
  if constexpr (Inspector::is_loading) {
    auto number = std::underlying_type_t<event_state>{};
    return f.apply(number) && from_integer(number, x);
  } else {
    return f.apply(static_cast<std::underlying_type_t<event_state>>(x));
  }
}

/// What the history says of an event besides its attempts.
struct event_summary {
  event_id id;
  connector_id connector;
  std::string event;
  std::string workflow;
  std::string run;
  event_state state = event_state::pending;
  timestamp_ms accepted_at;
  std::optional<timestamp_ms> next_attempt_at; ///< absent once settled

  template <class Inspector>
  friend bool inspect(Inspector& f, event_summary& x) {
    return f.object(x).fields(
        f.field("id", x.id), f.field("connector", x.connector), f.field("event", x.event),
        f.field("workflow", x.workflow), f.field("run", x.run), f.field("state", x.state),
        f.field("accepted_at", x.accepted_at), f.field("next_attempt_at", x.next_attempt_at));
  }
};

/// One event with its attempts, oldest first: all of them, or those that a page has room for. An event that is spread over
/// pages is the last of one and the first of the next, and stays as it was when the first of them was read: attempts
/// that are made meanwhile are not in it.
struct event_history {
  event_summary summary; ///< as it is after the last of all its attempts, on each of the pages
  std::vector<attempt> attempts;
  bool goes_on = false;   ///< there are more attempts than these: the next page begins with them
  bool continues = false; ///< the attempts before these were at the end of the page before
  /// So many attempts were made, and are not kept any more: the connector's history was beyond its bound. Then `attempts`
  /// is empty; what became of the event is in the summary.
  std::uint32_t attempts_dropped = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, event_history& x) {
    return f.object(x).fields(f.field("summary", x.summary), f.field("attempts", x.attempts),
                              f.field("goes_on", x.goes_on), f.field("continues", x.continues),
                              f.field("attempts_dropped", x.attempts_dropped));
  }
};

/// What something takes of a page's bytes: its texts, and a fixed amount for the rest.
[[nodiscard]] std::size_t page_bytes_of(const event_summary& value);
[[nodiscard]] std::size_t page_bytes_of(const attempt& value);
[[nodiscard]] std::size_t page_bytes_of(const event_history& value);

/// Puts a page's events behind those of the pages before it, so that events that are spread over pages are whole again.
/// Only for who knows that all of it fits into memory: pages are there because it may not.
void append_page(std::vector<event_history>& to, std::vector<event_history> page);

/// Answered by an `event_page`.
struct get_event {
  event_id id;
  std::string cursor = {}; ///< empty: from the beginning; else the `cursor` of the page before

  template <class Inspector>
  friend bool inspect(Inspector& f, get_event& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("cursor", x.cursor));
  }
};

/// Ids are per connector: the one id as it was sent to each of several connectors, by connector id. At most
/// `max_events` of them and `max_bytes` of what they weigh. The first page is never empty: an id that nothing has is
/// refused with `not_found`.
struct event_page {
  static constexpr std::size_t max_events = 100;
  /// Of every page of history, as `page_bytes_of` counts; one attempt is always allowed, and fits. A node may be set to
  /// smaller ones.
  static constexpr std::size_t max_bytes = 4u << 20;

  std::vector<event_history> events;
  std::string cursor = {}; ///< go on after this page with it
  bool more = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, event_page& x) {
    return f.object(x).fields(f.field("events", x.events), f.field("cursor", x.cursor),
                              f.field("more", x.more));
  }
};

/// The events of one workflow run, in the order they were accepted, a page at a time. A page is bounded in bytes as an
/// `event_page` is.
struct get_run {
  static constexpr std::uint32_t max_limit = event_page::max_events;

  std::string run;
  std::string cursor; ///< empty: from the beginning; else the `cursor` of the page before
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_run& x) {
    return f.object(x).fields(f.field("run", x.run), f.field("cursor", x.cursor), f.field("limit", x.limit));
  }
};

struct run_page {
  std::vector<event_history> events;
  std::string cursor; ///< go on after this page with it
  bool more = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, run_page& x) {
    return f.object(x).fields(f.field("events", x.events), f.field("cursor", x.cursor),
                              f.field("more", x.more));
  }
};

/// The feed of attempts, oldest first: what a workflow engine reads to keep its run history. Asking again with a
/// page's cursor misses nothing and repeats nothing, also after either side was restarted. Where something that came
/// after the cursor is gone, the page says so: see outcome_page.
struct read_outcomes {
  static constexpr std::uint32_t max_limit = 1'000;
  static constexpr std::uint32_t max_wait_ms = 30'000;

  std::string cursor; ///< empty: from the oldest that is kept
  std::uint32_t limit = max_limit;
  std::uint32_t wait_ms = 0; ///< how long to hold the answer while there is nothing new

  template <class Inspector>
  friend bool inspect(Inspector& f, read_outcomes& x) {
    return f.object(x).fields(f.field("cursor", x.cursor), f.field("limit", x.limit),
                              f.field("wait_ms", x.wait_ms));
  }
};

/// One attempt in the feed. `summary.state` and `.next_attempt_at` are those right after this attempt.
struct outcome_entry {
  event_summary summary;
  attempt value;
  std::string cursor; ///< reading on after this entry starts here

  template <class Inspector>
  friend bool inspect(Inspector& f, outcome_entry& x) {
    return f.object(x).fields(f.field("summary", x.summary), f.field("value", x.value),
                              f.field("cursor", x.cursor));
  }
};

/// A page with a gap is given at once, also without entries. Bounded in bytes as an `event_page` is, the entries' cursors
/// included.
struct outcome_page {
  /// Empty: nothing is missing between the asked cursor and the first entry. Else: something that came after the asked
  /// cursor is gone (the retention took it, or the bound on its connector's history, or an older copy of the data folder
  /// was put back), and the entries go on from here.
  std::string gap_cursor;
  std::vector<outcome_entry> entries;
  std::string cursor; ///< go on after this page with it, also after one without entries
  /// Of a cluster: which partitions could not be read, and why, a sentence each. They keep their places in the cursor, so what
  /// they have comes later.
  std::vector<std::string> unread;

  template <class Inspector>
  friend bool inspect(Inspector& f, outcome_page& x) {
    return f.object(x).fields(f.field("gap_cursor", x.gap_cursor), f.field("entries", x.entries),
                              f.field("cursor", x.cursor), f.field("unread", x.unread));
  }
};

} // namespace vicket
