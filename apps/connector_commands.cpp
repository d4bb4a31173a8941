#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"
#include "policy/secret.hpp"

namespace vicket {

namespace {

/// One line for machines and pipes, indented for a person at a terminal. A secret is only there when this
/// very put made it.
void show_connector(const client_options& options, const connector_view& view) {
  const auto out = terminal::standard();
  const auto text = connector_to_json(view.value, view.secret_generated);
  out.line(!options.json && terminal::is_interactive() ? indented_json(text) : text);
  out.flush();
}

std::string show_rate(const connector& one) {
  return one.rate ? std::to_string(one.rate->limit) + " / " + std::to_string(one.rate->per_ms) + " ms" : "-";
}

text_table::cell show_enabled(bool enabled) {
  return enabled ? text_table::cell{"yes", colour::green} : text_table::cell{"no", colour::yellow};
}

} // namespace

int run_connector_put(const client_options& options, const std::string& file) {
  const auto text = read_whole(file, max_connector_json_bytes);
  if (!text)
    return report_usage(file + " can't be read, or has more than " +
                        std::to_string(max_connector_json_bytes) + " bytes");
  auto value = connector_from_json(*text);
  if (const auto* complaint = std::get_if<std::string>(&value))
    return report(options, refusal{errc::invalid_connector, *complaint});
  const auto remark = secret_remark(std::get<connector>(value).secret.value);
  return ask_node<connector_view>(options, put_connector{std::get<connector>(std::move(value))},
                                  [&](const connector_view& view) {
                                    show_connector(options, view);
                                    if (remark)
                                      complain("note: " + *remark);
                                    return exit_done;
                                  });
}

int run_connector_get(const client_options& options, const std::string& id) {
  return ask_node<connector_view>(options, get_connector{{id}}, [&](const connector_view& view) {
    show_connector(options, view);
    return exit_done;
  });
}

int run_connector_delete(const client_options& options, const std::string& id, bool force) {
  return ask_node<no_content>(options, delete_connector{{id}, force}, [&](no_content) {
    const auto out = terminal::standard();
    out.line(options.json ? R"({"id":")" + id + R"(","deleted":true})"
                          : "deleted " + id); // a valid id needs no escapes
    out.flush();
    return exit_done;
  });
}

int run_connector_list(const client_options& options) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto& link = *std::get<0>(connected);
  const auto out = terminal::standard();
  text_table table{{"ID", "URL", "ENABLED", "IN FLIGHT", "RATE", "NAME"}, {false, false, false, true}};
  list_connectors request;
  for (bool more = true; more;) {
    auto response = link.ask_and_wait<connector_page>(request);
    if (const auto* why = std::get_if<unreachable>(&response))
      return report(options, *why);
    if (const auto* why = std::get_if<refusal>(&response))
      return report(options, *why);
    const auto& page = std::get<connector_page>(response);
    for (const auto& view : page.connectors) {
      const auto& one = view.value;
      if (options.json)
        out.line(connector_to_json(one, false));
      else
        table.add({{one.id.value, colour::bold},
                   {printable(one.url, 80)},
                   show_enabled(one.enabled),
                   {std::to_string(one.max_in_flight)},
                   {show_rate(one)},
                   {printable(one.name, 40)}});
    }
    more = page.more && !page.connectors.empty();
    if (more)
      request.after = page.connectors.back().value.id;
  }
  if (!options.json)
    table.print(out);
  out.flush();
  return exit_done;
}

} // namespace vicket
