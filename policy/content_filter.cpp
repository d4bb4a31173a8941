#include "policy/content_filter.hpp"

#include "policy/decimal.hpp"
#include "policy/json_cursor.hpp"
#include "policy/json_equality.hpp"
#include "policy/json_places.hpp"
#include "policy/json_strings.hpp"

#include <re2/re2.h>
#include <re2/stringpiece.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace vicket {

namespace {

namespace bounds = filter_bounds;

enum class comparison : std::uint8_t {
  eq,
  ne,
  in,
  exists,
  lt,
  le,
  gt,
  ge,
  prefix,
  suffix,
  contains,
  matches
};

struct operator_name {
  std::string_view name;
  comparison meant;
  std::string_view unmet; ///< what is said of a value that does not fit, before what it was compared with
};

constexpr std::array<operator_name, 12> operators{{
    {"eq", comparison::eq, "which does not equal"},
    {"ne", comparison::ne, "which equals"},
    {"in", comparison::in, "which is not in"},
    {"exists", comparison::exists, "and exists wants"},
    {"lt", comparison::lt, "which is not less than"},
    {"le", comparison::le, "which is not at most"},
    {"gt", comparison::gt, "which is not greater than"},
    {"ge", comparison::ge, "which is not at least"},
    {"prefix", comparison::prefix, "which does not begin with"},
    {"suffix", comparison::suffix, "which does not end with"},
    {"contains", comparison::contains, "which does not contain"},
    {"matches", comparison::matches, "which does not match"},
}};

re2::StringPiece piece_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// What a condition is about.
constexpr std::size_t event_name = static_cast<std::size_t>(-1); ///< else the number of a place in data

struct condition {
  const operator_name* by = nullptr;
  std::size_t about = event_name;
  std::string about_text;   ///< for a sentence
  std::string_view operand; ///< in the filter's text
  json_value_set values;    ///< of eq, ne, in, contains
  std::string text;         ///< the characters of an operand that is a string
  bool is_text = false;
  bool wanted = false;          ///< of exists
  std::unique_ptr<RE2> pattern; ///< of matches
};

struct node {
  enum class kind : std::uint8_t { all, any, negated, single };

  kind is = kind::all;
  std::string step;          ///< to its place from that of what it is a part of
  std::vector<node> parts;   ///< of `negated` one
  std::size_t condition = 0; ///< of `single`: its number
};

} // namespace

struct content_filter::compiled {
  std::string text;
  node root;
  std::vector<condition> conditions;
  json_places places;
  std::size_t patterns = 0;
};

/// Reads a filter that is known to be JSON without a name twice.
class content_filter::compiler {
public:
  explicit compiler(compiled& into) : into_{into} {}

  std::optional<json_fault> fault;

  /// An object of conditions, all of which have to hold.
  bool read_filter(json_cursor& at, node& result) {
    result.is = node::kind::all;
    if (at.kind() != json_kind::object)
      return complain("must be an object");
    return each_member(at, result, [&](const std::string& name, json_cursor& value, node& part) {
      if (name == "all" || name == "any")
        return read_several(value, part, name == "all" ? node::kind::all : node::kind::any);
      if (name == "not") {
        part.is = node::kind::negated;
        return read_filter(value, part.parts.emplace_back());
      }
      return read_tests(value, part, name);
    });
  }

private:
  bool complain(std::string what) {
    fault = json_fault{place_, std::move(what)};
    return false;
  }

  /// The next part of `of`, which `read(part)` reads, one step further.
  template <class Read>
  bool read_part(node& of, std::string_view token, Read read) {
    const auto before = place_.size();
    append_pointer_token(place_, token);
    auto& part = of.parts.emplace_back();
    part.step = place_.substr(before);
    if (!read(part))
      return false;
    place_.resize(before);
    return true;
  }

  /// Each member as a part, `read(name, value, part)`; at least one.
  template <class Read>
  bool each_member(json_cursor& at, node& result, Read read) {
    at.enter();
    for (json_string name; at.next_member(name);) {
      const auto text = name.text();
      if (!read_part(result, text, [&](node& part) { return read(text, at, part); }))
        return false;
    }
    return !result.parts.empty() || complain("is empty");
  }

  bool read_several(json_cursor& at, node& result, node::kind kind) {
    result.is = kind;
    if (at.kind() != json_kind::array)
      return complain("must be an array of filters");
    at.enter();
    while (at.next_element())
      if (!read_part(result, std::to_string(result.parts.size()),
                     [&](node& part) { return read_filter(at, part); }))
        return false;
    return !result.parts.empty() || complain("is empty");
  }

  bool read_tests(json_cursor& at, node& result, const std::string& about) {
    result.is = node::kind::all;
    auto number = event_name;
    if (about != "event") {
      if (!about.empty() && about.front() != '/')
        return complain(
            "\"" + shown_text(about) +
            "\" is none of event, all, any, not and no pointer into data: those begin with a slash");
      auto pointer = json_pointer::parse(about);
      if (auto* wrong = std::get_if<std::string>(&pointer))
        return complain(std::move(*wrong));
      number = into_.places.add(std::get<json_pointer>(pointer));
    }
    if (at.kind() != json_kind::object)
      return complain("must be an object of operators, such as {\"eq\": …}");
    return each_member(at, result, [&](const std::string& name, json_cursor& operand, node& part) {
      part.is = node::kind::single;
      part.condition = into_.conditions.size();
      auto& made = into_.conditions.emplace_back();
      made.about = number;
      made.about_text = about.empty() ? "data" : shown_text(about);
      return read_operator(operand, made, name);
    });
  }

  bool count_condition() {
    return ++conditions_ <= bounds::conditions ||
           complain("is one too many: a filter may have " + std::to_string(bounds::conditions) +
                    " conditions, where an object or array in `in` counts as one");
  }

  bool read_operator(json_cursor& at, condition& result, const std::string& name) {
    const auto known = std::ranges::find(operators, name, &operator_name::name);
    if (known == operators.end())
      return complain("\"" + shown_text(name) +
                      "\" is no operator; there are eq, ne, in, exists, lt, le, gt, ge, "
                      "prefix, suffix, contains and matches");
    result.by = &*known;
    if (!count_condition())
      return false;
    const auto kind = at.kind();
    auto once_more = at;
    result.operand = at.skip();
    if (kind == json_kind::string) {
      result.text = once_more.string().text();
      result.is_text = true;
    }
    switch (known->meant) {
    case comparison::eq:
    case comparison::ne:
    case comparison::contains:
      result.values.add(result.operand);
      return true;
    case comparison::in:
      return kind == json_kind::array ? read_list(once_more, result) : complain("must be an array of values");
    case comparison::exists:
      result.wanted = result.operand == "true";
      return kind == json_kind::boolean || complain("must be true or false");
    case comparison::lt:
    case comparison::le:
    case comparison::gt:
    case comparison::ge:
      return kind == json_kind::number || result.is_text || complain("must be a number or a string");
    case comparison::prefix:
    case comparison::suffix:
      return result.is_text || complain("must be a string");
    case comparison::matches:
      return result.is_text ? read_pattern(result) : complain("must be a string: a regular expression");
    }
    return false;
  }

  bool read_list(json_cursor& at, condition& result) {
    at.enter();
    bool is_empty = true;
    for (std::size_t nested = 1; at.next_element(); is_empty = false) { // the first one is the operator's
      result.values.add(at.skip());
      if (result.values.nested() > nested) {
        ++nested;
        if (!count_condition())
          return false;
      }
    }
    return !is_empty || complain("is empty");
  }

  bool read_pattern(condition& result) {
    if (result.text.size() > bounds::pattern_bytes)
      return complain("has " + std::to_string(result.text.size()) + " bytes; at most " +
                      std::to_string(bounds::pattern_bytes) + " are allowed");
    if (++into_.patterns > bounds::patterns)
      return complain("is one too many: a filter may have " + std::to_string(bounds::patterns) +
                      " regular expressions");
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(static_cast<std::int64_t>(bounds::pattern_memory_bytes));
    result.pattern = std::make_unique<RE2>(piece_of(result.text), options);
    return result.pattern->ok() ||
           complain("is no regular expression that RE2 takes: " + shown_text(result.pattern->error()));
  }

  compiled& into_;
  std::string place_;
  std::size_t conditions_ = 0;
};

/// One event before a filter.
class content_filter::judge {
public:
  judge(const compiled& filter, std::string_view event, std::string_view data)
      : filter_{filter}, event_{event} {
    if (filter.places.size() > 0)
      filter.places.find(data, found_);
  }

  [[nodiscard]] bool holds(const node& part) const {
    const auto each = [this](const node& one) { return holds(one); };
    switch (part.is) {
    case node::kind::all:
      return std::ranges::all_of(part.parts, each);
    case node::kind::any:
      return std::ranges::any_of(part.parts, each);
    case node::kind::negated:
      return !holds(part.parts.front());
    case node::kind::single:
      break;
    }
    const auto& asked = filter_.conditions[part.condition];
    return asked.about == event_name ? event_fits(asked) : value_fits(asked, found_[asked.about]);
  }

  /// The same, and why not.
  bool holds(const node& part, const std::string& before, std::vector<filter_mismatch>& why_not) const {
    const auto place = before + part.step;
    const auto each = [&](const node& one) { return holds(one, place, why_not); };
    switch (part.is) {
    case node::kind::all:
      return std::ranges::all_of(part.parts, each);
    case node::kind::any: {
      const auto so_far = why_not.size();
      if (!std::ranges::any_of(part.parts, each))
        return false;
      why_not.resize(so_far); // others would have done, but need not
      return true;
    }
    case node::kind::negated:
      if (!holds(part.parts.front()))
        return true;
      return add(why_not, {place, "what is in it holds, and must not"});
    case node::kind::single:
      break;
    }
    return holds(part) || add(why_not, {place, sentence_about(filter_.conditions[part.condition])});
  }

private:
  static bool add(std::vector<filter_mismatch>& to, filter_mismatch one) {
    if (to.size() < max_mismatches)
      to.push_back(std::move(one));
    return false;
  }

  [[nodiscard]] bool event_fits(const condition& asked) const {
    switch (asked.by->meant) {
    case comparison::eq:
    case comparison::in:
      return asked.values.contains_string(event_);
    case comparison::ne:
      return !asked.values.contains_string(event_);
    case comparison::exists:
      return asked.wanted;
    default:
      return asked.is_text && text_fits(asked, event_);
    }
  }

  [[nodiscard]] static bool value_fits(const condition& asked, std::string_view value) {
    if (value.empty())
      return asked.by->meant == comparison::exists && !asked.wanted;
    json_cursor at{value};
    switch (asked.by->meant) {
    case comparison::eq:
    case comparison::in:
      return asked.values.takes(at);
    case comparison::ne:
      return !asked.values.takes(at);
    case comparison::exists:
      return asked.wanted;
    default:
      break;
    }
    switch (at.kind()) {
    case json_kind::string: {
      const auto written = at.string();
      return asked.is_text &&
             (written.escaped ? text_fits(asked, written.text()) : text_fits(asked, written.raw));
    }
    case json_kind::number:
      return !asked.is_text && number_fits(asked, value);
    case json_kind::array:
      return asked.by->meant == comparison::contains && has_element(asked, at);
    default:
      return false;
    }
  }

  [[nodiscard]] static bool text_fits(const condition& asked, std::string_view text) {
    switch (asked.by->meant) {
    case comparison::prefix:
      return text.starts_with(asked.text);
    case comparison::suffix:
      return text.ends_with(asked.text);
    case comparison::contains: // in linear time, which std::string_view::find is not
      return ::memmem(text.data(), text.size(), asked.text.data(), asked.text.size()) != nullptr;
    case comparison::matches:
      return asked.pattern->Match(piece_of(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
    default: // the order of bytes in UTF-8 is that of the code points
      return is_ordered(asked.by->meant, text <=> asked.text);
    }
  }

  [[nodiscard]] static bool number_fits(const condition& asked, std::string_view number) {
    switch (asked.by->meant) {
    case comparison::lt:
    case comparison::le:
    case comparison::gt:
    case comparison::ge:
      return is_ordered(asked.by->meant, compare_numbers(number, asked.operand));
    default:
      return false;
    }
  }

  [[nodiscard]] static bool is_ordered(comparison meant, std::strong_ordering order) {
    switch (meant) {
    case comparison::lt:
      return order < 0;
    case comparison::le:
      return order <= 0;
    case comparison::gt:
      return order > 0;
    default:
      return order >= 0;
    }
  }

  [[nodiscard]] static bool has_element(const condition& asked, json_cursor& at) {
    at.enter();
    while (at.next_element())
      if (asked.values.takes(at))
        return true;
    return false;
  }

  [[nodiscard]] std::string sentence_about(const condition& asked) const {
    std::string value;
    if (asked.about == event_name)
      append_json_string(value, event_);
    else
      value = found_[asked.about];
    if (value.empty())
      return asked.about_text + " is missing";
    return asked.about_text + " is " + shown_text(value) + ", " + std::string{asked.by->unmet} + " " +
           shown_text(asked.operand);
  }

  const compiled& filter_;
  std::string_view event_;
  std::vector<std::string_view> found_; ///< by the number of the place
};

std::variant<content_filter, json_fault> content_filter::compile(std::string_view json) {
  if (json.size() > bounds::bytes)
    return json_fault{"", "has " + std::to_string(json.size()) + " bytes; at most " +
                              std::to_string(bounds::bytes) + " are allowed"};
  if (auto wrong = json_complaint(json, bounds::depth))
    return *std::move(wrong);
  auto result = std::make_unique<compiled>();
  static_cast<void>(append_compact_json(result->text, json, bounds::depth, bounds::bytes));
  compiler reading{*result};
  json_cursor at{result->text};
  if (!reading.read_filter(at, result->root))
    return *std::move(reading.fault);
  return content_filter{std::move(result)};
}

content_filter::content_filter(std::unique_ptr<const compiled> from) : compiled_{std::move(from)} {}
content_filter::content_filter(content_filter&&) noexcept = default;
content_filter& content_filter::operator=(content_filter&&) noexcept = default;
content_filter::~content_filter() = default;

const std::string& content_filter::text() const noexcept {
  return compiled_->text;
}

bool content_filter::matches(std::string_view event, std::string_view data) const {
  return judge{*compiled_, event, data}.holds(compiled_->root);
}

std::vector<filter_mismatch> content_filter::mismatches(std::string_view event, std::string_view data) const {
  std::vector<filter_mismatch> result;
  static_cast<void>(judge{*compiled_, event, data}.holds(compiled_->root, {}, result));
  return result;
}

std::size_t content_filter::patterns() const noexcept {
  return compiled_->patterns;
}

std::size_t content_filter::conditions() const noexcept {
  return compiled_->conditions.size();
}

std::size_t content_filter::most_memory_bytes() const noexcept {
  constexpr std::size_t in_memory_of_each_byte = 16; // nodes, their places, what values are compared with
  return compiled_->text.size() * in_memory_of_each_byte + compiled_->patterns * bounds::pattern_memory_bytes;
}

} // namespace vicket
