#pragma once

#include "actors/interfaces.hpp"
#include "tests/support/scripted_peer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace vicket::testing {

/// A partition of this node, whose answers a test gives: what its front asks, and its feed.
struct scripted_partition {
  kept_requests<accept_events, batch_result> batches;
  kept_requests<put_connector, connector_view> puts;
  kept_requests<get_connector, connector_view> gets;
  kept_requests<delete_connector, void> deletes;
  kept_requests<list_connectors, connector_page> lists;
  kept_requests<get_partition_overview, partition_overview> overviews;
  kept_requests<find_partition_events, found_events> events;
  kept_requests<find_partition_run, found_events> runs;
  kept_requests<read_partition_histories, partition_histories> histories;
  kept_requests<read_partition_outcomes, partition_outcomes> outcomes;
  std::vector<std::pair<feed_watcher_actor, log_sequence>> watches;
  kept_requests<put_setting, void> put_settings;
  kept_requests<delete_setting, void> deleted_settings;
  kept_requests<get_setting, setting> got_settings;
  kept_requests<list_settings, settings_page> listed_settings;
};

using scripted_head_actor = partition_actor::extend_with<settings_actor>;

inline scripted_head_actor::behavior_type play_head(scripted_head_actor::pointer self,
                                                    std::shared_ptr<scripted_partition> script) {
  return {
      [=](const accept_events& r) { return script->batches.keep(self, r); },
      [=](const put_connector& r) { return script->puts.keep(self, r); },
      [=](const get_connector& r) { return script->gets.keep(self, r); },
      [=](const delete_connector& r) { return script->deletes.keep(self, r); },
      [=](const list_connectors& r) { return script->lists.keep(self, r); },
      [=](const get_partition_overview& r) { return script->overviews.keep(self, r); },
      [=](const put_setting& r) { return script->put_settings.keep(self, r); },
      [=](const delete_setting& r) { return script->deleted_settings.keep(self, r); },
      [=](const get_setting& r) { return script->got_settings.keep(self, r); },
      [=](const list_settings& r) { return script->listed_settings.keep(self, r); },
  };
}

inline partition_reader_actor::behavior_type play_reader(partition_reader_actor::pointer self,
                                                         std::shared_ptr<scripted_partition> script) {
  return {
      [=](const find_partition_events& r) { return script->events.keep(self, r); },
      [=](const find_partition_run& r) { return script->runs.keep(self, r); },
      [=](const read_partition_histories& r) { return script->histories.keep(self, r); },
      [=](const read_partition_outcomes& r) { return script->outcomes.keep(self, r); },
      [=](const watch_feed& r) {
        script->watches.emplace_back(caf::actor_cast<feed_watcher_actor>(self->current_sender()), r.after);
      },
  };
}

/// Actors on CAF's deterministic coordinator: nothing happens but what a test lets happen.
class scripted_system {
public:
  scripted_system();
  ~scripted_system();
  scripted_system(const scripted_system&) = delete;
  scripted_system& operator=(const scripted_system&) = delete;

  [[nodiscard]] caf::actor_system& system() { return *system_; }

  void run();
  /// Time goes by, in steps that a timer can't miss.
  void advance(std::chrono::milliseconds duration);

  /// A head and a reader with one script; what the script does not have they don't understand.
  [[nodiscard]] persistence_actor head(std::shared_ptr<scripted_partition> script) {
    return caf::actor_cast<persistence_actor>(system_->spawn(play_head, std::move(script)));
  }
  [[nodiscard]] history_reader_actor reader(std::shared_ptr<scripted_partition> script) {
    return caf::actor_cast<history_reader_actor>(system_->spawn(play_reader, std::move(script)));
  }
  [[nodiscard]] peer_actor peer(std::shared_ptr<scripted_peer> script) {
    return system_->spawn(play, std::move(script));
  }

  /// What is waited for: nothing yet, an answer, or why there is none.
  template <class Answer>
  using answer = std::function<std::optional<std::variant<Answer, refusal>>()>;

  /// Asks, and lets all messages run. `void` answers are a `std::monostate`.
  template <class Answer, class Handle, class Request>
  answer<Answer> ask(const Handle& whom, Request request) {
    auto client = std::make_shared<caf::scoped_actor>(*system_);
    auto pending = std::make_shared<decltype((*client)->request(whom, caf::infinite, request))>(
        (*client)->request(whom, caf::infinite, std::move(request)));
    run();
    auto result = std::make_shared<std::optional<std::variant<Answer, refusal>>>();
    return [client, pending, result] {
      if (*result || !(*client)->has_next_message())
        return *result;
      if constexpr (std::is_same_v<Answer, std::monostate>)
        pending->receive([&] { *result = Answer{}; }, [&](const caf::error& e) { *result = refusal_of(e); });
      else
        pending->receive([&](Answer& a) { *result = std::move(a); },
                         [&](const caf::error& e) { *result = refusal_of(e); });
      return *result;
    };
  }

  template <class Handle, class Message>
  void tell(const Handle& whom, Message message) {
    caf::scoped_actor client{*system_};
    client->send(whom, std::move(message));
    run();
  }

private:
  struct config;
  std::unique_ptr<config> config_;
  std::unique_ptr<caf::actor_system> system_;
};

template <class Answer>
Answer value(const scripted_system::answer<Answer>& of) {
  const auto got = of();
  REQUIRE(got);
  if (const auto* why = std::get_if<refusal>(&*got))
    FAIL("refused: " << to_string(why->code) << ": " << why->detail);
  return std::get<Answer>(*got);
}

template <class Answer>
refusal no(const scripted_system::answer<Answer>& of) {
  const auto got = of();
  REQUIRE(got);
  REQUIRE(std::holds_alternative<refusal>(*got));
  return std::get<refusal>(*got);
}

} // namespace vicket::testing
