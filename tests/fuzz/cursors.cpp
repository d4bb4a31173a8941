// Cursors that a client hands back: each is one of this node's, and then the same text again, or refused. The first byte
// says how many partitions there are.

#include "tests/fuzz/fuzz_target.hpp"

#include "actors/feed_cursor.hpp"
#include "actors/history_cursor.hpp"

using namespace vicket;

VICKET_FUZZ_TARGET(cursors) {
  if (input.empty())
    return;
  const auto partitions = std::size_t{1} + static_cast<unsigned char>(input[0]) % 8;
  const auto text = input.substr(1);
  if (const auto place = feed_cursor::parse(text, partitions)) {
    EXPECT_THAT_IT_HOLDS(place->positions.size() == partitions);
    EXPECT_THAT_IT_HOLDS(place->to_string().size() <= feed_cursor::most_text_bytes(partitions));
    const auto again = feed_cursor::parse(place->to_string(), partitions);
    EXPECT_THAT_IT_HOLDS(again && again->positions == place->positions);
  }
  if (const auto place = run_cursor::parse(text, partitions)) {
    EXPECT_THAT_IT_HOLDS(place->after.size() == partitions);
    const auto again = run_cursor::parse(place->to_string(), partitions);
    EXPECT_THAT_IT_HOLDS(again && again->after == place->after && again->within == place->within);
  }
  if (const auto place = event_cursor::parse(text)) {
    const auto again = event_cursor::parse(place->to_string());
    EXPECT_THAT_IT_HOLDS(text.empty() ||
                         (again && again->connector == place->connector && again->within == place->within));
  }
}
