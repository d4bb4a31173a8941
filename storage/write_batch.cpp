#include "policy/assertion.hpp"
#include "storage/key_codec.hpp"
#include "storage/write_batch_rep.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vicket {

namespace {

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

} // namespace

void write_batch::rep::put(family which, std::string_view key, std::string_view value) {
  auto column = family_id{which};
  complete = writes.Put(&column, slice(key), slice(value)).ok() && complete;
}

void write_batch::rep::put(family which, std::string_view key, std::string_view head, std::string_view tail) {
  auto column = family_id{which};
  const auto key_parts = std::array{slice(key)};
  const auto value_parts = std::array{slice(head), slice(tail)};
  complete =
      writes
          .Put(&column, rocksdb::SliceParts{key_parts.data(), 1}, rocksdb::SliceParts{value_parts.data(), 2})
          .ok() &&
      complete;
}

void write_batch::rep::remove(family which, std::string_view key) {
  auto column = family_id{which};
  complete = writes.Delete(&column, slice(key)).ok() && complete;
}

void write_batch::rep::put_attempt_places() {
  std::sort(attempt_places.begin(), attempt_places.end());
  for (const auto& place : attempt_places)
    put(family::event_attempts, codec::event_attempt_key(place.event, place.number),
        codec::u64_bytes(place.attempt));
}

void write_batch::rep::seal(const round_header& header) {
  put_attempt_places();
  put(family::meta, codec::commit_key, codec::encode(header));
}

write_batch::write_batch() : rep_(std::make_unique<rep>()) {}
write_batch::~write_batch() = default;
write_batch::write_batch(write_batch&&) noexcept = default;
write_batch& write_batch::operator=(write_batch&&) noexcept = default;

void write_batch::add_event(const stored_event& event, bool waits) {
  VICKET_ASSERT(event.sequence > 0 && event.envelope);
  const auto key = codec::u64_bytes(event.sequence);
  auto& scratch = rep_->scratch;
  scratch = codec::encode_head(event, std::move(scratch));
  rep_->put(family::events, key, scratch, *event.envelope);
  rep_->put(family::ids, codec::id_key{event.id, event.connector}.view(), key);
  if (!event.run.empty()) {
    scratch = codec::run_key(event.run, event.sequence, std::move(scratch));
    rep_->put(family::runs, scratch, std::string_view{});
  }
  if (waits)
    index_waiting(event.connector, {event.accepted_at, event.sequence});
}

void write_batch::index_waiting(const connector_id& connector, due_position position) {
  rep_->put(family::due, codec::encode_due_key(connector, position), codec::encode(codec::due_entry{}));
}

std::size_t write_batch::add_attempt(const connector_id& connector, const stored_attempt& value,
                                     due_position was, bool indexed, attempt_index where,
                                     std::optional<timestamp_ms> accepted_at) {
  VICKET_ASSERT(value.sequence > value.event_sequence);
  VICKET_ASSERT((value.state_after == event_state::pending) == value.value.next_attempt_at.has_value());
  const auto key = codec::u64_bytes(value.sequence);
  rep_->scratch = codec::encode_head(value, std::move(rep_->scratch));
  const auto body = value.same_body_as ? std::string_view{} : std::string_view{value.value.response_body};
  rep_->put(family::attempts, key, rep_->scratch, body);
  if (where != attempt_index::carried)
    rep_->attempt_places.push_back({value.event_sequence, value.value.number, value.sequence});
  if (where != attempt_index::log)
    rep_->put(family::carried, codec::carried_key(value.event_sequence, value.value.number),
              codec::encode_carried({value.sequence, {}}));
  if (indexed) // before the put: should both places be the same, the put has to win
    rep_->remove(family::due, codec::encode_due_key(connector, was));
  if (value.value.next_attempt_at)
    rep_->put(family::due,
              codec::encode_due_key(connector, {*value.value.next_attempt_at, value.event_sequence}),
              codec::encode(codec::due_entry{value.value.number, accepted_at}));
  return rep_->scratch.size() + body.size();
}

void write_batch::note_late(const late_event& value) {
  rep_->put(family::late, codec::encode_late_key({value.settled_at, value.sequence}), std::string_view{});
}

void write_batch::put_connector(const connector& value) {
  rep_->put(family::meta, codec::connector_key(value.id), codec::encode(value));
}

void write_batch::delete_connector(const connector_id& id) {
  rep_->remove(family::meta, codec::connector_key(id));
  rep_->remove(family::meta, codec::state_key(id));
}

void write_batch::put_connector_state(const connector_id& id, std::string_view state) {
  rep_->put(family::meta, codec::state_key(id), state);
}

void write_batch::put_setting(setting value) {
  rep_->put(family::meta, codec::encode_setting_key(value.key), value.bytes);
  auto key = value.key;
  rep_->settings.push_back({std::move(key), std::make_shared<const setting>(std::move(value))});
}

void write_batch::delete_setting(const setting_key& key) {
  rep_->remove(family::meta, codec::encode_setting_key(key));
  rep_->settings.push_back({key, nullptr});
}

void write_batch::put_history(std::uint64_t account, const history_ledger::account& value) {
  rep_->put(family::meta, codec::history_key(account), codec::encode(value));
  rep_->marks.push_back({account, {value.answers_from, value.attempts_from}});
}

void write_batch::remove_history(std::uint64_t account) {
  rep_->remove(family::meta, codec::history_key(account));
  rep_->marks.push_back({account, {}});
}

void write_batch::put_counted(log_sequence below) {
  rep_->put(family::meta, codec::counted_key, codec::u64_bytes(below));
}

void write_batch::put_drops(const feed_drops& value) {
  rep_->put(family::meta, codec::dropped_key, codec::encode(value));
  rep_->drops = value;
}

void write_batch::put_lineage(const feed_lineage& value) {
  rep_->put(family::meta, codec::lineage_key, codec::encode(value));
}

void write_batch::put_lost(log_sequence attempt) {
  rep_->put(family::meta, codec::lost_key, codec::u64_bytes(attempt));
}

void write_batch::carry(const carried_event& value) {
  if (!value.record.empty()) {
    rep_->put(family::carried, codec::carried_key(value.sequence, 0), value.record);
    rep_->put(family::ids, codec::id_key{value.id, value.connector}.view(),
              codec::encode_id_entry({value.sequence, true}));
    if (!value.run.empty())
      rep_->put(family::runs, codec::run_key(value.run, value.sequence), codec::carried_mark);
  }
  for (const auto& piece : value.attempts)
    rep_->put(family::carried, codec::carried_key(value.sequence, piece.number),
              codec::encode_carried({piece.sequence, piece.record}));
}

void write_batch::expire(const expired_event& value) {
  rep_->remove(family::carried, codec::carried_key(value.sequence, 0));
  for (const auto number : value.attempts)
    rep_->remove(family::carried, codec::carried_key(value.sequence, number));
  rep_->remove(family::ids, codec::id_key{value.id, value.connector}.view());
  if (!value.run.empty())
    rep_->remove(family::runs, codec::run_key(value.run, value.sequence));
}

void write_batch::expire(const late_event& value) {
  rep_->remove(family::late, codec::encode_late_key({value.settled_at, value.sequence}));
}

std::size_t write_batch::bytes() const {
  return rep_->writes.GetDataSize() + rep_->attempt_places.size() * sizeof(rep::attempt_place);
}

bool write_batch::empty() const {
  return rep_->writes.Count() == 0;
}

void write_batch::clear() {
  rep_->writes.Clear();
  rep_->attempt_places.clear();
  rep_->marks.clear();
  rep_->drops.reset();
  rep_->settings.clear();
  rep_->complete = true;
}

} // namespace vicket
