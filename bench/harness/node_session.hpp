#pragma once

#include "apps/values.hpp"
#include "messages/connector.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/status.hpp"
#include "messages/trigger.hpp"
#include "net/tls_files.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace vicket::bench {

/// A whole status: `ask` for the page after a connector, beginning with an empty id, until there is no more. Connectors are
/// those of all pages, everything else is as the last one says. Pure.
[[nodiscard]] node_status whole_status(const std::function<node_status(const connector_id& after)>& ask);

/// A workflow engine's and an operator's side of the actor port. What must be answered and isn't throws
/// std::runtime_error. For one thread; callbacks come from another one.
class node_session {
public:
  /// `tls`: of a port that wants it.
  explicit node_session(const host_port& node, std::optional<tls_files> tls = std::nullopt);
  ~node_session();
  node_session(const node_session&) = delete;
  node_session& operator=(const node_session&) = delete;

  /// All of them, many at a time.
  void put(const std::vector<connector>& wanted);
  void put(const std::vector<rule>& wanted);
  /// All of it: its pages one after the other. `took` gets what each of them took, in ns.
  [[nodiscard]] node_status status(const std::function<void(std::int64_t)>& took = {});
  /// Events accepted and not settled, of all connectors; once the node has counted what was pending when it started.
  [[nodiscard]] std::uint64_t pending();
  /// Of an event whose id went to one connector only.
  [[nodiscard]] event_history history(const event_id& id);

  /// One event; `answered` gets its result. A node that is gone is a refusal `unavailable`.
  void send(send_to_connector event, std::function<void(const send_result&)> answered);
  /// Up to `send_batch::max_items`; results in their order.
  void send(send_batch batch, std::function<void(const batch_result&)> answered);
  /// The same for triggers.
  void send(trigger_batch batch, std::function<void(const trigger_batch_result&)> answered);

private:
  template <class Answer, class Request, class T>
  void put_all(const std::vector<T>& wanted, const char* what);
  template <class Result, class Batch>
  void send_all(Batch batch, std::function<void(const Result&)> answered);
  [[nodiscard]] node_status ask_status(const get_status& request);

  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket::bench
