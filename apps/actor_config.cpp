#include "apps/actor_config.hpp"

#include <algorithm>
#include <thread>

namespace vicket {

std::unique_ptr<caf::actor_system_config> make_actor_config(std::size_t threads) {
  auto config = std::make_unique<caf::actor_system_config>();
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency() / 2);
  config->set("caf.scheduler.max-threads", threads);
  config->set("caf.work-stealing.aggressive-poll-attempts", std::size_t{0});
  config->set("caf.work-stealing.moderate-poll-attempts", std::size_t{0});
  config->set("caf.logger.console.verbosity", "quiet");
  config->set("caf.logger.file.verbosity", "quiet");
  return config;
}

} // namespace vicket
