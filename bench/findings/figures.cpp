#include "bench/findings/figures.hpp"

#include "bench/findings/percentiles.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace vicket::bench {

namespace {

bool measured(const std::vector<double>& rounds) {
  return !rounds.empty() &&
         std::all_of(rounds.begin(), rounds.end(), [](double one) { return std::isfinite(one); });
}

} // namespace

double percentile_us(const percentiles& of_ns, double p) {
  return of_ns.count() == 0 ? not_measured : static_cast<double>(of_ns.at(p)) / 1e3;
}

figure plain_figure(const std::string& key, const std::string& title, double value, const std::string& unit) {
  figure made;
  made.key = key;
  made.title = title;
  made.value = value;
  made.unit = unit;
  return made;
}

figure median_figure(const std::string& key, const std::string& title, std::vector<double> rounds,
                     const std::string& unit) {
  auto made = plain_figure(key, title, measured(rounds) ? median(rounds) : not_measured, unit);
  made.rounds = std::move(rounds);
  return made;
}

figure worst_figure(const std::string& key, const std::string& title, std::vector<double> rounds,
                    const std::string& unit) {
  const auto worst = measured(rounds) ? *std::max_element(rounds.begin(), rounds.end()) : not_measured;
  auto made = plain_figure(key, title, worst, unit);
  made.rounds = std::move(rounds);
  return made;
}

std::vector<double> ratios(const std::vector<double>& with, const std::vector<double>& without,
                           double smallest) {
  std::vector<double> found;
  for (std::size_t i = 0; i < std::min(with.size(), without.size()); ++i)
    found.push_back(with[i] / std::max(without[i], smallest));
  return found;
}

} // namespace vicket::bench
