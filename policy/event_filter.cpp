#include "policy/event_filter.hpp"

#include <algorithm>

namespace vicket {

bool pattern_matches(std::string_view pattern, std::string_view event) {
  const auto first_star = pattern.find('*');
  if (first_star == std::string_view::npos)
    return pattern == event;
  const auto last_star = pattern.rfind('*');
  const auto head = pattern.substr(0, first_star);
  const auto tail = pattern.substr(last_star + 1);
  if (event.size() < head.size() + tail.size() || !event.starts_with(head) || !event.ends_with(tail))
    return false;
  auto rest = event.substr(head.size(), event.size() - head.size() - tail.size());
  // What stands between two stars may be taken at its leftmost place: that leaves the most for those after
  // it.
  for (auto begin = first_star + 1; begin <= last_star;) {
    const auto end = pattern.find('*', begin);
    const auto part = pattern.substr(begin, end - begin);
    const auto at = rest.find(part);
    if (at == std::string_view::npos)
      return false;
    rest.remove_prefix(at + part.size());
    begin = end + 1;
  }
  return true;
}

bool event_matches(const std::vector<std::string>& patterns, std::string_view event) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
           return pattern_matches(pattern, event);
         });
}

} // namespace vicket
