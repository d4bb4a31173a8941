// What a real PostgreSQL answers when its backends, its standby or itself go in the middle of an append.

#include "cluster/record_appender.hpp"
#include "tests/cluster/table_world.hpp"

#include <catch2/catch_test_macros.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

using namespace vicket;
using namespace vicket::testing;

namespace {

using step = append_settling::step;

/// One node that appends to partition 0 of a schema of its own, on the one server.
class lone_node {
public:
  lone_node() { REQUIRE(append("genesis", record_kind::genesis) == step::durable); }
  ~lone_node() {
    the_postgres().run("ALTER SYSTEM RESET ALL");
    the_postgres().run("SELECT pg_reload_conf()");
  }
  lone_node(const lone_node&) = delete;
  lone_node& operator=(const lone_node&) = delete;

  void begin_append(const std::string& body, record_kind kind = record_kind::round) {
    row_ = {{0, number_ + 1, 1, kind, number_}, {}, body};
    row_.digest = digest_of(last_, row_.head, row_.body);
    how_.reset();
    appender_.append(row_, last_, [this](record_appender::settled settled) {
      const std::lock_guard lock{mutex_};
      how_ = settled.how;
      detail_ = settled.detail;
      told_.notify_all();
    });
  }

  step end_append() {
    std::unique_lock lock{mutex_};
    if (!told_.wait_for(lock, std::chrono::seconds{60}, [this] { return how_.has_value(); }))
      throw std::runtime_error{"an append is not settled within a minute"};
    if (*how_ == step::durable) {
      ++number_;
      last_ = row_.digest;
    }
    return *how_;
  }

  step append(const std::string& body, record_kind kind = record_kind::round) {
    begin_append(body, kind);
    return end_append();
  }

  [[nodiscard]] bool is_settled() {
    const std::lock_guard lock{mutex_};
    return how_.has_value();
  }

  [[nodiscard]] const std::string& detail() const { return detail_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string rows() const {
    return the_postgres().run("SELECT count(*) FROM " + world_.schema() + ".rounds");
  }

private:
  postgres_world world_;
  record_appender appender_{
      {&world_.table(0), [this](std::int64_t ms, auto then) { world_.wait(ms, then); }}};
  std::uint64_t number_ = 0;
  record_digest last_{};
  log_row row_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<step> how_;
  std::string detail_;
};

/// Asks until the answer is this. (What is waited for comes from other processes.)
void await(const std::string& question, const std::string& answer) {
  for (auto i = 0; i < 3'000; ++i) {
    if (the_postgres().run(question) == answer)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  throw std::runtime_error{"does not come to be " + answer + ": " + question};
}

constexpr auto waiting_appends = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

void want_a_standby(bool wanted) {
  the_postgres().run(std::string{"ALTER SYSTEM SET synchronous_standby_names = '"} +
                     (wanted ? "nobody" : "") + "'");
  the_postgres().run("SELECT pg_reload_conf()");
  await("SHOW synchronous_standby_names", wanted ? "nobody" : "");
}

} // namespace

TEST_CASE("an append whose wait for the standby is cancelled is not durable before the standby has it",
          "[faults]") {
  for (const auto how : {"pg_cancel_backend", "pg_terminate_backend"}) {
    lone_node node;
    INFO(how);
    want_a_standby(true);
    node.begin_append("waits for a standby that is not there");
    await(waiting_appends, "t");
    // The row can be seen from now on. What waits then is the look that found it.
    the_postgres().run(std::string{"SELECT count("} + how +
                       "(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT%'");
    await("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE "
          "'%emit_message%'",
          "t");
    CHECK(node.rows() == "2");
    CHECK_FALSE(node.is_settled());
    // Nor is a look that is cancelled an answer.
    the_postgres().run(
        "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    await("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE "
          "'%emit_message%'",
          "t");
    CHECK_FALSE(node.is_settled());
    want_a_standby(false);
    CHECK(node.end_append() == step::durable);
    CHECK(node.rows() == "2");
    CHECK(node.append("and the next one") == step::durable);
  }
}

TEST_CASE("an append that the server refuses is not there, and may be tried again", "[faults]") {
  lone_node node;
  the_postgres().run("ALTER SYSTEM SET default_transaction_read_only = on");
  the_postgres().run("SELECT pg_reload_conf()");
  // A backend takes the setting when it is idle: until then it stores.
  auto stored = 0;
  while (node.append("refused") == step::durable && ++stored < 1'000)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  CHECK(node.detail().find("read-only") != std::string::npos);
  CHECK(node.rows() == std::to_string(1 + stored));
  the_postgres().run("ALTER SYSTEM RESET ALL");
  the_postgres().run("SELECT pg_reload_conf()");
  auto how = step::refused;
  for (auto i = 0; i < 1'000 && how == step::refused; ++i)
    how = node.append("again");
  CHECK(how == step::durable);
}

TEST_CASE("without a server an append is refused at once, and goes on with the server", "[faults]") {
  lone_node node;
  the_postgres().stop();
  auto how = step::durable;
  for (auto i = 0; i < 3 && how == step::durable; ++i)
    how = node.append("nobody hears it"); // the end of the connection may be heard of after the first
  CHECK(how == step::refused);
  the_postgres().start();
  while (how == step::refused)
    how = node.append("heard");
  CHECK(how == step::durable);
  CHECK(node.rows() == std::to_string(node.number()));
}

TEST_CASE("what is durable survives the server's death, and nothing is there twice", "[faults]") {
  lone_node node;
  for (auto round = 0; round < 3; ++round) {
    // Until there is a connection again an append is refused.
    auto how = step::refused;
    for (auto i = 0; i < 10'000 && how == step::refused; ++i)
      how = node.append("the first one");
    REQUIRE(how == step::durable);
    for (auto i = 0; i < 20; ++i)
      REQUIRE(node.append(std::string(1'000, 'x')) == step::durable);
    node.begin_append("under way at the kill");
    the_postgres().kill();
    the_postgres().start();
    how = node.end_append();
    CHECK((how == step::durable || how == step::refused));
    CHECK(node.rows() == std::to_string(node.number()));
  }
}
