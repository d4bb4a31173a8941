#include "tests/crash/plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace vicket::crash {

namespace {

constexpr std::array<std::pair<reply, std::string_view>, reply_kinds> reply_names{{
    {reply::ok, "ok"},
    {reply::slow_ok, "slow_ok"},
    {reply::ok_then_close, "ok_then_close"},
    {reply::server_error, "server_error"},
    {reply::cut_server_error, "cut_server_error"},
    {reply::throttled, "throttled"},
    {reply::close_before_answer, "close_before_answer"},
    {reply::close_in_head, "close_in_head"},
    {reply::hang, "hang"},
}};

constexpr std::int64_t first_occurred_at_ms = 1'779'546'071'412; // 2026-05-23T14:21:11.412Z

/// SplitMix64's finisher: each bit of the argument changes half of the result's.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// FNV-1a, since `std::hash` need not be the same in two builds.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

planned_connector make(std::string id, std::optional<int> receiver, std::uint32_t max_in_flight,
                       std::uint32_t timeout_ms, std::int64_t base_ms, std::int64_t cap_ms) {
  planned_connector made;
  made.value.secret.value = plan::secret_of(id, 0);
  made.value.headers = {{std::string{connector_header}, id}};
  made.value.id.value = std::move(id);
  made.value.name = "crash oracle";
  made.value.max_in_flight = max_in_flight;
  made.value.timeout_ms = timeout_ms;
  made.value.retry.base_ms = base_ms;
  made.value.retry.cap_ms = cap_ms;
  made.receiver = receiver;
  return made;
}

planned_connector with(planned_connector made, std::uint32_t weight, std::uint32_t ill_requests,
                       std::vector<std::pair<reply, std::uint32_t>> replies) {
  made.weight = weight;
  made.ill_requests = ill_requests;
  made.replies = std::move(replies);
  return made;
}

constexpr std::uint32_t always_ill = 1'000'000;
constexpr int spare_connectors = 12;
/// A put's own two syncs, and the one of the events before it.
constexpr double most_burst_syncs = 4;
constexpr std::uint64_t longest_burst_ms = 200;

std::vector<planned_connector> connectors_that_get_well() {
  using enum reply;
  std::vector<planned_connector> all;
  all.push_back(with(make("steady", 0, 16, 2'000, 100, 1'000), 16, 3, {{ok, 7}, {slow_ok, 3}}));
  all.push_back(with(make("slow", 1, 6, 2'000, 100, 1'000), 8, 1, {{slow_ok, 1}}));
  all.push_back(with(make("flaky", 0, 8, 2'000, 50, 1'000), 12, 4,
                     {{server_error, 4}, {cut_server_error, 1}, {ok, 3}}));
  // Rarely enough that it keeps up: each holds all others for its second.
  all.push_back(with(make("throttled", 1, 8, 2'000, 100, 2'000), 4, 2, {{throttled, 1}, {ok, 19}}));
  all.push_back(with(make("closing", 2, 8, 2'000, 50, 1'000), 12, 3,
                     {{close_before_answer, 3}, {close_in_head, 2}, {ok_then_close, 3}, {ok, 4}}));
  all.push_back(with(make("hanging", 2, 32, 400, 100, 1'000), 8, 2, {{hang, 1}, {ok, 2}}));
  all.push_back(with(make("rated", 1, 8, 2'000, 100, 1'000), 6, 2, {{server_error, 1}, {ok, 4}}));
  all.back().value.rate = rate_limit{60, 1'000, 5};
  all.push_back(with(make("mixed", 0, 64, 1'000, 75, 1'000), 14, 3,
                     {{ok, 3},
                      {slow_ok, 3},
                      {ok_then_close, 1},
                      {server_error, 2},
                      {close_before_answer, 1},
                      {close_in_head, 1},
                      {hang, 1}}));
  all.front().change_weight = 1; // another URL or secret, and nothing refused
  all.push_back(with(make("one-by-one", 2, 1, 2'000, 200, 1'000), 6, 1, {{ok, 9}, {server_error, 1}}));
  return all;
}

/// Put, changed and deleted while events stream in.
std::vector<planned_connector> connectors_that_change() {
  using enum reply;
  std::vector<planned_connector> all;
  const auto add = [&](planned_connector made, std::uint32_t change_weight, bool deleted) {
    made.change_weight = change_weight;
    made.may_be_off = true;
    made.may_be_deleted = deleted;
    made.from_start = !deleted;
    all.push_back(std::move(made));
  };
  add(with(make("changing", 1, 8, 2'000, 100, 1'000), 8, 2, {{ok, 3}, {slow_ok, 1}, {server_error, 1}}), 6,
      false);
  add(with(make(std::string{plan::held_connector}, 0, 1, 2'000, 100, 1'000), 3, 1, {{ok, 3}, {slow_ok, 1}}),
      3, false);
  for (const auto* name : {"visiting-a", "visiting-b", "visiting-c"})
    add(with(make(name, 2, 4, 2'000, 50, 400), 1, 1, {{ok, 3}, {server_error, 1}}), 3, true);
  for (int i = 0; i < spare_connectors; ++i)
    add(with(make("spare-" + std::to_string(i), std::nullopt, 4, 1'000, 200, 2'000), 0, always_ill, {}), 1,
        true);
  // One event an hour: the others wait, and cost nothing but their place in the log.
  add(with(make(std::string{plan::bulk_connector}, std::nullopt, 4, 1'000, 60'000, 120'000), 0, always_ill,
           {}),
      0, false);
  all.back().value.rate = rate_limit{1, 3'600'000, 1};
  all.back().end = fate::pending;
  return all;
}

std::vector<planned_connector> connectors_that_do_not() {
  using enum reply;
  std::vector<planned_connector> all;
  all.push_back(with(make("gives-up", 1, 8, 2'000, 50, 200), 4, 6, {{server_error, 7}, {ok, 1}}));
  all.back().value.retry.max_attempts = 4;
  all.back().end = fate::either;
  all.push_back(with(make("never-well", 0, 8, 2'000, 60'000, 120'000), 2, always_ill, {{server_error, 1}}));
  all.push_back(with(make("never-answers", 2, 16, 300, 60'000, 120'000), 2, always_ill, {{hang, 1}}));
  all.push_back(with(make("nobody-listens", std::nullopt, 4, 1'000, 200, 2'000), 2, always_ill, {}));
  for (auto& one : all)
    if (one.end != fate::either)
      one.end = fate::pending;
  return all;
}

/// Often at first and ever rarer then, since every burst stays in the store and in the oracle's memory.
bool is_burst_round(std::uint64_t number) {
  return number == 2 || number == 5 || number == 9 || (number >= 14 && std::has_single_bit(number - 12));
}

planned_reply reply_of(reply kind, std::uint64_t chance) {
  planned_reply made;
  made.kind = kind;
  switch (kind) {
  case reply::ok:
  case reply::ok_then_close:
    made.status = static_cast<std::uint16_t>(chance % 4 == 0 ? 204 : 200 + chance % 3);
    break;
  case reply::slow_ok:
    made.delay_ms = static_cast<std::int64_t>(30 + chance % 270);
    break;
  case reply::server_error:
    made.status = chance % 3 == 0 ? 503 : 500;
    break;
  case reply::cut_server_error:
    made.status = 500;
    break;
  case reply::throttled:
    made.status = 429;
    made.retry_after_s = 1;
    break;
  case reply::close_in_head:
    made.status = 200; // so far the head comes
    break;
  case reply::close_before_answer:
  case reply::hang:
    made.status = 0;
    break;
  }
  return made;
}

} // namespace

std::string_view to_string(reply kind) {
  for (const auto& [value, name] : reply_names)
    if (value == kind)
      return name;
  return "unknown";
}

std::optional<reply> reply_from(std::string_view text) {
  for (const auto& [value, name] : reply_names)
    if (name == text)
      return value;
  return std::nullopt;
}

plan::plan(std::uint64_t seed) : seed_{seed}, connectors_{connectors_that_get_well()} {
  for (auto& one : connectors_that_change())
    connectors_.push_back(std::move(one));
  for (auto& one : connectors_that_do_not())
    connectors_.push_back(std::move(one));
  for (const auto& one : connectors_) {
    total_weight_ += one.weight;
    total_change_weight_ += one.change_weight;
  }
}

const planned_connector* plan::find(std::string_view connector) const {
  const auto at = std::find_if(connectors_.begin(), connectors_.end(),
                               [&](const auto& one) { return one.value.id.value == connector; });
  return at == connectors_.end() ? nullptr : &*at;
}

std::uint64_t plan::draw(stream from, std::uint64_t number, std::uint64_t part) const {
  return mix(mix(mix(seed_ ^ (std::uint64_t{from} << 56)) + number) + part);
}

connector_id plan::connector_of(std::uint64_t serial) const {
  auto at = draw(connector_stream, serial) % total_weight_;
  for (const auto& one : connectors_) {
    if (at < one.weight)
      return one.value.id;
    at -= one.weight;
  }
  return connectors_.front().value.id;
}

std::string plan::data_of(std::uint64_t serial) const {
  const auto chance = draw(event_stream, serial, 1);
  // Most are small; one in 64 is too large for one TLS record.
  const std::size_t padding = chance % 64 == 0 ? 20'000 + chance % 9'000 : chance % 400;
  std::string data = R"({"serial":)" + std::to_string(serial);
  data += R"(,"ticket":{"id":"T-)" + std::to_string(chance % 10'000) + R"(","open":true,"weight":-0.125})";
  data += R"(,"title":"Grüße \"quoted\" \\ 東京 \u0001","tags":[],"none":null)";
  data += R"(,"padding":")";
  for (std::size_t i = 0; i < padding; ++i)
    data.push_back(static_cast<char>('a' + (chance + i * i) % 26));
  return data + "\"}";
}

event_id plan::id_of(std::uint64_t serial) const {
  event_id id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i)
    id.bytes[i] = static_cast<std::uint8_t>(draw(id_stream, serial, i / 8) >> (8 * (i % 8)));
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

send_to_connector plan::event(std::uint64_t serial) const {
  if (of_burst(serial))
    return burst_event(serial);
  const auto chance = draw(event_stream, serial);
  send_to_connector made;
  made.connector = connector_of(serial);
  made.event = chance % 2 == 0 ? "ticket.status_changed" : "ticket.created";
  made.occurred_at = {first_occurred_at_ms + static_cast<std::int64_t>(serial * 7)};
  made.data_json = data_of(serial);
  if (chance % 3 != 0)
    made.message = "Event " + std::to_string(serial) + " – done.";
  made.workflow = "wf-" + std::to_string(chance % 5);
  made.run = "run-" + std::to_string(serial);
  // The id of the event before it, if that one goes to another connector.
  const bool shared = ids_are_per_connector && serial > 1 && chance / 70 % 16 == 0 &&
                      connector_of(serial - 1) != made.connector;
  if (chance / 7 % 10 != 0)
    made.id = id_of(shared ? serial - 1 : serial);
  return made;
}

std::size_t plan::batch_items(std::uint64_t number) const {
  const auto chance = draw(batch_stream, number);
  return chance % 2 == 0 ? 0 : 1 + chance / 2 % max_batch;
}

bool plan::repeated(std::uint64_t serial) const {
  return draw(repeat_stream, serial) % 16 == 0;
}

planned_reply plan::answer(const planned_connector& to, std::string_view id, std::uint32_t count) const {
  std::uint64_t total = 0;
  for (const auto& [kind, weight] : to.replies)
    total += weight;
  if (total == 0 || count > to.ill_requests)
    return {};
  const auto chance = draw(reply_stream, hash_of(id), count);
  auto at = chance % total;
  for (const auto& [kind, weight] : to.replies) {
    if (at < weight)
      return reply_of(kind, chance / total);
    at -= weight;
  }
  return {};
}

planned_round plan::round(std::uint64_t number) const {
  const auto part = [&](std::uint64_t p) { return draw(round_stream, number, p); };
  planned_round made;
  made.before_ready = part(0) % 7 == 0;
  made.alive_ms = static_cast<std::int64_t>(made.before_ready ? part(1) % 41 : 10 + part(1) % 591);
  made.stop_cleanly = !made.before_ready && part(2) % 9 == 0;
  made.pause_ms = static_cast<std::int64_t>(2 + part(3) % 60);
  if (part(4) % 5 == 0) {
    made.stopped_receiver = static_cast<int>(part(5) % receivers);
    made.stopped_for_ms = static_cast<std::int64_t>(50 + part(6) % 700);
  }
  made.follower_killed = part(7) % 3 == 0;
  if (is_burst_round(number)) {
    constexpr std::array<std::uint64_t, 4> groups{crossing_group - 1, crossing_group, crossing_group,
                                                  crossing_group + 1};
    made.burst_group = groups[part(8) % groups.size()];
    made.before_ready = made.stop_cleanly = false;
    made.stopped_receiver.reset();
    made.alive_ms = static_cast<std::int64_t>(part(9) % longest_burst_ms);
    made.alive_syncs = static_cast<double>(part(10) % 1'000) * most_burst_syncs / 1'000.0;
  }
  return made;
}

std::uint32_t plan::page_limit(std::uint64_t number) const {
  const auto chance = draw(page_stream, number);
  return static_cast<std::uint32_t>(chance % 3 == 0 ? 1 + chance / 3 % 5 : 1 + chance / 3 % 200);
}

bool plan::goes_back(std::uint64_t number) const {
  return draw(page_stream, number, 1) % 8 == 0;
}

bool plan::doubled(std::uint64_t number) const {
  return draw(double_stream, number) % 8 == 0;
}

bool plan::saves_cursor(std::uint64_t number) const {
  return draw(page_stream, number, 2) % 3 != 0;
}

} // namespace vicket::crash
