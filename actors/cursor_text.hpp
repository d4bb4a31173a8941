#pragma once

// What cursors are written with: numbers in hexadecimal behind marks. Private to their sources.

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace vicket {

/// Takes numbers in hexadecimal off the front of a text.
class hex_reader {
public:
  explicit hex_reader(std::string_view text) : rest_{text} {}

  /// What has to stand here.
  bool skip(std::string_view expected) {
    if (!rest_.starts_with(expected))
      return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  template <std::unsigned_integral Number>
  bool read(Number& number) {
    const auto* const begin = rest_.data();
    const auto [end, error] = std::from_chars(begin, begin + rest_.size(), number, 16);
    rest_.remove_prefix(static_cast<std::size_t>(end - begin));
    return error == std::errc{};
  }

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

inline void append_hex(std::string& text, char before, std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  text.push_back(before);
  text.append(digits.data(), end);
}

} // namespace vicket
