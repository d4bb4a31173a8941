#include "net/link_dialer.hpp"

#include "net/upgrade_rules.hpp"
#include "net/ws_connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>

#include <deque>
#include <optional>

namespace vicket::internal {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

using error_code = boost::system::error_code;

constexpr std::size_t max_reason_bytes = 200;

/// Of a refusal's text, which is the node's: one printable line.
std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, max_reason_bytes)) {
    if (c == '\n' || c == '\r')
      break;
    result += c >= 0x20 && c != 0x7f ? c : '?';
  }
  return result;
}

class dial_try : public std::enable_shared_from_this<dial_try> {
public:
  dial_try(asio::io_context& context, std::shared_ptr<tls_contexts> tls,
           std::shared_ptr<ws_surroundings> around, link_dialer::request what, link_dialer::on_done done)
      : context_{context}, tls_{std::move(tls)}, around_{std::move(around)}, what_{std::move(what)},
        done_{std::move(done)} {}

  void begin(host_lookup& names) {
    if (what_.where.is_unix()) {
      addresses_.emplace_back(asio::local::stream_protocol::endpoint{what_.where.unix_path});
      connect_next();
      return;
    }
    names.find(what_.where.address.host, [self = shared_from_this()](const host_lookup::found& found) {
      if (const auto* why = std::get_if<std::string>(&found)) {
        self->finish(*why);
        return;
      }
      for (const auto& text : std::get<std::vector<std::string>>(found)) {
        error_code problem;
        const auto address = asio::ip::make_address(text, problem);
        if (!problem)
          self->addresses_.emplace_back(asio::ip::tcp::endpoint{address, self->what_.where.address.port});
      }
      self->connect_next();
    });
  }

private:
  void finish(std::variant<link_dialer::dialled, std::string> result) {
    if (auto done = std::exchange(done_, nullptr))
      done(std::move(result));
  }

  void connect_next() {
    if (addresses_.empty()) {
      finish(why_.empty() ? "the name has no address" : why_);
      return;
    }
    const auto address = addresses_.front();
    addresses_.pop_front();
    connection_ = std::make_shared<ws_connection>(around_, byte_stream::socket_type{context_},
                                                  deadlines::phase::connect, [weak = weak_from_this()] {
                                                    if (const auto self = weak.lock())
                                                      self->ended();
                                                  });
    connection_->watch();
    auto& socket = connection_->bytes().socket();
    error_code problem;
    socket.open(address.protocol(), problem);
    if (problem) {
      connection_->end(problem.message());
      return;
    }
    socket.async_connect(address, [self = shared_from_this(), connection = connection_](error_code failed) {
      if (connection->over())
        return;
      if (failed)
        connection->end(failed.message());
      else
        self->greet();
    });
  }

  /// The connection came to its end before it was handed on.
  void ended() {
    if (!done_ || !connection_)
      return;
    why_ = connection_->why();
    // Another address helps where there was no connection; what was said on one goes for all.
    if (greeted_)
      finish(why_);
    else
      asio::post(context_, [self = shared_from_this()] { self->connect_next(); });
  }

  void greet() {
    greeted_ = true;
    connection_->bytes().prepare();
    connection_->peer().address = what_.where.to_string();
    connection_->peer().local = what_.where.is_unix();
    if (!tls_ || what_.where.is_unix()) {
      ask();
      return;
    }
    connection_->enter(deadlines::phase::tls);
    const auto& host = what_.where.address.host;
    if (!connection_->bytes().use_tls(tls_->dial(host))) {
      connection_->end("TLS can't be set up for the name " + host);
      return;
    }
    connection_->bytes().async_tls_handshake([self = shared_from_this(), host](error_code problem) {
      if (self->connection_->over())
        return;
      if (!problem)
        self->ask();
      else if (problem == asio::error::eof || problem == asio::error::connection_reset)
        self->connection_->end("it hung up at the TLS handshake; do both sides use TLS?");
      else
        self->connection_->end(handshake_failure(self->connection_->bytes().tls(), host));
    });
  }

  void ask() {
    connection_->enter(deadlines::phase::upgrade);
    auto& stream = connection_->stream();
    stream.set_option(websocket::stream_base::decorator([what = what_](websocket::request_type& request) {
      request.set(http::field::sec_websocket_protocol, what.sub_protocol);
      for (const auto& [name, value] : what.fields)
        request.set(name, value);
    }));
    const auto host = what_.where.is_unix() ? std::string{"localhost"} : what_.where.address.to_string();
    stream.async_handshake(answer_, host, what_.path, [self = shared_from_this()](error_code problem) {
      if (!self->connection_->over())
        self->judge(problem);
    });
  }

  void judge(error_code problem) {
    if (problem == websocket::error::upgrade_declined) {
      connection_->end("it refused the link (" + std::to_string(answer_.result_int()) +
                       "): " + one_line(answer_.body()));
    } else if (problem == asio::error::eof || problem == asio::error::connection_reset ||
               problem == http::error::end_of_stream) {
      // A server that demands a certificate says so after the client's handshake (TLS 1.3).
      connection_->end(
          tls_ ? "it hung up: it may not accept our certificate"
               : "it hung up; do both sides use TLS, with certificates that the other side trusts?");
    } else if (problem) {
      connection_->end(connection_->bytes().tls() && problem == asio::error::connection_aborted
                           ? handshake_failure(connection_->bytes().tls(), what_.where.address.host)
                           : "what listens there is no node: " + problem.message());
    } else if (answer_[http::field::sec_websocket_protocol] != what_.sub_protocol) {
      connection_->end("what listens there speaks another sub-protocol");
    } else {
      std::vector<std::pair<std::string, std::string>> fields;
      for (const auto& field : answer_)
        fields.emplace_back(std::string{field.name_string()}, std::string{field.value()});
      finish(link_dialer::dialled{std::exchange(connection_, nullptr), std::move(fields)});
    }
  }

  asio::io_context& context_;
  std::shared_ptr<tls_contexts> tls_;
  std::shared_ptr<ws_surroundings> around_;
  link_dialer::request what_;
  link_dialer::on_done done_;
  std::deque<byte_stream::protocol::endpoint> addresses_;
  std::shared_ptr<ws_connection> connection_;
  websocket::response_type answer_;
  bool greeted_ = false;
  std::string why_;
};

} // namespace

std::shared_ptr<web_socket> link_dialer::dialled::handle() const {
  return connection_->handle();
}

void link_dialer::dialled::open(std::shared_ptr<web_socket_owner> owner) const {
  connection_->open(std::move(owner));
}

link_dialer::link_dialer(const io_thread& io, std::shared_ptr<tls_contexts> tls, deadline_limits deadlines,
                         web_socket_limits messages, std::size_t budget_bytes)
    : context_{io.context()}, names_{std::make_unique<host_lookup>(io, deadlines.connect)},
      tls_{std::move(tls)}, around_{std::make_shared<ws_surroundings>(io.core(), deadlines, messages,
                                                                      budget_bytes, std::size_t{64} << 10)} {}

void link_dialer::dial(request what, on_done done) {
  std::make_shared<dial_try>(context_, tls_, around_, std::move(what), std::move(done))->begin(*names_);
}

} // namespace vicket::internal
