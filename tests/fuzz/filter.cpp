// A filter and an event's data: what compiles is kept as a text that says the same, judges to an end, and says why not.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/content_filter.hpp"
#include "policy/envelope.hpp"
#include "policy/json_check.hpp"

#include <string>
#include <variant>

using namespace vicket;

VICKET_FUZZ_TARGET(filter) {
  // The filter on a line, then data.
  const auto line = input.substr(0, input.find('\n'));
  auto made = content_filter::compile(line);
  if (const auto* fault = std::get_if<json_fault>(&made)) {
    EXPECT_THAT_IT_HOLDS(!fault->what.empty() && (fault->place.empty() || fault->place.front() == '/'));
    return;
  }
  const auto& filter = std::get<content_filter>(made);
  auto again = content_filter::compile(filter.text());
  EXPECT_THAT_IT_HOLDS(std::holds_alternative<content_filter>(again));
  EXPECT_THAT_IT_HOLDS(std::get<content_filter>(again).text() == filter.text());
  EXPECT_THAT_IT_HOLDS(filter.text().size() <= filter_bounds::bytes);
  const auto negated = content_filter::compile("{\"not\":" + filter.text() + "}");
  const auto* other = std::get_if<content_filter>(&negated); // it may be one too deep or too long

  const auto rest = line.size() < input.size() ? input.substr(line.size() + 1) : std::string_view{"{}"};
  const auto envelope = "{\"data\":" + std::string{rest} + "}";
  const auto found = data_in_envelope(envelope);
  if (!found)
    return;
  const auto data = *found;
  for (const auto* event : {"ticket.created", "", "a"}) {
    const bool matches = filter.matches(event, data);
    const auto why_not = filter.mismatches(event, data);
    EXPECT_THAT_IT_HOLDS(matches == why_not.empty());
    for (const auto& one : why_not)
      EXPECT_THAT_IT_HOLDS(one.place.starts_with('/') && !one.what.empty());
    EXPECT_THAT_IT_HOLDS(std::get<content_filter>(again).matches(event, data) == matches);
    EXPECT_THAT_IT_HOLDS(other == nullptr || other->matches(event, data) != matches);
  }
}
