#pragma once

#include "messages/event.hpp"
#include "net/tls_files.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vicket::bench {

/// What a feeder sends, and for how long.
struct link_load {
  std::uint16_t port = 0; ///< on 127.0.0.1
  tls_files tls;
  std::size_t batch_events = 100;
  std::size_t under_way = 4; ///< batches without an answer
  std::chrono::milliseconds duration{5'000};
};

/// The text of an event's data; with it an event has about 350 bytes.
inline constexpr const char* link_event_data =
    R"({"ticket":{"id":"T-1","subject":"The invoice of March shows the wrong amount, once more","priority":2,)"
    R"("tags":["billing","vip"],"status":{"category":"resolved","name":"Solved by the team"}}})";

/// Sends batches through the package's client (`vicket.caf.1`), or as JSON (`vicket.json.1`) through the same WebSocket: each
/// event made and written anew, each result looked at. How many events were accepted; throws std::runtime_error where one
/// was not.
[[nodiscard]] std::uint64_t feed_in_caf(const link_load& load);
[[nodiscard]] std::uint64_t feed_in_json(const link_load& load);

/// A port whose gateway accepts everything at once. Prints `port NUMBER`, and goes on until it is killed.
[[noreturn]] void serve_link(const tls_files& tls);

} // namespace vicket::bench
