#pragma once

#include "policy/json_cursor.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vicket {

/// Some JSON values, of which a text is to be one. Values are equal as JSON: numbers as numbers, whatever their form; strings
/// by their characters, whatever their escapes; arrays by their elements in order; objects by their members in any order,
/// where of a name that is there several times the last one counts.
class json_value_set {
public:
  /// `valid`: JSON at most 256 deep, without a name twice in one object.
  void add(std::string_view valid);

  /// Whether the value at hand, which it passes, is one of them. As linear in the value as there are objects and arrays among
  /// them; logarithmic in the number of strings and numbers.
  [[nodiscard]] bool takes(json_cursor& at) const;
  /// The same of a whole text.
  [[nodiscard]] bool contains(std::string_view valid) const;
  /// The same of a string that is known by its characters.
  [[nodiscard]] bool contains_string(std::string_view text) const;

  /// Objects and arrays among them.
  [[nodiscard]] std::size_t nested() const noexcept { return nested_.size(); }

private:
  struct value {
    json_kind kind = json_kind::null;
    std::string scalar; ///< of a string its characters; of others but objects and arrays as it is written
    std::vector<std::string> names; ///< of an object's members, in order
    std::vector<value> parts;       ///< its members, by their names, or an array's elements
  };

  static value read(json_cursor& at);
  static bool take_equal(const value& expected, json_cursor& at);
  static bool take_equal_elements(const value& expected, json_cursor& at);
  static bool take_equal_members(const value& expected, json_cursor& at);

  std::vector<std::string> literals_;
  std::vector<std::string> strings_; ///< in order
  std::vector<std::string> numbers_; ///< in order of their values
  std::vector<value> nested_;
};

} // namespace vicket
