#include "apps/history_view.hpp"

namespace vicket {

namespace {

constexpr std::size_t error_columns = 60;
constexpr std::size_t body_columns = 60;

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

} // namespace

void print_event(const terminal& out, const event_history& event) {
  const auto& about = event.summary;
  out.line(out.paint(about.id.to_string(), colour::bold) + "  " + printable(about.event) + " → " +
           printable(about.connector.value) + "  " +
           out.paint(to_string(about.state), colour_of(about.state)));
  std::string where = "  accepted " + show_time(about.accepted_at);
  if (!about.workflow.empty())
    where += ", workflow " + printable(about.workflow);
  if (!about.run.empty())
    where += ", run " + printable(about.run);
  if (about.next_attempt_at)
    where += ", next attempt " + show_time(about.next_attempt_at);
  out.line(where);
  if (event.attempts.empty()) {
    out.line("  no attempts yet");
    return;
  }
  text_table table{{"#", "STARTED", "OUTCOME", "STATUS", "DURATION", "ERROR", "RESPONSE"},
                   {true, false, false, true, true}};
  for (const auto& one : event.attempts)
    table.add({{std::to_string(one.number)},
               {show_time(one.started_at)},
               {std::string{to_string(one.result)}, colour_of(one.result)},
               {status_of(one)},
               {show_duration_us(one.duration_us)},
               {or_dash(printable(one.error, error_columns))},
               {or_dash(first_line(one.response_body, body_columns))}});
  table.print(out, "  ");
}

std::string outcome_line(const terminal& out, const outcome_entry& entry) {
  const auto& one = entry.value;
  auto line = show_time(one.started_at) + "  " + entry.summary.id.to_string() + "  " +
              printable(entry.summary.connector.value) + "  " + printable(entry.summary.event) + "  #" +
              std::to_string(one.number) + "  " + out.paint(to_string(one.result), colour_of(one.result)) +
              "  " + status_of(one) + "  " + show_duration_us(one.duration_us);
  if (!one.error.empty())
    line += "  " + printable(one.error, error_columns);
  if (one.next_attempt_at)
    line += "  next " + show_time(one.next_attempt_at);
  return line + "  " + out.paint(entry.cursor, colour::dim);
}

std::string gap_line(const terminal& out, const std::string& cursor) {
  return out.paint("gap: attempts that came here are no longer kept", colour::yellow) + "  " +
         out.paint(cursor, colour::dim);
}

} // namespace vicket
