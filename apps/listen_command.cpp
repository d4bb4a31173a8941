#include "apps/commands.hpp"
#include "apps/received_request.hpp"
#include "apps/terminal.hpp"
#include "apps/termination.hpp"
#include "apps/wall_clock.hpp"
#include "policy/rfc3339.hpp"
#include "policy/secret.hpp"
#include "policy/utf8.hpp"

#include <httplib.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace vicket {

namespace {

/// Connections served at a time: each takes a thread while it is open, idle ones too.
constexpr std::size_t max_connections = 128;
/// Ids remembered to tell repetitions; at the bound all are forgotten. A node's have 36 bytes.
constexpr std::size_t max_remembered_ids = 1'000'000;
constexpr std::size_t max_id_bytes = 64;
/// Of a request's body, beyond which it is answered with 413: more than any node sends.
constexpr std::size_t max_body_bytes = std::size_t{32} << 20;
constexpr std::size_t requests_per_connection = 1'000'000;
/// An idle connection is closed after it; stopping takes as long.
constexpr std::time_t idle_timeout_s = 1;
constexpr int unauthorized = 401;
constexpr int failing = 500;

class receiver {
public:
  receiver(const client_options& options, const listen_options& what)
      : options_{options}, what_{what}, key_{what.secret}, server_{make_server(what)} {
    server_->new_task_queue = [] { return new httplib::ThreadPool(max_connections); };
    server_->set_keep_alive_max_count(requests_per_connection);
    server_->set_keep_alive_timeout(idle_timeout_s);
    server_->set_tcp_nodelay(true);
    server_->set_payload_max_length(max_body_bytes);
    server_->Post(".*",
                  [this](const httplib::Request& in, httplib::Response& out) { answer_request(in, out); });
  }

  /// The bound port, 0: not to be had.
  int bind() {
    if (!server_->is_valid())
      return 0;
    if (what_.port == 0)
      return std::max(0, server_->bind_to_any_port("127.0.0.1"));
    return server_->bind_to_port("127.0.0.1", what_.port) ? what_.port : 0;
  }

  void serve() { server_->listen_after_bind(); }

  /// From any thread.
  void stop() { server_->stop(); }

private:
  static std::unique_ptr<httplib::Server> make_server(const listen_options& what) {
    if (what.tls_cert.empty())
      return std::make_unique<httplib::Server>();
    return std::make_unique<httplib::SSLServer>(what.tls_cert.c_str(), what.tls_key.c_str());
  }

  void answer_request(const httplib::Request& in, httplib::Response& out) {
    const auto request = examine_request(
        key_, in.path, in.body, [&](const char* name) { return in.get_header_value(name); },
        wall_clock_now());
    const auto number = ++received_;
    if (what_.delay_ms > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{what_.delay_ms});
    if (!request.genuine()) {
      out.status = unauthorized;
      out.set_content("invalid signature\n", "text/plain");
    } else if (number <= what_.fail_first) {
      out.status = failing;
      out.set_content("failing as asked, request " + std::to_string(number) + " of " +
                          std::to_string(what_.fail_first) + "\n",
                      "text/plain");
    } else {
      out.status = what_.status;
      out.set_content("received\n", "text/plain");
    }
    print(request, out.status, number);
    if (what_.count != 0 && number >= what_.count)
      std::thread{[this] { stop(); }}.detach(); // not from here: stop waits for this very answer
  }

  bool seen_before(const std::string& id) {
    if (seen_.size() == max_remembered_ids)
      seen_.clear();
    return !id.empty() && id.size() <= max_id_bytes && !seen_.insert(id).second;
  }

  void print(const received_request& request, int status, std::uint64_t number) {
    const std::lock_guard guard{mutex_};
    const bool again = seen_before(request.id);
    out_.line(options_.json ? json_line(request, status, number, again) : text_line(request, status, again));
    out_.flush();
  }

  [[nodiscard]] std::string text_line(const received_request& request, int status, bool again) const {
    auto checked = [&](received_request::check value) {
      const bool good = value == received_request::check::valid;
      return out_.paint(to_string(value), good ? colour::green : colour::red);
    };
    return format_rfc3339(wall_clock_now()) + "  " + out_.paint(std::to_string(status), colour_of(status)) +
           "  POST " + printable(request.path, 60) + "  " + printable(request.event, 60) + "  " +
           printable(request.id, 40) + "  signature " + checked(request.signature) + ", standard-webhooks " +
           checked(request.standard_webhooks) + (again ? "  (same id again)" : "");
  }

  static colour colour_of(int status) { return status / 100 == 2 ? colour::green : colour::red; }

  static std::string json_line(const received_request& request, int status, std::uint64_t number,
                               bool again) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
    auto text = [&](const char* key, std::string_view value) {
      out.Key(key);
      out.String(with_replaced_invalid_utf8(value));
    };
    out.StartObject();
    out.Key("number");
    out.Uint64(number);
    text("received_at", format_rfc3339(wall_clock_now()));
    text("path", request.path);
    text("id", request.id);
    text("event", request.event);
    text("signature", to_string(request.signature));
    text("standard_webhooks", to_string(request.standard_webhooks));
    out.Key("repeated");
    out.Bool(again);
    out.Key("status");
    out.Int(status);
    text("body", request.body);
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
  }

  const client_options& options_;
  const listen_options& what_;
  signing_key key_;
  terminal out_ = terminal::standard();
  std::atomic<std::uint64_t> received_ = 0;
  std::mutex mutex_; ///< guards standard output and `seen_`
  std::unordered_set<std::string> seen_;
  std::unique_ptr<httplib::Server> server_;
};

} // namespace

int run_listen(const client_options& options, const listen_options& what) {
  if (const auto complaint = secret_complaint(what.secret))
    return report_usage("--secret: " + *complaint);
  const bool tls = !what.tls_cert.empty();
  if (tls)
    if (auto complaint = certificate_complaint(what.tls_cert, what.tls_key))
      return report_usage(*complaint);
  block_termination();
  receiver here{options, what};
  const int port = here.bind();
  if (port == 0)
    return report(options,
                  refusal{errc::unavailable, "can't listen on 127.0.0.1:" + std::to_string(what.port)});
  const auto out = terminal::standard();
  out.line((tls ? "listening on https://127.0.0.1:" : "listening on http://127.0.0.1:") +
           std::to_string(port));
  out.flush();
  std::thread{[&here] {
    wait_for_termination();
    here.stop();
  }}.detach();
  here.serve();
  out.flush();
  std::_Exit(exit_done); // the thread above still waits for a signal; it must not outlive what it points to
}

} // namespace vicket
