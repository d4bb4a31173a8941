#pragma once

#include "messages/connector.hpp"
#include "storage/records.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// Why the store did not do it.
enum class store_errc : std::uint8_t {
  none,
  full,    ///< no space on the device; the same commit may be given again once `resume()` says ok
  failed,  ///< a write or sync failed: nothing may be acknowledged any more, the process must end (rule 4)
  corrupt, ///< what is on disk is not what was written (rule 5)
  locked,  ///< another process has it
  foreign, ///< not our format, or a newer one
};

struct store_status {
  store_errc code = store_errc::none;
  std::string detail; ///< one sentence with the path and what to do

  [[nodiscard]] bool ok() const noexcept { return code == store_errc::none; }
};

/// A swap-in for the file system below RocksDB, so that tests inject faults or stay in memory
/// (storage/testing/).
class store_environment;
class space_budget;

struct store_options {
  std::filesystem::path folder;
  std::uint64_t epoch = 1;
  store_environment* environment = nullptr;   ///< null: the real one; not owned
  std::size_t write_buffer_bytes = 48u << 20; ///< memtables of all column families together
  std::size_t block_cache_bytes = 32u << 20;
  std::shared_ptr<space_budget> budget; ///< one for all partitions of a data folder; null: one of its own
  /// Told, in one line each, of what opening found and put right. May be empty.
  std::function<void(const std::string&)> log_warning;
};

/// Everything that one synced commit writes, encoded as it is added. One writer at a time.
class write_batch {
public:
  write_batch();
  ~write_batch();
  write_batch(write_batch&&) noexcept;
  write_batch& operator=(write_batch&&) noexcept;

  /// `waits`: it is not handed to its supervisor right away, so it goes into the due index at
  /// (connector, accepted_at, sequence), where a supervisor finds it later.
  void add_event(const stored_event& event, bool waits);

  /// Puts an event that was added without `waits` into the due index after all. As long as it was never
  /// attempted, `position.due` has to be its `accepted_at`: that is where a restart puts it, and one event
  /// must not stand in two places.
  void index_waiting(const connector_id& connector, due_position position, std::uint32_t attempts_made);

  /// The attempt, the event's new place in the due index when it is to be tried again, and, when it was
  /// `indexed`, the removal of the place that it had.
  void add_attempt(const connector_id& connector, const stored_attempt& value, due_position was,
                   bool indexed);

  void put_connector(const connector& value);
  void delete_connector(const connector_id& id);

  /// The rate shaper's theoretical arrival time, in its own unit, so that a restart does not give a new
  /// burst.
  void put_shaper_state(const connector_id& id, std::int64_t state);

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool empty() const;
  void clear();

private:
  friend class partition_store;
  struct rep;
  std::unique_ptr<rep> rep_;
};

/// One partition's durable state: a RocksDB used as a log. See key_codec.hpp for the layout.
///
/// What the lookups cost, in CPU time of all threads with compaction, per event delivered at the first
/// attempt, of about 10 us in all: by event id with the duplicate check about 4 us (random ids, the worst
/// case); by run and by event together perhaps 2 us, within the noise of the machine it was measured on
/// (docs/decisions/0002-storage.md). Asking for an id that is not there: 2.5 us.
///
/// Writes (`commit`, `next_sequence`, `resume`, `drop_history_below`) come from one thread, the persistence
/// actor's; reads are safe from any thread at any time.
class partition_store {
public:
  /// Opens or creates. A crash's leftovers are recovered: every event that no attempt settled and that is not
  /// in the due index is put there (accepted, never tried), so afterwards the due index holds all that is
  /// pending.
  [[nodiscard]] static std::variant<std::unique_ptr<partition_store>, store_status>
  open(store_options options);

  ~partition_store();

  // -- writing ----------------------------------------------------------------------------------------------

  /// The next free position, and the ones after it, in order.
  [[nodiscard]] log_sequence allocate_sequence();
  [[nodiscard]] log_sequence next_sequence() const; ///< also from other threads: a hint

  /// Writes the batch with (epoch, commit number, next sequence, `settled_below`) and syncs. After ok it
  /// survives anything; after `full` nothing of it is visible and it may be committed again; after `failed`
  /// the store takes nothing more. `settled_below`: all events below are settled or in the due index; a
  /// restart scans from there.
  [[nodiscard]] store_status commit(write_batch& batch, log_sequence settled_below);

  /// After `full`, or when `wants_resume()`: makes the database work again, if there is room for what its logs hold;
  /// `full` again: try later. Closes and opens the database, so reads wait meanwhile (for up to half a second). Should
  /// that meet a full disk all the same, the database stays closed until a later call finds room (`is_open`).
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

  [[nodiscard]] std::optional<log_sequence> find_event(const event_id& id) const;
  /// Without the envelope when `with_envelope` is false.
  [[nodiscard]] std::optional<stored_event> read_event(log_sequence sequence, bool with_envelope) const;
  [[nodiscard]] std::vector<stored_attempt> attempts_of(log_sequence event_sequence) const;

  struct due_page {
    std::vector<waiting_event> events;    ///< in order, all with due <= until
    std::optional<timestamp_ms> next_due; ///< of the first one not returned; absent: nothing more waits
    std::size_t unreadable = 0; ///< passed over because the event is damaged or gone; `health()` says which
  };
  /// Events of one connector from `from` (inclusive) that are due by `until`; at most `limit` events and,
  /// past the first, `max_bytes` of envelopes. Events for which `skip` says true are passed over and not
  /// counted.
  [[nodiscard]] due_page read_due(const connector_id& connector, due_position from, timestamp_ms until,
                                  std::size_t limit, std::size_t max_bytes,
                                  const std::function<bool(log_sequence)>& skip) const;

  /// Each connector that has something in the due index, with its first due time. One seek per connector.
  [[nodiscard]] std::vector<std::pair<connector_id, timestamp_ms>> waiting_connectors() const;
  /// Counts by scanning the due index: about 1 us per waiting event.
  [[nodiscard]] std::vector<waiting_count> count_waiting() const;

  [[nodiscard]] std::vector<log_sequence> events_of_run(std::string_view run, log_sequence after,
                                                        std::size_t limit) const;

  /// The log of attempts after a position, at most `limit` and, past the first, `max_bytes`.
  [[nodiscard]] std::vector<stored_attempt> attempts_after(log_sequence after, std::size_t limit,
                                                           std::size_t max_bytes) const;

  [[nodiscard]] std::vector<connector> connectors() const;
  [[nodiscard]] std::vector<std::pair<connector_id, std::int64_t>> shaper_states() const;
  [[nodiscard]] log_sequence settled_below() const;
  [[nodiscard]] std::uint64_t epoch() const noexcept;

  // -- retention --------------------------------------------------------------------------------------------

  /// Up to where the log may be forgotten: the first event accepted at `before` or later, or the oldest one
  /// that is not settled, whichever is lower. From any thread; stays true, since what is settled stays so.
  /// Scans the due index, so ask rarely (the node does once in ten minutes).
  [[nodiscard]] log_sequence history_horizon(timestamp_ms before) const;

  /// Forgets events and attempts below a horizon that `history_horizon` gave: reads stop seeing them at once,
  /// their bytes go by whole files and compaction. By the writer.
  [[nodiscard]] store_status drop_history_below(log_sequence oldest);
  [[nodiscard]] log_sequence oldest_kept() const;

private:
  struct rep;
  explicit partition_store(std::unique_ptr<rep>);
  std::unique_ptr<rep> rep_;
};

} // namespace vicket
