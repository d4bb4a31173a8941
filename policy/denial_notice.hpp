#pragma once

#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace vicket {

/// What the log is told of names that resolve to addresses that may not be reached. The attempt itself does not say which
/// they are: who can name an endpoint would learn by it what names mean inside the operator's network.
///
/// A name is told at once, and again after an hour or when it resolves to others; at most `max_lines` a minute, of what
/// came beyond the next line gives the number.
///
/// Pure: time is handed in. Not thread-safe.
class denial_notice {
public:
  static constexpr std::int64_t again_ms = 3'600'000;
  static constexpr std::int64_t minute_ms = 60'000;
  static constexpr std::size_t max_lines = 10;
  static constexpr std::size_t max_names = 256; ///< at it, the one told longest ago is forgotten

  /// `addresses`: why each may not be reached. The line to log, if it is time for one.
  [[nodiscard]] std::optional<std::string> denied(const std::string& name, const std::string& addresses,
                                                  timestamp_ms now);

private:
  struct told {
    std::string addresses;
    timestamp_ms at;
  };

  std::map<std::string, told> names_;
  std::deque<std::string> order_; ///< the names of `names_`, the one told longest ago first
  timestamp_ms minute_began_;
  std::size_t lines_ = 0; ///< since then
  std::size_t left_out_ = 0;
};

} // namespace vicket
