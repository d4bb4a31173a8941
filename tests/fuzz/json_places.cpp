// A pointer and a JSON text: what is found there is what a reader that builds everything finds.

#include "tests/fuzz/fuzz_target.hpp"

#include "policy/json_places.hpp"
#include "policy/json_strings.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace vicket;

/// All of a text, in memory.
struct tree {
  enum class kind { scalar, object, array } is = kind::scalar;
  std::string text;               ///< of a scalar, compact
  std::vector<std::string> names; ///< of an object's members
  std::vector<tree> parts;        ///< its members, or an array's elements
};

class builder {
public:
  tree root;

  bool literal(std::string_view text) { return add({tree::kind::scalar, std::string{text}, {}, {}}); }
  bool number(std::string_view text) { return literal(text); }
  bool string(const json_string& text) {
    std::string compact;
    append_json_string(compact, text.text());
    return literal(compact);
  }
  bool key(const json_string& name) {
    open_.back().names.push_back(name.text());
    return true;
  }
  bool begin_object(std::size_t) { return open(tree::kind::object); }
  bool end_object(std::size_t) { return close(); }
  bool begin_array(std::size_t) { return open(tree::kind::array); }
  bool end_array(std::size_t) { return close(); }

private:
  bool add(tree value) {
    (open_.empty() ? root : open_.back().parts.emplace_back()) = std::move(value);
    return true;
  }
  bool open(tree::kind is) {
    open_.push_back({is, {}, {}, {}});
    return true;
  }
  bool close() {
    auto value = std::move(open_.back());
    open_.pop_back();
    return add(std::move(value));
  }

  std::vector<tree> open_;
};

void write(const tree& value, std::string& out) {
  if (value.is == tree::kind::scalar) {
    out += value.text;
    return;
  }
  const bool object = value.is == tree::kind::object;
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < value.parts.size(); ++i) {
    out += i == 0 ? "" : ",";
    if (object) {
      append_json_string(out, std::string_view{value.names[i]});
      out += ':';
    }
    write(value.parts[i], out);
  }
  out += object ? '}' : ']';
}

const tree* step(const tree& from, const std::string& token) {
  const tree* last = nullptr;
  for (std::size_t i = 0; i < from.parts.size(); ++i)
    if (token == (from.is == tree::kind::object ? from.names[i] : std::to_string(i)))
      last = &from.parts[i];
  return last;
}

std::string compact(std::string_view json) {
  std::string out;
  EXPECT_THAT_IT_HOLDS(append_compact_json(out, json, most_json_depth, 6 * json.size() + 6) ==
                       json_stop::reason::complete);
  return out;
}

} // namespace

VICKET_FUZZ_TARGET(json_places) {
  // Some pointers, a line each, then the text.
  if (first_invalid_utf8(input))
    return;
  vicket::json_places places;
  std::vector<json_pointer> pointers;
  std::vector<std::size_t> numbers;
  while (input.starts_with('/') || input.starts_with('\n')) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    auto parsed = json_pointer::parse(line);
    if (std::holds_alternative<std::string>(parsed))
      continue;
    auto& one = pointers.emplace_back(std::get<json_pointer>(std::move(parsed)));
    std::string written;
    for (const auto& token : one.tokens())
      append_pointer_token(written, token);
    EXPECT_THAT_IT_HOLDS(written == line);
    numbers.push_back(places.add(one));
  }
  builder reading;
  if (json_reader{input, 128, reading}.read().why != json_stop::reason::complete)
    return;
  std::string whole;
  write(reading.root, whole);
  EXPECT_THAT_IT_HOLDS(compact(input) == whole);
  std::vector<std::string_view> found;
  places.find(input, found);
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    const auto* expected = &reading.root;
    for (const auto& token : pointers[i].tokens())
      expected = expected == nullptr ? nullptr : step(*expected, token);
    const auto value = found.at(numbers[i]);
    EXPECT_THAT_IT_HOLDS(value.empty() == (expected == nullptr));
    if (expected == nullptr)
      continue;
    std::string written;
    write(*expected, written);
    EXPECT_THAT_IT_HOLDS(compact(value) == written);
  }
}
