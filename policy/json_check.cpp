#include "policy/json_check.hpp"

#include "policy/json_pointer.hpp"
#include "policy/json_reader.hpp"
#include "policy/text_form.hpp"
#include "policy/utf8.hpp"

#include <set>
#include <utility>
#include <vector>

namespace vicket {

namespace {

/// Knows which names the objects that are open have.
class names_once {
public:
  std::string twice; ///< the pointer to the first member whose name its object has already

  bool literal(std::string_view) { return value(); }
  bool number(std::string_view) { return value(); }
  bool string(const json_string&) { return value(); }
  bool key(const json_string& name) {
    auto& at = open_.back();
    at.last = name.text();
    if (at.names.insert(at.last).second)
      return true;
    for (const auto& each : open_)
      append_pointer_token(twice, each.is_object ? each.last : std::to_string(each.values - 1));
    return false;
  }
  bool begin_object(std::size_t) { return open(true); }
  bool end_object(std::size_t) { return close(); }
  bool begin_array(std::size_t) { return open(false); }
  bool end_array(std::size_t) { return close(); }

private:
  struct level {
    bool is_object = false;
    std::set<std::string> names;
    std::string last;
    std::size_t values = 0; ///< that have begun
  };

  bool value() {
    if (!open_.empty())
      ++open_.back().values;
    return true;
  }
  bool open(bool object) {
    value();
    open_.emplace_back().is_object = object;
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<level> open_;
};

} // namespace

std::string json_fault::sentence(std::string_view below) const {
  const auto at = std::string{below} + place;
  return at.empty() ? what : at + ": " + what;
}

std::optional<json_fault> json_complaint(std::string_view text, std::size_t max_depth) {
  if (const auto at = first_invalid_utf8(text))
    return json_fault{"", "is not valid JSON at " + line_and_column(text, *at) + ": it is not UTF-8 there"};
  names_once names;
  const auto stopped = json_reader{text, max_depth, names}.read();
  switch (stopped.why) {
  case json_stop::reason::complete:
    return std::nullopt;
  case json_stop::reason::handler:
    return json_fault{std::move(names.twice), "is there twice"};
  case json_stop::reason::too_deep:
    return json_fault{"", "is nested more than " + std::to_string(max_depth) + " deep"};
  case json_stop::reason::syntax:
    break;
  }
  return json_fault{"", "is not valid JSON at " + line_and_column(text, stopped.at) + ": " +
                            std::string{stopped.what}};
}

std::string shown_text(std::string_view text) {
  constexpr std::size_t shown_bytes = 80;
  auto shown = text.substr(0, shown_bytes);
  if (shown.size() < text.size())
    shown = shown.substr(0, whole_utf8_bytes(shown));
  std::string result{shown};
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return result + (shown.size() < text.size() ? "…" : "");
}

} // namespace vicket
