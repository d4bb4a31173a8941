// The log of the partition `settings`: a new cluster has it, one of an older program gets it, and an adopted folder's comes along.

#include "cluster/cluster_setup.hpp"
#include "tests/cluster/table_world.hpp"

#include "storage/data_folder.hpp"
#include "storage/secret_key.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace vicket;
using namespace vicket::testing;

namespace {

constexpr std::uint32_t partitions = 2;

std::shared_ptr<const secret_box> the_key() {
  static const auto box =
      std::make_shared<const secret_box>(secret_bytes{std::string(secret_box::key_bytes, 'k')});
  return box;
}

std::string run(const std::string& statement) {
  return the_postgres().run(statement);
}

std::string records_of(const std::string& schema, std::uint32_t partition) {
  return run("SELECT string_agg(kind::text, ',' ORDER BY number) FROM " + schema +
             ".rounds WHERE partition = " + std::to_string(partition));
}

cluster_identity made(const log_place& place) {
  auto result = init_cluster(place, "test", partitions, the_key(), {});
  if (const auto* why = std::get_if<std::string>(&result))
    FAIL(*why);
  return std::get<cluster_identity>(std::move(result));
}

} // namespace

TEST_CASE("a new cluster has a log of its settings, beside those of the partitions that it counts") {
  const log_place place{the_postgres().conninfo(), "settings_new"};
  const auto cluster = made(place);
  CHECK(cluster.partitions == partitions);
  CHECK(records_of(place.schema, partitions) == records_of(place.schema, 0));
  CHECK(run("SELECT count(*) FROM settings_new.partitions") == "3");
  CHECK_FALSE(complete_schema(place, cluster, the_key())); // it is there
  CHECK(run("SELECT count(*) FROM settings_new.rounds") == "3");
}

TEST_CASE("a cluster of a program without settings gets their log once, however many nodes start at the same "
          "time") {
  const log_place place{the_postgres().conninfo(), "settings_old"};
  const auto cluster = made(place);
  run("DELETE FROM settings_old.rounds WHERE partition = 2; DELETE FROM settings_old.partitions WHERE "
      "partition = 2; "
      "ALTER TABLE settings_old.members DROP COLUMN unreached, DROP COLUMN drained");
  CHECK(std::holds_alternative<cluster_view>(view_cluster(place))); // before any node of this version came
  std::vector<std::optional<std::string>> said(8);
  {
    std::vector<std::thread> nodes;
    for (auto& mine : said)
      nodes.emplace_back([&] { mine = complete_schema(place, cluster, the_key()); });
    for (auto& each : nodes)
      each.join();
  }
  for (const auto& each : said)
    CHECK(each.value_or("") == "");
  CHECK(records_of(place.schema, 2) == records_of(place.schema, 0));
  CHECK(run("SELECT count(*) FROM settings_old.rounds") == "3");
  CHECK(run("SELECT count(unreached) + count(drained) FROM settings_old.members") ==
        "0"); // it is there, and nobody's yet
}

TEST_CASE("a node's role that may not complete the schema says who has to run what") {
  run("CREATE ROLE modest LOGIN");
  const log_place place{the_postgres().conninfo(), "settings_role"};
  auto result = init_cluster(place, "test", partitions, the_key(), "modest");
  REQUIRE(std::holds_alternative<cluster_identity>(result));
  const auto& cluster = std::get<cluster_identity>(result);
  log_place as_node = place;
  as_node.conninfo += " user=modest";
  CHECK_FALSE(complete_schema(as_node, cluster, the_key()));
  run("ALTER TABLE settings_role.members DROP COLUMN unreached");
  const auto why = complete_schema(as_node, cluster, the_key());
  REQUIRE(why);
  CHECK(why->find("let the owner of that table run \"ALTER TABLE ") != std::string::npos);
  CHECK_FALSE(complete_schema(place, cluster, the_key())); // its owner's
  CHECK_FALSE(complete_schema(as_node, cluster, the_key()));
}

TEST_CASE("who looks at a cluster whose log is locked is told so, and does not wait for it") {
  const log_place place{the_postgres().conninfo(), "settings_locked"};
  static_cast<void>(made(place));
  std::thread holder{[] { run("BEGIN; LOCK TABLE settings_locked.rounds; SELECT pg_sleep(4); COMMIT"); }};
  while (run("SELECT count(*) FROM pg_locks WHERE relation = 'settings_locked.rounds'::regclass AND granted "
             "AND mode = "
             "'AccessExclusiveLock'") == "0")
    std::this_thread::yield();
  const auto seen = view_cluster(place);
  holder.join();
  REQUIRE(std::holds_alternative<no_cluster>(seen));
  CHECK_FALSE(std::get<no_cluster>(seen).absent);
  CHECK(std::get<no_cluster>(seen).why.find("lock timeout") != std::string::npos);
  CHECK(std::holds_alternative<cluster_view>(view_cluster(place)));
}

TEST_CASE("a log of the settings that can't be made says why") {
  const log_place place{the_postgres().conninfo(), "settings_gone"};
  const auto cluster = made(place);
  run("DROP TABLE settings_gone.partitions");
  const auto why = complete_schema(place, cluster, the_key());
  REQUIRE(why);
  CHECK(why->starts_with(
      "the cluster was made by a version before, and the log of its settings can't be added: "));
}

TEST_CASE("a cluster that begins with a folder has its settings, or none where the folder is of before") {
  const temporary_folder scratch;
  const auto path = scratch.path() + "/data";
  {
    auto opened = data_folder::open(path, partitions);
    auto& folder = *std::get<std::unique_ptr<data_folder>>(opened);
    const auto box = std::get<std::shared_ptr<const secret_box>>(open_secret_box(folder, {}));
    REQUIRE(folder.settings_path());
    store_options options;
    options.folder = *folder.settings_path();
    options.secrets = box;
    auto store = partition_store::open(options);
    write_batch batch;
    batch.put_setting({{setting_kind::rule, "a"}, "1"});
    auto& settings = *std::get<std::unique_ptr<partition_store>>(store);
    REQUIRE(settings.commit(batch, settings.next_sequence()).ok());
  }
  const log_place place{the_postgres().conninfo(), "settings_adopted"};
  const auto adopted = adopt_folder(place, "test", path, {}, {});
  if (const auto* why = std::get_if<std::string>(&adopted))
    FAIL(*why);
  CHECK(std::get<adopted_cluster>(adopted).is.partitions == partitions);
  CHECK(records_of(place.schema, partitions) == records_of(place.schema, 0)); // genesis, claim, round, yield
}
