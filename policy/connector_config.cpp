#include "policy/connector_config.hpp"

#include "policy/content_filter.hpp"
#include "policy/endpoint_url.hpp"
#include "policy/secret.hpp"
#include "policy/utf8.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <variant>

namespace vicket {

namespace {

namespace bounds = connector_bounds;

using complaint = std::optional<std::string>;

// Set by the engine, or about the connection and thus not the connector's to set (RFC 9110 7.6.1, RFC 9112).
constexpr std::array<std::string_view, 15> reserved_headers{"x-vicket-signature",
                                                            "content-type",
                                                            "content-encoding",
                                                            "content-range",
                                                            "user-agent",
                                                            "content-length",
                                                            "host",
                                                            "connection",
                                                            "http2-settings",
                                                            "transfer-encoding",
                                                            "te",
                                                            "trailer",
                                                            "upgrade",
                                                            "expect",
                                                            "keep-alive"};
constexpr std::array<std::string_view, 2> reserved_prefixes{"webhook-", "proxy-"};

// What names the sender to the receiver (RFC 9110 11.6.2, 11.7.2; RFC 6265 4.2): not among what is stored and shown in
// the clear.
constexpr std::array<std::string_view, 3> credentials{"authorization", "proxy-authorization", "cookie"};

std::string lowered(std::string_view text) {
  std::string result{text};
  for (char& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// For a complaint: whatever was given, in quotes, on one line and not too long.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown_bytes = 80;
  auto shown = with_replaced_invalid_utf8(text.substr(0, shown_bytes));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return "\"" + shown + (text.size() > shown_bytes ? "…\"" : "\"");
}

template <class Number>
complaint out_of_range(std::string_view field, Number given, Number least, Number most) {
  if (given >= least && given <= most)
    return std::nullopt;
  return std::string{field} + " is " + std::to_string(given) + "; " + std::to_string(least) + " to " +
         std::to_string(most) + " is allowed";
}

complaint too_long(const std::string& field, std::string_view text, std::size_t most) {
  if (text.size() <= most)
    return std::nullopt;
  return field + " has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(most) +
         " are allowed";
}

complaint not_utf8(const std::string& field, std::string_view text) {
  if (const auto at = first_invalid_utf8(text))
    return field + " is not UTF-8 at byte " + std::to_string(*at);
  return std::nullopt;
}

complaint id_complaint(const connector_id& id) {
  if (id.valid())
    return std::nullopt;
  return "id is " + quoted(id.value) + "; 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed";
}

complaint name_complaint(const std::string& name) {
  if (auto wrong = too_long("name", name, bounds::name_bytes))
    return wrong;
  return not_utf8("name", name);
}

complaint url_complaint(const std::string& url, const connector_rules& rules) {
  auto parsed = parse_endpoint_url(url, rules.allow_http);
  if (auto* wrong = std::get_if<std::string>(&parsed))
    return "url: " + *wrong;
  if (auto denied = endpoint_denied(std::get<endpoint_url>(parsed), rules.guard))
    return "url: deliveries may not go there: " + *denied;
  return std::nullopt;
}

/// RFC 9110 5.6.2.
bool token_character(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

complaint header_name_complaint(const std::string& list, const std::string& name) {
  const auto field = list + ": the name " + quoted(name);
  if (name.empty() || !std::all_of(name.begin(), name.end(), token_character))
    return field + " is no HTTP field name (RFC 9110 5.6.2)";
  if (auto wrong = too_long(field, name, bounds::header_name_bytes))
    return wrong;
  const auto low = lowered(name);
  if (is_credential_header(low))
    return list == "secret_headers" ? complaint{}
                                    : field + " is a credential: put it into secret_headers, which are "
                                              "encrypted at rest and never shown";
  const auto begins_it = [&](std::string_view prefix) { return low.starts_with(prefix); };
  if (std::find(reserved_headers.begin(), reserved_headers.end(), low) != reserved_headers.end() ||
      std::any_of(reserved_prefixes.begin(), reserved_prefixes.end(), begins_it))
    return field + " is set by the engine or belongs to the connection; it cannot be set here";
  return std::nullopt;
}

complaint header_value_complaint(const std::string& list, const std::string& name, const std::string& value) {
  const auto field = list + ": the value of " + quoted(name);
  if (auto wrong = too_long(field, value, bounds::header_value_bytes))
    return wrong;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (value[i] != '\t' && (value[i] < 0x20 || value[i] > 0x7e))
      return field + " has something else than visible ASCII, blanks and tabs at byte " + std::to_string(i);
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (blank(value.front()) || blank(value.back())))
    return field + " begins or ends with a blank, which no receiver would see (RFC 9110 5.5)";
  return std::nullopt;
}

complaint header_complaint(const std::string& list, const std::string& name, const std::string& value,
                           std::vector<std::string>& seen) {
  if (auto wrong = header_name_complaint(list, name))
    return wrong;
  if (auto wrong = header_value_complaint(list, name, value))
    return wrong;
  if (std::find(seen.begin(), seen.end(), lowered(name)) != seen.end())
    return list + ": the name " + quoted(name) + " is there twice (upper and lower case are the same)";
  seen.push_back(lowered(name));
  return std::nullopt;
}

complaint headers_complaint(const connector& settings) {
  const auto count = settings.headers.size() + settings.secret_headers.size();
  if (count > bounds::headers)
    return std::string{settings.secret_headers.empty() ? "headers has "
                                                       : "headers and secret_headers have "} +
           std::to_string(count) + " entries; at most 32 are allowed";
  std::vector<std::string> seen;
  for (const auto& [name, value] : settings.headers)
    if (auto wrong = header_complaint("headers", name, value, seen))
      return wrong;
  for (const auto& [name, value] : settings.secret_headers) {
    if (auto wrong = header_complaint("secret_headers", name, value.value, seen))
      return wrong;
    if (value.empty())
      return "secret_headers: the value of " + quoted(name) + " is empty";
  }
  return std::nullopt;
}

complaint secret_field_complaint(const secret_text& given) {
  const auto& secret = given.value;
  if (given.empty() || given.is_hidden()) // the node's to say whether there is one to keep
    return std::nullopt;
  if (auto wrong = secret_complaint(secret))
    return "secret: " + *wrong;
  if (secret.size() < min_secret_bytes)
    return "secret: the secret has " + std::to_string(secret.size()) + " characters; at least " +
           std::to_string(min_secret_bytes) + " are needed";
  return std::nullopt;
}

complaint events_complaint(const std::vector<std::string>& patterns) {
  if (patterns.size() > bounds::patterns)
    return "events has " + std::to_string(patterns.size()) + " patterns; at most 64 are allowed";
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto field = "events[" + std::to_string(i) + "]";
    if (patterns[i].empty())
      return field + " is empty; 1 to 256 bytes are allowed";
    if (auto wrong = too_long(field, patterns[i], bounds::pattern_bytes))
      return wrong;
    if (auto wrong = not_utf8(field, patterns[i]))
      return wrong;
  }
  return std::nullopt;
}

complaint filter_complaint(const std::string& filter_json) {
  if (filter_json.empty())
    return std::nullopt;
  const auto compiled = content_filter::compile(filter_json);
  if (const auto* fault = std::get_if<json_fault>(&compiled))
    return fault->sentence("/filter");
  return std::nullopt;
}

complaint rate_complaint(const std::optional<rate_limit>& rate) {
  if (!rate)
    return std::nullopt;
  if (auto wrong = out_of_range("rate.limit", rate->limit, 1U, bounds::rate_limit))
    return wrong;
  if (auto wrong = out_of_range("rate.per_ms", rate->per_ms, 1U, bounds::rate_per_ms))
    return wrong;
  return out_of_range("rate.burst", rate->burst, 1U, bounds::rate_burst);
}

complaint retry_complaint(const retry_policy& retry) {
  if (auto wrong = out_of_range<std::int64_t>("retry.base_ms", retry.base_ms, 1, bounds::retry_base_ms))
    return wrong;
  if (!std::isfinite(retry.factor) || retry.factor < 1 || retry.factor > bounds::retry_factor)
    return "retry.factor is " + std::to_string(retry.factor) + "; 1 to 100 is allowed";
  if (auto wrong = out_of_range<std::int64_t>("retry.cap_ms", retry.cap_ms, 1, bounds::retry_cap_ms))
    return wrong;
  if (retry.base_ms > retry.cap_ms)
    return "retry.base_ms is " + std::to_string(retry.base_ms) + "; at most retry.cap_ms, " +
           std::to_string(retry.cap_ms) + ", is allowed";
  if (auto wrong = out_of_range("retry.max_attempts", retry.max_attempts, 0U, bounds::retry_attempts))
    return wrong;
  return out_of_range<std::int64_t>("retry.max_age_ms", retry.max_age_ms, 1, bounds::retry_age_ms);
}

} // namespace

bool is_credential_header(std::string_view name) {
  return std::find(credentials.begin(), credentials.end(), lowered(name)) != credentials.end();
}

std::optional<std::string> connector_complaint(const connector& settings, const connector_rules& rules) {
  if (auto wrong = id_complaint(settings.id))
    return wrong;
  if (auto wrong = name_complaint(settings.name))
    return wrong;
  if (auto wrong = url_complaint(settings.url, rules))
    return wrong;
  if (auto wrong = secret_field_complaint(settings.secret))
    return wrong;
  if (auto wrong = headers_complaint(settings))
    return wrong;
  if (auto wrong = events_complaint(settings.events))
    return wrong;
  if (auto wrong = filter_complaint(settings.filter_json))
    return wrong;
  if (auto wrong = rate_complaint(settings.rate))
    return wrong;
  if (auto wrong = out_of_range("max_in_flight", settings.max_in_flight, 1U, bounds::in_flight))
    return wrong;
  if (auto wrong =
          out_of_range("timeout_ms", settings.timeout_ms, bounds::min_timeout_ms, bounds::max_timeout_ms))
    return wrong;
  return retry_complaint(settings.retry);
}

} // namespace vicket
