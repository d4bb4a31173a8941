#pragma once

#include "link/inbox.hpp"
#include "link/open_requests.hpp"
#include "messages/actors.hpp"
#include "messages/peer_actor.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace vicket::internal {

/// What a connection may talk to: the interfaces of its roles, and null for those that it has not.
struct session_rights {
  gateway_actor gateway;
  operator_actor operators;
  peer_actor peer;
};

/// How long the node itself may take to answer; longer than any request's own waiting. Not for what `takes_any_time`.
inline constexpr std::chrono::seconds session_answer_time{60};

/// The longest error sentence that travels; a gateway's are shorter.
inline constexpr std::size_t max_sentence_bytes = 4'096;

/// The node's end of a link: takes requests apart, asks with requests of its own, sends back what comes. Each sub-protocol
/// has one of its own. What can't be understood, or was not to be sent, closes the connection with a reason. Ends with the
/// connection; what it has asked then goes on without it.
class link_session : public caf::event_based_actor {
public:
  struct setup {
    std::shared_ptr<link_inbox> inbox;
    std::shared_ptr<web_socket> socket;
    session_rights rights;
    std::function<void(const std::string&)> complain; ///< of what closes the connection; from any thread
  };

  link_session(caf::actor_config& config, setup with);

  caf::behavior make_behavior() final;
  const char* name() const override { return "link_session"; }
  /// Who has not answered yet keeps this; it is not to keep them.
  void on_exit() override { with_.rights = {}; }

protected:
  using number = open_requests::number;
  using turn = open_requests::turn;

  /// A whole message. Either `begin`s a request or breaks the connection off.
  virtual void take(const owned_bytes& message) = 0;
  /// A refusal as it travels. Its sentence is at most `max_sentence_bytes`.
  [[nodiscard]] virtual owned_bytes refusal_message(number request, const refusal& why) const = 0;

  [[nodiscard]] const session_rights& rights() const { return with_.rights; }
  /// A request is under way from here until it is answered or refused. Nothing: another one with its number is; then the
  /// connection is broken off. `any_time`: the answer has not to come within `session_answer_time`.
  [[nodiscard]] std::optional<turn> begin(number request, std::size_t message_bytes, bool any_time = false);
  void refuse(number request, turn mine, const refusal& why);
  void break_off(std::uint16_t code, const std::string& why);

  /// Sends what `make` gives, unless the request does not wait for it any more.
  template <class Make>
  void answer(number request, turn mine, Make make) {
    if (const auto bytes = requests_.settle(request, mine))
      with_.socket->send(make(), {1, *bytes});
  }

  /// Asks `whom` in the request's name; `message_of(answer)` is what is sent back.
  template <class Answer, class Handle, class Body, class MessageOf>
  void ask(const Handle& whom, number asked, turn mine, Body body, MessageOf message_of) {
    auto failed = [this, asked, mine](const caf::error& why) { refuse(asked, mine, refusal_of(why)); };
    auto pending = request(whom, caf::infinite, std::move(body));
    if constexpr (std::is_void_v<Answer>)
      pending.then(
          [this, asked, mine, message_of = std::move(message_of)] { answer(asked, mine, message_of); },
          failed);
    else
      pending.then([this, asked, mine, message_of = std::move(message_of)](
                       const Answer& value) { answer(asked, mine, [&] { return message_of(value); }); },
                   failed);
  }

private:
  void look();

  setup with_;
  bool broken_off_ = false;
  open_requests requests_{session_answer_time};
};

/// The I/O thread's end of such a session.
class link_session_owner : public web_socket_owner {
public:
  /// What a message may have in all, by its first bytes and whether it is text, or why it closes the connection.
  using head_judge = std::function<std::variant<std::size_t, close_reason>(std::string_view, bool text)>;

  struct setup {
    std::shared_ptr<link_inbox> inbox;
    caf::actor session;
    std::shared_ptr<web_socket> socket;
    std::function<void(const std::string&)> complain;
    head_judge judge;
    bool sends_text = false;
  };

  explicit link_session_owner(setup with) : with_{std::move(with)} {}

  [[nodiscard]] bool sends_text() const override { return with_.sends_text; }
  [[nodiscard]] std::variant<std::size_t, close_reason> on_head(std::string_view bytes, bool text) override;
  void on_message(owned_bytes message) override;
  void on_tick() override;
  void on_end(const std::string& why) override;

private:
  void put(link_inbox::item item);

  setup with_;
};

} // namespace vicket::internal
