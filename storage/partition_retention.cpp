// How a partition forgets: one number moves up, and everything below it is gone for every read at once. Its
// bytes go later, by whole files and by the filter in compactions, never by single deletes.

#include "storage/partition_store_rep.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <array>
#include <limits>

namespace vicket {

log_sequence partition_store::oldest_kept() const {
  return rep_->oldest_kept.load(std::memory_order_acquire);
}

log_sequence partition_store::history_horizon(timestamp_ms before) const {
  const auto lock = rep_->reading();
  const auto kept = oldest_kept();
  if (!rep_->db)
    return kept;
  const auto settled = settled_below(); // first: what is below it is settled or in the due index from here on
  const auto waiting = rep_->lowest_waiting();
  const auto since = rep_->first_accepted_since(before, kept, settled);
  if (!health().ok()) // what can't be read must not be taken for "nothing waits there"
    return kept;
  return std::max(kept, std::min({since, waiting, settled}));
}

store_status partition_store::drop_history_below(log_sequence oldest) {
  const auto settled = settled_below();
  if (auto status = health(); !status.ok())
    return status;
  oldest = std::min(oldest, settled); // whoever asks: what may still be pending is not for forgetting
  if (oldest <= oldest_kept())
    return {};

  auto batch = write_batch{};
  batch.rep_->put(family::meta, codec::oldest_kept_key, codec::u64_bytes(oldest));
  if (auto status = rep_->commit(batch, settled); !status.ok())
    return status;
  // Only now: a filter must never drop what a restart would still show.
  rep_->oldest_kept.store(oldest, std::memory_order_release);

  const auto end_bytes = codec::u64_bytes(oldest);
  const auto end = to_slice(end_bytes);
  for (const auto which : {family::events, family::attempts, family::event_attempts})
    if (const auto status =
            rocksdb::DeleteFilesInRange(rep_->db.get(), rep_->column(which), nullptr, &end, false);
        !status.ok() && !status.IsNoSpace()) // no space: the next call tries again
      return rep_->write_status(status);
  return {};
}

log_sequence partition_store::rep::lowest_waiting() const {
  auto lowest = std::numeric_limits<log_sequence>::max();
  auto it = range(family::due, std::string(1, '\1'), std::string(1, '\x7f'), true);
  for (; it.valid(); it.next())
    if (const auto key = it.key(); key.size() >= 8)
      lowest = std::min(lowest, codec::parse_u64(key.substr(key.size() - 8)).value_or(0));
  report_end(it, family::due);
  return lowest;
}

/// The first event in [low, high) that was accepted at `time` or later; `high` when there is none. A binary
/// search of about 40 seeks, since acceptance times rise with the sequence. Where the clock was set back they
/// don't for a while, and some event of that while may be forgotten earlier or later than its own time says.
log_sequence partition_store::rep::first_accepted_since(timestamp_ms time, log_sequence low,
                                                        log_sequence high) const {
  auto it = range(family::events, codec::u64_bytes(low), codec::u64_bytes(high), true);
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    it.seek(codec::u64_bytes(middle));
    if (!it.valid()) {
      high = middle;
      continue;
    }
    const auto sequence = codec::parse_u64(it.key()).value_or(high);
    const auto accepted_at = codec::decode_accepted_at(it.value());
    if (!accepted_at)
      report(store_errc::corrupt, "event " + std::to_string(sequence) + " is damaged");
    if (!accepted_at || sequence >= high || *accepted_at >= time)
      high = middle;
    else
      low = sequence + 1;
  }
  report_end(it, family::events);
  return low;
}

} // namespace vicket
