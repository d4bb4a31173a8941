#include "apps/commands.hpp"
#include "apps/history_view.hpp"
#include "apps/terminal.hpp"

#include <utility>

namespace vicket {

namespace {

/// Asks for page after page, and prints each before it asks for the next: a history may be larger than memory.
template <class Page, class Request>
int show_pages(const client_options& options, Request request) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto& link = *std::get<0>(connected);
  const auto out = terminal::standard();
  history_printer printer{out, options.json};
  for (bool more = true; more;) {
    auto response = link.template ask_and_wait<Page>(request);
    auto* page = std::get_if<Page>(&response);
    if (page == nullptr) {
      printer.end();
      out.flush();
      if (const auto* why = std::get_if<refusal>(&response))
        return report(options, *why);
      return report(options, unreachable{"no answer from " + options.node.to_string() + ": " +
                                         std::get<unreachable>(response).why});
    }
    for (const auto& event : page->events)
      printer.print(event);
    more = page->more;
    if (!more)
      printer.end();
    out.flush();
    request.cursor = std::move(page->cursor);
  }
  return exit_done;
}

} // namespace

int run_run(const client_options& options, const std::string& run) {
  get_run request;
  request.run = run;
  return show_pages<run_page>(options, std::move(request));
}

int run_event(const client_options& options, const std::string& id) {
  const auto parsed_id = event_id::parse(id);
  if (!parsed_id)
    return report_usage(printable(id) + ": an event's id is a UUID");
  return show_pages<event_page>(options, get_event{*parsed_id});
}

} // namespace vicket
