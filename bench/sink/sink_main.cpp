// The harness's own HTTPS endpoint: endpoints that are slow, fail or hang, 10,000 connections at a time, and
// a record of every request. One process, one thread.

#include "bench/sink/arrival_log.hpp"
#include "bench/sink/fault.hpp"
#include "bench/sink/reception.hpp"
#include "bench/sink/server_tls.hpp"
#include "bench/sink/sink_server.hpp"

#include <CLI/CLI.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace vicket::bench;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// Everything that isn't a connection: the three standard files, ports, epoll, signals; a round guess on the
/// safe side.
constexpr std::size_t other_files = 32;

constexpr const char* more_help = R"(
Paths: /<behaviour>/<connector number>, where the behaviour is
  ok            200, without a body
  status-NNN    that status, 200 to 999, with a short body
  delay-N       200 after N milliseconds, 60000 at most
  hang          no answer ever
  gate          200 while the harness holds the gate open, else 503
Anything else: 404.

Prints "sink ready https=PORT plain=PORT" when it listens. Ends on SIGTERM, on SIGINT, when its standard
input ends (if that is a pipe), and with the process that started it. Exit codes: 0 ended, 1 could not go on,
2 wrong usage.)";

struct flags {
  std::string certificate;
  std::string key;
  std::string records;
  std::string https = "127.0.0.1:0";
  std::string plain;
  std::string secret;
  std::uint64_t verify_every = 16;
  std::size_t connections = 10'000;
  std::vector<std::string> faults;
};

void add_flags(CLI::App& app, flags& given) {
  app.footer(more_help);
  app.add_option("--cert", given.certificate, "Its certificate and those above it")
      ->type_name("PEM")
      ->required();
  app.add_option("--key", given.key, "The certificate's private key")->type_name("PEM")->required();
  app.add_option("--records", given.records, "The log of arrivals, which the harness made")
      ->type_name("FILE")
      ->required();
  app.add_option("--listen", given.https, "HTTPS; port 0 picks one [127.0.0.1:0]")->type_name("HOST:PORT");
  app.add_option("--plain", given.plain, "Plain HTTP; what comes here is verified every time")
      ->type_name("HOST:PORT");
  app.add_option("--secret", given.secret, "Of all connectors; without it no signature is verified")
      ->type_name("TEXT");
  app.add_option("--verify-every", given.verify_every, "Verify each N-th HTTPS request, 0: none [16]")
      ->type_name("N");
  app.add_option("--connections", given.connections, "At once; more wait to be accepted [10000]")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--fault", given.faults, "lose:N, double:N or forge:N, of the N-th request; repeatable")
      ->type_name("NAME:N")
      ->allow_extra_args(false)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// Raises the limit of open files as far as the system lets it; answers how many connections fit below it.
std::size_t connections_to_be_had(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return wanted;
  const auto before = limit;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    limit = before;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted + other_files)
    return wanted;
  const auto possible = std::max<std::size_t>(limit.rlim_cur, other_files + 1) - other_files;
  std::cerr << "vicket-bench-sink: this process may open " << limit.rlim_cur << " files, --connections "
            << wanted << " needs " << wanted + other_files << ": more than " << possible
            << " connections will wait; raise the limit (ulimit -Hn, LimitNOFILE=) or lower the flag"
            << std::endl;
  return possible;
}

std::int64_t unix_seconds() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
}

reception::settings reception_of(const flags& given, std::vector<fault> faults) {
  reception::settings how;
  if (!given.secret.empty())
    how.secret = given.secret;
  how.verify_every = given.verify_every;
  how.faults = std::move(faults);
  return how;
}

sink_server::settings server_of(const flags& given) {
  sink_server::settings how{listening_socket{given.https}, make_server_context(given.certificate, given.key),
                            std::nullopt, connections_to_be_had(given.connections)};
  if (!given.plain.empty())
    how.plain.emplace(given.plain);
  return how;
}

void run(const flags& given, std::vector<fault> faults) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a harness that crashed must leave nothing behind
  const termination_watch end;
  auto log = arrival_log::open(given.records);
  auto how = server_of(given);
  reception desk{reception_of(given, std::move(faults)), log, unix_seconds};
  const auto https_port = how.https.port();
  const auto plain_port = how.plain ? how.plain->port() : 0;
  sink_server server{std::move(how), log, desk, end};
  std::cout << "sink ready https=" << https_port << " plain=" << plain_port << std::endl;
  server.run();
}

int fail(int code, std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::cerr << "vicket-bench-sink: " << line << std::endl;
  return code;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"An HTTPS endpoint that does what a request's path says, and records every request.",
               "vicket-bench-sink"};
  flags given;
  add_flags(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& problem) {
    return fail(exit_usage, problem.what());
  }
  std::vector<fault> faults;
  for (const auto& text : given.faults) {
    const auto found = parse_fault(text);
    if (!found)
      return fail(exit_usage, "--fault " + text + ": it is none of lose:N, double:N, forge:N with N from 1");
    faults.push_back(*found);
  }
  try {
    run(given, std::move(faults));
  } catch (const std::exception& problem) {
    return fail(exit_failed, problem.what());
  }
  return 0;
}
