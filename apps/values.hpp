#pragma once

#include "net/place.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// `262144`, `256KiB`, `1MiB`, `2GiB`; also kB, MB, GB (powers of 1,000) and B.
[[nodiscard]] parsed<std::uint64_t> parse_bytes(std::string_view text);

/// `7d`, `12h`, `30m`, `45s`, `250ms`, and sums of them such as `1d12h`, in milliseconds. A number alone is
/// refused: nobody could tell which unit was meant.
[[nodiscard]] parsed<std::int64_t> parse_duration_ms(std::string_view text);

/// A decimal number from `least` to `most`.
[[nodiscard]] parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t least,
                                                std::uint64_t most);

/// `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`.
[[nodiscard]] parsed<bool> parse_switch(std::string_view text);

} // namespace vicket
