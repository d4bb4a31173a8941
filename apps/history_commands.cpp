#include "apps/commands.hpp"
#include "apps/history_view.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

namespace vicket {

namespace {

void show(const client_options& options, const terminal& out, const event_history& event) {
  if (options.json)
    out.line(event_history_to_json(event));
  else
    print_event(out, event);
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
    for (const auto& event : page.events) {
      if (!options.json && !first)
        out.line("");
      show(options, out, event);
      first = false;
    }
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
  return ask_node<event_history>(options, get_event{*parsed_id}, [&](const event_history& event) {
    const auto out = terminal::standard();
    show(options, out, event);
    out.flush();
    return exit_done;
  });
}

} // namespace vicket
