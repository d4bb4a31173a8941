#pragma once

#include "messages/connector.hpp"
#include "messages/ids.hpp"
#include "tests/sim/operations.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vicket::sim {

/// Where the requests of a connector go, and what they meet.
enum class mood : std::uint8_t {
  well,    ///< 200 at once
  failing, ///< 500, 404, 302 …
  busy,    ///< 429 and 503 with `Retry-After`
  broken,  ///< no answer that is one: connect, tls, protocol …
  silent,  ///< nothing, until it is told to answer or the time-out passes
  mixed,   ///< each of these, request by request
};
inline constexpr std::size_t mood_count = 6;
[[nodiscard]] const char* to_string(mood value);

/// One event of a send. Its serial number is in its name and its data, so that whatever was stored tells which send
/// it came from, also where several sends had the same id.
struct planned_event {
  std::uint64_t serial = 0;
  std::uint32_t connector = 0;
  std::optional<event_id> id;
  std::uint32_t data_bytes = 0; ///< of filling
};

/// One trigger; the numbers of what rules make of it follow its own.
struct planned_trigger {
  std::uint64_t serial = 0; ///< in its name
  std::optional<event_id> id;
  std::uint32_t kind = 0; ///< of what was sent again the same
  std::uint32_t data_bytes = 0;
};

enum class action_kind : std::uint8_t {
  ask,         ///< `asked`
  order_fault, ///< `ordered`
  pass_time,   ///< `amount` ms
  let_lapse, ///< as much of `amount` ms as goes by until something is due, in which nobody has had a turn yet
  set_mood,  ///< `amount` is the mood; of `connector`
  answer_hanging, ///< `amount` of the silent requests get an answer
  run_background, ///< `amount` of RocksDB's jobs; all when there are fewer
  fill_disk,      ///< `amount` bytes more and it is full
  spare_disk,     ///< a full disk gets `amount` bytes of room
  squeeze_disk,   ///< below the reserve, but not full
  kill,           ///< the process dies, here and now; the disk stays
  copy_folder,    ///< stop, copy the data folder, start
  calm,           ///< no fault is on order any more, and there is room
  hold_back,      ///< some actors get their turn last from now on, of those that `amount` draws; 0: none
  audit,          ///< look at everything there is, and compare
};

/// One step of a run. Everything in it was decided when the plan was made, so that leaving others out does not
/// change what it does.
struct action {
  static constexpr auto to_quiet = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t number = 0; ///< its place in the whole plan
  action_kind kind = action_kind::ask;
  operation asked = operation::send;
  fault ordered = fault::no_space_append;
  std::uint32_t connector = 0;
  std::vector<planned_event> events;
  std::vector<planned_trigger> triggers;
  std::int64_t amount = 0;
  std::uint32_t after = 0;           ///< of an ordered fault: how many operations of its kind succeed first
  std::uint64_t draw = 0;            ///< what is drawn while it runs follows from this
  std::uint32_t handlers = to_quiet; ///< how many message handlers run after it, before the next one
};

/// What a world consists of before anything happens in it.
struct world_shape {
  std::uint32_t partitions = 1;
  std::vector<connector> connectors;
  std::uint64_t rule_seed = 0;             ///< what a rule is follows from this and its number
  std::vector<std::uint32_t> rule_targets; ///< the connectors that rules name
  std::int64_t retention_ms = 0;
  std::int64_t attempt_wait_ms = 0;
  std::size_t window_events = 0;
  std::size_t max_unindexed = 0;
  std::uint64_t kept_history_bytes = 0; ///< of each connector
  std::size_t max_in_flight = 0;        ///< of the node
  std::size_t history_bytes = 0;        ///< of a page
  std::size_t window_memory_bytes = 0;  ///< for each partition
  std::int64_t supervisor_idle_ms = 0;
  bool late_rounds = false; ///< rounds take their time, as with a log on another machine
};

struct plan {
  std::uint64_t seed = 0;
  world_shape shape;
  std::vector<action> actions;
};

/// The same seed and number of actions make the same plan.
[[nodiscard]] plan make_plan(std::uint64_t seed, std::uint32_t actions);

/// Serial numbers of the events of action `number` are `number * events_per_action + 0 …`.
inline constexpr std::uint64_t events_per_action = 64;
/// Likewise those of trigger `n` of an action, behind the ones before: two actions of five rules.
inline constexpr std::uint64_t events_per_trigger = 10;

[[nodiscard]] std::string run_of(std::uint32_t action_number);
[[nodiscard]] std::string event_name_of(std::uint64_t serial);
/// The other way round; absent: none of ours.
[[nodiscard]] std::optional<std::uint64_t> serial_of_event_name(const std::string& name);

/// The operation's or the fault's name, or that of its kind.
[[nodiscard]] std::string_view name_of(const action& one);
/// One line.
[[nodiscard]] std::string describe(const action& one, const world_shape& shape);
[[nodiscard]] std::string describe(const world_shape& shape);

} // namespace vicket::sim
