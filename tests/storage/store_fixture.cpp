#include "store_fixture.hpp"

#include <cstdlib>
#include <limits>
#include <stdexcept>

namespace vicket::test {

scratch_folder::scratch_folder() {
  auto name = (std::filesystem::temp_directory_path() / "vicket-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

scratch_folder::~scratch_folder() {
  auto error = std::error_code{};
  std::filesystem::remove_all(path_, error);
}

std::shared_ptr<const secret_box> box_of(char fill) {
  return std::make_shared<const secret_box>(secret_bytes{std::string(secret_box::key_bytes, fill)});
}

store_options small_options(store_environment* environment, std::filesystem::path folder) {
  auto result = store_options{};
  result.folder = std::move(folder);
  result.environment = environment;
  result.write_buffer_bytes = 512 * 1024;
  result.block_cache_bytes = 1u << 20;
  result.secrets = box_of('k');
  return result;
}

std::unique_ptr<partition_store> open_store(store_options options) {
  auto result = partition_store::open(std::move(options));
  if (auto* status = std::get_if<store_status>(&result))
    FAIL("the store was refused: " << status->detail);
  return std::get<std::unique_ptr<partition_store>>(std::move(result));
}

store_status open_refused(store_options options) {
  auto result = partition_store::open(std::move(options));
  REQUIRE(std::holds_alternative<store_status>(result));
  INFO(std::get<store_status>(result).detail);
  CHECK(!std::get<store_status>(result).ok());
  return std::get<store_status>(result);
}

event_id id_of(std::uint64_t number) {
  auto result = event_id{};
  for (auto i = std::size_t{0}; i < 8; ++i)
    result.bytes[i] = static_cast<std::uint8_t>((number * 0x9e3779b97f4a7c15u) >> (8 * i));
  for (auto i = std::size_t{0}; i < 8; ++i)
    result.bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return result;
}

stored_event event_of(log_sequence sequence, const event_shape& shape) {
  auto result = stored_event{};
  result.sequence = sequence;
  result.id = id_of(sequence);
  result.connector.value = shape.connector;
  result.event = "ticket.status_changed";
  result.workflow = "wf-7";
  result.run = shape.run;
  result.accepted_at = shape.accepted_at;
  auto envelope = R"({"id":")" + result.id.to_string() + R"(","data":")";
  for (auto state = sequence; envelope.size() + 2 < shape.envelope_bytes;
       state = state * 6364136223846793005u + 1)
    envelope.push_back(static_cast<char>('a' + (state >> 33) % 26));
  result.envelope = std::make_shared<const std::string>(envelope + R"("})");
  return result;
}

stored_attempt attempt_of(log_sequence sequence, log_sequence event, std::uint32_t number,
                          std::optional<timestamp_ms> next) {
  auto result = stored_attempt{};
  result.sequence = sequence;
  result.event_sequence = event;
  result.state_after = next ? event_state::pending : event_state::delivered;
  auto& value = result.value;
  value.number = number;
  value.started_at = noon + static_cast<std::int64_t>(sequence);
  value.duration_us = 12'400;
  value.phases.first_byte_us = 9'500;
  value.result = next ? outcome::http_status : outcome::delivered;
  value.status = next ? std::uint16_t{500} : std::uint16_t{200};
  value.error = next ? "the endpoint answered 500" : "";
  value.response_body = "body of " + std::to_string(sequence);
  value.response_body_bytes = value.response_body.size();
  value.next_attempt_at = next;
  return result;
}

log_sequence accept(partition_store& store, bool waits, const event_shape& shape) {
  auto batch = write_batch{};
  const auto sequence = store.allocate_sequence();
  batch.add_event(event_of(sequence, shape), waits);
  const auto status = store.commit(batch, store.settled_below());
  INFO(status.detail);
  REQUIRE(status.ok());
  return sequence;
}

std::vector<waiting_event> all_waiting(const partition_store& store, const std::string& connector) {
  auto result = std::vector<waiting_event>{};
  auto from = due_position{{std::numeric_limits<std::int64_t>::min()}, 0};
  const auto forever = timestamp_ms{std::numeric_limits<std::int64_t>::max()};
  for (;;) {
    auto page = store.read_due({connector}, from, forever, 7, 1'000, {});
    REQUIRE(store.health().ok());
    REQUIRE(page.unreadable == 0);
    if (page.events.empty())
      return result;
    REQUIRE(page.events.front().position >= from); // else there is no end to it
    from = page.events.back().position;
    ++from.sequence;
    for (auto& event : page.events)
      result.push_back(std::move(event));
  }
}

void require_same(const stored_event& left, const stored_event& right) {
  REQUIRE(left.sequence == right.sequence);
  REQUIRE(left.id == right.id);
  REQUIRE(left.connector == right.connector);
  REQUIRE(left.event == right.event);
  REQUIRE(left.workflow == right.workflow);
  REQUIRE(left.run == right.run);
  REQUIRE(left.accepted_at == right.accepted_at);
  REQUIRE((left.envelope != nullptr) == (right.envelope != nullptr));
  if (left.envelope)
    REQUIRE(*left.envelope == *right.envelope);
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto result = std::string{};
  for (const auto c : bytes) {
    result.push_back(digits[static_cast<std::uint8_t>(c) >> 4]);
    result.push_back(digits[static_cast<std::uint8_t>(c) & 15]);
  }
  return result;
}

} // namespace vicket::test
