#pragma once

#include "policy/address_guard.hpp"
#include "transport/deadline_wheel.hpp"
#include "transport/name_server.hpp"
#include "transport/watched_files.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

/// Addresses of names within one I/O thread: /etc/hosts first, then the name servers; A and AAAA, asked separately.
/// A name is always taken as complete: no search domains, so that a customer's name can't end up in the
/// operator's domain.
///
/// A name is resolved as soon as it can be. Once one family is there, the other has `resolution_delay` left; what comes
/// later is handed in afterwards. A server that does not answer within `next_server_after` is joined by the next one,
/// one that fails at once, and the one that answered is asked first from then on.
///
/// Requests for one name share one query, and its answer is kept for its time to live, at most `max_ttl`.
/// Failures are not kept. A name server that does not answer holds up the requests for its own names only,
/// and each of them until its own deadline. The system's name servers are looked at again when resolv.conf has changed.
/// Not thread-safe.
class name_resolver {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::size_t max_kept_names = 1'024;      ///< at it, the one kept longest is forgotten
  static constexpr std::size_t max_names_under_way = 8'192; ///< more fail
  static constexpr std::size_t max_servers = 8;             ///< more are not asked
  static constexpr std::chrono::seconds max_ttl{60};
  static constexpr std::chrono::milliseconds resolution_delay{50}; ///< RFC 8305 section 3
  static constexpr std::chrono::milliseconds next_server_after{400};
  /// Who joins an older question has it asked once more: its own repetitions have become rare by then.
  static constexpr std::chrono::milliseconds ask_again_after{1'000};

  /// Either addresses, or why there are none. Not `complete`: one family's, the other has not answered yet.
  struct answer {
    std::vector<ip_address> addresses;
    std::string error;
    bool complete = true;
    std::optional<std::string> shortage = std::nullopt; ///< there are none since this node is short of that
  };

  /// One who waits for a name; leaves by being destroyed or by `stop_waiting`.
  class waiter {
  public:
    /// May be called from within `lookup`. After an answer that is not complete a complete one follows.
    virtual void on_resolved(const answer& result) = 0;

  protected:
    ~waiter() = default;
    void stop_waiting() { hook_.unlink(); }

  private:
    friend class name_resolver;
    bool told_ = false; ///< about the first family
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> hook_;
  };

  /// Where the names of servers come from.
  struct sources {
    std::vector<std::string> servers; ///< `HOST[:PORT]`, HOST a numeric address; empty: the system's
    std::string resolv_conf;          ///< the file that names the system's
  };

  /// Throws `std::runtime_error` when one of `servers` can't be used. `make_room` frees a descriptor; false: it can't.
  name_resolver(boost::asio::io_context& context, deadline_wheel& deadlines, sources from,
                std::function<bool()> make_room);
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;
  ~name_resolver() { close(); }

  /// `localhost` and the names below it are always 127.0.0.1, nobody is asked (RFC 6761 6.3), also where /etc/hosts
  /// does not say so. Not ::1 as well: operators who allow themselves 127.0.0.0/8 would be refused because of it.
  void lookup(const std::string& name, waiter& who, time_point now);

  /// The kept addresses of `name` did not connect: the next lookup asks again.
  void forget(const std::string& name);

  /// Reads again who the name servers are, and forgets what the old ones said. Not from within an answer.
  void reload();

  /// Ends all queries without telling the waiters. Nothing may be looked up afterwards.
  void close();

private:
  using waiter_list =
      boost::intrusive::list<waiter,
                             boost::intrusive::member_hook<waiter, decltype(waiter::hook_), &waiter::hook_>,
                             boost::intrusive::constant_time_size<false>>;
  using server_list = std::vector<std::unique_ptr<name_server>>;
  using family = name_server::family;

  /// What is known of a name in one family.
  struct half {
    bool settled = false;
    std::vector<ip_address> addresses;
    int status = ARES_ETIMEOUT;          ///< why there are none
    std::optional<std::string> shortage; ///< a question could not be asked
    time_point until;                    ///< how long that is so, once it is settled
    time_point asked_at;
    std::size_t first_server = 0;
    std::size_t asked = 0;   ///< how often
    std::size_t pending = 0; ///< questions without a reply
    unsigned turn = 0;       ///< replies to earlier turns don't count

    [[nodiscard]] bool usable() const { return settled && !addresses.empty(); }
  };

  /// A name that is being resolved.
  struct query : std::enable_shared_from_this<query> {
    query(name_resolver* resolver, std::string what);
    [[nodiscard]] half& of(family which) { return which == family::v6 ? v6 : v4; }

    name_resolver* owner;
    std::string name;
    waiter_list waiters;
    half v4, v6;
    std::optional<time_point> usable_at; ///< since when there is something to go on with
    bool over = false;
    deadline_wheel::entry due;
  };
  using query_ptr = std::shared_ptr<query>;

  struct kept_answer {
    std::vector<ip_address> addresses;
    time_point until;
  };

  [[nodiscard]] server_list make_servers() const;
  [[nodiscard]] std::vector<std::string> system_servers() const;
  void refresh_servers(time_point now);
  void renew_servers(time_point now);
  void begin(const query_ptr& of, family which, time_point now);
  void ask_next(const query_ptr& of, family which, time_point now);
  void freshen(const query_ptr& joined, time_point now);
  void on_reply(const query_ptr& of, family which, unsigned turn, std::size_t server,
                const name_server::reply& said);
  void on_due(const query_ptr& of);
  void evaluate(const query_ptr& of, time_point now);
  void wait_for_more(query& of, time_point now);
  void tell_first(const query_ptr& of, time_point now);
  void complete(const query_ptr& of, time_point now);
  answer take_stock(query& of, bool complete, time_point now);
  void keep(const std::string& name, const std::vector<ip_address>& addresses, time_point until);
  void await_timeouts();

  boost::asio::io_context& context_;
  deadline_wheel& deadlines_;
  const sources from_;
  const std::function<bool()> make_room_;
  watched_files resolv_conf_;
  server_list servers_;       ///< never empty until `close`
  std::size_t preferred_ = 0; ///< the one that answered last
  time_point heard_at_{};
  bool unheard_ =
      false; ///< a question got no answer, and nor did any later one: the network may be another by now
  boost::asio::steady_timer timer_;
  bool timer_runs_ = false;
  bool closed_ = false;
  std::unordered_map<std::string, query_ptr> under_way_;
  std::unordered_map<std::string, kept_answer> kept_;
  std::deque<std::string> kept_order_; ///< names of `kept_`, the one kept longest first
};

} // namespace vicket
