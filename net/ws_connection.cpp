#include "net/ws_connection.hpp"

#include "net/io_core.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vicket::internal {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

namespace {

/// The most that one read fetches, and what a buffer grows by at least.
constexpr std::size_t piece_bytes = 64 * 1024;

constexpr std::size_t max_close_text_bytes = 123;

/// How often an owner is told of the time, at most.
constexpr std::chrono::milliseconds tick_interval{900};

} // namespace

// -- web_socket ---------------------------------------------------------------------------------------------------------

void web_socket::send(owned_bytes message, credit done) const {
  if (const auto core = core_.lock())
    asio::post(core->context, [connection = connection_, message = std::move(message), done]() mutable {
      if (const auto it = connection.lock())
        it->send(std::move(message), done);
    });
}

void web_socket::release(credit done) const {
  if (const auto core = core_.lock())
    asio::post(core->context, [connection = connection_, done] {
      if (const auto it = connection.lock())
        it->release(done);
    });
}

void web_socket::close(close_reason why) const {
  if (const auto core = core_.lock())
    asio::post(core->context, [connection = connection_, why = std::move(why)]() mutable {
      if (const auto it = connection.lock())
        it->close(std::move(why));
    });
}

// -- life ---------------------------------------------------------------------------------------------------------------

ws_connection::ws_connection(std::shared_ptr<ws_surroundings> around, byte_stream::socket_type socket,
                             deadlines::phase first, std::function<void()> ended)
    : around_{std::move(around)}, stream_{std::move(socket)}, timer_{stream_.get_executor()},
      deadlines_{around_->deadlines, first, now()},
      pings_{around_->limits.pings, around_->limits.pings_per_second, now()}, ended_{std::move(ended)} {
  // Deadlines are our own: Beast's would end a connection that is not read for a while because of us.
  stream_.set_option(
      websocket::stream_base::timeout{websocket::stream_base::none(), websocket::stream_base::none(), false});
  stream_.auto_fragment(false);
  stream_.write_buffer_bytes(piece_bytes); // only who dials has one: it masks what it sends in it
  stream_.read_message_max(around_->limits.message_bytes);
  stream_.binary(true);
}

ws_connection::~ws_connection() {
  end("the I/O thread has ended");
}

ws_connection::time_point ws_connection::now() {
  return asio::steady_timer::clock_type::now();
}

void ws_connection::enter(deadlines::phase next) {
  deadlines_.enter(next, now());
}

void ws_connection::watch() {
  timer_.expires_after(
      std::min<std::chrono::milliseconds>(deadlines_.until_next_look(), std::chrono::seconds{1}));
  timer_.async_wait([self = shared_from_this()](error_code problem) {
    if (!problem && !self->over_)
      self->tick();
  });
}

void ws_connection::look_at_stream() {
  if (const auto read = bytes().bytes_read(); read != seen_read_) {
    seen_read_ = read;
    deadlines_.heard(now());
  }
  if (const auto written = bytes().bytes_written(); written != seen_written_) {
    seen_written_ = written;
    deadlines_.wrote_some(now());
  }
}

void ws_connection::tick() {
  look_at_stream();
  const auto verdict = deadlines_.look(now());
  if (verdict.end) {
    end(verdict.end);
    return;
  }
  watch(); // before anything that may throw: it is what ends a connection that does not go on
  if (verdict.ping && !pinging_ && !closing_ && !lingering_) {
    pinging_ = true;
    stream_.async_ping({}, [self = shared_from_this()](error_code) { self->pinging_ = false; });
  }
  if (owner_ && now() - told_ >= tick_interval) {
    told_ = now();
    owner_->on_tick();
  }
}

void ws_connection::end(std::string why) {
  if (std::exchange(over_, true))
    return;
  if (why_.empty()) // else it has lingered for another reason
    why_ = std::move(why);
  timer_.cancel();
  bytes().abort();
  wipe_input();
  if (share_) {
    share_->leave_behind(handed_out_->end(share_->held()));
    share_.reset();
  }
  to_write_.clear();
  if (const auto owner = std::exchange(owner_, nullptr))
    owner->on_end(why_);
  if (const auto ended = std::exchange(ended_, nullptr))
    ended();
}

/// Beast reads the heads of frames, and the last bytes of what is in them, into a buffer inside the stream: the first read
/// of an open connection goes there. What was last in it may have been a secret.
void ws_connection::wipe_input() {
  if (const auto place = bytes().noted_read(); place.size() > 0)
    ::explicit_bzero(place.data(), place.size());
}

void ws_connection::linger(std::string why) {
  if (over_ || std::exchange(lingering_, true))
    return;
  why_ = std::move(why);
  enter(deadlines::phase::closing);
  bytes().end_writing();
  drain_input();
}

void ws_connection::drain_input() {
  // Past TLS: what comes is thrown away, not understood.
  bytes().socket().async_read_some(asio::buffer(discarded_),
                                   [self = shared_from_this()](error_code problem, std::size_t) {
                                     if (self->over_)
                                       return;
                                     if (problem)
                                       self->end(self->why_);
                                     else
                                       self->drain_input();
                                   });
}

// -- reading ------------------------------------------------------------------------------------------------------------

std::shared_ptr<web_socket> ws_connection::handle() {
  return std::make_shared<web_socket>(around_->core, weak_from_this(), peer_);
}

void ws_connection::open(std::shared_ptr<web_socket_owner> owner) {
  owner_ = std::move(owner);
  stream_.text(owner_->sends_text());
  enter(deadlines::phase::open);
  const auto later = [weak = weak_from_this(),
                      executor = stream_.get_executor()](void (*what)(ws_connection&)) {
    return [weak, executor, what] {
      asio::post(executor, [weak, what] {
        if (const auto self = weak.lock())
          what(*self);
      });
    };
  };
  share_.emplace(around_->budget, later([](ws_connection& it) { it.read_on(); }),
                 later([](ws_connection& it) {
                   it.end("it does not take its answers, and they fill the memory there is for all");
                 }));
  stream_.control_callback([this](websocket::frame_type, boost::beast::string_view) { on_control(); });
  message_ = std::make_shared<incoming_message>();
  handed_out_ = std::make_shared<handed_out>(
      [core = around_->core, around = std::weak_ptr{around_}](std::size_t bytes) {
        if (const auto thread = core.lock())
          asio::post(thread->context, [around, bytes] {
            if (const auto all = around.lock())
              all->budget.give_left_behind(bytes);
          });
      });
  read_on();
}

void ws_connection::on_control() {
  if (!over_ && !pings_.take(now()))
    // Not within the read that called.
    asio::post(stream_.get_executor(), [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->end("it sends pings or pongs without end");
    });
}

bool ws_connection::may_read() {
  return unanswered_ < around_->limits.unanswered && share_->may_read(in_message_);
}

void ws_connection::read_on() {
  if (over_ || lingering_ || reading_ || closing_ || !owner_)
    return;
  if (!may_read()) {
    deadlines_.reading(false, now());
    return;
  }
  deadlines_.reading(true, now());
  reading_ = true;
  stream_.async_read_some(*message_, piece_bytes,
                          [self = shared_from_this()](error_code problem, std::size_t) {
                            self->reading_ = false;
                            self->after_read(problem);
                          });
}

void ws_connection::after_read(error_code problem) {
  if (over_)
    return;
  look_at_stream();
  if (problem) {
    if (closing_)
      return; // the close sees to the rest
    if (problem == websocket::error::closed) {
      const auto& said = stream_.reason();
      std::string text{said.reason.c_str()};
      std::replace_if(
          text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; },
          '?'); // they are the other side's words
      end("it closed the connection (" + std::to_string(static_cast<unsigned>(said.code)) + ")" +
          (text.empty() ? "" : ": " + text));
    } else if (problem == asio::error::eof || problem == asio::error::connection_reset) {
      end("it hung up");
    } else if (problem.category() == websocket::make_error_code(websocket::error::closed).category()) {
      linger(std::string{broke_protocol} + problem.message()); // Beast has told it so
    } else {
      end(problem.message());
    }
    return;
  }
  try {
    if (message_->size() > 0 || stream_.is_message_done())
      deliver();
  } catch (const std::exception& failure) {
    end(std::string{"it failed inside: "} + failure.what());
  }
  read_on();
}

bool ws_connection::judge_head() {
  const std::string_view bytes{static_cast<const char*>(message_->data().data()), message_->size()};
  if (message_limit_ == 0 && (bytes.size() >= web_socket_owner::head_bytes || stream_.is_message_done())) {
    auto judged = owner_->on_head(bytes, stream_.got_text());
    if (auto* refused = std::get_if<close_reason>(&judged)) {
      close(std::move(*refused));
      return false;
    }
    message_limit_ = std::max<std::size_t>(std::get<std::size_t>(judged), 1);
  }
  if (message_limit_ != 0 && bytes.size() > message_limit_) {
    close({close_reason::too_big,
           "a message of this kind has at most " + std::to_string(message_limit_) + " bytes"});
    return false;
  }
  return true;
}

void ws_connection::deliver() {
  // What has come of this message since the last piece.
  share_->take(message_->size() - counted_);
  if (!std::exchange(in_message_, true))
    deadlines_.message_began(now());
  counted_ = message_->size();
  if (!judge_head() || !stream_.is_message_done())
    return;
  deadlines_.message_ended();
  share_->message_ended();
  in_message_ = false;
  counted_ = 0;
  message_limit_ = 0;
  ++unanswered_;
  auto whole = std::exchange(message_, std::make_shared<incoming_message>());
  handed_out_->hand_out(whole->size());
  whole->handed_out_by = handed_out_;
  const std::string_view bytes{static_cast<const char*>(whole->data().data()), whole->size()};
  owner_->on_message({std::move(whole), bytes});
}

void ws_connection::release(credit done) {
  if (over_)
    return;
  unanswered_ -= std::min(unanswered_, done.messages);
  share_->give(done.bytes);
  read_on();
}

// -- writing ------------------------------------------------------------------------------------------------------------

void ws_connection::send(owned_bytes message, credit done) {
  if (over_ || lingering_ || !share_)
    return;
  if (!closing_) {
    share_->take(message.bytes.size());
    to_write_.push_back(std::move(message));
  }
  write_next();
  release(done);
}

void ws_connection::write_next() {
  if (over_ || lingering_ || writing_)
    return;
  if (to_write_.empty()) {
    if (closing_)
      begin_close();
    return;
  }
  writing_ = true;
  deadlines_.write_began(now());
  stream_.async_write(asio::buffer(to_write_.front().bytes.data(), to_write_.front().bytes.size()),
                      [self = shared_from_this()](error_code problem, std::size_t) {
                        self->writing_ = false;
                        self->after_write(problem);
                      });
}

void ws_connection::after_write(error_code problem) {
  if (over_ || lingering_)
    return;
  deadlines_.write_ended();
  if (problem) {
    // Where the other side has broken off, the read knows more.
    if (!reading_ || closing_)
      end("it hung up");
    return;
  }
  const auto size = to_write_.front().bytes.size();
  to_write_.pop_front();
  share_->give(size);
  write_next();
}

void ws_connection::close(close_reason why) {
  if (over_ || lingering_ || closing_)
    return;
  why.text.resize(std::min(why.text.size(), max_close_text_bytes));
  closing_ = std::move(why);
  write_next();
}

void ws_connection::begin_close() {
  if (std::exchange(close_begun_, true))
    return;
  enter(deadlines::phase::closing);
  const websocket::close_reason reason{static_cast<websocket::close_code>(closing_->code), closing_->text};
  stream_.async_close(reason, [self = shared_from_this()](error_code) {
    self->end("closed: " + (self->closing_->text.empty() ? "without a reason" : self->closing_->text));
  });
}

} // namespace vicket::internal
