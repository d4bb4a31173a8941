#include "bench/findings/percentiles.hpp"

#include <algorithm>
#include <cmath>

namespace vicket::bench {

percentiles::percentiles(std::vector<std::int64_t> samples) : sorted_{std::move(samples)} {
  std::sort(sorted_.begin(), sorted_.end());
}

std::int64_t percentiles::at(double p) const {
  if (sorted_.empty())
    return 0;
  const auto rank = std::ceil(p / 100 * static_cast<double>(sorted_.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted_[std::min(index, sorted_.size() - 1)];
}

std::vector<std::pair<double, double>> percentiles::curve(double unit) const {
  std::vector<std::pair<double, double>> points;
  double rest = 100; // percent above the point
  while (!sorted_.empty() && rest / 100 * static_cast<double>(sorted_.size()) >= 1) {
    points.emplace_back(100 - rest, static_cast<double>(at(100 - rest)) / unit);
    rest *= 0.75; // eight points to a nine
  }
  return points;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

} // namespace vicket::bench
