#pragma once

#include "bench/report/results.hpp"

#include <cstddef>
#include <string>

namespace vicket::bench {

/// More lines than these nobody tells apart; the legend counts what was left out.
inline constexpr std::size_t most_lines_drawn = 8;

/// A plot as one SVG element: well-formed XML that stands in a page or alone in a file, and scales with its
/// width.
///
/// Its colours are the CSS variables --paper, --text, --muted, --grid and --line-1 to --line-8 of the page
/// around it, and fit for white paper without one. Lines differ in colour and dashes. A point with a number
/// that is not finite (see `plot_scale::places`) is left out and leaves a gap; up to four points of a line
/// are drawn per unit of width, those that show its extent, so that its size is bounded whatever was
/// measured.
[[nodiscard]] std::string svg_of(const plot& drawn);

} // namespace vicket::bench
