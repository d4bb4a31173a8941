#pragma once

#include "bench/findings/figures.hpp"
#include "bench/harness/event_source.hpp"
#include "bench/harness/expected_events.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/node_session.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vicket::bench {

/// What a workflow engine sends to some of a node's connectors, and what came of it.
struct traffic {
  traffic(std::string its_name, node_session& node, event_source source, std::uint32_t first = 0);

  /// Until everything that was sent is answered and has come to the sink, twice if it does so; what is amiss goes to
  /// `violations`. `among`: all whose requests may come meanwhile, this one too.
  void finish(arrival_sorter& arrivals, const std::vector<expected_events*>& among,
              std::vector<std::string>& violations);

  /// From accepted to at the sink, of events [first, …) that came, after `finish`. An event that was at the sink
  /// before the answer was here counts as nothing.
  [[nodiscard]] std::vector<std::int64_t> accepted_to_sink_ns(std::uint32_t first) const;

  std::string name; ///< for sentences
  expected_events events;
  feeder feed;

private:
  /// Until so many have come; false: they do not.
  [[nodiscard]] bool arrive(arrival_sorter& arrivals, std::uint64_t promised,
                            const std::vector<expected_events*>& among);

  node_session& node_;
};

} // namespace vicket::bench
