#include "tests/actors/node_fixture.hpp"

#include "policy/partitioning.hpp"

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

/// Runs actors until nothing moves. Two that send each other messages for ever are a defect, and end the test.
constexpr std::size_t most_at_once = 10'000'000; // all that tests send at once comes to a hundredth of it

std::size_t settle(caf::actor_system& system, std::size_t at_most = most_at_once) {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  const auto ran = scheduler.run(std::min(at_most, most_at_once));
  if (ran == most_at_once)
    throw std::runtime_error("the actors come to no rest");
  return ran;
}

std::filesystem::path make_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "vicket-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no temporary folder");
  return pattern;
}

} // namespace

node_fixture::node_fixture(std::uint32_t partitions, faulty_environment::below base)
    : disk{base}, folder_{make_folder()} {
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

void node_fixture::start(std::size_t run_at_most) {
  config_ = std::make_unique<config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  node_environment environment;
  environment.time = &clock;
  environment.random = &random;
  environment.transport = transport;
  environment.store = &disk;
  environment.failed = [this](const std::string& why) { failures.push_back(why); };
  environment.log_warning = [this](const std::string& what) { warnings.push_back(what); };
  auto started = node::start(*system_, options, environment);
  if (auto* why = std::get_if<std::string>(&started)) {
    run(); // what was started is told to end
    system_.reset();
    throw std::runtime_error(*why);
  }
  actors_.clear();
  for (auto* job : dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler()).jobs)
    if (auto* actor = dynamic_cast<caf::scheduled_actor*>(job)) // each has yet to make its behavior
      actors_.emplace(actor->name(), actor->ctrl());
  node_ = std::get<std::unique_ptr<node>>(std::move(started));
  actors_of_node_ = system_->registry().running(); // supervisors come when the partitions' heads begin
  run(run_at_most);
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

std::size_t node_fixture::supervisors() const {
  return system_->registry().running() - actors_of_node_;
}

void node_fixture::end_actor(const std::string& name, const std::string& why) {
  const auto actor = caf::actor_cast<caf::actor>(actors_.at(name));
  REQUIRE(actor);
  caf::scoped_actor {
    *system_
    } -> send_exit(actor, caf::make_error(caf::sec::runtime_error, why));
  run();
}

std::size_t node_fixture::run(std::size_t at_most) {
  return settle(*system_, at_most);
}

void node_fixture::back_up(const std::string& name) {
  std::filesystem::remove_all(folder_ / name);
  std::filesystem::copy(options.data_dir, folder_ / name, std::filesystem::copy_options::recursive);
}

void node_fixture::restore(const std::string& name) {
  REQUIRE_FALSE(node_);
  std::filesystem::remove_all(options.data_dir);
  std::filesystem::copy(folder_ / name, options.data_dir, std::filesystem::copy_options::recursive);
}

void node_fixture::advance_ms(std::int64_t duration_ms, std::int64_t step_ms) {
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  while (duration_ms > 0) {
    const auto step = std::min(step_ms, duration_ms);
    clock.advance_ms(step);
    scheduler.advance_time(std::chrono::milliseconds{step});
    settle(*system_);
    duration_ms -= step;
  }
}

void node_fixture::pass_ms(std::int64_t duration_ms) {
  clock.advance_ms(duration_ms);
  dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler())
      .advance_time(std::chrono::milliseconds{duration_ms});
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

std::string node_fixture::connector_in(std::uint32_t partition, std::uint32_t partitions) {
  for (int number = 0;; ++number)
    if (auto id = "crm-" + std::to_string(number); partition_of({id}, partitions) == partition)
      return id;
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
  std::vector<event_history> found;
  get_event request{id};
  for (bool more = true; more;) {
    auto answer = ask<event_page>(request);
    if (auto* no = std::get_if<refusal>(&answer))
      FAIL("event: " << to_string(no->code) << ": " << no->detail);
    auto& page = std::get<event_page>(answer);
    append_page(found, std::move(page.events));
    request.cursor = page.cursor;
    more = page.more;
  }
  REQUIRE(found.size() == 1);
  return std::move(found.front());
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
