// A message of `vicket.caf.1`, of a client to a node or of a node to a client: what is read of it can be written, and is
// then read as the same.

#include "tests/fuzz/fuzz_target.hpp"

#include "link/frames.hpp"
#include "messages/type_id.hpp"

#include <caf/init_global_meta_objects.hpp>

#include <type_traits>

namespace {

using namespace vicket;
using namespace vicket::internal;

template <class Body>
void read_body(frame_head head, std::string_view bytes) {
  Body body;
  if (!decode_body(bytes, body))
    return;
  const auto written = encode_frame(head, body);
  EXPECT_THAT_IT_HOLDS(written.bytes.size() > 0);
  const auto again = read_frame_head(written.bytes);
  EXPECT_THAT_IT_HOLDS(again && again->kind == head.kind && again->request == head.request);
  Body same;
  EXPECT_THAT_IT_HOLDS(decode_body(written.bytes.substr(frame_head_bytes), same));
  EXPECT_THAT_IT_HOLDS(encode_frame(head, same).bytes == written.bytes);
}

} // namespace

VICKET_FUZZ_TARGET(link_message) {
  // As each program does first: CAF's errors are made of messages.
  [[maybe_unused]] static const bool once = [] {
    caf::core::init_global_meta_objects();
    caf::init_global_meta_objects<caf::id_block::vicket>();
    return true;
  }();
  const auto head = read_frame_head(input);
  if (!head)
    return;
  const auto body = input.substr(frame_head_bytes);
  if (head->kind == refusal_kind)
    return read_body<refusal>(*head, body);
  with_kind(static_cast<std::uint8_t>(head->kind & ~answer_bit), [&](auto kind) {
    using row = decltype(kind);
    if ((head->kind & answer_bit) != 0)
      read_body<typename row::answer>(*head, body);
    else if (body.size() <= row::most_bytes && counts_are_bounded(head->kind, body))
      read_body<typename row::request>(*head, body);
  });
}
