#pragma once

#include "transport/answer_reader.hpp"
#include "transport/asio_transport.hpp"
#include "transport/connection.hpp"
#include "transport/connection_pool.hpp"
#include "transport/deadline_wheel.hpp"
#include "transport/dial_race.hpp"
#include "transport/exchange_services.hpp"
#include "transport/http_transport.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket {

struct destination_line;

/// A request as it was posted.
struct posted_request {
  http_request request;
  http_transport::completion done;
  std::size_t endpoint_hash;
  std::chrono::steady_clock::time_point at;
};

/// One request and its answer, from `post` to the completion: takes a pooled connection or has a fresh one dialled,
/// sends, reads. Belongs to one I/O thread.
///
/// Invariants:
/// - `finish` runs exactly once, whatever comes first: the answer, a failure, the deadline, the node's end.
/// - `race_` is set while a connection is dialled, `connection_` after that; `reused_` says that it came from the pool:
///   it is on probation until a whole answer to this request is there, and replaced, once, where something else comes
///   (`may_replace`).
class exchange final : public boost::intrusive_ref_counter<exchange, boost::thread_unsafe_counter>,
                       private dial_race::user,
                       private connection::user {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using live_hook =
      boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>>;
  live_hook live; ///< in the I/O thread's list, from `start` to `finish`
  using live_list =
      boost::intrusive::list<exchange, boost::intrusive::member_hook<exchange, live_hook, &exchange::live>>;

  /// How long a peer that does not speak HTTP may go on, so that its first bytes can be shown.
  static constexpr std::chrono::milliseconds no_http_share{500};

  exchange(exchange_services& services, live_list& all, posted_request&& posted);

  /// The exchange is in `all`, which owns it, until it has finished. Does not throw.
  static void start(exchange_services& services, live_list& all, posted_request posted);

  /// The lane's: takes an idle connection from the pool, where there is one, and sends over it; or dials.
  [[nodiscard]] bool take_idle_connection(time_point now);
  void send_on_idle_connection();
  void dial();
  /// Goes on with the dial. Neither throws.
  void take_step();
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const http_endpoint* endpoint() const { return request_.endpoint.get(); }
  [[nodiscard]] std::chrono::milliseconds timeout() const {
    return std::chrono::milliseconds{request_.timeout_ms};
  }
  /// Once it has begun, until it has finished.
  [[nodiscard]] const destination& to() const { return *to_; }

  /// Ends it with the failure of a node that stops.
  void stop();

  [[nodiscard]] static http_result stopped_result();
  [[nodiscard]] static http_result short_result(own_shortage what);

private:
  enum class phase : std::uint8_t { starting, dialling, sending, awaiting_head, reading_body };

  void begin();
  void on_dialled(std::unique_ptr<connection> winner) override;
  void on_dial_failed(outcome failure, std::string sentence) override;
  void on_dial_short(own_shortage what, std::string sentence) override;
  void on_step_wanted() override;
  void send();
  void continue_sending(std::string_view bytes);
  void on_send_failed(const connection::progress& failed);
  void read_answer();
  /// False: there is nothing more to read on this connection.
  bool on_answer_bytes(std::string_view bytes);
  void on_no_http();
  void on_stream_end(const connection::progress& end);
  void replace_connection();
  void drop_connection();
  void on_ready(connection& which, readiness what) override;
  void on_deadline();

  [[nodiscard]] std::string who() const; ///< host and address, as sentences begin
  [[nodiscard]] std::string waiting_for() const;
  [[nodiscard]] bool may_replace() const;
  [[nodiscard]] time_point now() const;

  void complete();
  void fail(outcome failure, std::string sentence);
  void end_short(own_shortage what, std::string sentence);
  void end_out_of_memory();
  void add_answer(http_result& result);
  void finish(http_result result, time_point ended);

  exchange_services& services_;
  live_list& all_;
  http_request request_;
  http_transport::completion done_;
  const std::size_t endpoint_hash_;
  const time_point posted_at_;
  deadline_wheel::entry deadline_;
  destination* to_ = nullptr;
  std::unique_ptr<dial_race> race_;
  std::unique_ptr<connection> connection_;
  std::optional<answer_reader> answer_;
  secret_text unsent_; ///< rest of the request that the socket did not take
  phase phase_ = phase::starting;
  bool reused_ = false;
  bool sent_ = false;
  bool touched_ = false; ///< a byte of the request may have left this machine
  bool finished_ = false;
  bool no_http_ = false; ///< what comes is read for a while, to be shown
  bool in_lane_ = false; ///< for the next step
  time_point phase_began_;
  time_point dial_began_;
  time_point heard_at_; ///< when bytes of the answer were read last
  phase_timings timings_;
};

} // namespace vicket
