#include "bench/link/feeders.hpp"
#include "link/port.hpp"
#include "messages/actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

namespace vicket::bench {

namespace {

node_actor::behavior_type accepting_node() {
  const auto nothing = [](const auto&...) { return make_refusal(errc::not_found, "there is nothing here"); };
  return {
      [](const send_to_connector& event) {
        return accepted{event.id.value_or(event_id{}), false};
      },
      [](const send_batch& batch) {
        batch_result result;
        result.results.reserve(batch.items.size());
        for (const auto& event : batch.items)
          result.results.emplace_back(accepted{event.id.value_or(event_id{}), false});
        return result;
      },
      [nothing](const get_event&) -> caf::result<event_page> { return nothing(); },
      [nothing](const get_run&) -> caf::result<run_page> { return nothing(); },
      [nothing](const read_outcomes&) -> caf::result<outcome_page> { return nothing(); },
      [nothing](const put_connector&) -> caf::result<connector_view> { return nothing(); },
      [nothing](const get_connector&) -> caf::result<connector_view> { return nothing(); },
      [nothing](const delete_connector&) -> caf::result<void> { return nothing(); },
      [nothing](const list_connectors&) -> caf::result<connector_page> { return nothing(); },
      [nothing](const get_status&) -> caf::result<node_status> { return nothing(); },
      [nothing](const trigger&) -> caf::result<trigger_result> { return nothing(); },
      [nothing](const trigger_batch&) -> caf::result<trigger_batch_result> { return nothing(); },
      [nothing](const put_rule&) -> caf::result<rule> { return nothing(); },
      [nothing](const get_rule&) -> caf::result<rule> { return nothing(); },
      [nothing](const delete_rule&) -> caf::result<void> { return nothing(); },
      [nothing](const list_rules&) -> caf::result<rule_page> { return nothing(); },
      [nothing](const try_rules&) -> caf::result<trial_page> { return nothing(); },
      [nothing](const make_backup&) -> caf::result<backup_made> { return nothing(); },
  };
}

} // namespace

void serve_link(const tls_files& tls) {
  caf::actor_system_config config;
  // As a node's.
  config.set("caf.work-stealing.aggressive-poll-attempts", 0);
  config.set("caf.work-stealing.moderate-poll-attempts", 0);
  caf::actor_system system{config};
  actor_port::options options;
  options.listen = {std::get<place>(parse_place("127.0.0.1:0"))};
  options.tls = tls;
  options.log_warning = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  auto opened = actor_port::open(system, system.spawn(accepting_node), std::move(options));
  if (const auto* why = std::get_if<std::string>(&opened))
    throw std::runtime_error{*why};
  const auto port = std::get<0>(std::move(opened));
  std::printf("port %u\n", static_cast<unsigned>(port->places().front().address.port));
  std::fflush(stdout);
  for (;;)
    ::pause(); // whoever started it ends it
}

} // namespace vicket::bench
