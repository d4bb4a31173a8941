#pragma once

#include "actors/interfaces.hpp"
#include "policy/schedule_clock.hpp"
#include "transport/http_transport.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
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
    std::uint64_t token = 0;
    http_result result;
  };

  result_inbox(delivery_actor owner, http_transport& transport)
      : transport_{transport}, owner_{std::move(owner)} {}

  void push(std::uint64_t token, http_result result);
  [[nodiscard]] std::vector<entry> take();
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

/// Signs and POSTs what supervisors give it, at most `max_in_flight` at a time (the rest waits in order), and
/// answers with classified attempts. Decides nothing.
class delivery {
public:
  using handle = delivery_actor;

  static constexpr auto name = "delivery";

  struct setup {
    std::shared_ptr<http_transport> transport;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    std::size_t max_in_flight = 10'000;
    bool allow_http = false;
  };

  delivery(handle::pointer self, setup with);
  ~delivery();

  handle::behavior_type make_behavior();

private:
  struct order {
    supervisor_actor supervisor;
    delivery_job job;
  };

  /// What is remembered of a request under way.
  struct flight {
    supervisor_actor supervisor; ///< null: there is none, the slot is free
    std::shared_ptr<const delivery_profile> profile;
    log_sequence sequence = 0;
    std::uint32_t attempt_number = 0;
    timestamp_ms started_at;
  };

  /// A place for a request under way.
  struct slot {
    flight now;
    std::uint32_t turn =
        0; ///< how often it has been taken: part of the token, so that an old one fits no new request
  };

  void enqueue(deliver& orders);
  void start_waiting();
  /// A time as attempts and signatures need it.
  struct start_time {
    timestamp_ms scheduled;
    std::int64_t unix_seconds = 0;
  };

  void start(order next, const start_time& now, std::vector<http_transport::posting>& postings);
  [[nodiscard]] std::uint64_t take_slot(flight what);
  [[nodiscard]] slot* slot_of(std::uint64_t token);
  [[nodiscard]] std::size_t in_flight() const { return slots_.size() - free_slots_.size(); }
  [[nodiscard]] http_transport::posting posting_of(const delivery_job& job, std::int64_t unix_seconds,
                                                   std::uint64_t token) const;
  void collect();

  // Invariants: in_flight() <= max_in_flight; waiting_ is empty or the places are all taken. waiting_ is
  // bounded by the supervisors' own in-flight caps. A request's token is its slot and the slot's turn; a slot is free again
  // once its result has been taken.
  handle::pointer self_;
  setup with_;
  std::shared_ptr<result_inbox> inbox_;
  std::deque<order> waiting_;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::pair<caf::actor_id, std::size_t>> by_supervisor_; ///< scratch of `collect`
};

} // namespace vicket
