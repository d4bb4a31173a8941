#pragma once

#include "policy/append_settling.hpp"
#include "policy/log_history.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// A row of the table of rounds.
struct log_row {
  record_head head;
  record_digest digest{};
  std::string body; ///< compressed and sealed
};

/// Where the records of a cluster's partitions are kept in order: a table with an append on condition. What it does not
/// promise is that an answer comes, or comes once: see `append_settling`.
///
/// Every call returns at once; `done` is called later, once, on the table's own thread.
class log_table {
public:
  struct append_answer {
    append_reply reply = append_reply::unknown;
    std::string detail; ///< of `unknown` and `refused`: what the server said, or why there is no answer
  };
  struct look_answer {
    bool answered = false; ///< and acknowledged without a warning; else the rest says nothing
    append_look seen;
    std::string detail;
  };
  struct read_answer {
    bool answered = false;
    std::optional<record_digest> before; ///< of the row before the one that was asked for
    std::vector<log_row> rows;    ///< in order, from the one that was asked for on; none: there is none yet
    std::uint64_t last = 0;       ///< of the partition, in the same snapshot
    std::uint64_t trimmed_to = 0; ///< above what was asked for: it is gone
    std::string halted;           ///< why the partition takes no records; empty: it does
    std::string detail;
  };

  /// What a node sees of a partition that it does not follow.
  struct glance_answer {
    bool answered = false;
    std::optional<record_digest> known; ///< of the row that was asked for
    std::uint64_t last = 0;             ///< row; 0: there is none
    std::uint64_t durable_to = 0;       ///< as that one says, and the digest of the row there
    std::optional<record_digest> durable;
    std::uint64_t trimmed_to = 0;
    std::string owner; ///< as `note_owner` was told last; empty: nobody yet
    std::uint64_t epoch = 0;
    std::string halted; ///< why the partition takes no records; empty: it does
    std::string detail;
  };

  log_table() = default;
  log_table(const log_table&) = delete;
  log_table& operator=(const log_table&) = delete;
  virtual ~log_table() = default;

  /// `row` as the one after number `row.head.number - 1`, if that one has the digest `before`; a genesis with nothing before
  /// it (`before` all zeros) into an empty log. `afresh`: on a connection that was made after this call, since an earlier
  /// sending of the same row has an end that is not known.
  virtual void append(const log_row& row, const record_digest& before, bool afresh,
                      std::function<void(append_answer)> done) = 0;

  /// What is at this number and the one before it. Commits something small in the same statement: what was seen by a look that
  /// is acknowledged is durable.
  virtual void look(std::uint32_t partition, std::uint64_t number, std::function<void(look_answer)> done) = 0;

  /// Rows from a number on, at least one if there are any, and not more than `max_bytes` of bodies past the first.
  virtual void read(std::uint32_t partition, std::uint64_t from, std::size_t max_bytes,
                    std::function<void(read_answer)> done) = 0;

  /// The log's end, whether the row of this number is still the same, and who owns the partition.
  virtual void glance(std::uint32_t partition, std::uint64_t known,
                      std::function<void(glance_answer)> done) = 0;

  /// The partition takes no records from now on, for anybody, and `why` is kept. `done` says whether that is durable.
  virtual void halt(std::uint32_t partition, const std::string& why, std::function<void(bool)> done) = 0;

  /// Who has claimed the partition, for nodes that don't follow it, so that they know whom to ask, and for who looks at the
  /// table. `done`: whether it is there, and durable.
  virtual void note_owner(std::uint32_t partition, const std::string& node, std::uint64_t epoch,
                          std::function<void(bool)> done) = 0;

  /// Deletes the rows below a number, some at a time, if the partition is still noted as that of an owner of this epoch. `done`
  /// says whether all of them are gone.
  virtual void trim(std::uint32_t partition, std::uint64_t epoch, std::uint64_t below,
                    std::function<void(bool)> done) = 0;
};

} // namespace vicket
