#include "link/json_session.hpp"

#include "link/json_answers.hpp"
#include "link/kinds.hpp"

#include <utility>

namespace vicket::internal {

std::variant<std::size_t, close_reason> judge_json_head(std::string_view, bool text) {
  if (!text)
    return close_reason{close_reason::wrong_data, "vicket.json.1 has text messages only"};
  return most_message_bytes;
}

void json_session::take(const owned_bytes& message) {
  auto read = read_json_request(message.bytes);
  if (const auto* why = std::get_if<std::string>(&read)) {
    break_off(close_reason::protocol_error, *why);
    return;
  }
  auto& request = std::get<json_request>(read);
  if (const auto mine = begin(request.number, message.bytes.size()))
    std::visit([&](auto& what) { serve(request.number, *mine, std::move(what)); }, request.what);
}

owned_bytes json_session::refusal_message(number request, const refusal& why) const {
  return owned_bytes::of(json_refusal(request, why));
}

template <class Answer, class Batch>
void json_session::serve_items(number request, turn mine, Batch batch,
                               std::vector<std::optional<refusal>> items) {
  auto message_of = [request, items = std::move(items)](const auto& results) {
    auto text = json_results(request, items, results);
    return owned_bytes::of(
        text ? *std::move(text)
             : json_refusal(request, {errc::unavailable, "the node's answer does not fit the request"}));
  };
  if (batch.items.empty())
    answer(request, mine, [&] { return message_of(decltype(Answer::results){}); });
  else
    ask<Answer>(rights().gateway, request, mine, std::move(batch),
                [message_of = std::move(message_of)](const Answer& all) { return message_of(all.results); });
}

void json_session::serve(number request, turn mine, json_send what) {
  if (rights().gateway)
    serve_items<batch_result>(request, mine, std::move(what.events), std::move(what.items));
  else
    refuse(request, mine, {errc::forbidden, "send is for who has the role sender"});
}

void json_session::serve(number request, turn mine, json_trigger what) {
  if (rights().gateway)
    serve_items<trigger_batch_result>(request, mine, std::move(what.triggers), std::move(what.items));
  else
    refuse(request, mine, {errc::forbidden, "trigger is for who has the role sender"});
}

template <class Answer, class Body, class MessageOf>
void json_session::read(number request, turn mine, Body body, MessageOf message_of) {
  if (rights().gateway)
    ask<Answer>(rights().gateway, request, mine, std::move(body), message_of);
  else if (rights().operators)
    ask<Answer>(rights().operators, request, mine, std::move(body), message_of);
  else
    refuse(request, mine, {errc::forbidden, "this is for who has the role sender or operator"});
}

void json_session::serve(number request, turn mine, read_outcomes what) {
  read<outcome_page>(request, mine, std::move(what), [request](const outcome_page& page) {
    return owned_bytes::of(json_outcomes(request, page));
  });
}

void json_session::serve(number request, turn mine, get_run what) {
  read<run_page>(request, mine, std::move(what),
                 [request](const run_page& page) { return owned_bytes::of(json_history(request, page)); });
}

void json_session::serve(number request, turn mine, get_event what) {
  read<event_page>(request, mine, std::move(what), [request](const event_page& page) {
    return owned_bytes::of(json_history(request, page));
  });
}

} // namespace vicket::internal
