#pragma once

#include "bench/harness/feeder.hpp"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <vector>

namespace vicket::bench {

/// When whose turn is, for several that each go at an even rate of their own. Pure.
class turns {
public:
  /// `per_s`: how often each has its turn in a second, above 0; at least one.
  explicit turns(const std::vector<double>& per_s);

  struct turn {
    std::size_t whose = 0;
    std::int64_t after_ns = 0; ///< since the first of all
  };
  /// Rising in time; of several at the same time, in the order of `whose`.
  turn next();

private:
  struct rate {
    double per_s = 0;
    std::uint64_t taken = 0;
  };
  std::vector<rate> rates_;
};

struct offered_load {
  feeder* sender = nullptr;
  double events_per_s = 0;
};

/// All of them together for `duration_ms`, or until `stop` is asked for: each event one at a time in its turn,
/// whatever the nodes do (an open loop). An event whose turn came while we were held up is sent as soon as it can be,
/// and its time counts from its turn.
void offer_together(const std::vector<offered_load>& loads, std::int64_t duration_ms,
                    const std::stop_token& stop = {});

} // namespace vicket::bench
