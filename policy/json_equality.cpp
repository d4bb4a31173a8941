#include "policy/json_equality.hpp"

#include "policy/decimal.hpp"

#include <algorithm>
#include <compare>
#include <utility>

namespace vicket {

namespace {

constexpr auto is_less = [](std::string_view a, std::string_view b) { return compare_numbers(a, b) < 0; };

bool is_text(const json_string& written, std::string_view text) {
  return written.escaped ? written.text() == text : written.raw == text;
}

} // namespace

void json_value_set::add(std::string_view valid) {
  json_cursor at{valid};
  auto one = read(at);
  switch (one.kind) {
  case json_kind::object:
  case json_kind::array:
    nested_.push_back(std::move(one));
    return;
  case json_kind::string:
    strings_.insert(std::ranges::lower_bound(strings_, one.scalar), one.scalar);
    return;
  case json_kind::number:
    numbers_.insert(std::ranges::lower_bound(numbers_, one.scalar, is_less), one.scalar);
    return;
  default:
    literals_.push_back(std::move(one.scalar));
  }
}

json_value_set::value json_value_set::read(json_cursor& at) {
  value result;
  result.kind = at.kind();
  switch (result.kind) {
  case json_kind::object: {
    at.enter();
    for (json_string name; at.next_member(name);) {
      auto plain = name.text();
      const auto place = std::ranges::lower_bound(result.names, plain) - result.names.begin();
      result.names.insert(result.names.begin() + place, std::move(plain));
      result.parts.insert(result.parts.begin() + place, read(at));
    }
    return result;
  }
  case json_kind::array:
    at.enter();
    while (at.next_element())
      result.parts.push_back(read(at));
    return result;
  case json_kind::string:
    result.scalar = at.string().text();
    return result;
  default:
    result.scalar = at.skip();
    return result;
  }
}

bool json_value_set::contains(std::string_view valid) const {
  json_cursor at{valid};
  return takes(at);
}

bool json_value_set::contains_string(std::string_view text) const {
  return std::ranges::binary_search(strings_, text,
                                    [](std::string_view a, std::string_view b) { return a < b; });
}

bool json_value_set::takes(json_cursor& at) const {
  switch (at.kind()) {
  case json_kind::object:
  case json_kind::array: {
    const auto written = at.skip();
    return std::ranges::any_of(nested_, [written](const auto& one) {
      json_cursor again{written};
      return take_equal(one, again);
    });
  }
  case json_kind::string: {
    const auto text = at.string();
    return text.escaped ? contains_string(text.text()) : contains_string(text.raw);
  }
  case json_kind::number:
    return std::ranges::binary_search(numbers_, at.skip(), is_less);
  default:
    return std::ranges::find(literals_, at.skip()) != literals_.end();
  }
}

/// Passes the value, whether it is equal or not. As deep as what is expected.
bool json_value_set::take_equal(const value& expected, json_cursor& at) {
  const auto kind = at.kind();
  if (kind != expected.kind) {
    at.skip();
    return false;
  }
  switch (kind) {
  case json_kind::object:
    return take_equal_members(expected, at);
  case json_kind::array:
    return take_equal_elements(expected, at);
  case json_kind::string:
    return is_text(at.string(), expected.scalar);
  case json_kind::number:
    return compare_numbers(at.skip(), expected.scalar) == 0;
  default:
    return at.skip() == expected.scalar;
  }
}

bool json_value_set::take_equal_elements(const value& expected, json_cursor& at) {
  at.enter();
  for (const auto& each : expected.parts) {
    if (!at.next_element())
      return false;
    if (!take_equal(each, at)) {
      at.leave();
      return false;
    }
  }
  if (!at.next_element())
    return true;
  at.leave();
  return false;
}

bool json_value_set::take_equal_members(const value& expected, json_cursor& at) {
  at.enter();
  std::vector<bool> are_equal(expected.parts.size()); // what comes later under the same name decides
  bool only_expected = true;
  std::string unescaped;
  for (json_string name; at.next_member(name);) {
    auto plain = name.raw;
    if (name.escaped)
      plain = unescaped = name.text();
    const auto found = std::ranges::lower_bound(expected.names, plain);
    if (found == expected.names.end() || *found != plain) {
      only_expected = false;
      at.skip();
    } else {
      const auto place = static_cast<std::size_t>(found - expected.names.begin());
      are_equal[place] = take_equal(expected.parts[place], at);
    }
  }
  return only_expected && std::ranges::all_of(are_equal, [](bool equal) { return equal; });
}

} // namespace vicket
