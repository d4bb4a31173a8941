#pragma once

#include "actors/intake_gauge.hpp"
#include "actors/interfaces.hpp"
#include "actors/order_inbox.hpp"
#include "actors/short_of_supply.hpp"
#include "policy/backlog_pace.hpp"
#include "policy/schedule_clock.hpp"
#include "policy/start_dealer.hpp"
#include "transport/http_transport.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vicket {

/// Where the transport's threads leave their results. One message wakes the actor for all that has gathered, and not
/// before the transport has handed out what is ready: a busy node pays for a message, and for waking a thread, per
/// batch, not per answer.
///
/// Thread safety: any thread. Bounded by the requests in flight.
class result_inbox : public std::enable_shared_from_this<result_inbox> {
public:
  struct entry {
    entry(std::uint64_t of, http_result&& with) : token{of}, result{std::move(with)} {}

    std::uint64_t token;
    http_result result;
  };

  result_inbox(delivery_actor owner, http_transport& transport)
      : transport_{transport}, owner_{std::move(owner)} {}

  void push(std::uint64_t token, http_result&& result);
  /// What has come since the last time, in `into` alone; the memory of what was there before is used again.
  void take(std::vector<entry>& into);
  /// The owner is gone: what still comes in is dropped. Breaks the cycle actor → inbox → actor.
  void close();

private:
  void wake_owner();

  http_transport& transport_; ///< outlives its completions, and so us
  std::mutex mutex_;
  std::vector<entry> entries_; ///< guarded by mutex_
  delivery_actor owner_;       ///< guarded by mutex_; null once closed
};

/// How an answer counts: what the transport saw, as an attempt. Pure.
[[nodiscard]] attempt classify(http_result&& result, std::uint32_t number, timestamp_ms started_at);

/// Signs and POSTs what supervisors give it, at most `max_in_flight` at a time, and answers with classified attempts.
/// Decides nothing but whose turn it is (`start_dealer`): what finds no place goes back to its supervisor, which waits
/// in line, is offered a place in its turn, and decides then what may start in it. So nothing waits here that its
/// endpoint, its rate or its owner has held back meanwhile.
///
/// What could not be sent since the node is short of something goes back, too, and is no attempt; so does what would wait
/// for that. Each such supervisor gets word in its turn (`short_of_supply`).
class delivery {
public:
  using handle = delivery_actor;

  static constexpr auto name = "delivery";

  struct setup {
    std::shared_ptr<http_transport> transport;
    const schedule_clock* clock = nullptr;      ///< outlives the actor
    std::shared_ptr<const intake_gauge> intake; ///< null: no backlog is paced
    alarm_actor alarm;
    std::shared_ptr<shortage_log> shortages; ///< of the node
    std::uint32_t number = 0;                ///< of the node's delivery actors
    std::size_t max_in_flight = 10'000;
    bool allow_http = false;
  };

  delivery(handle::pointer self, setup with);
  ~delivery();

  handle::behavior_type make_behavior();

  void check() const; ///< the invariants below; walks over everything

private:
  /// What is remembered of a request under way.
  struct flight {
    supervisor_actor supervisor; ///< null: there is none, the slot is free
    delivery_job job;            ///< whole, so that it can go back
    timestamp_ms started_at;
    start_dealer::place place;
  };

  /// A time as attempts and signatures need it.
  struct start_time {
    timestamp_ms scheduled;
    std::int64_t unix_seconds = 0;
  };

  /// A place for a request under way.
  struct slot {
    flight now;
    std::uint32_t turn =
        0; ///< how often it has been taken: part of the token, so that an old one fits no new request
  };

  void take_orders(order_inbox& from);
  void take_order(const supervisor_actor& supervisor, deliver& orders, const start_time& now);
  [[nodiscard]] static bool may_start(const deliver& orders);
  [[nodiscard]] std::size_t start_jobs(const supervisor_actor& supervisor, deliver& orders,
                                       const start_time& now);
  void post();
  void watch_while_waiting(const supervisor_actor& supervisor);
  void lose(const caf::down_msg& down);
  void allow_backlog(std::int64_t now_us);
  void go_on();
  void offer_places();
  void note_backlog();
  void send_outgoing();
  void start(const supervisor_actor& supervisor, delivery_job job, const start_dealer::place& place,
             const start_time& now);
  [[nodiscard]] std::uint64_t take_slot(flight what);
  [[nodiscard]] slot* slot_of(std::uint64_t token);
  /// The slot is free then. Without `took_ms` the end tells nothing of the endpoint.
  [[nodiscard]] flight end_of(std::uint64_t token, slot& place, std::optional<std::int64_t> took_ms);
  [[nodiscard]] std::size_t in_flight() const { return slots_.size() - free_slots_.size(); }
  [[nodiscard]] http_transport::posting posting_of(const delivery_job& job, std::int64_t unix_seconds,
                                                   std::uint64_t token) const;
  void collect();
  void return_what_was_short(std::vector<result_inbox::entry>& results);
  void return_short(const supervisor_actor& to, deliveries_returned what);
  void look_after_shortage();

  // Invariants: the dealer's places are those of the requests in flight and those that are offered; waiting_ has the
  // supervisors that are in line or have an offer to answer. A request's token is its slot and the slot's turn; a slot is
  // free again once its result has been taken.
  handle::pointer self_;
  setup with_;
  std::shared_ptr<result_inbox> inbox_;
  backlog_pace pace_;
  intake_gauge::position intake_read_;                    ///< of `setup::intake`
  std::size_t backlog_allowed_ = backlog_pace::unlimited; ///< the dealer's, as `pace_` knows of it
  bool tick_under_way_ = false;
  start_dealer dealer_;                                         ///< knows supervisors by their actor ids
  std::unordered_map<caf::actor_id, supervisor_actor> waiting_; ///< monitored
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<order_inbox::order> orders_;                           ///< scratch of `take_orders`
  std::vector<http_transport::posting> postings_;                    ///< to be posted by `take_orders`
  std::vector<result_inbox::entry> results_;                         ///< scratch of `collect`
  std::vector<std::pair<caf::actor_id, std::size_t>> by_supervisor_; ///< the same
  std::vector<start_dealer::offer> offers_;                          ///< scratch of `offer_places`
  std::vector<std::pair<supervisor_actor, deliveries_done>>
      outgoing_; ///< by rising actor id; sent by each handler
  short_of_supply short_;
  std::optional<timestamp_ms> alarm_at_; ///< the alarm is set for then
};

} // namespace vicket
