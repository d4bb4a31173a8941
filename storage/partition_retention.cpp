// How a partition forgets: one number, the retention's edge, moves up, and everything below it is gone for every read at
// once. Its bytes go later, by whole files and by the filter in compactions, never by single deletes.
//
// What is still pending, or was settled so late that its time is not over, must not hold up the edge, and is *carried*:
// before the edge passes it, its record and its attempts are copied into a family of their own, where they stay until
// their time is over. Bounded by what is pending and what was settled late; both are few, or old enough that one copy in
// a retention time does not count.
//
// A step, for an edge at E, is made by the history reader and the writer together:
//   1. the writer gives every event below E that is in no index a place in the due index, and from then on notes
//      attempts of events below E in `carried` as well;
//   2. the reader looks up what is kept below E (due index, `late`), and reads what of that is not carried yet: the
//      event's record, its attempts below E whole, those above by reference;
//   3. the writer writes that, and removes what is carried and not kept any more;
//   4. when all of it is durable, the edge moves.
// A crash in between leaves rows that the next step finds.

#include "storage/partition_store_rep.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <limits>

namespace vicket {

namespace {

constexpr std::size_t row_bytes = 64; ///< what a small entry weighs in a page

} // namespace

std::size_t carried_event::bytes() const {
  auto sum = row_bytes + record.size();
  for (const auto& each : attempts)
    sum += row_bytes + each.record.size();
  return sum;
}

log_sequence partition_store::oldest_kept() const {
  return rep_->oldest_kept.load(std::memory_order_acquire);
}

void partition_store::rep::drop_files_below(log_sequence oldest) {
  const auto end_bytes = codec::u64_bytes(oldest);
  const auto end = to_slice(end_bytes);
  for (const auto which : {family::events, family::attempts, family::event_attempts}) {
    const auto status = rocksdb::DeleteFilesInRange(db.get(), column(which), nullptr, &end, false);
    if (!status.ok() && !status.IsNoSpace()) // no space: the next step tries again
      report(store_errc::failed, "can't drop files of " + family_names[static_cast<std::size_t>(which)] +
                                     ": " + status.ToString());
  }
}

// -- where the edge may go ------------------------------------------------------------------------------------------

log_sequence partition_store::first_position_since(timestamp_ms time) const {
  const auto lock = rep_->reading();
  const auto kept = oldest_kept();
  if (!rep_->db)
    return kept;
  const auto end = rep_->next_sequence.load(std::memory_order_relaxed);
  const auto first =
      std::min(rep_->first_since(family::events, time, end), rep_->first_since(family::attempts, time, end));
  return health().ok() ? std::max(kept, first) : kept; // what can't be read must not be taken for old
}

/// A binary search of about 40 seeks; `end` when nothing is that young.
log_sequence partition_store::rep::first_since(family which, timestamp_ms time, log_sequence end) const {
  auto low = oldest_kept.load(std::memory_order_acquire);
  auto high = end;
  auto it = range(which, codec::u64_bytes(low), codec::u64_bytes(end), true);
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    it.seek(codec::u64_bytes(middle));
    if (!it.valid()) {
      high = middle;
      continue;
    }
    const auto sequence = codec::parse_u64(it.key()).value_or(high);
    const auto written_at =
        which == family::events ? codec::decode_accepted_at(it.value()) : codec::decode_ended_at(it.value());
    if (!written_at)
      report(store_errc::corrupt, "entry " + std::to_string(sequence) + " of the log is damaged");
    if (!written_at || sequence >= high || *written_at >= time)
      high = middle;
    else
      low = sequence + 1;
  }
  it.seek(codec::u64_bytes(low));
  report_end(it, which);
  return it.valid() ? codec::parse_u64(it.key()).value_or(low) : end;
}

log_sequence partition_store::last_lost_attempt() const {
  const auto lock = rep_->reading();
  const auto stored = rep_->db ? rep_->get(family::meta, codec::lost_key) : std::nullopt;
  return stored ? codec::parse_u64(to_view(*stored)).value_or(0) : 0;
}

log_sequence partition_store::last_attempt_below(log_sequence edge) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return 0;
  auto it = rep_->range(family::attempts, codec::u64_bytes(oldest_kept()), codec::u64_bytes(edge), true);
  it.seek_last();
  rep_->report_end(it, family::attempts);
  return it.valid() ? codec::parse_u64(it.key()).value_or(0) : 0;
}

// -- what is kept below it ------------------------------------------------------------------------------------------

std::vector<log_sequence> partition_store::kept_below(log_sequence edge, timestamp_ms settled_since) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto kept = std::vector<log_sequence>{};
  auto due = rep_->range(family::due, std::string{codec::due_lowest}, std::string{codec::due_highest}, true);
  for (; due.valid(); due.next()) {
    const auto key = due.key();
    const auto sequence = key.size() >= 8 ? codec::parse_u64(key.substr(key.size() - 8)).value_or(0) : 0;
    if (sequence < edge)
      kept.push_back(sequence);
  }
  rep_->report_end(due, family::due);
  auto late =
      rep_->range(family::late, codec::encode_late_key({settled_since, 0}), std::string(17, '\xff'), true);
  for (; late.valid(); late.next()) {
    const auto entry = codec::parse_late_key(late.key());
    if (!entry)
      rep_->report(store_errc::corrupt, "an entry of what was settled late is damaged");
    else if (entry->event < edge)
      kept.push_back(entry->event);
  }
  rep_->report_end(late, family::late);
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

std::vector<late_event> partition_store::late_before(timestamp_ms settled_before, std::size_t limit) const {
  const auto lock = rep_->reading();
  if (!rep_->db)
    return {};
  auto result = std::vector<late_event>{};
  auto it =
      rep_->range(family::late, std::string(1, '\0'), codec::encode_late_key({settled_before, 0}), true);
  for (; it.valid() && result.size() < limit; it.next())
    if (const auto entry = codec::parse_late_key(it.key()))
      result.push_back({entry->settled_at, entry->event});
  rep_->report_end(it, family::late);
  return result;
}

// -- carrying -------------------------------------------------------------------------------------------------------

partition_store::carry_page partition_store::read_carry(const std::vector<log_sequence>& kept,
                                                        log_sequence edge, log_sequence from,
                                                        std::size_t max_bytes) const {
  const auto lock = rep_->reading();
  auto page = carry_page{};
  if (!rep_->db)
    return page;
  auto bytes = std::size_t{0};
  // Two rising lists, of what is kept and of what is carried, side by side.
  auto want = std::lower_bound(kept.begin(), kept.end(), from);
  auto have = rep_->range(family::carried, codec::carried_key(from, 0), std::string(13, '\xff'), true);
  const auto carried_event_at = [&] {
    const auto place = have.valid() ? codec::parse_event_attempt_key(have.key()) : std::nullopt;
    return place ? place->event : std::numeric_limits<log_sequence>::max();
  };
  for (;;) {
    const auto carried = carried_event_at();
    const auto wanted = want != kept.end() ? *want : std::numeric_limits<log_sequence>::max();
    const auto sequence = std::min(carried, wanted);
    if (sequence == std::numeric_limits<log_sequence>::max())
      break;
    if (bytes >= max_bytes) {
      page.next = sequence;
      break;
    }
    if (sequence < wanted) { // carried, and not kept any more, unless the edge did not come to it yet
      if (sequence < edge)
        page.expired.push_back(rep_->expired(sequence));
      bytes += row_bytes * (page.expired.empty() ? 1 : page.expired.back().attempts.size() + 1);
    } else if (sequence < oldest_kept()) {
      if (auto further = rep_->carry_further(sequence, edge)) {
        bytes += further->bytes();
        page.carried.push_back(std::move(*further));
      }
    } else {
      auto whole = rep_->carry_from_log(sequence, edge);
      bytes += whole.bytes();
      if (!whole.record.empty())
        page.carried.push_back(std::move(whole));
    }
    if (sequence == wanted)
      ++want;
    if (sequence == carried)
      have.seek(codec::carried_key(sequence + 1, 0));
  }
  rep_->report_end(have, family::carried);
  return page;
}

/// An event that the edge is about to pass for the first time.
carried_event partition_store::rep::carry_from_log(log_sequence sequence, log_sequence edge) const {
  auto result = carried_event{};
  result.sequence = sequence;
  const auto record = get(family::events, codec::u64_bytes(sequence));
  auto event = record ? codec::decode_event(sequence, to_view(*record), false) : std::nullopt;
  if (!event) {
    report_missing_event(sequence, "what is pending or was settled late");
    return result;
  }
  result.record = record->ToString();
  result.id = event->id;
  result.connector = std::move(event->connector);
  result.run = std::move(event->run);
  while (!carry_attempts(result, edge))
    result.attempts.clear();
  return result;
}

bool partition_store::rep::carry_attempts(carried_event& to, log_sequence edge) const {
  const auto all_are_dropped = is_dropped(to.sequence);
  auto it = range(family::event_attempts, codec::u64_bytes(to.sequence), codec::u64_bytes(to.sequence + 1));
  if (all_are_dropped)
    it.seek_last(); // which says how the event ended
  for (; it.valid(); it.next()) {
    const auto place = codec::parse_event_attempt_key(it.key());
    const auto attempt = codec::parse_u64(it.value());
    auto piece = carried_event::piece{place ? place->number : 0, attempt.value_or(0), {}};
    if (piece.sequence < edge)
      if (const auto stored = get(family::attempts, it.value()))
        piece.record = kept_record(piece.sequence, to_view(*stored));
    if (!all_are_dropped && is_dropped(to.sequence))
      return false;
    if (piece.number == 0 || (piece.sequence < edge && piece.record.empty()))
      report(store_errc::corrupt,
             "an attempt of event " + std::to_string(to.sequence) + " is missing or damaged");
    to.attempts.push_back(std::move(piece));
  }
  report_end(it, family::event_attempts);
  return true;
}

/// One that is carried already: its attempts that the edge is about to pass.
std::optional<carried_event> partition_store::rep::carry_further(log_sequence sequence,
                                                                 log_sequence edge) const {
  auto result = carried_event{};
  result.sequence = sequence;
  auto it = range(family::carried, codec::carried_key(sequence, 1), codec::carried_key(sequence + 1, 0));
  for (; it.valid(); it.next()) {
    const auto place = codec::parse_event_attempt_key(it.key());
    const auto attempt = codec::decode_carried(it.value());
    if (!place || !attempt) {
      report(store_errc::corrupt, "a carried attempt of event " + std::to_string(sequence) + " is damaged");
      continue;
    }
    if (!attempt->record.empty() || attempt->sequence >= edge)
      continue;
    if (const auto stored = get(family::attempts, codec::u64_bytes(attempt->sequence)))
      result.attempts.push_back(
          {place->number, attempt->sequence, kept_record(attempt->sequence, to_view(*stored))});
    else if (auto settling = last_record(sequence); settling && settling->dropped) {
      settling->value.number = place->number;
      result.attempts.push_back({place->number, attempt->sequence, codec::encode_head(*settling)});
    } else
      report(store_errc::corrupt, "attempt " + std::to_string(attempt->sequence) + " is missing");
  }
  report_end(it, family::carried);
  return result.attempts.empty() ? std::nullopt : std::optional{std::move(result)};
}

std::string partition_store::rep::kept_record(log_sequence sequence, std::string_view record) const {
  return retention_filter::shorter(marks, sequence, record).value_or(std::string{record});
}

expired_event partition_store::rep::expired(log_sequence sequence) const {
  auto result = expired_event{};
  result.sequence = sequence;
  auto it = range(family::carried, codec::carried_key(sequence, 0), codec::carried_key(sequence + 1, 0));
  for (; it.valid(); it.next()) {
    const auto place = codec::parse_event_attempt_key(it.key());
    if (place && place->number > 0) {
      result.attempts.push_back(place->number);
    } else if (auto event = codec::decode_event(sequence, it.value(), false)) {
      result.id = event->id;
      result.connector = std::move(event->connector);
      result.run = std::move(event->run);
    }
  }
  report_end(it, family::carried);
  return result;
}

} // namespace vicket
