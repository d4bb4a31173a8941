#include "actors/delivery_profile.hpp"

#include "policy/connector_secrets.hpp"
#include "policy/endpoint_url.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

namespace vicket {

std::shared_ptr<const delivery_profile> make_delivery_profile(const connector& config,
                                                              const secret_box& secrets,
                                                              std::string_view version,
                                                              std::shared_ptr<in_flight_count> in_flight,
                                                              std::shared_ptr<const start_permit> permit) {
  // Whether http is allowed was decided when the connector was put; a node restarted without --allow-http still
  // must not send in the clear, which the delivery checks.
  auto parsed = parse_stored_endpoint_url(config.url);
  auto* url = std::get_if<endpoint_url>(&parsed);
  if (url == nullptr)
    throw std::logic_error("connector " + config.id.value + ": " + std::get<std::string>(parsed));
  const auto opened = open_secrets(config, secrets);
  if (!opened)
    throw std::logic_error("its secrets can't be decrypted with the key " + secrets.fingerprint());
  auto endpoint = std::make_shared<http_endpoint>();
  endpoint->tls = url->tls;
  endpoint->host = url->host;
  endpoint->port = url->port;
  endpoint->target = url->target;
  endpoint->host_header = url->host_header;
  return std::make_shared<const delivery_profile>(
      delivery_profile{config, std::move(endpoint), signing_key{opened->secret.view()},
                       request_head{config, *opened, version}, std::move(in_flight), std::move(permit)});
}

std::shared_ptr<const delivery_profile> make_silent_profile(const connector& config,
                                                            std::shared_ptr<in_flight_count> in_flight) {
  connector silent;
  silent.id = config.id;
  silent.enabled = false;
  silent.retry.cap_ms = config.retry.cap_ms;
  return std::make_shared<const delivery_profile>(delivery_profile{
      silent, nullptr, signing_key{""}, request_head{silent, {}, ""}, std::move(in_flight), nullptr});
}

} // namespace vicket
