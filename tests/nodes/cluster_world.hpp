#pragma once

#include "messages/ids.hpp"
#include "tests/nodes/cut_network.hpp"
#include "tests/support/postgres_instance.hpp"
#include "tests/support/process.hpp"
#include "tests/system/endpoints.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket::testing {

/// How the database of a cluster is made.
enum class database : std::uint8_t {
  synchronous, ///< with a standby that has everything that is acknowledged
  asynchronous ///< whose standby may lack some
};

/// Three nodes or more, a database with a standby, and an endpoint, as processes of their own, with an engine in this one that sends
/// without end, and knows what was accepted.
class cluster_world {
public:
  static constexpr std::size_t default_nodes = 3;
  static constexpr std::uint32_t partitions = 4;
  static constexpr std::size_t connectors = 12;

  /// `network`: each node on a host of its own, with the rest at the hub, over TCP and TLS; it outlives this. Null: all over Unix
  /// sockets, but for the endpoint.
  /// `flags`: of all nodes, each time that they start.
  explicit cluster_world(database how = database::synchronous, std::size_t nodes = default_nodes,
                         const cut_network* network = nullptr, std::vector<std::string> flags = {});
  ~cluster_world();
  cluster_world(const cluster_world&) = delete;
  cluster_world& operator=(const cluster_world&) = delete;

  // -- nodes ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  /// `more`: flags, which come last; `environment`: NAME=value.
  void start_node(std::size_t number, const std::vector<std::string>& more = {},
                  std::vector<std::string> environment = {});
  void kill_node(std::size_t number);
  void signal_node(std::size_t number, int signal) const;
  /// Of one that does not run: its folder goes, as when its disk was replaced.
  void empty_node(std::size_t number) const;
  /// Names of its folders of copies that are not whole.
  [[nodiscard]] std::vector<std::string> unfinished_copies_of(std::size_t number) const;
  /// That its log says this so many times, in all its lives. Throws after a minute.
  void wait_for_log(std::size_t number, const std::string& part, std::size_t times) const;
  [[nodiscard]] std::size_t said(std::size_t number, const std::string& part) const;
  /// SIGTERM, and its exit code.
  int stop_node(std::size_t number);
  [[nodiscard]] bool runs(std::size_t number) const { return nodes_[number] != nullptr; }
  [[nodiscard]] std::string log_of(std::size_t number) const;
  [[nodiscard]] static std::string name_of(std::size_t number);
  /// Where an engine reaches it.
  [[nodiscard]] std::string place_of(std::size_t number) const { return "unix:" + socket_of(number); }
  [[nodiscard]] static connector_id connector_number(std::size_t number);

  /// By partition, as the database has it; empty: nobody's yet.
  [[nodiscard]] std::vector<std::string> owners() const;
  [[nodiscard]] std::vector<std::uint64_t> epochs() const;
  [[nodiscard]] std::vector<std::string> halted() const;
  /// What `vicket status` says of this node, and `vicket cluster status` of the database. They end with 0, or this throws.
  [[nodiscard]] std::string status_of(std::size_t number, bool json = false) const;
  [[nodiscard]] std::string cluster_status(bool json = false) const;
  /// That `vicket cluster status` says this, or does not any more. How long it took; throws after a minute.
  std::int64_t wait_for_status(const std::string& part, bool says = true) const;
  /// What `vicket cluster` with these words comes to.
  [[nodiscard]] finished_process cluster_command(std::vector<std::string> words) const;
  /// What `vicket outcomes` of this node comes to.
  [[nodiscard]] finished_process outcomes_of(std::size_t number) const;
  /// A superuser's statement, where the database takes writes.
  std::string database_run(const std::string& statement) const;
  /// A node that owns some.
  [[nodiscard]] std::size_t some_owner() const;
  /// That every partition has an owner that runs, and is not `except`. How long it took; throws after a minute.
  std::int64_t wait_for_owners(std::optional<std::size_t> except = std::nullopt);
  /// Who keeps the partition besides its owner, as the database has it.
  [[nodiscard]] std::vector<std::size_t> followers_of(std::uint32_t partition) const;
  /// That each partition is kept by two nodes, which have all of it.
  void wait_for_copies();
  /// That the nodes own about as many each: moves are over.
  void wait_for_balance();

  // -- the database ---------------------------------------------------------------------------------------------------

  [[nodiscard]] postgres_instance& primary() { return *primary_; }
  [[nodiscard]] postgres_instance& standby() { return *standby_; }
  /// The standby is the primary from now on; the other one has been killed.
  void promote();
  /// The standby gets nothing more from here on. (Asynchronous: nobody waits for it.)
  void cut_standby_off();

  // -- the engine -----------------------------------------------------------------------------------------------------

  struct counts {
    std::size_t accepted = 0;
    std::size_t duplicates = 0; ///< of answers
    std::size_t unavailable = 0;
    std::size_t other = 0; ///< refusals that must not be
    std::string example;   ///< of those
  };
  [[nodiscard]] counts sent() const;
  /// That so many more are accepted, from now on. How long it took; throws after a minute.
  std::int64_t wait_for_accepted(std::size_t more);
  void pause_engine();
  void resume_engine();
  /// No new events; returns when all that were sent have a final answer. Throws after a minute without.
  void stop_engine();

  // -- what must be true at the end -----------------------------------------------------------------------------------

  /// Every accepted event came to the endpoint; throws with how many did not after a minute.
  void wait_until_delivered();
  /// So many were delivered more than once.
  [[nodiscard]] std::size_t delivered_twice() const;
  /// Each node shows each accepted event, as delivered, and in its feed at least once. Complaints, a line each.
  [[nodiscard]] std::vector<std::string> compare_what_nodes_show() const;
  /// All nodes have stopped: their stores have the same events and attempts. Complaints, a line each.
  [[nodiscard]] std::vector<std::string> compare_copies() const;

  [[nodiscard]] event_receiver& endpoint() { return *endpoint_; }

private:
  std::int64_t wait_for(const std::string& what, const std::function<bool()>& is_so) const;
  struct engine;

  [[nodiscard]] std::string conninfo() const;
  void make_certificates();
  [[nodiscard]] std::vector<std::string> network_flags_of(std::size_t number) const;
  [[nodiscard]] std::string socket_of(std::size_t number) const;
  void put_connectors();
  static std::string said_by(std::vector<std::string> command, bool json);

  const cut_network* network_;
  std::vector<std::string> flags_;
  temporary_folder folder_;
  std::unique_ptr<postgres_instance> primary_;
  std::unique_ptr<postgres_instance> standby_;
  bool promoted_ = false;
  std::unique_ptr<event_receiver> endpoint_;
  std::vector<std::unique_ptr<process>> nodes_;
  std::vector<std::string> logs_; ///< of lives that are over
  std::unique_ptr<engine> engine_;
};

} // namespace vicket::testing
