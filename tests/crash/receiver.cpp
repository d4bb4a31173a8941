#include "tests/crash/receiver.hpp"

#include "tests/crash/journal.hpp"
#include "tests/crash/real_time.hpp"
#include "tests/crash/signature_check.hpp"
#include "tests/crash/tls_identity.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>

namespace vicket::crash {

namespace {

/// A thread each; more than the sum of what the connectors may have in flight, doubled for connections of a
/// node that was just killed. More are closed at once.
constexpr std::size_t max_connections = 512;
constexpr std::size_t max_request_bytes = 1'000'000;
/// Longer than any connector's timeout, so that the other side is the one who ends it.
constexpr std::int64_t hang_ms = 12'000;
constexpr int poll_ms = 50;

struct parsed_request {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;

  [[nodiscard]] std::string header(const char* name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string{} : at->second;
  }
};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The head up to its empty line, which ends at `end`.
parsed_request parse_head(const std::string& received, std::size_t end) {
  parsed_request made;
  auto line_end = received.find("\r\n");
  const auto first_blank = received.find(' ');
  const auto second_blank = received.find(' ', first_blank + 1);
  if (second_blank != std::string::npos && second_blank < line_end) {
    made.method = received.substr(0, first_blank);
    made.path = received.substr(first_blank + 1, second_blank - first_blank - 1);
  }
  while (line_end + 2 < end) {
    const auto start = line_end + 2;
    line_end = received.find("\r\n", start);
    const auto colon = received.find(':', start);
    if (colon == std::string::npos || colon > line_end)
      continue;
    auto value = received.substr(colon + 1, line_end - colon - 1);
    value.erase(0, value.find_first_not_of(' '));
    made.headers[lower_case(received.substr(start, colon - start))] = value;
  }
  return made;
}

/// One TLS connection, blocking; closes its socket.
class connection {
public:
  connection(SSL_CTX* context, int socket, const std::atomic<bool>& stop)
      : socket_{socket}, accepted_at_{wall_now()}, stop_{stop}, tls_{SSL_new(context), &SSL_free} {
    SSL_set_fd(tls_.get(), socket_);
  }

  ~connection() {
    tls_.reset();
    ::close(socket_);
  }

  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] bool handshake() { return SSL_accept(tls_.get()) == 1; }
  [[nodiscard]] timestamp_ms accepted_at() const { return accepted_at_; }

  /// The next whole request; absent: the other side closed, or sent what is none.
  [[nodiscard]] std::optional<parsed_request> read() {
    std::size_t head_end = 0;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive())
        return std::nullopt;
    auto request = parse_head(received_, head_end + 2);
    std::size_t body_bytes = 0;
    const auto length = request.header("content-length");
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), body_bytes);
    if (length.empty() || error != std::errc{} || body_bytes > max_request_bytes)
      return std::nullopt;
    while (received_.size() < head_end + 4 + body_bytes)
      if (!receive())
        return std::nullopt;
    request.body = received_.substr(head_end + 4, body_bytes);
    received_.erase(0, head_end + 4 + body_bytes);
    return request;
  }

  [[nodiscard]] bool write(const std::string& text) {
    return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
  }

  /// Until the other side closes or sends something, the time is over, or the receiver stops.
  void wait_for_close(std::int64_t limit_ms) {
    for (const auto end = steady_ms() + limit_ms; steady_ms() < end && !stop_;) {
      pollfd watched{socket_, POLLIN | POLLRDHUP, 0};
      if (::poll(&watched, 1, poll_ms) > 0)
        return;
    }
  }

  void close_politely() { SSL_shutdown(tls_.get()); }

private:
  bool receive() {
    char chunk[16'384];
    const int count = SSL_read(tls_.get(), chunk, sizeof chunk);
    if (count <= 0 || received_.size() > 2 * max_request_bytes)
      return false;
    received_.append(chunk, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  timestamp_ms accepted_at_; ///< before the handshake: what `request_record` relies on
  const std::atomic<bool>& stop_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  std::string received_;
};

/// What all connections share: the plan, the journal, how often each id was seen.
class bookkeeping {
public:
  bookkeeping(const plan& promises, const std::filesystem::path& file)
      : promises_{promises}, journal_{file} {}

  /// Checks a request, decides its answer and notes it down. The number is for `note_end`.
  std::uint64_t note_arrival(const parsed_request& request, request_record& record) {
    record.arrived_at = wall_now();
    if (auto path = hook_of(request.path)) {
      record.connector = std::move(path->connector);
      record.version = path->version;
    }
    record.id = request.header("webhook-id");
    record.body = request.body;
    record.body_sha256 = sha256_hex(request.body);
    if (const auto* to = promises_.find(record.connector)) {
      check(request, to->value, record);
      record.answer = promises_.answer(*to, record.id, count(record.id));
    }
    const auto number = next_number_++;
    journal_.note_arrival(number, record);
    return number;
  }

  void note_end(std::uint64_t number, request_record& record, bool written) {
    record.written = written;
    record.finished_at = wall_now();
    journal_.note_end(number, record);
  }

private:
  static void check(const parsed_request& request, const connector& to, request_record& record) {
    // With which of the connector's secrets, the oracle judges: they change while events stream in.
    for (std::uint32_t i = 0; i < plan::secrets && !record.vicket_signature_good; ++i) {
      const auto secret = plan::secret_of(to.id.value, i);
      const auto parts = check_vicket_signature(request.header("x-vicket-signature"), secret, request.body);
      if (!parts)
        break;
      record.secret = i;
      record.signed_at_s = parts->signed_at_s;
      record.vicket_signature_good = parts->good;
      record.standard_signature_good =
          check_standard_signature(request.header("webhook-signature"), record.id,
                                   request.header("webhook-timestamp"), secret, request.body) &&
          request.header("webhook-timestamp") == std::to_string(record.signed_at_s);
    }
    record.head_good = request.method == "POST" && request.header("content-type") == "application/json" &&
                       request.header("user-agent").starts_with("Vicket-Webhooks/") &&
                       request.header(lower_case(std::string{connector_header}).c_str()) == to.id.value;
  }

  std::uint32_t count(const std::string& id) {
    const std::lock_guard lock{mutex_};
    return ++counts_[id];
  }

  const plan& promises_;
  journal journal_;
  std::atomic<std::uint64_t> next_number_{1};
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> counts_; ///< guarded by mutex_
};

std::string answer_text(const planned_reply& answer, bool cut) {
  const std::string body =
      answer.status == 204 ? "" : "{\"answer\":\"" + std::string{to_string(answer.kind)} + "\"}\n";
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Planned\r\n";
  if (answer.status != 204)
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  if (answer.retry_after_s > 0)
    text += "Retry-After: " + std::to_string(answer.retry_after_s) + "\r\n";
  text += "\r\n" + body;
  return cut ? text.substr(0, text.size() - body.size() / 2) : text;
}

struct handled {
  bool written = false;
  bool goes_on = false; ///< the connection is kept
};

handled give(connection& to, const planned_reply& answer) {
  switch (answer.kind) {
  case reply::slow_ok:
    sleep_ms(answer.delay_ms);
    [[fallthrough]];
  case reply::ok:
  case reply::server_error:
  case reply::throttled: {
    const bool written = to.write(answer_text(answer, false));
    return {written, written};
  }
  case reply::ok_then_close: {
    const bool written = to.write(answer_text(answer, false));
    to.close_politely();
    return {written, false};
  }
  case reply::cut_server_error:
    return {to.write(answer_text(answer, true)), false};
  case reply::close_in_head:
    return {to.write("HTTP/1.1 200 Pla"), false};
  case reply::close_before_answer:
    return {true, false};
  case reply::hang:
    to.wait_for_close(hang_ms);
    return {false, false};
  }
  return {};
}

void serve(connection& from, bookkeeping& books) {
  if (!from.handshake())
    return;
  for (std::uint32_t number = 1;; ++number) {
    const auto request = from.read();
    if (!request)
      return;
    request_record record;
    record.connection_accepted_at = from.accepted_at();
    record.request_on_connection = number;
    const auto noted = books.note_arrival(*request, record);
    const auto end = give(from, record.answer);
    books.note_end(noted, record, end.written);
    if (!end.goes_on)
      return;
  }
}

/// The open connections, each with a thread; `close_all()` returns when the last thread is done.
class open_connections {
public:
  bool begin(int socket) {
    const std::lock_guard lock{mutex_};
    return sockets_.size() < max_connections && sockets_.insert(socket).second;
  }

  void end(int socket) {
    const std::lock_guard lock{mutex_};
    sockets_.erase(socket);
    changed_.notify_all();
  }

  void close_all() {
    std::unique_lock lock{mutex_};
    for (const int socket : sockets_)
      ::shutdown(socket, SHUT_RDWR);
    changed_.wait(lock, [this] { return sockets_.empty(); });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> sockets_; ///< guarded by mutex_
};

int listen_on_loopback(std::uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 512) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error{"a receiver can't listen"};
  port = ntohs(address.sin_port);
  return listener;
}

using tls_context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

tls_context make_tls_context(const std::filesystem::path& folder) {
  const auto files = tls_identity_in(folder);
  tls_context made{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  if (!made || SSL_CTX_use_certificate_file(made.get(), files.certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(made.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error{"a receiver can't load its certificate"};
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  return made;
}

} // namespace

std::filesystem::path receiver_journal_in(const std::filesystem::path& folder, int index) {
  return folder / ("receiver-" + std::to_string(index) + ".jsonl");
}

void run_receiver(const plan& promises, const receiver_options& options, const std::atomic<bool>& stop) {
  bookkeeping books{promises, receiver_journal_in(options.folder, options.index)};
  const auto context = make_tls_context(options.folder);
  std::uint16_t port = 0;
  const int listener = listen_on_loopback(port);
  open_connections open;
  std::printf("receiver ready port=%u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
  while (!stop) {
    pollfd watched{listener, POLLIN, 0};
    if (::poll(&watched, 1, poll_ms) <= 0)
      continue;
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0)
      continue;
    const int at_once = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    if (!open.begin(socket)) {
      ::close(socket);
      continue;
    }
    auto accepted = std::make_unique<connection>(context.get(), socket, stop);
    std::thread{[&books, &open, socket, owned = std::move(accepted)]() mutable {
      try {
        serve(*owned, books);
      } catch (const std::exception& problem) {
        std::fprintf(stderr, "receiver: %s\n", problem.what());
      }
      open.end(socket); // before the socket's number can be given to another
      owned.reset();
    }}.detach();
  }
  ::close(listener);
  open.close_all();
}

} // namespace vicket::crash
