#include "storage/due_scan.hpp"

#include "storage/partition_store_rep.hpp"

#include <optional>
#include <string>
#include <utility>

namespace vicket {

struct due_scan::rep {
  explicit rep(partition_store::rep& of)
      : store{of}, entries{of.range(family::due, std::string{codec::due_lowest},
                                    std::string{codec::due_highest}, true)} {
    ++store.open_scans;
  }
  ~rep() { --store.open_scans; }

  partition_store::rep& store;
  bounded_iterator entries;
  connector_id connector; ///< of the last entry
  std::string prefix;     ///< what its keys begin with: saves parsing each

  [[nodiscard]] bool at_same_connector() const {
    const auto key = entries.key();
    return !prefix.empty() && key.size() == prefix.size() + 16 && key.starts_with(prefix);
  }
  /// False: it is damaged.
  bool visit_one(const visitor& visit);
};

bool due_scan::rep::visit_one(const visitor& visit) {
  const auto key = entries.key();
  if (!at_same_connector()) {
    auto parsed = codec::parse_due_key(key);
    if (!parsed) {
      store.report(store_errc::corrupt, "an entry of the due index is damaged");
      return false;
    }
    connector = std::move(parsed->connector);
    prefix = codec::due_begin(connector);
  }
  const auto entry = codec::decode_due_entry(entries.value());
  if (!entry) {
    store.report(store_errc::corrupt, "an entry of the due index of " + connector.value + " is damaged");
    return false;
  }
  const timestamp_ms due{*codec::parse_i64(key.substr(key.size() - 16, 8))};
  const auto sequence = *codec::parse_u64(key.substr(key.size() - 8));
  auto accepted = entry->attempts_made == 0 ? std::optional{due} : entry->accepted_at;
  if (!accepted)
    if (const auto event = store.event_at(sequence, false))
      accepted = event->accepted_at;
  // Without an event it was settled since, and retention has taken it.
  visit(connector, sequence, accepted.value_or(due));
  return true;
}

due_scan::due_scan(partition_store::rep& store) : rep_{std::make_unique<rep>(store)} {}

due_scan::~due_scan() = default;

bool due_scan::read(std::size_t limit, const visitor& visit) {
  for (std::size_t visited = 0;;) {
    const std::lock_guard guard{mutex_};
    if (!rep_)
      return false;
    auto& entries = rep_->entries;
    for (std::size_t i = 0; i < close_check; ++i, entries.next()) {
      if (!entries.valid()) {
        rep_->store.report_end(entries, family::due);
        rep_.reset();
        return false;
      }
      if (visited >= limit && !rep_->at_same_connector())
        return true;
      visited += rep_->visit_one(visit) ? 1 : 0;
    }
  }
}

bool due_scan::at_end() {
  const std::lock_guard guard{mutex_};
  return !rep_ || !rep_->entries.valid();
}

void due_scan::close() {
  const std::lock_guard guard{mutex_};
  rep_.reset();
}

} // namespace vicket
