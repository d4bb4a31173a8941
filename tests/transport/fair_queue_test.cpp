#include "transport/fair_queue.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace vicket;

namespace {

std::vector<int> drained(fair_queue<std::string, int>& queue) {
  std::vector<int> order;
  while (!queue.empty())
    order.push_back(queue.pop());
  return order;
}

} // namespace

TEST_CASE("a fair queue takes keys in a round and keeps the order within a key") {
  struct row {
    std::vector<std::pair<std::string, int>> pushed;
    std::vector<int> expected;
  };
  const row table[] = {
      {{}, {}},
      {{{"a", 1}}, {1}},
      {{{"a", 1}, {"a", 2}, {"a", 3}}, {1, 2, 3}},
      {{{"a", 1}, {"a", 2}, {"a", 3}, {"b", 4}}, {1, 4, 2, 3}},
      {{{"a", 1}, {"a", 2}, {"b", 3}, {"c", 4}, {"b", 5}, {"a", 6}}, {1, 3, 4, 2, 5, 6}},
  };
  for (const auto& [pushed, expected] : table) {
    fair_queue<std::string, int> queue;
    for (const auto& [key, item] : pushed)
      queue.push(key, item);
    CHECK(drained(queue) == expected);
  }
}

TEST_CASE("one that comes while another key has a crowd is next but one") {
  fair_queue<std::string, int> queue;
  for (int i = 0; i < 1'000; ++i)
    queue.push("crowd", i);
  CHECK(queue.pop() == 0);
  queue.push("late", -1);
  CHECK(queue.pop() == 1);
  CHECK(queue.pop() == -1);
  CHECK(queue.pop() == 2);
  queue.push("late", -2); // its turn again, behind the crowd's next
  CHECK(queue.pop() == 3);
  CHECK(queue.pop() == -2);
  queue.clear();
  CHECK(queue.empty());
}
