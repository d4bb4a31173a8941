#pragma once

#include "actors/in_flight_count.hpp"
#include "messages/connector.hpp"
#include "policy/request_head.hpp"
#include "policy/secret_box.hpp"
#include "policy/signer.hpp"
#include "policy/start_permit.hpp"
#include "transport/http_transport.hpp"

#include <memory>
#include <string_view>

namespace vicket {

/// What a connector's deliveries have in common, computed once when the connector is configured and shared, never
/// changed, by its supervisor and the deliveries under way. It is the only place where a connector's secrets are open: as
/// long as something is done for the connector.
struct delivery_profile {
  connector config; ///< its secrets are sealed
  std::shared_ptr<const http_endpoint> endpoint;
  signing_key key;
  request_head head;
  std::shared_ptr<in_flight_count> in_flight; ///< of the connector, whatever its profile
  std::shared_ptr<const start_permit> permit; ///< nothing starts without it; null: none is needed
};

/// The connector in it, which lives as long as whoever has this wants.
[[nodiscard]] inline std::shared_ptr<const connector>
config_of(const std::shared_ptr<const delivery_profile>& profile) {
  return {profile, &profile->config};
}

/// `config` has passed `connector_complaint()`, and its secrets are sealed with `secrets`; throws `std::logic_error` if its
/// URL does not parse, or its secrets can't be opened, all the same.
/// `version` goes into the `User-Agent`.
[[nodiscard]] std::shared_ptr<const delivery_profile>
make_delivery_profile(const connector& config, const secret_box& secrets, std::string_view version,
                      std::shared_ptr<in_flight_count> in_flight = std::make_shared<in_flight_count>(),
                      std::shared_ptr<const start_permit> permit = nullptr);

/// Of a connector that is sent nothing any more, whatever its configuration is.
[[nodiscard]] std::shared_ptr<const delivery_profile>
make_silent_profile(const connector& config, std::shared_ptr<in_flight_count> in_flight);

} // namespace vicket
