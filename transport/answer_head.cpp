#include "transport/answer_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vicket {

namespace {

constexpr std::string_view protocol_name = "HTTP";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// An HTTP date has 29.
constexpr std::size_t max_retry_after_bytes = 128;

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view text, std::string_view word) {
  return text.size() == word.size() && (text == word || // as it is nearly always
                                        std::equal(text.begin(), text.end(), word.begin(),
                                                   [](char a, char b) { return lower(a) == lower(b); }));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Of a field name (RFC 9110, 5.6.2).
constexpr auto token_characters = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c)
    table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c)
    table[static_cast<unsigned char>(c)] = table[static_cast<unsigned char>(c - 'a' + 'A')] = true;
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// These two look at every byte of a head: without a branch for each.

bool is_token(std::string_view text) {
  bool all = !text.empty();
  for (const char c : text)
    all &= token_characters[static_cast<unsigned char>(c)];
  return all;
}

constexpr auto control_characters = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < ' '; ++c)
    table[c] = c != '\t';
  table[0x7f] = true;
  return table;
}();

bool has_control(std::string_view text) {
  bool any = false;
  for (const char c : text)
    any |= control_characters[static_cast<unsigned char>(c)];
  return any;
}

/// Three digits and no fourth.
std::optional<std::uint16_t> status_in(std::string_view text) {
  if (text.size() < 3 || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[2]) ||
      (text.size() > 3 && is_digit(text[3])))
    return std::nullopt;
  return static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
}

/// The parts of a comma-separated list that are not empty.
template <class Function>
void for_each_part(std::string_view list, Function function) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto part = trimmed(list.substr(0, comma)); !part.empty())
      function(part);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

} // namespace

std::optional<status_line> read_status_line(std::string_view line) {
  constexpr std::string_view usual = "HTTP/1.1 ";
  if (line.starts_with(usual) && line.size() > usual.size() + 3 && line[usual.size() + 3] == ' ')
    if (const auto status = status_in(line.substr(usual.size())))
      return status_line{*status, true, true};
  const auto blank = blank_beginning(line);
  line.remove_prefix(blank);
  auto strict = blank == 0 && line.starts_with(protocol_name);
  if (!same_word(line.substr(0, protocol_name.size()), protocol_name))
    return std::nullopt;
  line.remove_prefix(protocol_name.size());
  const auto end_of_version = std::min(line.find_first_of(" \t"), line.size());
  const auto version = line.substr(0, end_of_version);
  if (!version.empty() && (version[0] != '/' || version.find_first_not_of("0123456789.", 1) != version.npos))
    return std::nullopt;
  line.remove_prefix(end_of_version);
  const auto blanks = std::min(line.find_first_not_of(" \t"), line.size());
  strict = strict && (version == "/1.1" || version == "/1.0") && line.substr(0, blanks) == " ";
  line.remove_prefix(blanks);
  const auto status = status_in(line);
  if (!status)
    return std::nullopt;
  strict = strict && line.size() > 3 && line[3] == ' ';
  return status_line{*status, version == "/1.1", strict};
}

std::size_t blank_beginning(std::string_view bytes) {
  if (bytes.starts_with(protocol_name[0])) // nearly always
    return 0;
  auto blank = std::size_t{0};
  for (;;) {
    blank = std::min(bytes.find_first_not_of(" \t\r\n", blank), bytes.size());
    if (!bytes.substr(blank).starts_with(byte_order_mark))
      return blank;
    blank += byte_order_mark.size();
  }
}

bool may_begin_answer(std::string_view bytes) {
  bytes.remove_prefix(blank_beginning(bytes));
  if (bytes.size() < byte_order_mark.size() && byte_order_mark.starts_with(bytes))
    return true;
  const auto begin = bytes.substr(0, protocol_name.size());
  return same_word(begin, protocol_name.substr(0, begin.size()));
}

bool head_lines::next() {
  if (rest_.empty())
    return false;
  const auto end = std::min(rest_.find('\n'), rest_.size());
  line_ = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  if (line_.ends_with('\r'))
    line_.remove_suffix(1);
  else
    strict_ = false;
  while (line_.ends_with('\r')) {
    line_.remove_suffix(1);
    strict_ = false;
  }
  return true;
}

bool head_fields::next() {
  while (lines_.next()) {
    const auto line = lines_.line();
    if (line.empty()) // the last one
      continue;
    const auto colon = std::min(line.find(':'), line.size());
    name_ = line.substr(0, colon);
    if (name_.ends_with(' ') || name_.ends_with('\t')) {
      strict_ = false;
      name_ = trimmed(name_);
    }
    if (colon == line.size() || is_blank(line[0]) || !is_token(name_)) {
      pass_over(line);
      continue;
    }
    value_ = trimmed(line.substr(colon + 1));
    if (lines_.continues())
      append_continuation();
    strict_ = strict_ && !has_control(value_);
    return true;
  }
  return false;
}

void head_fields::pass_over(std::string_view line) {
  strict_ = false;
  if (const auto other = read_status_line(line)) {
    several_statuses_ = several_statuses_ || (other_status_ && *other_status_ != other->status);
    other_status_ = other->status;
  }
  while (lines_.continues())
    lines_.next();
}

void head_fields::append_continuation() {
  strict_ = false;
  unfolded_ = value_;
  while (lines_.continues()) {
    lines_.next();
    if (const auto more = trimmed(lines_.line()); !more.empty())
      unfolded_.append(unfolded_.empty() ? "" : " ").append(more);
  }
  value_ = unfolded_;
}

bool answer_head::read(std::string_view head) {
  const auto blank = blank_beginning(head);
  head_lines lines{head.substr(blank)};
  if (!lines.next())
    return false;
  const auto first = read_status_line(lines.line());
  if (!first)
    return false;
  status = first->status;
  strict = blank == 0 && first->strict && !has_control(lines.line());
  persistent = first->http_1_1;
  head_fields fields{lines};
  while (fields.next())
    take_field(fields);
  strict = strict && fields.strict();
  decide_framing();
  return !fields.contradicts(status);
}

void answer_head::take_field(const head_fields& field) {
  const auto name = field.name();
  const auto value = field.value();
  switch (name.size()) {
  case 10:
    if (same_word(name, "Connection"))
      take_connection(value);
    break;
  case 11:
    if (same_word(name, "Retry-After") && value.size() <= max_retry_after_bytes)
      retry_after = value;
    break;
  case 14:
    if (same_word(name, "Content-Length"))
      take_length(value);
    break;
  case 16:
    if (same_word(name, "Proxy-Connection"))
      take_connection(value);
    break;
  case 17:
    if (same_word(name, "Transfer-Encoding"))
      take_coding(value);
    break;
  default:
    break;
  }
}

void answer_head::take_length(std::string_view value) {
  std::optional<std::uint64_t> shortest;
  auto differ = false;
  auto numbers = 0;
  auto meant = true;
  for_each_part(value, [&](std::string_view part) {
    ++numbers;
    meant = meant && std::all_of(part.begin(), part.end(), is_digit);
    std::uint64_t number = 0;
    if (std::from_chars(part.data(), part.data() + part.size(), number).ec == std::errc::result_out_of_range)
      number = UINT64_MAX;
    differ = differ || (shortest && *shortest != number);
    shortest = std::min(shortest.value_or(number), number);
  });
  strict = strict && meant && numbers == 1 && !has_length_;
  if (!meant || !shortest) // as if it were not there
    return;
  lengths_differ = lengths_differ || differ || (has_length_ && length != *shortest);
  length = has_length_ ? std::min(length, *shortest) : *shortest;
  has_length_ = true;
}

void answer_head::take_coding(std::string_view value) {
  strict = strict && !has_coding_ && same_word(value, "chunked");
  for_each_part(value, [this](std::string_view part) {
    const auto coding = trimmed(part.substr(0, part.find(';')));
    if (same_word(coding, "identity"))
      return;
    has_coding_ = true;
    chunked_last_ = same_word(coding, "chunked");
  });
}

void answer_head::take_connection(std::string_view value) {
  for_each_part(value, [this](std::string_view part) {
    strict = strict && is_token(part);
    persistent = persistent && !same_word(part, "close");
  });
}

/// RFC 9112, 6.3: a coding overrules a length.
void answer_head::decide_framing() {
  announces_content = has_coding_ || length > 0;
  strict = strict && !(has_coding_ && has_length_) && !lengths_differ;
  if (has_coding_) {
    body = chunked_last_ ? framing::chunked : framing::until_end;
    lengths_differ = false;
  } else if (has_length_) {
    body = framing::length;
  }
}

namespace {

constexpr auto around_field = std::string_view{": \r\n"}.size();

bool says_what_to_do(std::string_view name) {
  constexpr std::array<std::string_view, 6> names{"Location",         "WWW-Authenticate", "Content-Type",
                                                  "Content-Encoding", "Retry-After",      "Content-Location"};
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return same_word(one, name); });
}

/// The most that each of `sizes` may have so that together they have `room`.
std::size_t fair_share(std::vector<std::size_t> sizes, std::size_t room) {
  std::sort(sizes.begin(), sizes.end());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto share = room / (sizes.size() - i);
    if (sizes[i] > share)
      return share;
    room -= sizes[i];
  }
  return std::string_view::npos;
}

/// Makes room for those of `fields` that are `urgent`, or for the others, out of `room`: cuts values, and names of their
/// own that have no room at all.
void deal_room(std::vector<header_field>& fields, bool urgent, std::size_t& room, bool& truncated) {
  const auto concerned = [&](const header_field& field) { return says_what_to_do(field.name) == urgent; };
  std::vector<std::size_t> sizes;
  std::erase_if(fields, [&](const header_field& field) {
    if (!concerned(field))
      return false;
    const auto needed = field.name.size() + around_field;
    if (needed > room) {
      truncated = true;
      return true;
    }
    room -= needed;
    sizes.push_back(field.value.size());
    return false;
  });
  const auto share = fair_share(std::move(sizes), room);
  for (auto& field : fields) {
    if (!concerned(field))
      continue;
    if (field.value.size() > share) {
      field.value.resize(share);
      truncated = true;
    }
    room -= field.value.size();
  }
}

} // namespace

kept_fields keep_fields(std::string_view head, std::size_t max_bytes) {
  kept_fields kept;
  head_lines lines{head.substr(blank_beginning(head))};
  lines.next();
  head_fields fields{lines};
  while (fields.next())
    kept.fields.push_back({std::string{fields.name()}, std::string{fields.value()}});
  deal_room(kept.fields, true, max_bytes, kept.truncated);
  deal_room(kept.fields, false, max_bytes, kept.truncated);
  return kept;
}

} // namespace vicket
