#include "bench/harness/attacker_process.hpp"

#include "bench/harness/node_process.hpp"

#include <csignal>
#include <sstream>
#include <stdexcept>

namespace vicket::bench {

namespace {

constexpr std::int64_t ready_limit_ms = 15'000;
constexpr std::int64_t stop_limit_ms = 10'000;
constexpr unsigned longest_life_s = 600;

std::vector<std::string> command(const attacker_process::setup& with) {
  std::vector<std::string> words{
      with.program.string(), "--port",        std::to_string(with.port), "--cert",
      with.sender.cert,      "--key",         with.sender.key,           "--foreign-cert",
      with.foreign.cert,     "--foreign-key", with.foreign.key};
  words.insert(words.end(), with.more_flags.begin(), with.more_flags.end());
  return words;
}

double per_second(const attack_report& of, std::uint64_t attack_count::*what) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : of.attacks)
    sum += count.*what;
  return of.seconds > 0 ? static_cast<double>(sum) / of.seconds : 0;
}

} // namespace

double attack_report::connections_per_s() const {
  return per_second(*this, &attack_count::tried);
}

double attack_report::messages_per_s() const {
  return per_second(*this, &attack_count::messages);
}

std::vector<std::string> complaints_of(const attack_report& report, const attack_demand& wanted) {
  std::vector<std::string> found;
  const auto least_part = [&](double of) { return of * wanted.least_part; };
  if (report.connections_per_s() < least_part(wanted.connections_per_s))
    found.push_back("only " + std::to_string(report.connections_per_s()) + " connections/s were made");
  if (static_cast<double>(report.crowd) < least_part(static_cast<double>(wanted.crowd)))
    found.push_back("only " + std::to_string(report.crowd) + " upgraded connections were held");
  if (report.burst < wanted.burst)
    found.push_back("only " + std::to_string(report.burst) + " connections were tried at once");
  if (report.attacks.empty())
    found.emplace_back("nothing was tried");
  for (const auto& [name, count] : report.attacks)
    if (count.tried == 0 ||
        static_cast<double>(count.reached) < static_cast<double>(count.tried) * wanted.least_reached)
      found.push_back("of " + std::to_string(count.tried) + " connections of the kind " + name + " only " +
                      std::to_string(count.reached) + " came as far as they were to");
  return found;
}

bool attack_report_reader::read(const std::string& line) {
  std::istringstream words{line};
  std::string what;
  std::string name;
  words >> what;
  if (what == "attack") {
    attack_count count;
    if (words >> name >> count.tried >> count.reached >> count.messages) {
      report_.attacks[name] = count;
      return false;
    }
  } else if (what == "end") {
    if (words >> report_.seconds >> report_.crowd >> report_.burst)
      return true;
  }
  throw std::runtime_error("the attacker does not say such a thing: " + line);
}

attacker_process::attacker_process(const setup& with)
    : log_{with.log}, process_{command(with), with.log, longest_life_s} {
  if (!process_.read_line("ready", ready_limit_ms))
    throw std::runtime_error(with.program.string() + " did not start; the end of its log:\n" + end_of(log_));
}

attack_report attacker_process::stop() {
  process_.signal(SIGTERM);
  attack_report_reader reader;
  for (bool last = false; !last;) {
    const auto line = process_.read_line("", stop_limit_ms);
    if (!line)
      throw std::runtime_error("the attacker ended before its time; the end of its log:\n" + end_of(log_));
    last = reader.read(*line);
  }
  const auto status = process_.wait(stop_limit_ms);
  if (!status || !testing::exited_well(*status))
    throw std::runtime_error("the attacker did not end well; the end of its log:\n" + end_of(log_));
  return reader.report();
}

} // namespace vicket::bench
