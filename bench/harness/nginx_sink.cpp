#include "bench/harness/nginx_sink.hpp"

#include "bench/harness/node_process.hpp"
#include "bench/harness/real_time.hpp"
#include "messages/ids.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace vicket::bench {

namespace {

constexpr std::int64_t ready_limit_ms = 10'000;
constexpr unsigned longest_life_s = 1'800;
/// `<36 of the id> <14 of the time> <3 of the length> <3 of the status>\n`
constexpr std::uint64_t line_bytes = 60;

constexpr const char* configuration = R"(
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid @folder@/nginx.pid;
error_log @folder@/nginx.log warn;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path @folder@/nginx-body;
  proxy_temp_path @folder@/nginx-proxy;
  fastcgi_temp_path @folder@/nginx-fastcgi;
  uwsgi_temp_path @folder@/nginx-uwsgi;
  scgi_temp_path @folder@/nginx-scgi;
  log_format arrivals '$http_webhook_id $msec $content_length $status';
  map $http_webhook_id $sampled { default 0; ~00$ 1; }
  upstream verifier { server 127.0.0.1:@verifier@; keepalive 16; }
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  server {
    listen 127.0.0.1:@port@ ssl backlog=4096;
    ssl_certificate @cert@;
    ssl_certificate_key @key@;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:sessions:8m;
    access_log @folder@/nginx.arrivals arrivals buffer=64k flush=50ms;
    location / {
      if ($sampled) { rewrite ^ /verified last; }
      return 200;
    }
    location = /verified {
      internal;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://verifier/ok/0;
    }
  }
}
)";

std::string filled(std::string text, const std::string& name, const std::string& value) {
  const auto mark = "@" + name + "@";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark))
    text.replace(at, mark.size(), value);
  return text;
}

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof place;
  const bool found = ::bind(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&place), &length) == 0;
  ::close(socket);
  if (!found)
    throw std::runtime_error("no free port for nginx");
  return ntohs(place.sin_port);
}

bool listens(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(port);
  const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
  ::close(socket);
  return connected;
}

own_sink::setup verifier_setup(const std::filesystem::path& program) {
  own_sink::setup with;
  with.program = program;
  with.name = "verifier";
  with.capacity = 1'000'000;
  with.plain = true;
  return with;
}

/// One line of the access log; throws when it isn't one.
arrival parse(const std::string& line, std::int64_t wall_minus_monotonic_ns) {
  std::istringstream words{line};
  std::string id;
  double wall_s = 0;
  std::string length;
  arrival made;
  if (!(words >> id >> wall_s >> length >> made.status))
    throw std::runtime_error("a line of nginx's access log is none of ours: " + line);
  if (const auto known = event_id::parse(id))
    made.id = known->bytes;
  made.arrived_ns =
      static_cast<std::uint64_t>(std::llround(wall_s * 1e3) * 1'000'000 - wall_minus_monotonic_ns);
  return made;
}

} // namespace

std::filesystem::path find_program(const std::string& name) {
  const auto* found = std::getenv("PATH");
  std::istringstream folders{std::string{found != nullptr ? found : ""} + ":/usr/sbin:/usr/bin:/sbin"};
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const auto file = std::filesystem::path{folder} / name; ::access(file.c_str(), X_OK) == 0)
      return file;
  return {};
}

nginx_sink::nginx_sink(const workspace& where, const std::filesystem::path& sink_program)
    : verifier_{where, verifier_setup(sink_program)},
      access_log_{where.file("nginx.arrivals")}, port_{free_port()} {
  const auto program = find_program("nginx");
  if (program.empty())
    throw std::runtime_error("nginx is not installed: run `make setup` (Debian's package nginx-light)");
  auto text = filled(configuration, "folder", where.folder().string());
  text = filled(text, "port", std::to_string(port_));
  text = filled(text, "verifier", std::to_string(verifier_.plain_port()));
  text = filled(text, "cert", where.cert_file().string());
  text = filled(text, "key", where.key_file().string());
  std::ofstream{where.file("nginx.conf")} << text;
  std::ofstream{access_log_};
  process_ = std::make_unique<testing::child_process>(
      std::vector<std::string>{program.string(), "-c", where.file("nginx.conf").string(), "-e",
                               where.file("nginx.log").string()},
      where.file("nginx.out"), longest_life_s);
  for (const auto end = now_ns() + ready_limit_ms * 1'000'000; !listens(port_); sleep_ms(5))
    if (now_ns() > end || !process_->running())
      throw std::runtime_error("nginx did not start: " + end_of(where.file("nginx.log")) +
                               end_of(where.file("nginx.out")));
  lines_.open(access_log_);
}

std::string nginx_sink::url(const std::string& behaviour, std::uint32_t number) const {
  return "https://127.0.0.1:" + std::to_string(port_) + "/" + behaviour + "/" + std::to_string(number);
}

std::uint64_t nginx_sink::arrived() const {
  return std::filesystem::file_size(access_log_) / line_bytes;
}

void nginx_sink::read_arrivals(const std::function<void(const arrival&)>& take) {
  const auto offset_ns = wall_now().value * 1'000'000 - now_ns();
  lines_.clear(); // it may have grown since its end was met
  for (std::string piece; std::getline(lines_, piece);) {
    unfinished_line_ += piece;
    if (lines_.eof())
      break; // the rest of it comes with nginx's next write
    take(parse(unfinished_line_, offset_ns));
    unfinished_line_.clear();
  }
  verifier_.read_arrivals([&](const arrival& checked) {
    // It came to nginx too, which counts it as a delivery; here only its signature is news.
    auto only_checked = checked;
    only_checked.status = 0;
    take(only_checked);
  });
}

} // namespace vicket::bench
