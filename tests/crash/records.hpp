#pragma once

#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"
#include "tests/crash/plan.hpp"

#include <cstdint>
#include <string>

namespace vicket::crash {

/// What the processes of one run noted down. All times are of one machine's wall clock.

/// The feeder is about to send an event (again).
struct send_record {
  std::uint64_t serial = 0;
  timestamp_ms at;
};

/// The node answered one send.
struct answer_record {
  std::uint64_t serial = 0;
  send_result result;
  timestamp_ms at;
};

/// A receiver got a request, and what became of it.
struct request_record {
  std::string connector; ///< from the path
  std::string id;        ///< of the header `webhook-id`
  std::string body;
  std::string body_sha256;
  std::int64_t signed_at_s = 0; ///< `t` of X-Vicket-Signature
  bool vicket_signature_good = false;
  bool standard_signature_good = false;
  bool head_good = false; ///< method, content type, user agent and the connector's own header
  /// When the connection was accepted, noted before the TLS handshake: the node was certainly alive after it.
  timestamp_ms connection_accepted_at;
  std::uint32_t request_on_connection = 1; ///< 2 and more: the connection was pooled
  timestamp_ms arrived_at;                 ///< the whole request was read
  planned_reply answer;
  bool finished = false; ///< the receiver came to an end with it
  bool written = false;  ///< all that it wanted to write was written
  timestamp_ms finished_at;
};

/// A node process from before its start until after it was reaped.
struct node_life {
  timestamp_ms started_at;
  timestamp_ms ended_at;
  bool killed = false; ///< SIGKILL; else SIGTERM
};

} // namespace vicket::crash
