#include "bench/report/line_runs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace vicket::bench {

namespace {

double unit_of(const spot& one) {
  return std::floor(one.first);
}

/// Of the spots in one unit of width those that show its extent, in their order.
void thin_unit(std::span<const spot> all, std::vector<spot>& kept) {
  const auto lower = [](const spot& a, const spot& b) { return a.second < b.second; };
  const auto [top, bottom] = std::minmax_element(all.begin(), all.end(), lower);
  std::array<std::ptrdiff_t, 4> telling{0, top - all.begin(), bottom - all.begin(), std::ssize(all) - 1};
  std::sort(telling.begin(), telling.end());
  const auto end = std::unique(telling.begin(), telling.end());
  for (auto at = telling.begin(); at != end; ++at)
    kept.push_back(all[static_cast<std::size_t>(*at)]);
}

std::vector<spot> thinned(std::span<const spot> run) {
  std::vector<spot> kept;
  while (!run.empty()) {
    const double unit = unit_of(run.front());
    const auto end =
        std::find_if(run.begin(), run.end(), [&](const spot& one) { return unit_of(one) != unit; });
    const auto size = static_cast<std::size_t>(end - run.begin());
    thin_unit(run.first(size), kept);
    run = run.subspan(size);
  }
  return kept;
}

} // namespace

bool has_place(const std::pair<double, double>& point) {
  return plot_scale::places(point.first) && plot_scale::places(point.second);
}

std::vector<std::vector<spot>> runs_of(std::span<const std::pair<double, double>> points,
                                       const plot_frame& where, const plot_scale& x, const plot_scale& y) {
  std::vector<std::vector<spot>> runs;
  bool gap = true;
  for (const auto& point : points) {
    if (!has_place(point)) {
      gap = true;
      continue;
    }
    const spot at{where.x(x.at(point.first)), where.y(y.at(point.second))};
    if (std::exchange(gap, false) && (runs.empty() || unit_of(runs.back().back()) != unit_of(at)))
      runs.emplace_back();
    runs.back().push_back(at);
  }
  for (auto& run : runs)
    run = thinned(run);
  return runs;
}

} // namespace vicket::bench
