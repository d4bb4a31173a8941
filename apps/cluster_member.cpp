#include "apps/cluster_member.hpp"

#include "link/connect_peer.hpp"
#include "storage/secret_key.hpp"

#include <chrono>
#include <exception>
#include <map>
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
  const secret_box box{std::get<secret_bytes>(std::move(key))};
  for (int looks = 0;; ++looks) {
    auto found = read_cluster({wanted.log, wanted.schema});
    if (auto* is = std::get_if<cluster_identity>(&found)) {
      if (is->name != wanted.name)
        return "--cluster: the cluster in the schema " + wanted.schema + " is " + is->name + ", not " +
               wanted.name;
      if (is->key_fingerprint != box.fingerprint())
        return "--secret-key-file: " + config.secret_key_file.string() + " has the key " + box.fingerprint() +
               ", the nodes of the cluster " + is->name + " have " + is->key_fingerprint +
               ": give this node the same file";
      return std::move(*is);
    }
    const auto& why = std::get<no_cluster>(found);
    if (why.absent)
      return why.why;
    if (looks % looks_per_line == 0)
      log_warning(why.why + "; it is waited for");
    std::this_thread::sleep_for(look_again);
  }
}

/// The ways to the other nodes, by name. Of the cluster's thread.
struct cluster_member::links {
  caf::actor_system& system;
  const node_config& config;
  struct way {
    std::string address;
    peer_actor to;
  };
  std::map<std::string, way> ways;

  peer_actor to(const cluster_part::owner& owner) {
    if (owner.node.empty() || owner.addresses.empty())
      return {};
    auto& known = ways[owner.node];
    if (!known.to || known.address != owner.addresses) {
      link_options options;
      options.nodes = {owner.addresses};
      options.tls = config.tls;
      options.wait = std::chrono::milliseconds{500};
      options.max_bytes = most_bytes;
      options.max_requests = most_requests;
      known = {owner.addresses, connect_peer(system, options)};
    }
    return known.to;
  }
};

cluster_member::cluster_member(const setup& with)
    : links_{std::make_shared<links>(links{*with.system, *with.config, {}})} {
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
  joining.stores = running.stores();
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
      running.owner_is(partition, owner.epoch, owner.node, links->to(owner));
    } catch (const std::exception& problem) {
      failed(problem.what());
    }
  };
  joining.replaced = [failed = with.failed, node = wanted.node] {
    failed("another process has entered the cluster as " + node + ": every node needs a name of its own");
  };
  node_ = std::make_unique<cluster_node>(std::move(in_database));
}

cluster_member::~cluster_member() = default;

} // namespace vicket
