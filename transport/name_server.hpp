#pragma once

#include "policy/address_guard.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <ares.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace vicket {

/// This node is short of what its `what()` says.
class short_of_descriptors : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// One name server, asked through a c-ares channel of its own: whom to ask next, and when, is the resolver's decision,
/// since c-ares asks servers strictly in turn, and older ones begin with the same one each time. A question is sent
/// again while there is no answer, at growing intervals.
///
/// Belongs to one I/O thread. Must not be destroyed from within one of its answers.
class name_server {
public:
  enum class family : std::uint8_t { v4, v6 };

  struct reply {
    int status = ARES_SUCCESS; ///< of c-ares
    std::vector<ip_address> addresses;
    std::chrono::seconds ttl{0};                        ///< the shortest of the addresses'
    std::optional<std::string> shortage = std::nullopt; ///< it failed since this node is short of that
  };
  using question = std::function<void(const reply&)>;

  static constexpr int first_try_ms = 400;
  static constexpr int tries =
      5; ///< at 0, 0.4, 1.2, 2.8 and 6 s; given up after 12.4 s, when nobody waits any longer
  static constexpr std::size_t max_questions = 16'384; ///< under way; of 65,536 ids

  /// `address`: `HOST[:PORT]`, HOST a numeric address. `make_room` frees a descriptor; false: it can't. Throws
  /// `std::runtime_error`.
  name_server(boost::asio::io_context& context, const std::string& address, std::function<bool()> make_room);
  name_server(const name_server&) = delete;
  name_server& operator=(const name_server&) = delete;
  /// Questions under way are dropped without a word.
  ~name_server();

  /// Asks for the A or AAAA records of a complete name. The reply may come from within.
  void ask(const std::string& name, family what, question whom);

  /// Sends again what is due for it.
  void check_timeouts();

  [[nodiscard]] std::size_t questions() const { return questions_; }

  /// The addresses that /etc/hosts gives a name. Throws `short_of_descriptors`.
  [[nodiscard]] std::vector<ip_address> addresses_in_hosts_file(const std::string& name) const;

private:
  /// A socket of c-ares. c-ares says when it is opened, used and closed, through our functions, since it would keep to
  /// itself why one can't be opened; Asio watches.
  struct watched_socket {
    watched_socket(boost::asio::io_context& context, int fd) : descriptor{context, fd} {}
    boost::asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;
    bool awaits_read = false, awaits_write = false;
    bool closed = false;
  };
  struct asked {
    name_server* of;
    question whom;
  };

  static void on_answer(void* argument, int status, int timeouts, ares_addrinfo* found);
  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable);
  static ares_socket_t open_socket(int domain, int type, int protocol, void* self);
  static int close_socket(ares_socket_t fd, void* self);
  static int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void* self);
  static ares_ssize_t receive(ares_socket_t fd, void* into, std::size_t size, int flags, sockaddr* from,
                              ares_socklen_t* from_size, void* self);
  static ares_ssize_t send(ares_socket_t fd, const iovec* parts, int count, void* self);
  [[nodiscard]] ares_socket_t try_to_open(int domain, int type, int protocol);
  void watch(const std::shared_ptr<watched_socket>& socket);

  boost::asio::io_context& context_;
  ares_channel channel_ = nullptr;
  const std::function<bool()> make_room_;
  bool closed_ = false;
  std::size_t questions_ = 0;
  std::optional<std::string> shortage_; ///< why the last socket could not be opened or used, if that was why
  std::unordered_map<ares_socket_t, std::shared_ptr<watched_socket>> sockets_;
};

} // namespace vicket
