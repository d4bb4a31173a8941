// A cluster that begins with a single node's folder, and what becomes of the folder when that is cut short.

#include "tests/support/postgres_instance.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace vicket::testing;

namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream from{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{from}, {}};
}

void replace_in(const std::filesystem::path& file, const std::string& what, const std::string& with) {
  auto text = content_of(file);
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  text.replace(at, what.size(), with);
  std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
}

struct adopting_world {
  adopting_world() {
    std::filesystem::permissions(key,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

  [[nodiscard]] std::vector<std::string> node_command(const std::vector<std::string>& more) const {
    std::vector<std::string> command{VICKETD_PATH,   "--listen",    "unix:" + socket,    "--allow-http",
                                     "--allow-cidr", "127.0.0.0/8", "--secret-key-file", key};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  [[nodiscard]] finished_process vicket(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), VICKET_PATH);
    return run_process(std::move(arguments));
  }
  [[nodiscard]] finished_process init() const {
    return vicket({"cluster", "init", "--cluster", "test", "--log", database.conninfo(), "--adopt", single,
                   "--secret-key-file", key});
  }
  /// What a single node on the folder says before it ends.
  [[nodiscard]] std::string refusal_of_single() const {
    const auto ended = run_process(node_command({"--data-dir", single}));
    CHECK(ended.code == 1);
    return ended.errors;
  }
  void put_connector_on_single() const {
    process node{node_command({"--data-dir", single})};
    REQUIRE(node.line_with("vicketd ready").size() > 0);
    const auto file = folder.file("crm.json", R"({"id":"crm","url":"http://127.0.0.1:9/"})");
    REQUIRE(vicket({"--node", "unix:" + socket, "connector", "put", file}).code == 0);
    node.signal(SIGTERM);
    REQUIRE(node.wait() == 0);
  }

  temporary_folder folder;
  postgres_instance database;
  std::string single = folder.path() + "/single";
  std::string socket = folder.path() + "/node.sock";
  std::string key = folder.file("secret.key", std::string(32, 'k'));
  std::filesystem::path mark = std::filesystem::path{single} / "VICKET";
};

} // namespace

TEST_CASE("a folder that was adopted is no single node's any more, wherever that was cut short") {
  const adopting_world w;
  w.put_connector_on_single();
  const auto made = w.init();
  INFO(made.errors);
  REQUIRE(made.code == 0);
  CHECK(w.refusal_of_single().find("is what the cluster") != std::string::npos);
  CHECK(w.init().code == 2); // it is adopted already

  // As if it had ended behind the database's commit.
  replace_in(w.mark, "adopted", "adopting");
  CHECK(w.refusal_of_single().find("run `vicket cluster init --adopt` with it again") != std::string::npos);
  const auto again = w.init();
  INFO(again.errors);
  REQUIRE(again.code == 0);
  REQUIRE(again.lines.size() == 2);
  CHECK(again.lines[0].find("an earlier call had made the cluster") == 0);
  CHECK(again.lines[1] == made.lines.at(0));
  CHECK(w.refusal_of_single().find("is what the cluster") != std::string::npos);

  // As if it had ended before: the database has nothing.
  replace_in(w.mark, "adopted", "adopting");
  w.database.run("DROP SCHEMA vicket CASCADE");
  const auto anew = w.init();
  INFO(anew.errors);
  REQUIRE(anew.code == 0);
  REQUIRE(anew.lines.size() == 1);
  CHECK(anew.lines[0] != made.lines[0]); // another uuid

  // A node of the cluster has what was in the folder.
  process node{
      w.node_command({"--data-dir", w.folder.path() + "/a", "--cluster", "test", "--node-name", "a", "--log",
                      w.database.conninfo(), "--peer-listen", "unix:" + w.folder.path() + "/a.peer"})};
  REQUIRE(node.line_with("vicketd ready").size() > 0);
  const auto shown = w.vicket({"--node", "unix:" + w.socket, "connector", "get", "crm"});
  INFO(shown.errors);
  CHECK(shown.code == 0);
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("where no cluster comes about the folder stays a single node's") {
  const adopting_world w;
  w.put_connector_on_single();
  const auto before = content_of(w.mark);
  w.database.run("CREATE SCHEMA vicket");
  const auto refused = w.init();
  CHECK(refused.code == 1);
  CHECK(refused.errors.find("is there already") != std::string::npos);
  CHECK(content_of(w.mark) == before);
  w.put_connector_on_single();
}
