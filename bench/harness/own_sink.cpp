#include "bench/harness/own_sink.hpp"

#include "bench/harness/node_process.hpp"

#include <stdexcept>

namespace vicket::bench {

namespace {

constexpr std::int64_t ready_limit_ms = 10'000;
constexpr unsigned longest_life_s = 1'800;

std::vector<std::string> command(const workspace& where, const own_sink::setup& with) {
  std::vector<std::string> words{with.program.string(),
                                 "--cert",
                                 where.cert_file().string(),
                                 "--key",
                                 where.key_file().string(),
                                 "--records",
                                 where.file(with.name + ".arrivals").string(),
                                 "--secret",
                                 where.secret()};
  if (with.plain)
    words.insert(words.end(), {"--plain", "127.0.0.1:0"});
  words.insert(words.end(), with.more_flags.begin(), with.more_flags.end());
  return words;
}

std::uint16_t number_after(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  if (at == std::string::npos)
    throw std::runtime_error("the sink's ready line has no '" + name + "': " + text);
  return static_cast<std::uint16_t>(std::stoul(text.substr(at + name.size())));
}

} // namespace

own_sink::own_sink(const workspace& where, const setup& with)
    : log_{arrival_log::create(where.file(with.name + ".arrivals"), with.capacity)},
      process_{command(where, with), where.file(with.name + ".log"), longest_life_s} {
  const auto line = process_.read_line("sink ready ", ready_limit_ms);
  if (!line)
    throw std::runtime_error(with.program.string() + " did not start; the end of its log:\n" +
                             end_of(where.file(with.name + ".log")));
  port_ = number_after(*line, "https=");
  plain_port_ = number_after(*line, "plain=");
}

std::string own_sink::url(const std::string& behaviour, std::uint32_t number) const {
  return "https://127.0.0.1:" + std::to_string(port_) + "/" + behaviour + "/" + std::to_string(number);
}

std::uint64_t own_sink::arrived() const {
  return log_.top().count.load(std::memory_order_acquire);
}

void own_sink::read_arrivals(const std::function<void(const arrival&)>& take) {
  for (const auto& one : log_.arrivals().subspan(taken_)) {
    take(one);
    ++taken_;
  }
  if (const auto dropped = log_.top().dropped.load(); dropped > 0)
    throw std::runtime_error("the sink had no room for " + std::to_string(dropped) +
                             " requests in its record");
}

std::uint64_t own_sink::hanging() const {
  return log_.top().hanging.load();
}

std::uint64_t own_sink::open_connections() const {
  return log_.top().open_connections.load();
}

void own_sink::open_gate(bool open) {
  log_.top().gate_open.store(open ? 1 : 0);
}

} // namespace vicket::bench
