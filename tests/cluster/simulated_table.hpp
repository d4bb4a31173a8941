#pragma once

#include "cluster/log_table.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vicket::testing {

/// The rows of a simulated database, and what is under way to it. Nothing happens by itself: a test lets one call after the
/// other happen, fail, be cut, or be done with the answer lost. What was done and not acknowledged can be seen, and is gone
/// when the database fails over to its standby, until something that was done later is acknowledged.
class simulated_database {
public:
  enum class fate : std::uint8_t {
    done,         ///< and answered
    refused,      ///< not done
    cut_before,   ///< not done, the answer says that nobody knows
    cut_after,    ///< done, on this server alone; the answer says that nobody knows
    cut_and_late, ///< as `cut_before`; what was asked is still under way and has a fate of its own later
  };

  [[nodiscard]] std::size_t under_way() const noexcept { return calls_.size(); }
  /// What is to be appended, by this call; null: it is no append.
  [[nodiscard]] const log_row* appended_by(std::size_t which) const { return calls_[which].row.get(); }
  /// It only reads: no standby has to have anything before it is answered.
  [[nodiscard]] bool only_reads(std::size_t which) const { return calls_[which].only_reads; }
  void let_happen(std::size_t which, fate how);
  void let_all_happen();

  /// The rows that no standby has are gone.
  void fail_over();
  /// Acknowledged or not, the last row of each partition but the first is gone: a standby that lagged was promoted.
  void go_back();

  /// All rows that are visible.
  [[nodiscard]] const std::map<std::uint64_t, log_row>& rows(std::uint32_t partition) const;

  std::size_t read_rows = 1'000; ///< of one page, at most
  std::size_t trim_rows = 1'000; ///< that one call deletes
  /// The first row that is said to be there.
  [[nodiscard]] std::uint64_t trimmed_to(std::uint32_t partition) {
    return partitions_[partition].trimmed_to;
  }

  /// What halted it has been put right.
  void go_on(std::uint32_t partition) { partitions_[partition].halted.clear(); }
  [[nodiscard]] bool is_halted(std::uint32_t partition) { return !partitions_[partition].halted.empty(); }
  /// Of the owner that was noted last.
  [[nodiscard]] std::uint64_t noted_epoch(std::uint32_t partition) { return partitions_[partition].epoch; }

private:
  friend class simulated_table;

  struct partition_rows {
    std::map<std::uint64_t, log_row> rows;
    std::set<std::uint64_t> unsynced; ///< on this server alone
    std::uint64_t trimmed_to = 0;
    std::string halted; ///< why
    std::string owner;
    std::uint64_t epoch = 0; ///< of `owner`, which no failover takes
  };
  void acknowledge();

  struct call {
    std::shared_ptr<log_row> row;         ///< of an append
    std::function<void()> happen;         ///< done and answered
    std::function<void()> happen_quietly; ///< done, the answer is lost
    std::function<void(bool refused)> fail;
    bool only_reads = false;
  };

  std::map<std::uint32_t, partition_rows> partitions_;
  std::deque<call> calls_;
};

/// One node's way to it.
class simulated_table : public log_table {
public:
  explicit simulated_table(simulated_database& database) : database_{database} {}

  void append(const log_row& row, const record_digest& before, bool afresh,
              std::function<void(append_answer)> done) override;
  void look(std::uint32_t partition, std::uint64_t number, std::function<void(look_answer)> done) override;
  void read(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes,
            std::function<void(read_answer)> done) override;
  void glance(std::uint32_t partition, std::uint64_t known, std::function<void(glance_answer)> done) override;
  void halt(std::uint32_t partition, const std::string& why, std::function<void(bool)> done) override;
  void note_owner(std::uint32_t partition, const std::string& node, std::uint64_t epoch,
                  std::function<void(bool)> done) override;
  void trim(std::uint32_t partition, std::uint64_t epoch, std::uint64_t below,
            std::function<void(bool)> done) override;

private:
  simulated_database& database_;
};

} // namespace vicket::testing
