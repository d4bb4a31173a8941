#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// A place in a JSON text, as RFC 6901 writes it: `/ticket/tags/0`, with `~1` for a slash and `~0` for a tilde in a name;
/// empty: all of the text.
class json_pointer {
public:
  static constexpr std::size_t max_bytes = 1'024;
  static constexpr std::size_t max_tokens = 128; ///< as deep as data may be

  /// Or a sentence that says what is wrong with it. `text` is UTF-8.
  [[nodiscard]] static std::variant<json_pointer, std::string> parse(std::string_view text);

  /// The names and indexes on the way, the escapes undone.
  [[nodiscard]] const std::vector<std::string>& tokens() const noexcept { return tokens_; }

private:
  std::vector<std::string> tokens_;
};

/// Puts a further token behind a pointer.
void append_pointer_token(std::string& pointer, std::string_view token);

} // namespace vicket
