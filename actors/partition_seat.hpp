#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// A partition of a clustered node, as this node sees it: the front asks the seat, whoever owns the partition.
///
/// What this node owns is delegated. Another owner is asked in the seat's own name, and asked again where the answer was
/// `not_owner` or `unavailable` (a lost link is that, too): at once when the owner changes, else every 200 ms, until
/// `patience` is over; then the answer is `unavailable`, with the partition and why. An owner that went while it was asked
/// may have done what it was asked, so all of it can be done twice, but:
/// - Events go out under the ids that they have, as a sender's: what is there already is not stored again, whichever of
///   several sendings comes first. One whose id the gateway has made is never answered as a duplicate.
/// - A put that has a secret made is not sent again where it may have been done, since the answer that was lost had the
///   secret: `unavailable`.
/// - A delete that is sent again and finds nothing has deleted.
/// A delete by force is waited for as long as its owner takes, and sent again within `patience` only.
///
/// For a partition that is halted nobody is waited for: `unavailable` at once, with why.
///
/// Feed reads wait for nobody, since one partition is not to hold up a page: `unavailable` at once while no owner is known, or
/// where it did not answer less than `look_again` ago. Who watches the feed is told when it is worth another look.
class partition_seat {
public:
  using handle = partition_seat_actor;

  static constexpr auto name = "partition_seat";

  static constexpr std::chrono::milliseconds again{200};
  /// For events, changes, and reads of histories.
  static constexpr std::chrono::milliseconds patience{10'000};
  /// For lists, overviews, and reads of the feed.
  static constexpr std::chrono::milliseconds glance{2'000};
  static constexpr std::chrono::milliseconds look_again{5'000};
  /// What waits for another node's answer, or for an owner. What would be beyond either bound is refused with
  /// `overloaded`; one is always allowed.
  static constexpr std::size_t max_requests = 4'096;
  static constexpr std::size_t max_bytes = 32u << 20;
  /// Events go out in messages of about this size, or of one event. A link takes 32 MiB.
  static constexpr std::size_t message_bytes = 8u << 20;

  /// `called`: in sentences; empty: "partition" and its number.
  partition_seat(handle::pointer self, std::uint32_t partition, std::string called = {});
  ~partition_seat();

  handle::behavior_type make_behavior();

private:
  using time_point = caf::actor_clock::time_point;
  using number = std::uint64_t;

  // What is asked in the seat's own name. See the source.
  class open_request;
  template <class Request, class Answer>
  class request_for;
  class events_part;
  struct whole_batch;

  void take(owner_changed& news);
  void forget(const caf::down_msg& gone);

  caf::result<batch_result> accept(accept_events& request);
  caf::result<partition_outcomes> read_feed(read_partition_outcomes& request);
  template <class Answer, class Request>
  caf::result<Answer> ask(Request& request, std::chrono::milliseconds patient);
  template <class Answer, class Request>
  caf::result<Answer> ask_in_own_name(Request& request, std::chrono::milliseconds patient);
  [[nodiscard]] bool has_room_for(std::size_t bytes) const;
  [[nodiscard]] refusal too_much() const;

  void open(std::unique_ptr<open_request> one);
  void ask_owner(open_request& one);
  template <class Answer, class Request, class Done>
  void send_to_owner(const open_request& one, const Request& body, Done done);
  [[nodiscard]] open_request* find(number which, std::uint64_t turn);
  /// There was no answer, or a refusal.
  void failed(number which, std::uint64_t turn, const refusal& why);
  /// Of a partition that is halted: all that is not under way.
  void give_up_if_halted();
  void close(number which);
  void give_up(number which);
  [[nodiscard]] bool is_over(const open_request& one, time_point now) const;

  void watch(const watch_feed& request);
  void await_growth();
  void tell_watcher();

  void look();
  void schedule_look();

  [[nodiscard]] bool is_owned() const { return here_ || there_; }
  [[nodiscard]] std::string owner_and(const std::string& why) const;
  [[nodiscard]] time_point now() const;

  // Invariants, between two messages:
  // - open_ has what was taken in the seat's own name and not answered, open_bytes_ its bytes;
  // - while anything is open, or a watch waits for contact, a tick is under way;
  // - here_ and reader_here_ are both set or both null; not at the same time as there_.
  handle::pointer self_;
  std::uint32_t partition_;
  std::string called_;
  persistence_actor here_;
  history_reader_actor reader_here_;
  peer_actor there_;
  std::string node_;   ///< the owner's name; empty: nobody is known
  std::string halted_; ///< why nobody will own it; empty: it is not
  std::map<number, std::unique_ptr<open_request>> open_;
  std::size_t open_bytes_ = 0;
  number last_number_ = 0;
  std::uint64_t last_turn_ = 0;
  std::string feed_trouble_; ///< why the last read of the feed failed; empty: it did not
  time_point feed_refused_until_{};
  feed_watcher_actor watcher_;
  std::optional<log_sequence> watched_; ///< the watcher is to be told, and has looked through up to here
  bool await_under_way_ = false;
  std::uint64_t await_turn_ = 0;
  time_point await_again_at_{};
  bool tick_under_way_ = false;
};

} // namespace vicket
