#include "tests/apps/node_process.hpp"

#include <csignal>

#include <stdexcept>

namespace vicket::testing {

arguments operator+(arguments a, const arguments& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

arguments certificate_files::identity(const std::string& name) const {
  const auto issued = authority_.good();
  return {"--tls-cert", folder_.file(name + ".pem", issued.pem), "--tls-key",
          folder_.file(name + ".key", issued.key_pem)};
}

arguments certificate_files::mutual(const std::string& name) const {
  return identity(name) + arguments{"--tls-ca", ca()};
}

node_process::node_process(const std::string& data_dir, const arguments& flags, const std::string& listen)
    : process_{std::make_unique<process>(
          arguments{VICKETD_PATH, "--data-dir", data_dir, "--listen", listen, "--partitions", "2"} + flags)} {
  const std::string mark = "actors=";
  const auto ready = process_->line_with("vicketd ready ");
  address_ = ready.substr(ready.find(mark) + mark.size());
}

int node_process::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

void node_process::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

arguments node_process::vicket_arguments(const arguments& args) const {
  return arguments{VICKET_PATH, "--node", address_} + args;
}

finished_process node_process::vicket(const arguments& args, const std::string& input) const {
  return run_process(vicket_arguments(args), input);
}

listen_process::listen_process(const certificate_files& files, const arguments& flags)
    : process_{std::make_unique<process>(
          arguments{VICKET_PATH, "listen", "--json", "--port", "0", "--secret", secret} +
          files.identity("receiver") + flags)} {
  const std::string mark = "listening on ";
  const auto ready = process_->line_with(mark);
  url_ = ready.substr(mark.size()) + "/hook";
}

arguments may_reach(const certificate_files& files) {
  return {"--allow-cidr", "127.0.0.0/8", "--ca-file", files.ca()};
}

std::string connector_json(const std::string& id, const std::string& url) {
  return R"({"id":")" + id + R"(","url":")" + url + R"(","secret":")" + listen_process::secret +
         R"(","retry":{"base_ms":100,"cap_ms":200}})";
}

std::string event_json(const std::string& connector, int number, const std::string& run) {
  return R"({"connector":")" + connector +
         R"(","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{"n":)" +
         std::to_string(number) + R"(},"run":")" + run + "\"}\n";
}

std::string text_field(const std::string& json, const std::string& name) {
  const auto mark = '"' + name + "\":\"";
  const auto start = json.find(mark);
  if (start == std::string::npos)
    return {};
  const auto from = start + mark.size();
  return json.substr(from, json.find('"', from) - from);
}

} // namespace vicket::testing
