#include "policy/json_pointer.hpp"

#include <algorithm>
#include <utility>

namespace vicket {

namespace {

/// The token with its escapes undone; false: a tilde is followed by something else than 0 or 1.
bool undo_escapes(std::string_view token, std::string& into) {
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      into += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1'))
      return false;
    into += token[i] == '0' ? '~' : '/';
  }
  return true;
}

} // namespace

std::variant<json_pointer, std::string> json_pointer::parse(std::string_view text) {
  if (text.size() > max_bytes)
    return "a pointer has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(max_bytes) +
           " are allowed";
  json_pointer result;
  if (text.empty())
    return result;
  if (text.front() != '/')
    return std::string{"a pointer (RFC 6901) begins with a slash"};
  if (const auto steps = static_cast<std::size_t>(std::count(text.begin(), text.end(), '/'));
      steps > max_tokens)
    return "a pointer has " + std::to_string(steps) + " steps; at most " + std::to_string(max_tokens) +
           " are allowed";
  while (!text.empty()) {
    text.remove_prefix(1);
    const auto token = text.substr(0, text.find('/'));
    text.remove_prefix(token.size());
    std::string name;
    if (!undo_escapes(token, name))
      return std::string{"in a pointer (RFC 6901) ~ is written ~0, and a slash in a name ~1"};
    result.tokens_.push_back(std::move(name));
  }
  return result;
}

void append_pointer_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (const char c : token) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

} // namespace vicket
