#include "tests/cluster/simulated_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vicket::testing {

void simulated_database::let_happen(std::size_t which, fate how) {
  auto what = std::move(calls_[which]);
  calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(which));
  switch (how) {
  case fate::done:
    return what.happen();
  case fate::refused:
    return what.fail(true);
  case fate::cut_before:
    return what.fail(false);
  case fate::cut_after:
    what.happen_quietly();
    return what.fail(false);
  case fate::cut_and_late: {
    const auto quietly = what.happen_quietly;
    calls_.push_back({what.row, quietly, quietly, [](bool) {}});
    what.fail(false);
  }
  }
}

void simulated_database::let_all_happen() {
  while (!calls_.empty())
    let_happen(0, fate::done);
}

void simulated_database::fail_over() {
  for (auto& [number, partition] : partitions_) {
    for (const auto row : partition.unsynced)
      partition.rows.erase(row);
    partition.unsynced.clear();
  }
}

void simulated_database::go_back() {
  fail_over();
  for (auto& [number, partition] : partitions_)
    if (partition.rows.size() > 1)
      partition.rows.erase(std::prev(partition.rows.end()));
}

/// The standby has all that was done before this.
void simulated_database::acknowledge() {
  for (auto& [number, partition] : partitions_)
    partition.unsynced.clear();
}

const std::map<std::uint64_t, log_row>& simulated_database::rows(std::uint32_t partition) const {
  static const std::map<std::uint64_t, log_row> none;
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? none : found->second.rows;
}

void simulated_table::append(const log_row& row, const record_digest& before, bool,
                             std::function<void(append_answer)> done) {
  const auto kept = std::make_shared<log_row>(row);
  const auto insert = [&database = database_, kept, before] {
    auto& partition = database.partitions_[kept->head.partition];
    const auto found = partition.rows.find(kept->head.number - 1);
    const auto follows = before == record_digest{}
                             ? partition.rows.empty()
                             : found != partition.rows.end() && found->second.digest == before;
    if (!follows || !partition.halted.empty() || !partition.rows.emplace(kept->head.number, *kept).second)
      return false;
    partition.unsynced.insert(kept->head.number);
    return true;
  };
  const auto acknowledged = [&database = database_, insert] {
    const auto inserted = insert();
    if (inserted) // else nothing was written that a standby would have to have
      database.acknowledge();
    return inserted;
  };
  database_.calls_.push_back({kept,
                              [acknowledged, done] {
                                done({acknowledged() ? append_reply::stored : append_reply::absent, {}});
                              },
                              [insert] { static_cast<void>(insert()); },
                              [done](bool refused) {
                                done({refused ? append_reply::refused : append_reply::unknown, "simulated"});
                              }});
}

void simulated_table::look(std::uint32_t number_of, std::uint64_t number,
                           std::function<void(look_answer)> done) {
  const auto fail = [done](bool) { done({}); };
  database_.calls_.push_back({nullptr,
                              [&database = database_, number_of, number, done] {
                                database.acknowledge();
                                const auto& partition = database.partitions_[number_of];
                                look_answer found;
                                found.answered = true;
                                const auto digest_at = [&](std::uint64_t at) -> std::optional<record_digest> {
                                  const auto row = partition.rows.find(at);
                                  if (row == partition.rows.end())
                                    return std::nullopt;
                                  return row->second.digest;
                                };
                                found.seen = {digest_at(number - 1), digest_at(number),
                                              partition.rows.empty() ? 0 : partition.rows.rbegin()->first,
                                              partition.trimmed_to, !partition.halted.empty()};
                                done(std::move(found));
                              },
                              [] {}, fail});
}

void simulated_table::read(std::uint32_t number_of, std::uint64_t from, std::size_t max_bytes,
                           std::function<void(read_answer)> done) {
  database_.calls_.push_back(
      {nullptr,
       [&database = database_, number_of, from, max_bytes, done] {
         const auto& partition = database.partitions_[number_of];
         read_answer page;
         page.answered = true;
         page.last = partition.rows.empty() ? 0 : partition.rows.rbegin()->first;
         page.trimmed_to = partition.trimmed_to;
         page.halted = partition.halted;
         if (const auto row = partition.rows.find(from - 1); row != partition.rows.end())
           page.before = row->second.digest;
         auto before = std::size_t{0};
         for (auto at = partition.rows.lower_bound(from);
              at != partition.rows.end() && (before <= max_bytes || page.rows.empty()) &&
              page.rows.size() < database.read_rows;
              ++at) {
           page.rows.push_back(at->second);
           before += at->second.body.size();
         }
         done(std::move(page));
       },
       [] {}, [done](bool) { done({}); }, true});
}

void simulated_table::glance(std::uint32_t number_of, std::uint64_t known,
                             std::function<void(glance_answer)> done) {
  database_.calls_.push_back({nullptr,
                              [&database = database_, number_of, known, done] {
                                const auto& partition = database.partitions_[number_of];
                                const auto digest_at = [&](std::uint64_t at) -> std::optional<record_digest> {
                                  const auto row = partition.rows.find(at);
                                  return row == partition.rows.end() ? std::nullopt
                                                                     : std::optional{row->second.digest};
                                };
                                glance_answer found;
                                found.answered = true;
                                found.known = digest_at(known);
                                if (!partition.rows.empty()) {
                                  const auto& last = partition.rows.rbegin()->second.head;
                                  found.last = last.number;
                                  found.durable_to = last.durable_to;
                                  found.durable = digest_at(last.durable_to);
                                }
                                found.trimmed_to = partition.trimmed_to;
                                found.owner = partition.owner;
                                found.epoch = partition.epoch;
                                found.halted = partition.halted;
                                done(std::move(found));
                              },
                              [] {}, [done](bool) { done({}); }, true});
}

void simulated_table::note_owner(std::uint32_t number_of, const std::string& node, std::uint64_t epoch,
                                 std::function<void(bool)> done) {
  const auto note = [&database = database_, number_of, node, epoch] {
    auto& partition = database.partitions_[number_of];
    if (partition.epoch < epoch) {
      partition.owner = node;
      partition.epoch = epoch;
    }
  };
  database_.calls_.push_back({nullptr,
                              [&database = database_, note, done] {
                                note();
                                database.acknowledge();
                                done(true);
                              },
                              note, [done](bool) { done(false); }});
}

void simulated_table::halt(std::uint32_t number_of, const std::string& why, std::function<void(bool)> done) {
  const auto halt = [&database = database_, number_of, why] {
    if (auto& is = database.partitions_[number_of].halted; is.empty())
      is = why;
  };
  database_.calls_.push_back({nullptr,
                              [&database = database_, halt, done] {
                                halt();
                                database.acknowledge();
                                done(true);
                              },
                              halt, [done](bool) { done(false); }});
}

void simulated_table::trim(std::uint32_t number_of, std::uint64_t epoch, std::uint64_t below,
                           std::function<void(bool)> done) {
  const auto trim = [&database = database_, number_of, epoch, below] {
    auto& partition = database.partitions_[number_of];
    if (partition.epoch != epoch)
      return false;
    partition.trimmed_to = std::max(partition.trimmed_to, below);
    // As one statement deletes: some rows, the oldest.
    auto until = partition.rows.begin();
    for (std::size_t i = 0; i < database.trim_rows && until != partition.rows.lower_bound(below); ++i)
      ++until;
    partition.rows.erase(partition.rows.begin(), until);
    return until == partition.rows.lower_bound(below);
  };
  database_.calls_.push_back({nullptr, [trim, done] { done(trim()); }, [trim] { static_cast<void>(trim()); },
                              [done](bool) { done(false); }});
}

} // namespace vicket::testing
