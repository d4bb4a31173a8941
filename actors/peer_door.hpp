#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_clock.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace vicket {

/// What other nodes of the cluster reach of this one: its own partitions, and never, through it, another node's. Other than
/// those: `not_owner`. What is asked goes to the partition as it is, within the bounds that this node's own front keeps. And
/// checkpoints of this node's stores, whoever owns the partitions.
class peer_door {
public:
  using handle = peer_door_actor;

  static constexpr auto name = "peer_door";

  /// Who waits for a partition's feed at the same time; one more is refused with `overloaded`.
  static constexpr std::size_t max_waiting = 1'024;
  /// Those are looked at in this interval: how exactly `wait_ms` is kept.
  static constexpr std::int64_t look_ms = 200;

  struct setup {
    std::uint32_t partitions = 0; ///< of connectors; the one of that number is `settings`
    checkpoint_source_actor checkpoints = {};
  };

  peer_door(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  struct feed_wait {
    caf::typed_response_promise<feed_awaited> promise;
    caf::actor_clock::time_point until;
  };
  struct served {
    persistence_actor here;
    history_reader_actor reader_here;
    std::list<feed_wait> waiting_for_feed; ///< bounded by max_waiting
  };

  template <class Answer, class Request>
  caf::result<Answer> ask(of_partition<Request>& request);
  template <class Answer, class Request>
  caf::result<Answer> read(of_partition<Request>& request);
  [[nodiscard]] served* owned(std::uint32_t partition);
  void serve(serve_partition& news);
  caf::result<feed_awaited> await(const await_feed& request);
  static void answer_all(served& of);
  void look();
  void schedule_look();

  handle::pointer self_;
  checkpoint_source_actor checkpoints_;
  std::vector<served> places_; ///< by partition; the last one is `settings`
  bool look_under_way_ = false;
};

} // namespace vicket
