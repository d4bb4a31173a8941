// A small workflow engine: its one workflow, `ticket-triage`, resolves tickets and fires an event for each.

#include "engine.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <iostream>
#include <random>

namespace {

/// The flags, in CAF's form: --node-port=4242 and so on; --help lists them.
struct settings : caf::actor_system_config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 4242;
  std::string connector = "crm-prod";
  std::string run = "run-1";
  std::size_t tickets = 3;
  std::string cursor_file = "outcomes.cursor";

  settings() {
    load<caf::io::middleman>();
    set("caf.middleman.workers", 0); // as vicketd: see the README
    opt_group{custom_options_, "global"}
        .add(host, "node-host", "where the node is")
        .add(port, "node-port", "its actor port")
        .add(openssl_certificate, "tls-cert", "our certificate (PEM), for a node with TLS")
        .add(openssl_key, "tls-key", "its private key")
        .add(openssl_cafile, "tls-ca", "whose certificates to trust")
        .add(connector, "connector", "whom to tell")
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

/// Whether everything that was fired was delivered.
bool run_workflow(caf::actor_system& system, const settings& with) {
  const bool tls = !with.openssl_certificate.empty();
  auto connection = system.spawn<engine, caf::detached>(
      engine_options{with.host, with.port, tls, "ticket-triage", with.cursor_file});
  caf::scoped_actor self{system};
  self->monitor(connection);
  bool good = true;
  for (std::size_t i = 1; i <= with.tickets; ++i)
    self->request(connection, caf::infinite, ticket_resolved(with, i))
        .receive([] {},
                 [&](const caf::error& reason) {
                   good = false;
                   std::cerr << "not fired: " << vicket::refusal_of(reason).detail << '\n';
                 });
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
  if (!with.openssl_certificate.empty())
    with.load<caf::openssl::manager>();
  caf::actor_system system{with};
  return run_workflow(system, with) ? 0 : 1;
}
