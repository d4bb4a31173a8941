#include "net/link_server.hpp"

#include "net/arrival_notice.hpp"
#include "net/io_core.hpp"
#include "net/listener.hpp"
#include "net/step_lane.hpp"
#include "net/ws_connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace vicket::internal {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

using error_code = boost::system::error_code;

constexpr std::uint32_t max_head_bytes = 8 * 1024;

std::string address_of(byte_stream::socket_type& socket) {
  error_code problem;
  const auto remote = socket.remote_endpoint(problem);
  if (problem)
    return "unknown";
  const auto family = remote.protocol().family();
  if (family != AF_INET && family != AF_INET6)
    return "unix";
  asio::ip::tcp::endpoint endpoint;
  endpoint.resize(remote.size());
  std::memcpy(endpoint.data(), remote.data(), remote.size());
  return endpoint.address().to_string(problem);
}

bool hung_up(const error_code& problem) {
  return problem == asio::error::eof || problem == asio::error::connection_reset;
}

} // namespace

/// One listener's connections that came to nothing, for the log. Of the I/O thread; its timer keeps it while it runs.
class arrival_log : public std::enable_shared_from_this<arrival_log> {
public:
  arrival_log(asio::io_context& context, const place& where,
              std::function<void(const std::string&)> log_warning)
      : notice_{where.to_string()}, timer_{context}, log_warning_{std::move(log_warning)} {}

  void came_to_nothing(const std::string& address, const std::string& why, bool silent) {
    if (!closed_)
      log(notice_.came_to_nothing(address, why, silent, now()));
  }
  /// Nothing more is told.
  void close() {
    closed_ = true;
    timer_.cancel();
  }

private:
  static arrival_notice::time_point now() { return asio::steady_timer::clock_type::now(); }

  void log(const std::optional<std::string>& line) {
    if (line)
      log_warning_(*line);
    const auto at = notice_.next_look();
    if (!at || closed_ || std::exchange(waits_, true))
      return;
    timer_.expires_at(*at);
    timer_.async_wait([self = shared_from_this()](error_code) {
      self->waits_ = false;
      if (!self->closed_)
        self->log(self->notice_.look(now()));
    });
  }

  arrival_notice notice_;
  asio::steady_timer timer_;
  std::function<void(const std::string&)> log_warning_;
  bool waits_ = false; ///< for the timer
  bool closed_ = false;
};

/// Of the I/O thread, but for what says otherwise.
class port_core : public std::enable_shared_from_this<port_core> {
public:
  port_core(link_server_options options, const io_thread& io)
      : options_{std::move(options)}, caps_{options_.connections},
        around_{std::make_shared<ws_surroundings>(io.core(), options_.deadlines, options_.messages,
                                                  options_.budget_bytes, options_.always_bytes)},
        handshakes_{[this] { ask_for_turn(); }} {}

  [[nodiscard]] const link_server_options& options() const { return options_; }

  void take(byte_stream::socket_type socket, bool local, const std::shared_ptr<arrival_log>& arrivals);
  void end_all(const std::string& why);
  void close_all(const std::string& why);
  /// From any thread.
  [[nodiscard]] bool wait_until_none_is_established(std::chrono::milliseconds patience);
  [[nodiscard]] std::size_t established() const {
    const std::lock_guard guard{mutex_};
    return established_;
  }

private:
  friend class upgrade;
  struct entry {
    std::weak_ptr<ws_connection> connection;
    std::shared_ptr<web_socket> open;      ///< null: it is arriving
    std::shared_ptr<arrival_log> arrivals; ///< null: who refused it has told of it
    bool silent = false;                   ///< it hung up without a byte
  };

  void gone(connection_caps::number which);
  void tell_count();
  void ask_for_turn();

  const link_server_options options_;
  connection_caps caps_;
  std::shared_ptr<ws_surroundings> around_;
  std::unordered_map<connection_caps::number, entry> connections_;
  step_lane handshakes_; ///< so that those who arrive hold up nobody who is there
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t established_ = 0; ///< guarded by mutex_
};

/// A connection on its way from the socket to its owner.
class upgrade : public std::enable_shared_from_this<upgrade> {
public:
  upgrade(std::shared_ptr<port_core> port, std::shared_ptr<ws_connection> connection,
          connection_caps::number number)
      : port_{std::move(port)}, connection_{std::move(connection)}, number_{number} {}

  void begin(bool local) {
    if (local || !port_->options().tls) {
      read_head();
      return;
    }
    if (!connection_->bytes().use_tls(port_->options().tls->accept())) {
      connection_->end("there is no memory for TLS");
      return;
    }
    wait_to_shake(byte_stream::socket_type::wait_read);
  }

private:
  void wait_to_shake(byte_stream::socket_type::wait_type what) {
    connection_->bytes().socket().async_wait(what, [self = shared_from_this()](error_code problem) {
      if (self->connection_->over())
        return;
      if (problem)
        self->connection_->end(problem.message());
      else
        self->port_->handshakes_.join([self] { return self->shake(); });
    });
  }

  /// False: it has ended meanwhile.
  bool shake() {
    if (connection_->over())
      return false;
    error_code problem;
    switch (connection_->bytes().try_handshake(problem)) {
    case byte_stream::step::want_read:
      wait_to_shake(byte_stream::socket_type::wait_read);
      break;
    case byte_stream::step::want_write:
      wait_to_shake(byte_stream::socket_type::wait_write);
      break;
    case byte_stream::step::failed:
      end_handshake(problem);
      break;
    case byte_stream::step::done:
      greet_certified();
      break;
    }
    return true;
  }

  void end_handshake(error_code problem) {
    const auto* tls = connection_->bytes().tls();
    if (hung_up(problem))
      end_hung_up("it hung up in the TLS handshake", BIO_number_read(SSL_get_rbio(tls)) == 0);
    else
      connection_->end(handshake_failure(tls, ""));
  }

  void end_hung_up(const char* where, bool without_a_byte) {
    port_->connections_[number_].silent = without_a_byte;
    connection_->end(where);
  }

  void greet_certified() {
    connection_->peer().certified = true;
    connection_->peer().names = certificate_names(connection_->bytes().tls());
    ERR_clear_error();
    read_head();
  }

  void read_head() {
    connection_->enter(deadlines::phase::upgrade);
    parser_.header_limit(max_head_bytes);
    parser_.body_limit(0);
    http::async_read_header(
        connection_->bytes(), buffer_, parser_, [self = shared_from_this()](error_code problem, std::size_t) {
          if (self->connection_->over())
            return;
          if (problem == http::error::header_limit)
            self->refuse({431, "the head of the request is longer than 8 KiB"});
          else if (hung_up(problem) || problem == http::error::end_of_stream ||
                   problem == http::error::partial_message)
            self->end_hung_up("it hung up before the upgrade",
                              !self->connection_->bytes().tls() &&
                                  self->connection_->bytes().bytes_read() == 0);
          else if (problem && problem.category() != http::make_error_code(http::error::bad_method).category())
            self->connection_->end(problem.message());
          else if (problem)
            self->refuse({400, "this is no HTTP request: " + problem.message()});
          else
            self->judge();
        });
  }

  void judge() {
    const auto& request = parser_.get();
    head_.method = std::string{request.method_string()};
    head_.target = std::string{request.target()};
    head_.http_1_1 = request.version() == 11;
    for (const auto& field : request)
      head_.fields.emplace_back(std::string{field.name_string()}, std::string{field.value()});
    auto answer = judge_upgrade(head_, port_->options().path, port_->options().sub_protocols);
    if (answer.status == 101 && buffer_.size() > 0)
      answer = {400, "nothing may follow an upgrade before its answer"};
    if (answer.status == 101) {
      answer = port_->options().judge(head_, connection_->peer(), std::move(answer));
      if (answer.status != 101)
        port_->connections_[number_].arrivals = nullptr;
    }
    if (answer.status == 101)
      if (auto full = port_->caps_.establish(number_))
        answer = {503, *full, {}, {{"Retry-After", "5"}}};
    if (answer.status != 101) {
      refuse(std::move(answer));
      return;
    }
    port_->tell_count();
    sub_protocol_ = answer.sub_protocol;
    auto& stream = connection_->stream();
    stream.set_option(websocket::stream_base::decorator([answer](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol, answer.sub_protocol);
      response.erase(http::field::server);
      for (const auto& [name, value] : answer.fields)
        response.set(name, value);
    }));
    stream.async_accept(request, [self = shared_from_this()](error_code problem) {
      if (self->connection_->over())
        return;
      if (problem)
        self->connection_->end("the upgrade failed: " + problem.message());
      else
        self->open();
    });
  }

  void open() {
    auto handle = connection_->handle();
    port_->connections_[number_].open = handle;
    auto owner = port_->options().open(head_, sub_protocol_, std::move(handle));
    if (!owner) {
      connection_->end("nobody takes it");
      return;
    }
    connection_->wipe_input_at_end();
    connection_->open(std::move(owner));
  }

  void refuse(upgrade_answer answer) {
    response_.result(answer.status);
    response_.version(11);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    response_.set(http::field::connection, "close");
    for (const auto& [name, value] : answer.fields)
      response_.set(name, value);
    response_.body() = answer.text + "\n";
    response_.prepare_payload();
    http::async_write(connection_->bytes(), response_,
                      [self = shared_from_this(), why = std::to_string(answer.status) + ": " +
                                                        answer.text](error_code problem, std::size_t) {
                        if (self->connection_->over())
                          return;
                        if (problem)
                          self->connection_->end(problem.message());
                        else
                          self->connection_->linger("refused with " + why);
                      });
  }

  std::shared_ptr<port_core> port_;
  std::shared_ptr<ws_connection> connection_;
  connection_caps::number number_;
  boost::beast::flat_buffer buffer_{max_head_bytes + 1024};
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  request_head head_;
  std::string sub_protocol_;
};

void port_core::take(byte_stream::socket_type socket, bool local,
                     const std::shared_ptr<arrival_log>& arrivals) {
  const auto address = local ? std::string{"unix"} : address_of(socket);
  const auto arrived = caps_.arrive(address);
  if (arrived.to_end) {
    const auto found = connections_.find(*arrived.to_end);
    if (const auto oldest = found == connections_.end() ? nullptr : found->second.connection.lock())
      oldest->end("it made room for others");
  }
  auto connection = std::make_shared<ws_connection>(around_, std::move(socket), deadlines::phase::tls,
                                                    [weak = weak_from_this(), number = arrived.mine] {
                                                      if (const auto self = weak.lock())
                                                        self->gone(number);
                                                    });
  connection->peer().address = address;
  connection->peer().local = local;
  connection->bytes().prepare();
  connections_.emplace(arrived.mine, entry{connection, nullptr, arrivals});
  connection->watch();
  std::make_shared<upgrade>(shared_from_this(), connection, arrived.mine)->begin(local);
}

void port_core::gone(connection_caps::number which) {
  caps_.leave(which);
  const auto ended = connections_.extract(which);
  tell_count();
  if (ended.empty() || ended.mapped().open || !ended.mapped().arrivals)
    return;
  if (const auto connection = ended.mapped().connection.lock())
    ended.mapped().arrivals->came_to_nothing(connection->peer().address, connection->why(),
                                             ended.mapped().silent);
}

void port_core::tell_count() {
  const std::lock_guard guard{mutex_};
  established_ = caps_.established();
  changed_.notify_all();
}

bool port_core::wait_until_none_is_established(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience, [this] { return established_ == 0; });
}

void port_core::ask_for_turn() {
  if (const auto core = around_->core.lock())
    asio::post(core->context, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->handshakes_.take_turn();
    });
}

void port_core::end_all(const std::string& why) {
  handshakes_.clear();           // which keep this, as this keeps them
  const auto all = connections_; // `gone` takes them out
  for (const auto& [number, one] : all)
    if (const auto connection = one.connection.lock())
      connection->end(why);
}

void port_core::close_all(const std::string& why) {
  const auto all = connections_;
  for (const auto& [number, one] : all)
    if (const auto connection = one.connection.lock()) {
      if (one.open)
        connection->close({close_reason::going_away, why});
      else
        connection->end(why);
    }
}

struct link_server::rep {
  explicit rep(link_server_options options)
      : io{options.log_warning}, core{std::make_shared<port_core>(std::move(options), io)} {}

  ~rep() {
    io.run([this] {
      close_for_new();
      core->end_all("the port has ended");
    });
  }

  /// Those that arrive when the port closes are no news.
  void close_for_new() {
    for (const auto& one : listeners)
      one->close();
    for (const auto& one : arrivals)
      one->close();
  }

  io_thread io; // first: what follows works on it
  std::shared_ptr<port_core> core;
  std::vector<std::shared_ptr<listener>> listeners;
  std::vector<std::shared_ptr<arrival_log>> arrivals;
  std::vector<place> places;
};

link_server::link_server(std::unique_ptr<rep> made) : rep_{std::move(made)} {}

link_server::~link_server() = default;

std::variant<std::unique_ptr<link_server>, std::string> link_server::start(link_server_options options) {
  auto made = std::make_unique<rep>(std::move(options));
  const auto& wanted = made->core->options();
  std::optional<std::string> complaint;
  made->io.run([&] {
    for (const auto& where : wanted.listen) {
      auto opened = listener::open(made->io.context(), where, wanted.log_warning);
      if (auto* why = std::get_if<std::string>(&opened)) {
        complaint = std::move(*why);
        return;
      }
      made->listeners.push_back(std::get<0>(std::move(opened)));
      made->places.push_back(made->listeners.back()->where());
    }
    for (const auto& one : made->listeners) {
      const auto arrivals =
          std::make_shared<arrival_log>(made->io.context(), one->where(), wanted.log_warning);
      made->arrivals.push_back(arrivals);
      one->start([core = made->core, local = one->where().is_unix(), arrivals](
                     byte_stream::socket_type socket) { core->take(std::move(socket), local, arrivals); });
    }
  });
  if (complaint)
    return *std::move(complaint);
  return std::unique_ptr<link_server>{new link_server{std::move(made)}};
}

std::vector<place> link_server::places() const {
  return rep_->places;
}

void link_server::close_for_new() {
  rep_->io.run([this] { rep_->close_for_new(); });
}

void link_server::close_all(const std::string& why, std::chrono::milliseconds patience) {
  rep_->io.run([&] { rep_->core->close_all(why); });
  static_cast<void>(rep_->core->wait_until_none_is_established(patience));
}

std::size_t link_server::established() const {
  return rep_->core->established();
}

} // namespace vicket::internal
