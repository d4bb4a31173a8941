#include "cluster/copy_board.hpp"

#include "cluster/while_alive.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

struct copy_board::rep : std::enable_shared_from_this<rep> {
  explicit rep(setup given) : with{std::move(given)}, by_partition(with.partitions) {}

  void look(std::int64_t now) {
    if (looking || (reads > 0 && now - looked_ms < look_ms))
      return;
    looking = true;
    looked_ms = now;
    with.table->list_copies(
        internal::while_alive(weak_from_this(), [](rep& self, const member_table::copies_answer& found) {
          self.looking = false;
          if (found.answered)
            self.take(found.rows);
        }));
  }

  void take(const std::vector<member_table::copy>& rows) {
    ++reads;
    for (auto& each : by_partition)
      each.clear();
    for (const auto& row : rows)
      if (row.partition < by_partition.size())
        by_partition[row.partition].push_back(row);
  }

  /// Whoever is complete, or not any more, or has less than it said, says so with the next look; the rest has time.
  void tell(const std::vector<member_table::copy>& own, std::int64_t now) {
    if (told_reads == reads)
      return;
    told_reads = reads;
    const auto is_news = std::any_of(own.begin(), own.end(), [this](const auto& mine) {
      const auto& rows = by_partition[mine.partition];
      const auto row =
          std::find_if(rows.begin(), rows.end(), [&](const auto& each) { return each.node == mine.node; });
      return row == rows.end() ? mine.notes_itself
                               : row->complete != mine.complete || row->synced_to > mine.synced_to;
    });
    if (!is_news && now - told_ms < with.tells_every_ms)
      return;
    told_ms = now;
    with.table->tell_copies(own);
  }

  setup with;
  std::vector<std::vector<member_table::copy>> by_partition;
  std::uint64_t reads = 0;
  std::uint64_t told_reads = 0; ///< as of when it was looked last whether there is something to tell
  std::int64_t looked_ms = 0;
  std::int64_t told_ms = 0;
  bool looking = false;
};

copy_board::copy_board(setup with) : rep_{std::make_shared<rep>(std::move(with))} {}

void copy_board::tick(const std::vector<member_table::copy>& own) {
  const auto now = rep_->with.now_ms();
  rep_->tell(own, now);
  rep_->look(now);
}

std::uint64_t copy_board::reads() const noexcept {
  return rep_->reads;
}

const std::vector<member_table::copy>& copy_board::of(std::uint32_t partition) const {
  return rep_->by_partition[partition];
}

std::vector<std::string> copy_board::nodes_of(std::uint32_t partition) const {
  std::vector<std::string> names;
  for (const auto& each : of(partition))
    names.push_back(each.node);
  return names;
}

std::optional<member_table::copy> copy_board::row_of(std::uint32_t partition, const std::string& node) const {
  const auto& rows = of(partition);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& each) { return each.node == node; });
  return row == rows.end() ? std::nullopt : std::optional{*row};
}

bool copy_board::is_complete(std::uint32_t partition, const std::string& node) const {
  const auto row = row_of(partition, node);
  return row && row->complete;
}

} // namespace vicket
