#pragma once

#include "link/frames.hpp"
#include "link/session.hpp"

#include <cstdint>
#include <string_view>
#include <variant>

namespace vicket::internal {

/// A link in `vicket.caf.1`.
class caf_session : public link_session {
public:
  using link_session::link_session;

protected:
  void take(const owned_bytes& message) override;
  [[nodiscard]] owned_bytes refusal_message(number request, const refusal& why) const override;

private:
  template <class Kind>
  void serve(number request, std::string_view body, std::size_t message_bytes);
  template <class Kind, class Handle>
  void ask_for(const Handle& whom, number request, turn mine, typename Kind::request body);
};

/// What a message may have in all, by its first bytes and who sends it, or why it closes the connection. Pure.
[[nodiscard]] std::variant<std::size_t, close_reason> judge_caf_head(std::string_view bytes, bool text,
                                                                     unsigned roles);

} // namespace vicket::internal
