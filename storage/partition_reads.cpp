// What a partition answers. (No database: reopening it failed, which health() says.) Safe from any thread:
// RocksDB's reads are, and of the rest only atomics are touched.

#include "storage/partition_store_rep.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace vicket {

namespace {

// All that a connector id consists of lies between these, so they bound the whole due index.
const std::string due_lowest(1, '\1');
const std::string due_highest(1, '\x7f');

/// The sequence after, for an inclusive lower bound.
log_sequence after_of(log_sequence sequence) {
  return sequence < std::numeric_limits<log_sequence>::max() ? sequence + 1 : sequence;
}

const std::string& highest_sequence() {
  static const auto bytes = codec::u64_bytes(std::numeric_limits<log_sequence>::max());
  return bytes;
}

} // namespace

// -- what could not be read ---------------------------------------------------------------------------------

void partition_store::rep::report(store_errc code, std::string detail) const {
  const auto guard = std::lock_guard{problem_mutex};
  if (problem.ok())
    problem = {code, "partition " + folder + ": " + std::move(detail)};
}

void partition_store::rep::report_end(const bounded_iterator& it, family which) const {
  if (const auto status = it.status(); !status.ok())
    report(status.IsCorruption() ? store_errc::corrupt : store_errc::failed,
           "can't read " + family_names[static_cast<std::size_t>(which)] + ": " + status.ToString());
}

void partition_store::rep::report_missing_event(log_sequence sequence, std::string_view referred_by) const {
  if (sequence >= oldest_kept.load(std::memory_order_acquire))
    report(store_errc::corrupt, "event " + std::to_string(sequence) +
                                    " is missing or damaged, but stands in " + std::string{referred_by});
}

store_status partition_store::health() const {
  const auto guard = std::lock_guard{rep_->problem_mutex};
  return rep_->problem;
}

std::optional<rocksdb::PinnableSlice> partition_store::rep::get(family which, std::string_view key) const {
  auto value = std::optional<rocksdb::PinnableSlice>{std::in_place};
  const auto status = db->Get(rocksdb::ReadOptions{}, column(which), to_slice(key), &*value);
  if (status.ok())
    return value;
  if (!status.IsNotFound())
    report(status.IsCorruption() ? store_errc::corrupt : store_errc::failed,
           "can't read " + family_names[static_cast<std::size_t>(which)] + ": " + status.ToString());
  return std::nullopt;
}

// -- events and attempts ------------------------------------------------------------------------------------

std::optional<log_sequence> partition_store::find_event(const event_id& id) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  const auto stored = rep_->get(family::ids, codec::id_key(id));
  if (!stored)
    return std::nullopt;
  const auto sequence = codec::parse_u64(to_view(*stored));
  if (!sequence) {
    rep_->report(store_errc::corrupt, "the entry of event id " + id.to_string() + " is damaged");
    return std::nullopt;
  }
  if (*sequence < oldest_kept())
    return std::nullopt;
  const auto event = rep_->event_at(*sequence, false);
  if (event && event->id == id)
    return sequence;
  rep_->report_missing_event(*sequence, "the index of ids");
  return std::nullopt;
}

std::vector<log_sequence> partition_store::find_events(const event_id& id) const {
  const auto sequence = find_event(id);
  return sequence ? std::vector{*sequence} : std::vector<log_sequence>{};
}

std::optional<stored_event> partition_store::read_event(log_sequence sequence, bool with_envelope) const {
  const auto lock = rep_->reading();
  return rep_->db ? rep_->event_at(sequence, with_envelope)
                  : std::nullopt; // null: reopening failed, see health()
}

std::optional<stored_event> partition_store::rep::event_at(log_sequence sequence, bool with_envelope) const {
  if (sequence < oldest_kept.load(std::memory_order_acquire))
    return std::nullopt;
  const auto stored = get(family::events, codec::u64_bytes(sequence));
  if (!stored)
    return std::nullopt;
  auto event = codec::decode_event(sequence, to_view(*stored), with_envelope);
  if (!event)
    report_missing_event(sequence, "the log");
  return event;
}

std::vector<stored_attempt> partition_store::attempts_of(log_sequence event_sequence) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<stored_attempt>{};
  if (event_sequence < oldest_kept())
    return result;
  auto it = rep_->range(family::event_attempts, codec::u64_bytes(event_sequence),
                        codec::u64_bytes(after_of(event_sequence)));
  for (; it.valid(); it.next()) {
    const auto sequence = codec::parse_u64(it.value());
    const auto stored = sequence ? rep_->get(family::attempts, it.value()) : std::nullopt;
    auto attempt = stored ? codec::decode_attempt(*sequence, to_view(*stored)) : std::nullopt;
    if (attempt && attempt->event_sequence == event_sequence)
      result.push_back(std::move(*attempt));
    else if (event_sequence >= oldest_kept())
      rep_->report(store_errc::corrupt,
                   "an attempt of event " + std::to_string(event_sequence) + " is missing or damaged");
  }
  rep_->report_end(it, family::event_attempts);
  return result;
}

std::vector<stored_attempt> partition_store::attempts_after(log_sequence after, std::size_t limit,
                                                            std::size_t max_bytes) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<stored_attempt>{};
  auto bytes = std::size_t{0};
  auto it = rep_->range(family::attempts, codec::u64_bytes(std::max(after_of(after), oldest_kept())),
                        highest_sequence());
  for (; it.valid() && result.size() < limit; it.next()) {
    bytes += it.value().size();
    if (!result.empty() && bytes > max_bytes)
      break;
    const auto sequence = codec::parse_u64(it.key());
    auto attempt = sequence ? codec::decode_attempt(*sequence, it.value()) : std::nullopt;
    if (attempt)
      result.push_back(std::move(*attempt));
    else
      rep_->report(store_errc::corrupt, "attempt " + std::to_string(sequence.value_or(0)) + " is damaged");
  }
  rep_->report_end(it, family::attempts);
  return result;
}

std::vector<log_sequence> partition_store::events_of_run(std::string_view run, log_sequence after,
                                                         std::size_t limit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<log_sequence>{};
  const auto lowest = std::max(after_of(after), oldest_kept());
  auto it = rep_->range(family::runs, codec::run_key(run, lowest),
                        codec::run_key(run, std::numeric_limits<log_sequence>::max()));
  for (; it.valid() && result.size() < limit; it.next()) {
    const auto sequence = codec::parse_run_key(it.key());
    const auto event = sequence ? rep_->event_at(*sequence, false) : std::nullopt;
    if (!event)
      rep_->report_missing_event(sequence.value_or(0), "the index of runs");
    else if (event->run == run) // else: another run of the same hash
      result.push_back(*sequence);
  }
  rep_->report_end(it, family::runs);
  return result;
}

// -- what waits ---------------------------------------------------------------------------------------------

partition_store::due_page partition_store::read_due(const connector_id& connector, due_position from,
                                                    timestamp_ms until, std::size_t limit,
                                                    std::size_t max_bytes,
                                                    const std::function<bool(log_sequence)>& skip) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto page = due_page{};
  auto bytes = std::size_t{0};
  // From `from`, not from the connector's beginning: what was delivered before it left tombstones there.
  auto it = rep_->range(family::due, codec::encode_due_key(connector, from), codec::due_end(connector));
  for (; it.valid(); it.next()) {
    const auto key = codec::parse_due_key(it.key());
    const auto attempts_made = codec::decode_attempts_made(it.value());
    if (!key || !attempts_made) {
      rep_->report(store_errc::corrupt, "an entry of the due index of " + connector.value + " is damaged");
      ++page.unreadable;
      continue;
    }
    const auto position = key->position;
    if (skip && skip(position.sequence))
      continue;
    if (position.due > until || page.events.size() >= limit) {
      page.next_due = position.due;
      break;
    }
    auto event = rep_->event_at(position.sequence, true);
    if (!event) {
      rep_->report_missing_event(position.sequence, "the due index of " + connector.value);
      ++page.unreadable;
      continue;
    }
    bytes += event->envelope->size();
    if (!page.events.empty() && bytes > max_bytes) {
      page.next_due = position.due;
      break;
    }
    page.events.push_back({position, *attempts_made, std::move(*event)});
  }
  rep_->report_end(it, family::due);
  return page;
}

std::vector<std::pair<connector_id, timestamp_ms>> partition_store::waiting_connectors() const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<std::pair<connector_id, timestamp_ms>>{};
  auto it = rep_->range(family::due, due_lowest, due_highest);
  while (it.valid()) {
    auto key = codec::parse_due_key(it.key());
    if (!key) {
      rep_->report(store_errc::corrupt, "an entry of the due index is damaged");
      it.next();
      continue;
    }
    it.seek(codec::due_end(key->connector));
    result.emplace_back(std::move(key->connector), key->position.due);
  }
  rep_->report_end(it, family::due);
  return result;
}

std::vector<waiting_count> partition_store::count_waiting() const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<waiting_count>{};
  auto it = rep_->range(family::due, due_lowest, due_highest, true);
  auto prefix = std::string{}; // of the current connector: saves parsing each key
  for (; it.valid(); it.next()) {
    const auto key = it.key();
    if (result.empty() || key.size() != prefix.size() + 16 || !key.starts_with(prefix)) {
      auto parsed = codec::parse_due_key(key);
      if (!parsed) {
        rep_->report(store_errc::corrupt, "an entry of the due index is damaged");
        continue;
      }
      prefix = codec::due_begin(parsed->connector);
      result.push_back({std::move(parsed->connector), 0, std::numeric_limits<log_sequence>::max()});
    }
    const auto sequence = codec::parse_u64(key.substr(key.size() - 8));
    ++result.back().events;
    result.back().lowest_sequence = std::min(result.back().lowest_sequence, *sequence);
  }
  rep_->report_end(it, family::due);
  return result;
}

// -- connectors ---------------------------------------------------------------------------------------------

std::vector<connector> partition_store::connectors() const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<connector>{};
  auto it = rep_->range(family::meta, std::string{codec::connector_prefix}, "connector0");
  for (; it.valid(); it.next()) {
    auto id = connector_id{std::string{it.key().substr(codec::connector_prefix.size())}};
    if (auto value = codec::decode_connector(id, it.value()))
      result.push_back(std::move(*value));
    else
      rep_->report(store_errc::corrupt, "the record of connector " + id.value + " is damaged");
  }
  rep_->report_end(it, family::meta);
  return result;
}

std::vector<std::pair<connector_id, std::int64_t>> partition_store::shaper_states() const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<std::pair<connector_id, std::int64_t>>{};
  auto it = rep_->range(family::meta, std::string{codec::shaper_prefix}, "shaper0");
  for (; it.valid(); it.next()) {
    auto id = connector_id{std::string{it.key().substr(codec::shaper_prefix.size())}};
    if (const auto state = codec::parse_i64(it.value()))
      result.emplace_back(std::move(id), *state);
    else
      rep_->report(store_errc::corrupt, "the shaper state of connector " + id.value + " is damaged");
  }
  rep_->report_end(it, family::meta);
  return result;
}

} // namespace vicket
