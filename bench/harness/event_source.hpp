#pragma once

#include "messages/event.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vicket::bench {

/// How the workflow engine makes its ids. What the store pays for an id depends on it: ordered by time it appends
/// to its index, in no order it does not.
enum class id_kind : std::uint8_t { time_ordered /* UUIDv7 */, random /* UUIDv4 */ };

/// The events of one measurement, by index: what a workflow engine would send, made from the index alone, so that
/// neither side has to remember any. Bodies are all the same length, and noise in words: no compression makes the
/// disk larger than it is.
class event_source {
public:
  static constexpr std::size_t body_bytes = 500;

  /// `tag` (below 4,096) tells the events of one source from those of another. Event i goes to connector
  /// `connectors[i % connectors.size()]`. Its ids and times are those of events that happened `age_ms` ago.
  /// `envelope_bytes`: the length of each body; throws std::logic_error where that is less than what an event takes
  /// without its noise.
  /// `names`: how many event names there are in turn, of one length; 0: only `ticket.status_changed`.
  event_source(std::uint16_t tag, std::vector<connector_id> connectors, id_kind kind = id_kind::time_ordered,
               std::int64_t age_ms = 0, std::size_t envelope_bytes = body_bytes, std::uint32_t names = 0);

  /// Name `number` of those in turn, below 100,000.
  [[nodiscard]] static std::string event_name(std::uint32_t number);

  [[nodiscard]] send_to_connector event(std::uint32_t index) const;
  [[nodiscard]] event_id id(std::uint32_t index) const;
  /// Absent: not one of this source's.
  [[nodiscard]] std::optional<std::uint32_t> index_of(const event_id& id) const;
  [[nodiscard]] std::size_t envelope_bytes() const { return envelope_bytes_; }
  [[nodiscard]] std::size_t connectors() const { return connectors_.size(); }
  [[nodiscard]] const connector_id& connector_of(std::uint32_t index) const {
    return connectors_[index % connectors_.size()];
  }

private:
  std::uint16_t tag_;
  std::vector<connector_id> connectors_;
  id_kind kind_;
  std::int64_t first_ms_;
  std::size_t envelope_bytes_;
  std::uint32_t names_;
  std::vector<std::string> texts_;
};

} // namespace vicket::bench
