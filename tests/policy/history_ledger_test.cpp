#include "policy/history_ledger.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <map>
#include <vector>

using namespace vicket;

namespace {

constexpr std::uint64_t crm = 1;
constexpr std::uint64_t erp = 2;

history_ledger::limits with_budget(std::uint64_t bytes) {
  history_ledger::limits with;
  with.budget_bytes = bytes;
  return with;
}

std::uint64_t bytes_of(const history_ledger& ledger, std::uint64_t connector) {
  std::uint64_t bytes = 0;
  if (const auto* found = ledger.find(connector))
    for (const auto& one : found->stretches)
      bytes += one.bytes();
  return bytes;
}

} // namespace

TEST_CASE("a connector's answers are within its budget, to a 64th of it, the oldest go first, and nothing "
          "within it") {
  history_ledger ledger{with_budget(6'400)}; // stretches of 100 bytes
  for (std::uint64_t position = 1; position <= 640; ++position) {
    ledger.add(crm, position, 10, 0);
    ledger.check();
    CHECK(ledger.find(crm)->answers_from == 0);
  }
  CHECK(bytes_of(ledger, crm) == 6'400);
  ledger.add(crm, 641, 1, 0); // one byte more: the first ten go
  ledger.check();
  CHECK(ledger.find(crm)->answers_from == 11);
  CHECK(bytes_of(ledger, crm) == 6'301);
  ledger.add(erp, 642, 6'400, 0); // another one's budget is its own
  ledger.check();
  CHECK(ledger.find(crm)->answers_from == 11);
  CHECK(ledger.find(erp)->answers_from == 0);
  for (std::uint64_t position = 700; position <= 5'000; ++position) {
    ledger.add(crm, position, 10, 0);
    CHECK(bytes_of(ledger, crm) <= 6'400);
    CHECK(bytes_of(ledger, crm) >= 6'400 - 110);
  }
  ledger.check();
}

TEST_CASE("the newest answer is kept, however large") {
  history_ledger ledger{with_budget(100)};
  ledger.add(crm, 5, 1'000, 0);
  CHECK(ledger.find(crm)->answers_from == 0);
  ledger.add(crm, 9, 1'000, 0);
  ledger.check();
  CHECK(ledger.find(crm)->answers_from == 9);
  CHECK(bytes_of(ledger, crm) == 1'000);
}

TEST_CASE("what retention forgot counts no more, and an account of which nothing is left is removed from the "
          "store") {
  history_ledger ledger{with_budget(6'400)};
  for (std::uint64_t position = 1; position <= 640; ++position)
    ledger.add(crm, position, 10, 0);
  CHECK(ledger.take_changes(100'000, 10).size() == 1);
  ledger.forget_below(101);
  ledger.check();
  CHECK(bytes_of(ledger, crm) == 5'400);
  for (std::uint64_t position = 641; position <= 740; ++position)
    ledger.add(crm, position, 10, 0);
  CHECK(ledger.find(crm)->answers_from == 0);
  ledger.forget_below(740);
  CHECK(ledger.find(crm) != nullptr);
  ledger.forget_below(741);
  CHECK(ledger.find(crm) == nullptr);
  const auto changes = ledger.take_changes(741, 10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].connector == crm);
  CHECK_FALSE(changes[0].value);
  ledger.check();
}

TEST_CASE("an account is stored when it has waited for so many bytes or positions, or drops something") {
  auto with = with_budget(6'400);
  with.lag_bytes = 1'000;
  with.lag_positions = 100;
  history_ledger ledger{with};
  ledger.add(crm, 10, 100, 0);
  CHECK(ledger.take_changes(109, 10).empty());
  CHECK(ledger.counted_below(109) == 10);
  auto changes = ledger.take_changes(110, 10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].value == history_ledger::account{0, 0, 11, {{10, 100, 0}}});
  CHECK(ledger.counted_below(110) == 110);
  CHECK(ledger.take_changes(1'000, 10).empty());

  ledger.add(crm, 200, 100, 0);
  ledger.add(erp, 201, 899, 0);
  CHECK(ledger.take_changes(202, 10).empty());
  ledger.add(erp, 202, 1, 0);
  changes = ledger.take_changes(203, 10); // 1,000 bytes since position 200, fewer since the next
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].connector == crm);
  CHECK(ledger.counted_below(203) == 201);

  ledger.add(crm, 203, 6'300, 0);
  changes = ledger.take_changes(204, 1);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].connector == crm);
  CHECK(changes[0].value->answers_from == 200);   // 6,400 bytes are left
  CHECK(ledger.take_changes(204, 1).size() == 1); // and the other one, for the bytes
  CHECK(ledger.take_changes(204, 1).empty());
  ledger.check();
}

TEST_CASE("changes of a round that is refused are taken again, and a restart counts from them on") {
  auto with = with_budget(640);
  with.lag_positions = 10;
  history_ledger ledger{with};
  ledger.add(erp, 3, 1, 0);
  ledger.add(crm, 5, 600, 0);
  ledger.add(crm, 7, 600, 0);
  const auto taken = ledger.take_changes(15, 10);
  REQUIRE(taken.size() == 2);
  ledger.add(crm, 16, 5, 0);
  CHECK(ledger.counted_below(17) == 16);
  ledger.put_back(taken);
  ledger.check();
  CHECK(ledger.counted_below(17) == 3);
  const auto again = ledger.take_changes(17, 10);
  CHECK(again.size() == 2);
  for (const auto& one : again)
    if (one.connector == crm)
      CHECK(one.value->counted_to == 17);
  CHECK(ledger.counted_below(17) == 17);
  ledger.check();
}

TEST_CASE("what was stored and is counted again after a restart comes to the same, wherever the crash was") {
  auto with = with_budget(2'000);
  with.lag_bytes = 300;
  with.lag_positions = 40;
  history_ledger ledger{with};
  std::map<std::uint64_t, history_ledger::account> stored;
  std::uint64_t counted_below = 0;
  struct answer {
    std::uint64_t connector, position, bytes;
  };
  std::vector<answer> log;
  std::uint64_t random = 1;
  for (std::uint64_t position = 1; position <= 3'000; ++position) {
    random = random * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    if (random >> 60 < 6)
      log.push_back({1 + (random >> 40) % 5, position, 1 + (random >> 20) % 50});
    if (!log.empty() && log.back().position == position)
      ledger.add(log.back().connector, position, log.back().bytes, 0);
    if (position % 7 == 0) { // a round
      for (const auto& one : ledger.take_changes(position + 1, 3))
        if (one.value)
          stored[one.connector] = *one.value;
        else
          stored.erase(one.connector);
      counted_below = ledger.counted_below(position + 1);
      ledger.check();
    }
    if (position % 101 != 0)
      continue;
    history_ledger again{with};
    for (const auto& [connector, value] : stored)
      again.load(connector, value);
    for (const auto& one : log)
      if (one.position >= counted_below)
        again.add(one.connector, one.position, one.bytes, 0);
    again.check();
    for (std::uint64_t connector = 1; connector <= 5; ++connector)
      if (const auto* kept = ledger.find(connector)) {
        REQUIRE(again.find(connector) != nullptr);
        CHECK(*again.find(connector) == *kept);
      }
  }
  CHECK(stored.size() == 5);
  CHECK(ledger.find(1)->answers_from > 0);
}

TEST_CASE("so many connectors have an account; those with much push out those with little, and none that "
          "drops something") {
  auto with = with_budget(1'000);
  with.accounts = 32;
  history_ledger ledger{with};
  std::uint64_t position = 0;
  ledger.add(1'000, ++position, 900, 0);
  ledger.add(1'000, ++position, 900, 0); // drops
  REQUIRE(ledger.find(1'000)->answers_from > 0);
  for (std::uint64_t connector = 0; connector < 500; ++connector)
    ledger.add(connector, ++position, 10 + connector % 3, 0);
  for (std::uint64_t connector = 500; connector < 540; ++connector)
    ledger.add(connector, ++position, 500, 0);
  CHECK(ledger.accounts() == 32);
  CHECK(ledger.find(1'000) != nullptr);
  std::size_t large = 0;
  for (std::uint64_t connector = 500; connector < 540; ++connector)
    large += ledger.find(connector) != nullptr ? 1 : 0;
  CHECK(large == 31);
  ledger.check();
}

TEST_CASE("attempts go when no answer but those of the last stretch is left, the oldest first") {
  history_ledger ledger{with_budget(6'400)}; // stretches of 100 bytes
  std::uint64_t position = 0;
  for (int i = 0; i < 64; ++i)
    ledger.add(crm, ++position, 80, 20);
  CHECK(ledger.find(crm)->answers_from == 0);
  // 20 bytes of each stay: 320 stretches of those are the budget, and go five in one
  while (ledger.find(crm)->attempts_from == 0) {
    const auto answers_from = ledger.find(crm)->answers_from;
    ledger.add(crm, ++position, 80, 20);
    ledger.check();
    REQUIRE(ledger.find(crm)->answers_from >= answers_from);
    REQUIRE(position < 400);
  }
  CHECK(position > 310);
  CHECK(ledger.find(crm)->answers_from == position); // all but the last have lost theirs
  CHECK(ledger.find(crm)->attempts_from > 1);
  CHECK(ledger.find(crm)->attempts_from <= 6);
  CHECK(ledger.find(crm)->stretches.size() < 3 * 64);
  CHECK(bytes_of(ledger, crm) <= 6'400);
  CHECK(bytes_of(ledger, crm) >= 6'400 - 200);
}

TEST_CASE("attempts without answers are counted and dropped as well, and the round says which drop") {
  history_ledger ledger{with_budget(6'400)};
  std::uint64_t position = 0;
  for (int i = 0; i < 640; ++i)
    ledger.add(crm, ++position, 0, 10);
  CHECK(ledger.find(crm)->attempts_from == 0);
  ledger.add(erp, ++position, 6'000, 0);
  ledger.add(erp, ++position, 6'000, 0); // drops an answer
  CHECK(ledger.take_changes(position, 10).size() == 1);
  ledger.add(crm, ++position, 0, 1);
  CHECK(ledger.find(crm)->attempts_from == 11);
  CHECK(ledger.find(crm)->answers_from == 11);
  auto changes = ledger.take_changes(position, 10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].drops_attempts);
  ledger.put_back(changes);
  changes = ledger.take_changes(position, 10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].drops_attempts); // since it was not stored
  ledger.add(crm, ++position, 0, 1);
  for (const auto& one : ledger.take_changes(position + 1'000'000, 10))
    CHECK_FALSE(one.drops_attempts);
  ledger.check();
}

TEST_CASE(
    "a million connectors with little history have no accounts, and one of them that gets much has one") {
  history_ledger ledger{history_ledger::limits{}};
  std::uint64_t position = 0;
  for (std::uint64_t connector = 1; connector <= 1'000'000; ++connector)
    ledger.add(connector * 0x9e37'79b9'7f4a'7c15ULL, ++position, 0, 150);
  CHECK(ledger.accounts() < 200); // one for each MiB
  const auto one = 7 * 0x9e37'79b9'7f4a'7c15ULL;
  for (int i = 0; i < 64 * 1'024; ++i)
    ledger.add(one, ++position, 0, 150);
  REQUIRE(ledger.find(one) != nullptr);
  CHECK(bytes_of(ledger, one) > 8u << 20);
}

TEST_CASE("below a 1,024th of the budget there is no account, with it there is") {
  history_ledger ledger{with_budget(1'024'000)};
  ledger.add(crm, 1, 999, 0);
  CHECK(ledger.find(crm) == nullptr);
  ledger.add(crm, 2, 0, 1);
  REQUIRE(ledger.find(crm) != nullptr);
  CHECK(bytes_of(ledger, crm) == 1);
}
