#include "apps/cluster_member.hpp"

#include "link/connect_peer.hpp"
#include "net/tls_contexts.hpp"
#include "storage/secret_key.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vicket {

namespace {

constexpr std::chrono::milliseconds look_again{500};
constexpr int looks_per_line = 10;
/// A partition that goes to another node: for what is under way.
constexpr std::int64_t drain_ms = 10'000;
/// Without an answer, to one node.
constexpr std::size_t most_requests = 16'384;
constexpr std::size_t most_bytes = 128u << 20;

} // namespace

std::variant<cluster_identity, std::string>
find_cluster(const node_config& config, const std::function<void(const std::string&)>& log_warning) {
  const auto& wanted = config.cluster;
  auto key = read_secret_key(config.secret_key_file);
  if (const auto* why = std::get_if<store_status>(&key))
    return why->detail;
  const auto box = std::make_shared<const secret_box>(std::get<secret_bytes>(std::move(key)));
  for (int looks = 0;; ++looks) {
    auto found = read_cluster({wanted.log, wanted.schema});
    if (auto* is = std::get_if<cluster_identity>(&found)) {
      if (is->name != wanted.name)
        return "--cluster: the cluster in the schema " + wanted.schema + " is " + is->name + ", not " +
               wanted.name;
      if (is->key_fingerprint != box->fingerprint())
        return "--secret-key-file: " + config.secret_key_file.string() + " has the key " +
               box->fingerprint() + ", the nodes of the cluster " + is->name + " have " +
               is->key_fingerprint + ": give this node the same file";
      auto why = complete_schema({wanted.log, wanted.schema}, *is, box);
      if (!why)
        return std::move(*is);
      if (looks % looks_per_line == 0)
        log_warning(*why + "; it is tried again");
    } else if (const auto& why = std::get<no_cluster>(found); why.absent) {
      return why.why;
    } else if (looks % looks_per_line == 0) {
      log_warning(why.why + "; it is waited for");
    }
    std::this_thread::sleep_for(look_again);
  }
}

/// The ways to the other nodes, by name. Of the cluster's thread.
struct cluster_member::links {
  explicit links(caf::actor_system& of, std::shared_ptr<internal::tls_contexts> with)
      : system{of}, tls{std::move(with)} {}

  caf::actor_system& system;
  const std::shared_ptr<internal::tls_contexts> tls; ///< of all of them; null: plain
  struct way {
    std::string address;
    caf::actor watcher; ///< of the link, which does not keep it alive
    peer_actor to;
  };
  std::map<std::string, way> ways;
  /// Who is told how the links stand; null: nobody any more.
  struct told_one {
    std::mutex mutex;
    cluster_node* node = nullptr; ///< guarded by it
  };
  const std::shared_ptr<told_one> told = std::make_shared<told_one>();

  peer_actor to(const std::string& node, const std::string& address) {
    if (node.empty() || address.empty())
      return {};
    auto& known = ways[node];
    if (!known.to || known.address != address) {
      known = {address, watcher_of(node), {}};
      link_options options;
      options.nodes = {address};
      options.wait = std::chrono::milliseconds{500};
      options.max_bytes = most_bytes;
      options.max_requests = most_requests;
      options.watcher = known.watcher.address();
      known.to = connect_peer(system, options, tls);
    }
    return known.to;
  }

  [[nodiscard]] caf::actor watcher_of(const std::string& node) const {
    return system.spawn([to = told, node](caf::event_based_actor*) -> caf::behavior {
      return {[to, node](const link_state& now) {
        const std::lock_guard lock{to->mutex};
        if (to->node != nullptr)
          to->node->peer_is(node, now.connected, now.why);
      }};
    });
  }
};

namespace {

std::shared_ptr<internal::tls_contexts> contexts_of(const node_config& config) {
  if (!config.tls)
    return nullptr;
  auto made = internal::tls_contexts::make(*config.tls);
  if (auto* why = std::get_if<std::string>(&made))
    throw std::runtime_error{*why};
  return std::get<0>(std::move(made));
}

} // namespace

cluster_member::cluster_member(const setup& with)
    : links_{std::make_shared<links>(*with.system, contexts_of(*with.config))} {
  auto& running = *with.running;
  const auto& wanted = with.config->cluster;
  cluster_node::setup in_database;
  in_database.conninfo = wanted.log;
  in_database.schema = wanted.schema;
  auto& joining = in_database.part;
  joining.uuid = with.cluster.uuid;
  joining.key = running.secrets();
  joining.self.node = wanted.node;
  joining.self.zone = wanted.zone;
  joining.self.addresses = wanted.advertise.value_or(with.listens).to_string();
  if (wanted.copies != 0)
    joining.copies = wanted.copies;
  if (wanted.log_keep_ms != 0)
    joining.log_keep.keep_ms = wanted.log_keep_ms;
  if (wanted.log_keep_bytes != 0)
    joining.log_keep.keep_bytes = wanted.log_keep_bytes;
  joining.stores = running.stores();
  joining.settings_fresh = with.settings_fresh;
  joining.random = with.random;
  joining.log_info = with.log_info;
  joining.log_warning = with.log_warning;
  joining.start = [&running, failed = with.failed](std::uint32_t partition, std::unique_ptr<round_log> log,
                                                   std::shared_ptr<const start_permit> permit) {
    try {
      running.own(partition, std::move(log), std::move(permit));
    } catch (const std::exception& problem) {
      failed(problem.what());
    }
  };
  joining.stop = [&running](std::uint32_t partition, std::function<void()> gone) {
    running.disown(partition, std::move(gone));
  };
  joining.drain = [&running](std::uint32_t partition, std::function<void()> drained) {
    running.drain_partition(partition, drain_ms, std::move(drained));
  };
  joining.owner_is = [&running, links = links_, failed = with.failed](std::uint32_t partition,
                                                                      const cluster_part::owner& owner) {
    try {
      running.owner_is(partition, owner.epoch, owner.node, links->to(owner.node, owner.addresses),
                       owner.halted);
    } catch (const std::exception& problem) {
      failed(problem.what());
    }
  };
  joining.reach = [links = links_, failed = with.failed](const std::string& node,
                                                         const std::string& address) {
    try {
      static_cast<void>(links->to(node, address));
    } catch (const std::exception& problem) {
      failed(problem.what());
    }
  };
  joining.take_checkpoint = [&running, links = links_, failed = with.failed](
                                std::uint32_t partition, const std::string& node, const std::string& address,
                                std::function<void(std::uint64_t)> opened,
                                std::function<void(const store_status&)> done) {
    try {
      running.take_checkpoint(partition, links->to(node, address), std::move(opened), std::move(done));
    } catch (const std::exception& problem) {
      failed(problem.what());
    }
  };
  joining.stop_taking = [&running](std::uint32_t partition) { running.stop_taking(partition); };
  joining.clear_store = [&running](std::uint32_t partition, std::function<void(const store_status&)> done) {
    running.clear_store(partition, std::move(done));
  };
  joining.replaced = [failed = with.failed, node = wanted.node] {
    failed("another process has entered the cluster as " + node + ": every node needs a name of its own");
  };
  node_ = std::make_unique<cluster_node>(std::move(in_database));
  {
    const std::lock_guard lock{links_->told->mutex};
    links_->told->node = node_.get();
  }
  running.lend([to = links_->told](std::uint32_t partition, const std::filesystem::path& folder,
                                   std::function<void(std::variant<std::uint64_t, store_status>)> done) {
    const std::lock_guard lock{to->mutex};
    if (to->node != nullptr)
      to->node->checkpoint(partition, folder, std::move(done));
    else
      done(store_status{store_errc::foreign, "this node is about to end"});
  });
}

cluster_member::~cluster_member() {
  const std::lock_guard lock{links_->told->mutex};
  links_->told->node = nullptr;
}

std::function<std::optional<std::string>()> cluster_member::reloader() const {
  return [tls = links_->tls] { return tls ? tls->reload() : std::nullopt; };
}

} // namespace vicket
