#include "tests/sim/simulated_node.hpp"

#include "policy/secret_box.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace vicket::sim {

namespace {

/// Small, so that a few hundred events fill memtables; RocksDB does not go below 64 KiB for each family.
constexpr std::size_t write_buffer_bytes = 192 * 1024;
constexpr std::uint64_t us_per_ms = 1'000;

} // namespace

struct simulated_node::config : caf::actor_system_config {
  config() {
    set("caf.scheduler.policy", "testing");
    set("caf.logger.file.verbosity", "quiet");
    set("caf.logger.console.verbosity", "quiet");
  }
};

std::uint64_t node_chance::next() {
  if (in_supervisor_ && fails_) {
    std::exchange(fails_, nullptr)();
    throw std::runtime_error("no chance today");
  }
  return chance_.next();
}

simulated_node::simulated_node(const plan& made, std::filesystem::path folder,
                               std::shared_ptr<endpoints> transport, const tracer& trace, observer told)
    : disk{made.seed}, plan_{made}, folder_{std::move(folder)},
      transport_{std::move(transport)}, trace_{trace}, told_{std::move(told)} {
  disk.trace_to([this](std::string_view line) {
    if (trace_.on())
      trace_.line("    disk: " + std::string{line});
    told_.disk_said(line);
  });
  set_wall_forward_ms(0);
}

simulated_node::~simulated_node() {
  if (running())
    kill(power_loss::none, 0);
}

namespace {

/// The same one in every run: what is sealed is in the trace.
std::filesystem::path key_for(const std::filesystem::path& folder) {
  auto file = folder;
  file += ".key";
  if (std::filesystem::exists(file))
    return file;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file, std::ios::binary} << std::string(secret_box::key_bytes, 'k');
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return file;
}

} // namespace

std::optional<std::string> simulated_node::start() {
  ++life_;
  transport_->open();
  config_ = std::make_unique<config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
  node_options options;
  options.data_dir = folder_;
  options.secret_key_file = key_for(folder_);
  options.partitions = plan_.shape.partitions;
  options.own_threads = false;
  options.retention_ms = plan_.shape.retention_ms;
  options.attempt_wait_ms = plan_.shape.attempt_wait_ms;
  options.window.events = plan_.shape.window_events;
  options.history.page_bytes = plan_.shape.history_bytes;
  options.history_bytes_per_connector = plan_.shape.kept_history_bytes;
  options.history.reads = 1; // so that some wait
  options.max_unindexed = plan_.shape.max_unindexed;
  options.max_in_flight = plan_.shape.max_in_flight;
  options.window_memory_bytes = plan_.shape.window_memory_bytes * plan_.shape.partitions;
  options.supervisor_idle_ms = plan_.shape.supervisor_idle_ms;
  options.store_write_buffer_bytes = write_buffer_bytes * plan_.shape.partitions;
  node_environment environment;
  environment.time = &clock;
  environment.random = &chance;
  environment.transport = transport_;
  environment.store = &disk;
  if (plan_.shape.late_rounds)
    environment.log = [this](partition_store& store) { return logs_.make(store); };
  environment.failed = [this](const std::string& why) {
    if (running())
      told_.store_failed(why);
  };
  environment.log_warning = [this](const std::string& what) {
    if (trace_.on())
      trace_.line("    warning: " + what);
  };
  auto started = node::start(*system_, options, environment);
  if (auto* why = std::get_if<std::string>(&started)) {
    coordinator().run();
    system_.reset();
    config_.reset();
    return std::move(*why);
  }
  node_ = std::get<std::unique_ptr<node>>(std::move(started));
  return std::nullopt;
}

void simulated_node::kill(power_loss loss, std::uint64_t draw) {
  transport_->close();
  disk.crash(); // whatever its end still does changes nothing
  if (node_) {
    const auto dying = std::exchange(node_, nullptr);
    dying->end();
    coordinator().run();
  }
  system_.reset();
  config_.reset();
  disk.restart(draw, loss);
  disk.set_now_us(static_cast<std::uint64_t>(clock.wall_now().value) * us_per_ms);
}

caf::scheduler::test_coordinator& simulated_node::coordinator() const {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

/// How many of the jobs are of actors that are not held back; those come first.
std::size_t simulated_node::put_held_back_last() {
  auto& jobs = coordinator().jobs;
  if (held_back_ == 0)
    return jobs.size();
  const auto hurries = [this](const caf::resumable* job) {
    const auto* actor = dynamic_cast<const caf::scheduled_actor*>(job);
    if (actor == nullptr)
      return true;
    // Half of the draws name the supervisors, each of which has a handler that all others wait for.
    if (held_back_ % 2 == 0)
      return std::string_view{actor->name()} != "supervisor";
    return mixed(held_back_, actor->id()) % 4 != 0;
  };
  return static_cast<std::size_t>(std::stable_partition(jobs.begin(), jobs.end(), hurries) - jobs.begin());
}

bool simulated_node::run_one(dice& which, bool also_held_back) {
  const auto answers = transport_->ready();
  const auto rounds = logs_.ready();
  auto actors = put_held_back_last();
  if (also_held_back && actors + answers + rounds == 0)
    actors = coordinator().jobs.size();
  if (actors + answers + rounds == 0)
    return false;
  const auto background = disk.pending_jobs().size();
  if (background > 0 && which.percent(3)) {
    run_job(static_cast<std::size_t>(which.below(background)));
    return true;
  }
  const auto drawn = static_cast<std::size_t>(which.below(actors + answers + rounds));
  if (drawn < actors)
    run_actor(drawn);
  else if (drawn < actors + answers)
    transport_->give(drawn - actors);
  else
    logs_.bring_back(drawn - actors - answers);
  return true;
}

void simulated_node::run_actor(std::size_t index) {
  auto& jobs = coordinator().jobs;
  const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(jobs.begin(), chosen, chosen + 1);
  auto* actor = dynamic_cast<caf::scheduled_actor*>(jobs.front());
  const std::string_view name = actor != nullptr ? actor->name() : "?";
  if (trace_.on())
    trace_.line("    runs: " + std::string{name} + " " + std::to_string(actor != nullptr ? actor->id() : 0));
  chance.now_runs(name == "supervisor");
  if (dies_ && name == "supervisor") {
    std::exchange(dies_, nullptr)();
    actor->eq_impl(caf::make_message_id().with_high_priority(), nullptr, nullptr,
                   caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
  }
  coordinator().try_run_once();
  chance.now_runs(false);
}

void simulated_node::run_job(std::size_t index) {
  told_.before_job(disk.pending_jobs()[index].user);
  disk.run_job(index);
}

void simulated_node::run_background(std::size_t jobs) {
  for (; jobs > 0 && !disk.pending_jobs().empty() && !disk.crashed(); --jobs)
    run_job(0);
}

void simulated_node::wait_until(std::int64_t until_ms) {
  if (!system_) {
    clock.advance_ms(until_ms - steady_ms());
    set_wall_forward_ms(0);
    return;
  }
  auto& timers = coordinator().clock();
  auto& scheduled = timers.schedule;
  while (!scheduled.empty() && scheduled.begin()->second.f.disposed())
    scheduled.erase(scheduled.begin());
  auto next = until_ms;
  if (!scheduled.empty()) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(scheduled.begin()->first - timers.now());
    next = std::min(next, steady_ms() + std::max<std::int64_t>(wait.count(), 0));
  }
  if (const auto timeout = transport_->next_timeout_ms())
    next = std::min(next, *timeout);
  const auto step = next - steady_ms();
  clock.advance_ms(step);
  set_wall_forward_ms(0);
  coordinator().advance_time(std::chrono::milliseconds{step});
  transport_->time_is(steady_ms());
}

void simulated_node::set_wall_forward_ms(std::int64_t jump_ms) {
  clock.set_wall_forward_ms(jump_ms);
  disk.set_now_us(static_cast<std::uint64_t>(clock.wall_now().value) * us_per_ms);
  told_.clocks_moved();
}

std::filesystem::path simulated_node::partition_path(std::uint32_t number) const {
  return folder_ / (number == plan_.shape.partitions ? "settings" : "partition-" + std::to_string(number));
}

simulated_node::folder_copy simulated_node::copy() const {
  folder_copy made;
  for (std::uint32_t i = 0; i <= plan_.shape.partitions; ++i)
    made.push_back(disk.copy(partition_path(i)));
  return made;
}

void simulated_node::restore(const folder_copy& older) {
  for (std::uint32_t i = 0; i <= plan_.shape.partitions; ++i)
    disk.restore(partition_path(i), older[i]);
}

} // namespace vicket::sim
