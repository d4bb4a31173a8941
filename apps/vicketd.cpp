// A Vicket node: the composition root. What it is made of is in actors/node.hpp.

#include "actors/node.hpp"
#include "actors/system_adapters.hpp"
#include "apps/actor_config.hpp"
#include "apps/cluster_member.hpp"
#include "apps/folder_commands.hpp"
#include "apps/memory_keeper.hpp"
#include "apps/node_config.hpp"
#include "apps/process_limits.hpp"
#include "apps/sockets.hpp"
#include "apps/terminal.hpp"
#include "apps/termination.hpp"
#include "link/port.hpp"
#include "net/file_reading.hpp"
#include "transport/asio_transport.hpp"
#include "transport/system_addresses.hpp"

#include <caf/actor_system.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace vicket;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_node_failed = 70;                       // EX_SOFTWARE: restart me, the store recovers
constexpr std::int64_t drain_patience_ms = 10'000;         // as the README says
constexpr std::chrono::milliseconds close_patience{1'000}; // for answers that are on their way
constexpr std::size_t max_line_columns = 4'000;
constexpr unsigned stop_deadline_s = 30; // a stop that hangs is ended, and says so

void set_up_log(const std::string& level) {
  auto log = spdlog::stderr_color_mt("vicketd");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-8l%$ %v", spdlog::pattern_time_type::utc);
  log->set_level(spdlog::level::from_str(level));
  log->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(log));
}

/// What a line names may come from those who send events, or from endpoints.
void warn(const std::string& line) {
  spdlog::warn("{}", printable(line, max_line_columns));
}

int fail(int code, const std::string& line) {
  std::cerr << "vicketd: " << printable(line, max_line_columns) << std::endl;
  return code;
}

file_needs needs_of(const node_config& config) {
  return {config.max_in_flight, partitions_to_be(config.data_dir, config.partitions),
          !config.cluster.name.empty()};
}

/// `max_open_files` is what the process may have open.
transport_options transport_of(const node_config& config, const address_guard& guard,
                               std::size_t max_open_files) {
  transport_options options;
  const auto needs = needs_of(config);
  options.sockets.budget = std::make_shared<socket_budget>(max_open_files - needs.beside_deliveries());
  options.io_threads = config.io_threads;
  options.guard = guard;
  options.ca_files = config.ca_files;
  options.dns_servers = config.dns_servers;
  options.log_warning = warn;
  return options;
}

/// The cluster that the node is to be part of.
struct cluster_to_join {
  cluster_identity identity;
  std::shared_ptr<start_permit> settings_fresh = std::make_shared<start_permit>(boot_ms);
};

node_options options_of(const node_config& config, const address_guard& guard,
                        const std::optional<cluster_to_join>& cluster) {
  node_options options;
  options.data_dir = config.data_dir;
  options.secret_key_file = config.secret_key_file;
  options.partitions = config.partitions;
  options.guard = guard;
  options.allow_http = config.allow_http;
  options.retention_ms = config.retention_ms;
  options.history_bytes_per_connector = config.history_bytes_per_connector;
  options.max_envelope_bytes = config.max_envelope_bytes;
  options.max_in_flight = config.max_in_flight;
  options.window_memory_bytes = config.window_memory_bytes;
  options.backup_root = config.backup_root;
  if (cluster) {
    options.cluster = data_folder::cluster_place{cluster->identity.uuid, config.cluster.node};
    options.settings_fresh = cluster->settings_fresh;
    options.copy_bytes_per_second = config.cluster.copy_rate;
  }
  return options;
}

[[noreturn]] void end_failed_node(const std::string& why) {
  spdlog::critical("the node failed, ending at once: {}", printable(why, max_line_columns));
  std::_Exit(
      exit_node_failed); // no destructor may write to a store that failed, or wait for an actor that is dead
}

std::optional<std::string> files_complaint(const node_config& config) {
  if (config.tls)
    if (auto why = tls_files_complaint(*config.tls))
      return why;
  for (const auto& file : config.ca_files)
    if (auto why = trust_roots_complaint(file))
      return why;
  return std::nullopt;
}

/// Why nobody could listen there right now ("address already in use"): known before the store is opened.
std::optional<std::string> listen_complaint(const node_config& config) {
  for (const auto& where : config.listen)
    if (!where.is_unix())
      if (auto why = try_bind(where.address))
        return "can't listen on " + where.to_string() + ": " + *why;
  return std::nullopt;
}

void read_again(internal::file_reading& certificates, http_transport& transport, bool tls) {
  spdlog::info("SIGHUP: certificates, the name servers and the trust roots of deliveries are read again");
  transport.reload();
  if (tls && !certificates.begin())
    spdlog::warn(
        "the actor port's certificates are still being read since the SIGHUP before (from a mount that "
        "hangs?): they are read once more after that");
}

void tell_of_certificates(const std::optional<std::string>& why) {
  if (why)
    spdlog::warn("the actor port's certificates stay as they were: {}", printable(*why, max_line_columns));
  else
    spdlog::info("the actor port's certificates are new, for connections from now on");
}

actor_port::options port_options_of(const node_config& config, std::vector<place> listen) {
  actor_port::options options;
  options.listen = std::move(listen);
  options.tls = config.tls;
  options.roles = config.roles;
  options.log_warning = warn;
  return options;
}

/// From "the node runs" to "it may go": the port, the ready line, the signals, the drain.
int serve(caf::actor_system& system, node& running, http_transport& transport, const node_config& config,
          const std::optional<cluster_to_join>& cluster, random_source& random) {
  auto opened = actor_port::open(system, running.gateway(), port_options_of(config, config.listen));
  if (const auto* why = std::get_if<std::string>(&opened))
    return fail(exit_failed, *why);
  const auto port = std::get<0>(std::move(opened));
  std::unique_ptr<actor_port> peer_port;
  std::unique_ptr<cluster_member> member;
  if (cluster) {
    auto for_others = port_options_of(config, {*config.cluster.listen});
    for_others.peer = running.door();
    for_others.local_peers = !config.tls || config.cluster.listen->is_unix();
    auto for_peers = actor_port::open(system, running.gateway(), for_others);
    if (const auto* why = std::get_if<std::string>(&for_peers))
      return fail(exit_failed, *why);
    peer_port = std::get<0>(std::move(for_peers));
    cluster_member::setup joining;
    joining.system = &system;
    joining.running = &running;
    joining.random = &random;
    joining.cluster = cluster->identity;
    joining.settings_fresh = cluster->settings_fresh;
    joining.config = &config;
    joining.listens = peer_port->places().front();
    joining.log_info = [](const std::string& line) { spdlog::info("{}", printable(line, max_line_columns)); };
    joining.log_warning = warn;
    joining.failed = end_failed_node;
    member = std::make_unique<cluster_member>(joining);
    spdlog::info("node {} of the cluster {}, reached by the others at {}", config.cluster.node,
                 cluster->identity.name,
                 config.cluster.advertise.value_or(peer_port->places().front()).to_string());
  }
  const auto places = port->places();
  for (const auto& where : places)
    spdlog::info("accepting messages on {}{}, {} partitions in {}", where.to_string(),
                 config.tls && !where.is_unix() ? " with mutual TLS" : "", running.partitions(),
                 config.data_dir.string());
  std::cout << "vicketd ready actors=" << places.front().to_string() << std::endl;
  for (std::size_t i = 1; i < places.size(); ++i)
    std::cout << "vicketd also actors=" << places[i].to_string() << std::endl;

  std::optional<memory_keeper> memory{std::in_place, [&system] { return system.registry().running(); }};
  using reloader = std::function<std::optional<std::string>()>;
  internal::file_reading certificates{
      [own = port->reloader(), of_peers = peer_port ? peer_port->reloader() : reloader{},
       to_peers = member ? member->reloader() : reloader{}](bool) -> internal::file_reading::news {
        auto why = own();
        for (const auto& others : {of_peers, to_peers})
          if (others && !why)
            why = others();
        return [why] { tell_of_certificates(why); };
      }};
  const auto signal =
      wait_for_termination([&] { read_again(certificates, transport, config.tls.has_value()); });
  memory.reset();
  spdlog::info("{}: stopping; deliveries in flight get {} s", signal, drain_patience_ms / 1000);
  end_at_next_termination(stop_deadline_s);
  port->close_for_new();
  const bool gone = !member || member->let_go(drain_patience_ms);
  const bool clean = running.stop(drain_patience_ms) && gone;
  port->close_all(close_patience);
  if (peer_port)
    peer_port->close_all(close_patience);
  member = nullptr;
  if (clean)
    spdlog::info("stopped, everything is on disk");
  else
    spdlog::warn("stopped with deliveries in flight: they are sent again after the next start");
  return 0;
}

int run(const node_config& config, std::size_t max_open_files,
        const std::optional<cluster_to_join>& cluster) {
  register_all_types();
  const system_clock_adapter time;
  system_random random;
  node_environment environment;
  environment.time = &time;
  environment.random = &random;
  const address_guard guard{config.allow_cidrs, config.deny_cidrs, std::make_shared<system_addresses>()};
  environment.transport = make_asio_transport(transport_of(config, guard, max_open_files));
  environment.failed = end_failed_node;
  environment.log_warning = warn;
  const auto actors = make_actor_config(config.threads);
  caf::actor_system system{*actors};
  auto started = node::start(system, options_of(config, guard, cluster), environment);
  if (const auto* why = std::get_if<std::string>(&started))
    return fail(exit_failed, *why);
  return serve(system, *std::get<0>(started), *environment.transport, config, cluster, random);
}

/// A folder of the version before. What it had in the clear this process has read: it begins anew, so that none of it is
/// left in memory that a dump would have.
std::optional<int> take_over(const node_config& config, char** argv) {
  const auto taken = take_over_folder(config, warn);
  if (const auto* why = std::get_if<std::string>(&taken))
    return fail(exit_failed, *why);
  if (!std::get<bool>(taken))
    return std::nullopt;
  spdlog::info("the secrets in {} are encrypted from now on; the node begins anew, since it has seen them",
               config.data_dir.string());
  ::execv("/proc/self/exe", argv);
  spdlog::warn("it could not begin anew ({}): until it is started again its memory has secrets in the clear",
               std::generic_category().message(errno));
  return std::nullopt;
}

} // namespace

int main(int argc, char** argv) {
  keep_out_of_dumps(); // before there is anything to hide
  const auto parsed_flags = parse_node_config(argc, argv, [](const char* name) { return std::getenv(name); });
  if (const auto* end = std::get_if<early_exit>(&parsed_flags)) {
    (end->code == 0 ? std::cout : std::cerr) << printable_lines(end->text) << std::flush;
    return end->code;
  }
  auto config = std::get<node_config>(parsed_flags);
  set_up_log(config.log_level);
  if (const auto command = run_folder_command(config, warn)) {
    if (!command->done)
      return fail(exit_failed, command->line);
    std::cout << "vicketd: " << printable(command->line, max_line_columns) << std::endl;
    return 0;
  }
  if (auto why = files_complaint(config))
    return fail(exit_usage, *why);
  if (auto why = backup_root_complaint(config))
    return fail(exit_usage, *why);
  std::optional<cluster_to_join> cluster;
  if (!config.cluster.name.empty()) {
    auto found = find_cluster(config, warn);
    if (const auto* why = std::get_if<std::string>(&found))
      return fail(exit_failed, *why);
    cluster = cluster_to_join{std::get<cluster_identity>(std::move(found))};
    config.partitions = cluster->identity.partitions;
  }
  const auto max_open_files = raise_file_limit();
  const auto needs = needs_of(config);
  const auto few_files = needs.complaint(max_open_files);
  if (few_files) {
    const auto most = needs.most_in_flight(max_open_files);
    if (config.max_in_flight_asked_for || most == 0)
      return fail(exit_usage, *few_files);
    config.max_in_flight = most;
  }
  block_termination(); // before there is any other thread, so that all of them inherit it
  block_hangup();
  if (few_files)
    spdlog::warn("{}: going on with {} in flight", *few_files, config.max_in_flight);
  if (auto why = listen_complaint(config))
    return fail(exit_failed, *why);
  try {
    if (const auto ended = take_over(config, argv))
      return *ended;
    return run(config, max_open_files, cluster);
  } catch (const std::exception& problem) {
    return fail(exit_failed, problem.what());
  }
}
