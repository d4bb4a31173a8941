#include "bench/harness/delivery_rate.hpp"

#include <algorithm>
#include <cstddef>

namespace vicket::bench {

std::uint64_t most_within(std::vector<std::int64_t> times_ns, std::int64_t window_ns) {
  std::sort(times_ns.begin(), times_ns.end());
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < times_ns.size(); ++last) {
    while (times_ns[last] - times_ns[first] >= window_ns)
      ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

std::vector<std::pair<double, double>> rate_over_time(const std::vector<std::int64_t>& times_ns,
                                                      std::int64_t zero_ns, std::int64_t from_ns,
                                                      std::int64_t until_ns, std::int64_t bucket_ns) {
  const auto buckets = std::max<std::int64_t>(0, (until_ns - from_ns) / bucket_ns);
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(buckets));
  for (const auto at_ns : times_ns)
    if (at_ns >= from_ns && at_ns < from_ns + buckets * bucket_ns)
      ++counts[static_cast<std::size_t>((at_ns - from_ns) / bucket_ns)];
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto middle_ns = from_ns + static_cast<std::int64_t>(i) * bucket_ns + bucket_ns / 2;
    points.emplace_back(static_cast<double>(middle_ns - zero_ns) * 1e-9,
                        static_cast<double>(counts[i]) * 1e9 / static_cast<double>(bucket_ns));
  }
  return points;
}

} // namespace vicket::bench
