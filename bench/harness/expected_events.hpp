#pragma once

#include "bench/harness/delivery_ledger.hpp"
#include "bench/harness/event_source.hpp"
#include "bench/harness/sink.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vicket::bench {

/// The events of one source, and when each of them came to the sink.
class expected_events {
public:
  explicit expected_events(event_source source);
  expected_events(const expected_events&) = delete;
  expected_events& operator=(const expected_events&) = delete;

  [[nodiscard]] const event_source& source() const { return source_; }
  [[nodiscard]] delivery_ledger& ledger() { return ledger_; }
  [[nodiscard]] const delivery_ledger& ledger() const { return ledger_; }

  /// Puts a request into the books if it is one of these events.
  [[nodiscard]] bool take(const arrival& request);

  /// When event `index` was first delivered, CLOCK_MONOTONIC; 0: not yet.
  [[nodiscard]] std::int64_t delivered_ns(std::uint32_t index) const;
  [[nodiscard]] std::uint64_t delivered_between(std::int64_t from_ns, std::int64_t until_ns) const;
  /// Of the events [first, …); 0: none of them came.
  [[nodiscard]] std::int64_t last_delivery_ns(std::uint32_t first) const;

private:
  event_source source_;
  delivery_ledger ledger_{source_};
  std::vector<std::int64_t> delivered_ns_; ///< by index
};

/// Reads what comes to a sink that several sources send to.
class arrival_sorter {
public:
  explicit arrival_sorter(sink& from) : from_{from} {}

  /// Hands on what came since the last time.
  void sort(const std::vector<expected_events*>& among);

  /// Sorts until so many events of `of` were delivered. False: for `patience_ms` none was.
  [[nodiscard]] bool wait_for(const expected_events& of, std::uint64_t delivered, std::int64_t patience_ms,
                              const std::vector<expected_events*>& among);

  /// From now on the first delivery at or after this time is remembered, whosever it is.
  void watch_from(std::int64_t time_ns);
  /// 0: none was sorted yet.
  [[nodiscard]] std::int64_t first_watched_ns() const { return first_watched_ns_; }

  /// Requests that were nobody's, as a sentence; empty if there were none.
  [[nodiscard]] std::string complaint() const;

private:
  sink& from_;
  std::uint64_t strangers_ = 0;
  std::int64_t watched_from_ns_ = 0;
  std::int64_t first_watched_ns_ = 0;
};

/// `more`, each with "name: " before it, to the end of `sentences`.
void add_sentences(std::vector<std::string>& sentences, const std::string& name,
                   const std::vector<std::string>& more);

} // namespace vicket::bench
