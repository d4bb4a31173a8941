#pragma once

#include "actors/node.hpp"
#include "apps/node_config.hpp"
#include "cluster/cluster_node.hpp"
#include "cluster/cluster_setup.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace vicket {

/// The cluster that a node is to join, once its database answers, which is waited for, a line in the log every few seconds.
/// Or one line: there is none there, or of another name, or its nodes have another secret key.
[[nodiscard]] std::variant<cluster_identity, std::string>
find_cluster(const node_config& config, const std::function<void(const std::string&)>& log_warning);

/// A running node's part in its cluster: what it owns is started in the node and ended there, and the node's front is told who
/// owns the rest. Ends before the node.
class cluster_member {
public:
  struct setup {
    caf::actor_system* system = nullptr; ///< it, the node and the random source outlive it
    node* running = nullptr;
    random_source* random = nullptr;
    cluster_identity cluster;
    std::shared_ptr<start_permit> settings_fresh; ///< the node's
    const node_config* config = nullptr;
    place listens; ///< for the other nodes, with the port that was picked
    std::function<void(const std::string&)> log_info;
    std::function<void(const std::string&)> log_warning;
    std::function<void(const std::string&)> failed; ///< ends the process
  };

  /// Throws std::runtime_error where the TLS files can't be used.
  explicit cluster_member(const setup& with);
  ~cluster_member();

  /// What it owns goes to others, in order. False: not all of it did in that time.
  [[nodiscard]] bool let_go(std::int64_t most_ms) { return node_->let_go(most_ms); }

  /// What reads the TLS files of the links to other nodes again, for connections from then on, or says why those of before
  /// stay. As `actor_port::reloader`.
  [[nodiscard]] std::function<std::optional<std::string>()> reloader() const;

private:
  struct links;
  std::shared_ptr<links> links_;
  std::unique_ptr<cluster_node> node_;
};

} // namespace vicket
