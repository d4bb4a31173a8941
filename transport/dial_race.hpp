#pragma once

#include "messages/attempt.hpp"
#include "transport/connection.hpp"
#include "transport/deadline_wheel.hpp"
#include "transport/http_transport.hpp"
#include "transport/name_resolver.hpp"

#include <boost/container/small_vector.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace vicket {

struct exchange_services;

/// One dial of an endpoint: resolves its name, judges the addresses, and lets them race up to the end of TLS (RFC 8305).
/// The next address begins `attempt_delay` after the one before it, beside it, or at once when one has failed; the first
/// whose TLS handshake has ended with a certificate that verifies wins, the others are dropped. Addresses that may not
/// be dialled are left out. What won begins the next race of the name.
///
/// A TLS session that was offered in a handshake that failed is forgotten, and its address dialled again without one;
/// beside it, where the handshake is only silent.
///
/// What this node is short of is no address's failure: the race goes on without that one. Where nobody wins then, it is a
/// shortage; but one on the way to an address is only where there was nothing else.
///
/// Invariant: its user is told of one end, `on_dialled`, `on_dial_failed` or `on_dial_short`, and nothing is touched after that: the user
/// destroys the race, which may be done at any other time, too. Belongs to one I/O thread.
class dial_race final : private name_resolver::waiter, private connection::user {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds attempt_delay{250}; ///< RFC 8305 section 5
  static constexpr std::size_t max_addresses =
      8; ///< that are dialled in one race; the next one begins with others
  /// A handshake that resumes takes one or two round trips; one that has not ended after so long is repeated in full.
  static constexpr std::chrono::milliseconds max_resumption_patience{1'000};
  static constexpr std::size_t max_kept_addresses = 64; ///< all are judged, of more the rest is left out
  static constexpr std::size_t max_denied_shown = 4;

  class user {
  public:
    virtual void on_dialled(std::unique_ptr<connection> winner) = 0;
    virtual void on_dial_failed(outcome failure, std::string sentence) = 0;
    /// This node is short of something, and nobody won without it.
    virtual void on_dial_short(own_shortage what, std::string sentence) = 0;
    /// Call `take_step` when it is its turn.
    virtual void on_step_wanted() = 0;

  protected:
    ~user() = default;
  };

  struct attempt_times {
    time_point began, ends;
  };

  /// `timings` are filled as far as the race comes; in the end they are the winner's. All of them outlive the race.
  dial_race(exchange_services& services, destination& to, const http_endpoint& endpoint,
            const attempt_times& times, phase_timings& timings, user& whom);
  dial_race(const dial_race&) = delete;
  dial_race& operator=(const dial_race&) = delete;
  ~dial_race();

  void start();
  /// One step of one dial: connecting, or a TLS handshake.
  void take_step();
  /// What it waits for: "connecting to 1.2.3.4:443".
  [[nodiscard]] std::string waiting_for() const;

private:
  struct contestant {
    std::unique_ptr<connection> line;
    bool securing = false;
    bool step_wanted = false;
  };
  /// One in nearly every race, so that it costs no memory of its own.
  using contestant_list = boost::container::small_vector<contestant, 1>;
  using address_list = boost::container::small_vector<ip_address, max_addresses>;

  void on_resolved(const name_resolver::answer& result) override;
  void on_ready(connection& which, readiness what) override;
  void on_due();

  void judge(std::span<const ip_address> addresses);
  void tell_log();
  [[nodiscard]] std::string left_out() const;
  [[nodiscard]] bool has_next() const { return next_ < std::min(addresses_.size(), max_dials_); }
  void dial_next();
  void dial_address(const ip_address& address);
  void step(contestant& whose);
  void on_connected(contestant& whose);
  void continue_handshake(contestant& whose);
  void on_connect_failed(contestant& whose);
  void on_tls_failed(contestant& whose, std::string predicate);
  void note_shortage(const contestant& whose);
  void note(const contestant& whose, const std::string& what);
  void drop(const contestant& whose);
  void go_on();
  void wait_for_next();
  void win(contestant& whose);
  void lose();

  [[nodiscard]] bool is_numeric() const;
  [[nodiscard]] std::string peer_of(const contestant& whose) const;
  [[nodiscard]] time_point now() const;

  exchange_services& services_;
  destination& to_;
  const http_endpoint& endpoint_;
  phase_timings& timings_;
  user& user_;
  const time_point attempt_began_;
  const std::chrono::milliseconds resumption_patience_;
  deadline_wheel::entry due_; ///< of the next address, or of the repetition
  contestant_list contestants_;
  address_list addresses_; ///< that may be dialled; those before `next_` have been
  std::size_t next_ = 0;
  std::size_t max_dials_ = max_addresses; ///< one more for each that is dialled once more
  std::size_t denied_ = 0;
  std::string denials_;  ///< why addresses were left out; for the log, or for who wrote the address
  std::string failures_; ///< of the dials that ended, as parts of a sentence
  std::size_t failed_ = 0;
  std::optional<own_shortage> shortage_; ///< of the node, if there was one, else on the way to an address
  std::size_t short_dials_ = 0;          ///< of `failed_`
  bool tls_failed_ = false;
  bool resolved_ = false;  ///< no more addresses come
  bool may_resume_ = true; ///< no handshake that offered a session has failed
  time_point began_;       ///< resolving, then connecting
};

} // namespace vicket
