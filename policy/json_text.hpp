#pragma once

#include "messages/backup.hpp"
#include "messages/connector.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/rule.hpp"
#include "messages/status.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

// The JSON of the command line's files, lines and output. What is written is compact, on one line, valid
// UTF-8: bytes of a field that are none become U+FFFD, except a response body's. Times are RFC 3339 in UTC
// with milliseconds.

/// The longest connector that is read.
inline constexpr std::size_t max_connector_json_bytes = 1'048'576;

/// A connector as `vicket connector put` reads it; or a sentence: bad JSON with line and column; a field that
/// is unknown, there twice or of another type with its path (`retry.base_ms`); a missing `id`, `url` or
/// `rate.limit`. Whether the values are allowed is `connector_complaint`'s to say. What is absent has the
/// default of `connector`; null counts as absent, that of a header too, and a byte order mark is passed over. `***` as the
/// secret, or as a secret header's value, stays that: the node keeps what there is, so that a connector that was shown can
/// be edited and put again; and `being_deleted` says nothing in a put.
[[nodiscard]] std::variant<connector, std::string> connector_from_json(std::string_view text);

/// All fields in the order of the documentation; `filter` is not there without one, `rate` not without a limit. The secret is `***`, or
/// as it is when it is to be shown (not there when it is empty); `secret_headers` are not there when there are none, and
/// their values are always `***`. One that is being deleted by force has `"being_deleted":true` behind all that.
[[nodiscard]] std::string connector_to_json(const connector& settings, bool show_secret,
                                            bool being_deleted = false);

/// The longest rule that is read; compact, it may have a quarter of that (`rule_bounds`).
inline constexpr std::size_t max_rule_json_bytes = 1'048'576;

/// A rule, as docs/rules.md describes it; or a sentence with the place, as a pointer: bad JSON with line and column; a field
/// that is unknown, there twice or of another type; a missing `id`, `actions` or `send_to_connector`. Whether the values are
/// allowed is `compiled_rule`'s to say. null counts as absent, and a byte order mark is passed over.
[[nodiscard]] std::variant<rule, std::string> rule_from_json(std::string_view text);

/// All fields in the order of the documentation, on one line; `filter`, `message` and `data` are not there without one.
[[nodiscard]] std::string rule_to_json(const rule& value);

/// An event as `vicket send` reads it, one JSON object; or a sentence with the field or the byte.
/// `connector`, `event`, `occurred_at` and `data` (an object) are required, `message`, `workflow`, `run`,
/// `id` are not, and may be null; other fields, and any twice, are refused. A byte order mark is passed over.
/// `data_json` is the very text between data's
/// braces, so that numbers stay as they are written.
[[nodiscard]] std::variant<send_to_connector, std::string> event_from_json(std::string_view line);

/// `{"id":…,"connector":…,"event":…,"workflow":…,"run":…,"state":…,"accepted_at":…,"next_attempt_at":…,"attempts":[…]}`.
///
/// An attempt is
/// `{"number":…,"started_at":…,"duration_ms":…,"phases_ms":{"dns":…,"connect":…,"tls":…,"first_byte":…},
/// "outcome":…,"status":…,"error":…,"response_headers":[[name,value],…],"response_body":…,"response_body_bytes":…,
/// "response_truncated":…,"retry_after":{"heard":…,"not_before":…,"held_until":…},"next_attempt_at":…}`. Durations are milliseconds with at most three decimals; a phase that it did not
/// come to is not there; status, error and next_attempt_at are null where there is none. A response body that
/// is not UTF-8 is null, and its bytes are in `response_body_base64`, right behind it; `response_body_bytes`
/// is its full length. `response_headers` (with `"response_headers_truncated":true` where not all of them fit, or not whole) and `retry_after` are there only where the answer was no 2xx and had any;
/// `not_before` is null where what was heard can't be meant, `held_until` where it holds the event alone. Where attempts
/// are not kept any more, `attempts` is empty, and behind it is `"attempts_dropped":…`, how many there were. A piece of an
/// event that is spread over pages has, behind all that, `"continues":true` where attempts of it were on the page before, and
/// `"goes_on":true` where more are on the next.
[[nodiscard]] std::string event_history_to_json(const event_history& history);

/// The same object in pieces, for an event whose attempts come in pages: `begin`, the attempts, `end`, one behind the
/// other, are what `event_history_to_json` gives for all of it. An object that can't be finished, since the rest of the
/// attempts did not come, ends with `break_off`: then it has `"incomplete":true` behind the attempts.
class event_history_pieces {
public:
  [[nodiscard]] std::string begin(const event_summary& summary);
  [[nodiscard]] std::string attempt(const vicket::attempt& value);
  [[nodiscard]] std::string end(std::uint32_t attempts_dropped = 0) const;
  [[nodiscard]] std::string break_off() const;

private:
  bool first_ = true;
};

/// One attempt of the feed: the history's fields as they are right after it, with `cursor` in front and the
/// one `attempt` instead of the list:
/// `{"cursor":…,"id":…,"connector":…,"event":…,"workflow":…,"run":…,"state":…,
/// "accepted_at":…,"next_attempt_at":…,"attempt":{…}}`.
[[nodiscard]] std::string outcome_entry_to_json(const outcome_entry& entry);

/// What came after the cursor that was asked for is gone, and the feed goes on from this one: `{"gap":true,"cursor":…}`.
[[nodiscard]] std::string feed_gap_to_json(const std::string& cursor);

/// `{"version":…,"started_at":…,"now":…,"connectors_configured":…,"partitions":[{"number":…,"epoch":…,
/// "next_sequence":…,"settled_below":…,"pending":…,"in_flight":…,"accepting":…,"counting":…,"owner":…,"halted":…,"unreachable":…}],
/// "connectors":[{"id":…,
/// "enabled":…,"pending":…,"in_flight":…,"oldest_pending_at":…,"oldest_pending_age_ms":…,"held_until":…}]}`; `owner` (a node's name) is of a cluster, `halted` and `unreachable` (why)
/// of a partition that takes nothing until somebody has put that right, or whose owner can't be asked. `oldest_…` is null
/// when nothing is pending, `held_until` when the endpoint has not asked to be left alone. A connector that can't be used
/// has `problem`, too; one that is being deleted by force `"being_deleted":true`.
[[nodiscard]] std::string node_status_to_json(const node_status& status);

/// `{"folder":…,"made_at":…,"stores":…,"files":…,"bytes":…}`.
[[nodiscard]] std::string backup_made_to_json(const backup_made& value);

/// `{"id":"…","duplicate":false}` or `{"error":"CODE","detail":"…"}`.
[[nodiscard]] std::string send_result_to_json(const send_result& result);

/// A string with its quotes.
[[nodiscard]] std::string text_to_json(std::string_view text);

} // namespace vicket
