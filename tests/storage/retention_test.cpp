// History is kept for a retention time and then dropped, without a scan of single deletes; what is pending, or was settled
// late, is carried past the edge.

#include "store_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
constexpr timestamp_ms far{noon.value + 1'000'000'000};

/// Accepts events one minute apart and settles each at its first attempt, in batches of a hundred.
std::vector<log_sequence> deliver(partition_store& store, int count, std::size_t envelope_bytes = 100,
                                  timestamp_ms first = noon) {
  auto result = std::vector<log_sequence>{};
  auto batch = write_batch{};
  for (auto i = 0; i < count; ++i) {
    const auto sequence = store.allocate_sequence();
    const auto accepted_at = first + 60'000 * i;
    batch.add_event(event_of(sequence, {.accepted_at = accepted_at, .envelope_bytes = envelope_bytes}),
                    false);
    auto made = attempt_of(store.allocate_sequence(), sequence, 1);
    made.value.started_at = accepted_at;
    batch.add_attempt({"crm-prod"}, made, {}, false);
    result.push_back(sequence);
    if (i % 100 == 99 || i + 1 == count) {
      REQUIRE(store.commit(batch, store.next_sequence()).ok());
      batch.clear();
    }
  }
  return result;
}

/// One attempt in a commit of its own, as an engine stages it when the edge is where it is.
void make_attempt(partition_store& store, stored_attempt made, due_position was, bool indexed,
                  timestamp_ms late = {}) {
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, made, was, indexed,
                    made.event_sequence < store.oldest_kept() ? write_batch::attempt_index::carried
                                                              : write_batch::attempt_index::log);
  if (late.value != 0)
    batch.note_late({late, made.event_sequence});
  REQUIRE(store.commit(batch, store.next_sequence()).ok());
}

/// A whole step of the retention, in pages of `page_bytes`.
void step(partition_store& store, timestamp_ms edge_time, timestamp_ms settled_since,
          std::size_t page_bytes = 1) {
  const auto edge = std::min(store.first_position_since(edge_time), store.settled_below());
  const auto kept = store.kept_below(edge, settled_since);
  auto batch = write_batch{};
  for (const auto& each : store.late_before(settled_since, 1'000))
    batch.expire(each);
  for (auto from = std::optional<log_sequence>{0}; from;) {
    const auto page = store.read_carry(kept, edge, *from, page_bytes);
    for (const auto& each : page.carried)
      batch.carry(each);
    for (const auto& each : page.expired)
      batch.expire(each);
    REQUIRE((!page.next || *page.next > *from));
    from = page.next;
  }
  auto header = store.last_round();
  ++header.number;
  header.next_sequence = store.next_sequence();
  header.oldest_kept = std::max(edge, header.oldest_kept);
  REQUIRE(store.apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
  REQUIRE(store.health().ok());
}

std::uint64_t table_bytes(const std::filesystem::path& folder) {
  auto result = std::uint64_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      result += entry.file_size();
  return result;
}

bool is_known(const partition_store& store, log_sequence sequence) {
  return store.find_event(id_of(sequence), {"crm-prod"}) == sequence;
}

} // namespace

TEST_CASE("settled events older than the retention vanish from every lookup at once, and stay gone") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto events = deliver(*store, 10);

  step(*store, noon + 60'000 * 4, noon + 60'000 * 4); // the fourth is kept: accepted at, not before

  for (auto restarts = 0; restarts < 2; ++restarts) {
    CHECK(store->oldest_kept() == events[4]);
    for (auto i = std::size_t{0}; i < events.size(); ++i) {
      const auto kept = i >= 4;
      CHECK(store->read_event(events[i], true).has_value() == kept);
      CHECK(is_known(*store, events[i]) == kept);
      CHECK(store->find_events(id_of(events[i])).size() == (kept ? 1 : 0));
      CHECK(store->attempts_of(events[i]).size() == (kept ? 1 : 0));
    }
    CHECK(store->events_of_run("run-42", 0, 100).size() == 6);
    CHECK(store->attempts_after(0, 100, no_limit).size() == 6);
    CHECK(store->attempts_after(0, 100, no_limit).front().event_sequence == events[4]);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(environment.get()));
  }

  // an id may be used again once it is forgotten
  auto batch = write_batch{};
  auto again = event_of(store->allocate_sequence());
  again.id = id_of(events[0]);
  batch.add_event(again, true);
  REQUIRE(store->commit(batch, store->settled_below()).ok());
  CHECK(store->find_event(again.id, again.connector) == again.sequence);
}

TEST_CASE("an old event that still waits keeps its whole history, and holds up nothing else") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto before = deliver(*store, 3);
  const auto waiting = accept(*store, false, {.accepted_at = noon + 60'000 * 3});
  const auto due = noon + 500'000'000;
  auto failed = attempt_of(store->allocate_sequence(), waiting, 1, due);
  failed.value.response_body = std::string(5'000, 'x');
  make_attempt(*store, failed, {}, false);
  const auto behind = deliver(*store, 3, 100, noon + 60'000 * 4);

  step(*store, far, far);
  for (auto restarts = 0; restarts < 2; ++restarts) {
    CHECK(store->oldest_kept() > behind.back());
    for (const auto& gone : {before, behind})
      for (const auto sequence : gone) {
        CHECK(!store->read_event(sequence, false));
        CHECK(!is_known(*store, sequence));
      }
    require_same(store->read_event(waiting, true).value(),
                 event_of(waiting, {.accepted_at = noon + 60'000 * 3}));
    CHECK(is_known(*store, waiting));
    CHECK(store->events_of_run("run-42", 0, 100) == std::vector{waiting});
    REQUIRE(store->attempts_of(waiting).size() == 1);
    CHECK(store->attempts_of(waiting)[0].value == failed.value);
    CHECK(store->body_of(waiting, 1).value().bytes == failed.value.response_body);
    CHECK(store->attempts_after(0, 100, no_limit).empty());
    REQUIRE(all_waiting(*store, "crm-prod").size() == 1);
    CHECK(all_waiting(*store, "crm-prod")[0].event.envelope != nullptr);
    CHECK(store->health().ok());
    store.reset();
    store = open_store(small_options(environment.get()));
  }

  // Tried again, below the edge: the outcome is in the feed, with the body that it shares.
  auto second = attempt_of(store->allocate_sequence(), waiting, 2, due + 10);
  second.value.response_body = failed.value.response_body;
  second.same_body_as = 1;
  make_attempt(*store, second, {due, waiting}, true);
  REQUIRE(store->attempts_after(0, 100, no_limit).size() == 1);
  CHECK(store->attempts_after(0, 100, no_limit)[0].value == second.value);
  CHECK(store->attempts_of(waiting).size() == 2);

  // And the edge goes on past that one, too.
  deliver(*store, 1, 100, far);
  step(*store, far + 1'000, far + 1'000);
  REQUIRE(store->attempts_of(waiting).size() == 2);
  CHECK(store->attempts_of(waiting)[1].value == second.value);

  // When it is settled at last, it is kept from then on for as long as all the others.
  const auto settled_at = far + 2'000;
  auto third = attempt_of(store->allocate_sequence(), waiting, 3);
  third.value.started_at = settled_at;
  make_attempt(*store, third, {due + 10, waiting}, true, settled_at);
  step(*store, settled_at - 1, settled_at - 1);
  CHECK(store->attempts_of(waiting).size() == 3);
  CHECK(is_known(*store, waiting));
  step(*store, settled_at + 1, settled_at + 1);
  CHECK(!store->read_event(waiting, false));
  CHECK(!is_known(*store, waiting));
  CHECK(store->find_events(id_of(waiting)).empty());
  CHECK(store->attempts_of(waiting).empty());
  CHECK(store->events_of_run("run-42", 0, 100).empty());
  CHECK(store->late_before(far + 1'000'000, 10).empty());
}

TEST_CASE("an event that was settled late is kept from then on, though it was above the edge all the time") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto slow = accept(*store, false);
  const auto settled_at = noon + 100'000'000;
  auto made = attempt_of(store->allocate_sequence(), slow, 1);
  made.value.started_at = settled_at;
  make_attempt(*store, made, {}, false, settled_at);
  step(*store, noon + 50'000'000, noon + 60'000'000);
  CHECK(store->oldest_kept() > slow);
  CHECK(is_known(*store, slow));
  CHECK(store->attempts_of(slow).size() == 1);
  REQUIRE(store->attempts_after(0, 10, no_limit).size() ==
          1); // above the edge: an outcome of what is below it
  step(*store, settled_at + 1, settled_at + 1);
  CHECK(!is_known(*store, slow));
}

TEST_CASE("attempts of what the edge is about to pass are noted on both sides") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto waiting = accept(*store, true);
  // The reader has read what is to be carried, and before that is written another attempt is.
  const auto edge = store->next_sequence();
  const auto page = store->read_carry(store->kept_below(edge, far), edge, 0, 1'000);
  auto batch = write_batch{};
  batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), waiting, 1, far), {noon, waiting},
                    true, write_batch::attempt_index::both);
  REQUIRE(store->commit(batch, store->next_sequence()).ok());
  CHECK(store->attempts_of(waiting).size() == 1);
  batch.clear();
  for (const auto& each : page.carried)
    batch.carry(each);
  auto header = store->last_round();
  ++header.number;
  header.oldest_kept = edge;
  REQUIRE(store->apply(sealed_round{std::move(batch), header}, partition_store::durability::synced).ok());
  CHECK(store->attempts_of(waiting).size() == 1);
  CHECK(store->body_of(waiting, 1).has_value());
  CHECK(store->health().ok());
}

TEST_CASE("what is not known to be settled is kept, however old") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto in_flight = accept(*store, false); // settled_below stays below it
  step(*store, far, far);
  CHECK(store->oldest_kept() <= in_flight);
  CHECK(store->read_event(in_flight, true).has_value());
}

TEST_CASE("an outcome just above the edge goes with its event, which was just below") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  const auto old_event = accept(*store, false);
  const auto young_event = accept(*store, false, {.accepted_at = noon + 1'000});
  for (const auto event : {old_event, young_event})
    make_attempt(*store, attempt_of(store->allocate_sequence(), event, 1), {}, false);
  auto header = store->last_round();
  ++header.number;
  header.oldest_kept = young_event;
  REQUIRE(store->apply(sealed_round{write_batch{}, header}, partition_store::durability::synced).ok());
  // The feed still sees that it was there.
  const auto feed = store->attempts_after(0, 10, no_limit);
  REQUIRE(feed.size() == 2);
  CHECK(!store->read_event(feed[0].event_sequence, false));
  CHECK(feed[1].event_sequence == young_event);
  CHECK(store->attempts_of(old_event).empty());
  CHECK(store->health().ok());
}

TEST_CASE("nothing is dropped before its time, and never twice") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  step(*store, noon, noon);
  CHECK(store->oldest_kept() == 1);
  const auto events = deliver(*store, 5);
  step(*store, noon, noon);
  CHECK(store->oldest_kept() <= events[0]);
  step(*store, noon + 60'000 * 3, noon);
  step(*store, noon + 60'000 * 2, noon); // the clock went back
  CHECK(store->oldest_kept() > events[2]);
  CHECK(store->oldest_kept() <= events[3]);
}

TEST_CASE("the edge is where events, or outcomes of older ones, begin to be young enough") {
  auto environment = make_memory_environment();
  auto store = open_store(small_options(environment.get()));
  CHECK(store->first_position_since(noon) == store->next_sequence());
  const auto event = accept(*store, false);
  CHECK(store->first_position_since(noon) == event);
  CHECK(store->first_position_since(noon + 1) == store->next_sequence());
  auto made = attempt_of(store->allocate_sequence(), event, 1);
  made.value.started_at = noon + 5'000;
  make_attempt(*store, made, {}, false);
  CHECK(store->first_position_since(noon + 1) == made.sequence);
  CHECK(store->first_position_since(noon + 5'100) == store->next_sequence());
}

TEST_CASE("the bytes of dropped history go") {
  const auto folder = scratch_folder{};
  const auto path = folder.path() / "p";
  auto store = open_store(small_options(nullptr, path));
  const auto events = deliver(*store, 12'000, 1'000);
  const auto before = table_bytes(path);
  REQUIRE(before > 6'000'000);
  step(*store, noon + 60'000 * 11'000, noon);
  // What is in the newest files goes when they are merged with what comes next.
  deliver(*store, 1'000, 1'000, noon + 60'000 * 12'000);
  store.reset();
  store = open_store(small_options(nullptr, path));
  CHECK(store->read_event(events.back(), true).has_value());
  store.reset();
  INFO("before " << before << ", after " << table_bytes(path));
  CHECK(table_bytes(path) < before / 2);
}
