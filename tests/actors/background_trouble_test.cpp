// A node on real threads whose store fails in threads of its own, while nobody asks it for anything.

#include "actors/node.hpp"
#include "storage/testing/environments.hpp"
#include "tests/actors/node_fixture.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

/// Lines from any thread, to be waited for.
class lines {
public:
  void add(const std::string& line) {
    const std::lock_guard guard{mutex_};
    lines_.push_back(line);
    added_.notify_all();
  }
  [[nodiscard]] bool come(const std::string& part) {
    std::unique_lock guard{mutex_};
    return added_.wait_for(guard, std::chrono::seconds{20}, [&] {
      for (const auto& line : lines_)
        if (line.find(part) != std::string::npos)
          return true;
      return false;
    });
  }
  [[nodiscard]] bool empty() {
    const std::lock_guard guard{mutex_};
    return lines_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<std::string> lines_;
};

enum class place : std::uint8_t { alone, in_a_cluster };

class threaded_node {
public:
  /// In a cluster it owns all partitions, as if their log answered at once.
  explicit threaded_node(place where = place::alone) {
    node_options options;
    if (where == place::in_a_cluster)
      options.cluster = data_folder::cluster_place{"0191c0de-0000-4000-8000-000000000000", "node-a"};
    options.data_dir = folder_.options.data_dir.parent_path() / "threaded";
    options.partitions = 32; // they share the memory for writes, so that a few events fill theirs
    node_environment environment;
    environment.time = &folder_.clock;
    environment.random = &folder_.random;
    environment.transport = folder_.transport;
    environment.store = &disk;
    environment.failed = [this](const std::string& why) { failures.add(why); };
    environment.log_warning = [this](const std::string& line) { warnings.add(line); };
    auto started = node::start(system_, options, environment);
    if (auto* why = std::get_if<std::string>(&started))
      FAIL(*why);
    node_ = std::get<std::unique_ptr<node>>(std::move(started));
    if (where == place::in_a_cluster)
      own_all();
    folder_.transport->hang("crm.example.com"); // no attempt ends, so nothing is recorded meanwhile
    connector config;
    config.id = {"crm"};
    config.url = "https://crm.example.com/hook";
    CHECK(ask(put_connector{config}));
  }
  ~threaded_node() { node_.reset(); }

  /// Until a memtable's flush was refused; then nobody asks for anything.
  void send_until_tables_are_refused() {
    auto event = node_fixture::event_for("crm");
    event.message = std::string(100'000, 'x');
    int sent = 0;
    do {
      REQUIRE(ask(event));
      REQUIRE(++sent < 200);
    } while (!disk.await_refused_table(200));
  }

  /// Goes through the partition's actor, and writes nothing.
  bool read_one() { return ask(get_connector{{"crm"}}); }

  faulty_environment disk;
  lines failures;
  lines warnings;

  [[nodiscard]] bool wants_resume() const {
    const auto stores = node_->stores();
    return std::any_of(stores.begin(), stores.end(), [](const auto& each) { return each->wants_resume(); });
  }

private:
  void own_all() {
    const auto permit = std::make_shared<start_permit>([] { return std::int64_t{1}; });
    permit->allow(0, 2);
    for (std::uint32_t i = 0; i < node_->partitions(); ++i) {
      auto& store = *node_->stores()[i];
      const auto first = store.take_over(2, i + 1);
      REQUIRE(store.apply(std::get<sealed_round>(first), partition_store::durability::synced).ok());
      node_->own(i, std::make_unique<local_log>(store), permit);
    }
  }

  template <class Request>
  bool ask(const Request& request) {
    caf::scoped_actor self{system_};
    bool done = false;
    using answer = std::conditional_t<std::is_same_v<Request, send_to_connector>, accepted, connector_view>;
    self->request(node_->gateway(), std::chrono::seconds{20}, request)
        .receive([&](const answer&) { done = true; }, [](const caf::error&) {});
    return done;
  }

  node_fixture folder_; ///< for its clock, random source, transport and folder
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::unique_ptr<node> node_;
};

} // namespace

TEST_CASE("a failure in the store's own threads ends the node at once, though it is idle") {
  threaded_node node;
  node.disk.refuse_tables(faulty_environment::fault::broken);
  node.send_until_tables_are_refused();
  CHECK(node.failures.come("background"));
}

TEST_CASE("background work that a full disk stopped goes on when there is room, though the node is idle") {
  threaded_node node;
  node.disk.refuse_tables(faulty_environment::fault::no_space);
  node.send_until_tables_are_refused();
  node.disk.free_disk();
  CHECK(node.warnings.come("has room"));
  CHECK(node.failures.empty());
}

TEST_CASE("of a node of a cluster nobody reopens a store: the log's follower writes it") {
  threaded_node node{place::in_a_cluster};
  node.disk.refuse_tables(faulty_environment::fault::no_space);
  node.send_until_tables_are_refused();
  while (!node.wants_resume()) // the database tells of it a moment later
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  node.disk.free_disk();
  CHECK(node.read_one()); // behind the look that the trouble made
  CHECK(node.wants_resume());
  CHECK(node.failures.empty());
}
