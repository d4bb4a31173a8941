#include "policy/event_filter.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

TEST_CASE("a pattern's star matches any run of characters, and the whole name has to match") {
  struct row {
    std::string_view pattern;
    std::string_view event;
    bool matches;
  };
  const std::vector<row> table{
      {"ticket.created", "ticket.created", true},
      {"ticket.created", "ticket.created.x", false},
      {"ticket.created", "x.ticket.created", false},
      {"ticket.created", "Ticket.created", false},
      {"*", "anything.at.all", true},
      {"*", "", true},
      {"**", "x", true},
      {"ticket.*", "ticket.created", true},
      {"ticket.*", "ticket.status.changed", true},
      {"ticket.*", "ticket.", true},
      {"ticket.*", "ticket", false},
      {"ticket.*", "tickets.created", false},
      {"*.created", "ticket.created", true},
      {"*.created", "created", false},
      {"*.created", "a.created.b", false},
      {"ticket.*.changed", "ticket.status.changed", true},
      {"ticket.*.changed", "ticket.a.b.changed", true},
      {"ticket.*.changed", "ticket.changed", false},
      {"a*a", "a", false},
      {"a*a", "aa", true},
      {"ab*ba", "aba", false},
      {"ab*ba", "abba", true},
      {"*a*b*", "xaxbx", true},
      {"*a*b*", "xbxax", false},
      {"a*b*c", "abbc", true},
      {"a*bc*c", "abcbc", true},
      {"a*bc*bc", "abc", false},
      {"a*b*b", "ab", false},
      {"*ab*ab*", "aab", false},
      {"*ab*ab*", "aabab", true},
      {"?", "a", false},
      {"[a-z]", "a", false},
      {".", "a", false},
      {"", "", true},
      {"", "a", false},
  };
  for (const auto& [pattern, event, expected] : table) {
    INFO(pattern << " on " << event);
    CHECK(event_matches({std::string{pattern}}, event) == expected);
  }
}

TEST_CASE("a connector without patterns takes all events, one with several those that any matches") {
  CHECK(event_matches({}, "ticket.created"));
  CHECK(event_matches({"user.*", "ticket.*"}, "ticket.created"));
  CHECK_FALSE(event_matches({"user.*", "order.*"}, "ticket.created"));
}

TEST_CASE("a pattern full of stars takes no longer than any other") {
  // With backtracking this would be exponential: the test would not end.
  std::string pattern;
  for (int i = 0; i < 85; ++i)
    pattern += "*a*";
  pattern += "b";
  const std::string event(256, 'a');
  CHECK_FALSE(event_matches({pattern}, event));
  CHECK(event_matches({pattern}, event + "b"));
}

} // namespace vicket
