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
  close_in_head,       ///< … in the middle of the answer's head, after its status
  hang,                ///< no answer until the other side gives up
};
inline constexpr std::size_t reply_kinds = 9;

[[nodiscard]] std::string_view to_string(reply kind);
[[nodiscard]] std::optional<reply> reply_from(std::string_view text);

struct planned_reply {
  reply kind = reply::ok;
  std::uint16_t status = 200;      ///< 0: no status is sent
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
  std::uint32_t weight = 1; ///< share of the events; 0: those of bursts only, or none

  bool from_start = true;          ///< put before the first event
  std::uint32_t change_weight = 0; ///< share of the changes while events stream in; 0: it stays as it is
  bool may_be_off = false; ///< a change may disable it, or let it take one of the two kinds of events only
  bool may_be_deleted = false; ///< half of its changes are deletes
};

/// A put or a delete while events stream in. Its number from 1 on is also the version of what is put.
struct planned_change {
  std::uint64_t number = 0;
  connector_id connector;
  bool remove = false;       ///< a delete; else a put of `plan::version()`
  std::int64_t after_ms = 0; ///< since the change before it
};

/// What is put under a version number.
struct connector_version {
  connector value;                     ///< the URL is its path alone; no secret: what there is is kept
  std::optional<std::uint32_t> secret; ///< which of the connector's secrets; absent: what there is is kept
};

/// What a path of a receiver says.
struct hook {
  std::string connector;
  std::uint64_t version = 0;
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
  /// Not 0: the feeder sends a burst, and the time runs from the moment at which this group of it is sent.
  std::uint64_t burst_group = 0;
  double alive_syncs = 0;       ///< a burst's time is so many slow syncs longer
  bool follower_killed = false; ///< the feed follower's process is killed, too, and started again
};

/// Everything that chance decides, as pure functions of the seed: the same seed asks the same of the node,
/// though the moments at which things meet differ from run to run.
class plan {
public:
  static constexpr int receivers = 3;
  static constexpr std::size_t max_batch = 30;
  static constexpr std::uint32_t secrets = 3; ///< of each connector

  /// Known ids are kept per connector: the same id for two connectors is two events. While a node knows them per
  /// partition this stays false, and no id is sent to two connectors.
  static constexpr bool ids_are_per_connector = true;

  /// Versions that are no change's number: before all changes, after all, and with `enabled` false at the very end.
  static constexpr std::uint64_t first_version = 0;
  static constexpr std::uint64_t last_version = std::uint64_t{1} << 40;
  static constexpr std::uint64_t quiet_version = last_version + 1;

  /// A burst: `held_events` for the connector `paused`, which is disabled right behind them, so that they wait in
  /// memory; then `bulk_groups` times `bulk_batches` batches for the connector `mass`, of the same partition, with a
  /// put right behind each group. One burst is more than 65,536 positions of the log.
  static constexpr std::uint64_t held_events = 20;
  static constexpr std::uint64_t bulk_groups = 8;
  static constexpr std::uint64_t bulk_batches = 12;
  static constexpr std::uint64_t bulk_batch_items = 1'000;
  /// The one with which the log goes past 65,536 positions behind what is held.
  static constexpr std::uint64_t crossing_group = 1 + 65'536 / (bulk_batches * bulk_batch_items);
  static constexpr std::uint64_t burst_events = held_events + bulk_groups * bulk_batches * bulk_batch_items;
  static constexpr std::string_view held_connector = "paused";
  static constexpr std::string_view bulk_connector = "mass";

  explicit plan(std::uint64_t seed);

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] const std::vector<planned_connector>& connectors() const noexcept { return connectors_; }
  [[nodiscard]] const planned_connector* find(std::string_view connector) const;

  /// The event with a serial number from 1 on; about one in ten has no id. Its run is `run-<serial>` and its
  /// data has the field `serial`, so that it is recognised under an id that the node made.
  [[nodiscard]] send_to_connector event(std::uint64_t serial) const;
  /// The serial number of a burst's event, both from 0 on; greater than all others.
  [[nodiscard]] static std::uint64_t burst_serial(std::uint64_t burst, std::uint64_t index);
  [[nodiscard]] static bool of_burst(std::uint64_t serial);
  /// Whether an event's history is asked for at the end: all but most of a burst's bulk.
  [[nodiscard]] static bool looked_up(std::uint64_t serial);
  /// How many events the feeder's message `number` carries; 0: it is a single `send_to_connector`.
  [[nodiscard]] std::size_t batch_items(std::uint64_t number) const;
  /// Whether an accepted event is sent again later on purpose, to be told that it is a duplicate.
  [[nodiscard]] bool repeated(std::uint64_t serial) const;
  /// Whether the batch of message `number` carries its first event twice.
  [[nodiscard]] bool doubled(std::uint64_t number) const;

  [[nodiscard]] planned_change change(std::uint64_t number) const;
  [[nodiscard]] connector_version version(const planned_connector& of, std::uint64_t number) const;
  /// Both forms of a secret occur, since they are used as a key in different ways.
  [[nodiscard]] static std::string secret_of(std::string_view connector, std::uint32_t index);

  /// The answer to request `count` (from 1 on) of an id.
  [[nodiscard]] planned_reply answer(const planned_connector& to, std::string_view id,
                                     std::uint32_t count) const;

  [[nodiscard]] planned_round round(std::uint64_t number) const;
  /// The size of the feed follower's page `number`, and whether it goes on from an entry in the middle of it.
  [[nodiscard]] std::uint32_t page_limit(std::uint64_t number) const;
  [[nodiscard]] bool goes_back(std::uint64_t number) const;
  /// Whether the follower that may be killed saves its cursor after page `number`.
  [[nodiscard]] bool saves_cursor(std::uint64_t number) const;

private:
  /// What a number is drawn for.
  enum stream : std::uint64_t {
    event_stream = 1,
    id_stream,
    connector_stream,
    batch_stream,
    repeat_stream,
    reply_stream,
    round_stream,
    page_stream,
    double_stream,
    change_stream,
    version_stream,
  };

  [[nodiscard]] std::uint64_t draw(stream from, std::uint64_t number, std::uint64_t part = 0) const;
  [[nodiscard]] connector_id connector_of(std::uint64_t serial) const;
  [[nodiscard]] send_to_connector burst_event(std::uint64_t serial) const;
  [[nodiscard]] event_id id_of(std::uint64_t serial) const;
  [[nodiscard]] std::string data_of(std::uint64_t serial) const;

  std::uint64_t seed_;
  std::vector<planned_connector> connectors_;
  std::uint64_t total_weight_ = 0;
  std::uint64_t total_change_weight_ = 0;
};

/// A header of the connector's own, whose value is the connector's id.
inline constexpr std::string_view connector_header = "X-Crash-Connector";

/// Where a receiver expects the requests of a connector in one of its versions, and back; absent: none of ours.
[[nodiscard]] std::string path_of(std::string_view connector, std::uint64_t version = plan::first_version);
[[nodiscard]] std::optional<hook> hook_of(std::string_view path);

/// Whether a node shows a connector as this version was put. URLs are compared by their paths, secrets are not shown.
[[nodiscard]] bool shown_as_put(const connector& shown, const connector_version& put);

} // namespace vicket::crash
