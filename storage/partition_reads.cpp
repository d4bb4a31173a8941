// What a partition answers. (No database: reopening it failed, which health() says.) Safe from any thread:
// RocksDB's reads are, and of the rest only atomics are touched.

#include "storage/due_scan.hpp"
#include "storage/partition_store_rep.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace vicket {

namespace {

/// The sequence after, for an inclusive lower bound.
log_sequence after_of(log_sequence sequence) {
  return sequence < std::numeric_limits<log_sequence>::max() ? sequence + 1 : sequence;
}

const std::string& highest_sequence() {
  static const auto bytes = codec::u64_bytes(std::numeric_limits<log_sequence>::max());
  return bytes;
}

/// Fills a page up to its bytes.
class page_filler {
public:
  page_filler(partition_store::attempt_page& page, std::size_t max_bytes)
      : page_{page}, max_bytes_{max_bytes} {}

  /// False: it had no room, and the page is full.
  bool add(stored_attempt attempt) {
    bytes_ += page_bytes_of(attempt.value);
    page_.more = !page_.attempts.empty() && bytes_ > max_bytes_;
    if (!page_.more)
      page_.attempts.push_back(std::move(attempt));
    return !page_.more;
  }

private:
  partition_store::attempt_page& page_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
};

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
  report(store_errc::corrupt, "event " + std::to_string(sequence) + " is missing or damaged, but stands in " +
                                  std::string{referred_by});
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

std::optional<log_sequence> partition_store::find_event(const event_id& id,
                                                        const connector_id& connector) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  const auto key = codec::id_key{id, connector};
  const auto stored = rep_->get(family::ids, key.view());
  return stored ? rep_->event_of_id(key.view(), to_view(*stored)) : std::nullopt;
}

std::vector<log_sequence> partition_store::find_events(const event_id& id, const connector_id& from,
                                                       std::size_t limit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<log_sequence>{};
  const auto prefix = std::string{codec::id_prefix(id)};
  auto it = rep_->range(family::ids, prefix + from.value,
                        prefix + '\x7f'); // above all that a connector id consists of
  for (; it.valid() && result.size() < limit; it.next())
    if (const auto sequence = rep_->event_of_id(it.key(), it.value()))
      result.push_back(*sequence);
  rep_->report_end(it, family::ids);
  return result;
}

std::optional<log_sequence> partition_store::rep::event_of_id(std::string_view key,
                                                              std::string_view value) const {
  const auto entry = codec::decode_id_entry(value);
  if (!entry) {
    report(store_errc::corrupt, "an entry of the index of ids is damaged");
    return std::nullopt;
  }
  const auto is_below = [&] { return entry->event < oldest_kept.load(std::memory_order_acquire); };
  if (!entry->carried && is_below())
    return std::nullopt; // forgotten, and not swept up yet
  const auto event = event_at(entry->event, false);
  if (event && codec::id_key{event->id, event->connector}.view() == key)
    return entry->event;
  if (event || !is_below()) // below: its time was over between the two looks
    report_missing_event(entry->event, "the index of ids");
  return std::nullopt;
}

std::optional<stored_event> partition_store::read_event(log_sequence sequence, bool with_envelope) const {
  const auto lock = rep_->reading();
  return rep_->db ? rep_->event_at(sequence, with_envelope)
                  : std::nullopt; // null: reopening failed, see health()
}

std::optional<rocksdb::PinnableSlice> partition_store::rep::event_record(log_sequence sequence) const {
  // What is carried is there before the edge moves: so when it moves between the two looks, the second finds it.
  if (sequence >= oldest_kept.load(std::memory_order_acquire))
    if (auto stored = get(family::events, codec::u64_bytes(sequence)))
      return stored;
  if (sequence < oldest_kept.load(std::memory_order_acquire))
    return get(family::carried, codec::carried_key(sequence, 0));
  return std::nullopt;
}

std::optional<stored_event> partition_store::rep::event_at(log_sequence sequence, bool with_envelope) const {
  const auto stored = event_record(sequence);
  if (!stored)
    return std::nullopt;
  auto event = codec::decode_event(sequence, to_view(*stored), with_envelope);
  if (!event)
    report_missing_event(sequence, "the log");
  return event;
}

std::vector<stored_attempt> partition_store::attempts_of(log_sequence event_sequence) const {
  return read_attempts(event_sequence, {}).attempts;
}

partition_store::attempt_page partition_store::read_attempts(log_sequence event_sequence,
                                                             const attempt_range& which) const {
  const auto lock = rep_->reading();
  auto page = attempt_page{};
  if (!rep_->db || rep_->is_dropped(event_sequence))
    return page;
  if (event_sequence >= oldest_kept() && rep_->add_logged(event_sequence, which, page))
    return page;
  page = {};
  rep_->add_carried(event_sequence, which, page);
  return page;
}

bool partition_store::rep::add_logged(log_sequence event_sequence, const attempt_range& which,
                                      attempt_page& page) const {
  const auto is_below = [&] { return event_sequence < oldest_kept.load(std::memory_order_acquire); };
  auto filler = page_filler{page, which.max_bytes};
  auto it = range(family::event_attempts, codec::event_attempt_key(event_sequence, which.first),
                  codec::event_attempt_key(event_sequence, which.last) + '\0');
  for (; it.valid(); it.next()) {
    const auto place = codec::parse_u64(it.value()).value_or(0);
    const auto stored = get(family::attempts, codec::u64_bytes(place));
    auto attempt = stored ? attempt_from(place, to_view(*stored)) : std::nullopt;
    if (is_below()) // files may be gone: it has to be looked up where it is now
      return false;
    if ((attempt && attempt->dropped) || (!attempt && is_dropped(event_sequence))) { // a moment ago
      page = {};
      return true;
    }
    if (!attempt || attempt->event_sequence != event_sequence) {
      report_attempt(event_sequence);
      continue;
    }
    restore_body(*attempt, page.attempts);
    if (!filler.add(std::move(*attempt)))
      break;
  }
  report_end(it, family::event_attempts);
  return !is_below();
}

void partition_store::rep::add_carried(log_sequence event_sequence, const attempt_range& which,
                                       attempt_page& page) const {
  auto filler = page_filler{page, which.max_bytes};
  auto it = range(family::carried, codec::carried_key(event_sequence, std::max(which.first, 1u)),
                  codec::carried_key(event_sequence, which.last) + '\0');
  for (; it.valid(); it.next()) {
    const auto place = codec::parse_event_attempt_key(it.key());
    auto attempt = place ? carried_attempt_of(*place, it.value()) : std::nullopt;
    if ((attempt && attempt->dropped) || (!attempt && is_dropped(event_sequence))) {
      page = {};
      return;
    }
    if (!attempt || attempt->event_sequence != event_sequence) {
      report_attempt(event_sequence);
      continue;
    }
    restore_body(*attempt, page.attempts);
    if (!filler.add(std::move(*attempt)))
      break;
  }
  report_end(it, family::carried);
}

void partition_store::rep::report_attempt(log_sequence event_sequence) const {
  report(store_errc::corrupt,
         "an attempt of event " + std::to_string(event_sequence) + " is missing or damaged");
}

std::optional<partition_store::last_attempt>
partition_store::last_attempt_of(log_sequence event_sequence) const {
  const auto lock = rep_->reading();
  const auto found = rep_->db ? rep_->last_record(event_sequence) : std::nullopt;
  if (!found)
    return std::nullopt;
  return last_attempt{found->value.number, found->state_after, found->value.next_attempt_at, found->dropped};
}

std::optional<stored_attempt> partition_store::rep::last_record(log_sequence event_sequence) const {
  const auto is_below = [&] { return event_sequence < oldest_kept.load(std::memory_order_acquire); };
  if (!is_below()) {
    auto it = range(family::event_attempts, codec::u64_bytes(event_sequence),
                    codec::u64_bytes(after_of(event_sequence)));
    it.seek_last();
    const auto place = it.valid() ? codec::parse_u64(it.value()) : std::nullopt;
    const auto stored = place ? get(family::attempts, codec::u64_bytes(*place)) : std::nullopt;
    auto attempt = stored ? attempt_from(*place, to_view(*stored)) : std::nullopt;
    report_end(it, family::event_attempts);
    if (!is_below()) { // else it has to be looked up where it is now
      if (it.valid() && !attempt)
        report_attempt(event_sequence);
      return attempt;
    }
  }
  auto it = range(family::carried, codec::carried_key(event_sequence, 1),
                  codec::carried_key(after_of(event_sequence), 0));
  it.seek_last();
  const auto place = it.valid() ? codec::parse_event_attempt_key(it.key()) : std::nullopt;
  auto attempt = place ? carried_attempt_of(*place, it.value()) : std::nullopt;
  if (it.valid() && !attempt)
    report_attempt(event_sequence);
  report_end(it, family::carried);
  return attempt;
}

std::optional<stored_attempt> partition_store::rep::carried_attempt_of(const codec::event_attempt& place,
                                                                       std::string_view value) const {
  const auto carried = codec::decode_carried(value);
  if (!carried)
    return std::nullopt;
  if (!carried->record.empty())
    return attempt_from(carried->sequence, carried->record);
  if (const auto stored = get(family::attempts, codec::u64_bytes(carried->sequence)))
    return attempt_from(carried->sequence, to_view(*stored));
  // The edge may have passed it between the two looks; then it is carried whole.
  const auto again = get(family::carried, codec::carried_key(place.event, place.number));
  const auto whole = again ? codec::decode_carried(to_view(*again)) : std::nullopt;
  return whole && !whole->record.empty() ? attempt_from(whole->sequence, whole->record) : std::nullopt;
}

std::optional<stored_attempt> partition_store::rep::attempt_record(log_sequence event_sequence,
                                                                   std::uint32_t number) const {
  if (event_sequence >= oldest_kept.load(std::memory_order_acquire))
    if (const auto place = get(family::event_attempts, codec::event_attempt_key(event_sequence, number)))
      if (const auto stored = get(family::attempts, to_view(*place)))
        return attempt_from(codec::parse_u64(to_view(*place)).value_or(0), to_view(*stored));
  if (event_sequence < oldest_kept.load(std::memory_order_acquire))
    if (const auto stored = get(family::carried, codec::carried_key(event_sequence, number)))
      return carried_attempt_of({event_sequence, number}, to_view(*stored));
  return std::nullopt;
}

std::optional<stored_attempt> partition_store::rep::attempt_from(log_sequence sequence,
                                                                 std::string_view record) const {
  auto attempt = codec::decode_attempt(sequence, record);
  if (!attempt || attempt->dropped)
    return attempt;
  const auto mark = marks.of(attempt->account);
  if (sequence < mark.attempts_from && attempt->state_after != event_state::pending)
    attempt->drop();
  else if (sequence < mark.answers_from)
    attempt->drop_answer();
  return attempt;
}

bool partition_store::rep::is_dropped(log_sequence event_sequence) const {
  if (!marks.any())
    return false;
  const auto found = last_record(event_sequence);
  return found && found->dropped;
}

bool partition_store::rep::is_dropped_for_filter(log_sequence event_sequence) const {
  const auto guard = std::shared_lock{look_up_mutex};
  return may_look_up && is_dropped(event_sequence);
}

bool partition_store::rep::is_dropped_with_event(const stored_attempt& attempt) const {
  return attempt.state_after == event_state::pending &&
         attempt.sequence < marks.of(attempt.account).attempts_from && is_dropped(attempt.event_sequence);
}

std::optional<partition_store::held_body> partition_store::body_of(log_sequence event_sequence,
                                                                   std::uint32_t number) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto found = rep_->attempt_record(event_sequence, number);
  if (found && found->same_body_as)
    found = rep_->attempt_record(event_sequence, *found->same_body_as);
  if (!found || found->same_body_as)
    return std::nullopt;
  return held_body{found->value.number, std::move(found->value.response_body)};
}

void partition_store::rep::restore_body(stored_attempt& attempt,
                                        const std::vector<stored_attempt>& read) const {
  if (!attempt.same_body_as)
    return;
  // Those that share a body mostly follow each other.
  const auto near = std::find_if(read.rbegin(), read.rend(), [&](const stored_attempt& other) {
    return other.event_sequence == attempt.event_sequence &&
           other.same_body_as.value_or(other.value.number) == *attempt.same_body_as;
  });
  if (near != read.rend()) {
    attempt.value.response_body = near->value.response_body;
    attempt.value.response_truncated |=
        attempt.value.response_body.empty(); // it is dropped: only large ones are shared
    return;
  }
  auto holder = attempt_record(attempt.event_sequence, *attempt.same_body_as);
  if (holder && !holder->same_body_as) {
    attempt.value.response_body = std::move(holder->value.response_body);
    attempt.value.response_truncated |= attempt.value.response_body.empty();
  } else if (event_record(attempt.event_sequence) &&
             !is_dropped(attempt.event_sequence)) // else it was forgotten between the two looks
    report(store_errc::corrupt,
           "the body of attempt " + std::to_string(attempt.sequence) + " is missing or damaged");
}

partition_store::log_page partition_store::read_log(log_sequence after, std::size_t limit,
                                                    std::size_t max_bytes) const {
  const auto lock = rep_->reading();
  auto page = log_page{};
  page.through = after;
  if (!rep_->db)
    return page;
  auto bytes = std::size_t{0};
  auto passed_over = std::size_t{0};
  auto it = rep_->range(family::attempts, codec::u64_bytes(std::max(after_of(after), oldest_kept())),
                        highest_sequence());
  for (; it.valid(); it.next()) {
    page.more = page.attempts.size() >= limit || passed_over >= max_passed_over;
    if (page.more)
      break;
    const auto sequence = codec::parse_u64(it.key());
    auto attempt = sequence ? rep_->attempt_from(*sequence, it.value()) : std::nullopt;
    if (!attempt) {
      rep_->report(store_errc::corrupt, "attempt " + std::to_string(sequence.value_or(0)) + " is damaged");
      continue;
    }
    if (!attempt->dropped && !rep_->is_dropped_with_event(*attempt)) {
      rep_->restore_body(*attempt, page.attempts);
      bytes += page_bytes_of(attempt->value);
      page.more = !page.attempts.empty() && bytes > max_bytes;
      if (page.more)
        break;
      page.attempts.push_back(std::move(*attempt));
    } else {
      ++passed_over;
    }
    page.through = *sequence;
  }
  rep_->report_end(it, family::attempts);
  return page;
}

std::vector<stored_attempt> partition_store::attempts_after(log_sequence after, std::size_t limit,
                                                            std::size_t max_bytes) const {
  return read_log(after, limit, max_bytes).attempts;
}

std::vector<log_sequence> partition_store::events_of_run(std::string_view run, log_sequence after,
                                                         std::size_t limit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<log_sequence>{};
  auto it = rep_->range(family::runs, codec::run_key(run, after_of(after)),
                        codec::run_key(run, std::numeric_limits<log_sequence>::max()));
  for (; it.valid() && result.size() < limit; it.next()) {
    const auto sequence = codec::parse_run_key(it.key()).value_or(0);
    const auto is_below = [&] { return sequence < oldest_kept(); };
    if (it.value().empty() && is_below())
      continue; // forgotten, and not swept up yet
    const auto event = rep_->event_at(sequence, false);
    if (!event && !is_below())
      rep_->report_missing_event(sequence, "the index of runs");
    else if (event && event->run == run) // else: another run of the same hash
      result.push_back(sequence);
  }
  rep_->report_end(it, family::runs);
  return result;
}

// -- what waits ---------------------------------------------------------------------------------------------

partition_store::due_page partition_store::read_due(const connector_id& connector, due_position from,
                                                    timestamp_ms until, std::size_t limit,
                                                    std::size_t max_bytes,
                                                    const std::function<bool(log_sequence)>& skip,
                                                    std::optional<timestamp_ms> beyond) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto page = due_page{};
  auto bytes = std::size_t{0};
  // From `from`, not from the connector's beginning: what was delivered before it left tombstones there.
  auto it = rep_->range(family::due, codec::encode_due_key(connector, from), codec::due_end(connector));
  for (; it.valid(); it.next()) {
    const auto key = codec::parse_due_key(it.key());
    const auto entry = codec::decode_due_entry(it.value());
    if (!key || !entry) {
      rep_->report(store_errc::corrupt, "an entry of the due index of " + connector.value + " is damaged");
      ++page.unreadable;
      continue;
    }
    const auto position = key->position;
    if (skip && skip(position.sequence))
      continue;
    if (position.due > until && !(beyond && (position.due > *beyond || entry->attempts_made == 0))) {
      if (!page.next_due)
        page.next_due = position.due;
      if (!beyond)
        break;
      continue;
    }
    if (page.events.size() >= limit) {
      page.next_due = std::min(position.due, until);
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
      page.next_due = std::min(position.due, until);
      break;
    }
    page.events.push_back({position, entry->attempts_made, std::move(*event)});
  }
  rep_->report_end(it, family::due);
  return page;
}

void partition_store::for_each_waiting(const std::function<void(const waiting_connector&)>& visit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return;
  auto it = rep_->range(family::due, std::string{codec::due_lowest}, std::string{codec::due_highest}, true);
  while (it.valid()) {
    auto first = codec::parse_due_key(it.key());
    if (!first) {
      rep_->report(store_errc::corrupt, "an entry of the due index is damaged");
      it.next();
      continue;
    }
    const auto end = codec::due_end(first->connector);
    auto found = waiting_connector{std::move(first->connector), first->position.due, first->position.due, {}};
    auto looked_at = std::size_t{0};
    for (; it.valid() && it.key() < end && looked_at < max_looked_at; it.next(), ++looked_at) {
      if (const auto key = codec::parse_due_key(it.key())) // one that is damaged is reported by who reads it
        found.last_due = key->position.due;
      if (const auto entry = codec::decode_due_entry(it.value()); entry && entry->attempts_made == 0)
        found.unattempted_due = found.last_due;
    }
    if (it.valid() && it.key() < end) {
      it.seek_before(end);
      if (const auto last = codec::parse_due_key(it.key()))
        found.last_due = last->position.due;
      it.next();
    }
    visit(found);
  }
  rep_->report_end(it, family::due);
}

std::vector<std::pair<connector_id, timestamp_ms>> partition_store::waiting_connectors() const {
  auto result = std::vector<std::pair<connector_id, timestamp_ms>>{};
  for_each_waiting([&](const waiting_connector& one) { result.emplace_back(one.connector, one.first_due); });
  return result;
}

std::shared_ptr<due_scan> partition_store::scan_due() const {
  const auto lock = rep_->reading();
  return std::shared_ptr<due_scan>{rep_->db ? new due_scan{*rep_} : nullptr};
}

// -- connectors ---------------------------------------------------------------------------------------------

std::vector<std::pair<std::uint64_t, history_ledger::account>> partition_store::history_accounts() const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<std::pair<std::uint64_t, history_ledger::account>>{};
  auto it = rep_->range(family::meta, std::string{codec::history_prefix}, "history0");
  for (; it.valid(); it.next()) {
    const auto account = codec::parse_history_key(it.key());
    auto value = codec::decode_account(it.value());
    if (account && value)
      result.emplace_back(*account, std::move(*value));
    else
      rep_->report(store_errc::corrupt, "an account of the history is damaged");
  }
  rep_->report_end(it, family::meta);
  return result;
}

log_sequence partition_store::history_counted_below() const {
  const auto lock = rep_->reading();
  const auto stored = rep_->db ? rep_->get(family::meta, codec::counted_key) : std::nullopt;
  return stored ? codec::parse_u64(to_view(*stored)).value_or(0) : 0;
}

void partition_store::visit_history(log_sequence from, const history_visitor& visit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return;
  auto it = rep_->range(family::attempts, codec::u64_bytes(std::max(from, oldest_kept())), highest_sequence(),
                        true);
  for (; it.valid(); it.next()) {
    if (codec::decode_account_of_attempt(it.value()) == 0 || codec::is_dropped_attempt(it.value()))
      continue;
    const auto attempt = codec::decode_attempt(codec::parse_u64(it.key()).value_or(0), it.value());
    if (attempt)
      visit(attempt->account, attempt->sequence, attempt->weight(it.value().size()));
  }
  rep_->report_end(it, family::attempts);
}

feed_drops partition_store::drops() const {
  const auto guard = std::lock_guard{rep_->drops_mutex};
  return rep_->drops;
}

std::optional<connector> partition_store::read_connector(const connector_id& id) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  const auto stored = rep_->get(family::meta, codec::connector_key(id));
  if (!stored)
    return std::nullopt;
  auto value = codec::decode_connector(id, to_view(*stored));
  if (!value)
    rep_->report(store_errc::corrupt, "the record of connector " + id.value + " is damaged");
  return value;
}

void partition_store::rep::visit_connectors(const std::string& first,
                                            const std::function<bool(connector)>& visit) const {
  const auto lock = reading();
  if (!db)
    return;
  auto it = range(family::meta, first, "connector0");
  for (; it.valid(); it.next()) {
    auto id = connector_id{std::string{it.key().substr(codec::connector_prefix.size())}};
    auto value = codec::decode_connector(id, it.value());
    if (!value)
      report(store_errc::corrupt, "the record of connector " + id.value + " is damaged");
    else if (!visit(*std::move(value)))
      break;
  }
  report_end(it, family::meta);
}

void partition_store::for_each_connector(const std::function<void(connector)>& visit) const {
  rep_->visit_connectors(std::string{codec::connector_prefix}, [&](connector value) {
    visit(std::move(value));
    return true;
  });
}

void partition_store::visit_connectors_after(const connector_id& after,
                                             const std::function<bool(connector)>& visit) const {
  rep_->visit_connectors(
      after.value.empty() ? std::string{codec::connector_prefix} : codec::connector_key(after) + '\0', visit);
}

std::vector<connector> partition_store::connectors() const {
  auto result = std::vector<connector>{};
  for_each_connector([&](connector value) { result.push_back(std::move(value)); });
  return result;
}

void partition_store::for_each_state(
    const std::function<void(const connector_id&, std::string_view)>& visit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return;
  auto it = rep_->range(family::meta, std::string{codec::state_prefix}, "state0");
  for (; it.valid(); it.next())
    visit(connector_id{std::string{it.key().substr(codec::state_prefix.size())}}, it.value());
  rep_->report_end(it, family::meta);
}

std::vector<std::pair<connector_id, std::string>> partition_store::connector_states() const {
  auto result = std::vector<std::pair<connector_id, std::string>>{};
  for_each_state([&](const connector_id& id, std::string_view state) { result.emplace_back(id, state); });
  return result;
}

} // namespace vicket
