#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vicket {

namespace {

std::string count(std::uint64_t number) {
  return std::to_string(number);
}

void print_partitions(const terminal& out, const node_status& status) {
  const bool clustered =
      std::any_of(status.partitions.begin(), status.partitions.end(),
                  [](const partition_status& one) { return !one.owner.empty() || !one.why.empty(); });
  std::vector<std::string> header{"PARTITION", "PENDING",       "IN FLIGHT",    "ACCEPTING",
                                  "EPOCH",     "NEXT SEQUENCE", "SETTLED BELOW"};
  if (clustered)
    header.emplace_back("OWNER");
  text_table table{std::move(header), {true, true, true, false, true, true, true, false}};
  for (const auto& one : status.partitions) {
    std::vector<text_table::cell> row{{count(one.number)},
                                      {count(one.pending)},
                                      {count(one.in_flight)},
                                      one.accepting ? text_table::cell{"yes", colour::green}
                                                    : text_table::cell{"no", colour::red},
                                      {count(one.epoch)},
                                      {count(one.next_sequence)},
                                      {count(one.settled_below)}};
    if (clustered)
      row.push_back(one.owner.empty() ? text_table::cell{"nobody", colour::red}
                                      : text_table::cell{printable(one.owner)});
    table.add(std::move(row));
  }
  table.print(out);
  for (const auto& one : status.partitions)
    if (one.counting)
      out.line("partition " + count(one.number) +
               " is still counting what was pending at its start: more is pending than is shown");
  for (const auto& one : status.partitions)
    if (!one.halted.empty())
      out.line(halted_line(out, std::to_string(one.number), one.halted));
    else if (!one.why.empty())
      out.line(out.paint(printable(one.why), colour::red) + "; its figures are not known");
  const auto& settings = status.settings;
  if (!settings.partition.halted.empty())
    out.line(halted_line(out, "settings", settings.partition.halted));
  else if (!settings.partition.why.empty())
    out.line(out.paint(printable(settings.partition.why), colour::red) + "; its figures are not known");
  else
    out.line("settings: " + count(settings.records) + " record" + (settings.records == 1 ? "" : "s") + ", " +
             count(settings.bytes) + " bytes, epoch " + count(settings.partition.epoch) + ", " +
             (settings.partition.accepting ? "accepting" : out.paint("not accepting", colour::red)));
}

void print_connectors(const terminal& out, const node_status& status) {
  const bool counting = std::any_of(status.partitions.begin(), status.partitions.end(),
                                    [](const partition_status& one) { return one.counting; });
  if (status.connectors.empty() && counting)
    return;
  if (status.connectors.empty()) {
    out.line("nothing is pending");
    return;
  }
  text_table table{{"CONNECTOR", "PENDING", "IN FLIGHT", "OLDEST PENDING", "ENABLED"},
                   {false, true, true, true}};
  for (const auto& one : status.connectors)
    table.add({{one.id.value, colour::bold},
               {count(one.pending)},
               {count(one.in_flight)},
               {one.oldest_pending_at ? show_age_ms(status.now - *one.oldest_pending_at) : "-"},
               one.being_deleted ? text_table::cell{"being deleted", colour::red}
               : one.enabled     ? text_table::cell{"yes"}
                                 : text_table::cell{"no", colour::yellow}});
  table.print(out);
  for (const auto& one : status.connectors)
    if (one.held_until)
      out.line(out.paint(one.id.value, colour::bold) + " is held until " + show_time(one.held_until) +
               ": its endpoint answered 429 or 503 with Retry-After");
  for (const auto& one : status.connectors)
    if (!one.problem.empty())
      out.line(out.paint(one.id.value, colour::bold) +
               " is set aside until it is put again: " + printable(one.problem));
}

void print_status(const terminal& out, const client_options& options, const node_status& status) {
  out.line("node " + out.paint(options.node.to_string(), colour::bold) + ", version " +
           printable(status.version) + ", up " + show_age_ms(status.now - status.started_at) + ", " +
           count(status.connectors_configured) + " connector" +
           (status.connectors_configured == 1 ? "" : "s"));
  out.line("");
  print_partitions(out, status);
  out.line("");
  print_connectors(out, status);
}

} // namespace

int run_status(const client_options& options) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto& link = *std::get<0>(connected);
  node_status status; // as on the first page, with the connectors of all
  get_status request;
  for (bool first = true; first || status.more; first = false) {
    auto response = link.ask_and_wait<node_status>(request);
    if (const auto* why = std::get_if<unreachable>(&response))
      return report(options, unreachable{"no answer from " + options.node.to_string() + ": " + why->why});
    if (const auto* why = std::get_if<refusal>(&response))
      return report(options, *why);
    auto& page = std::get<node_status>(response);
    const bool more = page.more && !page.connectors.empty();
    if (more)
      request.after = page.connectors.back().id;
    if (first)
      status = std::move(page);
    else
      std::move(page.connectors.begin(), page.connectors.end(), std::back_inserter(status.connectors));
    status.more = more;
  }
  const auto out = terminal::standard();
  if (options.json)
    out.line(node_status_to_json(status));
  else
    print_status(out, options, status);
  out.flush();
  return exit_done;
}

} // namespace vicket
