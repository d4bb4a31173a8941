#include "apps/node_link.hpp"

#include "apps/actor_config.hpp"
#include "link/connect.hpp"

#include <caf/init_global_meta_objects.hpp>
#include <caf/sec.hpp>

#include <stdexcept>

namespace vicket {

namespace {

constexpr std::size_t client_threads = 2;

std::unique_ptr<caf::actor_system_config> client_config() {
  register_message_types();
  caf::init_global_meta_objects<caf::id_block::vicket_link>();
  return make_actor_config(client_threads);
}

} // namespace

link_core::link_core(caf::actor_config& config, link_options options,
                     std::shared_ptr<std::promise<link_state>> first)
    : caf::event_based_actor{config}, first_{std::move(first)} {
  options.watcher = address();
  node_ = connect_node(system(), options);
}

caf::behavior link_core::make_behavior() {
  return {
      [this](link_task& task) { task.run(*this); },
      [this](const link_state& now) { take(now); },
  };
}

void link_core::take(const link_state& now) {
  if (const auto first = std::exchange(first_, nullptr))
    first->set_value(now);
  if (!now.connected)
    lose(now.why);
}

void link_core::lose(const std::string& why) {
  if (!lost_)
    lost_ = "the connection was lost: " + why;
  node_ = nullptr; // a command connects anew where it goes on
  const auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& [number, tell] : waiting)
    tell(unreachable{*lost_});
}

unreachable link_core::silence_of(const caf::error& reason) {
  if (reason == caf::sec::request_timeout)
    return {"no answer in time"};
  return {caf::to_string(reason)};
}

node_link::node_link(caf::actor core) : core_{std::move(core)} {}

node_link::~node_link() {
  caf::anon_send_exit(core_, caf::exit_reason::user_shutdown);
}

client::client(place node, std::optional<tls_files> tls)
    : node_{std::move(node)}, tls_{std::move(tls)}, config_{client_config()}, system_{*config_} {}

std::variant<std::unique_ptr<node_link>, unreachable> client::connect() {
  const auto no = [this](const std::string& why) {
    return unreachable{"no node at " + node_.to_string() + ": " + why};
  };
  link_options options;
  options.nodes = {node_.to_string()};
  options.tls = tls_;
  options.max_requests = max_requests;
  options.max_bytes = max_bytes;
  const auto first = std::make_shared<std::promise<link_state>>();
  auto state = first->get_future();
  std::unique_ptr<node_link> link;
  try {
    link = std::make_unique<node_link>(system_.spawn<link_core>(std::move(options), first));
  } catch (const std::runtime_error& why) {
    return no(why.what());
  }
  if (state.wait_for(std::chrono::milliseconds{node_link::connect_timeout_ms}) != std::future_status::ready)
    return no("what listens there did not answer within " +
              std::to_string(node_link::connect_timeout_ms / 1'000) + " s");
  if (const auto now = state.get(); !now.connected)
    return no(now.why);
  return link;
}

} // namespace vicket
