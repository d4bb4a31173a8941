#include "apps/node_link.hpp"

#include "apps/actor_port.hpp"

#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <caf/sec.hpp>

namespace vicket {

namespace {

constexpr std::size_t client_threads = 2;

std::unique_ptr<caf::actor_system_config> client_config(const std::optional<tls_files>& tls) {
  register_message_types();
  caf::init_global_meta_objects<caf::id_block::vicket_link>();
  caf::io::middleman::init_global_meta_objects();
  caf::core::init_global_meta_objects();
  return make_actor_config(client_threads, tls);
}

} // namespace

link_core::link_core(caf::actor_config& config, gateway_actor gateway)
    : caf::event_based_actor{config}, gateway_{std::move(gateway)} {
  set_down_handler([this](const caf::down_msg&) { lose(); });
  monitor(gateway_);
}

caf::behavior link_core::make_behavior() {
  return {[this](link_task& task) { task.run(*this); }};
}

void link_core::lose() {
  lost_ = true;
  const auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& [number, tell] : waiting)
    tell(unreachable{"the connection was lost"});
}

unreachable link_core::silence_of(const caf::error& reason) {
  if (reason == caf::sec::request_timeout)
    return {"no answer in time"};
  return {caf::to_string(reason)};
}

node_link::node_link(caf::actor_system& system, const gateway_actor& gateway)
    : core_{system.spawn<link_core>(gateway)} {}

node_link::~node_link() {
  caf::anon_send_exit(core_, caf::exit_reason::user_shutdown);
}

client::client(host_port node, std::optional<tls_files> tls)
    : node_{std::move(node)}, tls_{std::move(tls)}, config_{client_config(tls_)}, system_{*config_} {}

std::variant<std::unique_ptr<node_link>, unreachable> client::connect() {
  const auto gateway = connect_gateway(system_, node_, tls_.has_value(), node_link::connect_timeout_ms);
  if (const auto* why = std::get_if<std::string>(&gateway))
    return unreachable{*why};
  return std::make_unique<node_link>(system_, std::get<gateway_actor>(gateway));
}

} // namespace vicket
