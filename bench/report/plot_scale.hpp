#pragma once

#include "bench/report/results.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vicket::bench {

/// Which way an axis runs. A linear `up` begins at zero and ends at a round number, so that heights compare;
/// a linear `across` spans its values and no more.
enum class axis_way : std::uint8_t { across, up };

/// Where the values of an axis stand, between 0 (its start) and 1 (its end).
///
/// Logarithmic: whole decades; zero and less stand where the smallest positive value does, there is no other
/// place. Nines: 0, 90, 99, 99.9, … at equal distances; 100 one distance behind the last of them.
class plot_scale {
public:
  struct tick {
    double at = 0;
    std::string label; ///< empty: a line of the grid alone
  };

  /// Beyond it, and closer to zero than its inverse, is nothing that was measured.
  static constexpr double largest = 1e150;
  /// Percentiles are told apart up to 99.99999.
  static constexpr int most_nines = 7;
  static constexpr int most_decades_labelled = 8;

  /// Whether a value has a place: it is finite, and not beyond `largest`.
  [[nodiscard]] static bool places(double value);

  /// Around those of the values that have a place; around 0…1 (1…10, 0…99) when there are none.
  plot_scale(axis_scale kind, axis_way way, std::span<const double> values);

  /// For a value that has a place. 0…1 always.
  [[nodiscard]] double at(double value) const;
  /// From start to end.
  [[nodiscard]] const std::vector<tick>& ticks() const { return ticks_; }

private:
  void span_linear(axis_way way, double least, double most);
  void span_decades(double most);
  void span_nines(std::span<const double> percentiles);
  [[nodiscard]] double position(double value) const;
  void mark(double position, std::string label);

  axis_scale kind_;
  double smallest_positive_ = 1; ///< logarithmic only
  double low_ = 0;               ///< positions, as `position` makes them; low_ < high_
  double high_ = 1;
  std::vector<tick> ticks_;
};

} // namespace vicket::bench
