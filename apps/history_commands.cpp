#include "apps/commands.hpp"
#include "apps/history_view.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

namespace vicket {

namespace {

/// One object per line, or a block per event with an empty line between two. `first`: nothing is above them.
void show(const client_options& options, const terminal& out, const std::vector<event_history>& events,
          bool first) {
  for (const auto& event : events) {
    if (options.json) {
      out.line(event_history_to_json(event));
      continue;
    }
    if (!first)
      out.line("");
    print_event(out, event);
    first = false;
  }
}

} // namespace

int run_run(const client_options& options, const std::string& run) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto& link = *std::get<0>(connected);
  const auto out = terminal::standard();
  get_run request;
  request.run = run;
  bool first = true;
  for (bool more = true; more;) {
    auto response = link.ask_and_wait<run_page>(request);
    if (const auto* why = std::get_if<unreachable>(&response))
      return report(options, *why);
    if (const auto* why = std::get_if<refusal>(&response))
      return report(options, *why);
    const auto& page = std::get<run_page>(response);
    show(options, out, page.events, first);
    first = first && page.events.empty();
    out.flush();
    more = page.more;
    request.cursor = page.cursor;
  }
  return exit_done;
}

int run_event(const client_options& options, const std::string& id) {
  const auto parsed_id = event_id::parse(id);
  if (!parsed_id)
    return report_usage(printable(id) + ": an event's id is a UUID");
  return ask_node<event_page>(options, get_event{*parsed_id}, [&](const event_page& page) {
    const auto out = terminal::standard();
    show(options, out, page.events, true);
    out.flush();
    return exit_done;
  });
}

} // namespace vicket
