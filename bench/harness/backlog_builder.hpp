#pragma once

#include "bench/harness/event_source.hpp"
#include "messages/connector.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace vicket {
class data_folder;
}

namespace vicket::bench {

/// When the events of a backlog came, and when each of them is to be tried again.
struct backlog_times {
  timestamp_ms accepted_at; ///< of event 0; 1,000 of them came in each second
  timestamp_ms first_due;
  std::int64_t due_spread_ms =
      1; ///< next attempts lie in [first_due, first_due + due_spread_ms), in no order
};

/// Writes retries into a data folder with the store's own means: each event accepted, tried once, answered 503 and
/// pending. What a node would have left behind, in seconds instead of the minutes that it would take.
///
/// The folder is held (locked) as long as this object lives, so it has to go before a node opens it.
class backlog_builder {
public:
  /// Opens the folder, or makes one of so many partitions. Throws std::runtime_error with the store's sentence, as
  /// all below do.
  explicit backlog_builder(const std::filesystem::path& data_dir, std::uint32_t partitions = 2);
  ~backlog_builder();
  backlog_builder(const backlog_builder&) = delete;
  backlog_builder& operator=(const backlog_builder&) = delete;

  void put(const std::vector<connector>& wanted);
  /// As above, of `count` connectors that `make` makes of their numbers; a million need not be in memory at once.
  void put(std::uint32_t count, const std::function<connector(std::uint32_t)>& make);

  /// Events [first, first + count) of the source; their connectors ought to be there. Uses a thread per partition.
  void add(const event_source& source, std::uint32_t first, std::uint32_t count, const backlog_times& times);

private:
  class partition;

  [[nodiscard]] partition& partition_for(const connector_id& id) const;

  std::unique_ptr<data_folder> folder_; ///< the lock
  std::vector<std::unique_ptr<partition>> partitions_;
};

} // namespace vicket::bench
