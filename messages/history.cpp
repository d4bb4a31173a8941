#include "messages/history.hpp"

namespace vicket {

std::string_view to_string(event_state value) {
  switch (value) {
  case event_state::pending:
    return "pending";
  case event_state::delivered:
    return "delivered";
  case event_state::failed:
    return "failed";
  }
  return "unknown";
}

bool from_integer(std::underlying_type_t<event_state> number, event_state& value) {
  if (number < static_cast<std::uint8_t>(event_state::pending) ||
      number > static_cast<std::uint8_t>(event_state::failed))
    return false;
  value = static_cast<event_state>(number);
  return true;
}

} // namespace vicket
