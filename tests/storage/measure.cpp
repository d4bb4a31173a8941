// Not a test: the numbers of docs/decisions/0002-storage.md. Run with: test-storage "[.measure]"

#include "storage/due_scan.hpp"
#include "store_fixture.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>
#include <sys/resource.h>

using namespace vicket;
using namespace vicket::test;

namespace {

constexpr int batch_events = 200;

// Measuring is what these two are for: nothing here decides anything by the time.
double wall_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_s() {
  auto usage = ::rusage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const ::timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long rss_kib() {
  auto file = std::ifstream{"/proc/self/status"};
  for (auto line = std::string{}; std::getline(file, line);)
    if (line.starts_with("VmRSS:"))
      return std::stol(line.substr(6));
  return 0;
}

store_options real_options(const scratch_folder& folder) {
  auto options = store_options{};
  options.folder = folder.path() / "p";
  return options;
}

} // namespace

TEST_CASE("deliveries at the first attempt, synced batches of 200", "[.measure]") {
  const auto folder = scratch_folder{};
  const auto store = open_store(real_options(folder));
  constexpr auto rounds = 2'000;
  auto template_event = event_of(1, {.envelope_bytes = 400});
  auto batch = write_batch{};
  auto fill_s = 0.0;
  const auto wall = wall_s();
  const auto cpu = cpu_s();
  auto previous = std::vector<log_sequence>{};
  for (auto round = 0; round < rounds; ++round) {
    const auto begin = wall_s();
    batch.clear();
    for (const auto event : previous) // the attempts of the batch before, as in a node
      batch.add_attempt(template_event.connector, attempt_of(store->allocate_sequence(), event, 1), {},
                        false);
    previous.clear();
    for (auto i = 0; i < batch_events; ++i) {
      template_event.sequence = store->allocate_sequence();
      template_event.id = id_of(template_event.sequence);
      template_event.run = "run-" + std::to_string(template_event.sequence / 3);
      batch.add_event(template_event, false);
      previous.push_back(template_event.sequence);
    }
    fill_s += wall_s() - begin;
    REQUIRE(store->commit(batch, previous.front()).ok());
  }
  const auto deliveries = static_cast<double>(rounds * batch_events);
  std::printf("%.0f deliveries/s, %.2f us CPU each, of which filling batches %.2f us; RSS %ld MiB\n",
              deliveries / (wall_s() - wall), (cpu_s() - cpu) / deliveries * 1e6, fill_s / deliveries * 1e6,
              rss_kib() / 1024);
  const auto begin = wall_s();
  auto found = 0;
  for (auto i = 0; i < 100'000; ++i)
    found += store->find_event(id_of(std::uint64_t{1} << 40 | static_cast<std::uint64_t>(i)), {"crm-prod"})
                 ? 1
                 : 0;
  std::printf("duplicate check of an unknown id: %.2f us (%d found)\n", (wall_s() - begin) / 1e5 * 1e6,
              found);
}

TEST_CASE("a million waiting events", "[.measure]") {
  const auto folder = scratch_folder{};
  auto store = open_store(real_options(folder));
  auto batch = write_batch{};
  const auto filling = wall_s();
  for (auto i = 0; i < 1'000'000; ++i) {
    const auto sequence = store->allocate_sequence();
    batch.add_event(event_of(sequence, {.accepted_at = noon + i, .envelope_bytes = 400}), true);
    if (i % 1'000 == 999) {
      REQUIRE(store->commit(batch, store->next_sequence()).ok());
      batch.clear();
    }
  }
  std::printf("accepted in %.1f s; RSS %ld MiB\n", wall_s() - filling, rss_kib() / 1024);
  store.reset();
  auto begin = wall_s();
  store = open_store(real_options(folder));
  std::printf("open: %.3f s; RSS %ld MiB\n", wall_s() - begin, rss_kib() / 1024);
  begin = wall_s();
  std::size_t counted = 0;
  store->scan_due()->read(1, [&](const connector_id&, log_sequence, timestamp_ms) { ++counted; });
  REQUIRE(counted == 1'000'000);
  std::printf("count: %.3f s\n", wall_s() - begin);
  begin = wall_s();
  REQUIRE(store->waiting_connectors().size() == 1);
  std::printf("waiting connectors: %.1f ms\n", (wall_s() - begin) * 1e3);

  // Drain it as a supervisor does: a page, its attempts, the next page.
  begin = wall_s();
  const auto cpu = cpu_s();
  auto from = due_position{};
  auto drained = 0;
  while (drained < 300'000) {
    const auto page = store->read_due({"crm-prod"}, from, noon + 10'000'000, 200, 1u << 20, {});
    REQUIRE_FALSE(page.events.empty());
    batch.clear();
    for (const auto& event : page.events)
      batch.add_attempt({"crm-prod"}, attempt_of(store->allocate_sequence(), event.position.sequence, 1),
                        event.position, true);
    drained += static_cast<int>(page.events.size());
    from = page.events.back().position;
    REQUIRE(store->commit(batch, store->next_sequence()).ok());
  }
  std::printf("drained: %.0f/s, %.1f us CPU each; RSS %ld MiB\n", drained / (wall_s() - begin),
              (cpu_s() - cpu) / drained * 1e6, rss_kib() / 1024);
  begin = wall_s();
  const auto edge = store->first_position_since(noon + 10'000'000);
  const auto kept = store->kept_below(edge, noon + 10'000'000);
  std::printf("retention's edge, and %zu events kept below: %.3f s\n", kept.size(), wall_s() - begin);
  begin = wall_s();
  REQUIRE(!store->waiting_connectors().empty());
  std::printf("waiting connectors, over the tombstones: %.1f ms\n", (wall_s() - begin) * 1e3);
}
