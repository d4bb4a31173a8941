// Not a test: the numbers of docs/decisions/0002-storage.md. Run with: test-storage "[.measure]"

#include "storage/due_scan.hpp"
#include "storage/key_codec.hpp"
#include "store_fixture.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
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

/// Bytes that this process has written to files.
std::uint64_t written_bytes() {
  auto file = std::ifstream{"/proc/self/io"};
  for (auto line = std::string{}; std::getline(file, line);)
    if (line.starts_with("wchar:"))
      return std::stoull(line.substr(6));
  return 0;
}

std::uint64_t table_bytes(const std::filesystem::path& folder) {
  auto result = std::uint64_t{0};
  for (const auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().extension() == ".sst")
      result += entry.file_size();
  return result;
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

/// Of each event the first attempt fails with a body of so many bytes, the second succeeds. What is dropped leaves as it
/// does in a node: the accounts in the rounds, the files by sweeps in between.
TEST_CASE("what the bound on histories writes and gives back", "[.measure]") {
  struct row {
    std::uint64_t budget;
    std::size_t body_bytes;
    int rounds;
  };
  for (const auto& [budget, body_bytes, rounds] : {row{1ull << 40, 2'000, 500}, row{32u << 20, 2'000, 500},
                                                   row{1ull << 40, 0, 5'000}, row{32u << 20, 0, 5'000}}) {
    const auto folder = scratch_folder{};
    const auto options = real_options(folder);
    const auto store = open_store(options);
    auto with = history_ledger::limits{};
    with.budget_bytes = budget;
    auto ledger = history_ledger{with};
    auto drops = feed_drops{};
    const auto account = codec::account_of({"crm-prod"});
    auto random = std::uint64_t{1};
    auto batch = write_batch{};
    auto sweeps = 0;
    auto account_bytes = std::size_t{0};
    const auto before = written_bytes();
    const auto cpu = cpu_s();
    for (auto round = 0; round < rounds; ++round) {
      auto weights = std::vector<std::pair<log_sequence, history_weight>>{};
      batch.clear();
      for (auto i = 0; i < batch_events; ++i) {
        const auto event = store->allocate_sequence();
        batch.add_event(event_of(event, {.run = "", .envelope_bytes = 1}), false);
        for (auto number = 1u; number <= 2; ++number) {
          auto made = attempt_of(store->allocate_sequence(), event, number,
                                 number == 1 ? std::optional{noon + 1} : std::nullopt);
          made.account = account;
          for (auto left = number == 1 ? body_bytes : 0; left > 0; --left)
            made.value.response_body +=
                static_cast<char>((random = random * 6'364'136'223'846'793'005ULL + 1) >> 56);
          made.value.response_body_bytes = made.value.response_body.size();
          weights.emplace_back(made.sequence,
                               made.weight(batch.add_attempt({"crm-prod"}, made, {noon, event}, false)));
        }
      }
      auto dropped_below = log_sequence{0};
      for (const auto& change : ledger.take_changes(store->next_sequence(), 512)) {
        account_bytes += codec::encode(*change.value).size();
        batch.put_history(account, *change.value);
        dropped_below = change.drops_attempts ? change.value->attempts_from : dropped_below;
      }
      if (dropped_below > 0) {
        drops.add(store->allocate_sequence(), dropped_below);
        batch.put_drops(drops);
      }
      REQUIRE(store->commit(batch, store->next_sequence()).ok());
      for (const auto& [sequence, weight] : weights)
        ledger.add(account, sequence, weight.answer_bytes, weight.attempt_bytes);
      while (round % 50 == 0 && store->sweep_history())
        ++sweeps;
    }
    while (store->sweep_history())
      ++sweeps;
    std::printf(
        "bound %llu MiB, bodies of %zu bytes: %d events, %.1f MB written, %.1f MB in tables, %d files swept, "
        "%.1f KB of accounts, %.1f s of CPU\n",
        static_cast<unsigned long long>(budget >> 20), body_bytes, rounds * batch_events,
        static_cast<double>(written_bytes() - before) / 1e6,
        static_cast<double>(table_bytes(options.folder)) / 1e6, sweeps,
        static_cast<double>(account_bytes) / 1e3, cpu_s() - cpu);
  }
}
