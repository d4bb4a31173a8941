#pragma once

#include "messages/ids.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What belongs to no connector: the partition `settings` keeps it, a record for each. Not for engines.

namespace vicket {

/// What a setting is of. Stored and sent as its number: append only. A kind that a program does not know is kept as it is.
enum class setting_kind : std::uint8_t {
  rule = 1,
};

template <class Inspector>
bool inspect(Inspector& f, setting_kind& x) {
  auto number = static_cast<std::uint8_t>(x);
  if (!f.apply(number))
    return false;
  x = static_cast<setting_kind>(number);
  return true;
}

/// Which setting: its kind, and its name, which is of the form of a connector's id.
struct setting_key {
  setting_kind kind = setting_kind::rule;
  std::string id;

  [[nodiscard]] bool valid() const { return connector_id{id}.valid(); }

  friend auto operator<=>(const setting_key&, const setting_key&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, setting_key& x) {
    return f.object(x).fields(f.field("kind", x.kind), f.field("id", x.id));
  }
};

/// What the partition takes at most; beyond it a put is refused.
struct settings_bounds {
  static constexpr std::size_t per_kind = 10'000;
  static constexpr std::size_t record_bytes = 256u << 10;
  static constexpr std::size_t all_bytes = 64u << 20; ///< of names and records together
};

/// A setting with what is kept of it: bytes that only their kind knows the form of.
struct setting {
  setting_key key;
  std::string bytes;

  template <class Inspector>
  friend bool inspect(Inspector& f, setting& x) {
    return f.object(x).fields(f.field("key", x.key), f.field("bytes", x.bytes));
  }
};

// -- gateway → partition ----------------------------------------------------------------------------------------------

/// Creates or replaces. Answered when it is durable.
struct put_setting {
  setting value;

  template <class Inspector>
  friend bool inspect(Inspector& f, put_setting& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// Answered when that is durable.
struct delete_setting {
  setting_key key;

  template <class Inspector>
  friend bool inspect(Inspector& f, delete_setting& x) {
    return f.object(x).fields(f.field("key", x.key));
  }
};

struct get_setting {
  setting_key key;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_setting& x) {
    return f.object(x).fields(f.field("key", x.key));
  }
};

/// A page of those of a kind, by name. Answered by `settings_page`.
struct list_settings {
  static constexpr std::uint32_t max_limit = 1'000;

  setting_kind kind = setting_kind::rule;
  std::string after; ///< empty: from the first
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, list_settings& x) {
    return f.object(x).fields(f.field("kind", x.kind), f.field("after", x.after), f.field("limit", x.limit));
  }
};

struct settings_page {
  static constexpr std::size_t max_bytes = 4u << 20; ///< of names and records; one is always in it

  std::vector<setting> settings;
  bool more = false; ///< ask again, after the last one's name

  template <class Inspector>
  friend bool inspect(Inspector& f, settings_page& x) {
    return f.object(x).fields(f.field("settings", x.settings), f.field("more", x.more));
  }
};

} // namespace vicket
