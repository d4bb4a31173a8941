#include "tests/actors/node_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

namespace vicket::testing {

struct node_fixture::config : caf::actor_system_config {
  config() {
    set("caf.scheduler.policy", "testing");
    set("caf.logger.file.verbosity", "quiet");
    set("caf.logger.console.verbosity", "quiet");
  }
};

namespace {

std::filesystem::path make_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "vicket-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no temporary folder");
  return pattern;
}

} // namespace

node_fixture::node_fixture(std::uint32_t partitions) : folder_{make_folder()} {
  static std::once_flag once;
  std::call_once(once, register_all_types);
  options.data_dir = folder_ / "data";
  options.partitions = partitions;
  options.own_threads = false;
  options.attempt_wait_ms = 0; // so that `run` alone takes an attempt to the disk
  start();
}

node_fixture::~node_fixture() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void node_fixture::start() {
  config_ = std::make_unique<config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  node_environment environment;
  environment.time = &clock;
  environment.random = &random;
  environment.transport = transport;
  environment.store = &disk;
  environment.store_failed = [this](const std::string& why) { store_failures.push_back(why); };
  environment.log_warning = [this](const std::string& what) { warnings.push_back(what); };
  auto started = node::start(*system_, options, environment);
  if (auto* why = std::get_if<std::string>(&started))
    throw std::runtime_error(*why);
  node_ = std::get<std::unique_ptr<node>>(std::move(started));
  run();
}

void node_fixture::kill() {
  if (!node_)
    return;
  node_->end();
  run();
  node_.reset();
  system_.reset();
  config_.reset();
}

void node_fixture::run() {
  dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler()).run();
}

void node_fixture::advance_ms(std::int64_t duration_ms, std::int64_t step_ms) {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  while (duration_ms > 0) {
    const auto step = std::min(step_ms, duration_ms);
    clock.advance_ms(step);
    scheduler.advance_time(std::chrono::milliseconds{step});
    scheduler.run();
    duration_ms -= step;
  }
}

void node_fixture::put(const std::string& id, const std::function<void(connector&)>& change) {
  connector wanted;
  wanted.id = {id};
  wanted.url = "https://" + host_of(id) + "/hook";
  if (change)
    change(wanted);
  auto answer = ask<connector_view>(put_connector{wanted});
  if (auto* no = std::get_if<refusal>(&answer))
    FAIL("put: " << to_string(no->code) << ": " << no->detail);
}

send_to_connector node_fixture::event_for(const std::string& connector, const std::string& run) {
  send_to_connector event;
  event.connector = {connector};
  event.event = "ticket.status_changed";
  event.occurred_at = {manual_clock::start_ms - 60'000};
  event.data_json = R"({"ticket":{"id":"T-1","status":{"category":"resolved"}}})";
  event.message = "Ticket resolved by the on-call agent.";
  event.workflow = "wf-7";
  event.run = run;
  return event;
}

accepted node_fixture::send(const send_to_connector& event) {
  auto answer = ask<accepted>(event);
  if (auto* no = std::get_if<refusal>(&answer))
    FAIL("send: " << to_string(no->code) << ": " << no->detail);
  return std::get<accepted>(answer);
}

event_history node_fixture::event(const event_id& id) {
  auto answer = ask<event_history>(get_event{id});
  if (auto* no = std::get_if<refusal>(&answer))
    FAIL("event: " << to_string(no->code) << ": " << no->detail);
  return std::get<event_history>(answer);
}

node_status node_fixture::status() {
  auto answer = ask<node_status>(get_status{});
  REQUIRE(std::holds_alternative<node_status>(answer));
  return std::get<node_status>(answer);
}

std::optional<std::string> header(const scripted_transport::seen_request& request, std::string_view name) {
  const auto start = "\r\n" + std::string{name} + ": ";
  const auto lines = "\r\n" + request.header_lines;
  const auto at = lines.find(start);
  if (at == std::string::npos)
    return std::nullopt;
  const auto from = at + start.size();
  return lines.substr(from, lines.find("\r\n", from) - from);
}

} // namespace vicket::testing
