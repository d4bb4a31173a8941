#include "apps/history_view.hpp"

#include "apps/body_text.hpp"
#include "policy/charset.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vicket {

namespace {

constexpr std::size_t error_columns = 60; ///< in a table; what is longer stands below it, too
constexpr std::size_t sentence_columns = 1'000;
constexpr std::size_t body_columns = 60;
/// Nothing of what an answer says in its fields is cut: `attempt::max_header_bytes`.
constexpr std::size_t field_columns = attempt::max_header_bytes;

colour colour_of(event_state state) {
  switch (state) {
  case event_state::delivered:
    return colour::green;
  case event_state::failed:
    return colour::red;
  case event_state::pending:
    break;
  }
  return colour::yellow;
}

colour colour_of(outcome result) {
  return result == outcome::delivered ? colour::green : colour::red;
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string status_of(const attempt& one) {
  return one.status ? std::to_string(*one.status) : "-";
}

std::string show_body(const attempt& one) {
  const auto body = text_of_body(one);
  auto shown = first_line(body.text, body_columns);
  if (!body.note.empty())
    shown += (shown.empty() ? "[" : " [") + body.note + "]";
  return shown;
}

/// Where a redirect points, what a client would have to show, what the receiver's people find the request by.
bool explains(std::string_view field_name) {
  static constexpr std::array<std::string_view, 4> names{"location", "www-authenticate", "proxy-authenticate",
                                                         "allow"};
  static constexpr std::array<std::string_view, 11> parts{
      "request-id",  "requestid", "correlation-id", "correlationid", "trace-id", "traceid",
      "traceparent", "amz-cf-id", "amz-id-2",       "cf-ray",        "vercel-id"};
  std::string name{field_name};
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(names.begin(), names.end(), name) != names.end() ||
         std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

std::string show_hint(const retry_hint& hint) {
  auto line = "Retry-After: " + printable(hint.heard);
  if (!hint.not_before)
    return line + " (can't be meant, passed over)";
  line += " (not before " + show_time(hint.not_before);
  if (hint.held_until)
    line += ", connector held until " + show_time(hint.held_until);
  return line + ")";
}

/// What was wrong, where that is more than fits in the table, and what the answer said beside its status and body, a line
/// each.
std::vector<std::string> explanations(const attempt& one) {
  std::vector<std::string> lines;
  if (one.error.size() > error_columns)
    lines.push_back(printable(one.error, sentence_columns));
  for (const auto& field : one.response_headers)
    if (explains(field.name))
      lines.push_back(printable(field.name) + ": " + printable(field.value, field_columns));
  if (one.response_headers_truncated)
    lines.emplace_back("(more header fields, or longer ones, than are kept)");
  if (one.retry_after)
    lines.push_back(show_hint(*one.retry_after));
  return lines;
}

} // namespace

history_printer::history_printer(const terminal& out, bool json) : out_{out}, json_{json} {}

void history_printer::print(const event_history& piece) {
  if (!piece.continues || !open_) {
    end();
    begin_event(piece);
  }
  add_attempts(piece.attempts);
  if (!piece.goes_on)
    end_event(true, piece.attempts_dropped);
}

void history_printer::end() {
  if (open_)
    end_event(false);
}

void history_printer::begin_event(const event_history& piece) {
  const auto& about = piece.summary;
  open_ = true;
  if (json_) {
    out_.text(pieces_.begin(about));
    return;
  }
  if (!std::exchange(first_, false))
    out_.line("");
  out_.line(out_.paint(about.id.to_string(), colour::bold) + "  " + printable(about.event) + " → " +
            printable(about.connector.value) + "  " +
            out_.paint(to_string(about.state), colour_of(about.state)));
  std::string where = "  accepted " + show_time(about.accepted_at);
  if (!about.workflow.empty())
    where += ", workflow " + printable(about.workflow);
  if (!about.run.empty())
    where += ", run " + printable(about.run);
  if (about.next_attempt_at)
    where += ", next attempt " + show_time(about.next_attempt_at);
  out_.line(where);
  if (piece.attempts_dropped > 0)
    out_.line("  " + std::to_string(piece.attempts_dropped) +
              (piece.attempts_dropped == 1 ? " attempt, which is no longer kept"
                                           : " attempts, which are no longer kept"));
  else if (piece.attempts.empty())
    out_.line("  no attempts yet");
  table_.emplace(
      std::vector<std::string>{"#", "STARTED", "OUTCOME", "STATUS", "DURATION", "ERROR", "RESPONSE"},
      std::vector<bool>{true, false, false, true, true});
}

void history_printer::add_attempts(const std::vector<attempt>& attempts) {
  if (json_) {
    for (const auto& one : attempts)
      out_.text(pieces_.attempt(one));
    return;
  }
  if (attempts.empty())
    return;
  for (const auto& one : attempts)
    table_->add({{std::to_string(one.number)},
                 {show_time(one.started_at)},
                 {std::string{to_string(one.result)}, colour_of(one.result)},
                 {status_of(one)},
                 {show_duration_us(one.duration_us)},
                 {or_dash(printable(one.error, error_columns))},
                 {or_dash(show_body(one))}});
  const auto lines = table_->take_lines(out_, "  ");
  const auto above = lines.size() - attempts.size(); // the header's, the first time
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out_.line(lines[i]);
    if (i >= above)
      for (const auto& line : explanations(attempts[i - above]))
        out_.line("      " + line);
  }
}

void history_printer::end_event(bool whole, std::uint32_t attempts_dropped) {
  open_ = false;
  if (json_)
    out_.line(whole ? pieces_.end(attempts_dropped) : pieces_.break_off());
  else if (!whole)
    out_.line("      the attempts after these could not be read");
}

std::string outcome_line(const terminal& out, const outcome_entry& entry) {
  const auto& one = entry.value;
  auto line = show_time(one.started_at) + "  " + entry.summary.id.to_string() + "  " +
              printable(entry.summary.connector.value) + "  " + printable(entry.summary.event) + "  #" +
              std::to_string(one.number) + "  " + out.paint(to_string(one.result), colour_of(one.result)) +
              "  " + status_of(one) + "  " + show_duration_us(one.duration_us);
  if (!one.error.empty())
    line += "  " + printable(one.error, sentence_columns);
  if (const auto location = header_of(one, "Location"))
    line += "  → " + printable(*location, field_columns);
  if (one.next_attempt_at)
    line += "  next " + show_time(one.next_attempt_at);
  return line + "  " + out.paint(entry.cursor, colour::dim);
}

std::string gap_line(const terminal& out, const std::string& cursor) {
  return out.paint("gap: attempts that came here are no longer kept", colour::yellow) + "  " +
         out.paint(cursor, colour::dim);
}

} // namespace vicket
