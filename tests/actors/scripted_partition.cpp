#include "tests/actors/scripted_partition.hpp"

#include "actors/node.hpp"

#include <mutex>
#include <stdexcept>

namespace vicket::testing {

struct scripted_system::config : caf::actor_system_config {
  config() {
    set("caf.scheduler.policy", "testing");
    set("caf.logger.file.verbosity", "quiet");
    set("caf.logger.console.verbosity", "quiet");
  }
};

scripted_system::scripted_system() {
  static std::once_flag once;
  std::call_once(once, register_all_types);
  config_ = std::make_unique<config>();
  system_ = std::make_unique<caf::actor_system>(*config_);
}

scripted_system::~scripted_system() {
  system_.reset();
}

void scripted_system::run() {
  constexpr std::size_t most = 1'000'000; // two that send each other messages for ever are a defect
  if (dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler()).run(most) == most)
    throw std::runtime_error("the actors come to no rest");
}

void scripted_system::advance(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds step{100};
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  for (; duration.count() > 0; duration -= step) {
    scheduler.advance_time(std::min(step, duration));
    run();
  }
}

} // namespace vicket::testing
