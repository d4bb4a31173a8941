#pragma once

#include "actors/intake_gauge.hpp"
#include "actors/interfaces.hpp"
#include "policy/connector_config.hpp"
#include "policy/schedule_clock.hpp"
#include "policy/uuid.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vicket {

/// The node's own side of the gateway: what a client sees, and the node's word that it is stopping.
using node_gateway_actor = node_actor::extend<
    /// Node → gateway. From now on everything that would change something is refused with `unavailable`.
    caf::result<void>(drain)>;

/// The door: checks messages, composes envelopes, refuses early what can't be stored, and spreads the rest over the
/// partitions. Holds nothing durable.
class gateway {
public:
  using handle = node_gateway_actor;

  static constexpr auto name = "gateway";

  struct setup {
    router_actor router;
    history_actor history;
    rule_desk_actor desk;
    backup_clerk_actor clerk;
    std::vector<partition_actor> partitions; ///< of connectors
    partition_actor settings;
    const schedule_clock* clock = nullptr; ///< outlives the actor
    random_source* random = nullptr;       ///< outlives the actor; safe from any thread
    connector_rules rules;
    std::size_t max_envelope_bytes = 256 * 1024;
    /// Envelope bytes on their way to the disk; what may come beyond is refused with `overloaded`, before any work is
    /// done for it. One event is always allowed.
    std::size_t max_uncommitted_bytes = 64u << 20;
    std::string version;
    std::shared_ptr<intake_gauge> intake; ///< null: nobody wants to know
  };

  gateway(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  /// A batch whose parts are at the partitions.
  struct open_batch {
    caf::typed_response_promise<batch_result> promise;
    batch_result value;
    std::size_t parts_missing = 0;
  };

  caf::result<accepted> send_one(send_to_connector& event);
  caf::result<batch_result> send_many(send_batch& batch);
  [[nodiscard]] std::optional<refusal> compose(send_to_connector& event, composed_event& composed);
  [[nodiscard]] bool has_room_for(const send_to_connector& event) const;
  [[nodiscard]] std::int64_t intake_begins() const { return with_.intake ? with_.clock->now_us() : 0; }
  void intake_ends(std::int64_t began_us, std::size_t events) const;
  void send_part(const std::shared_ptr<open_batch>& batch, std::uint32_t partition,
                 std::vector<composed_event> events, std::vector<std::size_t> places);
  template <class Answer, class Request>
  caf::result<Answer> change(Request& request);
  caf::result<connector_view> put(const put_connector& request);
  caf::result<connector_page> list(const list_connectors& request);
  caf::result<node_status> status(const get_status& request);

  handle::pointer self_;
  setup with_;
  uuid7_source ids_;
  timestamp_ms started_at_;
  /// Of envelopes handed on and not answered yet. What is never answered (persistence failed or died) stays counted:
  /// the node ends then.
  std::size_t uncommitted_bytes_ = 0;
  bool stopping_ = false;
};

} // namespace vicket
