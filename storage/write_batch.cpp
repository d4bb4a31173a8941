#include "storage/key_codec.hpp"
#include "storage/write_batch_rep.hpp"

#include <algorithm>
#include <array>
#include <cassert>
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

write_batch::write_batch() : rep_(std::make_unique<rep>()) {}
write_batch::~write_batch() = default;
write_batch::write_batch(write_batch&&) noexcept = default;
write_batch& write_batch::operator=(write_batch&&) noexcept = default;

void write_batch::add_event(const stored_event& event, bool waits) {
  assert(event.sequence > 0 && event.envelope);
  rep_->highest = std::max(rep_->highest, event.sequence);
  const auto key = codec::u64_bytes(event.sequence);
  auto& scratch = rep_->scratch;
  scratch = codec::encode_head(event, std::move(scratch));
  rep_->put(family::events, key, scratch, *event.envelope);
  rep_->put(family::ids, codec::id_key(event.id), key);
  if (!event.run.empty()) {
    scratch = codec::run_key(event.run, event.sequence, std::move(scratch));
    rep_->put(family::runs, scratch, std::string_view{});
  }
  if (waits)
    index_waiting(event.connector, {event.accepted_at, event.sequence}, 0);
}

void write_batch::index_waiting(const connector_id& connector, due_position position,
                                std::uint32_t attempts_made) {
  rep_->put(family::due, codec::encode_due_key(connector, position),
            codec::encode_attempts_made(attempts_made));
}

void write_batch::add_attempt(const connector_id& connector, const stored_attempt& value, due_position was,
                              bool indexed) {
  assert(value.sequence > value.event_sequence);
  assert((value.state_after == event_state::pending) == value.value.next_attempt_at.has_value());
  rep_->highest = std::max(rep_->highest, value.sequence);
  const auto key = codec::u64_bytes(value.sequence);
  rep_->scratch = codec::encode_head(value, std::move(rep_->scratch));
  rep_->put(family::attempts, key, rep_->scratch, value.value.response_body);
  rep_->attempt_places.push_back({value.event_sequence, value.value.number, value.sequence});
  if (indexed) // before the put: should both places be the same, the put has to win
    rep_->remove(family::due, codec::encode_due_key(connector, was));
  if (value.value.next_attempt_at)
    index_waiting(connector, {*value.value.next_attempt_at, value.event_sequence}, value.value.number);
}

void write_batch::put_connector(const connector& value) {
  rep_->put(family::meta, codec::connector_key(value.id), codec::encode(value));
}

void write_batch::delete_connector(const connector_id& id) {
  rep_->remove(family::meta, codec::connector_key(id));
  rep_->remove(family::meta, codec::shaper_key(id));
}

void write_batch::put_shaper_state(const connector_id& id, std::int64_t state) {
  rep_->put(family::meta, codec::shaper_key(id), codec::i64_bytes(state));
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
  rep_->highest = 0;
  rep_->complete = true;
}

} // namespace vicket
