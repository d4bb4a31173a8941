// A small workflow engine: its one workflow, `ticket-triage`, resolves tickets and fires an event for each.

#include "engine.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <random>

namespace {

/// The flags, in CAF's form: --node=127.0.0.1:4242 and so on; --help lists them.
struct settings : caf::actor_system_config {
  std::string node = "127.0.0.1:4242";
  vicket::tls_files tls;
  std::string connector = "crm-prod";
  bool triggers = false;
  std::string run = "run-1";
  std::size_t tickets = 3;
  std::string cursor_file = "outcomes.cursor";

  settings() {
    opt_group{custom_options_, "global"}
        .add(node, "node", "where the node listens: HOST:PORT or unix:PATH")
        .add(tls.cert, "tls-cert", "our certificate (PEM), for a node with TLS")
        .add(tls.key, "tls-key", "its private key")
        .add(tls.ca, "tls-ca", "whose certificates to trust")
        .add(connector, "connector", "whom to tell")
        .add(triggers, "triggers", "fire events without a connector: the node's rules say where they go")
        .add(run, "run", "the workflow run's id")
        .add(tickets, "tickets", "how many tickets to resolve")
        .add(cursor_file, "cursor-file", "where to keep the place in the outcome feed");
  }
};

vicket::event_id random_uuid() {
  static std::random_device random;
  vicket::event_id id;
  for (auto& byte : id.bytes)
    byte = static_cast<std::uint8_t>(random());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40); // RFC 9562: version 4
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80); // its variant
  return id;
}

vicket::timestamp_ms now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

/// One `send_to_connector` action of the workflow.
vicket::send_to_connector ticket_resolved(const settings& with, std::size_t ticket) {
  vicket::send_to_connector action;
  action.connector = {with.connector};
  action.event = "ticket.status_changed";
  action.occurred_at = now();
  action.data_json =
      R"({"ticket":{"id":"T-)" + std::to_string(ticket) + R"(","status":{"category":"resolved"}}})";
  action.message = "Ticket resolved by the on-call agent.";
  action.workflow = "ticket-triage";
  action.run = with.run;
  action.id = random_uuid(); // makes it safe to send again
  return action;
}

/// The same as a trigger: which connectors it goes to is not the workflow's to know.
vicket::trigger ticket_trigger(const settings& with, std::size_t ticket) {
  auto action = ticket_resolved(with, ticket);
  return {action.event,    action.occurred_at, action.data_json, action.message,
          action.workflow, action.run,         action.id};
}

/// Whether everything that was fired was delivered.
bool run_workflow(caf::actor_system& system, const settings& with) {
  vicket::link_options link;
  link.nodes = {with.node};
  if (!with.tls.cert.empty())
    link.tls = with.tls;
  auto connection = system.spawn<engine>(engine_options{link, "ticket-triage", with.cursor_file});
  caf::scoped_actor self{system};
  self->monitor(connection);
  bool good = true;
  const auto fire = [&](auto event) {
    self->request(connection, caf::infinite, std::move(event))
        .receive([] {},
                 [&](const caf::error& reason) {
                   good = false;
                   std::cerr << "not fired: " << vicket::refusal_of(reason).detail << '\n';
                 });
  };
  for (std::size_t i = 1; i <= with.tickets; ++i)
    if (with.triggers)
      fire(ticket_trigger(with, i));
    else
      fire(ticket_resolved(with, i));
  self->send(connection, caf::close_atom_v);
  self->receive([&](const caf::down_msg& end) {
    if (end.reason) {
      good = false;
      std::cerr << "workflow_engine: " << caf::to_string(end.reason) << '\n';
    }
  });
  return good;
}

} // namespace

int main(int argc, char** argv) {
  vicket::register_message_types();
  settings with;
  if (auto wrong = with.parse(argc, argv)) {
    std::cerr << "workflow_engine: " << caf::to_string(wrong) << '\n';
    return 2;
  }
  if (with.cli_helptext_printed)
    return 0;
  caf::actor_system system{with};
  try {
    return run_workflow(system, with) ? 0 : 1;
  } catch (const std::exception& problem) { // a malformed place, or certificates that can't be read
    std::cerr << "workflow_engine: " << problem.what() << '\n';
    return 2;
  }
}
