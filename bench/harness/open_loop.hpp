#pragma once

#include "bench/harness/feeder.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <stop_token>
#include <vector>

namespace vicket::bench {

/// How often something happens, and by which chance.
struct event_rate {
  double per_s = 0;       ///< on average; above 0
  std::uint64_t seed = 1; ///< the same seed gives the same times, whatever else happens
};

/// When whose turn is, for several that each go at a rate of their own, at times that know nothing of each other: Poisson
/// processes, as many independent senders make them. Even spacing would keep events of one stream from ever meeting, and
/// have them meet those of another stream alone. Pure.
class turns {
public:
  /// At least one rate.
  explicit turns(const std::vector<event_rate>& rates);

  struct turn {
    std::size_t whose = 0;
    std::int64_t after_ns = 0;
  };
  /// Rising in time.
  turn next();

private:
  struct stream {
    double mean_ns = 0;
    std::mt19937_64 chance;
    double next_ns = 0;
  };
  static void advance(stream& of);

  std::vector<stream> streams_;
};

struct offered_load {
  feeder* sender = nullptr;
  double events_per_s = 0;
  std::uint64_t seed = 1;
};

/// All of them together for `duration_ms`, or until `stop` is asked for: each event one at a time in its turn,
/// whatever the nodes do (an open loop). An event whose turn came while we were held up is sent as soon as it can be,
/// and its time counts from its turn.
void offer_together(const std::vector<offered_load>& loads, std::int64_t duration_ms,
                    const std::stop_token& stop = {});

} // namespace vicket::bench
