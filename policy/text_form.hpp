#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace vicket {

/// A text from outside (an event, a connector, a configuration; from a file, a pipe or a message) as all of them are
/// read: UTF-8, a byte order mark before it passed over. Or a sentence that names what it is instead: UTF-16 or UTF-32,
/// told by their byte order mark, or by the zero bytes that their first character has. The bytes behind the beginning
/// are not looked at.
[[nodiscard]] std::variant<std::string_view, std::string> utf8_text(std::string_view text);

/// Whether a line says nothing: only blanks, tabs, carriage returns, and a byte order mark before them.
[[nodiscard]] bool is_blank_line(std::string_view line);

/// Where a byte of a text stands: `line 3, column 7`.
[[nodiscard]] std::string line_and_column(std::string_view text, std::size_t offset);

} // namespace vicket
