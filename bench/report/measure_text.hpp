#pragma once

#include <string>
#include <string_view>

// Numbers as a person reads them. Independent of the locale: a point before the decimals, commas between
// thousands.

namespace vicket::bench {

/// So many digits are shown of what was measured, if a goal does not ask for more; noise hides the rest.
inline constexpr int usual_digits = 3;

/// With `significant` digits (1 to 17), the whole part always whole: "0.431", "12.0", "12,431". Beyond 10^15
/// and below 10^-6 with an exponent. What is no finite number is "n/a".
[[nodiscard]] std::string show_number(double value, int significant = usual_digits);

/// A figure that somebody chose: what matters of it, without zeros behind it: "0.35", "1.5", "100", "1,000".
[[nodiscard]] std::string show_bound(double value);

/// The unit that a number is shown in.
struct display_unit {
  double size = 1;    ///< how many of the figure's own unit it is: 1000 for " ms" when that is "us"
  std::string suffix; ///< what follows the number: " ms", "/s", "" for a ratio
};

/// The one that makes the least number of at least 1, out of µs, ms, s; B, KB, MB, GB, TB (powers of 1000).
/// Other units of a figure are shown as they are.
[[nodiscard]] display_unit display_unit_for(double value, std::string_view unit);

/// "850 µs", "12,431/s", "61.4 KB", "0.431".
[[nodiscard]] std::string show_measure(double value, std::string_view unit);

/// How long something took: "0.8 s", "31 s", "9 min 12 s". Negative and not finite ones are "n/a".
[[nodiscard]] std::string show_took(double seconds);

} // namespace vicket::bench
