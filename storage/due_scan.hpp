#pragma once

#include "storage/partition_store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace vicket {

/// A partition's due index as it stood when `partition_store::scan_due` was called, read through piece by piece: by
/// connector, then in the order of its positions. About 0.25 us per entry; one that an older program wrote costs a look
/// at its event as well, some 4 us.
///
/// Thread safety: any. The store outlives it or its `close`, and is not reopened (`resume`) before either.
class due_scan {
public:
  using visitor =
      std::function<void(const connector_id& connector, log_sequence sequence, timestamp_ms accepted_at)>;

  ~due_scan();
  due_scan(const due_scan&) = delete;
  due_scan& operator=(const due_scan&) = delete;

  /// Visits the next entries, up to `limit` of them and then on to the end of the last one's connector. False: that was
  /// all, or it was closed. What can't be read is left out, and said by the store's `health()`.
  bool read(std::size_t limit, const visitor& visit);

  /// There is nothing (more) to visit.
  [[nodiscard]] bool at_end();

  /// Lets go of the database. Waits for a `read` under way for no longer than that takes for `close_check` entries.
  void close();
  static constexpr std::size_t close_check = 1'024;

private:
  friend class partition_store;
  struct rep;
  explicit due_scan(partition_store::rep& store);

  std::mutex mutex_;
  std::unique_ptr<rep> rep_; ///< guarded by mutex_; null once it is closed
};

} // namespace vicket
