#include "messages/actors.hpp"

#include "messages/peer_actor.hpp"

#include <caf/error.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/message.hpp>

namespace vicket {

caf::error make_refusal(errc code, std::string_view detail) {
  return caf::make_error(code, std::string{detail});
}

caf::error make_refusal(const refusal& reason) {
  return make_refusal(reason.code, reason.detail);
}

refusal refusal_of(const caf::error& reason) {
  auto code = errc::unavailable;
  if (reason.category() != caf::type_id_v<errc> || !from_integer(reason.code(), code))
    return {errc::unavailable,
            reason == caf::sec::broken_promise || reason == caf::sec::request_receiver_down
                ? "who was asked ended, or let go of the partition, without an answer: it may or may "
                  "not have been done, send again"
                : caf::to_string(reason)};
  const auto& context = reason.context();
  if (context.match_elements<std::string>())
    return {code, context.get_as<std::string>(0)};
  return {code, to_string(code)};
}

void register_peer_types() {
  caf::init_global_meta_objects<caf::id_block::vicket_peer>();
}

void register_message_types() {
  caf::init_global_meta_objects<caf::id_block::vicket>();
  caf::core::init_global_meta_objects();
}

} // namespace vicket
