#include "net/upgrade_rules.hpp"

#include <algorithm>

namespace vicket::internal {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool contains(const std::vector<std::string>& items, std::string_view wanted) {
  return std::any_of(items.begin(), items.end(), [&](const std::string& one) { return same(one, wanted); });
}

} // namespace

std::string request_head::value(std::string_view name) const {
  std::string result;
  bool first = true;
  for (const auto& [key, text] : fields)
    if (same(key, name)) {
      result += (first ? "" : ", ") + text;
      first = false;
    }
  return result;
}

bool request_head::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return same(field.first, name); });
}

std::vector<std::string> list_items(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t'))
      item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t'))
      item.remove_suffix(1);
    if (!item.empty())
      items.emplace_back(item);
  }
  return items;
}

upgrade_answer judge_upgrade(const request_head& head, std::string_view path,
                             const std::vector<std::string>& sub_protocols) {
  if (head.target != path)
    return {404, "nothing is served here but " + std::string{path}};
  if (head.has("Origin"))
    return {403, "this is for engines; a browser is none (it sent an Origin)"};
  if (head.method != "GET" || !head.http_1_1)
    return {400, "an upgrade is a GET of HTTP/1.1"};
  if (!same(head.value("Upgrade"), "websocket") || !contains(list_items(head.value("Connection")), "upgrade"))
    return {
        426, "this port speaks WebSocket alone", {}, {{"Upgrade", "websocket"}, {"Connection", "upgrade"}}};
  if (head.value("Sec-WebSocket-Version") != "13")
    return {426, "this port speaks version 13 of WebSocket", {}, {{"Sec-WebSocket-Version", "13"}}};
  constexpr std::size_t key_bytes = 24; // 16 in base64
  if (head.value("Sec-WebSocket-Key").size() != key_bytes)
    return {400, "Sec-WebSocket-Key is missing or malformed"};
  if (head.has("Transfer-Encoding") || (head.has("Content-Length") && head.value("Content-Length") != "0"))
    return {400, "an upgrade has no body"};
  for (const auto& offered : list_items(head.value("Sec-WebSocket-Protocol")))
    for (const auto& known : sub_protocols)
      if (offered == known)
        return {101, {}, known};
  std::string names;
  for (const auto& known : sub_protocols)
    names += (names.empty() ? "" : ", ") + known;
  return {400, "none of the sub-protocols is known here; Sec-WebSocket-Protocol can be: " + names};
}

} // namespace vicket::internal
