#include "messages/history.hpp"

#include <iterator>
#include <utility>

namespace vicket {

namespace {

constexpr std::size_t fixed_bytes = 256; ///< what surrounds the texts of an attempt or a summary in memory
constexpr std::size_t field_bytes = 64;  ///< the same of a header field

} // namespace

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

std::size_t page_bytes_of(const event_summary& value) {
  return fixed_bytes + value.connector.value.size() + value.event.size() + value.workflow.size() +
         value.run.size();
}

std::size_t page_bytes_of(const attempt& value) {
  return fixed_bytes + value.answer_bytes() + value.response_headers.size() * field_bytes +
         value.error.size() + (value.retry_after ? value.retry_after->heard.size() : 0);
}

std::size_t page_bytes_of(const event_history& value) {
  auto bytes = page_bytes_of(value.summary);
  for (const auto& one : value.attempts)
    bytes += page_bytes_of(one);
  return bytes;
}

void append_page(std::vector<event_history>& to, std::vector<event_history> page) {
  for (auto& event : page) {
    if (!event.continues || to.empty()) {
      to.push_back(std::move(event));
      continue;
    }
    auto& begun = to.back();
    begun.goes_on = event.goes_on;
    std::move(event.attempts.begin(), event.attempts.end(), std::back_inserter(begun.attempts));
  }
}

} // namespace vicket
