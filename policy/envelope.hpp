#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

inline constexpr std::size_t max_event_name_bytes = 256;
inline constexpr std::size_t max_workflow_bytes = 256; ///< of `workflow`, and of `run`
inline constexpr std::size_t max_data_depth = 128; ///< objects and arrays inside each other, `data` included

/// What is said of data that is nested more than `max_data_depth` deep, whoever reads it.
[[nodiscard]] std::string too_deep_complaint();

/// So many times the bytes of an envelope an event's data may have as it is written (blanks, escapes); beyond that it is not
/// even read.
inline constexpr std::size_t max_data_expansion = 8;

/// The body of the POSTs for an event, the same bytes on every attempt: compact JSON with the fields id,
/// event, occurred_at and data, in this order. Or why not: `invalid_event` with what and where, `too_large`
/// with the sizes.
///
/// `data` is the event's own, written compactly in its order: numbers byte for byte, of whatever size, strings the same
/// characters with no more escapes than JSON asks for. The action's message becomes its top-level field
/// `message`: in the place of the first one if data has any (further ones are dropped), else as the last
/// field. Without a message data keeps what it has. Duplicates of other fields are passed on as they are.
///
/// Checked: event is 1–256 bytes, workflow and run at most 256, all UTF-8, event without control characters;
/// the message is UTF-8; occurred_at lies in the years 0001–9999; data is one JSON object (RFC 8259) in UTF-8, after a byte order mark or none,
/// without unpaired surrogates, at most 128 deep.
[[nodiscard]] std::variant<std::string, refusal>
compose_envelope(const send_to_connector& event, const event_id& id, std::size_t max_envelope_bytes);

/// What `compose_envelope` would make of the same event under another id and with this message (null: none), out of the
/// envelope that it has made of the event without a message. Absent where that does not show without reading the data again: the message
/// may have to take the place of one in it, is no UTF-8, or is too long.
[[nodiscard]] std::optional<std::string> envelope_under_id(std::string_view own_envelope, const event_id& id,
                                                           const std::string* message,
                                                           std::size_t max_envelope_bytes);

/// The data in an envelope that `compose_envelope` has made, without a look at the rest.
[[nodiscard]] std::string_view data_in_own_envelope(std::string_view envelope);

/// The data in an envelope, for who did not compose it: absent where the text is none.
[[nodiscard]] std::optional<std::string_view> data_in_envelope(std::string_view envelope);

/// At most so long is the envelope that `compose_envelope` would make of it, should it make one: follows from the sizes
/// of its fields, without a look into them. Data does not grow by being composed; a message may, sixfold.
[[nodiscard]] std::size_t most_envelope_bytes(const send_to_connector& event, std::size_t max_envelope_bytes);

/// How much a message adds to an envelope at most.
[[nodiscard]] std::size_t most_message_bytes(std::string_view message);

/// Whether a text has the form of the event's envelope as far as that shows from outside: begins with its id, ends as
/// nested objects do, has no control characters. Costs a few instructions per 16 bytes, since it guards the store behind
/// `compose_envelope`: a text of another kind there would be sent for days, to somebody who trusts its signature.
[[nodiscard]] bool looks_like_envelope(std::string_view text, const event_id& id);

} // namespace vicket
