#include "storage/key_codec.hpp"

#include "policy/assertion.hpp"
#include "policy/connector_secrets.hpp"
#include "policy/fnv1a.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <limits>

namespace vicket::codec {

namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::uint8_t attempt_with_account = 2; ///< the version of such a record
constexpr std::uint8_t dropped_attempt = 3;
constexpr std::uint8_t connector_with_sealed = 2; ///< the version of such a record
constexpr std::size_t state_offset = 9;
constexpr std::size_t account_offset = 10;
constexpr std::uint8_t carried_reference = 1;
constexpr std::uint8_t carried_whole = 2;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

// Flags of an attempt.
constexpr std::uint64_t has_dns = 0x01;
constexpr std::uint64_t has_connect = 0x02;
constexpr std::uint64_t has_tls = 0x04;
constexpr std::uint64_t has_first_byte = 0x08;
constexpr std::uint64_t has_status = 0x10;
constexpr std::uint64_t is_truncated = 0x20;
constexpr std::uint64_t has_next_attempt = 0x40;
constexpr std::uint64_t has_same_body = 0x80;
constexpr std::uint64_t has_headers = 0x100;
constexpr std::uint64_t has_retry_after = 0x200;
constexpr std::uint64_t has_not_before = 0x400;
constexpr std::uint64_t has_held_until = 0x800;
constexpr std::uint64_t are_headers_truncated = 0x1000;
constexpr std::uint64_t all_attempt_flags = 0x1fff;

// Flags of a connector.
constexpr std::uint64_t has_rate = 0x01;
constexpr std::uint64_t is_standard_webhooks = 0x02;
constexpr std::uint64_t is_enabled = 0x04;
constexpr std::uint64_t has_filter = 0x08;
constexpr std::uint64_t all_connector_flags = 0x0f;

constexpr std::uint64_t flag_if(bool condition, std::uint64_t flag) {
  return condition ? flag : 0;
}

class writer {
public:
  /// Writes into the memory of `reused`.
  explicit writer(std::size_t expected_bytes, std::string reused = {}) : out_{std::move(reused)} {
    out_.clear();
    out_.reserve(expected_bytes);
  }

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }

  template <std::unsigned_integral Int>
  void fixed(Int value) {
    auto bytes = std::array<char, sizeof(Int)>{};
    auto shift = sizeof(Int) * 8;
    for (auto& byte : bytes)
      byte = static_cast<char>(static_cast<std::uint8_t>(value >> (shift -= 8)));
    out_.append(bytes.data(), bytes.size());
  }

  void i64(std::int64_t value) { fixed(static_cast<std::uint64_t>(value) ^ sign_bit); }

  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      u8(static_cast<std::uint8_t>(value | 0x80));
    u8(static_cast<std::uint8_t>(value));
  }

  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }

  void raw(std::string_view bytes) { out_.append(bytes); }

  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

private:
  std::string out_;
};

/// Takes fields off the front. The first field that isn't there makes it fail, and it stays failed; what a
/// failed reader returns is zero or empty, so callers may check once, at the end.
class reader {
public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8() {
    const auto bytes = raw(1);
    return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[0]);
  }

  template <std::unsigned_integral Int>
  Int fixed() {
    auto value = Int{0};
    for (const auto c : raw(sizeof(Int)))
      value = static_cast<Int>((value << 8) | static_cast<std::uint8_t>(c));
    return value;
  }

  std::int64_t i64() { return static_cast<std::int64_t>(fixed<std::uint64_t>() ^ sign_bit); }

  template <std::unsigned_integral Int = std::uint64_t>
  Int varint() {
    auto value = std::uint64_t{0};
    for (auto shift = 0; shift < 64; shift += 7) {
      const auto byte = u8();
      const auto bits = static_cast<std::uint64_t>(byte & 0x7f);
      const auto fits = shift < 63 || bits <= 1;
      const auto canonical = byte != 0 || shift == 0; // 0x80 0x00 says what 0x00 says: not written by us
      if (!ok_ || !fits || !canonical)
        break;
      value |= bits << shift;
      if ((byte & 0x80) == 0)
        return value <= std::numeric_limits<Int>::max() ? static_cast<Int>(value) : fail<Int>();
    }
    return fail<Int>();
  }

  std::int64_t zigzag() {
    const auto value = varint();
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }

  std::string_view raw(std::size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const auto result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }

  std::string_view text() { return raw(varint<std::size_t>()); }

  /// A count of things that take at least `min_bytes` each, so that a damaged count can't make us allocate.
  std::size_t count(std::size_t min_bytes) {
    const auto n = varint<std::size_t>();
    return n <= rest_.size() / min_bytes ? n : fail<std::size_t>();
  }

  std::string_view rest() { return raw(rest_.size()); }

  void check(bool condition) { ok_ = ok_ && condition; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool ok_and_empty() const { return ok_ && rest_.empty(); }

private:
  template <class T>
  T fail() {
    ok_ = false;
    return T{};
  }

  std::string_view rest_;
  bool ok_ = true;
};

std::uint64_t flags_of(const stored_attempt& stored) {
  const auto& x = stored.value;
  return flag_if(x.phases.dns_us.has_value(), has_dns) |
         flag_if(x.phases.connect_us.has_value(), has_connect) |
         flag_if(x.phases.tls_us.has_value(), has_tls) |
         flag_if(x.phases.first_byte_us.has_value(), has_first_byte) |
         flag_if(x.status.has_value(), has_status) | flag_if(x.response_truncated, is_truncated) |
         flag_if(x.next_attempt_at.has_value(), has_next_attempt) |
         flag_if(stored.same_body_as.has_value(), has_same_body) |
         flag_if(!x.response_headers.empty(), has_headers) |
         flag_if(x.retry_after.has_value(), has_retry_after) |
         flag_if(x.retry_after && x.retry_after->not_before, has_not_before) |
         flag_if(x.retry_after && x.retry_after->held_until, has_held_until) |
         flag_if(x.response_headers_truncated && !x.response_headers.empty(), are_headers_truncated);
}

void write_headers(writer& out, const std::vector<header_field>& fields) {
  out.varint(fields.size());
  for (const auto& field : fields) {
    out.text(field.name);
    out.text(field.value);
  }
}

void read_headers(reader& in, std::vector<header_field>& fields) {
  for (auto left = in.count(2); left > 0; --left) {
    auto& field = fields.emplace_back();
    field.name = in.text();
    field.value = in.text();
  }
  in.check(!fields.empty());
}

void write_hint(writer& out, const retry_hint& hint) {
  out.text(hint.heard);
  if (hint.not_before)
    out.i64(hint.not_before->value);
  if (hint.held_until)
    out.i64(hint.held_until->value);
}

void read_hint(reader& in, std::uint64_t flags, retry_hint& hint) {
  hint.heard = in.text();
  if ((flags & has_not_before) != 0)
    hint.not_before = timestamp_ms{in.i64()};
  if ((flags & has_held_until) != 0)
    hint.held_until = timestamp_ms{in.i64()};
}

void read_retry(reader& in, retry_policy& out) {
  out.base_ms = in.zigzag();
  out.factor = std::bit_cast<double>(in.fixed<std::uint64_t>());
  in.check(std::isfinite(out.factor)); // no put has another
  out.cap_ms = in.zigzag();
  out.max_attempts = in.varint<std::uint32_t>();
  out.max_age_ms = in.zigzag();
}

} // namespace

// -- keys ---------------------------------------------------------------------------------------------------

std::string u64_bytes(std::uint64_t value) {
  auto out = writer{8};
  out.fixed(value);
  return out.take();
}

std::optional<std::uint64_t> parse_u64(std::string_view bytes) {
  auto in = reader{bytes};
  const auto value = in.fixed<std::uint64_t>();
  return in.ok_and_empty() ? std::optional{value} : std::nullopt;
}

std::string i64_bytes(std::int64_t value) {
  auto out = writer{8};
  out.i64(value);
  return out.take();
}

std::optional<std::int64_t> parse_i64(std::string_view bytes) {
  auto in = reader{bytes};
  const auto value = in.i64();
  return in.ok_and_empty() ? std::optional{value} : std::nullopt;
}

std::string connector_key(const connector_id& id) {
  return std::string{connector_prefix} + id.value;
}

std::string rotated_key(const connector_id& id) {
  return std::string{rotated_prefix} + id.value;
}

std::string state_key(const connector_id& id) {
  return std::string{state_prefix} + id.value;
}

std::string encode_setting_key(const setting_key& key) {
  return std::string{setting_prefix} + static_cast<char>(key.kind) + key.id;
}

std::optional<setting_key> parse_setting_key(std::string_view key) {
  if (!key.starts_with(setting_prefix) || key.size() == setting_prefix.size())
    return std::nullopt;
  const auto kind = static_cast<std::uint8_t>(key[setting_prefix.size()]);
  setting_key found{static_cast<setting_kind>(kind), std::string{key.substr(setting_prefix.size() + 1)}};
  return kind != 0 && found.valid() ? std::optional{std::move(found)} : std::nullopt;
}

std::uint64_t account_of(const connector_id& id) noexcept {
  const auto hash = fnv1a(id.value);
  return hash != 0 ? hash : 1;
}

std::string history_key(std::uint64_t account) {
  return std::string{history_prefix} + u64_bytes(account);
}

std::optional<std::uint64_t> parse_history_key(std::string_view key) {
  return key.starts_with(history_prefix) ? parse_u64(key.substr(history_prefix.size())) : std::nullopt;
}

std::string event_attempt_key(log_sequence event, std::uint32_t number) {
  auto out = writer{12};
  out.fixed(event);
  out.fixed(number);
  return out.take();
}

std::optional<event_attempt> parse_event_attempt_key(std::string_view key) {
  auto in = reader{key};
  auto result = event_attempt{};
  result.event = in.fixed<std::uint64_t>();
  result.number = in.fixed<std::uint32_t>();
  return in.ok_and_empty() ? std::optional{result} : std::nullopt;
}

std::string carried_key(log_sequence event, std::uint32_t number) {
  return event_attempt_key(event, number);
}

std::string encode_late_key(late_key value) {
  auto out = writer{16};
  out.i64(value.settled_at.value);
  out.fixed(value.event);
  return out.take();
}

std::optional<late_key> parse_late_key(std::string_view key) {
  auto in = reader{key};
  auto result = late_key{};
  result.settled_at.value = in.i64();
  result.event = in.fixed<std::uint64_t>();
  return in.ok_and_empty() ? std::optional{result} : std::nullopt;
}

std::string encode_due_key(const connector_id& connector, due_position position) {
  auto out = writer{connector.value.size() + 17};
  out.raw(connector.value);
  out.u8(0);
  out.i64(position.due.value);
  out.fixed(position.sequence);
  return out.take();
}

std::optional<due_key> parse_due_key(std::string_view key) {
  if (key.size() < 18 || key[key.size() - 17] != '\0')
    return std::nullopt;
  auto in = reader{key};
  auto result = due_key{{std::string{in.raw(key.size() - 17)}}, {}};
  in.u8();
  result.position.due.value = in.i64();
  result.position.sequence = in.fixed<std::uint64_t>();
  return in.ok_and_empty() ? std::optional{std::move(result)} : std::nullopt;
}

std::string due_begin(const connector_id& connector) {
  return connector.value + '\0';
}

std::string due_end(const connector_id& connector) {
  return connector.value + '\1';
}

std::string_view id_prefix(const event_id& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

id_key::id_key(const event_id& id, const connector_id& connector) noexcept {
  const auto name = std::string_view{connector.value}.substr(0, connector_id::max_bytes);
  const auto end = std::copy(id.bytes.begin(), id.bytes.end(), bytes_.begin());
  std::copy(name.begin(), name.end(), end);
  size_ = id.bytes.size() + name.size();
}

std::string encode_id_entry(id_entry value) {
  auto out = writer{9};
  out.fixed(value.event);
  if (value.carried)
    out.raw(carried_mark);
  return out.take();
}

std::optional<id_entry> decode_id_entry(std::string_view bytes) {
  auto in = reader{bytes};
  auto result = id_entry{};
  result.event = in.fixed<std::uint64_t>();
  const auto mark = in.rest();
  in.check(mark.empty() || mark == carried_mark);
  result.carried = !mark.empty();
  return in.ok() ? std::optional{result} : std::nullopt;
}

std::uint64_t run_hash(std::string_view run) noexcept {
  return fnv1a(run);
}

std::string run_key(std::string_view run, log_sequence sequence, std::string reused) {
  auto out = writer{16, std::move(reused)};
  out.fixed(run_hash(run));
  out.fixed(sequence);
  return out.take();
}

std::optional<log_sequence> parse_run_key(std::string_view key) {
  auto in = reader{key};
  in.raw(8);
  const auto sequence = in.fixed<std::uint64_t>();
  return in.ok_and_empty() ? std::optional{sequence} : std::nullopt;
}

// -- records ------------------------------------------------------------------------------------------------

std::string encode_format(std::uint32_t version) {
  auto out = writer{format_magic.size() + 4};
  out.raw(format_magic);
  out.fixed(version);
  return out.take();
}

std::optional<std::uint32_t> decode_format(std::string_view bytes) {
  auto in = reader{bytes};
  in.check(in.raw(format_magic.size()) == format_magic);
  const auto version = in.fixed<std::uint32_t>();
  return in.ok_and_empty() ? std::optional{version} : std::nullopt;
}

std::string encode(const round_header& value) {
  auto out = writer{41};
  out.u8(record_version);
  out.fixed(value.epoch);
  out.fixed(value.number);
  out.fixed(value.next_sequence);
  out.fixed(value.settled_below);
  out.fixed(value.oldest_kept);
  return out.take();
}

std::optional<round_header> decode_commit(std::string_view bytes) {
  auto in = reader{bytes};
  in.check(in.u8() == record_version);
  auto result = round_header{};
  result.epoch = in.fixed<std::uint64_t>();
  result.number = in.fixed<std::uint64_t>();
  result.next_sequence = in.fixed<std::uint64_t>();
  result.settled_below = in.fixed<std::uint64_t>();
  result.oldest_kept = in.fixed<std::uint64_t>();
  in.check(result.settled_below >= 1 && result.settled_below <= result.next_sequence);
  in.check(result.oldest_kept >= 1 && result.oldest_kept <= result.settled_below);
  return in.ok_and_empty() ? std::optional{result} : std::nullopt;
}

std::string encode(const feed_lineage& value) {
  const auto& entries = value.entries();
  auto out = writer{2 + entries.size() * 12};
  out.u8(record_version);
  out.u8(static_cast<std::uint8_t>(entries.size()));
  for (const auto& entry : entries) {
    out.fixed(entry.from);
    out.fixed(entry.tag);
  }
  return out.take();
}

std::optional<feed_lineage> decode_lineage(std::string_view bytes) {
  auto in = reader{bytes};
  in.check(in.u8() == record_version);
  auto entries = std::vector<lineage_entry>(in.u8());
  for (auto& entry : entries) {
    entry.from = in.fixed<std::uint64_t>();
    entry.tag = in.fixed<std::uint32_t>();
  }
  return in.ok_and_empty() ? feed_lineage::from_entries(std::move(entries)) : std::nullopt;
}

std::string encode_head(const stored_event& value, std::string reused) {
  auto out = writer{64 + value.connector.value.size() + value.event.size() + value.workflow.size() +
                        value.run.size(),
                    std::move(reused)};
  out.u8(record_version);
  out.raw(id_prefix(value.id));
  out.i64(value.accepted_at.value);
  out.text(value.connector.value);
  out.text(value.event);
  out.text(value.workflow);
  out.text(value.run);
  return out.take();
}

std::optional<stored_event> decode_event(log_sequence sequence, std::string_view bytes, bool with_envelope) {
  auto in = reader{bytes};
  auto result = stored_event{};
  result.sequence = sequence;
  in.check(in.u8() == record_version);
  const auto id = in.raw(result.id.bytes.size());
  for (auto i = std::size_t{0}; i < id.size(); ++i)
    result.id.bytes[i] = static_cast<std::uint8_t>(id[i]);
  result.accepted_at.value = in.i64();
  result.connector.value = in.text();
  result.event = in.text();
  result.workflow = in.text();
  result.run = in.text();
  if (!in.ok())
    return std::nullopt;
  if (with_envelope)
    result.envelope = std::make_shared<const std::string>(in.rest());
  return result;
}

std::optional<timestamp_ms> decode_accepted_at(std::string_view bytes) {
  auto in = reader{bytes};
  in.check(in.u8() == record_version);
  in.raw(16);
  const auto value = in.i64();
  return in.ok() ? std::optional{timestamp_ms{value}} : std::nullopt;
}

std::string encode_head(const stored_attempt& stored, std::string reused) {
  const auto& value = stored.value;
  auto out = writer{96 + value.error.size(), std::move(reused)};
  VICKET_ASSERT(!stored.dropped || stored.account != 0);
  out.u8(stored.dropped ? dropped_attempt : stored.account != 0 ? attempt_with_account : record_version);
  out.fixed(stored.event_sequence);
  out.u8(static_cast<std::uint8_t>(stored.state_after));
  if (stored.account != 0)
    out.fixed(stored.account);
  out.varint(value.number);
  out.i64(value.started_at.value);
  out.zigzag(value.duration_us);
  if (stored.dropped)
    return out.take();
  out.u8(static_cast<std::uint8_t>(value.result));
  out.varint(flags_of(stored));
  for (const auto& phase :
       {value.phases.dns_us, value.phases.connect_us, value.phases.tls_us, value.phases.first_byte_us})
    if (phase)
      out.zigzag(*phase);
  if (value.status)
    out.varint(*value.status);
  if (value.next_attempt_at)
    out.i64(value.next_attempt_at->value);
  if (stored.same_body_as)
    out.varint(*stored.same_body_as);
  if (!value.response_headers.empty())
    write_headers(out, value.response_headers);
  if (value.retry_after)
    write_hint(out, *value.retry_after);
  out.text(value.error);
  out.varint(value.response_body_bytes);
  return out.take();
}

std::optional<stored_attempt> decode_attempt(log_sequence sequence, std::string_view bytes) {
  auto in = reader{bytes};
  auto result = stored_attempt{};
  auto& value = result.value;
  result.sequence = sequence;
  const auto version = in.u8();
  in.check(version >= record_version && version <= dropped_attempt);
  result.event_sequence = in.fixed<std::uint64_t>();
  in.check(from_integer(in.u8(), result.state_after));
  if (version != record_version) {
    result.account = in.fixed<std::uint64_t>();
    in.check(result.account != 0);
  }
  value.number = in.varint<std::uint32_t>();
  value.started_at.value = in.i64();
  value.duration_us = in.zigzag();
  result.dropped = version == dropped_attempt;
  if (result.dropped) {
    in.check(in.rest().empty());
    return in.ok() ? std::optional{std::move(result)} : std::nullopt;
  }
  in.check(from_integer(in.u8(), value.result));
  const auto flags = in.varint();
  in.check((flags & ~all_attempt_flags) == 0);
  const auto phase = [&](std::uint64_t flag) {
    return (flags & flag) != 0 ? std::optional{in.zigzag()} : std::nullopt;
  };
  value.phases.dns_us = phase(has_dns);
  value.phases.connect_us = phase(has_connect);
  value.phases.tls_us = phase(has_tls);
  value.phases.first_byte_us = phase(has_first_byte);
  if ((flags & has_status) != 0)
    value.status = in.varint<std::uint16_t>();
  value.response_truncated = (flags & is_truncated) != 0;
  if ((flags & has_next_attempt) != 0)
    value.next_attempt_at = timestamp_ms{in.i64()};
  if ((flags & has_same_body) != 0)
    result.same_body_as = in.varint<std::uint32_t>();
  if ((flags & has_headers) != 0)
    read_headers(in, value.response_headers);
  value.response_headers_truncated = (flags & are_headers_truncated) != 0;
  in.check((flags & has_headers) != 0 || (flags & are_headers_truncated) == 0);
  in.check((flags & has_retry_after) != 0 || (flags & (has_not_before | has_held_until)) == 0);
  if ((flags & has_retry_after) != 0)
    read_hint(in, flags, value.retry_after.emplace());
  value.error = in.text();
  value.response_body_bytes = in.varint();
  value.response_body = in.rest();
  if (result.same_body_as)
    in.check(*result.same_body_as >= 1 && *result.same_body_as < value.number && value.response_body.empty());
  return in.ok() ? std::optional{std::move(result)} : std::nullopt;
}

std::optional<timestamp_ms> decode_ended_at(std::string_view bytes) {
  auto in = reader{bytes};
  const auto version = in.u8();
  in.check(version >= record_version && version <= dropped_attempt);
  in.fixed<std::uint64_t>();
  in.u8();
  if (version != record_version)
    in.fixed<std::uint64_t>();
  in.varint<std::uint32_t>();
  const auto started_at = in.i64();
  const auto duration_us = in.zigzag();
  auto ended_at = std::int64_t{0};
  in.check(!__builtin_add_overflow(started_at, duration_us / 1'000, &ended_at)); // of a damaged record
  return in.ok() ? std::optional{timestamp_ms{ended_at}} : std::nullopt;
}

std::uint64_t decode_account_of_attempt(std::string_view bytes) noexcept {
  if (bytes.size() < account_offset + 8 || bytes.front() == record_version)
    return 0;
  auto account = std::uint64_t{0};
  for (const auto c : bytes.substr(account_offset, 8))
    account = account << 8 | static_cast<std::uint8_t>(c);
  return account;
}

std::uint64_t decode_event_of_attempt(std::string_view bytes) noexcept {
  return parse_u64(bytes.substr(std::min<std::size_t>(bytes.size(), 1), 8)).value_or(0);
}

bool is_dropped_attempt(std::string_view bytes) noexcept {
  return !bytes.empty() && bytes.front() == dropped_attempt;
}

bool is_settling_attempt(std::string_view bytes) noexcept {
  return bytes.size() > state_offset && bytes[state_offset] != static_cast<char>(event_state::pending);
}

std::optional<std::string> dropped_record(std::string_view bytes) {
  auto attempt = decode_attempt(0, bytes);
  if (!attempt || attempt->dropped || attempt->account == 0)
    return std::nullopt;
  attempt->drop();
  return encode_head(*attempt);
}

std::optional<std::string> without_answer(std::string_view bytes) {
  auto attempt = decode_attempt(0, bytes);
  if (!attempt)
    return std::nullopt;
  attempt->drop_answer();
  auto record = encode_head(*attempt) + attempt->value.response_body;
  return record.size() < bytes.size() ? std::optional{std::move(record)} : std::nullopt;
}

std::string encode_carried(carried_attempt value) {
  auto out = writer{9 + value.record.size()};
  out.u8(value.record.empty() ? carried_reference : carried_whole);
  out.fixed(value.sequence);
  out.raw(value.record);
  return out.take();
}

std::optional<carried_attempt> decode_carried(std::string_view bytes) {
  auto in = reader{bytes};
  const auto kind = in.u8();
  auto result = carried_attempt{};
  result.sequence = in.fixed<std::uint64_t>();
  result.record = in.rest();
  in.check(result.record.empty() ? kind == carried_reference : kind == carried_whole);
  return in.ok() ? std::optional{result} : std::nullopt;
}

std::string encode(const history_ledger::account& value) {
  auto out = writer{32 + value.stretches.size() * 16};
  out.u8(record_version);
  out.fixed(value.answers_from);
  out.fixed(value.attempts_from);
  out.fixed(value.counted_to);
  out.varint(value.stretches.size());
  for (const auto& one : value.stretches) {
    out.fixed(one.first);
    out.varint(one.answer_bytes);
    out.varint(one.attempt_bytes);
  }
  return out.take();
}

std::optional<history_ledger::account> decode_account(std::string_view bytes) {
  auto in = reader{bytes};
  auto result = history_ledger::account{};
  in.check(in.u8() == record_version);
  result.answers_from = in.fixed<std::uint64_t>();
  result.attempts_from = in.fixed<std::uint64_t>();
  result.counted_to = in.fixed<std::uint64_t>();
  in.check(result.answers_from >= result.attempts_from);
  auto from = result.attempts_from;
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    const auto first = in.fixed<std::uint64_t>();
    in.check(first >= from && first < result.counted_to);
    from = first + 1;
    const auto answer_bytes = in.varint();
    result.stretches.push_back({first, answer_bytes, in.varint()});
  }
  in.check(in.rest().empty());
  return in.ok() ? std::optional{std::move(result)} : std::nullopt;
}

std::string encode(const feed_drops& value) {
  auto out = writer{2 + value.entries().size() * 16};
  out.u8(record_version);
  out.u8(static_cast<std::uint8_t>(value.entries().size()));
  for (const auto& one : value.entries()) {
    out.fixed(one.at);
    out.fixed(one.below);
  }
  return out.take();
}

std::optional<feed_drops> decode_drops(std::string_view bytes) {
  auto in = reader{bytes};
  auto entries = std::vector<feed_drops::entry>{};
  in.check(in.u8() == record_version);
  for (auto left = in.u8(); left > 0 && in.ok(); --left) {
    const auto at = in.fixed<std::uint64_t>();
    entries.push_back({at, in.fixed<std::uint64_t>()});
  }
  in.check(in.rest().empty());
  return in.ok() ? feed_drops::from_entries(std::move(entries)) : std::nullopt;
}

namespace {

std::string encode_connector(const connector& value, std::uint8_t version) {
  auto out = writer{256};
  out.u8(version);
  out.text(value.name);
  out.text(value.url);
  out.text(value.secret.value);
  out.varint(value.headers.size());
  for (const auto& [name, content] : value.headers) {
    out.text(name);
    out.text(content);
  }
  if (version == connector_with_sealed) {
    out.varint(value.secret_headers.size());
    for (const auto& [name, content] : value.secret_headers) {
      out.text(name);
      out.text(content.value);
    }
  }
  out.varint(value.events.size());
  for (const auto& pattern : value.events)
    out.text(pattern);
  out.varint(flag_if(value.rate.has_value(), has_rate) |
             flag_if(value.standard_webhooks, is_standard_webhooks) | flag_if(value.enabled, is_enabled) |
             flag_if(!value.filter_json.empty(), has_filter));
  if (value.rate) {
    out.varint(value.rate->limit);
    out.varint(value.rate->per_ms);
    out.varint(value.rate->burst);
  }
  out.varint(value.max_in_flight);
  out.varint(value.timeout_ms);
  out.zigzag(value.retry.base_ms);
  out.fixed(std::bit_cast<std::uint64_t>(value.retry.factor));
  out.zigzag(value.retry.cap_ms);
  out.varint(value.retry.max_attempts);
  out.zigzag(value.retry.max_age_ms);
  if (!value.filter_json.empty())
    out.text(value.filter_json);
  return out.take();
}

std::optional<connector> decode_connector(connector_id id, std::string_view bytes, std::uint8_t version) {
  auto in = reader{bytes};
  auto result = connector{};
  result.id = std::move(id);
  in.check(in.u8() == version);
  result.name = in.text();
  result.url = in.text();
  result.secret.value = in.text();
  for (auto left = in.count(2); left > 0; --left) {
    const auto name = in.text();
    result.headers.emplace_back(name, in.text());
  }
  if (version == connector_with_sealed)
    for (auto left = in.count(2); left > 0; --left) {
      const auto name = in.text();
      result.secret_headers.emplace_back(name, std::string{in.text()});
    }
  for (auto left = in.count(1); left > 0; --left)
    result.events.emplace_back(in.text());
  const auto flags = in.varint();
  in.check((flags & ~all_connector_flags) == 0);
  in.check((flags & has_filter) == 0 || version == connector_with_sealed);
  if ((flags & has_rate) != 0) {
    auto& rate = result.rate.emplace();
    rate.limit = in.varint<std::uint32_t>();
    rate.per_ms = in.varint<std::uint32_t>();
    rate.burst = in.varint<std::uint32_t>();
  }
  result.standard_webhooks = (flags & is_standard_webhooks) != 0;
  result.enabled = (flags & is_enabled) != 0;
  result.max_in_flight = in.varint<std::uint32_t>();
  result.timeout_ms = in.varint<std::uint32_t>();
  read_retry(in, result.retry);
  if ((flags & has_filter) != 0) {
    result.filter_json = in.text();
    in.check(!result.filter_json.empty());
  }
  return in.ok_and_empty() ? std::optional{std::move(result)} : std::nullopt;
}

} // namespace

std::string encode(const connector& value) {
  VICKET_ASSERT(secrets_are_sealed(value));
  return encode_connector(value, connector_with_sealed);
}

std::optional<connector> decode_connector(connector_id id, std::string_view bytes) {
  auto value = decode_connector(std::move(id), bytes, connector_with_sealed);
  return value && secrets_are_sealed(*value) ? std::move(value) : std::nullopt;
}

std::string encode_plain(const connector& value) {
  VICKET_ASSERT(value.secret_headers.empty() && value.filter_json.empty());
  return encode_connector(value, record_version);
}

std::optional<connector> decode_plain_connector(connector_id id, std::string_view bytes) {
  return decode_connector(std::move(id), bytes, record_version);
}

std::string encode(const due_entry& value) {
  auto out = writer{13};
  out.varint(value.attempts_made);
  if (value.attempts_made > 0 && value.accepted_at)
    out.i64(value.accepted_at->value);
  return out.take();
}

std::optional<due_entry> decode_due_entry(std::string_view bytes) {
  auto in = reader{bytes};
  auto result = due_entry{};
  result.attempts_made = in.varint<std::uint32_t>();
  if (in.ok_and_empty())
    return result;
  result.accepted_at = timestamp_ms{in.i64()};
  return in.ok_and_empty() && result.attempts_made > 0 ? std::optional{result} : std::nullopt;
}

} // namespace vicket::codec
