#include "tests/crash/cursor_follower.hpp"

#include "tests/crash/feeder.hpp"
#include "tests/crash/journal.hpp"
#include "tests/crash/node_client.hpp"
#include "tests/crash/real_time.hpp"

#include <caf/actor_system.hpp>

#include <fstream>
#include <optional>
#include <string>

namespace vicket::crash {

namespace {

/// Short, since the answer of a node that was killed never comes; asking again costs nothing.
constexpr std::int64_t answer_limit_ms = 700;
constexpr std::uint32_t wait_ms = 200;
constexpr std::int64_t last_answer_limit_ms = 10'000;
constexpr std::int64_t connect_every_ms = 20;
constexpr int last_tries = 10;
constexpr std::int64_t last_pages_limit_ms = 30'000; // less than the driver waits

/// Where it goes on: the number of the next page, and the cursor that it is read with.
struct place {
  std::uint64_t page = 0;
  std::string cursor;
};

std::filesystem::path cursor_file_in(const std::filesystem::path& folder) {
  return folder / "follower-cursor";
}

/// Without a file: at the beginning.
place read_place(const std::filesystem::path& folder) {
  place found;
  std::ifstream file{cursor_file_in(folder)};
  file >> found.page >> found.cursor;
  return found;
}

void save_place(const std::filesystem::path& folder, const place& at) {
  const auto written = folder / "follower-cursor.new";
  std::ofstream{written} << at.page << ' ' << at.cursor << '\n';
  std::filesystem::rename(written, cursor_file_in(folder));
}

void note_page(journal& notes, const outcome_page& page) {
  for (const auto& entry : page.entries) {
    follower_record made;
    made.cursor = entry.cursor;
    made.connector = entry.summary.connector.value;
    made.id = entry.summary.id.to_string();
    made.attempt = entry.value.number;
    notes.note(made);
  }
  notes.note(follower_record{follower_record::kind::page, page.cursor, {}, {}, 0});
}

} // namespace

std::filesystem::path follower_journal_in(const std::filesystem::path& folder) {
  return folder / "follower.jsonl";
}

bool run_cursor_follower(const plan& promises, const std::filesystem::path& folder,
                         const std::atomic<bool>& stop) {
  journal notes{follower_journal_in(folder)};
  client_config config;
  caf::actor_system system{config};
  node_client client{system, [&] { return read_node_port(folder); }};
  auto at = read_place(folder);
  notes.note(follower_record{follower_record::kind::start, at.cursor, {}, {}, 0});
  std::optional<std::int64_t> until_ms; // since the end was asked for
  for (int failures = 0; failures < last_tries && (!until_ms || steady_ms() < *until_ms);) {
    const bool last_round = stop;
    if (last_round && !until_ms)
      until_ms = steady_ms() + last_pages_limit_ms;
    const read_outcomes question{at.cursor, promises.page_limit(at.page), last_round ? 0 : wait_ms};
    const auto page = client.ask<outcome_page>(question, last_round ? last_answer_limit_ms : answer_limit_ms);
    if (!page) {
      failures = last_round ? failures + 1 : 0;
      sleep_ms(connect_every_ms);
    } else if (!page->entries.empty()) {
      note_page(notes, *page);
      at = {at.page + 1, page->cursor};
      if (promises.saves_cursor(at.page))
        save_place(folder, at);
    } else if (last_round) {
      return true;
    }
  }
  return false;
}

} // namespace vicket::crash
