// A message of `vicket.json.1`: it asks for something within its bounds, or there is a sentence why not.

#include "tests/fuzz/fuzz_target.hpp"

#include "link/json_request.hpp"
#include "policy/utf8.hpp"

#include <algorithm>

namespace {

using namespace vicket;
using namespace vicket::internal;

bool is_told(const refusal& why) {
  return !why.detail.empty() && with_replaced_invalid_utf8(why.detail) == why.detail;
}

void check_items(const std::vector<std::optional<refusal>>& items, std::size_t asked) {
  EXPECT_THAT_IT_HOLDS(items.size() <= send_batch::max_items);
  const auto good = std::count_if(items.begin(), items.end(), [](const auto& item) { return !item; });
  EXPECT_THAT_IT_HOLDS(static_cast<std::size_t>(good) == asked);
  for (const auto& item : items)
    EXPECT_THAT_IT_HOLDS(!item || is_told(*item));
}

void check(const json_send& asked) {
  check_items(asked.items, asked.events.items.size());
}

void check(const json_trigger& asked) {
  check_items(asked.items, asked.triggers.items.size());
}

void check(const read_outcomes& asked) {
  EXPECT_THAT_IT_HOLDS(asked.cursor.size() <= json_bounds::cursor_bytes);
  EXPECT_THAT_IT_HOLDS(asked.limit >= 1 && asked.limit <= 1'000);
}

void check(const get_run& asked) {
  EXPECT_THAT_IT_HOLDS(asked.run.size() <= json_bounds::run_bytes);
}

void check(const get_event&) {}

void check(const refusal& why) {
  EXPECT_THAT_IT_HOLDS(is_told(why));
}

} // namespace

VICKET_FUZZ_TARGET(json_request) {
  const auto read = read_json_request(input);
  if (const auto* why = std::get_if<std::string>(&read)) {
    EXPECT_THAT_IT_HOLDS(!why->empty());
    EXPECT_THAT_IT_HOLDS(
        std::all_of(why->begin(), why->end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; }));
    return;
  }
  const auto& asked = std::get<internal::json_request>(read);
  EXPECT_THAT_IT_HOLDS(asked.number <= json_bounds::most_request);
  std::visit([](const auto& what) { check(what); }, asked.what);
}
