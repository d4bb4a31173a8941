#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicket::sim {

/// What a user can do to a node: the rows of the table that a run fills.
enum class operation : std::uint8_t {
  send,              ///< one event, the node makes the id
  send_with_id,      ///< one event with an id of the sender's
  send_batch,        ///< several events, over several connectors
  repeat_in_batch,   ///< a batch with the same id twice for one connector
  repeat,            ///< an id that was sent before, to the same connector
  repeat_elsewhere,  ///< an id that was sent before, to another connector: another event
  put_connector,     ///< a known connector again, with other limits
  put_new_connector, ///< one that does not exist, or was deleted
  put_other_url,     ///< a known connector, at another address
  disable_connector,
  enable_connector,
  delete_connector,
  read_feed, ///< from the cursor that this reader kept
  look_up_run,
  look_up_event,
  look_up_status,
  list_connectors,
  pass_retention, ///< so much time that what is settled may be forgotten
  stop,           ///< the clean stop and the next start
  restore,        ///< an older copy of the folder is put in its place
  put_rule,
  delete_rule,
  send_trigger,
  send_trigger_batch,
  repeat_trigger, ///< an id that was sent before
};
inline constexpr std::size_t operation_count = 25;

/// What can happen to it: the columns.
enum class fault : std::uint8_t {
  no_space_append,
  no_space_sync,
  no_space_flush,
  no_space_compaction,
  no_space_open,
  no_space_manifest,
  no_space_rename,
  io_error_append,
  io_error_sync,
  io_error_flush,
  io_error_compaction,
  io_error_open,
  io_error_manifest,
  io_error_rename,
  short_write,
  crash_append,
  crash_sync,
  crash_flush,
  crash_compaction,
  crash_open,
  crash_manifest,
  crash_rename,
  crash_dropped,   ///< whatever the boundary: what was not synced is gone
  crash_torn,      ///< a prefix of it is there
  crash_reordered, ///< some of its blocks are there
  room_again,      ///< a full disk gets room
  clock_forward,
  clock_back,
  supervisor_death,
  shortage, ///< the node is short of descriptors, memory or ports: requests do not leave it
};
inline constexpr std::size_t fault_count = 30;

/// What a node shows that is not whole any more.
enum class loss : std::uint8_t {
  answer,   ///< an attempt has lost what was answered
  attempts, ///< an event has lost its attempts
  gap,      ///< the feed goes on after one
};
inline constexpr std::size_t loss_count = 3;
inline constexpr std::array<std::string_view, loss_count> loss_names = {"answer", "attempts", "gap"};

inline constexpr std::array<std::string_view, operation_count> operation_names = {"send",
                                                                                  "send_with_id",
                                                                                  "send_batch",
                                                                                  "repeat_in_batch",
                                                                                  "repeat",
                                                                                  "repeat_elsewhere",
                                                                                  "put_connector",
                                                                                  "put_new_connector",
                                                                                  "put_other_url",
                                                                                  "disable_connector",
                                                                                  "enable_connector",
                                                                                  "delete_connector",
                                                                                  "read_feed",
                                                                                  "look_up_run",
                                                                                  "look_up_event",
                                                                                  "look_up_status",
                                                                                  "list_connectors",
                                                                                  "pass_retention",
                                                                                  "stop",
                                                                                  "restore",
                                                                                  "put_rule",
                                                                                  "delete_rule",
                                                                                  "send_trigger",
                                                                                  "send_trigger_batch",
                                                                                  "repeat_trigger"};

inline constexpr std::array<std::string_view, fault_count> fault_names = {
    "no_space_append",     "no_space_sync",   "no_space_flush",    "no_space_compaction", "no_space_open",
    "no_space_manifest",   "no_space_rename", "io_error_append",   "io_error_sync",       "io_error_flush",
    "io_error_compaction", "io_error_open",   "io_error_manifest", "io_error_rename",     "short_write",
    "crash_append",        "crash_sync",      "crash_flush",       "crash_compaction",    "crash_open",
    "crash_manifest",      "crash_rename",    "crash_dropped",     "crash_torn",          "crash_reordered",
    "room_again",          "clock_forward",   "clock_back",        "supervisor_death",    "shortage"};

[[nodiscard]] constexpr std::string_view to_string(operation value) {
  return operation_names[static_cast<std::size_t>(value)];
}
[[nodiscard]] constexpr std::string_view to_string(fault value) {
  return fault_names[static_cast<std::size_t>(value)];
}

} // namespace vicket::sim
