#pragma once

#include "transport/answer_reader.hpp"
#include "transport/beast_transport.hpp"
#include "transport/connection.hpp"
#include "transport/connection_line.hpp"
#include "transport/connection_pool.hpp"
#include "transport/deadline_wheel.hpp"
#include "transport/fair_queue.hpp"
#include "transport/http_transport.hpp"
#include "transport/name_resolver.hpp"
#include "transport/socket_watch.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vicket {

class dial_lane;
class exchange;

/// A request as it was posted.
struct posted_request {
  http_request request;
  http_transport::completion done;
  std::size_t endpoint_hash;
  std::chrono::steady_clock::time_point at;
};

/// The line of a destination, which lives as long as that, and whether its next dial has a place in the lane.
struct destination_line {
  using time_point = std::chrono::steady_clock::time_point;

  destination_line(dial_lane& owner);

  dial_lane& lane;
  connection_line<const http_endpoint*, boost::intrusive_ptr<exchange>> waiting;
  deadline_wheel::entry patience; ///< until the first one should dial
  bool dial_queued = false;
};

/// Where exchanges get connections, and take the steps of dials: connecting, and a TLS handshake. Such a step takes
/// hundreds of microseconds, so that thousands of dials at once, as when an endpoint that hung has timed out, would
/// hold up the answers of everybody else: the I/O thread looks at its sockets and starts other requests between any two
/// of them, and destinations have their turns in a round, however many dials each has (docs/decisions/0004-speed.md).
///
/// Belongs to one I/O thread.
class dial_lane {
public:
  using time_point = destination_line::time_point;

  /// `ask_for_turn` is called when there is something to do again: `take_turn` has to follow soon.
  dial_lane(deadline_wheel& deadlines, std::function<void()> ask_for_turn)
      : deadlines_{deadlines}, ask_for_turn_{std::move(ask_for_turn)} {}

  /// `next` needs a connection: it is given one that comes back, or dials when its turn comes.
  void join(destination& to, boost::intrusive_ptr<exchange> next, time_point now);
  /// An idle connection was put into the pool.
  void connection_came_back(destination_line& line, time_point now);
  /// An exchange dials, and does no more; `took` when that made a connection.
  void dial_began(destination& to);
  void dial_ended(destination& to, std::optional<std::chrono::steady_clock::duration> took, time_point now);
  /// `next` is to take the next step of its dial.
  void add_step(destination& to, boost::intrusive_ptr<exchange> next);

  /// One dial or one step, and asks for another turn if it wasn't the last.
  void take_turn(time_point now);
  void clear() { turns_.clear(); }

private:
  friend struct destination_line;

  /// A step of an exchange, or, without one, a dial of whoever is first in the line by then.
  struct turn {
    boost::intrusive_ptr<exchange> whose;
    std::shared_ptr<destination_line> line;
  };

  [[nodiscard]] destination_line& line_of(destination& to);
  void queue(const destination_line* of, turn next);
  void consider(destination_line& line, time_point now);
  void dial_first(destination_line& line, time_point now);

  deadline_wheel& deadlines_;
  std::function<void()> ask_for_turn_;
  bool asked_ = false;
  fair_queue<const destination_line*, turn> turns_;
};

/// What the exchanges of one I/O thread share.
struct exchange_services {
  socket_watch& watch;
  const transport_options& options;
  const tls_context& tls;
  connection_pool& pool;
  name_resolver& names;
  deadline_wheel& deadlines;
  dial_lane& dials;
  std::string& out;      ///< scratch for composing a request
  std::vector<char>& in; ///< scratch for reading
};

/// One request and its answer, from `post` to the completion: takes a pooled connection or resolves, checks,
/// dials and secures a fresh one, sends, reads. Belongs to one I/O thread.
///
/// Invariants:
/// - `finish` runs exactly once, whatever comes first: the answer, a failure, the deadline, the node's end.
/// - `connection_` is set from dialling on; `reused_` says that it came from the pool and nothing has proven
/// yet
///   that the peer still listens on it.
class exchange final : public boost::intrusive_ref_counter<exchange, boost::thread_unsafe_counter>,
                       private name_resolver::waiter,
                       private connection::user {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using live_hook =
      boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>>;
  live_hook live; ///< in the I/O thread's list, from `start` to `finish`
  using live_list =
      boost::intrusive::list<exchange, boost::intrusive::member_hook<exchange, live_hook, &exchange::live>>;

  /// With several addresses, how long one may take to connect before the next is tried.
  static constexpr std::chrono::seconds connect_share{2};

  exchange(exchange_services& services, live_list& all, posted_request posted);

  /// The exchange is in `all`, which owns it, until it has finished.
  static void start(exchange_services& services, live_list& all, posted_request posted);

  /// The lane's. False: there is none, or it needs none any more.
  [[nodiscard]] bool take_idle_connection(time_point now);
  void dial();
  /// Goes on with connecting or the handshake.
  void take_step();
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const http_endpoint* endpoint() const { return request_.endpoint.get(); }
  [[nodiscard]] const std::shared_ptr<destination_line>& line() const { return to_->line; }

  /// Ends it with the failure of a node that stops.
  void stop();

  [[nodiscard]] static http_result stopped_result();

private:
  enum class phase : std::uint8_t {
    starting,
    resolving,
    connecting,
    securing,
    sending,
    awaiting_head,
    reading_body
  };

  void begin();
  void dial_fresh();
  void end_dial(bool connected);
  void on_resolved(const name_resolver::answer& result) override;
  void check_and_dial();
  void dial_next();
  void on_connect(const connection::progress& result);
  void on_connect_share_over();
  void note_connect_failure(const std::string& reason);
  void secure();
  void continue_handshake();
  void send();
  void continue_sending(std::string_view bytes);
  void on_send_failed(const connection::progress& failed);
  void read_answer();
  void on_answer_bytes(std::string_view bytes);
  void on_stream_end(const connection::progress& end);
  void replace_connection();
  void drop_connection();
  void on_ready(connection& which, readiness what) override;
  void queue_for_step();
  void on_deadline();

  [[nodiscard]] std::string who() const; ///< host and address, as sentences begin
  [[nodiscard]] std::string waiting_for() const;
  [[nodiscard]] bool may_replace() const { return reused_ && !answer_->started(); }
  [[nodiscard]] time_point now() const;
  [[nodiscard]] std::int64_t since_us(time_point begin) const;

  void complete();
  void fail(outcome failure, std::string sentence);
  void add_answer(http_result& result);
  void finish(http_result result, time_point ended);

  exchange_services& services_;
  live_list& all_;
  http_request request_;
  http_transport::completion done_;
  const std::size_t endpoint_hash_;
  const time_point posted_at_;
  deadline_wheel::entry deadline_;
  deadline_wheel::entry connect_share_;
  destination* to_ = nullptr;
  std::unique_ptr<connection> connection_;
  std::optional<answer_reader> answer_;
  std::vector<ip_address> addresses_;
  std::size_t next_address_ = 0;
  std::string connect_failures_;
  std::string unsent_; ///< rest of the request that the socket did not take
  phase phase_ = phase::starting;
  bool reused_ = false;
  bool sent_ = false;
  bool finished_ = false;
  bool dials_ = false;        ///< the lane knows of a dial of this one
  bool in_lane_ = false;      ///< for the next step
  bool connect_over_ = false; ///< the socket of `connection_` is connected, or has failed to
  time_point phase_began_;
  time_point dial_began_;
  time_point heard_at_; ///< when bytes of the answer were read last
  std::int64_t connected_after_us_ = 0;
  phase_timings timings_;
};

} // namespace vicket
