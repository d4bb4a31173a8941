// What a node sees of a partition that it keeps no copy of.

#include "cluster/partition_witness.hpp"
#include "tests/cluster/simulated_table.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using namespace vicket;
using namespace vicket::testing;

namespace {

using fate = simulated_database::fate;

struct watched_log {
  watched_log() {
    partition_witness::setup setup;
    setup.table = &table;
    setup.now_ms = [this] { return now; };
    setup.went_back = [this](const std::string& why) { told += why; };
    witness = std::make_unique<partition_witness>(std::move(setup));
  }

  /// The next record, which says that the one before is durable, and what becomes of it.
  void write(fate how = fate::done) {
    const auto number = last.number + 1;
    record_head head{0, number, 1, number == 1 ? record_kind::genesis : record_kind::round, last.number};
    log_row row{head, {}, "body " + std::to_string(written++)};
    row.digest = digest_of(digest, head, row.body);
    table.append(row, digest, false, [](const auto&) {});
    database.let_happen(0, how);
    last = head;
    digest = row.digest;
  }
  void look() {
    now += 100;
    witness->poll();
    database.let_all_happen();
    witness->lived(now);
  }

  simulated_database database;
  simulated_table table{database};
  std::int64_t now = 1'000;
  std::string told;
  record_head last;
  record_digest digest{};
  int written = 0;
  std::unique_ptr<partition_witness> witness;
};

} // namespace

TEST_CASE("who keeps no copy knows who owns a partition, and whether it makes progress") {
  watched_log log;
  log.write();
  log.table.note_owner(0, "node-a", 7, [](bool) {});
  log.database.let_all_happen();
  CHECK(log.witness->looked_ms() == 0);
  for (auto i = 0; i < 31; ++i) {
    log.write();
    log.look();
    CHECK_FALSE(log.witness->is_silent(0));
  }
  CHECK(log.witness->owner() == "node-a");
  CHECK(log.witness->epoch() == 7);
  CHECK(log.witness->last() == 32);
  CHECK(log.witness->known() == 31);
  CHECK(log.witness->looked_ms() == log.now);
  for (auto i = 0; i < 30; ++i) {
    CHECK_FALSE(log.witness->is_silent(0));
    log.look();
  }
  CHECK(log.witness->is_silent(0));
  CHECK_FALSE(log.witness->is_silent(1));
}

TEST_CASE("what was seen and not durable may go: the log has not gone back") {
  watched_log log;
  log.write();
  log.write();
  log.write(fate::cut_after); // visible, on one server alone
  log.look();
  CHECK(log.witness->known() == 2);
  log.database.fail_over();
  log.look();
  CHECK(log.told.empty());
  CHECK_FALSE(log.database.is_halted(0));
}

TEST_CASE("a server that lacks what was durable is found by who only looks, and the partition is halted") {
  watched_log log;
  for (auto i = 0; i < 3; ++i)
    log.write();
  SECTION("as it was seen there") {
    log.look();
    log.database.go_back();
    log.database.go_back();
  }
  SECTION("as it was followed before") {
    log.witness->knows(log.last.number, log.digest);
    log.database.go_back();
  }
  log.now += 100;
  log.witness->poll();
  log.database.let_happen(0, fate::done); // it looks
  CHECK(log.told.find("the log went back: record ") == 0);
  CHECK_FALSE(log.database.is_halted(0));
  log.database.let_happen(0, fate::cut_before);
  CHECK_FALSE(log.database.is_halted(0));
  log.look();
  CHECK(log.database.is_halted(0));
  const auto told = log.told;
  log.look(); // once
  CHECK(log.told == told);
  CHECK(log.database.under_way() == 0);
}

TEST_CASE("another record in the place of one that was durable is a log that went back, too") {
  watched_log log;
  for (auto i = 0; i < 3; ++i)
    log.write();
  log.witness->knows(3, {1});
  log.look();
  CHECK(log.told.find("record 3") != std::string::npos);
}

TEST_CASE("what was trimmed is not missed") {
  watched_log log;
  for (auto i = 0; i < 4; ++i)
    log.write();
  log.look();
  log.table.note_owner(0, "a", 2, [](bool) {});
  log.table.trim(0, 2, 4, [](bool) {});
  log.database.let_all_happen();
  log.write();
  log.look();
  CHECK(log.told.empty());
  CHECK(log.witness->known() == 4);
}
