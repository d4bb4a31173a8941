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
#include <set>
#include <string>
#include <string_view>
#include <utility>
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

/// The line of a destination, which lives as long as that.
struct destination_line {
  using time_point = std::chrono::steady_clock::time_point;

  explicit destination_line(dial_lane& owner) : lane{owner} {}
  destination_line(const destination_line&) = delete;
  destination_line& operator=(const destination_line&) = delete;
  ~destination_line();

  dial_lane& lane;
  connection_line<const http_endpoint*, boost::intrusive_ptr<exchange>> waiting;
  bool dial_queued = false;                ///< its next dial has a place in the lane
  bool connections_came_back = false;      ///< to be handed on
  std::optional<time_point> patient_until; ///< when the first one should dial; the lane looks then
};

/// Where exchanges get connections, and take the steps of dials: connecting, and a TLS handshake. Such a step takes
/// hundreds of microseconds, so that thousands of dials at once, as when an endpoint that hung has timed out, would
/// hold up the answers of everybody else: the I/O thread looks at its sockets and starts other requests between any two
/// of them, and destinations have their turns in a round, however many dials each has (docs/decisions/0004-speed.md). A
/// destination's next dial stands behind the steps of those before it, so that a crowd does not dial all at once.
///
/// Belongs to one I/O thread.
class dial_lane {
public:
  using time_point = destination_line::time_point;

  /// What the lane asks of its I/O thread. Each asks once, until it has been done.
  struct wishes {
    std::function<void()> take_turn; ///< call `take_turn` soon, after a look at the sockets
    std::function<void()> hand_on;   ///< the same of `hand_on`
    std::function<void(time_point)>
        look_at_lines; ///< call `look_at_lines` then; an earlier time replaces a later one
  };
  explicit dial_lane(wishes of_lane) : ask_{std::move(of_lane)} {}

  /// `next` needs a connection: it is given one that comes back, or dials when its turn comes.
  void join(destination& to, boost::intrusive_ptr<exchange> next, time_point now);
  /// Whether somebody waits for the next connection that is idle.
  [[nodiscard]] static bool has_line(const destination& to);
  /// An idle connection was put into the pool.
  void connection_came_back(const std::shared_ptr<destination_line>& line, time_point now);
  /// A dial made a connection, after so long.
  void dial_took(destination& to, std::chrono::steady_clock::duration span);
  /// `next` is to take the next step of its dial.
  void add_step(destination& to, boost::intrusive_ptr<exchange> next);

  /// One dial or one step.
  void take_turn(time_point now);
  /// Gives connections that came back to those that wait. After a look at the sockets, so that the pool has closed those
  /// that have something to say.
  void hand_on(time_point now);
  void look_at_lines(time_point now);
  void clear();

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
  void be_patient(destination_line& line, std::optional<time_point> until);

  wishes ask_;
  bool turn_asked_ = false;
  std::set<std::pair<time_point, destination_line*>>
      patient_; ///< by their `patient_until`; outlives lines in the next two
  fair_queue<const destination_line*, turn> turns_;
  std::vector<std::shared_ptr<destination_line>> came_back_;
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

  /// The lane's: takes an idle connection from the pool, where there is one, and sends over it; or dials.
  [[nodiscard]] bool take_idle_connection(time_point now);
  void send_on_idle_connection();
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
