#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace vicket::bench {

/// All samples, sorted: percentiles are those of the samples themselves, not of buckets.
class percentiles {
public:
  explicit percentiles(std::vector<std::int64_t> samples);

  /// `p` in 0…100: the smallest sample that is not below p percent of them (nearest rank). 0 without samples.
  [[nodiscard]] std::int64_t at(double p) const;
  [[nodiscard]] std::size_t count() const { return sorted_.size(); }

  /// (percentile, value) from 0 to as many nines as there are samples for; for a plot.
  [[nodiscard]] std::vector<std::pair<double, double>> curve(double unit) const;

private:
  std::vector<std::int64_t> sorted_;
};

/// The middle one; of an even number the mean of the two. 0 of none.
[[nodiscard]] double median(std::vector<double> values);

} // namespace vicket::bench
