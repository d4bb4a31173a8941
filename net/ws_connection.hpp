#pragma once

#include "net/allowance.hpp"
#include "net/byte_budget.hpp"
#include "net/byte_stream.hpp"
#include "net/deadlines.hpp"
#include "net/handed_out.hpp"
#include "net/web_socket.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vicket::internal {

/// Of a buffer that may have had a secret: zeros before it is given back.
template <class T>
struct wiping_allocator {
  using value_type = T;

  wiping_allocator() = default;
  template <class Other>
  explicit wiping_allocator(const wiping_allocator<Other>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) { return std::allocator<T>{}.allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    ::explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>{}.deallocate(memory, count);
  }

  friend bool operator==(wiping_allocator, wiping_allocator) { return true; }
};
using wiped_buffer = boost::beast::basic_flat_buffer<wiping_allocator<char>>;

/// A message as it comes, and as its owner gets it.
struct incoming_message : wiped_buffer {
  incoming_message() = default;
  incoming_message(const incoming_message&) = delete;
  incoming_message& operator=(const incoming_message&) = delete;
  ~incoming_message() {
    if (handed_out_by)
      handed_out_by->let_go(size());
  }

  std::shared_ptr<handed_out> handed_out_by; ///< null: it is not whole yet
};

/// What the connections of a port, or of who dials, share. They keep it.
struct ws_surroundings {
  ws_surroundings(std::weak_ptr<io_core> of, deadline_limits times, web_socket_limits bounds,
                  std::size_t budget_bytes, std::size_t always_bytes)
      : core{std::move(of)}, deadlines{times}, limits{bounds}, budget{budget_bytes, always_bytes} {}

  std::weak_ptr<io_core> core; ///< which has their operations, which keep them
  deadline_limits deadlines;
  web_socket_limits limits;
  byte_budget budget;
};

/// One connection, from the socket to its end: first who accepts or dials uses its stream for TLS and the upgrade, then
/// `open` hands it to an owner. Of the I/O thread; its pending operations keep it.
///
/// Invariants: at most one read, one write and one ping are under way. After `end` there is no owner and no socket.
class ws_connection : public std::enable_shared_from_this<ws_connection> {
public:
  using stream_type = boost::beast::websocket::stream<byte_stream, false>;
  using error_code = boost::system::error_code;

  /// `ended` is called once when the connection's socket is closed.
  ws_connection(std::shared_ptr<ws_surroundings> around, byte_stream::socket_type socket,
                deadlines::phase first, std::function<void()> ended);
  ~ws_connection();

  [[nodiscard]] stream_type& stream() { return stream_; }
  [[nodiscard]] byte_stream& bytes() { return stream_.next_layer(); }
  [[nodiscard]] peer_identity& peer() { return peer_; }
  [[nodiscard]] bool over() const { return over_; }
  /// Why it ended.
  [[nodiscard]] const std::string& why() const { return why_; }

  void watch(); ///< starts looking at the deadlines
  void enter(deadlines::phase next);
  /// Tells the other side that nothing more is written, and waits a moment for its end, so that it reads what was.
  void linger(std::string why);
  void end(std::string why);

  /// Before `open`, by who accepts: what was read is zeroed when the connection ends. Its stream has read nothing since
  /// the upgrade.
  void wipe_input_at_end() { bytes().note_next_read(); }

  /// The upgrade is done. Reads from here on, and talks to `owner`.
  [[nodiscard]] std::shared_ptr<web_socket> handle();
  void open(std::shared_ptr<web_socket_owner> owner);

  // What a `web_socket` asks for.
  void send(owned_bytes message, credit done);
  void release(credit done);
  void close(close_reason why);

private:
  using time_point = deadlines::time_point;
  [[nodiscard]] static time_point now();

  void tick();
  void look_at_stream();
  void read_on();
  void after_read(error_code problem);
  bool judge_head();
  void deliver();
  void write_next();
  void after_write(error_code problem);
  void begin_close();
  void on_control();
  void drain_input();
  void wipe_input();
  [[nodiscard]] bool may_read();

  std::shared_ptr<ws_surroundings> around_; // first: the share below gives back to its budget
  stream_type stream_;
  boost::asio::steady_timer timer_;
  deadlines deadlines_;
  allowance pings_;
  std::function<void()> ended_;
  peer_identity peer_;
  std::shared_ptr<web_socket_owner> owner_;
  std::shared_ptr<incoming_message> message_;
  std::shared_ptr<handed_out> handed_out_;
  std::size_t message_limit_ = 0; ///< 0: the head has not been judged
  std::size_t counted_ = 0;       ///< of the message's bytes, in the share
  std::optional<byte_budget::share> share_;
  std::size_t unanswered_ = 0;
  std::deque<owned_bytes> to_write_;
  std::optional<close_reason> closing_;
  std::uint64_t seen_read_ = 0;
  std::uint64_t seen_written_ = 0;
  std::array<char, 1024> discarded_{};
  time_point told_{};       ///< when its owner was last told of the time
  bool in_message_ = false; ///< its first byte is there, its last is not
  bool reading_ = false;
  bool writing_ = false;
  bool close_begun_ = false;
  bool pinging_ = false;
  bool lingering_ = false; ///< the WebSocket is over, or there was none: nothing more is asked of the stream
  bool over_ = false;
  std::string why_;
};

} // namespace vicket::internal
