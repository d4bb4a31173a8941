#include "messages/errors.hpp"

#include <array>
#include <utility>

namespace vicket {

namespace {

constexpr std::array<std::pair<errc, std::string_view>, 14> names{{
    {errc::unknown_connector, "unknown_connector"},
    {errc::connector_disabled, "connector_disabled"},
    {errc::filtered, "filtered"},
    {errc::invalid_event, "invalid_event"},
    {errc::too_large, "too_large"},
    {errc::overloaded, "overloaded"},
    {errc::storage_full, "storage_full"},
    {errc::unavailable, "unavailable"},
    {errc::invalid_connector, "invalid_connector"},
    {errc::not_found, "not_found"},
    {errc::connector_busy, "connector_busy"},
    {errc::forbidden, "forbidden"},
    {errc::not_owner, "not_owner"},
    {errc::invalid_rule, "invalid_rule"},
}};

} // namespace

std::string to_string(errc code) {
  for (const auto& [value, name] : names)
    if (value == code)
      return std::string{name};
  return "unknown_error";
}

bool from_string(std::string_view text, errc& code) {
  for (const auto& [value, name] : names) {
    if (name == text) {
      code = value;
      return true;
    }
  }
  return false;
}

bool from_integer(std::underlying_type_t<errc> number, errc& code) {
  for (const auto& [value, name] : names) {
    if (static_cast<std::underlying_type_t<errc>>(value) == number) {
      code = value;
      return true;
    }
  }
  return false;
}

} // namespace vicket
