#include "bench/cost/load_node.hpp"

#include <variant>

namespace vicket::bench {

load_node::config::config() {
  set("caf.scheduler.policy", "testing");
  set("caf.logger.file.verbosity", "quiet");
  set("caf.logger.console.verbosity", "quiet");
}

load_node::load_node(const std::filesystem::path& folder, std::size_t deliveries)
    : transport_{std::make_shared<counting_transport>(deliveries)}, system_{config_} {
  node_options options;
  options.data_dir = folder;
  options.partitions = 1;
  options.own_threads = false;
  options.attempt_wait_ms = 0;
  node_environment environment;
  environment.time = &clock_;
  environment.random = &random_;
  environment.transport = transport_;
  // Not thrown here: an actor's exception is CAF's.
  environment.failed = [this](const std::string& why) { problem_ = why; };
  environment.log_warning = [this](const std::string& what) { problem_ = what; };
  auto started = node::start(system_, std::move(options), std::move(environment));
  if (const auto* why = std::get_if<std::string>(&started))
    throw std::runtime_error{*why};
  node_ = std::get<std::unique_ptr<node>>(std::move(started));
  coordinator().run();
}

load_node::~load_node() {
  node_.reset();
  coordinator().run();
}

void load_node::run() {
  coordinator().run();
  if (!problem_.empty())
    throw std::runtime_error{problem_};
}

caf::scheduler::test_coordinator& load_node::coordinator() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

} // namespace vicket::bench
