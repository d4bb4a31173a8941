#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace vicket::internal {

/// What the log is told of connections to one listener that came to nothing: refused handshakes, upgrades that were none,
/// those that made room for others. The first one at once; after that one line a minute at most, with how many there were
/// since the line before, and of the last one from where and why.
///
/// One that hung up without a byte is what a balancer's probe looks like: it counts, but only `many_silent` of them within
/// a minute make a line.
///
/// Pure: time is handed in. Not thread-safe.
class arrival_notice {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds interval{60};
  static constexpr std::size_t many_silent = 600;
  static constexpr std::size_t most_reason_bytes = 256; ///< of what is told of the last one

  /// `where`: the listener, for the line.
  explicit arrival_notice(std::string where) : where_{std::move(where)} {}

  /// One has ended. `why`: one clause. The line to log, if it is time for one.
  [[nodiscard]] std::optional<std::string> came_to_nothing(const std::string& address, const std::string& why,
                                                           bool silent, time_point now);
  /// The line to log, if one has become due.
  [[nodiscard]] std::optional<std::string> look(time_point now);
  /// When to look; absent: there is nothing to tell.
  [[nodiscard]] std::optional<time_point> next_look() const;

private:
  [[nodiscard]] bool has_news() const { return count_ > 0 || silent_ >= many_silent; }

  const std::string where_;
  std::size_t count_ = 0;             ///< since the last line, without the silent ones
  std::size_t silent_ = 0;            ///< since `silent_since_`, or the last line
  time_point silent_since_;           ///< only of interest with `silent_`
  std::string last_;                  ///< from where, and why
  std::optional<time_point> told_at_; ///< the last line
};

} // namespace vicket::internal
