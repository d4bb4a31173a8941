#include "actors/peer_door.hpp"

#include "actors/urgency.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace vicket {

namespace {

caf::error not_owned(std::uint32_t partition) {
  return make_refusal(errc::not_owner, "this node does not have partition " + std::to_string(partition));
}

// What this node's own front would ask for at most.

template <class Request>
void bound(Request&) {}

void bound(get_partition_overview& request) {
  request.limit = std::clamp(request.limit, 1u, get_status::max_limit);
}

void bound(list_settings& request) {
  request.limit = std::clamp(request.limit, 1u, list_settings::max_limit);
}

void bound(list_connectors& request) {
  request.limit = std::clamp(request.limit, 1u, list_connectors::max_limit);
}

template <class Find>
void bound_find(Find& request) {
  request.limit = std::min<std::uint32_t>(request.limit, event_page::max_events + 1);
}

void bound(find_partition_events& request) {
  bound_find(request);
}

void bound(find_partition_run& request) {
  bound_find(request);
}

void bound(read_partition_histories& request) {
  request.max_bytes = std::min<std::uint64_t>(request.max_bytes, event_page::max_bytes);
}

void bound(read_partition_outcomes& request) {
  request.limit = std::clamp(request.limit, 1u, read_outcomes::max_limit);
  request.max_bytes = std::min<std::uint64_t>(request.max_bytes, event_page::max_bytes);
}

template <class Request>
inline constexpr bool is_of_settings =
    std::is_same_v<Request, put_setting> || std::is_same_v<Request, delete_setting> ||
    std::is_same_v<Request, get_setting> || std::is_same_v<Request, list_settings>;
template <class Request>
inline constexpr bool is_of_any = std::is_same_v<Request, get_partition_overview>;

} // namespace

peer_door::peer_door(handle::pointer self, setup with)
    : self_{self}, checkpoints_{std::move(with.checkpoints)}, places_(with.partitions + 1) {}

peer_door::handle::behavior_type peer_door::make_behavior() {
  return {
      [this](of_partition<accept_events>& request) -> caf::result<batch_result> {
        request.body.partition = request.partition;
        return ask<batch_result>(request);
      },
      [this](of_partition<put_connector>& request) { return ask<connector_view>(request); },
      [this](of_partition<get_connector>& request) { return ask<connector_view>(request); },
      [this](of_partition<delete_connector>& request) { return ask<void>(request); },
      [this](of_partition<list_connectors>& request) { return ask<connector_page>(request); },
      [this](of_partition<get_partition_overview>& request) { return ask<partition_overview>(request); },
      [this](of_partition<find_partition_events>& request) { return read<found_events>(request); },
      [this](of_partition<find_partition_run>& request) { return read<found_events>(request); },
      [this](of_partition<read_partition_histories>& request) { return read<partition_histories>(request); },
      [this](of_partition<read_partition_outcomes>& request) { return read<partition_outcomes>(request); },
      [this](const await_feed& request) { return await(request); },
      [this](of_partition<put_setting>& request) { return ask<void>(request); },
      [this](of_partition<delete_setting>& request) { return ask<void>(request); },
      [this](of_partition<get_setting>& request) { return ask<setting>(request); },
      [this](of_partition<list_settings>& request) { return ask<settings_page>(request); },
      [this](const open_checkpoint& request) { return self_->delegate(checkpoints_, request); },
      [this](const read_checkpoint& request) { return self_->delegate(checkpoints_, request); },
      [this](const close_checkpoint& request) { return self_->delegate(checkpoints_, request); },
      [this](serve_partition& news) { serve(news); },
      [this](const feed_grew& news) {
        if (auto* place = owned(news.partition))
          answer_all(*place);
      },
      [this](const tick&) {
        look_under_way_ = false;
        look();
      },
  };
}

peer_door::served* peer_door::owned(std::uint32_t partition) {
  return partition < places_.size() && places_[partition].here ? &places_[partition] : nullptr;
}

template <class Answer, class Request>
caf::result<Answer> peer_door::ask(of_partition<Request>& request) {
  const bool is_for_settings = request.partition + 1 == places_.size();
  const auto* place =
      is_of_any<Request> || is_of_settings<Request> == is_for_settings ? owned(request.partition) : nullptr;
  if (place == nullptr)
    return not_owned(request.partition);
  bound(request.body);
  if constexpr (priority_of<Request> == caf::message_priority::normal) {
    return self_->delegate(place->here, std::move(request.body));
  } else {
    // Not delegated with priority: CAF 0.18 answers that under an id with the priority in it, which nobody waits for.
    auto promise = self_->template make_response_promise<Answer>();
    self_->template request<priority_of<Request>>(place->here, caf::infinite, std::move(request.body))
        .then([promise](Answer& answer) mutable { promise.deliver(std::move(answer)); },
              [promise](caf::error& why) mutable { promise.deliver(std::move(why)); });
    return promise;
  }
}

template <class Answer, class Request>
caf::result<Answer> peer_door::read(of_partition<Request>& request) {
  const auto* place = owned(request.partition);
  if (place == nullptr)
    return not_owned(request.partition);
  bound(request.body);
  return self_->delegate(place->reader_here, std::move(request.body));
}

/// Who waits for the feed of one that has gone, or come back, has to look again.
void peer_door::serve(serve_partition& news) {
  if (news.partition >= places_.size())
    return;
  auto& place = places_[news.partition];
  if (news.here == place.here && news.reader_here == place.reader_here)
    return;
  for (auto& each : std::exchange(place.waiting_for_feed, {}))
    each.promise.deliver(not_owned(news.partition));
  place.here = std::move(news.here);
  place.reader_here = std::move(news.reader_here);
}

// -- the feed -------------------------------------------------------------------------------------------------------------

caf::result<feed_awaited> peer_door::await(const await_feed& request) {
  auto* place = owned(request.partition);
  if (place == nullptr)
    return not_owned(request.partition);
  if (request.wait_ms == 0)
    return feed_awaited{};
  if (place->waiting_for_feed.size() >= max_waiting)
    return make_refusal(errc::overloaded,
                        "too many wait for the feed of partition " + std::to_string(request.partition));
  const std::chrono::milliseconds wait{std::min(request.wait_ms, await_feed::max_wait_ms)};
  auto promise = self_->make_response_promise<feed_awaited>();
  place->waiting_for_feed.push_back({promise, self_->clock().now() + wait});
  self_->send(place->reader_here, watch_feed{request.after});
  schedule_look();
  return promise;
}

/// Some may have looked through it up to there already; they look once more.
void peer_door::answer_all(served& of) {
  for (auto& each : std::exchange(of.waiting_for_feed, {}))
    each.promise.deliver(feed_awaited{true});
}

void peer_door::look() {
  const auto now = self_->clock().now();
  bool more = false;
  for (auto& place : places_) {
    auto& waiting = place.waiting_for_feed;
    for (auto at = waiting.begin(); at != waiting.end();) {
      if (now < at->until) {
        ++at;
        continue;
      }
      at->promise.deliver(feed_awaited{});
      at = waiting.erase(at);
    }
    more = more || !waiting.empty();
  }
  if (more)
    schedule_look();
}

void peer_door::schedule_look() {
  if (!std::exchange(look_under_way_, true))
    self_->delayed_send(self_, std::chrono::milliseconds{look_ms}, tick{});
}

} // namespace vicket
