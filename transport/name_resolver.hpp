#pragma once

#include "policy/address_guard.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <ares.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

/// Addresses of names, by c-ares within one I/O thread: /etc/hosts first, then the name servers; A and AAAA.
/// A name is always taken as complete: no search domains, so that a customer's name can't end up in the
/// operator's domain.
///
/// Requests for one name share one query, and its answer is kept for its time to live, at most `max_ttl`.
/// Failures are not kept. A name server that does not answer holds up the requests for its own names only,
/// and each of them until its own deadline. Not thread-safe.
class name_resolver {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::size_t max_kept_names = 1'024; ///< at it, the one kept longest is forgotten
  static constexpr std::size_t max_names_under_way =
      8'192; ///< more fail; two queries each, of 65,536 query ids
  static constexpr std::chrono::seconds max_ttl{60};
  static constexpr std::size_t max_addresses = 16; ///< of one name are judged and dialled; more is a failure
  static constexpr int first_try_ms = 2'000;       ///< then 4 s and 8 s: longer than any request waits
  static constexpr int tries = 3;

  /// Either addresses, or why there are none.
  struct answer {
    std::vector<ip_address> addresses;
    std::string error;
  };

  /// One who waits for a name; leaves by being destroyed or by `stop_waiting`.
  class waiter {
  public:
    /// May be called from within `lookup`.
    virtual void on_resolved(const answer& result) = 0;

  protected:
    ~waiter() = default;
    void stop_waiting() { hook_.unlink(); }

  private:
    friend class name_resolver;
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> hook_;
  };

  /// `servers`: `HOST[:PORT]`, HOST a numeric address; empty: the system's. Throws `std::runtime_error`.
  name_resolver(boost::asio::io_context& context, const std::vector<std::string>& servers);
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;
  ~name_resolver() { close(); }

  /// `localhost` and the names below it are always 127.0.0.1, nobody is asked (RFC 6761 6.3), also where /etc/hosts
  /// does not say so. Not ::1 as well: operators who allow themselves 127.0.0.0/8 would be refused because of it.
  void lookup(const std::string& name, waiter& who, time_point now);

  /// The kept addresses of `name` did not connect: the next lookup asks again.
  void forget(const std::string& name);

  /// Ends all queries without telling the waiters. Nothing may be looked up afterwards.
  void close();

private:
  using waiter_list =
      boost::intrusive::list<waiter,
                             boost::intrusive::member_hook<waiter, decltype(waiter::hook_), &waiter::hook_>,
                             boost::intrusive::constant_time_size<false>>;

  struct query {
    query(name_resolver* resolver, std::string what) : owner{resolver}, name{std::move(what)} {}
    name_resolver* owner;
    std::string name;
    waiter_list waiters;
  };

  /// A socket of c-ares. c-ares opens and closes it; Asio only watches.
  struct watched_socket {
    watched_socket(boost::asio::io_context& context, int fd) : descriptor{context, fd} {}
    boost::asio::posix::stream_descriptor descriptor;
    bool wants_read = false, wants_write = false;
    bool awaits_read = false, awaits_write = false;
    bool closed = false;
  };

  struct kept_answer {
    std::vector<ip_address> addresses;
    time_point until;
  };

  static void on_answer(void* argument, int status, int timeouts, ares_addrinfo* found);
  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable);

  void ended(query& what, int status, const ares_addrinfo* found);
  void keep(const std::string& name, const std::vector<ip_address>& addresses, std::chrono::seconds ttl);
  void watch(const std::shared_ptr<watched_socket>& socket);
  void await_timeouts();

  boost::asio::io_context& context_;
  ares_channel channel_ = nullptr;
  boost::asio::steady_timer timer_;
  bool timer_runs_ = false;
  bool closed_ = false;
  std::unordered_map<ares_socket_t, std::shared_ptr<watched_socket>> sockets_;
  std::unordered_map<std::string, std::unique_ptr<query>> under_way_;
  std::unordered_map<std::string, kept_answer> kept_;
  std::deque<std::string> kept_order_; ///< names of `kept_`, the one kept longest first
};

} // namespace vicket
