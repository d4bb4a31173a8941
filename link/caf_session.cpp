#include "link/caf_session.hpp"

#include "link/roles.hpp"

#include <string>
#include <type_traits>
#include <utility>

namespace vicket::internal {

std::variant<std::size_t, close_reason> judge_caf_head(std::string_view bytes, bool text, unsigned roles) {
  if (text)
    return close_reason{close_reason::wrong_data, "vicket.caf.1 has binary messages only"};
  const auto head = read_frame_head(bytes);
  if (!head)
    return close_reason{close_reason::protocol_error, "a message is shorter than its head of 9 bytes"};
  std::variant<std::size_t, close_reason> verdict =
      close_reason{close_reason::protocol_error, "there is no kind " + std::to_string(head->kind)};
  with_kind(head->kind, [&]<class Kind>(Kind) {
    if ((roles & Kind::roles) == 0)
      verdict =
          close_reason{close_reason::policy, "kind " + std::to_string(head->kind) + " is not for who is " +
                                                 (roles == 0 ? "nothing" : role_names(roles)) + " only"};
    else
      verdict = frame_head_bytes + Kind::most_bytes;
  });
  return verdict;
}

void caf_session::take(const owned_bytes& message) {
  const auto head = read_frame_head(message.bytes);
  if (!head) {
    break_off(close_reason::protocol_error, "a message is shorter than its head of 9 bytes");
    return;
  }
  const auto body = message.bytes.substr(frame_head_bytes);
  const bool known = with_kind(
      head->kind, [&]<class Kind>(Kind) { serve<Kind>(head->request, body, message.bytes.size()); });
  if (!known)
    break_off(close_reason::protocol_error, "there is no kind " + std::to_string(head->kind));
}

owned_bytes caf_session::refusal_message(number request, const refusal& why) const {
  return encode_frame({refusal_kind, request}, why);
}

template <class Kind>
void caf_session::serve(number request, std::string_view body, std::size_t message_bytes) {
  const auto of_kind = "of kind " + std::to_string(Kind::number);
  const bool may_send = (Kind::roles & role_sender) != 0 && rights().gateway;
  const bool may_operate = (Kind::roles & role_operator) != 0 && rights().operators;
  const bool may_be_peer = (Kind::roles & role_peer) != 0 && rights().peer;
  if (!may_send && !may_operate && !may_be_peer) {
    break_off(close_reason::policy, "a request " + of_kind + " is not for this role");
    return;
  }
  typename Kind::request decoded;
  if (body.size() > Kind::most_bytes || !counts_are_bounded(Kind::number, body) ||
      !decode_body(body, decoded)) {
    break_off(close_reason::protocol_error, "the body of a request " + of_kind + " is not what it is to be");
    return;
  }
  const auto mine = begin(request, message_bytes, takes_any_time(decoded));
  if (!mine)
    return;
  if constexpr ((Kind::roles & role_sender) != 0) {
    if (may_send) {
      ask_for<Kind>(rights().gateway, request, *mine, std::move(decoded));
      return;
    }
  }
  if constexpr ((Kind::roles & role_operator) != 0)
    ask_for<Kind>(rights().operators, request, *mine, std::move(decoded));
  if constexpr ((Kind::roles & role_peer) != 0)
    ask_for<Kind>(rights().peer, request, *mine, std::move(decoded));
}

template <class Kind, class Handle>
void caf_session::ask_for(const Handle& whom, number request, turn mine, typename Kind::request body) {
  static constexpr auto kind = static_cast<std::uint8_t>(Kind::number | answer_bit);
  if constexpr (std::is_same_v<typename Kind::answer, nothing>)
    ask<void>(whom, request, mine, std::move(body), [request] {
      return encode_frame({kind, request}, nothing{});
    });
  else
    ask<typename Kind::answer>(whom, request, mine, std::move(body),
                               [request](const typename Kind::answer& value) {
                                 return encode_frame({kind, request}, value);
                               });
}

} // namespace vicket::internal
