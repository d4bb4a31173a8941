#pragma once

#include "cluster/log_halt.hpp"
#include "cluster/log_table.hpp"
#include "policy/lease.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vicket {

/// What a node sees of a partition that it keeps no copy of: who owns it, whether it makes progress, and whether its log is still
/// the one that it was. Such a node appends nothing, but it remembers the last record that was known to be durable: where a
/// server lacks that one the partition is halted for all, as by a node that follows it. All on the table's thread.
class partition_witness {
public:
  struct setup {
    std::uint32_t partition = 0;
    log_table* table = nullptr; ///< outlives it
    /// Of a clock that goes on while the machine sleeps.
    std::function<std::int64_t()> now_ms;
    /// The log is not the one that it was. Once.
    std::function<void(const std::string& why)> went_back;
  };

  explicit partition_witness(setup with);
  ~partition_witness(); ///< calls nothing more
  partition_witness(const partition_witness&) = delete;
  partition_witness& operator=(const partition_witness&) = delete;

  /// Looks, unless that is under way. Of a log that went back: halts the partition for all, until that is durable.
  void poll();
  /// That record is known to be durable: of a node that has followed the partition up to there.
  void knows(std::uint64_t number, const record_digest& digest);
  /// See `partition_keeper::lived`.
  void lived(std::int64_t first_sent_ms);

  /// When the last poll that was answered, and found the log as it is known here, was sent; 0: there was none.
  [[nodiscard]] std::int64_t looked_ms() const noexcept;
  /// The record that has to be there.
  [[nodiscard]] std::uint64_t known() const noexcept;
  [[nodiscard]] std::uint64_t last() const noexcept; ///< row of the log, as it was seen last
  [[nodiscard]] std::uint64_t
  trimmed_to() const noexcept; ///< the first one that is there; 0: nothing was trimmed
  [[nodiscard]] const std::string& owner() const noexcept;
  [[nodiscard]] std::uint64_t epoch() const noexcept; ///< of that owner
  /// Why the partition takes no records; empty: it does.
  [[nodiscard]] const std::string& halted() const noexcept;
  /// Nothing new has come for as long as lets a node claim what it follows (`claim_watch`), and for so many times
  /// `claim_watch::per_rank_ms` more.
  [[nodiscard]] bool is_silent(std::uint32_t rank) const;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
