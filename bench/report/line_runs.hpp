#pragma once

#include "bench/report/plot_scale.hpp"

#include <span>
#include <utility>
#include <vector>

namespace vicket::bench {

/// Where a plot's lines are drawn, in units of the drawing; y grows downwards.
struct plot_frame {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  /// Of a place on an axis, 0…1.
  [[nodiscard]] double x(double across) const { return left + across * (right - left); }
  [[nodiscard]] double y(double up) const { return bottom - up * (bottom - top); }
};

using spot = std::pair<double, double>; ///< x and y in units of the drawing

/// Whether both of a point's numbers have a place.
[[nodiscard]] bool has_place(const std::pair<double, double>& point);

/// A line's points in the drawing: the runs between its gaps, none of them empty. A gap is where points have
/// no place, unless it is within one unit of width, where nobody would see it. Of the points in a unit of width
/// those stay that show its extent: so there are four for each unit at most, however many were measured, as
/// long as x rises.
[[nodiscard]] std::vector<std::vector<spot>> runs_of(std::span<const std::pair<double, double>> points,
                                                     const plot_frame& where, const plot_scale& x,
                                                     const plot_scale& y);

} // namespace vicket::bench
