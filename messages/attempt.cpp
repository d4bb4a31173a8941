#include "messages/attempt.hpp"

namespace vicket {

std::string_view to_string(outcome value) {
  switch (value) {
  case outcome::delivered:
    return "delivered";
  case outcome::http_status:
    return "http_status";
  case outcome::timeout:
    return "timeout";
  case outcome::dns:
    return "dns";
  case outcome::connect:
    return "connect";
  case outcome::tls:
    return "tls";
  case outcome::protocol:
    return "protocol";
  case outcome::blocked:
    return "blocked";
  }
  return "unknown";
}

bool from_integer(std::underlying_type_t<outcome> number, outcome& value) {
  if (number < static_cast<std::uint8_t>(outcome::delivered) ||
      number > static_cast<std::uint8_t>(outcome::blocked))
    return false;
  value = static_cast<outcome>(number);
  return true;
}

std::size_t attempt::answer_bytes() const {
  auto bytes = response_body.size();
  for (const auto& field : response_headers)
    bytes += field.name.size() + field.value.size();
  return bytes;
}

} // namespace vicket
