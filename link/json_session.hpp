#pragma once

#include "link/json_request.hpp"
#include "link/session.hpp"

#include <string_view>
#include <variant>

namespace vicket::internal {

/// A link in `vicket.json.1`, for engines in other languages. A request that can't be done is answered with a refusal; the
/// connection is broken off only where no answer can be addressed. Senders may send; senders and operators may read.
class json_session : public link_session {
public:
  using link_session::link_session;

protected:
  void take(const owned_bytes& message) override;
  [[nodiscard]] owned_bytes refusal_message(number request, const refusal& why) const override;

private:
  void serve(number request, turn mine, json_send what);
  void serve(number request, turn mine, json_trigger what);
  template <class Answer, class Batch>
  void serve_items(number request, turn mine, Batch batch, std::vector<std::optional<refusal>> items);
  void serve(number request, turn mine, read_outcomes what);
  void serve(number request, turn mine, get_run what);
  void serve(number request, turn mine, get_event what);
  void serve(number request, turn mine, const refusal& why) { refuse(request, mine, why); }
  template <class Answer, class Body, class MessageOf>
  void read(number request, turn mine, Body body, MessageOf message_of);
};

/// What a message may have in all, or why it closes the connection. Pure.
[[nodiscard]] std::variant<std::size_t, close_reason> judge_json_head(std::string_view bytes, bool text);

} // namespace vicket::internal
