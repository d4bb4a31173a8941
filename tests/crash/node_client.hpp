#pragma once

#include "messages/actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vicket::crash {

/// CAF, set up as a client of the actor port.
class client_config : public caf::actor_system_config {
public:
  client_config();
};

/// Registers what travels. Once per process, before the first `client_config`.
void prepare_messages();

/// A blocking client of a node that may be killed at any moment: a question that got no answer is `nullopt`,
/// and the next one connects again, to wherever the node is then. For one thread.
class node_client {
public:
  /// `port` says where the node is now.
  node_client(caf::actor_system& system, std::function<std::uint16_t()> port);

  template <class Answer, class Question>
  [[nodiscard]] std::optional<Answer> ask(const Question& question, std::int64_t limit_ms) {
    if (!connected())
      return std::nullopt;
    std::optional<Answer> answer;
    self_->request(node_, std::chrono::milliseconds{limit_ms}, question)
        .receive([&](Answer& got) { answer = std::move(got); },
                 [&](caf::error& why) { failed(std::move(why)); });
    return answer;
  }

  /// The histories of each id, one per connector, many questions at a time. None of them: `not_found`. Absent as a
  /// whole: a question failed, see `reason()`.
  [[nodiscard]] std::optional<std::vector<std::vector<event_history>>>
  histories(const std::vector<event_id>& ids, std::int64_t limit_ms);

  /// The node has ended: the next question connects again, instead of waiting in vain for an answer.
  void forget_node() { node_ = nullptr; }

  /// Why the last question got no answer.
  [[nodiscard]] const caf::error& reason() const noexcept { return reason_; }

private:
  [[nodiscard]] bool connected();
  void failed(caf::error why);

  caf::actor_system& system_;
  std::function<std::uint16_t()> port_;
  caf::scoped_actor self_;
  node_actor node_;
  caf::error reason_;
};

} // namespace vicket::crash
