#pragma once

#include "actors/node.hpp"
#include "messages/actors.hpp"
#include "storage/testing/environments.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/scripted_transport.hpp"
#include "tests/support/seeded_random.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket::testing {

/// A whole node on CAF's deterministic coordinator: real actors and a real store (in memory), a clock that tests
/// turn, a scripted transport. Nothing happens but what a test lets happen, and nothing sleeps.
class node_fixture {
public:
  explicit node_fixture(std::uint32_t partitions = 1,
                        faulty_environment::below base = faulty_environment::below::memory);
  ~node_fixture();
  node_fixture(const node_fixture&) = delete;
  node_fixture& operator=(const node_fixture&) = delete;

  // -- the node -------------------------------------------------------------------------------------------------------

  node_options options;
  manual_clock clock;
  seeded_random random{20260523};
  std::shared_ptr<scripted_transport> transport = std::make_shared<scripted_transport>();
  faulty_environment disk;
  std::vector<std::string> failures; ///< what `failed` was told
  std::vector<std::string> warnings;

  /// And lets all messages run, or so many of them.
  void start(std::size_t run_at_most = std::numeric_limits<std::size_t>::max());
  /// A copy of the data folder as it is now, for nodes whose disk is not in memory. Nothing else runs meanwhile, so it is
  /// atomic.
  void back_up(const std::string& name);
  /// Puts the copy back in its place; the node must be dead.
  void restore(const std::string& name);

  /// As with `kill -9`: actors are gone, the disk stays.
  void kill();
  void restart() {
    kill();
    start();
  }

  /// The clean stop, as far as `run` takes it.
  void begin_stop(std::int64_t patience_ms, std::function<void(bool clean)> done) {
    node_->begin_stop(patience_ms, std::move(done));
  }

  /// One of the node's actors ends, by its name (`gateway`, …), as if it had a defect.
  void end_actor(const std::string& name, const std::string& why);

  /// A message to one of the node's actors that no client can reach, as a defect in front of it might send it.
  template <class Answer, class Actor, class Request>
  std::variant<Answer, refusal> ask_inside(const std::string& name, Request request) {
    const auto actor = caf::actor_cast<Actor>(actors_.at(name));
    std::variant<Answer, refusal> result = refusal{errc::unavailable, "no answer"};
    caf::scoped_actor client{*system_};
    auto pending = client->request(actor, caf::infinite, std::move(request));
    run();
    if (client->has_next_message())
      pending.receive([&](Answer& a) { result = std::move(a); },
                      [&](const caf::error& e) { result = refusal_of(e); });
    return result;
  }

  /// Lets all messages run until nothing moves, or `at_most` of them have run: how many did.
  std::size_t run(std::size_t at_most = std::numeric_limits<std::size_t>::max());
  /// Time goes by, in steps that a timer can't miss.
  void advance_ms(std::int64_t duration_ms, std::int64_t step_ms = 100);
  /// So much time goes by before anybody can do anything: what a timer sends is behind what waits already.
  void pass_ms(std::int64_t duration_ms);

  /// Of what belongs to no connector; a change's answer is a `std::monostate`.
  template <class Answer, class Request>
  std::variant<Answer, refusal> ask_settings(Request request) {
    std::variant<Answer, refusal> result = refusal{errc::unavailable, "no answer"};
    caf::scoped_actor client{*system_};
    auto pending = client->request(node_->settings(), caf::infinite, std::move(request));
    run();
    if (!client->has_next_message())
      return result;
    if constexpr (std::is_same_v<Answer, std::monostate>)
      pending.receive([&] { result = std::monostate{}; },
                      [&](const caf::error& e) { result = refusal_of(e); });
    else
      pending.receive([&](Answer& a) { result = std::move(a); },
                      [&](const caf::error& e) { result = refusal_of(e); });
    return result;
  }
  [[nodiscard]] std::shared_ptr<const settings_snapshot> settings() const {
    return node_->copy_of_settings()->current();
  }

  // -- a client -------------------------------------------------------------------------------------------------------

  template <class Answer, class Request>
  std::variant<Answer, refusal> ask(Request request) {
    auto answer = ask_later<Answer>(std::move(request));
    run();
    return answer();
  }

  /// Sends now; the answer is fetched later, and is `unavailable` if there is none by then.
  template <class Answer, class Request>
  std::function<std::variant<Answer, refusal>()> ask_later(Request request) {
    auto client = std::make_shared<caf::scoped_actor>(*system_);
    auto pending = std::make_shared<decltype((*client)->request(node_->gateway(), caf::infinite, request))>(
        (*client)->request(node_->gateway(), caf::infinite, std::move(request)));
    return [client, pending]() -> std::variant<Answer, refusal> {
      std::variant<Answer, refusal> result = refusal{errc::unavailable, "no answer"};
      if (!(*client)->has_next_message())
        return result;
      if constexpr (std::is_same_v<Answer, std::monostate>)
        pending->receive([&] { result = std::monostate{}; },
                         [&](const caf::error& e) { result = refusal_of(e); });
      else
        pending->receive([&](Answer& a) { result = std::move(a); },
                         [&](const caf::error& e) { result = refusal_of(e); });
      return result;
    };
  }

  /// Puts a connector that posts to `https://<id>.example.com/hook`, changed by `change`.
  void put(const std::string& id, const std::function<void(connector&)>& change = {});
  [[nodiscard]] static std::string host_of(const std::string& id) { return id + ".example.com"; }

  /// The id of a connector that belongs to this partition.
  [[nodiscard]] static std::string connector_in(std::uint32_t partition, std::uint32_t partitions);

  /// How many supervisors there are.
  [[nodiscard]] std::size_t supervisors() const;

  /// An event as a workflow would send it.
  [[nodiscard]] static send_to_connector event_for(const std::string& connector,
                                                   const std::string& run = "run-1");
  /// Sends it; must be accepted.
  accepted send(const send_to_connector& event);
  accepted send(const std::string& connector) { return send(event_for(connector)); }

  /// Must be there, and with one connector only.
  event_history event(const event_id& id);
  node_status status();

private:
  struct config;
  std::filesystem::path folder_;
  std::unique_ptr<config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<node> node_;
  std::map<std::string, caf::weak_actor_ptr> actors_; ///< of the node, by name
  std::size_t actors_of_node_ = 0;                    ///< that run without any supervisor
};

/// The value of one header line, or nothing.
[[nodiscard]] std::optional<std::string> header(const scripted_transport::seen_request& request,
                                                std::string_view name);

} // namespace vicket::testing
