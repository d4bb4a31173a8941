#include "tests/sim/start_book.hpp"

namespace vicket::sim {

void start_book::life_began() {
  for (auto& each : connectors_) { // what endpoints have asked for holds over a restart
    connector_fact fresh;
    fresh.asked_for_peace_ms = each.asked_for_peace_ms;
    each = fresh;
  }
  open_ = 0;
  waiting_.clear();
}

void start_book::requested(std::uint32_t which, std::uint32_t most, const moment&) {
  auto& mine = connectors_[which];
  ++open_;
  ++mine.open;
  if (open_ > shape_.max_in_flight)
    complain("no more requests are under way than the node may have",
             std::to_string(open_) + " are, of " + std::to_string(shape_.max_in_flight));
  if (mine.open > most && !mine.excused)
    complain("no more requests are under way than the connector may have",
             std::to_string(mine.open) + " of c" + std::to_string(which) + " are, of " +
                 std::to_string(most));
  waiting_.erase(which);
  for (auto& [who, passed_by] : waiting_)
    if (++passed_by[which] > most_passed_by && has_one_dealer())
      complain("whoever could start does so within two rounds",
               "c" + std::to_string(which) + " was started " + std::to_string(passed_by[which]) +
                   " times while c" + std::to_string(who) + " waited");
}

void start_book::responded(std::uint32_t which, bool asks_for_peace, const moment& now) {
  auto& mine = connectors_[which];
  if (mine.open == 0) // of an earlier life
    return;
  --open_;
  if (--mine.open == 0) {
    mine.none_since = now.order;
    mine.excused = false;
  }
  mine.answered_ms = now.steady_ms;
  if (asks_for_peace)
    mine.asked_for_peace_ms = now.steady_ms;
}

void start_book::supervisor_died() {
  for (auto& each : connectors_)
    each.excused = true;
  waiting_.clear();
}

void start_book::at_rest(const std::set<std::uint32_t>& with_events, const moment& now) {
  if (shape_.window_memory_bytes < ample_window_bytes) { // it may wait for room, not for a place
    waiting_.clear();
    return;
  }
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint64_t>> waiting;
  for (const auto which : with_events) {
    const auto& mine = connectors_[which];
    if (mine.open > 0 || now.steady_ms - mine.answered_ms < settle_ms() ||
        now.steady_ms - mine.asked_for_peace_ms < longest_peace_ms)
      continue;
    if (open_ < shape_.max_in_flight && has_one_dealer())
      complain("nothing waits while a place is free",
               "c" + std::to_string(which) + " has an event that was never sent, and of " +
                   std::to_string(shape_.max_in_flight) + " places " + std::to_string(open_) + " are taken");
    waiting[which] = std::move(waiting_[which]);
  }
  waiting_ = std::move(waiting);
}

} // namespace vicket::sim
