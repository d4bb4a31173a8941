// Settings: the snapshot that readers have, and what a store keeps of them.

#include "store_fixture.hpp"

#include "storage/round_log.hpp"
#include "storage/settings_snapshot.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace vicket;
using namespace vicket::test;

namespace {

using entry_ptr = settings_snapshot::entry_ptr;
using change = settings_snapshot::change;
using model = std::map<setting_key, std::string>;

setting_key rule_key(const std::string& id) {
  return {setting_kind::rule, id};
}

change put(const setting_key& key, const std::string& bytes) {
  return {key, std::make_shared<const setting>(setting{key, bytes})};
}

/// As it is read through from the beginning, over all kinds.
model content(const settings_snapshot& of) {
  model all;
  of.visit_after({setting_kind{0}, ""}, [&](const entry_ptr& each) {
    CHECK(all.emplace(each->key, each->bytes).second);
    return true;
  });
  return all;
}

void check_same(const settings_snapshot& is, const model& wanted) {
  CHECK(content(is) == wanted);
  std::size_t bytes = 0;
  std::map<setting_kind, std::size_t> counts;
  for (const auto& [key, value] : wanted) {
    bytes += key.id.size() + value.size();
    ++counts[key.kind];
    const auto found = is.find(key);
    REQUIRE(found);
    CHECK(found->bytes == value);
  }
  CHECK(is.size() == wanted.size());
  CHECK(is.bytes() == bytes);
  for (const auto kind : {setting_kind::rule, setting_kind{2}})
    CHECK(is.count(kind) == counts[kind]);
}

sealed_round round_of(const partition_store& after, const std::function<void(write_batch&)>& fill) {
  auto header = after.last_round();
  ++header.number;
  auto batch = write_batch{};
  fill(batch);
  return {std::move(batch), header};
}

} // namespace

TEST_CASE("a snapshot has what was put and not deleted, and tells what has changed since an older one") {
  std::mt19937 dice{7};
  const auto upto = [&](unsigned n) { return dice() % n; };
  auto now = settings_snapshot::none();
  model wanted;
  std::vector<std::pair<std::shared_ptr<const settings_snapshot>, model>> before{{now, wanted}};
  for (int round = 0; round < 400; ++round) {
    const bool grows = round < 200; // then it goes down to nothing
    std::vector<change> changes;
    for (auto left = 1 + upto(12); left > 0; --left) {
      const setting_key key{upto(4) == 0 ? setting_kind{2} : setting_kind::rule, std::to_string(upto(900))};
      if (upto(10) < (grows ? 8u : 1u)) {
        const auto bytes = "v" + std::to_string(dice());
        changes.push_back(put(key, bytes));
        wanted[key] = bytes;
      } else {
        const auto gone = wanted.empty() || upto(3) == 0 ? key : wanted.begin()->first;
        changes.push_back({gone, nullptr});
        wanted.erase(gone);
      }
    }
    now = now->with(changes);
    check_same(*now, wanted);
    const auto& [old, was] = before[upto(static_cast<unsigned>(before.size()))];
    auto applied = was;
    setting_key last{setting_kind{0}, ""};
    now->visit_changes(*old, [&](const change& each) {
      CHECK(last < each.key);
      last = each.key;
      if (each.value) {
        CHECK((!was.contains(each.key) || old->find(each.key) != each.value));
        applied[each.key] = each.value->bytes;
      } else {
        CHECK(was.contains(each.key));
        applied.erase(each.key);
      }
    });
    CHECK(applied == wanted);
    before.emplace_back(now, wanted);
  }
  for (const auto& [old, was] : before) // none of them has changed meanwhile
    CHECK(content(*old) == was);
}

TEST_CASE("a page of a kind begins behind a name, and ends when its reader says so") {
  const auto all = settings_snapshot::none()->with(
      {put(rule_key("c"), "3"), put(rule_key("a"), "1"), put(rule_key("b"), "2")});
  std::string seen;
  all->visit_after(rule_key("a"), [&](const entry_ptr& each) {
    seen += each->key.id;
    return seen.size() < 1;
  });
  CHECK(seen == "b");
  CHECK(all->find(rule_key("bb")) == nullptr);
  CHECK(all->find({setting_kind{2}, "a"}) == nullptr);
}

TEST_CASE("a put among 10,000 settings makes a new snapshot that shares nearly all with the one before") {
  std::vector<change> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back(put(rule_key("rule-" + std::to_string(i)), "bytes"));
  const auto all = settings_snapshot::none()->with(many);
  const auto next = all->with({put(rule_key("rule-5000"), "other")});
  std::size_t looked_at = 0;
  next->visit_changes(*all, [&](const change&) { ++looked_at; });
  CHECK(looked_at == 1);
  CHECK(next->find(rule_key("rule-5000"))->bytes == "other");
  CHECK(all->find(rule_key("rule-5000"))->bytes == "bytes");
}

TEST_CASE("settings are there for readers when their round is applied, on every copy, and after a start") {
  auto environment = make_memory_environment();
  auto owner = open_store(small_options(environment.get(), "/owner"));
  auto copy = open_store(small_options(environment.get(), "/copy"));
  CHECK(owner->settings()->size() == 0);
  const auto apply = [&](const std::function<void(write_batch&)>& fill) {
    const auto round = round_of(*owner, fill);
    REQUIRE(owner->apply(round, partition_store::durability::synced).ok());
    const auto travelled = sealed_round::parse(std::string{round.bytes()});
    REQUIRE(travelled);
    REQUIRE(copy->apply(*travelled, partition_store::durability::unsynced).ok());
  };
  const setting_key unknown{setting_kind{2}, "a"};
  apply([&](write_batch& batch) {
    batch.put_setting({rule_key("a"), std::string("\0b", 2)});
    batch.put_setting({rule_key("b"), ""});
    batch.put_setting({unknown, "of a kind that is not known"});
  });
  apply([](write_batch& batch) {
    batch.put_setting({rule_key("a"), "2"});
    batch.delete_setting(rule_key("b"));
    batch.delete_setting(rule_key("nothing"));
  });
  const model wanted{{rule_key("a"), "2"}, {unknown, "of a kind that is not known"}};
  check_same(*owner->settings(), wanted);
  check_same(*copy->settings(), wanted);
  for (auto* store : {&owner, &copy}) {
    const auto* const folder = store == &owner ? "/owner" : "/copy";
    *store = nullptr;
    *store = open_store(small_options(environment.get(), folder));
    check_same(*(*store)->settings(), wanted);
  }
}

TEST_CASE(
    "a round that the store refuses changes no settings, and the batch can be used again without them") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  auto wrong = round_of(*store, [](write_batch& batch) { batch.put_setting({rule_key("a"), "1"}); });
  const auto right = round_of(*store, [](write_batch& batch) { batch.put_setting({rule_key("b"), "1"}); });
  REQUIRE(store->apply(right, partition_store::durability::synced).ok());
  CHECK(store->apply(wrong, partition_store::durability::synced).code == store_errc::foreign);
  check_same(*store->settings(), {{rule_key("b"), "1"}});
  auto header = store->last_round();
  ++header.number;
  const sealed_round empty{std::move(wrong).reuse(), header};
  REQUIRE(store->apply(empty, partition_store::durability::synced).ok());
  check_same(*store->settings(), {{rule_key("b"), "1"}});
}

TEST_CASE("settings are part of what a cluster's log begins with") {
  auto environment = make_memory_environment();
  const auto store = open_store(small_options(environment.get()));
  REQUIRE(store
              ->apply(round_of(*store,
                               [](write_batch& batch) {
                                 batch.put_setting({rule_key("a"), "1"});
                               }),
                      partition_store::durability::synced)
              .ok());
  auto copy = open_store(small_options(environment.get(), "/copy"));
  REQUIRE(store
              ->copy_as_rounds(copy->epoch(), 1'000,
                               [&](const sealed_round& round) {
                                 const auto travelled = sealed_round::parse(std::string{round.bytes()});
                                 REQUIRE(travelled);
                                 return copy->apply(*travelled, partition_store::durability::synced);
                               })
              .ok());
  check_same(*copy->settings(), {{rule_key("a"), "1"}});
}
