#include "policy/request_head.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace vicket {

namespace {

/// Enough for the lines that differ from request to request.
constexpr std::size_t changing_bytes = 320;

void append(std::string& lines, std::initializer_list<std::string_view> parts) {
  for (const auto part : parts)
    lines += part;
}

/// Without `Accept` rule sets of firewalls answer 403; without `Accept-Encoding` servers may compress their answers
/// (RFC 9110 12.5.3), which the history shows as they came.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> wishes{
    {{"Accept", "*/*"}, {"Accept-Encoding", "identity"}}};

bool same_name(std::string_view a, std::string_view b) {
  const auto lowered = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lowered(x) == lowered(y); });
}

/// In memory of secrets from the beginning.
secret_bytes lines_of(const opened_secrets& secrets) {
  constexpr std::string_view between = ": ";
  constexpr std::string_view end = "\r\n";
  std::size_t size = 0;
  for (const auto& [name, value] : secrets.headers)
    size += name.size() + between.size() + value.size() + end.size();
  auto lines = secret_bytes::of_size(size);
  auto* at = lines.data();
  for (const auto& [name, value] : secrets.headers)
    for (const auto part : {std::string_view{name}, between, value.view(), end})
      at = std::copy(part.begin(), part.end(), at);
  return lines;
}

} // namespace

request_head::request_head(const connector& settings, const opened_secrets& secrets, std::string_view version)
    : standard_webhooks_{settings.standard_webhooks} {
  append(constant_lines_,
         {"Content-Type: application/json\r\n", "User-Agent: Vicket-Webhooks/", version, "\r\n"});
  for (const auto& [name, value] : wishes)
    if (std::none_of(settings.headers.begin(), settings.headers.end(),
                     [wish = name](const auto& own) { return same_name(own.first, wish); }) &&
        std::none_of(secrets.headers.begin(), secrets.headers.end(),
                     [wish = name](const auto& own) { return same_name(own.first, wish); }))
      append(constant_lines_, {name, ": ", value, "\r\n"});
  for (const auto& [name, value] : settings.headers)
    append(constant_lines_, {name, ": ", value, "\r\n"});
  secret_lines_ = lines_of(secrets);
}

std::string request_head::header_lines(const event_id& id, std::int64_t unix_seconds, std::string_view body,
                                       const signing_key& key) const {
  std::string lines;
  lines.reserve(constant_lines_.size() + secret_lines_.size() +
                changing_bytes); // growing would leave a copy behind
  append(lines, {constant_lines_, secret_lines_.view(), "Content-Length: ", std::to_string(body.size()),
                 "\r\nX-Vicket-Signature: "});
  append_vicket_signature(lines, key, unix_seconds, body);
  if (standard_webhooks_) {
    const auto id_characters = id.to_chars();
    const std::string_view id_text{id_characters.data(), id_characters.size()};
    append(lines, {"\r\nwebhook-id: ", id_text, "\r\nwebhook-timestamp: ", std::to_string(unix_seconds),
                   "\r\nwebhook-signature: "});
    append_standard_webhooks_signature(lines, key, id_text, unix_seconds, body);
  }
  lines += "\r\n";
  return lines;
}

} // namespace vicket
