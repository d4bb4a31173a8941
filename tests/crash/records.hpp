#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/ids.hpp"
#include "tests/crash/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

/// A connector is about to be put or deleted. There is one change of a connector at a time; another one comes only when
/// the first was answered or the node that had it has ended.
struct change_record {
  std::string connector;
  std::uint64_t version = 0; ///< the change's number; what is put under it, the plan knows
  bool remove = false;
  timestamp_ms at;
};

/// The node answered a change.
struct change_answer_record {
  std::string connector;
  std::uint64_t version = 0;
  std::optional<errc> refused; ///< absent: done
  timestamp_ms at;
};

/// The node's list of all its connectors.
struct look_record {
  struct shown {
    std::string connector;
    std::optional<std::uint64_t> version; ///< absent: its URL is none of ours
    bool as_put = false;                  ///< everything shown is that version's
  };

  timestamp_ms asked_at;
  timestamp_ms at; ///< the answer
  std::vector<shown> all;
};

/// What the feed follower that keeps its cursor in a file noted down, in this order.
struct follower_record {
  enum class kind : std::uint8_t {
    start, ///< reads on after the cursor that it found in its file; empty: from the oldest entry
    entry, ///< an entry
    gap,   ///< the feed says that it misses something
    page,  ///< the page is done; the cursor is saved next, or not
  };

  kind what = kind::entry;
  std::string cursor;
  std::string connector; ///< of an entry, as are the next two
  std::string id;
  std::uint32_t attempt = 0;
};

/// A receiver got a request, and what became of it.
struct request_record {
  std::string connector;     ///< from the path, as is the next one
  std::uint64_t version = 0; ///< of the connector that it was sent with
  std::string id;            ///< of the header `webhook-id`
  std::string body;
  std::string body_sha256;
  std::int64_t signed_at_s = 0; ///< `t` of X-Vicket-Signature
  std::uint32_t secret =
      0; ///< of the connector's, the one that X-Vicket-Signature was made with, if it is good
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
