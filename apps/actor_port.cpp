#include "apps/actor_port.hpp"

#include "apps/sockets.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace vicket {

std::unique_ptr<caf::actor_system_config> make_actor_config(std::size_t threads,
                                                            const std::optional<tls_files>& tls) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->load<caf::io::middleman>();
  if (tls) {
    config->load<caf::openssl::manager>();
    // Any of these turns peer verification on, for both sides: a certificate is demanded and checked against
    // `ca`.
    config->openssl_certificate = tls->cert;
    config->openssl_key = tls->key;
    config->openssl_cafile = tls->ca;
  }
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency() / 2);
  config->set("caf.scheduler.max-threads", threads);
  config->set("caf.work-stealing.aggressive-poll-attempts", std::size_t{0});
  config->set("caf.work-stealing.moderate-poll-attempts", std::size_t{0});
  // Messages are decoded in the I/O thread. With CAF's own decoding workers about one answer in 200 got lost when
  // several clients connected at once (docs/decisions/0004-speed.md).
  config->set("caf.middleman.workers", std::size_t{0});
  config->set("caf.logger.console.verbosity", "quiet");
  config->set("caf.logger.file.verbosity", "quiet");
  return config;
}

std::optional<std::string> listen_complaint(const host_port& place) {
  if (auto why = try_bind(place))
    return "can't listen on " + place.to_string() + ": " + *why;
  return std::nullopt;
}

std::variant<std::uint16_t, std::string>
publish_gateway(caf::actor_system& system, const gateway_actor& gateway, const host_port& place, bool tls) {
  // SO_REUSEADDR: a node that is started again finds connections of its predecessor in TIME_WAIT.
  constexpr bool reuse = true;
  // CAF wants an address.
  const auto host = place.host == "localhost" ? std::string{"127.0.0.1"} : place.host;
  auto port = tls ? caf::openssl::publish(gateway, place.port, host.c_str(), reuse)
                  : system.middleman().publish(gateway, place.port, host.c_str(), reuse);
  if (!port)
    return "can't listen on " + place.to_string() + ": " + caf::to_string(port.error());
  return *port;
}

void close_actor_port(caf::actor_system& system, std::uint16_t port) {
  static_cast<void>(system.middleman().close(port)); // the broker is one for plain and TLS ports
}

std::variant<gateway_actor, std::string> connect_gateway(caf::actor_system& system, const host_port& place,
                                                         bool tls, std::int64_t timeout_ms) {
  const auto unreachable = "no node at " + place.to_string() + ": ";
  // CAF connects without a time-out, and says no more than that it failed.
  if (auto why = try_connect(place, timeout_ms))
    return unreachable + *why;
  const auto middleman = tls ? system.openssl_manager().actor_handle() : system.middleman().actor_handle();
  caf::scoped_actor self{system};
  std::variant<gateway_actor, std::string> result;
  self->request(middleman, std::chrono::milliseconds{timeout_ms}, caf::connect_atom_v, place.host, place.port)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& actor,
              const std::set<std::string>& interface) {
            if (!actor)
              result = unreachable + "what listens there publishes no actor";
            else if (!system.assignable(interface, system.message_types<gateway_actor>()))
              result = unreachable + "what listens there is another version, or no Vicket node";
            else
              result = caf::actor_cast<gateway_actor>(actor);
          },
          [&](const caf::error& reason) {
            if (reason == caf::sec::disconnect_during_handshake)
              result = unreachable +
                       "it hung up at the handshake; do both sides use TLS, with certificates that the "
                       "other side trusts?";
            else if (reason == caf::sec::request_timeout)
              result = unreachable + "what listens there did not answer within " +
                       std::to_string(timeout_ms / 1'000) + " s";
            else
              result = unreachable + caf::to_string(reason);
          });
  return result;
}

} // namespace vicket
