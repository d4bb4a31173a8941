#include "tests/nodes/cut_network.hpp"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace vicket::testing {

namespace {

constexpr const char* ip_path = "/usr/sbin/ip";
constexpr const char* bits = "/24";
/// Nobody's: a frame to it is lost.
constexpr const char* nowhere = "02:00:00:00:00:99";
/// As long as a holder lives, if nobody ends it.
constexpr const char* longest_life_s = "3600";

void run(std::vector<std::string> command) {
  std::string text;
  for (const auto& word : command)
    text += word + " ";
  const auto ended = run_process(std::move(command));
  if (ended.code != 0)
    throw std::runtime_error{text + "ended with " + std::to_string(ended.code) + ": " + ended.errors};
}

void ip(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ip_path);
  run(std::move(arguments));
}

} // namespace

std::optional<std::string> cut_network::enter() {
  if (::geteuid() != 0)
    return "only root may make network namespaces";
  if (!std::filesystem::exists(ip_path))
    return std::string{"there is no "} + ip_path + " (iproute2)";
  if (::unshare(CLONE_NEWNET) != 0)
    return "this system permits no network namespaces: " + std::generic_category().message(errno);
  try {
    ip({"link", "set", "lo", "up"});
    ip({"link", "add", "hub", "type", "bridge"});
    ip({"addr", "add", address_of(hub) + bits, "dev", "hub"});
    ip({"link", "set", "hub", "up"});
  } catch (const std::runtime_error& why) {
    return why.what();
  }
  return std::nullopt;
}

cut_network::cut_network() {
  static int made = 0; // one before may not be gone yet
  ++made;
  for (std::size_t host = 0; host < hosts; ++host) {
    holders_.push_back(std::make_unique<process>(
        std::vector<std::string>{"/usr/bin/unshare", "--net", "/bin/sh", "-c",
                                 std::string{"echo there; exec sleep "} + longest_life_s}));
    if (!holders_.back()->line())
      throw std::runtime_error{"a network namespace can't be made: " + holders_.back()->errors()};
    const auto outer = "to-" + std::to_string(made) + "-" + std::to_string(host);
    ip({"link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns",
        std::to_string(holders_.back()->id())});
    ip({"link", "set", outer, "master", "hub"});
    ip({"link", "set", outer, "up"});
    run_on(host, {ip_path, "link", "set", "lo", "up"});
    run_on(host, {ip_path, "addr", "add", address_of(host) + bits, "dev", "eth0"});
    run_on(host, {ip_path, "link", "set", "eth0", "up"});
  }
}

cut_network::~cut_network() {
  for (const auto& each : holders_)
    each->signal(SIGKILL);
}

std::string cut_network::address_of(std::size_t who) {
  return "192.0.2." + std::to_string(who + 1); // RFC 5737
}

std::vector<std::string> cut_network::on(std::size_t host, std::vector<std::string> command) const {
  std::vector<std::string> all{"/usr/bin/nsenter", "--net", "--target",
                               std::to_string(holders_.at(host)->id()), "--"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

void cut_network::run_on(std::size_t who, std::vector<std::string> command) const {
  run(who == hub ? std::move(command) : on(who, std::move(command)));
}

void cut_network::cut(std::size_t from, std::size_t to) const {
  run_on(from, {ip_path, "neigh", "replace", address_of(to), "lladdr", nowhere, "nud", "permanent", "dev",
                from == hub ? "hub" : "eth0"});
}

void cut_network::heal(std::size_t from, std::size_t to) const {
  run_on(from, {ip_path, "neigh", "del", address_of(to), "dev", from == hub ? "hub" : "eth0"});
}

} // namespace vicket::testing
