#pragma once

#include "messages/history.hpp"
#include "tests/sim/event_book.hpp"
#include "tests/sim/facts.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace vicket::sim {

/// Readers of the outcome feed that keep their cursors, and what they were told.
class feed_book {
public:
  feed_book(std::size_t readers, std::vector<complaint>& complaints)
      : readers_(readers), complaints_{&complaints} {}

  [[nodiscard]] const std::string& cursor(std::size_t reader) const { return readers_[reader].cursor; }
  /// It lost what it knew, and begins with the oldest that is kept.
  void start_over(std::size_t reader) { readers_[reader] = {}; }

  /// The answer to a read after `cursor(reader)`. `gap`: it said that something is missing.
  void page(std::size_t reader, const outcome_page& told, bool gap, std::uint64_t newest_request,
            event_book& events);

  /// The folder is an older copy now; these were the cursors, and the newest request, when it was made.
  void restored(const std::vector<std::string>& cursors_then, std::uint64_t newest_request_then);
  [[nodiscard]] std::vector<std::string> cursors() const;

  /// Every reader that has begun has read to the end, and the histories were told just now.
  void check_complete(const event_book& events) const;

private:
  struct reader_fact {
    std::string cursor;
    bool has_read = false;
    std::set<std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>> seen; ///< event, attempt, request
    /// The same since it was last told that a log was taken back: what it knew may come again after that.
    std::set<std::tuple<std::uint64_t, std::uint32_t, std::uint64_t>> seen_since;
    std::map<std::uint64_t, std::uint32_t> last_number; ///< by event
    std::uint64_t excused_to = 0; ///< of requests up to here outcomes may be missing: it was told so
    bool from_the_future =
        false; ///< its cursor is of a log that a restore may have taken back: it may be told a gap
    bool saw_the_future = false; ///< and it was told of something in it: it has to be told a gap
  };

  void complain(std::string rule, std::string detail) const {
    complaints_->push_back({std::move(rule), std::move(detail)});
  }
  void take(std::size_t number, const outcome_entry& entry, std::uint64_t serial);
  [[nodiscard]] static std::uint64_t newest_forgettable(const reader_fact& who, const event_book& events);

  std::vector<reader_fact> readers_;
  std::vector<complaint>* complaints_;
};

} // namespace vicket::sim
