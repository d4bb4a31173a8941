#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicket {

/// A secret's characters, or, inside a node and its store, what they were sealed to. Crosses the wire between a client and
/// a node, but never shows when a message is printed or logged: human-readable inspectors see `***`. Its memory is zero
/// when it is let go, so that a message that was handled leaves nothing behind.
struct secret_text {
  /// In a put: the node keeps the one that there is. In an answer: there is one.
  static constexpr std::string_view hidden = "***";

  std::string value;

  secret_text() = default;
  secret_text(std::string characters) : value{std::move(characters)} {}
  secret_text(const char* characters) : value{characters} {}
  secret_text(const secret_text&) = default;
  secret_text(secret_text&& from) noexcept : value{std::move(from.value)} { from.wipe(); }
  secret_text& operator=(secret_text from) noexcept {
    value.swap(from.value);
    return *this;
  }
  ~secret_text() { wipe(); }

  [[nodiscard]] bool empty() const noexcept { return value.empty(); }
  [[nodiscard]] bool is_hidden() const noexcept { return value == hidden; }
  /// Zeros, the memory behind the characters included; then empty.
  void wipe() noexcept;

  friend bool operator==(const secret_text&, const secret_text&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, secret_text& x) {
    if constexpr (!Inspector::is_loading) {
      if (f.has_human_readable_format()) {
        std::string shown{hidden};
        return f.object(x).fields(f.field("value", shown));
      }
    }
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// At most `limit` deliveries per `per_ms` milliseconds, evenly spread, with `burst` ahead of the even spread.
struct rate_limit {
  std::uint32_t limit = 0;
  std::uint32_t per_ms = 1000;
  std::uint32_t burst = 1;

  friend bool operator==(const rate_limit&, const rate_limit&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, rate_limit& x) {
    return f.object(x).fields(f.field("limit", x.limit), f.field("per_ms", x.per_ms),
                              f.field("burst", x.burst));
  }
};

/// When to try again: after attempt n wait `min(cap_ms, base_ms * factor^(n-1))`, the upper half jittered.
struct retry_policy {
  std::int64_t base_ms = 5'000;
  double factor = 2.0;
  std::int64_t cap_ms = 21'600'000;      ///< 6 h
  std::uint32_t max_attempts = 0;        ///< 0: only age ends the retries
  std::int64_t max_age_ms = 259'200'000; ///< 72 h after acceptance

  friend bool operator==(const retry_policy&, const retry_policy&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, retry_policy& x) {
    return f.object(x).fields(f.field("base_ms", x.base_ms), f.field("factor", x.factor),
                              f.field("cap_ms", x.cap_ms), f.field("max_attempts", x.max_attempts),
                              f.field("max_age_ms", x.max_age_ms));
  }
};

/// Where a `send_to_connector` action's events go, and how. The JSON form has the same fields.
struct connector {
  connector_id id;
  std::string name;
  std::string url;
  secret_text secret; ///< empty in a put: what there is is kept, else the node makes one
  std::vector<std::pair<std::string, std::string>> headers;
  /// Sent like `headers`, kept like the secret. In an answer each value is `***`.
  std::vector<std::pair<std::string, secret_text>> secret_headers;
  std::vector<std::string> events; ///< patterns with `*`; empty: all
  std::optional<rate_limit> rate;  ///< absent: not limited
  std::uint32_t max_in_flight = 16;
  std::uint32_t timeout_ms = 10'000; ///< 100 to 10,000: resolve, connect, TLS, write, headers and body in all
  retry_policy retry;
  bool standard_webhooks = true;
  bool enabled = true; ///< false: new events are refused, pending ones wait
  /// Conditions on an event's name and data, as JSON (docs/rules.md): what they do not hold for is refused. Empty: none.
  std::string filter_json;

  friend bool operator==(const connector&, const connector&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, connector& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("name", x.name), f.field("url", x.url),
                              f.field("secret", x.secret), f.field("headers", x.headers),
                              f.field("secret_headers", x.secret_headers), f.field("events", x.events),
                              f.field("rate", x.rate), f.field("max_in_flight", x.max_in_flight),
                              f.field("timeout_ms", x.timeout_ms), f.field("retry", x.retry),
                              f.field("standard_webhooks", x.standard_webhooks),
                              f.field("enabled", x.enabled), f.field("filter_json", x.filter_json));
  }
};

/// Creates or replaces a connector.
struct put_connector {
  connector value;

  template <class Inspector>
  friend bool inspect(Inspector& f, put_connector& x) {
    return f.object(x).fields(f.field("value", x.value));
  }
};

/// A connector as the node answers it: the secret is empty unless it was generated by this very put.
struct connector_view {
  connector value;
  bool secret_generated = false;
  bool being_deleted = false; ///< by force, see `delete_connector`
  std::uint64_t pending = 0;  ///< of one that is being deleted: events that are yet to be failed; else 0

  template <class Inspector>
  friend bool inspect(Inspector& f, connector_view& x) {
    return f.object(x).fields(f.field("value", x.value), f.field("secret_generated", x.secret_generated),
                              f.field("being_deleted", x.being_deleted), f.field("pending", x.pending));
  }
};

struct get_connector {
  connector_id id;

  template <class Inspector>
  friend bool inspect(Inspector& f, get_connector& x) {
    return f.object(x).fields(f.field("id", x.id));
  }
};

/// Refused with `connector_busy` while events wait for it, so that none is lost by a slip; with `force` they are given up
/// first: each gets an attempt of the class `blocked`, which says so, and is `failed`. It is disabled as soon as that
/// begins, and is shown as `being_deleted` until it is gone; the answer comes then, however long it takes. A put meanwhile
/// is refused with `connector_busy`. A node that ends meanwhile leaves it disabled, with what was not given up: ask again.
struct delete_connector {
  connector_id id;
  bool force = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, delete_connector& x) {
    return f.object(x).fields(f.field("id", x.id), f.field("force", x.force));
  }
};

/// Connectors in the order of their ids, a page at a time: those after `after` (empty: from the first).
struct list_connectors {
  static constexpr std::uint32_t max_limit = 1'000;

  connector_id after;
  std::uint32_t limit = max_limit;

  template <class Inspector>
  friend bool inspect(Inspector& f, list_connectors& x) {
    return f.object(x).fields(f.field("after", x.after), f.field("limit", x.limit));
  }
};

struct connector_page {
  std::vector<connector_view> connectors;
  bool more = false; ///< ask again, after the last one's id

  template <class Inspector>
  friend bool inspect(Inspector& f, connector_page& x) {
    return f.object(x).fields(f.field("connectors", x.connectors), f.field("more", x.more));
  }
};

} // namespace vicket
