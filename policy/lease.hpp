#pragma once

#include <cstdint>

namespace vicket {

/// Whether the owner of a partition may act as one beyond its log: deliver, and answer what has to be fresh. No write's safety
/// depends on it; that two nodes deliver the same event at the same time does.
///
/// It may while an append of its own was acknowledged that it first sent less than `valid_ms` ago: another node claims no
/// sooner than that (see `claim_watch`), and delivers `wait_after_claim_ms` after its claim, or at once after a yield, with
/// which the owner before said that it has stopped. That one must have waited itself: who yields sooner says nothing of the
/// owner before it, which may not have heard of either of them.
///
/// Times are of a clock that goes on while the machine sleeps (CLOCK_BOOTTIME), in milliseconds.
class owner_lease {
public:
  static constexpr std::int64_t valid_ms = 2'000;
  static constexpr std::int64_t wait_after_claim_ms = 3'000;

  /// Its claim is durable; `after_yield`: the record before it was a yield.
  owner_lease(std::int64_t claim_first_sent_ms, std::int64_t now_ms, bool after_yield);

  /// An append is durable.
  void acknowledged(std::int64_t first_sent_ms);

  [[nodiscard]] bool may_act(std::int64_t now_ms) const { return now_ms >= from_ms() && now_ms < until_ms(); }
  [[nodiscard]] std::int64_t from_ms() const { return not_before_ms_; }
  [[nodiscard]] std::int64_t until_ms() const { return acknowledged_ms_ + valid_ms; } ///< as of now
  /// A yield may say that nobody acts any more.
  [[nodiscard]] bool may_yield(std::int64_t now_ms) const { return now_ms >= not_before_ms_; }

private:
  std::int64_t not_before_ms_;
  std::int64_t acknowledged_ms_; ///< first sending of the last append that was
};

/// When a node may claim a partition of another: it has seen nothing new in the partition's log for `silent_ms` of its own
/// clock, while the database was well all that time: each poll was answered within `prompt_ms`, and so was this node's own
/// sign of life. A database that stands still, or commits slowly, so deposes nobody; and no clock is compared with another's.
class claim_watch {
public:
  static constexpr std::int64_t silent_ms = 3'000;
  static constexpr std::int64_t prompt_ms = 1'000;
  static constexpr std::int64_t per_rank_ms = 500;

  explicit claim_watch(std::int64_t now_ms) : since_ms_{now_ms} {}

  /// A poll, sent at a time and answered now, saw the log's last record.
  void polled(std::int64_t sent_ms, std::int64_t now_ms, std::uint64_t last_record);
  /// The database did not answer, or another server does: what was seen before says nothing.
  void lost_sight(std::int64_t now_ms);
  /// This node's sign of life, first sent at a time, was acknowledged.
  void lived(std::int64_t first_sent_ms);
  /// The owner has let go, or is an incarnation of a node that has begun anew: no silence is needed.
  void released() { released_ = true; }

  /// `rank`: how many nodes come before this one.
  [[nodiscard]] bool may_claim(std::int64_t now_ms, std::uint32_t rank) const;

private:
  std::int64_t since_ms_; ///< since then nothing new was seen
  std::int64_t polled_ms_ = 0;
  std::int64_t lived_ms_ = 0;
  std::uint64_t last_record_ = 0;
  bool has_polled_ = false;
  bool released_ = false;
};

/// Whether a node may claim anything after the database has failed over. A server that lacks records which were acknowledged
/// looks like any other to a node that has not read them either; who has read them finds them missing, and halts the partition.
/// So on a timeline (PostgreSQL's number for a server's history) that is new to it a node claims nothing before all others
/// have looked, or for `patience_ms`: who is not there then may be gone for good. Pure.
class failover_watch {
public:
  static constexpr std::int64_t patience_ms = 30'000;

  /// The timeline of the server that this node speaks to, and the lowest on which one of all nodes has looked.
  void seen(std::uint64_t timeline, std::uint64_t lowest_looked_at, std::int64_t now_ms);
  [[nodiscard]] bool may_claim(std::int64_t now_ms) const;

private:
  std::uint64_t timeline_ = 0; ///< 0: none was seen yet
  std::uint64_t lowest_ = 0;
  std::int64_t since_ms_ = 0;
};

} // namespace vicket
