#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"
#include "policy/trigger_json.hpp"

#include <string>
#include <utility>
#include <variant>

namespace vicket {

namespace {

/// As a connector's: one line for machines and pipes, indented for a person at a terminal.
void show_rule(const client_options& options, const rule& value) {
  const auto out = terminal::standard();
  const auto text = rule_to_json(value);
  out.line(!options.json && terminal::is_interactive() ? indented_json(text) : text);
  out.flush();
}

std::string connectors_of(const rule& value) {
  std::string names;
  for (const auto& action : value.actions)
    names += (names.empty() ? "" : ", ") + action.connector.value;
  return names;
}

std::string patterns_of(const rule& value) {
  std::string all;
  for (const auto& pattern : value.events)
    all += (all.empty() ? "" : ", ") + pattern;
  return all.empty() ? "*" : all;
}

/// Page after page; `show(page)` answers the last id of it.
template <class Page, class Request, class Show>
int read_pages(const client_options& options, Request request, Show show) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  auto& link = *std::get<0>(connected);
  for (bool more = true; more;) {
    auto response = link.ask_and_wait<Page>(request);
    if (const auto* why = std::get_if<unreachable>(&response))
      return report(options, unreachable{"no answer from " + options.node.to_string() + ": " + why->why});
    if (const auto* why = std::get_if<refusal>(&response))
      return report(options, *why);
    const auto& page = std::get<Page>(response);
    more = page.more && !page.rules.empty();
    if (!page.rules.empty())
      request.after = show(page);
  }
  return exit_done;
}

void show_trial(const terminal& out, const tried_rule& one) {
  if (!one.matches) {
    std::string why;
    for (const auto& each : one.why_not)
      why += (why.empty() ? "" : "; ") + printable(each);
    out.line(out.paint(one.rule.value, colour::bold) + " does not match: " + why);
    return;
  }
  out.line(out.paint(one.rule.value, colour::bold) + " " + out.paint("matches", colour::green));
  for (const auto& action : one.actions) {
    const auto* envelope = std::get_if<std::string>(&action.envelope);
    out.line("  " + action.connector.value + ": " +
             (envelope != nullptr
                  ? with_escaped_controls(*envelope)
                  : out.paint(printable(std::get<refusal>(action.envelope).detail), colour::red)));
  }
}

} // namespace

int run_rule_put(const client_options& options, const std::string& file) {
  const auto text = read_whole(file, max_rule_json_bytes);
  if (!text)
    return report_usage(file + " can't be read, or has more than " + std::to_string(max_rule_json_bytes) +
                        " bytes");
  auto value = rule_from_json(*text);
  if (const auto* complaint = std::get_if<std::string>(&value))
    return report(options, refusal{errc::invalid_rule, *complaint});
  return ask_node<rule>(options, put_rule{std::get<rule>(std::move(value))}, [&](const rule& stored) {
    show_rule(options, stored);
    return exit_done;
  });
}

int run_rule_get(const client_options& options, const std::string& id) {
  return ask_node<rule>(options, get_rule{{id}}, [&](const rule& stored) {
    show_rule(options, stored);
    return exit_done;
  });
}

int run_rule_delete(const client_options& options, const std::string& id) {
  return ask_node<no_content>(options, delete_rule{{id}}, [&](const no_content&) {
    const auto out = terminal::standard();
    out.line(options.json ? R"({"id":")" + id + R"(","deleted":true})"
                          : "deleted " + id); // a valid id needs no escapes
    out.flush();
    return exit_done;
  });
}

int run_rule_list(const client_options& options) {
  const auto out = terminal::standard();
  text_table table{{"ID", "EVENTS", "ENABLED", "FILTER", "CONNECTORS", "NAME"}, {}};
  const auto code = read_pages<rule_page>(options, list_rules{}, [&](const rule_page& page) {
    for (const auto& one : page.rules) {
      if (options.json)
        out.line(rule_to_json(one));
      else
        table.add(
            {{one.id.value, colour::bold},
             {printable(patterns_of(one), 40)},
             one.enabled ? text_table::cell{"yes", colour::green} : text_table::cell{"no", colour::yellow},
             {one.filter_json.empty() ? "-" : "yes"},
             {printable(connectors_of(one), 60)},
             {printable(one.name, 40)}});
    }
    return page.rules.back().id;
  });
  if (code == exit_done && !options.json)
    table.print(out);
  out.flush();
  return code;
}

int run_rule_test(const client_options& options, const std::string& file) {
  const auto text = read_whole(file, max_rule_json_bytes);
  if (!text)
    return report_usage(file + " can't be read, or has more than " + std::to_string(max_rule_json_bytes) +
                        " bytes");
  auto read = event_or_trigger_from_json(*text);
  if (const auto* complaint = std::get_if<std::string>(&read))
    return report(options, refusal{errc::invalid_event, *complaint});
  if (std::holds_alternative<send_to_connector>(read))
    return report(options, refusal{errc::invalid_event, "connector: what rules are tried with names none"});
  const auto out = terminal::standard();
  try_rules request;
  request.value = std::get<trigger>(std::move(read));
  const auto code = read_pages<trial_page>(options, std::move(request), [&](const trial_page& page) {
    for (const auto& one : page.rules)
      if (options.json)
        out.line(tried_rule_to_json(one));
      else
        show_trial(out, one);
    return page.rules.back().rule;
  });
  out.flush();
  return code;
}

} // namespace vicket
