#pragma once

#include "cluster/log_position.hpp"
#include "cluster/log_table.hpp"
#include "cluster/record_appender.hpp"
#include "cluster/record_codec.hpp"
#include "policy/lease.hpp"
#include "policy/log_history.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// One partition as one node of a cluster keeps it: follows its log and applies it to a store, claims the partition when it has
/// no owner, appends as its owner, and steps down when another has claimed it. All on the table's thread.
///
/// To append is to own: nothing here depends on a clock but when a claim is tried, and what `may_act` says.
class partition_keeper {
public:
  enum class role : std::uint8_t {
    following,
    claiming,
    owning,
    stalled, ///< the store does not take what is durable: reads on, so that it is known who owns it, and nothing else
    behind, ///< the log was trimmed beyond what the store has: a checkpoint has to come from another node
    broken, ///< the log is not the one that was followed, or has a record that does not verify: nothing more is read
  };

  /// An owner that has nothing to write appends an empty round so often: progress is the sign of life.
  static constexpr std::int64_t heartbeat_ms = 1'000;
  static constexpr std::size_t max_page_bytes = 4u << 20;

  struct setup {
    std::uint32_t partition = 0;
    claim_owner self;                ///< in its claims
    record_appender::setup appender; ///< its table is what is read, too
    std::shared_ptr<const record_codec> codec;
    log_position begin; ///< what the store has; an empty history: nothing
    /// Of a clock that goes on while the machine sleeps.
    std::function<std::int64_t()> now_ms;
    /// As the owner it says with its next record, at once, that a round is durable: followers apply it no earlier.
    bool prompt = false;

    /// A round that is durable, in order; empty for an owner's sign of life. Of an owner's own rounds as well, before their
    /// `done`. False: the store can't, and the keeper is `stalled`.
    std::function<bool(const record_head&, const record_digest&, std::string_view round)> apply;
    /// So many bytes of records more were read or written, as the log has them. May be empty.
    std::function<void(std::size_t)> passed;
    /// The role has changed; `why` in words, for the log.
    std::function<void(role, const std::string& why)> changed;
  };

  explicit partition_keeper(setup with);
  ~partition_keeper(); ///< calls nothing more
  partition_keeper(const partition_keeper&) = delete;
  partition_keeper& operator=(const partition_keeper&) = delete;

  /// Reads on, unless that is under way: every 100 ms, by its owner's timer. Of a log that went back: halts the partition for
  /// all, until that is durable.
  void poll();
  /// This node's own sign of life, first sent then, was acknowledged.
  void lived(std::int64_t first_sent_ms);
  /// The life of the owner is over, since its node has begun another one: no silence is waited for. With each poll, as long as
  /// that is so.
  void owner_is_gone();
  /// Claims if it has read all of the log and may (`claim_watch`), and shows signs of life if it owns; `rank`: how many nodes come before this one. With
  /// each poll.
  void tick(std::uint32_t rank);

  /// One at a time; behind a sign of life that is under way. `done`: durable and applied, or not there; where the end is not
  /// known the role changes, and `done` is told `lost`, as it is where this is no owner (any more).
  void append(std::string round, std::function<void(append_settling::step)> done);
  /// From now on these nodes keep the partition: a record says so as soon as nothing else is under way. Nothing happens where
  /// this is no owner, or such a record is under way: look at `seen`, and ask again.
  void hand_to(placement_copies copies);
  /// The store takes nothing more: as if it had not taken a round. An owner that may lets go. Another keeper goes on from what
  /// the store has, once that takes something.
  void stall(const std::string& why);
  /// Lets go: no more appends of this owner; the record says so to the others. Only if it may (`may_yield`). Whoever wants
  /// another node to own it then gives this one a rank behind that one: a partition that was let go is claimed at once.
  void yield();

  /// Why the table refused the last append; empty: it did not.
  [[nodiscard]] const std::string& refused() const noexcept;
  [[nodiscard]] role now() const noexcept;
  /// When the last poll that was answered, and found the log as it is known here, was sent; 0: there was none.
  [[nodiscard]] std::int64_t looked_ms() const noexcept;
  /// Whatever was in the log then, by this node's clock, and changes the store, has been applied; 0: it never was so.
  [[nodiscard]] std::int64_t complete_ms() const noexcept;
  [[nodiscard]] bool busy() const noexcept; ///< an append is under way
  /// The log as far as it was read; what is beyond `applied` may go again.
  [[nodiscard]] const log_position& seen() const noexcept;
  /// What the store has.
  [[nodiscard]] const log_position& applied() const noexcept;
  /// The last poll that was answered read to the end of the log; an owner always has.
  [[nodiscard]] bool caught_up() const noexcept;
  /// The first row that is there, as the last poll that was answered says; 0: nothing was trimmed.
  [[nodiscard]] std::uint64_t trimmed_to() const noexcept;
  /// As the owner: deliver, and answer what must be fresh.
  [[nodiscard]] bool may_act() const;
  /// From when to when that is, as of now; absent: not at all.
  struct acting {
    std::int64_t from_ms = 0;
    std::int64_t until_ms = 0;
  };
  [[nodiscard]] std::optional<acting> may_act_when() const;
  /// Why the partition takes no records, as far as this node has seen it; empty: it does.
  [[nodiscard]] const std::string& halted() const noexcept;
  /// No append is under way, and see `owner_lease`.
  [[nodiscard]] bool may_yield() const;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
