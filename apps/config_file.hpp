#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

/// One `key = value` of a config file. A single value is an array of one.
struct config_entry {
  unsigned line = 0; ///< from 1
  std::string key;
  std::vector<std::string> values;
  bool array = false; ///< it was written in []
};

/// Reads the part of TOML 1.0 that flags need: bare or quoted keys, strings ("basic" and 'literal'), integers
/// (`_` between digits allowed), booleans, arrays of these over several lines, comments. No tables: every key
/// is a flag. UTF-8, a byte order mark passed over, lines that end with \n or \r\n. Else the complaint, that starts with the number of the line: "3: …".
[[nodiscard]] std::variant<std::vector<config_entry>, std::string> parse_config_file(std::string_view text);

} // namespace vicket
