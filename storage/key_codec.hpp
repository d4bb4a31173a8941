#pragma once

#include "messages/connector.hpp"
#include "policy/feed_lineage.hpp"
#include "storage/records.hpp"

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
/// Column families, in the order of their RocksDB ids (0, 1, …):
///
/// | family         | key                                                      | value |
/// |----------------|----------------------------------------------------------|-------------------------------------|
/// | default        | `format`                                                 | `vicket-partition` u32
/// format       | |                | `commit`                                                 | commit record
/// | |                | `oldest_kept`                                            | u64 sequence | | |
/// `lineage`                                                | lineage record                      | | |
/// `connector/` id                                          | connector record                    | | |
/// `shaper/` id                                             | i64                                 | | events
/// | u64 sequence                                             | event record                        | |
/// attempts       | u64 sequence                                             | attempt record | |
/// event_attempts | u64 event sequence, u32 attempt number                   | u64 sequence of the attempt |
/// | due            | connector id, 0x00, i64 due in ms, u64 sequence          | varint attempts made | | ids
/// | 16 bytes event id                                        | u64 sequence of the event           | | runs
/// | u64 hash of the run (FNV-1a, 64 bits), u64 sequence      | empty                               |
///
/// A connector id is 1–64 of `A-Za-z0-9._-`, all above 0x00 and 0x01: `id 0x00` … `id 0x01` spans exactly the
/// one connector's part of `due`, also when another id begins with it.
///
/// Records. The first byte is the record's own version, 1.
///
///     commit     u8 version, u64 epoch, u64 commit number, u64 next sequence, u64 settled below
///     lineage    u8 version, u8 n (1 to 64), n times (u64 from sequence, u32 tag), from sequences rise. Nothing
///                after it.
///     event      u8 version, 16 bytes id, i64 accepted at, text connector, text event, text workflow, text
///     run,
///                then the envelope to the end
///     attempt    u8 version, u64 event sequence, u8 state after, varint number, i64 started at, zigzag
///     duration in us,
///                u8 outcome, varint flags, then what the flags name, in their order:
///                  0x01 zigzag dns, 0x02 zigzag connect, 0x04 zigzag TLS, 0x08 zigzag first byte (all in
///                  us), 0x10 varint status, 0x20 (no bytes) response truncated, 0x40 i64 next attempt at;
///                text error, varint length of the body as far as it was read, then the kept body to the end
///     connector  u8 version, text name, text url, text secret, varint n and n times (text, text) headers,
///                varint n and n texts event patterns, varint flags (0x01 rate, 0x02 standard webhooks,
///                0x04 enabled), with 0x01: varint limit, varint per ms, varint burst; varint max in flight,
///                varint timeout in ms, zigzag base in ms, u64 factor (IEEE 754 bits), zigzag cap in ms,
///                varint max attempts, zigzag max age in ms. Nothing after it.
///
/// Fixed offsets that the store relies on without decoding the rest: accepted at (event, 17), event sequence
/// (attempt, 1).
///
/// Decoding is strict: a short, overlong, unknown or out-of-range field gives `nullopt`, and the store
/// reports corruption. It never reads past the bytes that it is given.
namespace vicket::codec {

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::string_view format_magic = "vicket-partition";

inline constexpr std::string_view format_key = "format";
inline constexpr std::string_view commit_key = "commit";
inline constexpr std::string_view oldest_kept_key = "oldest_kept";
inline constexpr std::string_view lineage_key = "lineage";
inline constexpr std::string_view connector_prefix = "connector/";
inline constexpr std::string_view shaper_prefix = "shaper/";

// -- keys ---------------------------------------------------------------------------------------------------

[[nodiscard]] std::string u64_bytes(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view bytes);
[[nodiscard]] std::string i64_bytes(std::int64_t value);
[[nodiscard]] std::optional<std::int64_t> parse_i64(std::string_view bytes);

[[nodiscard]] std::string connector_key(const connector_id& id);
[[nodiscard]] std::string shaper_key(const connector_id& id);

[[nodiscard]] std::string event_attempt_key(log_sequence event, std::uint32_t number);

struct due_key {
  connector_id connector;
  due_position position;
};
[[nodiscard]] std::string encode_due_key(const connector_id& connector, due_position position);
[[nodiscard]] std::optional<due_key> parse_due_key(std::string_view key);
/// Where a connector's part of the due index begins, and where the next connector's may begin.
[[nodiscard]] std::string due_begin(const connector_id& connector);
[[nodiscard]] std::string due_end(const connector_id& connector);

[[nodiscard]] std::string_view id_key(const event_id& id);

/// Part of the format: must never change.
[[nodiscard]] std::uint64_t run_hash(std::string_view run) noexcept;
[[nodiscard]] std::string run_key(std::string_view run, log_sequence sequence, std::string reused = {});
[[nodiscard]] std::optional<log_sequence> parse_run_key(std::string_view key);

// -- records ------------------------------------------------------------------------------------------------

struct commit_record {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  log_sequence next_sequence = 1;
  log_sequence settled_below = 1;

  friend bool operator==(const commit_record&, const commit_record&) = default;
};

[[nodiscard]] std::string encode_format(std::uint32_t version);
[[nodiscard]] std::optional<std::uint32_t> decode_format(std::string_view bytes);

[[nodiscard]] std::string encode(const commit_record& value);
[[nodiscard]] std::optional<commit_record> decode_commit(std::string_view bytes);

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
/// Only which event it belongs to.
[[nodiscard]] std::optional<log_sequence> decode_event_of_attempt(std::string_view bytes);

[[nodiscard]] std::string encode(const connector& value);
[[nodiscard]] std::optional<connector> decode_connector(connector_id id, std::string_view bytes);

[[nodiscard]] std::string encode_attempts_made(std::uint32_t value);
[[nodiscard]] std::optional<std::uint32_t> decode_attempts_made(std::string_view bytes);

} // namespace vicket::codec
