#include "tests/support/link_messages.hpp"

#include "link/frames.hpp"

#include <cstdint>

namespace vicket::testing {

namespace {

template <class Body>
std::string frame(std::uint8_t kind, std::uint64_t request, const Body& body) {
  return std::string{internal::encode_frame({kind, request}, body).bytes};
}

} // namespace

std::vector<std::string> valid_link_messages() {
  send_to_connector event;
  event.connector = {"crm"};
  event.event = "ticket.opened";
  event.data_json = R"({"ticket":{"id":"T-1"}})";
  event.message = "hello";
  event.id = event_id{{1}};
  send_batch batch;
  batch.items = {event, event};
  connector value;
  value.id = {"crm"};
  value.url = "https://example.com/hook";
  value.headers = {{"X-Team", "support"}};
  value.events = {"ticket.*"};
  value.rate = rate_limit{1, 1, 1};
  return {frame(1, 1, event),
          frame(2, 2, batch),
          frame(3, 3, get_event{event_id{{1}}, "c"}),
          frame(4, 4, get_run{"run", "c"}),
          frame(5, 5, read_outcomes{"c"}),
          frame(6, 6, put_connector{value}),
          frame(7, 7, get_connector{{"crm"}}),
          frame(8, 8, delete_connector{{"crm"}}),
          frame(9, 9, list_connectors{}),
          frame(10, 10, get_status{})};
}

} // namespace vicket::testing
