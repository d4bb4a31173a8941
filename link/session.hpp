#pragma once

#include "link/frames.hpp"
#include "link/inbox.hpp"
#include "messages/actors.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace vicket::internal {

/// What a connection may talk to: the interfaces of its roles, and null for those that it has not.
struct session_rights {
  gateway_actor gateway;
  operator_actor operators;
};

/// How long the node itself may take to answer; longer than any request's own waiting.
inline constexpr std::chrono::seconds session_answer_time{60};

/// The node's end of a link in `vicket.caf.1`: decodes requests, asks with requests of its own, sends back what comes. What
/// it can't decode, or was not to be sent, closes the connection with a reason. Ends with the connection; what it has asked
/// then goes on without it.
///
/// Invariants: `waiting_` has what was asked and not answered; `order_` the same, oldest first, and some that are answered.
class caf_session : public caf::event_based_actor {
public:
  struct setup {
    std::shared_ptr<link_inbox> inbox;
    std::shared_ptr<web_socket> socket;
    session_rights rights;
    std::function<void(const std::string&)> complain; ///< of what closes the connection; from any thread
  };

  caf_session(caf::actor_config& config, setup with);

  caf::behavior make_behavior() override;
  const char* name() const override { return "link_session"; }
  /// Who has not answered yet keeps this; it is not to keep them.
  void on_exit() override { with_.rights = {}; }

private:
  using time_point = link_inbox::time_point;
  struct asked {
    std::uint8_t kind = 0;
    std::size_t bytes = 0; ///< of the request's message
    std::uint64_t turn = 0;
  };

  void look();
  void take(const owned_bytes& message);
  template <class Kind>
  void serve(std::uint64_t request, std::string_view body, std::size_t message_bytes);
  template <class Kind, class Handle>
  void ask(const Handle& whom, std::uint64_t request, std::uint64_t turn, typename Kind::request body);
  /// The request still waits for this answer; it does no more.
  [[nodiscard]] bool settle(std::uint64_t request, std::uint64_t turn, asked& was);
  void refuse(std::uint64_t request, std::uint64_t turn, const refusal& why);
  void expire(time_point now);
  void break_off(std::uint16_t code, const std::string& why);

  setup with_;
  bool broken_off_ = false;
  std::uint64_t last_turn_ = 0;
  std::unordered_map<std::uint64_t, asked> waiting_;
  struct due {
    std::uint64_t request;
    std::uint64_t turn;
    time_point asked_at;
  };
  std::deque<due> order_;
  time_point now_{}; ///< of the last tick
};

/// The I/O thread's end of such a session: judges a message by its first bytes, before more of it is read.
class caf_session_owner : public web_socket_owner {
public:
  caf_session_owner(std::shared_ptr<link_inbox> inbox, caf::actor session, unsigned roles,
                    std::shared_ptr<web_socket> socket, std::function<void(const std::string&)> complain);

  [[nodiscard]] std::variant<std::size_t, close_reason> on_head(std::string_view bytes, bool text) override;
  void on_message(owned_bytes message) override;
  void on_tick() override;
  void on_end(const std::string& why) override;

private:
  void put(link_inbox::item item);

  std::shared_ptr<link_inbox> inbox_;
  caf::actor session_;
  unsigned roles_;
  std::shared_ptr<web_socket> socket_;
  std::function<void(const std::string&)> complain_;
};

/// What a message may have in all, by its first bytes and who sends it, or why it closes the connection. Pure.
[[nodiscard]] std::variant<std::size_t, close_reason> judge_caf_head(std::string_view bytes, bool text,
                                                                     unsigned roles);

} // namespace vicket::internal
