// The two programs as a user runs them: real processes on loopback.

#include "tests/apps/node_process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace vicket::testing;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// As Windows' editors save it.
std::string utf16(const std::string& ascii, bool little_endian = true, bool mark = true) {
  std::string text = !mark ? "" : little_endian ? "\xff\xfe" : "\xfe\xff";
  for (const char c : ascii)
    text += little_endian ? std::string{c, '\0'} : std::string{'\0', c};
  return text;
}

/// Reads the feed until there is the outcome that is waited for; it waits on the node, not on the clock.
void wait_for_outcomes(const node_process& node, std::size_t delivered) {
  process feed{node.vicket_arguments({"outcomes", "--follow", "--json"})};
  for (std::size_t seen = 0; seen < delivered;)
    if (has(feed.line_with("\"outcome\""), "\"outcome\":\"delivered\""))
      ++seen;
}

/// Each turn is a round trip to the node; a delivery starts after few.
void wait_until_in_flight(const node_process& node) {
  for (int turn = 0; turn < 1'000; ++turn)
    if (has(node.vicket({"status", "--json"}).lines.at(0), "\"in_flight\":1"))
      return;
  FAIL("no delivery started");
}

void wait_until_being_deleted(const node_process& node, const std::string& connector) {
  for (int turn = 0; turn < 1'000; ++turn)
    if (has(node.vicket({"connector", "get", connector, "--json"}).lines.at(0), R"("being_deleted":true)"))
      return;
  FAIL("it is not being deleted");
}

} // namespace

TEST_CASE("events that are sent arrive signed, are retried, and their history is told by every command") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files, {"--fail-first", "1"}};
  node_process node{folder.path() + "/data", may_reach(files)};

  auto put = node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url()));
  INFO(put.errors);
  REQUIRE(put.code == 0);
  REQUIRE(put.lines.size() == 1);
  CHECK(text_field(put.lines[0], "secret") == "***");

  const auto sent = node.vicket({"send"}, event_json("crm", 1) + "nonsense\n" + event_json("nobody", 2) +
                                              event_json("crm", 3));
  CHECK(sent.code == 1);
  REQUIRE(sent.lines.size() == 4);
  const auto first = text_field(sent.lines[0], "id");
  CHECK(first.size() == 36);
  CHECK(has(sent.lines[0], "\"duplicate\":false"));
  CHECK(text_field(sent.lines[1], "error") == "invalid_event");
  CHECK(has(text_field(sent.lines[1], "detail"), "line 2: "));
  CHECK(text_field(sent.lines[2], "error") == "unknown_connector");
  CHECK(text_field(sent.lines[3], "id").size() == 36);

  wait_for_outcomes(node, 2);
  for (int i = 0; i < 3; ++i) {
    const auto request = receiver.self().line_with("\"signature\"");
    CHECK(text_field(request, "signature") == "valid");
    CHECK(text_field(request, "standard_webhooks") == "valid");
    CHECK(text_field(request, "event") == "ticket.opened");
    CHECK(text_field(request, "path") == "/hook");
  }

  const auto run = node.vicket({"run", "run-1", "--json"});
  CHECK(run.code == 0);
  REQUIRE(run.lines.size() == 2);
  CHECK(has(run.lines[0] + run.lines[1], "failing as asked, request 1 of 1"));
  for (const auto& line : run.lines)
    CHECK(text_field(line, "state") == "delivered");

  const auto readable = node.vicket({"run", "run-1"});
  CHECK(readable.code == 0);
  CHECK_FALSE(has(readable.lines.at(0), "\033"));
  CHECK(has(readable.lines.at(0), first));

  const auto event = node.vicket({"--json", "event", first});
  CHECK(event.code == 0);
  REQUIRE(event.lines.size() == 1);
  CHECK(text_field(event.lines[0], "id") == first);

  const auto feed = node.vicket({"outcomes", "--json"});
  CHECK(feed.code == 0);
  REQUIRE(feed.lines.size() == 3);
  const auto rest = node.vicket({"outcomes", "--json", "--from", text_field(feed.lines[0], "cursor")});
  REQUIRE(rest.lines.size() == 2);
  CHECK(rest.lines[0] == feed.lines[1]);
  CHECK(rest.lines[1] == feed.lines[2]);

  const auto status = node.vicket({"status", "--json"});
  CHECK(status.code == 0);
  CHECK(has(status.lines.at(0), "\"connectors_configured\":1"));
  CHECK(node.vicket({"status"}).code == 0);

  CHECK(node.vicket({"connector", "list"}).lines.size() == 2);
  CHECK(node.vicket({"connector", "delete", "crm"}).code == 0);
  const auto gone = node.vicket({"connector", "get", "crm"});
  CHECK(gone.code == 1);
  CHECK(has(gone.errors, "not_found"));
  CHECK(lines_in(gone.errors) == 1);

  receiver.self().signal(SIGTERM);
  CHECK(receiver.self().wait() == 0);
  CHECK(node.stop() == 0);
}

TEST_CASE("the README's page on routing does what it says") {
  std::ifstream file{std::string{VICKET_SOURCE_DIR} + "/README.md"};
  const std::string readme{std::istreambuf_iterator<char>{file}, {}};
  const auto begin = readme.find("\n## Routing\n");
  REQUIRE(begin != std::string::npos);
  const auto page = readme.substr(begin, readme.find("\n## ", begin + 1) - begin);
  std::string script = "set -eu\ncd \"$1\"\n";
  for (auto at = page.find("```sh\n"); at != std::string::npos; at = page.find("```sh\n", at)) {
    at += 6;
    script += page.substr(at, page.find("```", at) - at);
  }
  const temporary_folder folder;
  const node_process node{folder.path() + "/data"};
  const auto vicket = std::filesystem::path{VICKET_PATH};
  const auto ran = run_process({"/usr/bin/env", "VICKET_NODE=" + node.address(),
                                "PATH=" + vicket.parent_path().string() + ":/usr/bin:/bin", "/bin/sh", "-c",
                                script, "sh", folder.path()});
  INFO(ran.errors);
  CHECK(ran.code == 0);
  std::string output;
  for (const auto& line : ran.lines)
    output += line + "\n";
  INFO(output);
  CHECK(has(output, R"("message":"Ticket T-1 is urgent")")); // of the test
  CHECK(has(ran.lines.back(), R"("connector":"crm","rule":"urgent-tickets","action":0,"id":")"));
  CHECK(has(ran.lines.back(), R"("connector":"pager","rule":"urgent-tickets","action":1,"id":")"));
  CHECK_FALSE(has(ran.lines.back(), "error"));
  const auto deleted = node.vicket({"connector", "delete", "crm"});
  CHECK(deleted.code == 1);
  CHECK(has(deleted.errors, "urgent-tickets"));
  CHECK(node.vicket({"rule", "delete", "urgent-tickets"}).code == 0);
  CHECK(node.vicket({"rule", "get", "urgent-tickets"}).code == 1);
  const auto none =
      node.vicket({"send"}, R"({"event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{}})"
                            "\n");
  CHECK(none.code == 0);
  CHECK(has(none.lines.at(0), R"("events":[])"));
}

TEST_CASE("an id that went to several connectors is shown once for each, one object per line") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data", {"--allow-cidr", "127.0.0.0/8"}};
  const std::string id = "9f2c1b7e-0000-7000-8000-000000000001";
  for (const auto* connector : {"crm", "erp"}) { // of different partitions
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json(connector, "https://127.0.0.1:1/")).code ==
            0);
    auto event = event_json(connector, 1);
    event.insert(1, R"("id":")" + id + R"(",)");
    REQUIRE(node.vicket({"send"}, event).code == 0);
  }
  const auto shown = node.vicket({"event", id, "--json"});
  CHECK(shown.code == 0);
  REQUIRE(shown.lines.size() == 2);
  CHECK(text_field(shown.lines[0], "connector") == "crm");
  CHECK(text_field(shown.lines[1], "connector") == "erp");
  for (const auto& line : shown.lines)
    CHECK(text_field(line, "id") == id);
  const auto readable = node.vicket({"event", id});
  CHECK(std::count(readable.lines.begin(), readable.lines.end(), "") == 1); // between the two
}

TEST_CASE("no command prints what steers a terminal, whatever senders and endpoints call themselves") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data", {"--allow-cidr", "127.0.0.0/8"}};
  const std::string evil = "\xC2\x9B"
                           "31m \u202e\u2066\x7F \u200f\u061c";
  auto connector = connector_json("crm", "https://127.0.0.1:1/");
  connector.insert(1, R"("name":")" + evil + R"(",)");
  auto event = event_json("crm", 1, "run-1");
  event.insert(1, R"("workflow":")" + evil + R"(",)");
  const auto put = node.vicket({"connector", "put", "-"}, connector);
  REQUIRE(put.code == 0);
  REQUIRE(node.vicket({"send"}, event).code == 0);
  std::vector<finished_process> shown{put,
                                      node.vicket({"connector", "get", "crm"}),
                                      node.vicket({"connector", "list"}),
                                      node.vicket({"connector", "list", "--json"}),
                                      node.vicket({"run", "run-1"}),
                                      node.vicket({"run", "run-1", "--json"}),
                                      node.vicket({"send"}, R"({"connector":")" + evil + R"("})"),
                                      node.vicket({"send"}, R"({")" + evil + R"(":1})"),
                                      node.vicket({"run", evil}),
                                      node.vicket({"event", evil}),
                                      node.vicket({"connector", "get", evil}),
                                      node.vicket({"connector", "get", evil, "--json"}),
                                      node.vicket({evil}),
                                      node.vicket({"outcomes", "--from", evil})};
  for (const auto& [code, lines, errors] : shown) {
    std::string all = errors;
    for (const auto& line : lines)
      all += line + '\n';
    INFO(all);
    CHECK(!all.empty());
    for (const auto* steering : {"\xC2\x9B", "\u202e", "\u2066", "\x7F", "\u200f", "\u061c", "\x1b"})
      CHECK_FALSE(has(all, steering));
  }
  CHECK(has(shown[1].lines.at(0), R"(\u009b31m \u202e\u2066\u007f)"));
}

TEST_CASE("a run of more events than a page holds is shown whole, one object per line") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data", {"--allow-cidr", "127.0.0.0/8"}};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", "https://127.0.0.1:1/")).code == 0);
  constexpr int count = 250;
  std::string events;
  for (int i = 0; i < count; ++i)
    events += event_json("crm", i);
  REQUIRE(node.vicket({"send"}, events).code == 0);
  const auto shown = node.vicket({"run", "run-1", "--json"});
  CHECK(shown.code == 0);
  REQUIRE(shown.lines.size() == count);
  std::set<std::string> ids;
  for (const auto& line : shown.lines) {
    ids.insert(text_field(line, "id"));
    CHECK(line.ends_with("]}"));
  }
  CHECK(ids.size() == count);
  const auto readable = node.vicket({"run", "run-1"});
  CHECK(std::count(readable.lines.begin(), readable.lines.end(), "") == count - 1); // between them
}

TEST_CASE("a secret that the node makes is shown once, by the put that made it") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data"};
  const auto file = folder.file("crm.json", R"({"id":"crm","url":"https://hooks.example.com/vicket"})");
  const auto made = node.vicket({"connector", "put", file});
  REQUIRE(made.code == 0);
  CHECK(text_field(made.lines.at(0), "secret").starts_with("whsec_"));
  CHECK(text_field(node.vicket({"connector", "get", "crm"}).lines.at(0), "secret") == "***");
  CHECK(text_field(node.vicket({"connector", "put", file}).lines.at(0), "secret") == "***");
  const auto refused =
      node.vicket({"connector", "put", "-"}, R"({"id":"crm","url":"https://x.example","colour":"red"})");
  CHECK(refused.code == 1);
  CHECK(has(refused.errors, "colour"));
}

TEST_CASE("a text is read in one way, whether it is a configuration, a connector or events, from a file or a "
          "pipe") {
  const temporary_folder folder;
  const std::string mark = "\xef\xbb\xbf";
  const auto config =
      folder.file("node.toml", mark + "log-level = \"warn\"\r\n\r\n# no more\r\nallow-http = true");
  node_process node{folder.path() + "/data", {"--config", config}};

  const auto crm = mark +
                   R"({"id":"crm","url":"http://hooks.example.com/","name":null,"rate":null,"secret":null,)" +
                   "\r\n" + R"("headers":{"X-A":null},"retry":{"base_ms":null}})";
  CHECK(node.vicket({"connector", "put", "-"}, crm).code == 0);
  CHECK(node.vicket({"connector", "put", folder.file("crm.json", crm)}).code == 0);

  auto unnamed = event_json("crm", 1);
  unnamed.insert(1, R"("id":null,"message":null,"workflow":null,)");
  unnamed.pop_back();
  // Results belong to the lines that are not blank; complaints count all of them.
  const auto events = mark + "\r\n" + unnamed + "\r\n \t\n\nnonsense\n" + mark + unnamed + "\n\r\n" + unnamed;
  for (const auto& sent :
       {node.vicket({"send"}, events), node.vicket({"send", folder.file("events.ndjson", events)})}) {
    CHECK(sent.code == 1);
    REQUIRE(sent.lines.size() == 4);
    for (const auto i : {0U, 2U, 3U})
      CHECK(text_field(sent.lines[i], "id").size() == 36);
    CHECK(has(text_field(sent.lines[1], "detail"), "line 5: not valid JSON at byte 0"));
  }
  for (const auto* blank : {"", "\n", "\r\n \n", "\xef\xbb\xbf", "\xef\xbb\xbf\r\n"}) {
    const auto sent = node.vicket({"send"}, blank);
    CHECK(sent.code == 0);
    CHECK(sent.lines.empty());
  }
}

TEST_CASE("a text in UTF-16 is named as such in one sentence at every door") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data"};
  struct row {
    bool little_endian;
    bool mark;
    std::string name;
  };
  for (const auto& [little_endian, mark, name] : std::vector<row>{{true, true, "UTF-16LE"},
                                                                  {false, true, "UTF-16BE"},
                                                                  {true, false, "UTF-16LE"},
                                                                  {false, false, "UTF-16BE"}}) {
    INFO(name << (mark ? " with" : " without") << " a mark");
    const auto sentence =
        "the text is UTF-16, but UTF-8 is read; convert it, for example with iconv -f " + name;
    const auto events = utf16(event_json("crm", 1) + "\r\n" + event_json("crm", 2), little_endian, mark);
    for (const auto& sent :
         {node.vicket({"send"}, events), node.vicket({"send", folder.file("events.ndjson", events)})}) {
      CHECK(sent.code == 1);
      REQUIRE(sent.lines.size() == 1);
      CHECK(has(text_field(sent.lines[0], "detail"), "line 1: " + sentence));
    }
    const auto put =
        node.vicket({"connector", "put", "-"},
                    utf16(connector_json("crm", "https://hooks.example.com/"), little_endian, mark));
    CHECK(put.code == 1);
    CHECK(has(put.errors, sentence));
    CHECK(lines_in(put.errors) == 1);
    const auto config = folder.file("node.toml", utf16("log-level = \"warn\"\n", little_endian, mark));
    const auto started =
        run_process({VICKETD_PATH, "--data-dir", folder.path() + "/other", "--config", config});
    CHECK(started.code == 2);
    CHECK(has(started.errors, config + ":1: " + sentence));
    CHECK(lines_in(started.errors) == 1);
  }
}

TEST_CASE("what is accepted arrives as it was meant: numbers of any size, a secret whose padding was lost") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files};
  node_process node{folder.path() + "/data", may_reach(files)};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
  const auto send = [&](const std::string& connector, const std::string& number) {
    const auto sent =
        node.vicket({"send"}, R"({"connector":")" + connector +
                                  R"(","event":"e","occurred_at":"2026-05-23T14:21:11Z","data":{"n": )" +
                                  number + "}}\n");
    INFO(sent.errors);
    REQUIRE(sent.code == 0);
    return receiver.self().line_with("\"signature\"");
  };
  for (const auto& number : {std::string{"1e400"}, std::string{"-0.0E-0"}, std::string(400, '9')}) {
    const auto request = send("crm", number);
    CHECK(text_field(request, "signature") == "valid");
    CHECK(text_field(request, "standard_webhooks") == "valid");
    CHECK(text_field(request, "event") == "e");
    CHECK(has(request, R"(\"data\":{\"n\":)" + number + "}"));
  }
  auto unpadded = connector_json("unpadded", receiver.url());
  unpadded.erase(unpadded.find("=\""), 1); // the receiver has the padding
  REQUIRE(node.vicket({"connector", "put", "-"}, unpadded).code == 0);
  CHECK(text_field(send("unpadded", "1"), "standard_webhooks") == "valid");
}

TEST_CASE("large events are sent in as many messages as they take") {
  // Together they are longer than a message may be, which would be refused whole.
  constexpr int events = 90;
  constexpr std::size_t data_bytes = 400'000;
  const temporary_folder folder;
  node_process node{folder.path() + "/data", {"--max-envelope", "524288"}};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", "https://hooks.example.com/")).code ==
          0);
  std::string input;
  for (int i = 1; i <= events; ++i)
    input +=
        R"({"connector":"crm","event":"ticket.opened","occurred_at":"2026-05-23T14:02:11Z","data":{"note":")" +
        std::string(data_bytes, 'x') + "\"}}\n";
  REQUIRE(input.size() > std::size_t{32} << 20);
  const auto file =
      folder.path() + "/events"; // of which there is always more to read, so that nothing is sent early
  std::ofstream{file} << input;
  const auto sent = node.vicket({"send", file, "--json"});
  CHECK(sent.code == 0);
  REQUIRE(sent.lines.size() == events);
  INFO(sent.lines.front());
  CHECK(std::all_of(sent.lines.begin(), sent.lines.end(),
                    [](const std::string& line) { return has(line, "\"duplicate\":false"); }));
}

TEST_CASE("results do not wait for a full batch when input comes slowly") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data"};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", "https://hooks.example.com/")).code ==
          0);
  process send{node.vicket_arguments({"send", "-"})};
  for (int i = 0; i < 3; ++i) {
    send.write(event_json("crm", i));
    CHECK(has(send.line_with("duplicate"), "\"duplicate\":false")); // input is still open
  }
  send.close_input();
  CHECK(send.wait() == 0);
}

TEST_CASE("ten thousand lines are answered in their order") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data"};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", "https://hooks.example.com/")).code ==
          0);
  constexpr int count = 10'000;
  std::string input;
  for (int i = 0; i < count; ++i)
    input += i % 7 == 3 ? "broken\n" : event_json("crm", i);
  const auto sent = node.vicket({"send", folder.file("events.ndjson", input)});
  CHECK(sent.code == 1);
  REQUIRE(sent.lines.size() == count);
  std::set<std::string> ids;
  std::string last;
  for (int i = 0; i < count; ++i) {
    const auto& line = sent.lines[static_cast<std::size_t>(i)];
    if (i % 7 == 3) {
      REQUIRE(has(line, "line " + std::to_string(i + 1) + ": "));
      continue;
    }
    const auto id = text_field(line, "id");
    REQUIRE(id.size() == 36);
    REQUIRE(last < id); // UUIDv7: one gateway makes them in the order in which it takes the events
    last = id;
    ids.insert(id);
  }
  CHECK(ids.size() == count - (count + 3) / 7);
}

TEST_CASE(
    "when the node goes away in the middle, what is left is answered unavailable and the exit code is 3") {
  const temporary_folder folder;
  node_process node{folder.path() + "/data"};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", "https://hooks.example.com/")).code ==
          0);
  process send{node.vicket_arguments({"send"})};
  send.write(event_json("crm", 1));
  CHECK(has(send.line_with("id"), "duplicate"));
  node.kill();
  for (int i = 0; i < 3; ++i) {
    send.write(event_json("crm", i));
    CHECK(text_field(send.line_with("error"), "error") == "unavailable");
  }
  send.close_input();
  CHECK(send.wait() == 3);
  CHECK(has(send.errors(), "vicket: lost " + node.address()));
  CHECK(lines_in(send.errors()) == 1);
}

TEST_CASE("the feed goes on after a restart of the node: nothing lost, nothing twice") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files};
  const auto data = folder.path() + "/data";
  auto node = std::make_unique<node_process>(data, may_reach(files));
  const auto address = node->address();
  REQUIRE(node->vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);

  process feed{node->vicket_arguments({"outcomes", "--follow", "--json"})};
  std::vector<std::string> seen;
  std::vector<std::string> expected;
  auto send_two = [&] {
    const auto sent = node->vicket({"send"}, event_json("crm", 1) + event_json("crm", 2));
    REQUIRE(sent.code == 0);
    for (const auto& line : sent.lines) {
      expected.push_back(text_field(line, "id"));
      seen.push_back(text_field(feed.line_with("\"outcome\":\"delivered\""), "id"));
    }
  };
  send_two();
  CHECK(node->stop() == 0);
  feed.wait_for_error("went away");
  node = std::make_unique<node_process>(data, may_reach(files), address);
  feed.wait_for_error("is back");
  send_two();
  std::sort(seen.begin(), seen.end());
  std::sort(expected.begin(), expected.end());
  CHECK(seen == expected);
}

TEST_CASE("a feed that is read on after an older copy of the data folder was put back begins with a gap") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files};
  const auto data = folder.path() + "/data";
  const auto send_and_read = [&](const arguments& from) {
    node_process node{data, may_reach(files)};
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
    REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
    process feed{node.vicket_arguments(arguments{"outcomes", "--follow", "--json"} + from)};
    std::vector<std::string> lines;
    while (lines.empty() || has(lines.back(), "\"gap\""))
      lines.push_back(feed.line_with("{"));
    CHECK(node.stop() == 0);
    return lines;
  };
  const auto first = text_field(send_and_read({}).at(0), "cursor");
  std::filesystem::copy(data, folder.path() + "/copy", std::filesystem::copy_options::recursive);
  const auto second = send_and_read({"--from", first});
  REQUIRE(second.size() == 1); // no gap
  std::filesystem::remove_all(data);
  std::filesystem::rename(folder.path() + "/copy", data);

  const auto from = text_field(second[0], "cursor");
  const auto restored = send_and_read({"--from", from});
  REQUIRE(restored.size() == 2);
  CHECK(restored[0].starts_with(R"({"gap":true,"cursor":"v3-)"));

  node_process node{data, may_reach(files)};
  const auto readable = node.vicket({"outcomes", "--from", from});
  CHECK(readable.code == 0);
  CHECK(readable.lines.at(0).starts_with("gap: "));
  CHECK(readable.lines.size() > 1); // a gap is not the end
}

TEST_CASE("a delete by force that takes its time is waited for, or left to the node, which shows it") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files, {"--delay", "60000"}};
  node_process node{folder.path() + "/data", may_reach(files)};
  const auto connector = connector_json("crm", receiver.url());
  REQUIRE(node.vicket({"connector", "put", "-"}, connector).code == 0);
  REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
  wait_until_in_flight(node);
  process waits{node.vicket_arguments({"connector", "delete", "crm", "--force"})};
  wait_until_being_deleted(node, "crm");
  const auto left = node.vicket({"connector", "delete", "crm", "--force", "--timeout", "50ms", "--json"});
  CHECK(left.code == 1);
  CHECK(text_field(left.lines.at(0), "error") == "connector_busy");
  CHECK(has(left.errors, "is not deleted yet, the node goes on with it"));
  CHECK(lines_in(left.errors) == 1);
  for (const auto& command : {arguments{"connector", "get", "crm"}, {"connector", "list"}, {"status"}}) {
    CHECK(has(node.vicket(command + arguments{"--json"}).lines.at(0), R"("being_deleted":true)"));
    if (command.front() == "status" || command.back() == "list") {
      const auto table = node.vicket(command).lines;
      CHECK(std::any_of(table.begin(), table.end(),
                        [](const auto& line) { return has(line, "crm") && has(line, "being deleted"); }));
    }
  }
  const auto again = node.vicket({"connector", "put", "-"}, connector);
  CHECK(again.code == 1);
  CHECK(has(again.errors, "connector_busy: connector 'crm' is being deleted"));
  receiver.self().signal(SIGKILL); // its delivery ends, and with it what was pending
  CHECK(waits.line() == "deleted crm");
  CHECK(waits.wait() == 0);
  CHECK(waits.errors().empty()); // no terminal, no progress
  CHECK(node.vicket({"connector", "get", "crm"}).code == 1);
}

TEST_CASE("SIGTERM lets a delivery in flight finish, exits 0, and nothing is lost") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files, {"--delay", "1500"}};
  const auto data = folder.path() + "/data";
  std::string id;
  {
    node_process node{data, may_reach(files)};
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
    process watch{node.vicket_arguments({"send"})};
    watch.write(event_json("crm", 1));
    id = text_field(watch.line_with("id"), "id");
    watch.close_input();
    wait_until_in_flight(node);
    CHECK(node.stop() == 0);
    CHECK(has(node.self().errors(), "everything is on disk"));
  }
  CHECK(text_field(receiver.self().line_with("signature"), "id") == id);
  node_process again{data, may_reach(files)};
  const auto event = again.vicket({"event", id, "--json"});
  REQUIRE(event.code == 0);
  CHECK(text_field(event.lines.at(0), "state") == "delivered");
}

TEST_CASE("SIGHUP has a node read its trust roots again, and go on") {
  const temporary_folder folder;
  const certificate_files files;
  const certificate_files others;
  const auto roots = folder.path() + "/roots.pem";
  std::filesystem::copy_file(others.ca(), roots);
  listen_process receiver{files};
  node_process node{folder.path() + "/data", {"--allow-cidr", "127.0.0.0/8", "--ca-file", roots}};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
  REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
  {
    process feed{node.vicket_arguments({"outcomes", "--follow", "--json"})};
    CHECK(has(feed.line_with("\"outcome\""), "\"outcome\":\"tls\""));
  }
  std::filesystem::copy_file(files.ca(), roots, std::filesystem::copy_options::overwrite_existing);
  node.self().signal(SIGHUP);
  node.self().wait_for_error("SIGHUP");
  wait_for_outcomes(node, 1);
  CHECK(node.stop() == 0);
}

TEST_CASE("a second signal ends a node at once, with a code other than 0") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files, {"--delay", "8000"}};
  node_process node{folder.path() + "/data", may_reach(files)};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
  REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
  wait_until_in_flight(node);
  node.self().signal(SIGTERM);
  node.self().wait_for_error("stopping");
  node.self().signal(SIGINT);
  CHECK(node.self().wait() != 0);
}

TEST_CASE("the actor port lets in whom its CA vouches for, and nobody else") {
  const temporary_folder folder;
  const certificate_files ours;
  const certificate_files others;
  node_process node{folder.path() + "/data", ours.mutual("node")};
  const auto accepted = node.vicket(ours.mutual("client") + arguments{"status", "--json"});
  INFO(accepted.errors);
  CHECK(accepted.code == 0);

  struct row {
    const char* who;
    arguments flags;
  };
  const auto stranger = others.identity("client");
  const std::vector<row> refused{
      {"no TLS at all", {}},
      {"a certificate of another CA", stranger + arguments{"--tls-ca", ours.ca()}},
      {"one that does not trust the node", ours.identity("wary") + arguments{"--tls-ca", others.ca()}},
  };
  for (const auto& [who, flags] : refused) {
    INFO(who);
    const auto result = node.vicket(flags + arguments{"status"});
    CHECK(result.code == 3);
    CHECK(result.lines.empty());
    CHECK(lines_in(result.errors) == 1);
  }
  CHECK(node.vicket(ours.mutual("client") + arguments{"status"}).code == 0); // and it lives on
  CHECK(node.stop() == 0);
}

TEST_CASE("what keeps a node from starting is one line: exit code 1 for the machine, 2 for the usage") {
  const temporary_folder folder;
  const certificate_files files;
  const auto data = folder.path() + "/data";
  node_process node{data};
  const auto foreign = folder.path() + "/foreign";
  std::filesystem::create_directory(foreign);
  static_cast<void>(folder.file("foreign/letter.txt", "mine"));
  const auto garbage = folder.file("garbage.pem", "no PEM at all\n");
  const auto identity = files.identity("node");

  struct row {
    arguments flags;
    int code;
    std::string says;
  };
  const std::vector<row> rows{
      {{"--data-dir", data, "--listen", "127.0.0.1:0"}, 1, "in use"},
      {{"--data-dir", folder.path() + "/other", "--listen", node.address()}, 1, "ddress already in use"},
      {{"--data-dir", foreign, "--listen", "127.0.0.1:0"}, 1, "foreign"},
      {{"--data-dir", folder.path() + "/other", "--listen", "0.0.0.0:0"}, 2, "--tls-cert"},
      {{"--data-dir", folder.path() + "/other", "--nope"}, 2, "--nope"},
      {{"--data-dir", folder.path() + "/other", "--ca-file", garbage}, 2, garbage},
      {arguments{"--data-dir", folder.path() + "/other", "--tls-ca", garbage} + identity, 2, garbage},
      {{"--data-dir", folder.path() + "/other", "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent",
        "--tls-ca", files.ca()},
       2,
       "/nonexistent"},
  };
  for (const auto& [flags, code, says] : rows) {
    const auto result = run_process(arguments{VICKETD_PATH} + flags);
    INFO("expected: " << says);
    CAPTURE(result.errors);
    CHECK(result.code == code);
    CHECK(result.lines.empty());
    CHECK(has(result.errors, says));
    CHECK(lines_in(result.errors) == 1);
  }
}

TEST_CASE("a node with too few descriptors for --max-in-flight says what it needs and what to do, with exit "
          "code 2") {
  const temporary_folder folder;
  const arguments limited{"/bin/sh", "-c", "ulimit -n 1000 && exec \"$0\" \"$@\"", VICKETD_PATH};
  const arguments flags{"--listen", "127.0.0.1:0", "--partitions",
                        "1",        "--data-dir",  folder.path() + "/data"};
  const auto result = run_process(limited + flags + arguments{"--max-in-flight", "10000"});
  CAPTURE(result.errors);
  CHECK(result.code == 2);
  CHECK(lines_in(result.errors) == 1);
  CHECK(has(result.errors, "may open 1000 files, and --max-in-flight 10000 needs 12178"));
  CHECK(has(result.errors, "or start with --max-in-flight 64"));
  // Nobody asked for 10,000: it goes on with as many as can be.
  for (const auto& asked : {arguments{"--max-in-flight", "64"}, arguments{}}) {
    process node{limited + flags + asked};
    static_cast<void>(node.line_with("vicketd ready actors="));
    node.signal(SIGTERM);
    CHECK(node.wait() == 0);
  }
}

TEST_CASE("wrong usage of the command line is one line and exit code 2, an unreachable node is exit code 3") {
  struct row {
    arguments flags;
    int code;
  };
  const std::vector<row> rows{
      {{}, 2},
      {{"nonsense"}, 2},
      {{"status", "--nope"}, 2},
      {{"--node", "4242", "status"}, 2},
      {{"--tls-cert", "c.pem", "status"}, 2},
      {{"event", "not-an-id"}, 2},
      {{"run"}, 2},
      {{"connector"}, 2},
      {{"connector", "put", "/nonexistent"}, 2},
      {{"connector", "delete", "crm", "--timeout", "5"}, 2},
      {{"send", "/nonexistent"}, 2},
      {{"listen", "--port", "0"}, 2},
      {{"listen", "--port", "x", "--secret", "s"}, 2},
      {{"listen", "--port", "0", "--secret", "s", "--status", "99"}, 2},
      {{"listen", "--port", "0", "--secret", "whsec_not*base64"}, 2},
      {{"--node", "127.0.0.1:1", "status"}, 3},
      {{"--node", "127.0.0.1:1", "send"}, 3},
      {{"--node", "127.0.0.1:1", "outcomes", "--follow"}, 3},
  };
  for (const auto& [flags, code] : rows) {
    const auto result = run_process(arguments{VICKET_PATH} + flags);
    INFO((flags.empty() ? std::string{"nothing"} : flags.back()));
    CAPTURE(result.errors);
    CHECK(result.code == code);
    CHECK(lines_in(result.errors) == 1);
  }
  const auto help = run_process({VICKET_PATH, "send", "--help"});
  CHECK(help.code == 0);
  CHECK(std::any_of(help.lines.begin(), help.lines.end(),
                    [](const auto& line) { return has(line, "Examples:"); }));
}
