#include "actors/busy_connectors.hpp"

#include "tests/support/seeded_random.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace vicket;
using slot = busy_connectors::slot;
using verdict = busy_connectors::verdict;

namespace {

std::string name_of(std::size_t number) {
  auto digits = std::to_string(1'000'000 + number);
  digits.front() = 'c';
  return digits;
}

/// Slots whose ids are in no order.
struct table {
  std::vector<connector_id> ids;
  busy_connectors busy{[this](slot which) -> const connector_id& { return ids[which]; }};

  explicit table(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      ids.push_back({name_of((i * 7'919) % count)});
  }
  [[nodiscard]] std::vector<std::string> page(const std::string& after, std::size_t limit) {
    std::vector<std::string> found;
    busy.visit_after({after}, [&](slot which) {
      if (found.size() == limit)
        return verdict::stop;
      found.push_back(ids[which].value);
      return verdict::keep;
    });
    return found;
  }
};

} // namespace

TEST_CASE("busy connectors are visited by id, page after page, however they came") {
  constexpr std::size_t count = busy_connectors::chunk_slots * 3 + 5;
  table all{count};
  for (slot i = 0; i < count; ++i)
    CHECK(all.busy.insert(i));
  CHECK_FALSE(all.busy.insert(0));
  all.busy.check();
  std::string after;
  std::size_t seen = 0;
  for (auto page = all.page(after, 100); !page.empty(); page = all.page(after, 100)) {
    for (const auto& id : page)
      REQUIRE(id == name_of(seen++));
    after = page.back();
  }
  CHECK(seen == count);
  CHECK(all.page(name_of(7) + "x", 1) == std::vector{name_of(8)}); // after one that is not there
}

TEST_CASE("those that come in order fill their chunks, the one that is one too many begins another") {
  constexpr std::size_t count = busy_connectors::chunk_slots + 1;
  std::vector<connector_id> ids;
  busy_connectors busy{[&](slot which) -> const connector_id& { return ids[which]; }};
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back({name_of(i)});
    busy.insert(static_cast<slot>(i));
    busy.check();
  }
  CHECK(busy.size() == count);
  ids.push_back({"b"});
  busy.insert(count);
  busy.check();
  std::size_t visited = 0;
  busy.visit_after({}, [&](slot which) {
    CHECK(which == (visited == 0 ? count : visited - 1));
    ++visited;
    return verdict::keep;
  });
  CHECK(visited == count + 1);
}

TEST_CASE("a visitor drops what has nothing to show, and stops where it likes") {
  table all{2'000};
  for (slot i = 0; i < 2'000; ++i)
    all.busy.insert(i);
  std::size_t visited = 0;
  all.busy.visit_after({}, [&](slot which) {
    ++visited;
    if (all.ids[which].value == name_of(1'500))
      return verdict::stop;
    return all.ids[which].value < name_of(1'000) ? verdict::drop : verdict::keep;
  });
  CHECK(visited == 1'501);
  CHECK(all.busy.size() == 1'000);
  all.busy.check();
  CHECK(all.page({}, 1) == std::vector{name_of(1'000)});
  all.busy.visit_after({}, [](slot) { return verdict::drop; });
  CHECK(all.busy.size() == 0);
  CHECK(all.page({}, 1).empty());
  CHECK(all.busy.insert(5));
}

TEST_CASE("whatever comes and goes, those that are in it are visited, once, in order") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    seeded_random chance{seed};
    table all{3'000};
    std::map<std::string, slot> model;
    for (int step = 0; step < 30'000; ++step) {
      const auto which = static_cast<slot>(chance.next() % all.ids.size());
      if (chance.next() % 10 < 6)
        REQUIRE(all.busy.insert(which) == model.emplace(all.ids[which].value, which).second);
      else
        REQUIRE(all.busy.erase(which) == (model.erase(all.ids[which].value) > 0));
      if (step % 1'000 != 0)
        continue;
      all.busy.check();
      auto expected = model.begin();
      all.busy.visit_after({}, [&](slot each) {
        REQUIRE(expected != model.end());
        REQUIRE(each == (expected++)->second);
        return verdict::keep;
      });
      REQUIRE(expected == model.end());
    }
  }
}
