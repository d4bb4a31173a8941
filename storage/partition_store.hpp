#pragma once

#include "messages/connector.hpp"
#include "policy/feed_drops.hpp"
#include "policy/feed_lineage.hpp"
#include "policy/history_ledger.hpp"
#include "policy/partitioning.hpp"
#include "policy/secret_box.hpp"
#include "storage/open_files.hpp"
#include "storage/records.hpp"
#include "storage/sealed_round.hpp"
#include "storage/settings_snapshot.hpp"
#include "storage/store_status.hpp"
#include "storage/write_batch.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// A swap-in for the file system below RocksDB, so that tests inject faults or stay in memory
/// (storage/testing/).
class store_environment;
class due_scan;
class incoming_copy;
class space_budget;

struct store_options {
  std::filesystem::path folder;
  std::uint64_t epoch = 1;
  /// A copy of a partition of a cluster: its rounds come from the cluster's log, so opening it writes none, and its epoch
  /// is that of the last one. `take_over` makes it the owner's.
  bool follows = false;
  std::uint32_t lineage_tag = 0;              ///< random, another one for each opening: see feed_lineage
  store_environment* environment = nullptr;   ///< null: the real one; not owned
  std::size_t write_buffer_bytes = 48u << 20; ///< memtables of all column families together
  std::size_t block_cache_bytes = 32u << 20;
  std::size_t open_tables = max_open_tables; ///< at most; see open_files.hpp
  std::shared_ptr<space_budget> budget; ///< one for all partitions of a data folder; null: one of its own
  /// Seals and opens what connectors have of secrets. Null: a store with secrets in the clear, of an older format, is
  /// refused, and one whose key is being changed is left as it is.
  std::shared_ptr<const secret_box> secrets;
  /// Told, in one line each, of what opening found and put right. May be empty.
  std::function<void(const std::string&)> log_warning;
};

/// One partition's durable state: a RocksDB used as a log. See key_codec.hpp for the layout.
///
/// What the lookups cost, in CPU time of all threads with compaction, per event delivered at the first
/// attempt, of about 10 us in all: by event id with the duplicate check about 4 us (random ids, the worst
/// case); by run and by event together perhaps 2 us, within the noise of the machine it was measured on
/// (docs/decisions/0002-storage.md). Asking for an id that is not there: 2.5 us.
///
/// Writes (`apply`, `commit`, `allocate_sequence`, `resume`) come from one thread, the persistence actor's; reads are
/// safe from any thread at any time.
class partition_store {
public:
  /// Opens or creates. A crash's leftovers are recovered: every event that no attempt settled and that is not
  /// in the due index is put there (accepted, never tried), so afterwards the due index holds all that is
  /// pending.
  [[nodiscard]] static std::variant<std::unique_ptr<partition_store>, store_status>
  open(store_options options);

  ~partition_store();

  // -- writing ----------------------------------------------------------------------------------------------

  /// Only a follower of a log, which can get what a power cut took from it again, does without the sync.
  enum class durability : std::uint8_t { synced, unsynced };

  /// Writes a round, which must be the one after `last_round()` and of no older epoch (else `foreign`, and nothing
  /// changes), and syncs. After ok it survives anything; after `full` nothing of it is visible and another one of the
  /// same number may be applied; after `failed` the store takes nothing more. History below a raised `oldest_kept` is
  /// dropped.
  ///
  /// `position`: where the log that the round came from stands with it, kept with it; empty: it stays what it was.
  [[nodiscard]] store_status apply(const sealed_round& round, durability how, std::string_view position = {});

  /// Keeps a position without a round: of records that change nothing here. Synced, and so is all that was applied before.
  [[nodiscard]] store_status keep_position(std::string_view position);
  /// The last one that was kept; empty: none was.
  [[nodiscard]] std::string position() const;

  /// All that is in it, as rounds of about so many bytes that a new store takes, one after the other: then that one has the
  /// same, its positions included. While nobody writes. Ends with what `take` or a read says that is not ok.
  [[nodiscard]] store_status
  copy_as_rounds(std::uint64_t epoch, std::size_t round_bytes,
                 const std::function<store_status(const sealed_round&)>& take) const;

  /// The same for each of the partitions that share this one's connectors where there are more: it gets what belongs to its
  /// connectors, and what belongs to none alone (lineage, what the feed is missing), at the positions that it had. The rounds of
  /// several come mixed, those of each in their order; `round_bytes` are all of theirs together.
  [[nodiscard]] store_status
  split_as_rounds(std::uint64_t epoch, std::size_t round_bytes, const partition_split& how,
                  const std::function<store_status(std::uint32_t child, const sealed_round&)>& take) const;

  /// Makes a copy of the store as it is at one moment, in a folder that is not there yet, or is empty (what is above it is
  /// there), and syncs it. Any thread; a write that comes meanwhile waits, and so does `resume`. Tables become hard links where the
  /// file system has them and `to` is on the same one; else all is copied, which takes as long as there are bytes. The logs are
  /// copied in any case, so call `flush` shortly before.
  ///
  /// What was cut off, by a crash or a `full` disk, is refused by `open`; remove it. The store itself goes on in any case.
  struct moment {
    round_header last;    ///< the last round that is in the copy
    std::string position; ///< of the log with it
  };
  [[nodiscard]] store_status checkpoint(const std::filesystem::path& to, moment* as_of = nullptr) const;
  /// Writes what is in memory to tables, so that few logs are left, and waits for it. Any thread; `resume` waits meanwhile.
  [[nodiscard]] store_status flush() const;

  // Of a store that `follows`, while nothing else reads or writes it: another content. See store_copy.hpp.

  /// Where a copy of another node's store is put together that is to take this one's place.
  [[nodiscard]] std::variant<std::unique_ptr<incoming_copy>, store_status> begin_replacement() const;
  /// The copy that was finished is what this store has from now on, and all that it had is gone; a crash leaves one of the two.
  /// After `full` it is closed (`is_open`), and has what it will have when it is called again, or with another copy. Else not
  /// ok: the store takes nothing more, and the next opening ends what was begun.
  [[nodiscard]] store_status replace();
  /// It has nothing, as a new one. Likewise.
  [[nodiscard]] store_status clear();

  /// From here on rounds are written under this epoch, by its owner. Of a store that `follows`, by the writer, while nothing
  /// else reads it. The round has to be applied before any other of that owner: what `open` of another store writes.
  [[nodiscard]] std::variant<sealed_round, store_status> take_over(std::uint64_t epoch,
                                                                   std::uint32_t lineage_tag);

  [[nodiscard]] round_header last_round() const;    ///< as applied; by the writer
  [[nodiscard]] log_sequence next_sequence() const; ///< as applied, or allocated; from other threads a hint

  /// For who writes a store without a log in front of it (tests, tools that fill one): the next free position and the
  /// ones after it, in order; and a round of what is in the batch, sealed and applied in one.
  [[nodiscard]] log_sequence allocate_sequence();
  [[nodiscard]] store_status commit(write_batch& batch, log_sequence settled_below);

  /// After `full`, or when `wants_resume()`: makes the database work again, if there is room for what its logs hold;
  /// `full` again: try later. Closes and opens the database, so reads wait meanwhile (for up to half a second). Should
  /// that meet a full disk all the same, the database stays closed until a later call finds room (`is_open`). Not while
  /// a `due_scan` is open.
  [[nodiscard]] store_status resume();

  /// A full disk stopped what RocksDB does in threads of its own, or left the database closed. Any thread.
  [[nodiscard]] bool wants_resume() const;
  /// False: every read finds nothing, and every commit is refused with `full`. Changes within `resume` only. Any thread.
  [[nodiscard]] bool is_open() const;
  /// How many reads, of all threads, found the database closed. One that was made while this did not change was answered.
  [[nodiscard]] std::uint64_t reads_refused() const;

  /// `told` is called, from any thread, when `wants_resume()` or `health()` has news that no commit or read brought; at
  /// once if there are any. An empty one: no more calls begin.
  void on_trouble(std::function<void()> told);

  /// Free bytes of the file system below that no partition of the folder has reserved, and the reserve under which new events should be refused so that
  /// the attempts of pending ones still find room.
  struct space {
    std::uint64_t free_bytes = 0;
    std::uint64_t reserve_bytes = 0;
  };
  [[nodiscard]] space free_space() const;

  // -- reading ----------------------------------------------------------------------------------------------
  //
  // A read that meets something damaged, or that the device refuses, leaves out what it can't read and says
  // so in `health()`. The caller looks there after reading: what was left out of a page must not pass for
  // "nothing there".

  /// The first thing that a read since `open` could not read. Not ok: log it and end the process, as for
  /// `failed`; what is on disk stays as it is.
  [[nodiscard]] store_status health() const;

  /// The event of this id that was sent to this connector: ids are per connector.
  [[nodiscard]] std::optional<log_sequence> find_event(const event_id& id,
                                                       const connector_id& connector) const;
  /// One per connector that the id was sent to, by connector, from this one on; at most `limit`.
  [[nodiscard]] std::vector<log_sequence>
  find_events(const event_id& id, const connector_id& from = {},
              std::size_t limit = std::numeric_limits<std::size_t>::max()) const;
  /// Without the envelope when `with_envelope` is false.
  [[nodiscard]] std::optional<stored_event> read_event(log_sequence sequence, bool with_envelope) const;

  /// How an event stands after its attempts.
  struct last_attempt {
    std::uint32_t number = 0;
    event_state state_after = event_state::pending;
    std::optional<timestamp_ms> next_attempt_at;
    bool dropped = false; ///< it, and those before it, are not kept any more
  };
  /// Absent: there was none yet.
  [[nodiscard]] std::optional<last_attempt> last_attempt_of(log_sequence event_sequence) const;

  /// Which attempts of an event, by their numbers, and what they may weigh together, by `page_bytes_of`; one is always
  /// given.
  struct attempt_range {
    std::uint32_t first = 1;
    std::uint32_t last = std::numeric_limits<std::uint32_t>::max(); ///< inclusive
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
  };
  struct attempt_page {
    std::vector<stored_attempt> attempts; ///< oldest first
    bool more = false;                    ///< of the range
  };
  [[nodiscard]] attempt_page read_attempts(log_sequence event_sequence, const attempt_range& which) const;
  /// All of them, for who knows that they fit into memory.
  [[nodiscard]] std::vector<stored_attempt> attempts_of(log_sequence event_sequence) const;

  /// The body of an attempt, and the number of the attempt that it is stored with.
  struct held_body {
    std::uint32_t number = 0;
    std::string bytes;
  };
  [[nodiscard]] std::optional<held_body> body_of(log_sequence event_sequence, std::uint32_t number) const;

  struct due_page {
    std::vector<waiting_event> events;    ///< in order, all with due <= until, or due now whatever their time
    std::optional<timestamp_ms> next_due; ///< of the first one not returned; absent: nothing more waits
    std::size_t unreadable = 0; ///< passed over because the event is damaged or gone; `health()` says which
  };
  /// Events of one connector from `from` (inclusive) that are due by `until`; at most `limit` events and,
  /// past the first, `max_bytes` of envelopes. Events for which `skip` says true are passed over and not
  /// counted.
  ///
  /// With `beyond` also those due later than that, and those that were never attempted: they are due now, and `next_due`
  /// is `until` when one of them was left. That reads all of the connector's index: 0.2 s for a million entries.
  [[nodiscard]] due_page read_due(const connector_id& connector, due_position from, timestamp_ms until,
                                  std::size_t limit, std::size_t max_bytes,
                                  const std::function<bool(log_sequence)>& skip,
                                  std::optional<timestamp_ms> beyond = std::nullopt) const;

  /// Each connector that has something in the due index, in the order of their ids. Looks at `max_looked_at` entries of
  /// each, and at the last: about 1 us for a connector with few. `visit` must not read from the store.
  static constexpr std::size_t max_looked_at = 16;
  void for_each_waiting(const std::function<void(const waiting_connector&)>& visit) const;
  [[nodiscard]] std::vector<std::pair<connector_id, timestamp_ms>>
  waiting_connectors() const; ///< first due times
  /// The due index as it stands now, for a thread that reads it through. Null: the database is closed.
  [[nodiscard]] std::shared_ptr<due_scan> scan_due() const;

  [[nodiscard]] std::vector<log_sequence> events_of_run(std::string_view run, log_sequence after,
                                                        std::size_t limit) const;

  /// How many attempts that are dropped a read passes over before it ends.
  static constexpr std::size_t max_passed_over = 20'000;

  /// The log of attempts after a position; at most `limit` and, past the first, `max_bytes` by `page_bytes_of`. Those of
  /// forgotten events, which can't be read any more and whose bodies may be gone, are in it as long as their own
  /// position is kept: a reader of the feed has to know that they were there.
  struct log_page {
    std::vector<stored_attempt> attempts;
    log_sequence through = 0; ///< up to here there are no others; those that are dropped are passed over
    bool more = false;        ///< there may be more behind
  };
  [[nodiscard]] log_page read_log(log_sequence after, std::size_t limit, std::size_t max_bytes) const;
  /// Only the attempts.
  [[nodiscard]] std::vector<stored_attempt> attempts_after(log_sequence after, std::size_t limit,
                                                           std::size_t max_bytes) const;
  /// Where attempts were dropped.
  [[nodiscard]] feed_drops drops() const;

  /// The history's ledger, as stored: accounts, and what is counted in them is below this position.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, history_ledger::account>> history_accounts() const;
  [[nodiscard]] log_sequence history_counted_below() const;
  /// The attempts from a position on, in their order, with what they count for which account.
  using history_visitor =
      std::function<void(std::uint64_t account, log_sequence sequence, const history_weight& weight)>;
  void visit_history(log_sequence from, const history_visitor& visit) const;

  /// Rewrites one file of attempts of which a third or more is dropped: reads do not see that from the round on that
  /// dropped it, its bytes go here. False: there is none. It may take half a second, and `resume` waits for it; any
  /// thread, one at a time.
  [[nodiscard]] bool sweep_history() const;

  /// The settings as of the last round that was applied: before `apply` returns. Also while the database is closed.
  [[nodiscard]] std::shared_ptr<const settings_snapshot> settings() const;

  /// Absent: there is none, or it can't be read (`health`, `is_open`).
  [[nodiscard]] std::optional<connector> read_connector(const connector_id& id) const;
  /// In the order of their ids, those after `after` (empty: from the first), until `visit` says false. It does not call the
  /// store.
  void visit_connectors_after(const connector_id& after, const std::function<bool(connector)>& visit) const;
  [[nodiscard]] std::vector<connector> connectors() const;
  [[nodiscard]] std::vector<std::pair<connector_id, std::string>> connector_states() const;
  /// The same without all of them in memory. `visit` must not read from the store.
  void for_each_connector(const std::function<void(connector)>& visit) const;
  void for_each_state(const std::function<void(const connector_id&, std::string_view)>& visit) const;
  [[nodiscard]] log_sequence settled_below() const;
  /// The last position of the log: all that there is up to it can be read. Never goes back.
  [[nodiscard]] log_sequence committed_end() const;
  /// With the entry that this opening writes under.
  [[nodiscard]] const feed_lineage& lineage() const noexcept;
  /// Whether a round with this header has to store the lineage (`write_batch::put_lineage`). By the writer.
  [[nodiscard]] bool needs_lineage(const round_header& header) const;
  [[nodiscard]] std::uint64_t epoch() const noexcept;

  // -- retention (partition_retention.cpp) ------------------------------------------------------------------

  /// Below it the log is forgotten, but for what is carried.
  [[nodiscard]] log_sequence oldest_kept() const;

  /// The last attempt that the edge has passed; 0: none yet.
  [[nodiscard]] log_sequence last_lost_attempt() const;
  /// The last attempt below an edge that is to come, as far as it is there; 0: there is none.
  [[nodiscard]] log_sequence last_attempt_below(log_sequence edge) const;

  /// The first position of the log that was written at `time` or later, as far as events and attempts tell. By
  /// binary search, since their times rise with their positions; where they don't, by the length of the disorder, what
  /// was written within that length of `time` may lie on either side.
  [[nodiscard]] log_sequence first_position_since(timestamp_ms time) const;

  /// The events below `edge` that are kept all the same, rising: those in the due index, and those settled at
  /// `settled_since` or later although accepted long before. Scans the due index, about 1 us per waiting event.
  [[nodiscard]] std::vector<log_sequence> kept_below(log_sequence edge, timestamp_ms settled_since) const;

  /// What has to be written so that `kept` (of `kept_below`) survive an edge at `edge`, and what nobody needs any more,
  /// from `from` on (0: the beginning); at most about `max_bytes` at a time.
  struct carry_page {
    std::vector<carried_event> carried;
    std::vector<expired_event> expired;
    std::optional<log_sequence> next; ///< go on from there; absent: that was all
  };
  [[nodiscard]] carry_page read_carry(const std::vector<log_sequence>& kept, log_sequence edge,
                                      log_sequence from, std::size_t max_bytes) const;

  /// Entries of events that were settled late, before `settled_before`: they have had their time.
  [[nodiscard]] std::vector<late_event> late_before(timestamp_ms settled_before, std::size_t limit) const;

  // -- secrets (partition_secrets.cpp); by the writer, while there are no rounds -----------------------------------------

  /// Writes each connector once more beside itself, sealed with this key. An opening with it puts these in the places of
  /// the others, any other opening forgets them: which of the two it is to be is decided outside, once for all partitions.
  [[nodiscard]] store_status stage_rotation(const secret_box& to);

  /// Makes a copy in a folder that is not there yet, as the last program wrote it that had secrets in the clear.
  [[nodiscard]] store_status export_plain(const std::filesystem::path& to) const;

private:
  friend class due_scan;
  class record_router;
  struct rep;
  explicit partition_store(std::unique_ptr<rep>);
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
