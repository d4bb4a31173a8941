// Three keepers of one partition on a real PostgreSQL, whose backends are ended and which is killed.

#include "cluster/partition_keeper.hpp"
#include "tests/cluster/table_world.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

using role = partition_keeper::role;

constexpr std::uint32_t partition = 0;

std::shared_ptr<const record_codec> the_codec() {
  static const auto codec = std::make_shared<const record_codec>(
      std::make_shared<secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')}), "cluster");
  return codec;
}

/// A node with nothing but a keeper, on an I/O thread of its own.
class lone_keeper {
public:
  lone_keeper(std::string name, std::uint32_t rank, const std::string& schema, const log_row& genesis)
      : rank_{rank} {
    io_.run([&] {
      table_ =
          std::make_unique<postgres_table>(postgres_table::setup{&io_, the_postgres().conninfo(), schema, 1});
      partition_keeper::setup setup;
      setup.partition = partition;
      setup.self = {std::move(name), 1};
      setup.appender = {table_.get(), [this](std::int64_t ms, auto then) { wait(ms, std::move(then)); }};
      setup.codec = the_codec();
      setup.begin.history = log_history{genesis.head, genesis.digest, false};
      setup.now_ms = [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
      };
      setup.apply = [this](const record_head& head, const record_digest&, std::string_view round) {
        const std::lock_guard lock{mutex_};
        applied_.emplace_back(head.number, std::string{round});
        return true;
      };
      setup.changed = [this](role now, const std::string& why) {
        const std::lock_guard lock{mutex_};
        role_ = now;
        why_ = why;
      };
      keeper_ = std::make_unique<partition_keeper>(std::move(setup));
      beat();
      write();
    });
  }
  ~lone_keeper() {
    io_.run([this] {
      pauses_.clear();
      keeper_.reset();
    });
    table_.reset();
  }
  lone_keeper(const lone_keeper&) = delete;
  lone_keeper& operator=(const lone_keeper&) = delete;

  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> applied() {
    const std::lock_guard lock{mutex_};
    return applied_;
  }
  [[nodiscard]] std::vector<std::string> acknowledged() {
    const std::lock_guard lock{mutex_};
    return acknowledged_;
  }
  [[nodiscard]] role now() {
    const std::lock_guard lock{mutex_};
    return role_;
  }
  [[nodiscard]] std::string why() {
    const std::lock_guard lock{mutex_};
    return why_;
  }

private:
  void wait(std::int64_t ms, std::function<void()> then) {
    pauses_.push_back(std::make_unique<internal::pause>(io_));
    pauses_.back()->start(std::chrono::milliseconds{ms}, std::move(then));
  }

  // A timer that has run out is called also when it is cancelled: then there is no keeper any more.
  void beat() {
    if (!keeper_)
      return;
    keeper_->poll();
    const auto sent = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
    table_->look(partition, 1, [this, sent](const log_table::look_answer& answer) {
      if (answer.answered && keeper_)
        keeper_->lived(sent);
    });
    keeper_->tick(rank_);
    wait(100, [this] { beat(); });
  }

  void write() {
    if (!keeper_)
      return;
    if (keeper_->now() == role::owning && !keeper_->busy()) {
      const auto text = std::to_string(rank_) + '/' + std::to_string(++written_);
      keeper_->append(text, [this, text](append_settling::step how) {
        const std::lock_guard lock{mutex_};
        if (how == append_settling::step::durable)
          acknowledged_.push_back(text);
      });
    }
    wait(5, [this] { write(); });
  }

  internal::io_thread io_{[](const std::string&) {}};
  std::uint32_t rank_;
  std::vector<std::unique_ptr<internal::pause>> pauses_;
  std::unique_ptr<postgres_table> table_;
  std::unique_ptr<partition_keeper> keeper_;
  std::uint64_t written_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::string>> applied_;
  std::vector<std::string> acknowledged_;
  role role_ = role::following;
  std::string why_;
};

} // namespace

TEST_CASE("keepers agree on a PostgreSQL whose backends are ended and which is killed", "[faults]") {
  postgres_world world;
  log_row genesis{{partition, 1, 1, record_kind::genesis, 0},
                  {},
                  the_codec()->seal({partition, 1, 1, record_kind::genesis, 0}, {}, {})};
  genesis.digest = digest_of({}, genesis.head, genesis.body);
  REQUIRE(
      world.ask<log_table::append_answer>([&](auto done) { world.table(0).append(genesis, {}, false, done); })
          .reply == append_reply::stored);
  std::vector<std::unique_ptr<lone_keeper>> nodes;
  for (std::uint32_t i = 0; i < 3; ++i)
    nodes.push_back(std::make_unique<lone_keeper>("node-" + std::to_string(i), i, world.schema(), genesis));

  const auto all_acknowledged = [&] {
    std::vector<std::string> all;
    for (const auto& node : nodes)
      for (auto& one : node->acknowledged())
        all.push_back(std::move(one));
    return all;
  };
  const auto await_progress = [&] {
    const auto before = all_acknowledged().size();
    for (auto i = 0; i < 6'000; ++i) {
      if (all_acknowledged().size() >= before + 50)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    FAIL("nothing goes on within a minute");
  };
  await_progress();
  for (auto round = 0; round < 10; ++round) {
    the_postgres().run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND random() < 0.5");
    await_progress();
  }
  for (auto round = 0; round < 2; ++round) {
    the_postgres().kill();
    the_postgres().start();
    await_progress();
  }

  // Every follower comes to what was acknowledged by now, and all have the same, in the same order.
  const auto acknowledged = all_acknowledged();
  const auto has_all = [&](lone_keeper& node) {
    std::map<std::string, int> texts;
    for (const auto& [number, text] : node.applied())
      ++texts[text];
    for (const auto& [text, times] : texts)
      CHECK(times == 1);
    return std::all_of(acknowledged.begin(), acknowledged.end(),
                       [&](const std::string& text) { return texts.contains(text); });
  };
  for (const auto& node : nodes) {
    INFO(node->why());
    CHECK(node->now() != role::broken);
    auto followed = false;
    for (auto i = 0; i < 3'000 && !followed; ++i) {
      followed = has_all(*node);
      if (!followed)
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    CHECK(followed);
  }
  const auto first = nodes[0]->applied();
  for (const auto& node : nodes) {
    const auto other = node->applied();
    for (std::size_t i = 0; i < std::min(first.size(), other.size()); ++i)
      REQUIRE(first[i] == other[i]);
  }
}
