#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// Which of the other nodes of its cluster a node can't reach over its own connections to them. A node that is gone is none of
/// them: that is `presence`'s. Times are of a clock that goes on while the machine sleeps, in milliseconds. Pure.
class peer_contact {
public:
  /// Without a connection for less is no trouble. Longer than `presence::present_ms`, so that one that dies is not accused.
  static constexpr std::int64_t patience_ms = 4'000;

  /// Who else is there, by name; all that are.
  void seen(const std::vector<std::string>& present, std::int64_t now_ms);
  /// There is a connection to the node, or there is none any more, or it could not be made: why, one clause.
  void is(const std::string& node, bool connected, const std::string& why, std::int64_t now_ms);

  /// It is there, and there is no connection to it, however long.
  [[nodiscard]] bool is_missing(std::string_view node) const;

  struct trouble {
    std::string node;
    std::string why; ///< one clause
  };
  /// Those without one for `patience_ms`, by name.
  [[nodiscard]] std::vector<trouble> unreached(std::int64_t now_ms) const;

private:
  struct known {
    bool present = false;
    bool connected = false;
    std::int64_t since_ms = 0; ///< present, and not connected
    std::string why = "no connection yet";
  };

  std::map<std::string, known, std::less<>> nodes_;
};

/// What a node says of itself: whom it can't reach.
struct contact_report {
  std::string node;
  std::vector<std::string> unreached;
};

/// The nodes that are to own nothing, since what is sent to the others for their partitions would not get there: those that
/// more than half of the others can't reach. When two can't reach each other and the rest reaches both, nobody knows whose
/// fault it is, and it is none of these; nor is it anybody's when it would be everybody's. `live`: all that are there. Pure,
/// by name.
[[nodiscard]] std::vector<std::string> cut_off(const std::vector<contact_report>& live);

} // namespace vicket
