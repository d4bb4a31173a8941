#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace vicket {

/// What the log is told while a node is short of something: one line at once, one a minute as long as it lasts, and one
/// when it is over. All parts of a node that wait tell the same notice, so that it is one line for all of them. What
/// comes and goes within a minute of the last line is not told.
///
/// Pure: time is handed in. Not thread-safe.
class shortage_notice {
public:
  static constexpr std::int64_t interval_ms = 60'000;
  /// What nobody has told of again for so long is over, whether its end is told or not; longer than any wait between two
  /// tries.
  static constexpr std::int64_t lapse_ms = 10'000;
  /// As many things are named in one line, of more their number.
  static constexpr std::size_t max_named = 3;

  /// `source`, a part of the node, is short of `what`: "file descriptors (Too many open files)"; `waiting` deliveries of
  /// it wait for that. Told again while it lasts. The line to log, if it is time for one.
  [[nodiscard]] std::optional<std::string> lasts(std::uint32_t source, const std::string& what,
                                                 std::size_t waiting, timestamp_ms now);
  /// `source` is short of `what` no more. The line that says that all is over, as `look` gives it.
  [[nodiscard]] std::optional<std::string> ends(std::uint32_t source, const std::string& what,
                                                timestamp_ms now);
  /// The line that says that all is over, once, if it is and one has said that it began.
  [[nodiscard]] std::optional<std::string> look(timestamp_ms now);

private:
  struct entry {
    std::size_t waiting = 0;
    timestamp_ms told_at;
  };

  [[nodiscard]] std::string things() const;

  std::map<std::pair<std::string, std::uint32_t>, entry> entries_; ///< by what is short, and where
  timestamp_ms since_;                                             ///< of what is, or was last
  std::string last_things_;                                        ///< as the last line named them
  std::optional<timestamp_ms> last_line_at_;
  bool told_ = false; ///< a line has said what began at `since_`, and none that it is over
};

} // namespace vicket
