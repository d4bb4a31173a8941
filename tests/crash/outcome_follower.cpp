#include "tests/crash/outcome_follower.hpp"

#include "tests/crash/node_client.hpp"
#include "tests/crash/real_time.hpp"

#include <iterator>

namespace vicket::crash {

namespace {

/// Short, since the answer of a node that was killed never comes; asking again costs nothing.
constexpr std::int64_t answer_limit_ms = 700;
constexpr std::uint32_t wait_ms = 200;
constexpr std::int64_t quiet_answer_limit_ms = 10'000;
constexpr std::int64_t connect_every_ms = 20;
constexpr int last_tries = 10;
/// For the rest of the feed when all is quiet: a node whose pages never end is found out, not followed for ever.
constexpr std::int64_t last_pages_limit_ms = 900'000;

} // namespace

outcome_follower::outcome_follower(caf::actor_system& system, const plan& promises,
                                   std::function<std::uint16_t()> port)
    : system_{system}, promises_{promises}, port_{std::move(port)}, thread_{[this] { run(); }} {}

outcome_follower::~outcome_follower() {
  abandoned_ = true;
  if (thread_.joinable())
    thread_.join();
}

std::optional<std::vector<outcome_entry>> outcome_follower::finish() {
  finishing_ = true;
  thread_.join();
  if (!complete_)
    return std::nullopt;
  return std::move(entries_);
}

void outcome_follower::run() {
  node_client client{system_, port_};
  int failures = 0;
  std::optional<std::int64_t> until_ms; // since the end was asked for
  while (!abandoned_ && failures < last_tries && (!until_ms || steady_ms() < *until_ms)) {
    const bool last_round = finishing_;
    if (last_round && !until_ms)
      until_ms = steady_ms() + last_pages_limit_ms;
    bool empty = false;
    if (!read_page(client, empty)) {
      failures = last_round ? failures + 1 : 0;
      sleep_ms(connect_every_ms);
    } else if (empty && last_round) {
      complete_ = true;
      return;
    }
  }
}

bool outcome_follower::read_page(node_client& client, bool& empty) {
  read_outcomes question;
  question.cursor = cursor_;
  question.limit = promises_.page_limit(page_);
  question.wait_ms = finishing_ ? 0 : wait_ms;
  auto page = client.ask<outcome_page>(question, finishing_ ? quiet_answer_limit_ms : answer_limit_ms);
  if (!page)
    return false;
  empty = page->entries.empty();
  cursor_ = page->cursor;
  auto end = page->entries.end();
  if (page->entries.size() > 1 && promises_.goes_back(page_)) {
    end = page->entries.begin() + static_cast<std::ptrdiff_t>(page->entries.size() / 2);
    cursor_ = std::prev(end)->cursor;
  }
  entries_.insert(entries_.end(), std::make_move_iterator(page->entries.begin()),
                  std::make_move_iterator(end));
  ++page_;
  return true;
}

std::optional<std::vector<outcome_entry>> read_whole_feed(node_client& client) {
  std::vector<outcome_entry> all;
  read_outcomes question;
  for (const auto until_ms = steady_ms() + last_pages_limit_ms; steady_ms() < until_ms;) {
    auto page = client.ask<outcome_page>(question, quiet_answer_limit_ms);
    if (!page)
      return std::nullopt;
    if (page->entries.empty())
      return all;
    question.cursor = page->cursor;
    all.insert(all.end(), std::make_move_iterator(page->entries.begin()),
               std::make_move_iterator(page->entries.end()));
  }
  return std::nullopt;
}

} // namespace vicket::crash
