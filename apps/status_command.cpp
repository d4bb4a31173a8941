#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

namespace vicket {

namespace {

std::string count(std::uint64_t number) {
  return std::to_string(number);
}

void print_partitions(const terminal& out, const node_status& status) {
  text_table table{
      {"PARTITION", "PENDING", "IN FLIGHT", "ACCEPTING", "EPOCH", "NEXT SEQUENCE", "SETTLED BELOW"},
      {true, true, true, false, true, true, true}};
  for (const auto& one : status.partitions)
    table.add({{count(one.number)},
               {count(one.pending)},
               {count(one.in_flight)},
               one.accepting ? text_table::cell{"yes", colour::green} : text_table::cell{"no", colour::red},
               {count(one.epoch)},
               {count(one.next_sequence)},
               {count(one.settled_below)}});
  table.print(out);
}

void print_connectors(const terminal& out, const node_status& status) {
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
               one.enabled ? text_table::cell{"yes"} : text_table::cell{"no", colour::yellow}});
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

} // namespace

int run_status(const client_options& options) {
  return ask_node<node_status>(options, get_status{}, [&](const node_status& status) {
    const auto out = terminal::standard();
    if (options.json) {
      out.line(node_status_to_json(status));
    } else {
      out.line("node " + out.paint(options.node.to_string(), colour::bold) + ", version " +
               printable(status.version) + ", up " + show_age_ms(status.now - status.started_at) + ", " +
               count(status.connectors_configured) + " connector" +
               (status.connectors_configured == 1 ? "" : "s"));
      out.line("");
      print_partitions(out, status);
      out.line("");
      print_connectors(out, status);
    }
    out.flush();
    return exit_done;
  });
}

} // namespace vicket
