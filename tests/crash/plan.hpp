#pragma once

#include "messages/connector.hpp"
#include "messages/event.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::crash {

/// What a receiver does with one request.
enum class reply : std::uint8_t {
  ok,                  ///< 2xx at once
  slow_ok,             ///< 2xx after a while, within the connector's timeout: likely in flight at a kill
  ok_then_close,       ///< 2xx, then the connection is closed without having said so
  server_error,        ///< 500 or 503
  cut_server_error,    ///< 500 whose body ends early
  throttled,           ///< 429 with Retry-After
  close_before_answer, ///< the connection is closed without a byte of an answer
  close_in_head,       ///< … in the middle of the answer's head
  hang,                ///< no answer until the other side gives up
};
inline constexpr std::size_t reply_kinds = 9;

[[nodiscard]] std::string_view to_string(reply kind);
[[nodiscard]] std::optional<reply> reply_from(std::string_view text);

struct planned_reply {
  reply kind = reply::ok;
  std::uint16_t status = 200;      ///< 0: no complete head is sent
  std::int64_t delay_ms = 0;       ///< before the answer
  std::uint32_t retry_after_s = 0; ///< 0: no such header
};

/// How an event of a connector may end.
enum class fate : std::uint8_t {
  delivered, ///< its receiver gets well in time: all are delivered in the end
  either,    ///< `max_attempts` may end it before
  pending,   ///< its receiver never gets well, and only age would end the retries
};

struct planned_connector {
  connector value;             ///< the URL is put in when the receivers' ports are known
  std::optional<int> receiver; ///< absent: nobody listens there
  std::vector<std::pair<reply, std::uint32_t>> replies; ///< with their weights, while it is ill
  std::uint32_t ill_requests =
      0; ///< at most so many requests of one id are answered by `replies`, then all get 200
  fate end = fate::delivered;
  std::uint32_t weight = 1; ///< share of the events
};

/// One round of the driver: how long the node may live, and how it ends.
struct planned_round {
  bool before_ready = false; ///< the time runs from the start, not from readiness: kills recoveries
  std::int64_t alive_ms = 0; ///< 10 to 600; 0 to 40 before readiness
  bool stop_cleanly = false; ///< SIGTERM instead of SIGKILL
  std::int64_t pause_ms = 2; ///< until it is started again
  std::optional<int>
      stopped_receiver;            ///< this one's process is stopped (SIGSTOP) from the round's beginning …
  std::int64_t stopped_for_ms = 0; ///< … for so long
};

/// Everything that chance decides, as pure functions of the seed: the same seed asks the same of the node,
/// though the moments at which things meet differ from run to run.
class plan {
public:
  static constexpr int receivers = 3;
  static constexpr std::size_t max_batch = 30;

  explicit plan(std::uint64_t seed);

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] const std::vector<planned_connector>& connectors() const noexcept { return connectors_; }
  [[nodiscard]] const planned_connector* find(std::string_view connector) const;

  /// The event with a serial number from 1 on; about one in ten has no id. Its run is `run-<serial>` and its
  /// data has the field `serial`, so that it is recognised under an id that the node made.
  [[nodiscard]] send_to_connector event(std::uint64_t serial) const;
  /// How many events the feeder's message `number` carries; 0: it is a single `send_to_connector`.
  [[nodiscard]] std::size_t batch_items(std::uint64_t number) const;
  /// Whether an accepted event is sent again later on purpose, to be told that it is a duplicate.
  [[nodiscard]] bool repeated(std::uint64_t serial) const;

  /// The answer to request `count` (from 1 on) of an id.
  [[nodiscard]] planned_reply answer(const planned_connector& to, std::string_view id,
                                     std::uint32_t count) const;

  [[nodiscard]] planned_round round(std::uint64_t number) const;
  /// The size of the feed follower's page `number`, and whether it goes on from an entry in the middle of it.
  [[nodiscard]] std::uint32_t page_limit(std::uint64_t number) const;
  [[nodiscard]] bool goes_back(std::uint64_t number) const;

private:
  [[nodiscard]] std::uint64_t draw(std::uint64_t stream, std::uint64_t number, std::uint64_t part = 0) const;
  [[nodiscard]] connector_id connector_of(std::uint64_t serial) const;
  [[nodiscard]] std::string data_of(std::uint64_t serial) const;

  std::uint64_t seed_;
  std::vector<planned_connector> connectors_;
  std::uint64_t total_weight_ = 0;
};

/// A header of the connector's own, whose value is the connector's id.
inline constexpr std::string_view connector_header = "X-Crash-Connector";

/// Where a receiver expects a connector's requests.
[[nodiscard]] std::string path_of(std::string_view connector);
/// The connector of a path; empty if it is none of ours.
[[nodiscard]] std::string connector_of_path(std::string_view path);

} // namespace vicket::crash
