// The crash oracle: a feeder, a node and receivers as processes of their own; the node is killed at random
// moments and restarted, and what everyone saw is then judged. One program plays every role but the node's.
#include "tests/crash/cursor_follower.hpp"
#include "tests/crash/driver.hpp"
#include "tests/crash/feeder.hpp"
#include "tests/crash/node_client.hpp"
#include "tests/crash/receiver.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace {

std::atomic<bool> stop_asked{false};
std::atomic<std::uint32_t> bursts_asked{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

struct command_line {
  std::string role = "driver";
  std::uint64_t seed = 0;
  vicket::crash::driver_options driver;
  std::filesystem::path folder;
  int index = 0;
  std::vector<std::uint16_t> ports;
};

std::uint64_t random_seed() {
  std::random_device source;
  return source(); // 32 bits, easy to type
}

int run(const command_line& asked) {
  const vicket::crash::plan promises{asked.seed};
  if (asked.role == "receiver") {
    vicket::crash::run_receiver(promises, {asked.index, asked.folder}, stop_asked);
    return 0;
  }
  vicket::crash::prepare_messages();
  if (asked.role == "follower")
    return vicket::crash::run_cursor_follower(promises, asked.folder, stop_asked) ? 0 : 1;
  if (asked.role == "feeder") {
    vicket::crash::feeder_options options{asked.folder, asked.driver.events_per_s, {}};
    std::copy_n(asked.ports.begin(), std::min(asked.ports.size(), options.ports.size()),
                options.ports.begin());
    return vicket::crash::run_feeder(promises, options, stop_asked, bursts_asked) ? 0 : 1;
  }
  std::printf("crash oracle, seed %llu\n", static_cast<unsigned long long>(asked.seed));
  std::fflush(stdout);
  return vicket::crash::run_driver(promises, asked.driver) ? 0 : 1;
}

} // namespace

int main(int count, char** arguments) {
  command_line asked;
  CLI::App app{"Kills a node again and again and finds out whether it kept its promises."};
  app.add_option("--node", asked.driver.node, "the vicketd to test")->check(CLI::ExistingFile);
  const auto* seed = app.add_option("--seed", asked.seed, "repeats a plan (default: a random one)");
  app.add_option("--kills", asked.driver.kills, "how often")->capture_default_str();
  app.add_option("--seconds", asked.driver.seconds, "kill for so long, instead of so often");
  app.add_option("--events-per-s", asked.driver.events_per_s, "what the feeder sends")->capture_default_str();
  app.add_option("--slow-node", asked.driver.slow_node_ms,
                 "a commit of the node may take so many ms longer: it runs under a sanitizer");
  app.add_option("--slow-sync", asked.driver.slow_sync_ms, "every sync of the node takes so many ms longer");
  app.add_flag("--keep", asked.driver.keep, "keep the run's folder");
  app.add_option("--role", asked.role, "for the program's own use")->group("");
  app.add_option("--folder", asked.folder, "for the program's own use")->group("");
  app.add_option("--index", asked.index, "for the program's own use")->group("");
  app.add_option("--ports", asked.ports, "for the program's own use")->group("");
  CLI11_PARSE(app, count, arguments);
  if (seed->count() == 0)
    asked.seed = random_seed();
  asked.driver.program = std::filesystem::canonical("/proc/self/exe");
  if (asked.role == "driver" && asked.driver.node.empty()) {
    std::fprintf(stderr, "crash-oracle: --node is required\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  if (asked.role != "driver")
    std::signal(SIGTERM, [](int) { stop_asked = true; });
  if (asked.role == "feeder")
    std::signal(SIGUSR1, [](int) { ++bursts_asked; });
  try {
    return run(asked);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "crash-oracle: %s\n", problem.what());
    return 1;
  }
}
