#pragma once

#include "policy/peer_contact.hpp"
#include "policy/placement.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// Which nodes of a cluster are there, as one of them sees it: whoever has shown a sign of life within `present_ms` of this
/// node's own clock. It says who claims first, and is shown to operators; nothing's safety depends on it.
///
/// Times are of a clock that goes on while the machine sleeps (CLOCK_BOOTTIME), in milliseconds. Pure.
class presence {
public:
  static constexpr std::int64_t present_ms = 3'000;
  /// A node that has been silent for so long is gone for good as far as its copies go: others are to keep them. Longer than a
  /// node takes to start again, since a copy that goes elsewhere begins with nothing there.
  static constexpr std::int64_t gone_ms = 30'000;

  /// What the table of members has of a node.
  struct sign {
    std::string node;
    std::string zone;                        ///< see `placement_node`
    std::uint64_t incarnation = 0;           ///< which life of it, from 1
    std::uint64_t beats = 0;                 ///< its signs of life in that one
    bool stays = true;                       ///< it does not say that it is about to go
    bool able = true;                        ///< its stores take something
    std::vector<std::string> unreached = {}; ///< see `contact_report`
    bool drained = false;                    ///< an operator wants it to own and keep nothing
  };

  /// All rows of the table, read now.
  void seen(const std::vector<sign>& all, std::int64_t now_ms);
  /// The table can't be read: nobody is taken for gone because of what could not be seen meanwhile.
  void lost_sight() { has_gap_ = true; }

  /// By name, those that stay. One that is seen for the first time is there until it has been silent.
  [[nodiscard]] std::vector<placement_node> present(std::int64_t now_ms) const;
  [[nodiscard]] bool is_present(std::string_view node, std::int64_t now_ms) const;
  /// Those of them that are to own something: not those whose stores take nothing, that are drained, or that the others can't
  /// reach (`cut_off`).
  [[nodiscard]] std::vector<placement_node> able(std::int64_t now_ms) const;
  /// By name, those that are not gone for good; `placement_node::takes_more` of those that are `able`, and
  /// those may not own whose stores take nothing, that are drained, or that the others can't reach.
  [[nodiscard]] std::vector<placement_node> not_gone(std::int64_t now_ms) const;
  [[nodiscard]] bool is_cut_off(std::string_view node, std::int64_t now_ms) const;

  /// That life of the node is over, since there is a later one.
  [[nodiscard]] bool is_superseded(std::string_view node, std::uint64_t incarnation) const;

private:
  struct known {
    sign last;
    std::int64_t changed_ms = 0;
  };

  [[nodiscard]] bool was_seen_within(const known& of, std::int64_t ms, std::int64_t now_ms) const {
    return has_gap_ || now_ms - of.changed_ms < ms;
  }
  [[nodiscard]] std::vector<std::string> all_cut_off(std::int64_t now_ms) const;

  std::map<std::string, known, std::less<>> nodes_;
  bool has_gap_ = false; ///< the table could not be read since `seen` was called last
};

} // namespace vicket
