// What a status says is pending, against a count of the store: through everything that a partition's rounds can bring,
// without actors, with the test in the place of the log and of the supervisors.

#include "actors/partition_rounds.hpp"
#include "actors/pending_counter.hpp"
#include "storage/testing/environments.hpp"
#include "tests/support/seeded_random.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace vicket;

namespace {

constexpr timestamp_ms noon{1'779'537'600'000};
constexpr timestamp_ms far_future{std::numeric_limits<std::int64_t>::max()};
const store_status no_space{store_errc::full, "no space"};

struct count {
  std::uint64_t pending = 0;
  std::optional<timestamp_ms> oldest;
  friend bool operator==(const count&, const count&) = default;
};
using counts = std::map<std::string, count>;

std::string name_of(int number) {
  std::string name{"c"};
  name += std::to_string(number);
  return name;
}

/// A partition and its supervisors, as far as they matter here: they hold what they are given, and say how an attempt
/// ended.
class counted_partition {
public:
  struct supervisor {
    supervisor_seat seat;
    std::vector<due_event> waiting;
    std::set<log_sequence> unrecorded;
  };

  counted_partition() { open(); }

  /// As after a crash. What the store holds is counted, unless that is to be done later.
  void open(bool count_at_once = true) {
    supervisors.clear();
    flying = nullptr;
    if (scan)
      scan->close();
    scan = nullptr;
    rounds.reset();
    store.reset();
    store_options options;
    options.folder = "/partition-0";
    options.environment = environment.get();
    auto opened = partition_store::open(options);
    if (auto* why = std::get_if<store_status>(&opened))
      FAIL(why->detail);
    store = std::get<0>(std::move(opened));
    partition_rounds::setup with;
    with.window.events = 4;
    with.late_ms = 1'000'000;
    with.max_unindexed = 24;
    rounds.emplace(*store, with);
    rounds->tell_all_of_records();
    for (auto& config : store->connectors())
      rounds->load(config);
    scan = store->scan_due();
    rounds->await_counts();
    for (const auto& [id, first] : store->waiting_connectors()) {
      auto& owner = rounds->at(rounds->find(id).value());
      owner.backlog = owner.indexed = true;
    }
    while (count_at_once && count_page())
      continue;
  }

  /// One connector of the store is counted; false: that was all.
  bool count_page() {
    counted_page page;
    page.more = scan->read(1, [&](const connector_id& id, log_sequence, timestamp_ms accepted_at) {
      if (page.connectors.empty())
        page.connectors.emplace_back(id, pending_times{});
      page.connectors.back().second.add(accepted_at);
    });
    for (auto& [id, times] : page.connectors)
      rounds->counted(id, std::move(times));
    if (!page.more)
      rounds->all_counted();
    rounds->check();
    return page.more;
  }

  void put(const std::string& id) {
    connector config;
    config.id = {id};
    config.url = "https://" + id + ".example.com/";
    config.max_in_flight = 1;
    rounds->put(config);
  }

  bool send(const std::string& to) {
    composed_event event;
    ++sent;
    for (std::size_t i = 0; i < 8; ++i)
      event.id.bytes[i] = static_cast<std::uint8_t>(sent >> (8 * i));
    event.connector = {to};
    event.event = "ticket.created";
    event.envelope = "{}";
    return std::holds_alternative<accepted>(rounds->accept(event, now).result);
  }

  void seal() {
    flying = rounds->seal();
    rounds->check();
  }
  void durable() {
    if (flying != nullptr)
      REQUIRE(store->apply(*std::exchange(flying, nullptr), partition_store::durability::synced).ok());
    partition_rounds::released out;
    rounds->durable(out);
    take(out);
    rounds->check();
  }
  void refused() {
    flying = nullptr;
    partition_rounds::released out;
    rounds->refused(no_space, out);
    rounds->check();
  }
  void commit() {
    seal();
    durable();
  }

  supervisor* supervisor_of(const std::string& id) {
    const auto found = supervisors.find(id);
    return found == supervisors.end() ? nullptr : &found->second;
  }

  /// An attempt at one of the events that its supervisor holds; false: there is none.
  bool attempt(const std::string& id, event_state after, timestamp_ms next = {}, std::size_t which = 0) {
    auto* one = supervisor_of(id);
    if (one == nullptr || one->waiting.empty())
      return false;
    which %= one->waiting.size();
    const auto event = std::move(one->waiting[which]);
    one->waiting.erase(one->waiting.begin() + static_cast<std::ptrdiff_t>(which));
    one->unrecorded.insert(event.position.sequence);
    record_attempts message;
    message.seat = one->seat;
    attempt_decision decision;
    decision.was = event.position;
    decision.accepted_at = event.accepted_at;
    decision.envelope_bytes = event.envelope->size();
    decision.state_after = after;
    decision.value.number = event.attempts_made + 1;
    decision.value.result = after == event_state::delivered ? outcome::delivered : outcome::http_status;
    if (after == event_state::pending)
      decision.value.next_attempt_at = next;
    message.decisions.push_back(std::move(decision));
    rounds->record(std::move(message), now);
    rounds->check();
    return true;
  }

  /// Whatever is due gets into the window.
  void refill(const std::string& id) {
    auto* one = supervisor_of(id);
    if (one == nullptr)
      return;
    refill_window request;
    request.seat = one->seat;
    request.until = now;
    for (const auto& event : one->waiting)
      request.held.push_back(event.position.sequence);
    request.held.insert(request.held.end(), one->unrecorded.begin(), one->unrecorded.end());
    std::sort(request.held.begin(), request.held.end());
    auto answer = rounds->refill(rounds->at(one->seat.slot), request);
    std::move(answer.events.begin(), answer.events.end(), std::back_inserter(one->waiting));
    rounds->check();
  }

  void supervisor_dies(const std::string& id) {
    const auto found = supervisors.find(id);
    if (found == supervisors.end())
      return;
    const auto slot = found->second.seat.slot;
    supervisors.erase(found);
    rounds->vacate(slot);
    rounds->give_up_held(slot);
    rounds->check();
  }

  /// It goes, with nothing in its hands; false: it can't.
  bool goes_to_sleep(const std::string& id) {
    auto* one = supervisor_of(id);
    if (one == nullptr || !one->waiting.empty() || !one->unrecorded.empty())
      return false;
    const auto slot = one->seat.slot;
    auto& owner = rounds->at(slot);
    const auto& active = *owner.active;
    if (active.window.events() > 0 || active.waiting_in_rounds > 0 || active.spills_in_rounds > 0 ||
        active.changes_in_rounds > 0)
      return false;
    supervisors.erase(id);
    rounds->vacate(slot);
    owner.indexed = rounds->pending().of(slot) > 0 || rounds->pending().awaited(slot);
    rounds->rest_if_idle(slot);
    rounds->check();
    return true;
  }

  /// The time of what it left in the index has come.
  void wakes_up(const std::string& id) {
    const auto slot = rounds->find({id});
    if (!slot || rounds->at(*slot).supervised || !rounds->at(*slot).indexed)
      return;
    supervise(*slot);
    rounds->check();
  }

  /// Its supervisor gives back what it has not begun with.
  void gives_back(const std::string& id) {
    auto* one = supervisor_of(id);
    if (one == nullptr)
      return;
    std::vector<returned_event> returned;
    for (const auto& event : std::exchange(one->waiting, {}))
      returned.push_back({event.position, event.envelope->size()});
    rounds->take_back(one->seat.slot, returned);
    rounds->check();
  }

  /// As persistence decides it; false: it is busy, or not there.
  bool remove(const std::string& id) {
    const auto slot = rounds->find({id});
    if (!slot || rounds->is_busy(*slot))
      return false;
    rounds->remove(*slot);
    rounds->check();
    return true;
  }

  /// All that is settled is forgotten, while nothing else happens.
  void forget_history() {
    commit();
    commit();
    const auto edge = store->next_sequence();
    rounds->prepare_edge(edge);
    commit();
    const auto page = store->read_carry(store->kept_below(edge, far_future), edge, 0, 1u << 30);
    rounds->carry(page.carried, page.expired, {});
    commit();
    rounds->move_edge(edge, store->last_attempt_below(edge));
    commit();
    CHECK(store->oldest_kept() == edge);
  }

  /// Event by event: accepted and not settled, as it is on the disk.
  [[nodiscard]] counts count_store() const {
    counts found;
    for (log_sequence sequence = 1; sequence < store->next_sequence(); ++sequence) {
      const auto event = store->read_event(sequence, false);
      if (!event)
        continue;
      const auto attempts = store->attempts_of(sequence);
      if (!attempts.empty() && attempts.back().state_after != event_state::pending)
        continue;
      auto& mine = found[event->connector.value];
      ++mine.pending;
      mine.oldest = std::min(mine.oldest.value_or(event->accepted_at), event->accepted_at);
    }
    REQUIRE(store->health().ok());
    return found;
  }

  /// What a status would show.
  [[nodiscard]] counts shown() {
    counts found;
    std::string last;
    rounds->visit_busy({}, [&](connector_slot slot, const partition_rounds::place& owner) {
      CHECK(last < owner.id.value);
      last = owner.id.value;
      if (rounds->pending().of(slot) > 0)
        found[last] = {rounds->pending().of(slot), rounds->pending().oldest(slot)};
      return busy_connectors::verdict::keep;
    });
    return found;
  }

  void require_exact() {
    const auto truth = count_store();
    const auto told = shown();
    std::uint64_t total = 0;
    REQUIRE(told.size() == truth.size());
    for (const auto& [id, expected] : truth) {
      CAPTURE(id);
      const auto& mine = told.at(id);
      REQUIRE(mine.pending == expected.pending);
      if (mine.pending <= pending_times::max_spans)
        REQUIRE(*mine.oldest <= *expected.oldest);
      if (mine.pending == 1)
        REQUIRE(mine.oldest == expected.oldest);
      total += mine.pending;
    }
    REQUIRE(rounds->pending().total() == total);
  }

  std::unique_ptr<store_environment> environment = make_memory_environment();
  std::unique_ptr<partition_store> store;
  std::shared_ptr<due_scan> scan;
  std::optional<partition_rounds> rounds;
  std::map<std::string, supervisor> supervisors;
  const sealed_round* flying = nullptr;
  timestamp_ms now = noon;
  std::uint64_t sent = 0;

private:
  supervisor& supervise(connector_slot slot) {
    auto& one = supervisors[rounds->at(slot).id.value];
    if (!rounds->at(slot).supervised) {
      REQUIRE(rounds->activate(slot) != nullptr);
      one.seat = rounds->seat_supervisor(slot);
      rounds->at(slot).indexed = false;
    }
    return one;
  }

  void take(partition_rounds::released& out) {
    for (auto& [slot, supervised] : out.removed)
      if (supervised)
        std::erase_if(supervisors, [gone = slot](const auto& one) { return one.second.seat.slot == gone; });
    for (auto& [slot, recorded] : out.let_go)
      for (const auto& each : recorded.attempts)
        supervise(slot).unrecorded.erase(each.sequence);
    for (auto& [slot, given] : out.taken) {
      auto& one = supervise(slot);
      std::move(given.events.begin(), given.events.end(), std::back_inserter(one.waiting));
    }
    for (auto& [slot, first] : out.grown)
      supervise(slot);
  }
};

} // namespace

TEST_CASE("an event is pending from when it is durable until its settling attempt is") {
  counted_partition f;
  f.put("crm");
  REQUIRE(f.send("crm"));
  CHECK(f.shown().empty());
  f.seal();
  CHECK(f.shown().empty());
  f.durable();
  CHECK(f.shown() == counts{{"crm", {1, noon}}});
  f.now.value += 1'000;
  REQUIRE(f.attempt("crm", event_state::pending, f.now + 5'000));
  f.commit();
  CHECK(f.shown() == counts{{"crm", {1, noon}}}); // tried again, and accepted when it was
  f.now.value += 10'000;
  f.refill("crm");
  REQUIRE(f.attempt("crm", event_state::delivered));
  f.seal();
  CHECK(f.shown() == counts{{"crm", {1, noon}}});
  f.durable();
  CHECK(f.shown().empty());
  CHECK(f.rounds->pending().total() == 0);
}

TEST_CASE("an event that is given up is settled, too") {
  counted_partition f;
  f.put("crm");
  f.send("crm");
  f.commit();
  REQUIRE(f.attempt("crm", event_state::failed));
  f.commit();
  CHECK(f.shown().empty());
  f.require_exact();
}

TEST_CASE(
    "a round that is refused changes no count, nor does the one behind it, and what is kept counts once") {
  counted_partition f;
  f.put("crm");
  f.send("crm");
  f.send("crm");
  f.commit();
  REQUIRE(f.attempt("crm", event_state::delivered));
  f.send("crm");
  f.seal();
  f.send("crm");
  REQUIRE(f.attempt("crm", event_state::delivered));
  f.refused();
  CHECK(f.shown() == counts{{"crm", {2, noon}}});
  f.refused();
  CHECK(f.shown() == counts{{"crm", {2, noon}}});
  f.commit();
  CHECK(f.shown().empty()); // the attempts were put into the next round, the events were not
  f.require_exact();
}

TEST_CASE(
    "what goes into the index stays pending: beyond the window, as a laggard, and when its supervisor dies") {
  counted_partition f;
  f.put("crm");
  f.put("busy");
  for (int i = 0; i < 8; ++i) // four more than the window has
    f.send("crm");
  f.commit();
  CHECK(f.shown() == counts{{"crm", {8, noon}}});
  for (int i = 0; i < 40; ++i) { // those of crm become laggards
    f.now.value += 1;
    f.send("busy");
    f.commit();
    REQUIRE(f.attempt("busy", event_state::delivered));
    f.commit();
  }
  CHECK(f.shown() == counts{{"crm", {8, noon}}});
  f.supervisor_dies("crm");
  f.commit();
  CHECK(f.shown() == counts{{"crm", {8, noon}}});
  f.require_exact();
}

TEST_CASE("a supervisor that dies leaves its last attempts, which count once, since its successor comes "
          "after them") {
  counted_partition f;
  f.put("crm");
  for (int i = 0; i < 10; ++i) // four more in the index than the window takes
    f.send("crm");
  f.commit();
  for (int i = 0; i < 4; ++i)
    REQUIRE(f.attempt("crm", event_state::delivered));
  f.commit();
  f.refill("crm");
  f.send("crm"); // waits behind those in the index: its round would wake a successor
  f.seal();
  REQUIRE(f.attempt("crm", event_state::delivered)); // it stands in the index until the next round
  f.supervisor_dies("crm");
  f.durable();
  CHECK(f.supervisor_of("crm") == nullptr);
  f.commit();
  REQUIRE(f.supervisor_of("crm") != nullptr);
  while (f.count_store().contains("crm")) {
    f.refill("crm");
    REQUIRE(f.attempt("crm", event_state::delivered));
    f.commit();
    f.require_exact();
  }
  CHECK(f.store->attempts_of(5).size() == 1);
}

TEST_CASE("the time of a single event is exact, however far away it is") {
  constexpr auto furthest = std::int64_t{1} << 61;
  for (const auto time :
       {std::int64_t{0}, std::int64_t{-1}, furthest - 1, furthest, -furthest, -furthest - 1,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    CAPTURE(time);
    pending_counts counts{1};
    CHECK(counts.accepted(3, {time}));
    counts.check();
    CHECK(counts.of(3) == 1);
    CHECK(counts.oldest(3) == timestamp_ms{time});
    CHECK(!counts.accepted(3, noon));
    CHECK(counts.accepted(2, noon));
    counts.check();
    CHECK(counts.of(3) == 2);
    CHECK(counts.oldest(3) == std::min(noon, timestamp_ms{time}));
    CHECK(!counts.settled(3, 1, noon));
    counts.check();
    CHECK(counts.oldest(3) == timestamp_ms{time});
    CHECK(counts.settled(3, 1, {time}));
    counts.check();
    CHECK(counts.of(3) == 0);
    CHECK(counts.total() == 1);
  }
}

TEST_CASE("what sleeps, or was given back, stays pending, and is listed") {
  counted_partition f;
  f.put("crm");
  f.put("erp");
  for (const auto* id : {"crm", "erp"}) {
    f.send(id);
    f.commit();
    REQUIRE(f.attempt(id, event_state::pending, noon + 60'000));
    f.commit();
  }
  f.now.value += 10;
  f.send("erp");
  f.commit();
  REQUIRE(f.goes_to_sleep("crm"));
  f.gives_back("erp");
  f.commit();
  REQUIRE(f.goes_to_sleep("erp"));
  CHECK_FALSE(f.rounds->at(f.rounds->find({"crm"}).value()).active);
  CHECK(f.shown() == counts{{"crm", {1, noon}}, {"erp", {2, noon}}});
  f.now.value += 60'000;
  f.wakes_up("erp");
  f.refill("erp");
  while (f.attempt("erp", event_state::delivered))
    f.commit();
  CHECK(f.shown() == counts{{"crm", {1, noon}}});
  f.require_exact();
}

TEST_CASE("a connector that is deleted takes no count along, and one of its name begins anew") {
  counted_partition f;
  f.put("crm");
  f.send("crm");
  f.commit();
  CHECK_FALSE(f.remove("crm"));
  REQUIRE(f.attempt("crm", event_state::delivered));
  f.commit();
  REQUIRE(f.remove("crm"));
  f.seal();
  SECTION("durably") {
    f.durable();
    f.put("other"); // takes its slot
    f.send("other");
    f.put("crm");
    f.commit();
    CHECK(f.shown() == counts{{"other", {1, noon}}});
  }
  SECTION("or not after all") {
    f.refused();
    f.send("crm");
    f.commit();
    CHECK(f.shown() == counts{{"crm", {1, noon}}});
  }
  f.require_exact();
}

TEST_CASE("what is kept of forgotten history stays pending") {
  counted_partition f;
  f.put("crm");
  for (int i = 0; i < 6; ++i)
    f.send("crm");
  f.commit();
  REQUIRE(f.attempt("crm", event_state::delivered));
  REQUIRE(f.attempt("crm", event_state::pending, noon + 60'000));
  f.forget_history();
  CHECK(f.shown() == counts{{"crm", {5, noon}}});
  f.require_exact();
}

TEST_CASE("what a start finds is counted beside what comes and goes meanwhile") {
  counted_partition f;
  for (const auto* id : {"a", "b", "c", "d"}) {
    f.put(id);
    f.send(id);
    f.now.value += 10;
    f.send(id);
  }
  f.commit();
  f.now.value += 1'000;
  const auto began = f.now;
  f.open(false);
  CHECK(f.rounds->pending().counting());
  CHECK(f.shown().empty());
  for (const auto* id : {"a", "b", "d"})
    f.send(id);
  f.commit();
  CHECK(f.shown() ==
        counts{{"a", {1, began}}, {"b", {1, began}}, {"d", {1, began}}}); // as far as it is known
  CHECK(f.count_page());
  CHECK(f.shown().at("a") == count{3, noon});
  for (const auto* id : {"a", "b", "c", "d"})
    f.refill(id);
  REQUIRE(f.attempt("a", event_state::delivered)); // of one that is counted
  REQUIRE(f.attempt("b", event_state::delivered)); // and of one that is not
  f.commit();
  CHECK(f.shown().at("a") == count{2, noon + 10});
  CHECK(f.shown().at("b") == count{1, began});
  while (f.count_page())
    continue;
  CHECK_FALSE(f.rounds->pending().counting());
  CHECK(f.shown().at("b") == count{2, noon + 20});
  f.require_exact();
}

TEST_CASE("a connector that is deleted while it has yet to be counted, and put again, begins at nothing") {
  counted_partition f;
  f.put("crm");
  f.send("crm");
  f.commit();
  f.open(false);
  f.send("crm"); // its supervisor comes
  f.commit();
  f.refill("crm");
  while (f.attempt("crm", event_state::delivered))
    f.commit();
  f.refill("crm");
  while (f.attempt("crm", event_state::delivered))
    f.commit();
  REQUIRE(f.count_store().empty());
  REQUIRE(f.remove("crm"));
  const auto found_before_it_is_gone = GENERATE(false, true);
  while (found_before_it_is_gone && f.count_page())
    continue;
  f.commit();
  f.put("crm");
  f.commit();
  f.send("crm");
  f.commit();
  while (f.count_page())
    continue;
  CHECK(f.shown() == counts{{"crm", {1, noon}}});
  f.require_exact();
}

TEST_CASE("those that have nothing to show any more are let go of, once they are many") {
  counted_partition f;
  constexpr int many = 3'000;
  for (int i = 0; i < many; ++i) {
    f.put(name_of(i));
    f.send(name_of(i));
  }
  f.commit();
  f.rounds->activate(f.rounds->find({"c7"}).value())->complaint = "its URL is none";
  for (int i = 0; i < many; ++i)
    f.attempt(name_of(i), event_state::delivered);
  f.commit();
  std::size_t visited = 0;
  f.rounds->visit_busy({}, [&](connector_slot, const partition_rounds::place& owner) {
    ++visited;
    CHECK(owner.id.value == "c7");
    return busy_connectors::verdict::keep;
  });
  CHECK(visited == 1);
}

TEST_CASE("whatever happens to a partition, its counts are those of its store") {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    CAPTURE(seed);
    seeded_random chance{seed};
    counted_partition f;
    const std::vector<std::string> names{"a", "ab", "b", "c", "d"};
    for (int step = 0; step < 1'500; ++step) {
      const auto& id = names[chance.next() % names.size()];
      f.now.value += static_cast<std::int64_t>(chance.next() % 50);
      switch (chance.next() % 24) {
      case 0:
        f.put(id);
        break;
      case 1:
        if (f.flying == nullptr)
          f.remove(id);
        break;
      case 2:
        if (const auto what = chance.next() % 8; what == 0 || (f.flying != nullptr && what < 6))
          f.supervisor_dies(id);
        else if (what == 1)
          f.gives_back(id);
        else if (what < 5)
          f.goes_to_sleep(id);
        else
          f.wakes_up(id);
        break;
      case 3:
        f.refused();
        break;
      case 4:
        if (chance.next() % 8 == 0 && f.flying == nullptr)
          f.forget_history();
        break;
      case 5:
        if (chance.next() % 6 == 0) {
          f.open(false);
          for (const auto& waiting : names)
            f.wakes_up(waiting);
        }
        break;
      case 6:
        if (f.rounds->pending().counting())
          f.count_page();
        break;
      case 8:
      case 9:
      case 10:
        f.refill(id);
        break;
      case 11:
      case 12:
      case 13:
      case 14:
      case 15: {
        const auto fate = chance.next() % 4;
        f.attempt(id,
                  fate == 0   ? event_state::pending
                  : fate == 1 ? event_state::failed
                              : event_state::delivered,
                  f.now + static_cast<std::int64_t>(chance.next() % 500), chance.next() % 16);
        break;
      }
      case 16:
      case 17:
        if (f.flying == nullptr)
          f.seal();
        break;
      case 18:
      case 19:
        f.durable();
        break;
      default:
        f.send(id);
      }
      if (step % 8 == 0 && !f.rounds->pending().counting())
        f.require_exact();
    }
    while (f.rounds->pending().counting() && f.count_page())
      continue;
    f.require_exact();
  }
}
