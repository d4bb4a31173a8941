#pragma once

#include <compare>
#include <string_view>

namespace vicket {

/// Compares two JSON numbers (RFC 8259 6) by their exact values, whatever their forms: 1, 1.0 and 10e-1 are equal, and so are
/// 0 and -0.0; 9007199254740993 is more than 9007199254740992. Linear in their lengths: an exponent of any size costs no
/// more than its digits. Nothing is allocated. Both are numbers that `json_reader` has read.
[[nodiscard]] std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

} // namespace vicket
