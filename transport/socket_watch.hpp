#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vicket {

/// What a socket has become ready for (epoll(7), edge-triggered). More may be said than is true: a read or write that
/// finds nothing to do has to be expected.
struct readiness {
  bool readable = false;
  bool writable = false;
  bool ended = false; ///< the peer will send nothing more
};

/// The sockets of one I/O thread, each registered once for as long as it is open.
///
/// Asio's own wait costs a system call for each wait of each socket; here a request on an open connection costs none,
/// an idle connection is watched for nothing, and all that is ready is fetched with one (docs/decisions/0004-speed.md).
/// Asio only waits for the epoll descriptor itself. Not thread-safe.
///
/// A socket's edge comes once: whoever handles it reads until there is nothing left, or keeps in mind that there may
/// be something.
class socket_watch {
public:
  class listener {
  public:
    /// May add and remove any socket, this one too.
    virtual void on_ready(readiness what) = 0;

  protected:
    ~listener() = default;
  };

  /// Names a registration; one that was removed is never taken for a later one.
  using ticket = std::uint64_t;

  /// Throws boost::system::system_error when the process has no descriptor left.
  explicit socket_watch(boost::asio::io_context& context);
  socket_watch(const socket_watch&) = delete;
  socket_watch& operator=(const socket_watch&) = delete;

  /// The listener hears of every edge until `remove`, beginning with what the socket is ready for now. Null, with
  /// errno set: the kernel has no memory for it.
  [[nodiscard]] std::optional<ticket> add(int socket, listener& to);
  /// Before or after the socket was closed, which makes the kernel forget it.
  void remove(ticket given);

  /// Tells the listeners what is ready now. False: nothing was.
  bool poll();

  /// Asio waits no longer; `poll` still works.
  void stop();

private:
  struct slot {
    listener* to = nullptr;
    std::uint32_t turn = 0; ///< how often the slot was given back: tells registrations apart
  };
  /// Events that are fetched at once. Beyond it Asio's other work has its turn first.
  static constexpr int max_events = 256;

  void wait();

  boost::asio::posix::stream_descriptor epoll_;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_;
};

} // namespace vicket
