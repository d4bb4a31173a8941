#pragma once

#include "link/kinds.hpp"
#include "net/web_socket.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vicket::internal {

// A message of `vicket.caf.1`: kind (u8) | request (u64, big-endian) | body, the one message type of the kind in CAF's
// binary form (not a caf::message: no type ids, no actor handles).

struct frame_head {
  std::uint8_t kind = 0;
  std::uint64_t request = 0;
};

[[nodiscard]] std::optional<frame_head> read_frame_head(std::string_view frame);

/// Whether the counts in a body are ones that its type can have, before anything is allocated for them. Where a count
/// can't be read the body is broken.
[[nodiscard]] bool counts_are_bounded(std::uint8_t kind, std::string_view body);

void write_frame_head(caf::byte_buffer& to, frame_head head);

/// Whether a body may have a secret in the clear: its memory is zeroed when it is let go.
template <class Body>
inline constexpr bool may_have_secrets =
    std::is_same_v<Body, put_connector> || std::is_same_v<Body, of_partition<put_connector>> ||
    std::is_same_v<Body, connector_view>;

/// A whole frame. `size_hint`: about how many bytes it will have.
template <class Body>
owned_bytes encode_frame(frame_head head, const Body& body, std::size_t size_hint = 64) {
  const std::shared_ptr<caf::byte_buffer> buffer{new caf::byte_buffer, [](caf::byte_buffer* used) {
                                                   if constexpr (may_have_secrets<Body>)
                                                     ::explicit_bzero(used->data(), used->size());
                                                   delete used;
                                                 }};
  // Growing would leave a copy behind.
  buffer->reserve(may_have_secrets<Body> ? find_bound<of_partition<put_connector>>(link_kinds{}) : size_hint);
  write_frame_head(*buffer, head);
  caf::binary_serializer sink{nullptr, *buffer};
  if (!sink.apply(body))
    return {};
  return {buffer, {reinterpret_cast<const char*>(buffer->data()), buffer->size()}};
}

/// False: it is not the whole and only content of `bytes`.
template <class Body>
[[nodiscard]] bool decode_body(std::string_view bytes, Body& body) {
  caf::binary_deserializer source{nullptr, bytes.data(), bytes.size()};
  return source.apply(body) && source.remaining() == 0;
}

} // namespace vicket::internal
