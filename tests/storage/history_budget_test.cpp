// Answers below a connector's mark are gone for every read at once, and from the disk when their files are rewritten.

#include "store_fixture.hpp"

#include "storage/key_codec.hpp"

#include <filesystem>
#include <limits>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
const auto crm = codec::account_of({"crm-prod"});

/// The first attempt at a new event of this connector, which settles it.
stored_attempt answer(partition_store& store, std::string body, const std::string& connector = "crm-prod") {
  const auto event = accept(store, false, {.connector = connector});
  auto made = attempt_of(store.allocate_sequence(), event, 1);
  made.account = codec::account_of({connector});
  made.value.response_body_bytes = body.size();
  made.value.response_body = std::move(body);
  made.value.response_headers = {{"X-Request-Id", "7"}};
  auto batch = write_batch{};
  batch.add_attempt({connector}, made, {}, false);
  REQUIRE(store.commit(batch, store.next_sequence()).ok());
  return made;
}

void set_mark(partition_store& store, log_sequence kept_from) {
  auto batch = write_batch{};
  batch.put_history(crm, {kept_from, 0, store.next_sequence(), {}});
  REQUIRE(store.commit(batch, store.next_sequence()).ok());
}

attempt read_one(const partition_store& store, const stored_attempt& made) {
  const auto found = store.attempts_of(made.event_sequence);
  REQUIRE(found.size() == 1);
  return found[0].value;
}

attempt without_answer(attempt value) {
  value.response_body.clear();
  value.response_headers.clear();
  value.response_truncated = true;
  return value;
}

std::uint64_t table_bytes(const std::filesystem::path& folder) {
  auto result = std::uint64_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      result += entry.file_size();
  return result;
}

} // namespace

TEST_CASE(
    "answers below a connector's mark are said to be truncated, with their length; others stay as they are") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto old_one = answer(*store, std::string(1'000, 'a'));
  const auto other = answer(*store, std::string(1'000, 'b'), "erp");
  const auto small = answer(*store, "ok");
  const auto kept = answer(*store, std::string(1'000, 'c'));
  CHECK(read_one(*store, old_one) == old_one.value);

  set_mark(*store, kept.sequence);
  for (auto restarts = 0; restarts < 2; ++restarts) {
    CHECK(read_one(*store, old_one) == without_answer(old_one.value));
    CHECK(read_one(*store, old_one).response_body_bytes == 1'000);
    CHECK(read_one(*store, other) == other.value);
    CHECK(read_one(*store, small) == small.value);
    CHECK(read_one(*store, kept) == kept.value);
    const auto feed = store->attempts_after(0, 10, no_limit);
    REQUIRE(feed.size() == 4);
    CHECK(feed[0].value == without_answer(old_one.value));
    CHECK(feed[3].value == kept.value);
    CHECK(store->body_of(old_one.event_sequence, 1).value().bytes.empty());
    CHECK(store->history_accounts().size() == 1);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(environment.get()));
  }
}

TEST_CASE("an attempt that shares the body of one below the mark has lost it, and says so") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  auto made = std::vector<stored_attempt>{};
  for (auto number = 1u; number <= 3; ++number) {
    auto one = attempt_of(store->allocate_sequence(), event, number, noon + number);
    one.account = crm;
    one.value.response_body = std::string(1'000, 'x');
    one.value.response_body_bytes = 1'000;
    if (number > 1)
      one.same_body_as = 1;
    auto batch = write_batch{};
    batch.add_attempt({"crm-prod"}, one, {noon + number - 1, event}, number > 1);
    REQUIRE(store->commit(batch, event).ok());
    made.push_back(one);
  }
  set_mark(*store, made[1].sequence);
  for (const auto& read : {store->attempts_of(event), store->attempts_after(0, 10, no_limit)}) {
    REQUIRE(read.size() == 3);
    for (const auto& one : read) {
      CHECK(one.value.response_body.empty());
      CHECK(one.value.response_truncated);
      CHECK(one.value.response_body_bytes == 1'000);
    }
  }
  // what is written now does not refer to it
  CHECK(store->body_of(event, 3).value().bytes.empty());
  CHECK(store->health().ok());
}

TEST_CASE("what is carried is carried without the answers below the mark, and one that was carried before "
          "loses its own") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto event = accept(*store, false);
  auto made = attempt_of(store->allocate_sequence(), event, 1, noon + 1);
  made.account = crm;
  made.value.response_body = std::string(1'000, 'x');
  made.value.response_body_bytes = 1'000;
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, made, {}, false);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  const auto edge = store->next_sequence();
  const auto whole = store->read_carry({event}, edge, 0, no_limit).carried;
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].attempts[0].record.size() > 1'000);
  set_mark(*store, edge);
  CHECK(store->read_carry({event}, edge, 0, no_limit).carried[0].attempts[0].record.size() < 200);

  batch.clear();
  for (const auto& each : whole)
    batch.carry(each);
  auto header = store->last_round();
  ++header.number;
  header.next_sequence = header.settled_below = store->next_sequence();
  header.oldest_kept = edge;
  REQUIRE(store->apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
  REQUIRE(store->attempts_of(event).size() == 1);
  CHECK(store->attempts_of(event)[0].value == without_answer(made.value));
}

TEST_CASE("a round that comes from elsewhere brings its marks along") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto made = answer(*store, std::string(1'000, 'a'));
  auto batch = write_batch{};
  batch.put_history(crm, {made.sequence + 1, 0, made.sequence + 1, {}});
  auto header = store->last_round();
  ++header.number;
  const auto bytes = std::string{sealed_round{std::move(batch), header}.bytes()};
  const auto parsed = sealed_round::parse(bytes);
  REQUIRE(parsed);
  REQUIRE(store->apply(*parsed, partition_store::durability::synced).ok());
  CHECK(read_one(*store, made) == without_answer(made.value));

  auto removal = write_batch{};
  removal.remove_history(crm);
  ++header.number;
  const auto again = sealed_round::parse(std::string{sealed_round{std::move(removal), header}.bytes()});
  REQUIRE(again);
  REQUIRE(store->apply(*again, partition_store::durability::synced).ok());
  CHECK(read_one(*store, made) == made.value);
}

TEST_CASE("what counts is visited in its order, from a position on") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto first = answer(*store, std::string(100, 'a'));
  const auto second = answer(*store, "ok");
  const auto third = answer(*store, std::string(52, 'c'), "erp"); // with its field 65 bytes
  const auto fields = std::string{"X-Request-Id7"}.size();
  const auto visit = [&](log_sequence from) {
    auto seen = std::vector<std::tuple<std::uint64_t, log_sequence, history_weight>>{};
    store->visit_history(from,
                         [&](std::uint64_t account, log_sequence sequence, const history_weight& weight) {
                           seen.emplace_back(account, sequence, weight);
                         });
    return seen;
  };
  const auto erp = codec::account_of({"erp"});
  const auto all = visit(0);
  REQUIRE(all.size() == 3);
  const auto rest = std::get<2>(all[0]).attempt_bytes;
  CHECK(rest == codec::encode_head(first).size() - fields);
  CHECK(all[0] == std::tuple{crm, first.sequence, history_weight{100 + fields, rest}});
  CHECK(all[1] ==
        std::tuple{crm, second.sequence, history_weight{0, rest + 2 + fields}}); // part of the record
  CHECK(all[2] == std::tuple{erp, third.sequence, history_weight{52 + fields, rest}});
  CHECK(visit(first.sequence).size() == 3);
  CHECK(visit(first.sequence + 1).size() == 2);
  CHECK(visit(third.sequence + 1).empty());
}

TEST_CASE(
    "files of which a third is dropped answers are rewritten, others are not, and reads stay the same") {
  const auto scratch = scratch_folder{};
  const auto folder = scratch.path() / "partition-0";
  auto store = open_store(small_options(nullptr, folder));
  auto made = std::vector<stored_attempt>{};
  auto random = std::uint64_t{1};
  for (auto i = 0; i < 600; ++i) {
    auto body = std::string{};
    while (body.size() < 10'000) { // what can't be compressed
      random = random * 6'364'136'223'846'793'005ULL + 1;
      body += static_cast<char>(random >> 56);
    }
    made.push_back(answer(*store, std::move(body)));
  }
  CHECK_FALSE(store->sweep_history()); // nothing is dropped
  const auto before = table_bytes(folder);
  REQUIRE(before > 4'000'000);
  set_mark(*store, made[500].sequence);
  auto swept = 0;
  while (store->sweep_history())
    ++swept;
  CHECK(swept > 0);
  CHECK(table_bytes(folder) < before / 2);
  CHECK(store->health().ok());
  for (auto restarts = 0; restarts < 2; ++restarts) {
    for (const auto i : {0u, 250u, 499u})
      CHECK(read_one(*store, made[i]) == without_answer(made[i].value));
    for (const auto i : {500u, 599u})
      CHECK(read_one(*store, made[i]) == made[i].value);
    CHECK_FALSE(store->sweep_history());
    store.reset();
    store = open_store(small_options(nullptr, folder));
  }
}
