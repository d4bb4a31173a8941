// A node that has a fault from SIGUSR1 on. It says so in lines on standard output:
//   faulty ready actors=127.0.0.1:PORT
//   faulty begins             from now on
//   faulty node failed        the node has asked to be ended; the reason is on standard error
// The fault, and what comes of it:
//   exit      the file system's syncs fail; it ends when it asks to, as vicketd does
//   linger    the same, but it lives on until SIGTERM, so that a test sees whether it still answers; then it loses what
//             a power cut loses, everything that was not synced, and exits
//   headless  its gateway dies; it ends when it asks to

#include "actors/node.hpp"
#include "actors/system_adapters.hpp"
#include "apps/actor_config.hpp"
#include "apps/termination.hpp"
#include "link/port.hpp"
#include "storage/testing/environments.hpp"
#include "transport/asio_transport.hpp"

#include <caf/actor_system.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/send.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

using namespace vicket;

namespace {

constexpr int exit_node_failed = 70;

sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

void await(int signal) {
  const auto set = only(signal);
  int got = 0;
  while (sigwait(&set, &got) != 0) {
  }
}

void say(const std::string& line) {
  std::cout << "faulty " + line + "\n" << std::flush;
}

int run(const char* data_dir, std::string_view mode, std::uint64_t seed) {
  const bool linger = mode == "linger";
  register_all_types();
  const system_clock_adapter time;
  system_random random;
  faulty_environment disk{faulty_environment::below::disk};
  const address_guard guard{{*ip_range::parse("127.0.0.0/8")}};
  transport_options sending;
  sending.guard = guard;
  node_environment environment;
  environment.time = &time;
  environment.random = &random;
  environment.transport = make_asio_transport(sending);
  environment.store = &disk;
  environment.failed = [linger](const std::string& why) {
    std::cerr << why + "\n" << std::flush;
    say("node failed");
    if (!linger)
      std::_Exit(exit_node_failed);
  };
  node_options options;
  options.data_dir = data_dir;
  options.guard = guard;
  options.allow_http = true;
  const auto actors = make_actor_config(0);
  caf::actor_system system{*actors};
  auto started = node::start(system, options, environment);
  if (const auto* why = std::get_if<std::string>(&started)) {
    std::cerr << *why << '\n';
    return 1;
  }
  auto gateway = std::get<0>(started)->gateway();
  auto opened =
      actor_port::open(system, gateway, {{{{"127.0.0.1", 0}, {}}}, {}, {}, [](const std::string& line) {
                                           std::cerr << line + "\n" << std::flush;
                                         }});
  if (const auto* why = std::get_if<std::string>(&opened)) {
    std::cerr << *why << '\n';
    return 1;
  }
  auto port = std::get<0>(std::move(opened));
  say("ready actors=" + port->places().front().to_string());

  await(SIGUSR1);
  if (mode == "headless")
    caf::anon_send_exit(gateway, caf::exit_reason::kill);
  else
    disk.fail_all_syncs();
  say("begins");
  await(SIGTERM);
  gateway = nullptr;
  port.reset();
  disk.crash();
  std::get<0>(started).reset(); // closes the store, so that the power cut can be played
  disk.restart(seed);
  std::_Exit(exit_node_failed);
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[2] : "";
  if (mode != "exit" && mode != "linger" && mode != "headless") {
    std::cerr << "vicketd-faulty DATA_DIR exit|linger|headless SEED\n";
    return 2;
  }
  block_termination();
  const auto fault = only(SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &fault, nullptr);
  return run(argv[1], mode, std::stoull(argv[3]));
}
