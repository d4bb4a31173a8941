#pragma once

#include "messages/connector.hpp"
#include "messages/settings.hpp"
#include "policy/feed_drops.hpp"
#include "policy/feed_lineage.hpp"
#include "policy/history_ledger.hpp"
#include "storage/records.hpp"
#include "storage/sealed_round.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Every byte that a partition stores, in one place. Golden tests (tests/storage/key_codec_test.cpp) pin it;
/// a change that an older program can't read raises `format_version`.
///
/// Notation: u8, u32, u64 are big-endian, so that bytewise order is numeric order; i64 is u64 with the sign
/// bit flipped, for the same reason; `varint` is LEB128 (7 bits a byte, low first); `zigzag` a varint of a
/// signed number; `text` a varint length and the bytes.
///
/// Column families, in the order of their RocksDB ids (0, 1, …), as `key` → `value`:
///
///     default         "format"                                  → "vicket-partition" u32 format
///                     "commit"                                  → commit record
///                     "lineage"                                 → lineage record
///                     "lost"                                    → u64 sequence of the last attempt that retention took
///                     "counted"                                 → u64 sequence: what is below is in the accounts
///                     "dropped"                                 → drops record
///                     "purge"                                   → (empty): files may have what is not to be read there
///                     "rotating"                                → fingerprint of the key that "rotated/…" is sealed with
///                     "rotated/" connector id                   → connector record that takes the other one's place
///                     "history/" u64 account                    → history account
///                     "connector/" connector id                 → connector record
///                     "state/" connector id                     → connector state, opaque here
///                     "setting/" u8 kind, setting's name        → setting, opaque here (in the partition `settings` alone)
///     events          u64 sequence                              → event record
///     attempts        u64 sequence                              → attempt record
///     event_attempts  u64 event sequence, u32 attempt number    → u64 sequence of the attempt
///     due             connector id, 0x00, i64 due in ms, u64 sequence → due entry
///     ids             16 bytes event id, connector id           → u64 sequence of the event, index mark
///     runs            u64 hash of the run (FNV-1a, 64 bits), u64 sequence → index mark
///     carried         u64 event sequence, u32 0                 → event record
///                     u64 event sequence, u32 attempt number    → carried attempt
///     late            i64 settled at in ms, u64 event sequence  → (empty)
///
/// A connector id is 1–64 of `A-Za-z0-9._-`, all above 0x00 and 0x01: `id 0x00` … `id 0x01` spans exactly the
/// one connector's part of `due`, also when another id begins with it.
///
/// `carried` holds what is kept of events below the retention's edge (`oldest_kept`), and `late` the events that
/// were settled long after they were accepted: partition_retention.cpp says how. The index mark is nothing, or
/// 0x01 for an event that is carried, whose entries the retention filter has to leave alone.
///
/// Records. The first byte is the record's own version, 1 where nothing else is said.
///
///     commit     u8 version, u64 epoch, u64 round number, u64 next sequence, u64 settled below, u64 oldest kept
///     lineage    u8 version, u8 n (1 to 64), n times (u64 from sequence, u32 tag), from sequences rise. Nothing
///                after it.
///     event      u8 version, 16 bytes id, i64 accepted at, text connector, text event, text workflow, text run,
///                then the envelope to the end
///     attempt    u8 version 1 to 3, u64 event sequence, u8 state after, from version 2 on u64 account of the connector
///                (FNV-1a of its id, 64 bits; not 0), varint number, i64 started at, zigzag duration
///                in us; in version 3, of which the rest is dropped, nothing more; else u8 outcome, varint flags, then
///                what the flags name, in their order:
///                  0x01 zigzag dns, 0x02 zigzag connect, 0x04 zigzag TLS, 0x08 zigzag first byte (all in
///                  us), 0x10 varint status, 0x20 (no bytes) response truncated, 0x40 i64 next attempt at,
///                  0x80 varint number of the attempt of the same event that holds the same body,
///                  0x100 varint n (not 0) and n times (text name, text value) header fields of the answer,
///                  0x200 text Retry-After as it was heard, 0x400 (with 0x200 only) i64 not before, 0x800
///                  (with 0x200 only) i64 held until, 0x1000 (with 0x100 only, no bytes) header fields truncated;
///                text error, varint length of the body as far as it was read, then the kept body to the end
///                (nothing with 0x80)
///     carried    u8 1, u64 sequence of the attempt, which is still in `attempts`; or
///     attempt    u8 2, u64 sequence, attempt record
///     account    u8 version, u64 answers from, u64 attempts from, u64 counted to, varint n and n times (u64 first,
///                varint bytes of answers, varint bytes of attempts) stretches of the history's ledger
///                (policy/history_ledger.hpp). Nothing after it.
///     drops      u8 version, u8 n (at most 16), n times (u64 at, u64 below) of policy/feed_drops.hpp, at rises, below
///                falls. Nothing after it.
///     due entry  varint attempts made, and, where it is not 0, i64 accepted at of the event, so that who counts what
///                waits need not read it: of an event that was never attempted its due time is that. Format 3 and
///                older wrote no time.
///     connector  u8 version 1 or 2, text name, text url, text secret, varint n and n times (text, text) headers, in version
///                2 the same of secret headers, varint n and n texts event patterns, varint flags (0x01 rate, 0x02 standard webhooks,
///                0x04 enabled, in version 2 0x08 filter), with 0x01: varint limit, varint per ms, varint burst; varint max in flight,
///                varint timeout in ms, zigzag base in ms, u64 factor (IEEE 754 bits), zigzag cap in ms,
///                varint max attempts, zigzag max age in ms, with 0x08 text filter (JSON, not empty). Nothing after it. In version 2 the secret and the values
///                of secret headers are sealed (policy/connector_secrets.hpp); 1, which formats up to 5 have, has the secret
///                in the clear.
///
/// Fixed offsets that the store relies on without decoding the rest: accepted at (event, 17); event sequence (attempt, 1),
/// state after (attempt, 9), account (attempt from version 2 on, 10).
///
/// Decoding is strict: a short, overlong, unknown or out-of-range field gives `nullopt`, and the store
/// reports corruption. It never reads past the bytes that it is given.
namespace vicket::codec {

/// 1 knew ids per partition; it was never released. 2 had no header fields and no Retry-After in attempts. 3 had no
/// times in the due index, 4 no accounts of the history, 5 secrets in the clear.
inline constexpr std::uint32_t format_version = 6;
/// The last format whose connectors have secrets in the clear, which this program can write again.
inline constexpr std::uint32_t format_with_plain_secrets = 5;
/// Older ones are refused; those from here on become today's when they are opened.
inline constexpr std::uint32_t oldest_format_version = 2;
inline constexpr std::uint32_t first_format_with_accounts = 5;
inline constexpr std::string_view format_magic = "vicket-partition";

inline constexpr std::string_view format_key = "format";
inline constexpr std::string_view commit_key = "commit";
inline constexpr std::string_view lineage_key = "lineage";
/// Where the log of a cluster stands that the store follows, in the log's own form.
inline constexpr std::string_view position_key = "position";
inline constexpr std::string_view lost_key = "lost";
inline constexpr std::string_view counted_key = "counted";
inline constexpr std::string_view dropped_key = "dropped";
inline constexpr std::string_view history_prefix = "history/";
inline constexpr std::string_view connector_prefix = "connector/";
inline constexpr std::string_view state_prefix = "state/";
inline constexpr std::string_view setting_prefix = "setting/";
inline constexpr std::string_view setting_end = "setting0"; ///< behind all that begin so
inline constexpr std::string_view purge_key = "purge";
inline constexpr std::string_view rotating_key = "rotating";
inline constexpr std::string_view rotated_prefix = "rotated/";
inline constexpr std::string_view rotated_end = "rotated0"; ///< behind all that begin so
inline constexpr std::string_view carried_mark = "\1";      ///< index mark of an event that is carried

// -- keys ---------------------------------------------------------------------------------------------------

[[nodiscard]] std::string u64_bytes(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view bytes);
[[nodiscard]] std::string i64_bytes(std::int64_t value);
[[nodiscard]] std::optional<std::int64_t> parse_i64(std::string_view bytes);

[[nodiscard]] std::string connector_key(const connector_id& id);
[[nodiscard]] std::string rotated_key(const connector_id& id);
[[nodiscard]] std::string state_key(const connector_id& id);
[[nodiscard]] std::string encode_setting_key(const setting_key& key);
[[nodiscard]] std::optional<setting_key> parse_setting_key(std::string_view key);

/// A connector's account in the history's ledger. Part of the format: must never change. Never 0.
[[nodiscard]] std::uint64_t account_of(const connector_id& id) noexcept;
[[nodiscard]] std::string history_key(std::uint64_t account);
[[nodiscard]] std::optional<std::uint64_t> parse_history_key(std::string_view key);

[[nodiscard]] std::string event_attempt_key(log_sequence event, std::uint32_t number);

struct due_key {
  connector_id connector;
  due_position position;
};
[[nodiscard]] std::string encode_due_key(const connector_id& connector, due_position position);
[[nodiscard]] std::optional<due_key> parse_due_key(std::string_view key);
/// All that a connector id consists of lies between these, so they bound the whole due index.
inline constexpr std::string_view due_lowest = "\1";
inline constexpr std::string_view due_highest = "\x7f";
/// Where a connector's part of the due index begins, and where the next connector's may begin.
[[nodiscard]] std::string due_begin(const connector_id& connector);
[[nodiscard]] std::string due_end(const connector_id& connector);

/// What all entries of one id begin with, whatever the connector.
[[nodiscard]] std::string_view id_prefix(const event_id& id);
/// A key of `ids`, on the stack: it is made twice for each event. `connector` is valid.
class id_key {
public:
  id_key(const event_id& id, const connector_id& connector) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
  std::array<char, 16 + connector_id::max_bytes> bytes_;
  std::size_t size_;
};
struct id_entry {
  log_sequence event = 0;
  bool carried = false;
};
[[nodiscard]] std::string encode_id_entry(id_entry value);
[[nodiscard]] std::optional<id_entry> decode_id_entry(std::string_view bytes);

/// Part of the format: must never change.
[[nodiscard]] std::uint64_t run_hash(std::string_view run) noexcept;
[[nodiscard]] std::string run_key(std::string_view run, log_sequence sequence, std::string reused = {});
[[nodiscard]] std::optional<log_sequence> parse_run_key(std::string_view key);

/// The key of a carried event itself is that of its attempt number 0.
[[nodiscard]] std::string carried_key(log_sequence event, std::uint32_t number);
struct event_attempt {
  log_sequence event = 0;
  std::uint32_t number = 0;
};
[[nodiscard]] std::optional<event_attempt>
parse_event_attempt_key(std::string_view key); ///< also of a carried key

struct late_key {
  timestamp_ms settled_at;
  log_sequence event = 0;
};
[[nodiscard]] std::string encode_late_key(late_key value);
[[nodiscard]] std::optional<late_key> parse_late_key(std::string_view key);

// -- records ------------------------------------------------------------------------------------------------

[[nodiscard]] std::string encode_format(std::uint32_t version);
[[nodiscard]] std::optional<std::uint32_t> decode_format(std::string_view bytes);

[[nodiscard]] std::string encode(const round_header& value);
[[nodiscard]] std::optional<round_header> decode_commit(std::string_view bytes);

[[nodiscard]] std::string encode(const feed_lineage& value);
[[nodiscard]] std::optional<feed_lineage> decode_lineage(std::string_view bytes);

/// The event without its envelope, which the caller appends (so that it is copied once). Here and below, the memory of
/// `reused` is used again.
[[nodiscard]] std::string encode_head(const stored_event& value, std::string reused = {});
[[nodiscard]] std::optional<stored_event> decode_event(log_sequence sequence, std::string_view bytes,
                                                       bool with_envelope);
/// Only when it was accepted.
[[nodiscard]] std::optional<timestamp_ms> decode_accepted_at(std::string_view bytes);

/// The attempt without the response body, which the caller appends.
[[nodiscard]] std::string encode_head(const stored_attempt& value, std::string reused = {});
[[nodiscard]] std::optional<stored_attempt> decode_attempt(log_sequence sequence, std::string_view bytes);
/// Only when it was over.
[[nodiscard]] std::optional<timestamp_ms> decode_ended_at(std::string_view bytes);
/// Only the account; 0: there is none.
[[nodiscard]] std::uint64_t decode_account_of_attempt(std::string_view bytes) noexcept;
/// Only the event; 0: it can't be read.
[[nodiscard]] std::uint64_t decode_event_of_attempt(std::string_view bytes) noexcept;
/// Whether its rest is dropped.
[[nodiscard]] bool is_dropped_attempt(std::string_view bytes) noexcept;
/// Whether its event was settled by it.
[[nodiscard]] bool is_settling_attempt(std::string_view bytes) noexcept;
/// What stays of an attempt that is dropped, where something has to; absent: it is that already, or can't be read.
[[nodiscard]] std::optional<std::string> dropped_record(std::string_view bytes);
/// The record without its answer; absent: there is nothing to drop, or it can't be read.
[[nodiscard]] std::optional<std::string> without_answer(std::string_view bytes);

/// A carried attempt. `record` is empty while the attempt is still in `attempts`.
struct carried_attempt {
  log_sequence sequence = 0;
  std::string_view record;
};
[[nodiscard]] std::string encode_carried(carried_attempt value);
[[nodiscard]] std::optional<carried_attempt> decode_carried(std::string_view bytes);

[[nodiscard]] std::string encode(const history_ledger::account& value);
[[nodiscard]] std::optional<history_ledger::account> decode_account(std::string_view bytes);

[[nodiscard]] std::string encode(const feed_drops& value);
[[nodiscard]] std::optional<feed_drops> decode_drops(std::string_view bytes);

/// Its secrets are sealed: that no other get to a disk is checked here.
[[nodiscard]] std::string encode(const connector& value);
/// Of version 2 only: its secrets are sealed.
[[nodiscard]] std::optional<connector> decode_connector(connector_id id, std::string_view bytes);

/// The same of version 1, which has a secret in the clear, no secret headers and no filter. To take over older folders and to give
/// them back.
[[nodiscard]] std::string encode_plain(const connector& value);
[[nodiscard]] std::optional<connector> decode_plain_connector(connector_id id, std::string_view bytes);

struct due_entry {
  std::uint32_t attempts_made = 0;
  std::optional<timestamp_ms> accepted_at; ///< only with attempts

  friend bool operator==(const due_entry&, const due_entry&) = default;
};
[[nodiscard]] std::string encode(const due_entry& value);
[[nodiscard]] std::optional<due_entry> decode_due_entry(std::string_view bytes);

} // namespace vicket::codec
