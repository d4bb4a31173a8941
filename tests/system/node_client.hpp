#pragma once

#include "messages/connector.hpp"
#include "messages/errors.hpp"
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
#include <string>
#include <vector>

namespace vicket::testing {

/// An event with a payload of about `data_bytes`, for a test that does not care what is in it. It is noise,
/// another one for each event, so that no compression makes a disk larger than it is.
[[nodiscard]] send_to_connector event_for(const connector_id& connector, std::size_t data_bytes = 100);
[[nodiscard]] send_batch batch_for(const connector_id& connector, std::size_t items,
                                   std::size_t data_bytes = 100);

/// A workflow engine's side of the actor port, blocking: for one thread. Answers that must come throw
/// std::runtime_error when they don't.
class node_client {
public:
  /// `tls`: absent for a port that is plain.
  explicit node_client(std::uint16_t port, std::optional<tls_files> tls = std::nullopt);
  ~node_client();
  node_client(const node_client&) = delete;
  node_client& operator=(const node_client&) = delete;

  void put(const connector& value);
  void put(const rule& value);
  void remove(const rule_id& id);
  /// Must be accepted.
  event_id send(const send_to_connector& event);
  /// Must be answered: item by item.
  std::vector<send_result> send(const send_batch& batch);

  /// Absent: `unavailable`, so that it may have been done. Throws at any other refusal of the whole.
  [[nodiscard]] std::optional<std::vector<send_result>> try_send(const send_batch& batch);

  /// A refusal is an answer, too: of a node that is gone `unavailable`.
  [[nodiscard]] trigger_answer fire(const trigger& value);

  /// Feeds batches, at most `window` unanswered, until `next` has no more or one gets no answer within
  /// `answer_ms`. `answered` is called in the order of the batches; false from it ends the feeding, too.
  /// False: a batch was not answered. Throws when it has not come to an end within ten minutes.
  bool feed(std::size_t window, std::int64_t answer_ms,
            const std::function<std::optional<send_batch>()>& next,
            const std::function<bool(const batch_result&)>& answered);

  [[nodiscard]] std::optional<event_history> history(const event_id& id);
  /// One for each connector that the id was sent to.
  [[nodiscard]] std::vector<event_history> histories(const event_id& id);
  [[nodiscard]] node_status status();
  /// What waits for a connector, those in flight included.
  [[nodiscard]] std::uint64_t pending(const connector_id& id);

  /// Reads on in the feed of attempts from where the last call ended, until `enough` says so of an entry
  /// (which is the last one read). False: that did not come within a minute.
  bool follow_outcomes(const std::function<bool(const outcome_entry&)>& enough);

private:
  struct rep;
  std::unique_ptr<rep> rep_;
};

} // namespace vicket::testing
