#pragma once

#include "messages/peer_actor.hpp"

#include <caf/local_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <memory>
#include <utility>

namespace vicket::testing {

/// What an actor was asked and has not answered: a test does.
template <class Request, class Answer>
class kept_requests {
public:
  struct one {
    Request request;
    caf::typed_response_promise<Answer> promise;
    bool is_urgent = false; ///< it went before what waited in the mailbox
  };

  template <class Self>
  caf::result<Answer> keep(Self* self, const Request& request) {
    auto promise = self->template make_response_promise<Answer>();
    self_ = self;
    waiting.push_back({request, promise, self_->current_mailbox_element()->mid.is_urgent_message()});
    ++count;
    return promise;
  }

  /// The first one; there must be one, and its actor there still. On a test coordinator its promise may be fulfilled then.
  one take() {
    self_->context(nullptr); // where it ran last is gone
    auto first = std::move(waiting.at(0));
    waiting.pop_front();
    return first;
  }

  std::deque<one> waiting;
  std::size_t count = 0; ///< of all that came

private:
  caf::local_actor* self_ = nullptr;
};

/// Another node, whose answers a test gives.
struct scripted_peer {
  kept_requests<of_partition<accept_events>, batch_result> batches;
  kept_requests<of_partition<put_connector>, connector_view> puts;
  kept_requests<of_partition<get_connector>, connector_view> gets;
  kept_requests<of_partition<delete_connector>, void> deletes;
  kept_requests<of_partition<list_connectors>, connector_page> lists;
  kept_requests<of_partition<get_partition_overview>, partition_overview> overviews;
  kept_requests<of_partition<find_partition_events>, found_events> events;
  kept_requests<of_partition<find_partition_run>, found_events> runs;
  kept_requests<of_partition<read_partition_histories>, partition_histories> histories;
  kept_requests<of_partition<read_partition_outcomes>, partition_outcomes> outcomes;
  kept_requests<await_feed, feed_awaited> awaits;
  kept_requests<of_partition<put_setting>, void> put_settings;
  kept_requests<of_partition<delete_setting>, void> deleted_settings;
  kept_requests<of_partition<get_setting>, setting> got_settings;
  kept_requests<of_partition<list_settings>, settings_page> listed_settings;
  kept_requests<open_checkpoint, opened_checkpoint> opened;
  kept_requests<read_checkpoint, checkpoint_bytes> pieces;
  kept_requests<close_checkpoint, void> closed;
};

inline peer_actor::behavior_type play(peer_actor::pointer self, std::shared_ptr<scripted_peer> script) {
  return {
      [=](const of_partition<accept_events>& r) { return script->batches.keep(self, r); },
      [=](const of_partition<put_connector>& r) { return script->puts.keep(self, r); },
      [=](const of_partition<get_connector>& r) { return script->gets.keep(self, r); },
      [=](const of_partition<delete_connector>& r) { return script->deletes.keep(self, r); },
      [=](const of_partition<list_connectors>& r) { return script->lists.keep(self, r); },
      [=](const of_partition<get_partition_overview>& r) { return script->overviews.keep(self, r); },
      [=](const of_partition<find_partition_events>& r) { return script->events.keep(self, r); },
      [=](const of_partition<find_partition_run>& r) { return script->runs.keep(self, r); },
      [=](const of_partition<read_partition_histories>& r) { return script->histories.keep(self, r); },
      [=](const of_partition<read_partition_outcomes>& r) { return script->outcomes.keep(self, r); },
      [=](const await_feed& r) { return script->awaits.keep(self, r); },
      [=](const of_partition<put_setting>& r) { return script->put_settings.keep(self, r); },
      [=](const of_partition<delete_setting>& r) { return script->deleted_settings.keep(self, r); },
      [=](const of_partition<get_setting>& r) { return script->got_settings.keep(self, r); },
      [=](const of_partition<list_settings>& r) { return script->listed_settings.keep(self, r); },
      [=](const open_checkpoint& r) { return script->opened.keep(self, r); },
      [=](const read_checkpoint& r) { return script->pieces.keep(self, r); },
      [=](const close_checkpoint& r) { return script->closed.keep(self, r); },
  };
}

} // namespace vicket::testing
