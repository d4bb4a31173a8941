#include "actors/pending_counter.hpp"

#include <utility>

namespace vicket {

counted_page count_next(due_scan& scan) {
  counted_page page;
  std::size_t entries = 0;
  const auto visit = [&](const connector_id& connector, log_sequence, timestamp_ms accepted_at) {
    if (page.connectors.empty() || page.connectors.back().first != connector)
      page.connectors.emplace_back(connector, pending_times{});
    page.connectors.back().second.add(accepted_at);
    ++entries;
  };
  page.more = true;
  while (page.more && page.connectors.size() < pending_counter::max_connectors &&
         entries < pending_counter::max_entries)
    page.more = scan.read(1, visit); // one connector
  return page;
}

pending_counter::pending_counter(handle::pointer, std::shared_ptr<due_scan> scan) : scan_{std::move(scan)} {}

pending_counter::handle::behavior_type pending_counter::make_behavior() {
  return {
      [this](const count_more&) { return count_next(*scan_); },
  };
}

} // namespace vicket
