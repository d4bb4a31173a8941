#pragma once

#include "messages/trigger.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// An event as `vicket send` reads it (json_text.hpp), where `connector` may be missing: then it is a trigger, for whatever
/// connectors the rules name.
[[nodiscard]] std::variant<send_to_connector, trigger, std::string>
event_or_trigger_from_json(std::string_view line);

/// `{"id":"…","events":[{"connector":"…","rule":"…","action":0,"id":"…","duplicate":false},…]}`, an event that was refused with
/// `error` and `detail` instead of the last two; or, of a trigger that was, those two alone.
[[nodiscard]] std::string trigger_answer_to_json(const trigger_answer& value);

/// `{"rule":"…","matches":true,"actions":[{"connector":"…","id":"…","envelope":{…}},…]}`, without an envelope `error` and
/// `detail`; or `{"rule":"…","matches":false,"why_not":["…",…]}`.
[[nodiscard]] std::string tried_rule_to_json(const tried_rule& value);

} // namespace vicket
