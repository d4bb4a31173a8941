#include "policy/endpoint_url.hpp"

#include <algorithm>
#include <charconv>

namespace vicket {

namespace {

constexpr std::size_t max_host_bytes = 253; // RFC 1035 2.3.4 without the root's dot
constexpr std::size_t max_label_bytes = 63;

using complaint = std::optional<std::string>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}
char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lowered(c); });
  return result;
}

std::string hex_byte(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// As it is written in a path or query: "%7B"; of a UTF-8 character all bytes.
std::string percent_escaped(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
}

/// Where path and query begin, or the end.
std::size_t target_begin(std::string_view url) {
  const auto scheme = url.find("://");
  return std::min(url.find_first_of("/?#", scheme == std::string_view::npos ? 0 : scheme + 3), url.size());
}

std::string_view character_at(std::string_view url, std::size_t at) {
  constexpr std::size_t most_bytes = 4;
  auto end = at + 1;
  while (end < url.size() && end - at < most_bytes && (static_cast<unsigned char>(url[end]) & 0xc0) == 0x80)
    ++end;
  return url.substr(at, end - at);
}

/// Nothing but visible ASCII, and no backslash: some parsers take it for a slash.
complaint bad_character(std::string_view url) {
  const auto target = target_begin(url);
  for (std::size_t i = 0; i < url.size(); ++i) {
    const auto byte = static_cast<unsigned char>(url[i]);
    if (byte > 0x20 && byte < 0x7f && byte != '\\')
      continue;
    const auto where = " at byte " + std::to_string(i);
    const auto in_target = i >= target && i + 1 < url.size(); // one at the end was not meant
    const auto instead =
        in_target ? "; write " + percent_escaped(character_at(url, i)) + " where it is meant" : "";
    if (byte == ' ')
      return "the URL has a space" + where + instead;
    if (byte < 0x20 || byte == 0x7f)
      return "the URL has a control character (" + hex_byte(url[i]) + ")" + where;
    if (byte == '\\')
      return "the URL has a backslash" + where + (i >= target ? "; write / or %5C, whichever is meant" : "");
    return "the URL has a non-ASCII character" + where +
           (i >= target ? "; write " + percent_escaped(character_at(url, i))
                        : "; write host names in their xn-- form");
  }
  return std::nullopt;
}

/// RFC 3986 3.3 and 3.4; `%` and what follows it is looked at elsewhere. Servers answer 400 to others (Tomcat's do),
/// at every attempt.
bool target_character(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@/?%";
  return is_digit(c) || is_lower_letter(lowered(c)) || others.find(c) != std::string_view::npos;
}

/// The scheme, its "://" consumed from `rest`.
complaint take_scheme(std::string_view& rest, bool allow_http, bool& tls) {
  const auto end = rest.find(':');
  const auto scheme = lowered(rest.substr(0, end));
  if (end == std::string_view::npos || rest.substr(end, 3) != "://")
    return "the URL must start with https://";
  if (scheme != "https" && scheme != "http")
    return "the URL's scheme must be https, not \"" + scheme.substr(0, 32) + "\"";
  if (scheme == "http" && !allow_http)
    return "the URL's scheme must be https; this node does not allow http";
  tls = scheme == "https";
  rest.remove_prefix(end + 3);
  return std::nullopt;
}

complaint take_port(std::string_view text, std::uint16_t& port) {
  unsigned value = 0;
  const bool digits = !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
  if (digits)
    std::from_chars(text.data(), text.data() + text.size(), value);
  if (!digits || text.front() == '0' || value > 65'535)
    return "the URL's port \"" + std::string{text.substr(0, 32)} +
           "\" must be 1 to 65535 in decimal, without leading zeros";
  port = static_cast<std::uint16_t>(value);
  return std::nullopt;
}

complaint label_complaint(std::string_view label, const std::string& host) {
  if (label.empty())
    return "the URL's host \"" + host + "\" has an empty label";
  if (label.size() > max_label_bytes)
    return "the URL's host has a label of " + std::to_string(label.size()) + " bytes; at most 63 are allowed";
  for (const char c : label)
    if (!is_lower_letter(c) && !is_digit(c) && c != '-' && c != '_')
      return "the URL's host \"" + host + "\" has the character '" + std::string{c} +
             "'; letters, digits, '-' and '_' are allowed";
  if (label.front() == '-' || label.back() == '-')
    return "the URL's host \"" + host + "\" has a label that starts or ends with '-'";
  return std::nullopt;
}

/// What a resolver may read as a number instead of a name: inet_aton takes 127.1, 0x7f.1, 017700000001,
/// 2130706433.
bool looks_numeric(std::string_view last_label) {
  return last_label.starts_with("0x") ||
         (!last_label.empty() && std::all_of(last_label.begin(), last_label.end(), is_digit));
}

complaint take_name(const std::string& host, endpoint_url& result) {
  if (host.find('%') != std::string::npos)
    return "the URL's host \"" + host + "\" has a percent escape";
  if (host.back() == '.')
    return "the URL's host \"" + host + "\" has a trailing dot; write it without: no certificate has one";
  if (host.size() > max_host_bytes)
    return "the URL's host has " + std::to_string(host.size()) + " bytes; at most 253 are allowed";
  const auto last_dot = host.rfind('.');
  if (looks_numeric(last_dot == std::string::npos ? host : host.substr(last_dot + 1))) {
    if (!ip_address::parse(host))
      return "the URL's host \"" + host +
             "\" looks like a number; an address must be four decimal numbers 0 to 255 without leading zeros";
    result.numeric = true;
  }
  for (std::size_t begin = 0; begin <= host.size();) {
    const auto end = std::min(host.find('.', begin), host.size());
    if (auto wrong = label_complaint(std::string_view{host}.substr(begin, end - begin), host))
      return wrong;
    begin = end + 1;
  }
  result.host = host;
  result.host_header = host;
  return std::nullopt;
}

complaint take_bracketed(std::string_view text, endpoint_url& result) {
  if (text.find('%') != std::string_view::npos)
    return "the URL's host [" + std::string{text} + "] has a zone or a percent escape";
  const auto address = ip_address::parse(text);
  if (!address || !address->v6)
    return "the URL's host [" + std::string{text} + "] is not an IPv6 address";
  result.host = address->to_string();
  result.host_header = "[" + result.host + "]";
  result.numeric = true;
  return std::nullopt;
}

/// `host[:port]`, all that an authority may hold.
complaint take_authority(std::string_view text, endpoint_url& result) {
  if (text.find('@') != std::string_view::npos)
    return "the URL must not have user info (a part that ends with '@' before the host); credentials go into "
           "a header";
  if (text.empty())
    return "the URL has no host";
  complaint wrong;
  std::string_view after_host;
  if (text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return "the URL's host has a [ without ]";
    wrong = take_bracketed(text.substr(1, end - 1), result);
    after_host = text.substr(end + 1);
    if (!wrong && !after_host.empty() && after_host.front() != ':')
      wrong = "the URL has something between ] and the port or path";
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    if (colon == 0)
      return "the URL has no host";
    wrong = take_name(lowered(text.substr(0, colon)), result);
    after_host = text.substr(colon);
  }
  const std::uint16_t scheme_port = result.tls ? 443 : 80;
  result.port = scheme_port;
  if (!wrong && !after_host.empty())
    wrong = take_port(after_host.substr(1), result.port);
  if (!wrong && result.port != scheme_port)
    result.host_header += ":" + std::to_string(result.port);
  return wrong;
}

/// How strictly path and query are read.
enum class target_form { rfc_3986, as_stored };

complaint take_target(std::string_view text, std::size_t begin, target_form form, endpoint_url& result) {
  const auto where = [&](std::size_t at) { return " at byte " + std::to_string(begin + at); };
  if (const auto at = text.find('#'); at != std::string_view::npos)
    return "the URL must not have a fragment ('#'" + where(at) +
           "): it would never be sent; write %23 where it belongs to the path or query";
  const auto hex = [](char c) { return is_digit(c) || (lowered(c) >= 'a' && lowered(c) <= 'f'); };
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (at + 2 >= text.size() || !hex(text[at + 1]) || !hex(text[at + 2]))
      return "the URL's path or query has a '%'" + where(at) +
             " that two hexadecimal digits do not follow; write %25 for a percent sign";
  const auto wrong = std::find_if_not(text.begin(), text.end(), target_character);
  if (form == target_form::rfc_3986 && wrong != text.end()) {
    const auto at = static_cast<std::size_t>(wrong - text.begin());
    return "the URL's path or query has the character '" + std::string{*wrong} + "'" + where(at) +
           ", which RFC 3986 does not allow there; write " + percent_escaped(text.substr(at, 1)) +
           (*wrong == '{' ? " (placeholders are not filled in)" : "");
  }
  result.target = text.starts_with('/') ? std::string{text} : "/" + std::string{text};
  return std::nullopt;
}

complaint take_apart(std::string_view url, bool allow_http, target_form form, endpoint_url& result) {
  if (url.size() > max_url_bytes)
    return "the URL has " + std::to_string(url.size()) + " bytes; at most " + std::to_string(max_url_bytes) +
           " are allowed";
  if (auto wrong = bad_character(url))
    return wrong;
  auto rest = url;
  if (auto wrong = take_scheme(rest, allow_http, result.tls))
    return wrong;
  const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  if (auto wrong = take_authority(rest.substr(0, authority_end), result))
    return wrong;
  rest.remove_prefix(authority_end);
  return take_target(rest, url.size() - rest.size(), form, result);
}

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

} // namespace

std::variant<endpoint_url, std::string> parse_endpoint_url(std::string_view url, bool allow_http) {
  endpoint_url result;
  if (auto wrong = take_apart(url, allow_http, target_form::rfc_3986, result))
    return *std::move(wrong);
  return result;
}

std::variant<endpoint_url, std::string> parse_stored_endpoint_url(std::string_view url) {
  endpoint_url result;
  if (auto wrong = take_apart(url, true, target_form::as_stored, result))
    return *std::move(wrong);
  return result;
}

std::optional<std::string> endpoint_denied(const endpoint_url& endpoint, const address_guard& guard) {
  if (endpoint.numeric) {
    const auto address = ip_address::parse(endpoint.host);
    return address ? guard.denied(*address) : "\"" + endpoint.host + "\" is not an address";
  }
  static const auto loopback_v4 = ip_address::parse("127.0.0.1").value();
  static const auto loopback_v6 = ip_address::parse("::1").value();
  if (is_localhost(endpoint.host) && guard.denied(loopback_v4) && guard.denied(loopback_v6))
    return "\"" + endpoint.host + "\" is this machine itself (RFC 6761)";
  return std::nullopt;
}

} // namespace vicket
