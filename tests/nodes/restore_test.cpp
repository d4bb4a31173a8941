// A cluster whose nodes are lost goes on as another one: from backups, and from its log where that is left.

#include "tests/support/postgres_instance.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace vicket::testing;

namespace {

constexpr int connectors = 6;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string field(const std::string& json, const std::string& name) {
  const auto mark = '"' + name + "\":\"";
  const auto at = json.find(mark);
  return at == std::string::npos
             ? ""
             : json.substr(at + mark.size(), json.find('"', at + mark.size()) - at - mark.size());
}

std::string id_of(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "4e57042e-0000-4000-8000-%012x", static_cast<unsigned>(number));
  return text;
}

std::string events(int first, int count) {
  std::string lines;
  for (int i = first; i < first + count; ++i)
    lines += R"({"connector":"c)" + std::to_string(i % connectors) +
             R"(","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{},"id":")" +
             id_of(i) + "\"}\n";
  return lines;
}

std::set<std::string> ids(int first, int count) {
  std::set<std::string> all;
  for (int i = first; i < first + count; ++i)
    all.insert(id_of(i));
  return all;
}

struct world {
  temporary_folder folder;
  postgres_instance database;
  std::string key = folder.file("secret.key", std::string(32, 'k'));
  std::string root = folder.path() + "/backups";
  std::unique_ptr<process> receiver;
  std::unique_ptr<process> node;
  std::string socket;
  std::string url;

  world() {
    namespace fs = std::filesystem;
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
    fs::create_directory(root);
    receiver = std::make_unique<process>(
        std::vector<std::string>{VICKET_PATH, "listen", "--port", "0", "--secret", "0123456789abcdef"});
    const std::string mark = "listening on ";
    const auto line = receiver->line_with(mark);
    url = line.substr(line.find(mark) + mark.size()) + "/hook";
  }

  [[nodiscard]] finished_process init(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> command{
        VICKET_PATH,         "cluster",           "init", "--cluster",    name, "--log",
        database.conninfo(), "--secret-key-file", key,    "--log-schema", name};
    command.insert(command.end(), more.begin(), more.end());
    return run_process(std::move(command));
  }
  void start_node(const std::string& cluster) {
    const auto data = folder.path() + "/" + cluster;
    socket = data + ".sock";
    node = std::make_unique<process>(std::vector<std::string>{VICKETD_PATH,
                                                              "--data-dir",
                                                              data,
                                                              "--listen",
                                                              "unix:" + socket,
                                                              "--cluster",
                                                              cluster,
                                                              "--node-name",
                                                              "a",
                                                              "--log",
                                                              database.conninfo(),
                                                              "--log-schema",
                                                              cluster,
                                                              "--peer-listen",
                                                              "unix:" + data + ".peer",
                                                              "--secret-key-file",
                                                              key,
                                                              "--allow-http",
                                                              "--allow-cidr",
                                                              "127.0.0.0/8",
                                                              "--backup-root",
                                                              root});
    REQUIRE_FALSE(node->line_with("vicketd ready").empty());
  }
  [[nodiscard]] finished_process vicket(std::vector<std::string> arguments,
                                        const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {VICKET_PATH, "--node", "unix:" + socket});
    return run_process(std::move(arguments), input);
  }
  /// Until the node owns what it takes.
  finished_process done(const std::vector<std::string>& arguments, const std::string& input = {}) const {
    for (int turn = 0; turn < 300; ++turn) {
      auto answer = vicket(arguments, input);
      if (answer.code == 0)
        return answer;
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
    FAIL("it is refused for a minute");
    return {};
  }
  void send_and_wait(int first, int count) const {
    done({"send", "-"}, events(first, count));
    auto missing = ids(first, count);
    process follow{{VICKET_PATH, "--node", "unix:" + socket, "outcomes", "--follow", "--json"}};
    while (!missing.empty())
      missing.erase(field(follow.line_with(R"("outcome":"delivered")"), "id"));
  }
  /// With all stores: a node of a cluster keeps its place in a log without events every 10 s.
  [[nodiscard]] std::string back_up(const std::string& name) const {
    for (int turn = 0; turn < 150; ++turn) {
      const auto to = root + "/" + name + "-" + std::to_string(turn);
      const auto made = vicket({"backup", to, "--json"});
      INFO(made.errors);
      REQUIRE(made.code == 0);
      if (has(made.lines.at(0), R"("stores":3)"))
        return to;
      std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
    FAIL("some store never gets a place in the log");
    return {};
  }
};

} // namespace

TEST_CASE("a cluster is made of backups and the old log, and misses nothing; without the log it is as of the "
          "backups") {
  world w;
  REQUIRE(w.init("old", {"--partitions", "2"}).code == 0);
  w.start_node("old");
  for (int i = 0; i < connectors; ++i)
    w.done({"connector", "put", "-"},
           R"({"id":"c)" + std::to_string(i) + R"(","url":")" + w.url + R"(","secret":"0123456789abcdef"})");
  w.send_and_wait(0, 60);
  const auto earlier = w.back_up("earlier");
  w.send_and_wait(60, 60);
  const auto later = w.back_up("later");
  const auto at_backup = field(w.vicket({"outcomes", "--json"}).lines.back(), "cursor");
  w.send_and_wait(120, 60);
  const auto at_end = field(w.vicket({"outcomes", "--json"}).lines.back(), "cursor");
  w.node->signal(SIGKILL);
  w.node->wait();

  const auto scratch = w.folder.path() + "/scratch";
  const auto refused = [&](const std::vector<std::string>& more, const std::string& why) {
    const auto answer = w.init("wrong", more);
    INFO(answer.errors);
    CHECK(answer.code != 0);
    CHECK(has(answer.errors, why));
  };
  refused({"--restore", later}, "--scratch");
  refused({"--restore", w.root, "--scratch", scratch}, "is no backup");
  refused({"--restore", later, "--scratch", scratch, "--from-schema", "none"}, "no cluster in the schema");
  refused({"--restore", later, "--scratch", scratch, "--partitions", "3"}, "multiple");

  const auto made = w.init("new", {"--restore", later, "--restore", earlier, "--scratch", scratch,
                                   "--from-schema", "old", "--partitions", "4"});
  INFO(made.errors);
  REQUIRE(made.code == 0);
  CHECK(std::filesystem::is_empty(scratch));
  w.start_node("new");
  w.send_and_wait(180, 6);
  std::multiset<std::string> seen;
  for (const auto& line : w.vicket({"outcomes", "--json"}).lines) {
    CHECK_FALSE(has(line, R"("gap":true)"));
    if (has(line, R"("outcome":"delivered")")) // an attempt before may have failed
      seen.insert(field(line, "id"));
  }
  for (const auto& id : ids(0, 186))
    CHECK(seen.count(id) == 1);
  std::set<std::string> on;
  for (const auto& line : w.vicket({"outcomes", "--json", "--from", at_end}).lines) {
    CHECK_FALSE(has(line, R"("gap":true)"));
    on.insert(field(line, "id"));
  }
  CHECK(on == ids(180, 6));
  w.node->signal(SIGKILL);
  w.node->wait();

  // The log is lost with the nodes.
  const auto without = w.init("without", {"--restore", earlier, "--restore", later, "--scratch", scratch});
  INFO(without.errors);
  REQUIRE(without.code == 0);
  w.start_node("without");
  w.send_and_wait(180, 6);
  CHECK(w.vicket({"event", id_of(100)}).code == 0);
  CHECK(w.vicket({"event", id_of(150)}).code == 1);
  CHECK_FALSE(has(w.vicket({"outcomes", "--json", "--from", at_backup}).lines.at(0), R"("gap":true)"));
  CHECK(has(w.vicket({"outcomes", "--json", "--from", at_end}).lines.at(0), R"("gap":true)"));
  w.node->signal(SIGKILL);
  w.node->wait();

  // What does not follow on.
  w.database.run("UPDATE old.rounds SET body = body || '\\x00'::bytea WHERE (partition, number) IN "
                 "(SELECT partition, max(number) FROM old.rounds GROUP BY partition)");
  refused({"--restore", later, "--scratch", scratch, "--from-schema", "old"}, "digest");
  w.database.run("DELETE FROM old.rounds r WHERE number < (SELECT max(number) FROM old.rounds o WHERE "
                 "o.partition = r.partition)");
  refused({"--restore", later, "--scratch", scratch, "--from-schema", "old"}, "give a later backup");
  CHECK(std::filesystem::is_empty(scratch));
}
