#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vicket {

/// Name of a connector: 1–64 characters of `A-Za-z0-9._-`. Holds whatever the sender wrote; `valid()` says
/// whether it is one.
struct connector_id {
  static constexpr std::size_t max_bytes = 64;

  std::string value;

  [[nodiscard]] bool valid() const noexcept;

  friend auto operator<=>(const connector_id&, const connector_id&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, connector_id& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// Name of a rule: likewise.
struct rule_id {
  static constexpr std::size_t max_bytes = connector_id::max_bytes;

  std::string value;

  [[nodiscard]] bool valid() const noexcept;

  friend auto operator<=>(const rule_id&, const rule_id&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, rule_id& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// Identifies an event for ever, and makes a send idempotent: a UUID (RFC 9562). Read in either case, written in
/// lower case.
struct event_id {
  std::array<std::uint8_t, 16> bytes{};

  /// The 36-character form with hyphens only; anything else is `nullopt`.
  [[nodiscard]] static std::optional<event_id> parse(std::string_view text) noexcept;

  [[nodiscard]] std::string to_string() const;
  /// The same characters, without a string around them.
  [[nodiscard]] std::array<char, 36> to_chars() const noexcept;

  friend auto operator<=>(const event_id&, const event_id&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, event_id& x) {
    return f.object(x).fields(f.field("bytes", x.bytes));
  }
};

/// Wall-clock time, milliseconds since 1970-01-01T00:00:00Z. Everything that is stored or shown uses it; time-outs
/// never do.
struct timestamp_ms {
  std::int64_t value = 0;

  friend auto operator<=>(const timestamp_ms&, const timestamp_ms&) = default;

  friend timestamp_ms operator+(timestamp_ms t, std::int64_t duration_ms) { return {t.value + duration_ms}; }
  friend timestamp_ms operator-(timestamp_ms t, std::int64_t duration_ms) { return {t.value - duration_ms}; }
  friend std::int64_t operator-(timestamp_ms a, timestamp_ms b) { return a.value - b.value; }

  template <class Inspector>
  friend bool inspect(Inspector& f, timestamp_ms& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// Position in a partition's log. Events and attempts draw from one counter that starts at 1, so the log is
/// one total order: an attempt's sequence is above its event's.
using log_sequence = std::uint64_t;

} // namespace vicket

template <>
struct std::hash<vicket::connector_id> {
  // Not noexcept: libstdc++'s tables then keep the hashes, instead of hashing each name that a look-up passes again.
  std::size_t operator()(const vicket::connector_id& id) const { return std::hash<std::string>{}(id.value); }
};

template <>
struct std::hash<vicket::event_id> {
  std::size_t operator()(const vicket::event_id& id) const noexcept;
};
