#pragma once

#include "bench/report/results.hpp"

#include <cstdint>
#include <string>
#include <vector>

// What holds for a node however many connectors it has, and whatever their endpoints do: what the scenarios found, and
// the figures with their goals that it makes. Pure, so that a test shows that each of them can fail.

namespace vicket::bench {

/// Healthy connectors, alone and beside others that fill the node's places with requests that hang.
struct hanging_cap_findings {
  std::uint32_t places = 0;  ///< `--max-in-flight`
  std::uint32_t hanging = 0; ///< connectors whose endpoints hang
  // sent → sink, of each pair
  std::vector<double> alone_p99_us;
  std::vector<double> beside_p99_us;
  std::vector<double> beside_worst_us;
  // Once more with more connectors that hang than the node has places.
  std::uint32_t crowd = 0;
  std::vector<double> crowd_p99_us;
  std::vector<double> crowd_worst_us;
};
[[nodiscard]] std::vector<figure> figures_of(const hanging_cap_findings& found);

/// An honest sender's events, alone and while strangers attack the actor port; of each pair.
struct hostile_port_findings {
  double connections_per_s = 0; ///< new ones of the attackers, as it was meant
  double messages_per_s = 0;    ///< that they may send, as it was meant
  // p99
  std::vector<double> alone_accepted_us; ///< sent → accepted
  std::vector<double> alone_sink_us;     ///< sent → sink
  std::vector<double> attacked_accepted_us;
  std::vector<double> attacked_sink_us;
  // beside one connection that sends pings as fast as it can, and comes again
  std::vector<double> pinged_accepted_us;
  std::vector<double> pinged_sink_us;
  std::vector<double> attacked_worst_us; ///< sent → accepted, the slowest of each attack
  double growth_bytes =
      0; ///< the most that the node which was attacked had in memory, less that of the other
};
[[nodiscard]] std::vector<figure> figures_of(const hostile_port_findings& found);

/// Neighbours of connectors whose waiting events drain; sent → sink and accepted → sink, of each round.
struct drain_findings {
  std::vector<double> before_p99_us;
  std::vector<double> during_p99_us;
  std::vector<double> before_delivery_p99_us;
  std::vector<double> during_delivery_p99_us;
};
[[nodiscard]] std::vector<figure> figures_of(const drain_findings& found);

/// Resident memory of a node with many connectors for which big events wait: the most that was seen.
struct big_events_findings {
  std::uint32_t connectors = 0;
  double before_bytes = 0;               ///< without any event
  double accepting_bytes = 0;            ///< while they were accepted
  double waiting_bytes = 0;              ///< while they waited
  std::vector<double> restarted_bytes;   ///< of each start on what waits
  std::vector<double> restarted_ready_s; ///< of each start
};
/// `is_full`: the goals are of the full size only.
[[nodiscard]] std::vector<figure> figures_of(const big_events_findings& found, bool is_full);

/// How long statuses took, of each that was asked for: from the request to the last of the answer.
struct status_findings {
  std::uint64_t pending = 0;
  std::uint32_t busy = 0;     ///< connectors that a status lists
  std::vector<double> page_s; ///< the slowest request of each status
  std::vector<double> all_s;  ///< all requests of each status, one after the other
};
[[nodiscard]] std::vector<figure> figures_of(const status_findings& found, bool is_full);

/// The time of a status with so many pending for a few connectors, all of it.
[[nodiscard]] figure status_figure(std::uint64_t pending, std::vector<double> all_s);
/// The number pending for which `status_figure` has a goal.
inline constexpr std::uint64_t status_goal_pending = 5'000'000;

/// Connectors with an event each that waits for an hour.
struct waiting_connectors_findings {
  std::uint32_t connectors = 0;
  std::uint32_t tried = 0; ///< of them got one more event, which failed once and waits for an hour as well
  // of each start
  std::vector<double> ready_s;
  std::vector<double> memory_bytes;
  double memory_tried_bytes = 0; ///< when the supervisors of those that were tried have had the time to go
};
[[nodiscard]] std::vector<figure> figures_of(const waiting_connectors_findings& found, bool is_full);

/// Deliveries a second with many connectors and with few, of each pass.
struct many_connectors_findings {
  std::uint32_t many = 0;
  std::uint32_t few = 0;
  std::vector<double> many_per_s;
  std::vector<double> few_per_s;
};
[[nodiscard]] std::vector<figure> figures_of(const many_connectors_findings& found);

} // namespace vicket::bench
