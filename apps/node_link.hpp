#pragma once

#include "apps/link_type_id.hpp"
#include "apps/values.hpp"
#include "link/link_options.hpp"
#include "messages/actors.hpp"
#include "net/tls_files.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/timespan.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace vicket {

/// The node did not answer: not reached, gone in between, or silent for too long.
struct unreachable {
  std::string why;
};

/// Stands for an answer without content.
struct no_content {};

template <class T>
using answer = std::variant<T, refusal, unreachable>;

/// The actor behind a connection. It watches the link, which tells it of a loss before anything else: all that wait are
/// answered `unreachable` then.
///
/// Invariants: once `lost_` is set nothing waits, and nothing is sent any more.
class link_core : public caf::event_based_actor {
public:
  /// `first` gets what the link says first. Throws as `connect_node` does.
  link_core(caf::actor_config& config, link_options options, std::shared_ptr<std::promise<link_state>> first);

  caf::behavior make_behavior() override;
  void on_exit() override { node_ = nullptr; }

  template <class Response, class Request, class Callback>
  void ask(Request request, caf::timespan timeout, std::shared_ptr<Callback> callback);

private:
  void take(const link_state& now);
  void lose(const std::string& why);
  /// Whether the request still waited; it does no more.
  bool take(std::uint64_t number) { return waiting_.erase(number) == 1; }
  static unreachable silence_of(const caf::error& reason);

  node_actor node_;
  std::shared_ptr<std::promise<link_state>> first_;
  std::optional<std::string> lost_; ///< why
  std::uint64_t next_number_ = 0;
  std::map<std::uint64_t, std::function<void(unreachable)>> waiting_;
};

/// A connection to a node. Any thread may use it.
class node_link {
public:
  static constexpr std::int64_t connect_timeout_ms = 5'000;
  static constexpr std::chrono::milliseconds answer_timeout{30'000};

  explicit node_link(caf::actor core);
  ~node_link();
  node_link(const node_link&) = delete;
  node_link& operator=(const node_link&) = delete;

  /// `callback` is called once, from another thread, with an `answer<Response>`. Response `no_content` is for
  /// requests without one.
  template <class Response, class Request, class Callback>
  void ask(Request request, Callback callback, caf::timespan timeout = answer_timeout) {
    auto shared = std::make_shared<Callback>(std::move(callback));
    caf::anon_send(core_, link_task{[request = std::move(request), shared, timeout](link_core& core) mutable {
                     core.ask<Response>(std::move(request), timeout, shared);
                   }});
  }

  /// The same, waiting for it.
  template <class Response, class Request>
  answer<Response> ask_and_wait(Request request, std::chrono::milliseconds timeout = answer_timeout) {
    auto promise = std::make_shared<std::promise<answer<Response>>>();
    auto future = promise->get_future();
    ask<Response>(
        std::move(request), [promise](answer<Response> value) { promise->set_value(std::move(value)); },
        timeout);
    return future.get();
  }

private:
  caf::actor core_;
};

/// The actor system of a command, from which it connects (again).
class client {
public:
  /// Far more than a command asks for at a time; the bench has thousands of events under way.
  static constexpr std::size_t max_requests = 1'000'000;
  static constexpr std::size_t max_bytes = 1u << 30;

  client(place node, std::optional<tls_files> tls);

  [[nodiscard]] std::variant<std::unique_ptr<node_link>, unreachable> connect();
  [[nodiscard]] const place& node() const { return node_; }

private:
  place node_;
  std::optional<tls_files> tls_;
  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;
};

// -- implementation -----------------------------------------------------------------------------------------

template <class Response, class Request, class Callback>
void link_core::ask(Request request, caf::timespan timeout, std::shared_ptr<Callback> callback) {
  if (lost_) {
    (*callback)(answer<Response>{unreachable{*lost_}});
    return;
  }
  const auto number = next_number_++;
  waiting_.emplace(number, [callback](unreachable why) { (*callback)(answer<Response>{std::move(why)}); });
  auto failed = [this, number, callback](const caf::error& reason) {
    if (!take(number))
      return;
    if (reason.category() == caf::type_id_v<errc>)
      (*callback)(answer<Response>{refusal_of(reason)});
    else
      (*callback)(answer<Response>{silence_of(reason)});
  };
  auto pending = caf::event_based_actor::request(node_, timeout, std::move(request));
  if constexpr (std::is_same_v<Response, no_content>)
    pending.then(
        [this, number, callback] {
          if (take(number))
            (*callback)(answer<Response>{no_content{}});
        },
        failed);
  else
    pending.then(
        [this, number, callback](Response& response) {
          if (take(number))
            (*callback)(answer<Response>{std::move(response)});
        },
        failed);
}

} // namespace vicket
