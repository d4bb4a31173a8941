// Connections that mean harm, at a node's actor port: all kinds of them at once, so many a second. One process, one
// thread: what they cost who plays them is not to be what is measured.

#include "bench/attacker/attack_run.hpp"
#include "bench/attacker/client_tls.hpp"
#include "tests/support/link_messages.hpp"

#include <CLI/CLI.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace vicket::bench;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct flags {
  std::uint16_t port = 0;
  std::string certificate;
  std::string key;
  std::string foreign_certificate;
  std::string foreign_key;
  std::vector<std::string> only;
  double connections_per_s = 100;
  double messages_per_s = 500;
  std::size_t most_open = 1'500;
  std::size_t crowd = 0;
  std::size_t burst = 0;
  unsigned longest_s = 600;
};

std::string names() {
  std::string text;
  for (const auto& one : all_attacks())
    text += " " + one.name;
  return text;
}

void add_flags(CLI::App& app, flags& given) {
  app.footer(
      "\nAttacks:" + names() +
      "\n\nPrints \"ready\" when it has begun, and at its end a line for each attack. Ends on SIGTERM, on "
      "SIGINT,\nwhen its standard input ends (if that is a pipe), with the process that started it, and when "
      "its "
      "time is over.");
  app.add_option("--port", given.port, "The actor port on 127.0.0.1, with TLS")->required();
  app.add_option("--cert", given.certificate, "Of one that may send events alone")
      ->type_name("PEM")
      ->required();
  app.add_option("--key", given.key, "Its key")->type_name("PEM")->required();
  app.add_option("--foreign-cert", given.foreign_certificate, "Of an authority that the node does not know")
      ->type_name("PEM")
      ->required();
  app.add_option("--foreign-key", given.foreign_key, "Its key")->type_name("PEM")->required();
  app.add_option("--only", given.only, "This attack alone; repeatable [all]")->type_name("NAME");
  app.add_option("--connections-per-s", given.connections_per_s,
                 "New connections a second in all, 0: as fast as it goes [100]");
  app.add_option("--messages-per-s", given.messages_per_s,
                 "Messages a second in all, 0: as fast as it goes [500]");
  app.add_option("--most-open", given.most_open, "Connections at a time, but for the burst's [1500]");
  app.add_option("--crowd", given.crowd, "So many are upgraded, from one address, and stay [0]");
  app.add_option("--burst", given.burst, "A second after the beginning so many more are tried at once [0]");
  app.add_option("--seconds", given.longest_s, "It ends then, whatever is [600]")
      ->check(CLI::Range(1, 86'400));
}

std::vector<attack> chosen(const std::vector<std::string>& only) {
  if (only.empty())
    return all_attacks();
  std::vector<attack> found;
  for (const auto& name : only) {
    const auto& all = all_attacks();
    const auto at = std::find_if(all.begin(), all.end(), [&](const attack& one) { return one.name == name; });
    if (at == all.end())
      throw CLI::ValidationError{"--only " + name + ": it is none of" + names()};
    found.push_back(*at);
  }
  return found;
}

void be_out_of_the_way(const flags& given) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a harness that crashed must leave nothing behind
  ::alarm(given.longest_s);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void run(const flags& given, std::vector<attack> attacks) {
  be_out_of_the_way(given);
  const termination_watch end;
  attack_run::settings with;
  with.port = given.port;
  with.attacks = std::move(attacks);
  with.connections_per_s = given.connections_per_s;
  with.messages_per_s = given.messages_per_s;
  with.most_open = given.most_open;
  with.crowd = given.crowd;
  with.burst = given.burst;
  with.tls = {make_client_context({}, {}), make_client_context(given.foreign_certificate, given.foreign_key),
              make_client_context(given.certificate, given.key)};
  with.material = {client_hello(*with.tls.front()), vicket::testing::valid_link_messages()};
  attack_run all{std::move(with), end};
  all.run([] { std::cout << "ready" << std::endl; });
  for (const auto& [name, count] : all.counts())
    std::cout << "attack " << name << ' ' << count.tried << ' ' << count.reached << ' ' << count.messages
              << '\n';
  std::cout << "end " << all.seconds() << ' ' << all.crowd_held() << ' ' << all.bursts_opened() << std::endl;
}

int fail(int code, std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::cerr << "vicket-bench-attacker: " << line << std::endl;
  return code;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Attacks the actor port of a node on this machine.", "vicket-bench-attacker"};
  flags given;
  add_flags(app, given);
  std::vector<attack> attacks;
  try {
    app.parse(argc, argv);
    attacks = chosen(given.only);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& problem) {
    return fail(exit_usage, problem.what());
  }
  try {
    run(given, std::move(attacks));
  } catch (const std::exception& problem) {
    return fail(exit_failed, problem.what());
  }
  return 0;
}
