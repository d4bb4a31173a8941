#pragma once

#include "net/openssl.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace vicket::internal {

/// A TCP or Unix socket, with TLS on it or without: what Beast reads from and writes to. OpenSSL works on the socket itself,
/// without Asio's stream in between: that one keeps four buffers of 17 KB for each connection. Of the I/O thread.
class byte_stream {
public:
  using error_code = boost::system::error_code;
  using protocol = boost::asio::generic::stream_protocol;
  using executor_type = boost::asio::io_context::executor_type;
  using socket_type = boost::asio::basic_stream_socket<protocol, executor_type>;

  /// As many bytes as go into one TLS record: smaller pieces are put together up to it.
  static constexpr std::size_t record_bytes = 16 * 1024;

  explicit byte_stream(boost::asio::io_context& context) : socket_{context} {}
  explicit byte_stream(socket_type socket) : socket_{std::move(socket)} { prepare(); }

  [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
  [[nodiscard]] socket_type& socket() { return socket_; }
  /// The socket is connected: it becomes non-blocking.
  void prepare();
  /// From here on there is TLS. False: no memory for it.
  [[nodiscard]] bool use_tls(ssl_ptr ssl);
  [[nodiscard]] const SSL* tls() const { return ssl_.get(); }

  /// Bytes of contents that have passed, to see whether anything does.
  [[nodiscard]] std::uint64_t bytes_read() const { return read_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return written_; }

  /// Where the first read after this call goes to.
  void note_next_read() { note_read_ = true; }
  [[nodiscard]] boost::asio::mutable_buffer noted_read() const { return noted_read_; }

  /// No more is written; the other side may still have something to say. Says goodbye in TLS as far as that goes at once.
  void end_writing();
  void abort();

  enum class step { done, want_read, want_write, failed };
  /// As much of a handshake as goes without waiting, which may be half a millisecond's work: for who has a turn for it.
  /// `problem` of `failed`.
  [[nodiscard]] step try_handshake(error_code& problem);

  /// All of it, as soon as it can be. `void(error_code)`.
  template <class Handler>
  void async_tls_handshake(Handler&& handler) {
    boost::asio::async_compose<Handler, void(error_code)>(handshake_op{*this}, handler, socket_);
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    boost::asio::mutable_buffer into;
    for (auto at = boost::asio::buffer_sequence_begin(buffers),
              end = boost::asio::buffer_sequence_end(buffers);
         at != end && into.size() == 0; ++at)
      into = *at;
    if (std::exchange(note_read_, false))
      noted_read_ = into;
    boost::asio::async_compose<Handler, void(error_code, std::size_t)>(read_op{*this, into}, handler,
                                                                       socket_);
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    boost::asio::async_compose<Handler, void(error_code, std::size_t)>(write_op<Buffers>{*this, buffers},
                                                                       handler, socket_);
  }

  friend void beast_close_socket(byte_stream& stream) { stream.abort(); }

  template <class Handler>
  friend void async_teardown(boost::beast::role_type, byte_stream& stream, Handler&& handler) {
    stream.end_writing();
    boost::asio::post(stream.get_executor(),
                      [handler = std::forward<Handler>(handler)]() mutable { handler(error_code{}); });
  }

private:
  [[nodiscard]] step try_read(void* into, std::size_t size, std::size_t& got, error_code& problem);
  [[nodiscard]] step try_write(const void* from, std::size_t size, std::size_t& put, error_code& problem);
  [[nodiscard]] step tls_step(int result, error_code& problem);

  /// Tries `attempt`, waits for the socket where it says so, and completes, never within the call that started it.
  template <class Self, class Attempt, class Complete>
  void drive(Self& self, bool first, error_code waited, Attempt attempt, Complete complete) {
    error_code problem = waited;
    auto next = problem ? step::failed : attempt(problem);
    if (next == step::want_read)
      socket_.async_wait(socket_type::wait_read, std::move(self));
    else if (next == step::want_write)
      socket_.async_wait(socket_type::wait_write, std::move(self));
    else
      complete(self, first, problem);
  }

  struct handshake_op {
    byte_stream& stream;
    bool first = true;
    bool over = false;
    error_code result = {};

    template <class Self>
    void operator()(Self& self, error_code waited = {}) {
      if (over)
        return self.complete(result);
      stream.drive(
          self, std::exchange(first, false), waited,
          [this](error_code& problem) { return stream.try_handshake(problem); },
          [this](Self& me, bool at_once, error_code problem) {
            if (!at_once)
              return me.complete(problem);
            over = true;
            result = problem;
            boost::asio::post(stream.get_executor(), std::move(me));
          });
    }
  };

  struct read_op {
    byte_stream& stream;
    boost::asio::mutable_buffer into;
    bool first = true;
    bool over = false;
    std::size_t got = 0;
    error_code result = {};

    template <class Self>
    void operator()(Self& self, error_code waited = {}) {
      if (over)
        return self.complete(result, got);
      stream.drive(
          self, std::exchange(first, false), waited,
          [this](error_code& problem) { return stream.try_read(into.data(), into.size(), got, problem); },
          [this](Self& me, bool at_once, error_code problem) {
            if (!at_once)
              return me.complete(problem, got);
            over = true;
            result = problem;
            boost::asio::post(stream.get_executor(), std::move(me));
          });
    }
  };

  template <class Buffers>
  struct write_op {
    byte_stream& stream;
    Buffers buffers;
    bool first = true;
    bool over = false;
    std::size_t put = 0;
    error_code result = {};

    step attempt(error_code& problem) {
      // A frame's head and what is in it go together. The same bytes again where it has to be tried again.
      static thread_local std::array<char, record_bytes> together;
      const auto at = boost::asio::buffer_sequence_begin(buffers);
      const auto end = boost::asio::buffer_sequence_end(buffers);
      if (at == end)
        return step::done;
      const boost::asio::const_buffer head = *at;
      if (std::next(at) == end || head.size() >= record_bytes)
        return stream.try_write(head.data(), head.size(), put, problem);
      const auto size = boost::asio::buffer_copy(boost::asio::buffer(together), buffers);
      const auto went = stream.try_write(together.data(), size, put, problem);
      ::explicit_bzero(together.data(), size); // an answer may have a secret
      return went;
    }

    template <class Self>
    void operator()(Self& self, error_code waited = {}) {
      if (over)
        return self.complete(result, put);
      stream.drive(
          self, std::exchange(first, false), waited, [this](error_code& problem) { return attempt(problem); },
          [this](Self& me, bool at_once, error_code problem) {
            if (!at_once)
              return me.complete(problem, put);
            over = true;
            result = problem;
            boost::asio::post(stream.get_executor(), std::move(me));
          });
    }
  };

  socket_type socket_;
  ssl_ptr ssl_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
  boost::asio::mutable_buffer noted_read_;
  bool note_read_ = false;
};

} // namespace vicket::internal
