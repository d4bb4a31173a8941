// A whole partition as rounds, for a log that begins with what a single node has, or as the rounds of several that share its
// connectors from then on.

#include "policy/partitioning.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/write_batch_rep.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace vicket {

namespace {

constexpr std::size_t least_round_bytes = 64 * 1024;

/// What belongs to a store, not to what is in it.
bool is_own(family which, std::string_view key) {
  return which == family::meta && (key == codec::format_key || key == codec::commit_key ||
                                   key == codec::position_key || key == codec::purge_key);
}

/// Absent: it belongs to no connector alone, so everybody gets it.
using part = std::optional<std::uint32_t>;

} // namespace

/// Which of several partitions a record goes to.
class partition_store::record_router {
public:
  record_router(const rep& own, std::uint32_t partitions) : own_{own}, partitions_{partitions} {}

  [[nodiscard]] part of(family which, std::string_view key, std::string_view value) {
    switch (which) {
    case family::meta:
      return of_meta(key);
    case family::events:
      return of_event_record(codec::parse_u64(key), value);
    case family::attempts:
      if (const auto account = codec::decode_account_of_attempt(value); account != 0)
        return partition_of_account(account, partitions_);
      return of_event(codec::decode_event_of_attempt(value)); // of versions that wrote no account
    case family::event_attempts:
      return of_place(codec::parse_event_attempt_key(key));
    case family::carried: {
      const auto place = codec::parse_event_attempt_key(key);
      return place && place->number == 0 ? of_event_record(place->event, value) : of_place(place);
    }
    case family::due: {
      const auto place = codec::parse_due_key(key);
      return place ? of_connector(place->connector.value) : damaged(which);
    }
    case family::ids:
      return key.size() > event_id{}.bytes.size() ? of_connector(key.substr(event_id{}.bytes.size()))
                                                  : damaged(which);
    case family::runs: {
      const auto sequence = codec::parse_run_key(key);
      return sequence ? of_event(*sequence) : damaged(which);
    }
    case family::late: {
      const auto place = codec::parse_late_key(key);
      return place ? of_event(place->event) : damaged(which);
    }
    }
    return std::nullopt;
  }

private:
  [[nodiscard]] part of_connector(std::string_view id) const {
    return partition_of({std::string{id}}, partitions_);
  }

  [[nodiscard]] part of_meta(std::string_view key) const {
    for (const auto prefix : {codec::connector_prefix, codec::state_prefix, codec::rotated_prefix})
      if (key.starts_with(prefix))
        return of_connector(key.substr(prefix.size()));
    if (const auto account = codec::parse_history_key(key))
      return partition_of_account(*account, partitions_);
    return std::nullopt;
  }

  [[nodiscard]] part of_event_record(std::optional<log_sequence> sequence, std::string_view record) {
    const auto event = sequence ? codec::decode_event(*sequence, record, false) : std::nullopt;
    if (!event)
      return damaged(family::events);
    known_ = {*sequence, of_connector(event->connector.value)};
    return known_.second;
  }

  [[nodiscard]] part of_place(const std::optional<codec::event_attempt>& place) {
    return place ? of_event(place->event) : damaged(family::event_attempts);
  }

  /// Of one that retention took nothing is known but that nobody reads what refers to it.
  [[nodiscard]] part of_event(log_sequence sequence) {
    if (known_.first == sequence)
      return known_.second;
    if (const auto record = own_.get(family::events, codec::u64_bytes(sequence)))
      return of_event_record(sequence, to_view(*record));
    if (const auto record = own_.get(family::carried, codec::carried_key(sequence, 0)))
      return of_event_record(sequence, to_view(*record));
    known_ = {sequence, std::nullopt};
    return std::nullopt;
  }

  [[nodiscard]] part damaged(family which) const {
    own_.report(store_errc::corrupt, "it has an entry of " + family_names[static_cast<std::size_t>(which)] +
                                         " that can't be read");
    return std::nullopt;
  }

  const rep& own_;
  std::uint32_t partitions_;
  std::pair<log_sequence, part> known_{0, std::nullopt}; ///< the last that was looked at
};

store_status
partition_store::copy_as_rounds(std::uint64_t epoch, std::size_t round_bytes,
                                const std::function<store_status(const sealed_round&)>& take) const {
  return split_as_rounds(epoch, round_bytes, {0, 1, 1},
                         [&](std::uint32_t, const sealed_round& round) { return take(round); });
}

store_status partition_store::split_as_rounds(
    std::uint64_t epoch, std::size_t round_bytes, const partition_split& how,
    const std::function<store_status(std::uint32_t, const sealed_round&)>& take) const {
  const auto& own = *rep_;
  const auto lock = own.reading();
  if (!own.db)
    return {store_errc::full, "no space left for " + own.folder + " yet: it is closed until there is"};
  struct child {
    round_header header;
    write_batch batch;
  };
  auto children = std::vector<child>(how.children / how.parents);
  const auto bytes_each = std::max(round_bytes / children.size(), least_round_bytes);
  for (auto& each : children) {
    each.header = own.last;
    each.header.epoch = epoch;
    each.header.number = 1; // of the store that has nothing but its format
  }
  const auto finish = [&](std::size_t index) -> store_status {
    auto& to = children[index];
    ++to.header.number;
    const auto round = sealed_round{std::move(to.batch), to.header};
    to.batch = {};
    return take(static_cast<std::uint32_t>(how.parent + index * how.parents), round);
  };
  const auto put = [&](std::size_t index, family which, const bounded_iterator& it) -> store_status {
    auto& batch = children[index].batch;
    batch.rep_->put(which, it.key(), it.value());
    return batch.bytes() < bytes_each ? store_status{} : finish(index);
  };
  record_router router{own, how.children};
  for (auto i = std::size_t{0}; i < family_count; ++i) {
    const auto which = static_cast<family>(i);
    auto it = own.range(which, std::string{}, std::string(64, '\xff'), true);
    for (; it.valid(); it.next()) {
      if (is_own(which, it.key()))
        continue;
      const auto to = children.size() > 1 ? router.of(which, it.key(), it.value()) : part{how.parent};
      if (to && *to % how.parents != how.parent)
        return {store_errc::corrupt, "partition " + own.folder +
                                         " has something of a connector of partition " +
                                         std::to_string(*to % how.parents)};
      for (auto index = std::size_t{0}; index < children.size(); ++index)
        if (!to || *to == how.parent + index * how.parents)
          if (auto status = put(index, which, it); !status.ok())
            return status;
    }
    own.report_end(it, which);
  }
  if (auto status = health(); !status.ok())
    return status;
  for (auto index = std::size_t{0}; index < children.size(); ++index)
    if (auto status = finish(index);
        !status.ok()) // also of one that is empty: where its log goes on is in the header
      return status;
  return {};
}

} // namespace vicket
