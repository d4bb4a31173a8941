#include "link/session.hpp"

#include <caf/actor_cast.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

#include <type_traits>
#include <utility>

namespace vicket::internal {

namespace {

/// The longest error sentence that travels; a gateway's are shorter.
constexpr std::size_t max_sentence_bytes = 4'096;

caf::error end_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& known) {
    return caf::make_error(caf::sec::runtime_error, known.what());
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error, "an exception of an unknown type");
  }
}

} // namespace

// -- the I/O thread's end -------------------------------------------------------------------------------------------------

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
                                                 (roles == role_sender ? "sender" : "operator") + " only"};
    else
      verdict = frame_head_bytes + Kind::most_bytes;
  });
  return verdict;
}

caf_session_owner::caf_session_owner(std::shared_ptr<link_inbox> inbox, caf::actor session, unsigned roles,
                                     std::shared_ptr<web_socket> socket,
                                     std::function<void(const std::string&)> complain)
    : inbox_{std::move(inbox)}, session_{std::move(session)}, roles_{roles}, socket_{std::move(socket)},
      complain_{std::move(complain)} {}

std::variant<std::size_t, close_reason> caf_session_owner::on_head(std::string_view bytes, bool text) {
  auto verdict = judge_caf_head(bytes, text, roles_);
  if (const auto* refused = std::get_if<close_reason>(&verdict))
    complain_("link with " + socket_->peer().to_string() + " is closed: " + refused->text);
  return verdict;
}

void caf_session_owner::put(link_inbox::item item) {
  if (inbox_->put(std::move(item)))
    caf::anon_send(session_, caf::tick_atom_v);
}

void caf_session_owner::on_message(owned_bytes message) {
  put(std::move(message));
}

void caf_session_owner::on_tick() {
  put(link_inbox::tick{std::chrono::steady_clock::now()});
}

void caf_session_owner::on_end(const std::string& why) {
  put(link_inbox::ended{{}, why});
  session_ = nullptr;
}

// -- the actor ------------------------------------------------------------------------------------------------------------

caf_session::caf_session(caf::actor_config& config, setup with)
    : caf::event_based_actor{config}, with_{std::move(with)} {
  set_exception_handler([this](std::exception_ptr& problem) {
    with_.socket->close({close_reason::going_away, "the node failed inside"});
    return end_of(problem);
  });
  // Who asks in words that it does not know gets no answer, and nothing is printed.
  set_default_handler(caf::drop);
}

caf::behavior caf_session::make_behavior() {
  return {[this](caf::tick_atom) { look(); }};
}

void caf_session::look() {
  for (auto& item : with_.inbox->take()) {
    if (const auto* message = std::get_if<owned_bytes>(&item)) {
      if (!broken_off_)
        take(*message);
    } else if (const auto* tick = std::get_if<link_inbox::tick>(&item)) {
      expire(tick->now);
    } else if (std::holds_alternative<link_inbox::ended>(item)) {
      broken_off_ = true;
      waiting_.clear();
      quit();
      return;
    }
  }
}

void caf_session::break_off(std::uint16_t code, const std::string& why) {
  if (std::exchange(broken_off_, true))
    return;
  with_.complain("link with " + with_.socket->peer().to_string() + " is closed: " + why);
  with_.socket->close({code, why});
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

template <class Kind>
void caf_session::serve(std::uint64_t request, std::string_view body, std::size_t message_bytes) {
  const auto of_kind = "of kind " + std::to_string(Kind::number);
  const bool may_send = (Kind::roles & role_sender) != 0 && with_.rights.gateway;
  const bool may_operate = (Kind::roles & role_operator) != 0 && with_.rights.operators;
  if (!may_send && !may_operate) {
    break_off(close_reason::policy, "a request " + of_kind + " is not for this role");
    return;
  }
  if (waiting_.contains(request)) {
    break_off(close_reason::protocol_error,
              "two requests under way have the number " + std::to_string(request));
    return;
  }
  typename Kind::request decoded;
  if (body.size() > Kind::most_bytes || !counts_are_bounded(Kind::number, body) ||
      !decode_body(body, decoded)) {
    break_off(close_reason::protocol_error, "the body of a request " + of_kind + " is not what it is to be");
    return;
  }
  const auto turn = ++last_turn_;
  waiting_.emplace(request, asked{Kind::number, message_bytes, turn});
  order_.push_back({request, turn, now_});
  if constexpr ((Kind::roles & role_sender) != 0) {
    if (may_send) {
      ask<Kind>(with_.rights.gateway, request, turn, std::move(decoded));
      return;
    }
  }
  if constexpr ((Kind::roles & role_operator) != 0)
    ask<Kind>(with_.rights.operators, request, turn, std::move(decoded));
}

template <class Kind, class Handle>
void caf_session::ask(const Handle& whom, std::uint64_t request, std::uint64_t turn,
                      typename Kind::request body) {
  using answer = typename Kind::answer;
  auto failed = [this, request, turn](const caf::error& why) { refuse(request, turn, refusal_of(why)); };
  auto answered = [this, request, turn](answer& value) {
    asked was;
    if (settle(request, turn, was))
      with_.socket->send(encode_frame({static_cast<std::uint8_t>(was.kind | answer_bit), request}, value),
                         {1, was.bytes});
  };
  auto pending = this->request(whom, caf::infinite, std::move(body));
  if constexpr (std::is_same_v<answer, nothing>)
    pending.then(
        [answered]() mutable {
          nothing none;
          answered(none);
        },
        failed);
  else
    pending.then(std::move(answered), failed);
}

bool caf_session::settle(std::uint64_t request, std::uint64_t turn, asked& was) {
  const auto found = waiting_.find(request);
  if (found == waiting_.end() || found->second.turn != turn)
    return false;
  was = found->second;
  waiting_.erase(found);
  return true;
}

void caf_session::refuse(std::uint64_t request, std::uint64_t turn, const refusal& why) {
  asked was;
  if (!settle(request, turn, was))
    return;
  auto cut = why;
  cut.detail.resize(std::min(cut.detail.size(), max_sentence_bytes));
  with_.socket->send(encode_frame({refusal_kind, request}, cut), {1, was.bytes});
}

void caf_session::expire(time_point now) {
  now_ = now;
  while (!order_.empty()) {
    const auto& first = order_.front();
    const auto found = waiting_.find(first.request);
    const bool waits = found != waiting_.end() && found->second.turn == first.turn;
    if (waits && first.asked_at != time_point{} && now - first.asked_at < session_answer_time)
      return;
    if (waits && first.asked_at == time_point{}) { // asked before the first tick
      order_.front().asked_at = now;
      return;
    }
    const auto gone = first;
    order_.pop_front();
    if (waits)
      refuse(gone.request, gone.turn, {errc::unavailable, "the node did not answer in time"});
  }
}

} // namespace vicket::internal
