#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"
#include "policy/secret.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace vicket {

namespace {

/// One line for machines and pipes, indented for a person at a terminal. A secret is only there when this
/// very put made it.
void show_connector(const client_options& options, const connector_view& view) {
  const auto out = terminal::standard();
  const auto text = connector_to_json(view.value, view.secret_generated, view.being_deleted);
  out.line(!options.json && terminal::is_interactive() ? indented_json(text) : text);
  out.flush();
}

std::string show_rate(const connector& one) {
  return one.rate ? std::to_string(one.rate->limit) + " / " + std::to_string(one.rate->per_ms) + " ms" : "-";
}

text_table::cell show_enabled(bool enabled, bool being_deleted) {
  if (being_deleted)
    return {"being deleted", colour::red};
  return enabled ? text_table::cell{"yes", colour::green} : text_table::cell{"no", colour::yellow};
}

/// How far a delete by force is.
class deletion_progress {
public:
  explicit deletion_progress(std::string id) : id_{std::move(id)} {}

  /// Asks the node, where somebody sees it.
  void show(node_link& link) {
    if (!line_.is_seen())
      return;
    const auto response = link.ask_and_wait<connector_view>(get_connector{{id_}}, poll_timeout);
    const auto* view = std::get_if<connector_view>(&response);
    if (view == nullptr || !view->being_deleted)
      return;
    most_ = std::max(most_, view->pending);
    line_.show("being deleted: " + std::to_string(view->pending) + " of " + std::to_string(most_) +
               " pending events are left");
  }

private:
  static constexpr std::chrono::milliseconds poll_timeout{1'000};

  std::string id_;
  std::uint64_t most_ = 0; ///< that were pending
  progress_line line_ = progress_line::standard();
};

using patience_clock = std::chrono::steady_clock;

/// Until when a delete is waited for. What the user gives is a century at most.
patience_clock::time_point end_of_patience(const delete_options& how) {
  constexpr std::chrono::milliseconds as_long_as_it_takes = std::chrono::hours{24 * 365 * 100};
  const auto otherwise = how.force ? as_long_as_it_takes : node_link::answer_timeout;
  return patience_clock::now() + how.timeout.value_or(otherwise);
}

/// The answer to a delete; nothing: it did not come in time.
std::optional<answer<no_content>> ask_for_delete(node_link& link, const std::string& id,
                                                 const delete_options& how) {
  constexpr std::chrono::milliseconds look_interval{500};
  const auto until = end_of_patience(how);
  const auto promise = std::make_shared<std::promise<answer<no_content>>>();
  auto given = promise->get_future();
  link.ask<no_content>(
      delete_connector{{id}, how.force},
      [promise](answer<no_content> value) { promise->set_value(std::move(value)); }, caf::infinite);
  deletion_progress progress{id};
  for (;;) {
    const auto next = std::min(until, patience_clock::now() + look_interval);
    if (given.wait_until(next) == std::future_status::ready)
      return given.get();
    if (next == until)
      return std::nullopt;
    if (how.force)
      progress.show(link);
  }
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

int run_connector_delete(const client_options& options, const std::string& id, const delete_options& how) {
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  const auto response = ask_for_delete(*std::get<0>(connected), id, how);
  if (!response && how.force)
    return report(options,
                  refusal{errc::connector_busy,
                          "connector '" + id +
                              "' is not deleted yet, the node goes on with it: `vicket connector get` "
                              "shows it as being deleted, the same command again waits for it"});
  if (!response)
    return report(options, unreachable{"no answer from " + options.node.to_string() + " in time"});
  if (const auto* why = std::get_if<unreachable>(&*response))
    return report(options, unreachable{"no answer from " + options.node.to_string() + ": " + why->why});
  if (const auto* why = std::get_if<refusal>(&*response))
    return report(options, *why);
  const auto out = terminal::standard();
  out.line(options.json ? R"({"id":")" + id + R"(","deleted":true})"
                        : "deleted " + id); // a valid id needs no escapes
  out.flush();
  return exit_done;
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
        out.line(connector_to_json(one, false, view.being_deleted));
      else
        table.add({{one.id.value, colour::bold},
                   {printable(one.url, 80)},
                   show_enabled(one.enabled, view.being_deleted),
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
