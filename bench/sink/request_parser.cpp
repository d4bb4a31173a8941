#include "bench/sink/request_parser.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vicket::bench {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

/// What the head says. `refusal` 0: it is a request's.
struct parsed_head {
  request value;
  std::optional<std::size_t> body_bytes;
  bool chunked = false;
  std::uint16_t refusal = 0;
};

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return text.size() == name.size() &&
         std::equal(text.begin(), text.end(), name.begin(), [](char a, char b) { return lowered(a) == b; });
}

bool is_token_character(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  const char low = lowered(c);
  return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
}

/// Without the blanks around it.
std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Cuts the text before `mark` off and the mark with it; all of it when there is none.
std::string_view cut_before(std::string_view& text, std::string_view mark) {
  const auto at = text.find(mark);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + mark.size());
  return part;
}

std::uint16_t parse_request_line(std::string_view line, request& into) {
  const auto method = cut_before(line, " ");
  into.path = cut_before(line, " ");
  if (method.empty() || !std::all_of(method.begin(), method.end(), is_token_character) || into.path.empty())
    return 400;
  if (line != "HTTP/1.1" && line != "HTTP/1.0")
    return line.starts_with("HTTP/") ? 505 : 400;
  into.http_1_0 = line.back() == '0';
  into.keep_alive = !into.http_1_0;
  return method == "POST" ? 0 : 405;
}

/// One or more, separated by commas.
void take_connection_options(std::string_view options, request& into) {
  while (!options.empty()) {
    const auto option = trimmed(cut_before(options, ","));
    if (is_named(option, "close"))
      into.keep_alive = false;
    else if (is_named(option, "keep-alive"))
      into.keep_alive = true;
  }
}

std::uint16_t take_content_length(std::string_view text, parsed_head& into) {
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error == std::errc::result_out_of_range)
    return 413;
  if (error != std::errc{} || end != text.data() + text.size() || into.body_bytes)
    return 400; // twice: two readers could find two different ends
  into.body_bytes = bytes;
  return 0;
}

std::uint16_t take_header(std::string_view line, parsed_head& into) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return 400;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (!std::all_of(name.begin(), name.end(), is_token_character))
    return 400;
  // Most headers are told apart by their length alone.
  if (is_named(name, "content-length"))
    return take_content_length(value, into);
  if (is_named(name, "connection"))
    take_connection_options(value, into.value);
  else if (is_named(name, "transfer-encoding"))
    into.chunked = true;
  else if (is_named(name, "webhook-id"))
    into.value.webhook_id = value;
  else if (is_named(name, "webhook-timestamp"))
    into.value.webhook_timestamp = value;
  else if (is_named(name, "webhook-signature"))
    into.value.webhook_signature = value;
  else if (is_named(name, "x-vicket-signature"))
    into.value.vicket_signature = value;
  return 0;
}

/// `text`: without the empty line at its end.
parsed_head parse_head(std::string_view text) {
  parsed_head head;
  head.refusal = parse_request_line(cut_before(text, line_end), head.value);
  while (head.refusal == 0 && !text.empty()) {
    const auto line = cut_before(text, line_end);
    head.refusal = line.find_first_of("\r\n") == std::string_view::npos ? take_header(line, head) : 400;
  }
  if (head.refusal != 0)
    return head;
  if (head.chunked || !head.body_bytes)
    head.refusal = 411;
  else if (*head.body_bytes > max_request_body_bytes)
    head.refusal = 413;
  return head;
}

parse_result refused(std::uint16_t status) {
  return {parse_result::outcome::refused, status, 0, {}};
}

} // namespace

parse_result request_parser::parse(std::string_view bytes) {
  if (bytes.size() < needed_bytes_)
    return {};
  const auto head_bytes = bytes.find(head_end, searched_bytes_);
  if (head_bytes == std::string_view::npos || head_bytes + head_end.size() > max_request_head_bytes) {
    if (bytes.size() >= max_request_head_bytes)
      return refused(431);
    searched_bytes_ = bytes.size() - std::min(bytes.size(), head_end.size() - 1);
    return {};
  }
  auto head = parse_head(bytes.substr(0, head_bytes));
  if (head.refusal != 0)
    return refused(head.refusal);
  const auto body_at = head_bytes + head_end.size();
  needed_bytes_ = body_at + *head.body_bytes;
  searched_bytes_ = head_bytes;
  if (bytes.size() < needed_bytes_)
    return {};
  head.value.body = bytes.substr(body_at, *head.body_bytes);
  const parse_result result{parse_result::outcome::complete, 0, needed_bytes_, head.value};
  *this = {};
  return result;
}

} // namespace vicket::bench
