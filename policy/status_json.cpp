#include "policy/json_text.hpp"
#include "policy/json_writer.hpp"

#include <cstdint>

namespace vicket {

namespace {

void put_count(json_writer& out, std::string_view key, std::uint64_t count) {
  put_key(out, key);
  out.Uint64(count);
}

void put_flag(json_writer& out, std::string_view key, bool flag) {
  put_key(out, key);
  out.Bool(flag);
}

/// Without its number.
void put_state(json_writer& out, const partition_status& partition) {
  put_count(out, "epoch", partition.epoch);
  put_count(out, "next_sequence", partition.next_sequence);
  put_count(out, "settled_below", partition.settled_below);
  put_count(out, "pending", partition.pending);
  put_count(out, "in_flight", partition.in_flight);
  put_flag(out, "accepting", partition.accepting);
  put_flag(out, "counting", partition.counting);
  if (!partition.owner.empty())
    put_text(out, "owner", partition.owner);
  if (!partition.halted.empty())
    put_text(out, "halted", partition.halted);
  if (!partition.why.empty())
    put_text(out, "unreachable", partition.why);
}

void put_partition(json_writer& out, const partition_status& partition) {
  out.StartObject();
  put_count(out, "number", partition.number);
  put_state(out, partition);
  out.EndObject();
}

void put_settings(json_writer& out, const settings_status& settings) {
  out.StartObject();
  put_count(out, "records", settings.records);
  put_count(out, "bytes", settings.bytes);
  put_state(out, settings.partition);
  out.EndObject();
}

void put_waiting(json_writer& out, const connector_status& status, timestamp_ms now) {
  out.StartObject();
  put_text(out, "id", status.id.value);
  put_flag(out, "enabled", status.enabled);
  put_count(out, "pending", status.pending);
  put_count(out, "in_flight", status.in_flight);
  put_time(out, "oldest_pending_at", status.oldest_pending_at);
  put_key(out, "oldest_pending_age_ms");
  if (status.oldest_pending_at)
    out.Int64(now - *status.oldest_pending_at);
  else
    out.Null();
  put_time(out, "held_until", status.held_until);
  if (!status.problem.empty())
    put_text(out, "problem", status.problem);
  if (status.being_deleted)
    put_flag(out, "being_deleted", true);
  out.EndObject();
}

} // namespace

std::string node_status_to_json(const node_status& status) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_text(out, "version", status.version);
  put_time(out, "started_at", status.started_at);
  put_time(out, "now", status.now);
  put_count(out, "connectors_configured", status.connectors_configured);
  put_key(out, "partitions");
  out.StartArray();
  for (const auto& partition : status.partitions)
    put_partition(out, partition);
  out.EndArray();
  put_key(out, "settings");
  put_settings(out, status.settings);
  put_key(out, "connectors");
  out.StartArray();
  for (const auto& connector : status.connectors)
    put_waiting(out, connector, status.now);
  out.EndArray();
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string backup_made_to_json(const backup_made& value) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  put_text(out, "folder", value.folder);
  put_time(out, "made_at", value.made_at);
  put_count(out, "stores", value.stores);
  put_count(out, "files", value.files);
  put_count(out, "bytes", value.bytes);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string text_to_json(std::string_view text) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  put_text(out, text);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string send_result_to_json(const send_result& result) {
  rapidjson::StringBuffer buffer;
  json_writer out{buffer};
  out.StartObject();
  if (const auto* good = std::get_if<accepted>(&result)) {
    put_text(out, "id", good->id.to_string());
    put_flag(out, "duplicate", good->duplicate);
  } else {
    const auto& why = std::get<refusal>(result);
    put_text(out, "error", to_string(why.code));
    put_text(out, "detail", why.detail);
  }
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace vicket
