// What the programs leave of secrets: in files, in memory, on command lines.

#include "tests/apps/node_process.hpp"

#include "policy/base64.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace vicket::testing;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A secret in all the forms that it has anywhere: as it is written, and the key that its base64 stands for.
std::vector<std::string> forms_of(const std::string& secret) {
  std::vector<std::string> forms{secret};
  const std::string prefix = "whsec_";
  if (secret.starts_with(prefix))
    if (auto key = vicket::base64_decode(secret.substr(prefix.size())))
      forms.push_back(*key);
  return forms;
}

std::vector<std::string> forms_of(const std::vector<std::string>& secrets) {
  std::vector<std::string> all;
  for (const auto& secret : secrets)
    for (auto& form : forms_of(secret))
      all.push_back(std::move(form));
  return all;
}

/// The files below a folder that have one of these.
std::vector<std::string> files_with(const fs::path& folder, const std::vector<std::string>& what) {
  std::vector<std::string> found;
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    if (!entry.is_regular_file())
      continue;
    ++files;
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    for (const auto& one : what)
      if (has(bytes, one))
        found.push_back(entry.path().string() + ": " + one.substr(0, 12));
  }
  REQUIRE(files > 5); // else it was the wrong place
  return found;
}

/// Where in a process's memory one of these is, of all that it may read and write. As a dump by root would have it, but
/// with the pages that are kept out of dumps.
std::vector<std::string> memory_with(pid_t process, const std::vector<std::string>& what) {
  const auto proc = "/proc/" + std::to_string(process);
  std::ifstream maps{proc + "/maps"};
  std::ifstream memory{proc + "/mem", std::ios::binary};
  REQUIRE(memory.is_open());
  std::vector<std::string> found;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields{line};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> begin >> dash >> end >> rights;
    constexpr auto shadow_bytes = std::uint64_t{1}
                                  << 32; // a sanitizer's, which has nothing of what is in memory
    if (!rights.starts_with("rw") || end - begin >= shadow_bytes)
      continue;
    std::string bytes(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (const auto& one : what)
      for (auto at = bytes.find(one); at != std::string::npos; at = bytes.find(one, at + 1)) {
        std::ostringstream text;
        text << one.substr(0, 12) << "… at " << std::hex << begin + at << " in " << line;
        found.push_back(text.str());
      }
  }
  return found;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + "\n";
  return text;
}

std::string secret_of(const std::string& connector) {
  return "whsec_" + vicket::base64_encode("the key of connector " + connector + " is this");
}
std::string token_of(const std::string& connector) {
  return "Bearer token-of-connector-" + connector;
}

std::string with_token(const std::string& id, const std::string& url) {
  return R"({"id":")" + id + R"(","url":")" + url + R"(","secret":")" + secret_of(id) +
         R"(","secret_headers":{"Authorization":")" + token_of(id) + R"("}})";
}

/// Sends so many and waits until all were delivered.
void deliver(const node_process& node, const std::string& connector, int events) {
  process feed{node.vicket_arguments({"outcomes", "--follow", "--json"})};
  std::string lines;
  for (int i = 0; i < events; ++i)
    lines += event_json(connector, i);
  REQUIRE(node.vicket({"send"}, lines).code == 0);
  for (int seen = 0; seen < events;)
    if (const auto line = feed.line_with("\"outcome\""); has(line, "\"connector\":\"" + connector + '"'))
      seen += has(line, "\"outcome\":\"delivered\"") ? 1 : 0;
}

/// A node that does not start: its exit code and what it says.
finished_process started(const std::string& data, const arguments& flags = {}) {
  return run_process(arguments{VICKETD_PATH, "--data-dir", data, "--listen", "127.0.0.1:0"} + flags);
}

} // namespace

TEST_CASE(
    "after 1,000 deliveries no file of the data folder has a secret, nor after it was changed or deleted") {
  const temporary_folder folder;
  const certificate_files files;
  const auto data = folder.path() + "/data";
  listen_process receiver{files};
  auto node = std::make_unique<node_process>(data, may_reach(files));
  const auto put = [&](const std::string& json) {
    const auto done = node->vicket({"connector", "put", "-", "--json"}, json);
    INFO(done.errors);
    REQUIRE(done.code == 0);
    return done.lines.at(0);
  };
  std::vector<std::string> secrets{listen_process::secret, secret_of("gone"), secret_of("crm"),
                                   token_of("gone"), "Bearer token-of-the-receiver"};
  auto json = connector_json("crm", receiver.url());
  json.insert(json.find(",\"retry\""),
              R"(,"secret_headers":{"Authorization":"Bearer token-of-the-receiver"})");
  put(json);
  const auto made = text_field(put(R"({"id":"made","url":")" + receiver.url() + "\"}"), "secret");
  REQUIRE(made.starts_with("whsec_"));
  secrets.push_back(made);
  put(with_token("gone", receiver.url()));
  deliver(*node, "crm", 1'000);
  REQUIRE(node->vicket({"connector", "delete", "gone"}).code == 0);
  json.replace(json.find(listen_process::secret), std::string{listen_process::secret}.size(),
               secret_of("crm"));
  put(json);
  INFO(joined(files_with(data, forms_of(secrets))));
  CHECK(files_with(data, forms_of(secrets)).empty());
  CHECK_FALSE(files_with(data, {receiver.url()}).empty()); // what is not secret can be found
  SECTION("of one that is killed") {
    node->kill();
  }
  SECTION("of one that is stopped") {
    CHECK(node->stop() == 0);
  }
  CHECK(files_with(data, forms_of(secrets)).empty());
  for (const auto& secret : secrets)
    CHECK_FALSE(has(node->self().errors(), secret));
}

TEST_CASE("a secret is in the node's memory only while its connector is delivered to") {
  if (::geteuid() != 0)
    SKIP("only root may look into the memory of a node");
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files};
  node_process node{folder.path() + "/data", may_reach(files)};
  auto busy = connector_json("busy", receiver.url());
  busy.insert(busy.find(",\"retry\""),
              R"(,"secret_headers":{"Authorization":"Bearer token-of-the-receiver"})");
  REQUIRE(node.vicket({"connector", "put", "-"}, busy).code == 0);
  std::vector<std::string> secrets;
  for (int i = 0; i < 8; ++i) {
    const auto id = "idle-" + std::to_string(i);
    REQUIRE(node.vicket({"connector", "put", "-"}, with_token(id, receiver.url())).code == 0);
    secrets.push_back(secret_of(id));
    secrets.push_back(token_of(id));
  }
  const auto made =
      node.vicket({"connector", "put", "-", "--json"}, R"({"id":"made","url":")" + receiver.url() + "\"}");
  secrets.push_back(text_field(made.lines.at(0), "secret"));
  deliver(node, "busy", 1'000);
  for (const auto* how : {"get", "put"}) // shown, and put as it was shown
    REQUIRE(node.vicket({"connector", how, how == std::string_view{"get"} ? "idle-0" : "-"},
                        R"({"id":"idle-0","url":")" + receiver.url() +
                            R"(","secret":"***","secret_headers":{"Authorization":"***"}})")
                .code == 0);

  CHECK_FALSE(
      memory_with(node.self().id(), {"Bearer token-of-the-receiver"}).empty()); // it is awake, and found
  const auto found = memory_with(node.self().id(), forms_of(secrets));
  INFO(joined(found));
  CHECK(found.empty());
}

namespace {

/// The same without what lets root look into everything: whoever runs it is one of its user's processes among others.
arguments without_privileges(const arguments& command) {
  if (::geteuid() != 0)
    return command;
  return arguments{"/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"} + command;
}

/// Reading another process's environment is allowed as reading its memory, or having it dumped, is.
bool may_be_looked_into(const process& of) {
  return run_process(without_privileges({"/usr/bin/cat", "/proc/" + std::to_string(of.id()) + "/environ"}))
             .code == 0;
}

} // namespace

TEST_CASE("nobody but root looks into a node, not its own user either") {
  process other{without_privileges({"/usr/bin/cat"})};
  other.write("it runs\n");
  REQUIRE(other.line_with("it runs") == "it runs");
  CHECK(may_be_looked_into(other)); // as of any process
  const temporary_folder folder;
  process node{without_privileges(
      {VICKETD_PATH, "--data-dir", folder.path() + "/data", "--listen", "127.0.0.1:0", "--partitions", "1"})};
  CHECK(has(node.line_with("vicketd ready "), "actors="));
  CHECK_FALSE(may_be_looked_into(node));
  node.signal(SIGTERM);
  CHECK(node.wait() == 0);
}

TEST_CASE("*** in a put keeps the secret that there is, and is refused where there is none") {
  const temporary_folder folder;
  const certificate_files files;
  listen_process receiver{files};
  node_process node{folder.path() + "/data", may_reach(files)};
  REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
  const auto shown = node.vicket({"connector", "get", "crm", "--json"}).lines.at(0);
  CHECK(text_field(shown, "secret") == "***");
  REQUIRE(node.vicket({"connector", "put", "-"}, shown).code == 0);
  REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
  CHECK(text_field(receiver.self().line_with("\"signature\""), "signature") == "valid");

  auto other = shown;
  other.replace(other.find("\"crm\""), 5, "\"erp\"");
  const auto refused = node.vicket({"connector", "put", "-"}, other);
  CHECK(refused.code == 1);
  CHECK(has(refused.errors, "\"***\" keeps the one that there is, and 'erp' does not exist"));
  const auto credential =
      node.vicket({"connector", "put", "-"},
                  R"({"id":"erp","url":"https://h.example/","headers":{"Authorization":"Bearer hunter2"}})");
  CHECK(credential.code == 1);
  CHECK(has(credential.errors, "put it into secret_headers"));
  CHECK_FALSE(has(credential.errors, "hunter2"));
}

TEST_CASE(
    "a node without its key, with another or with one that others may read does not start and says why") {
  const temporary_folder folder;
  const auto data = folder.path() + "/data";
  const auto key = data + "/secret.key";
  node_process{data}.stop();
  CHECK(fs::file_size(key) == 32);
  const auto refused = [&](const std::string& sentence, const arguments& flags = {}) {
    const auto ended = started(data, flags);
    INFO(ended.errors);
    CHECK(ended.code == 1);
    CHECK(has(ended.errors, sentence));
    CHECK(std::count(ended.errors.begin(), ended.errors.end(), '\n') == 1);
    CHECK(ended.lines.empty());
  };
  fs::permissions(key, fs::perms::group_read, fs::perm_options::add);
  refused("may be read or written by others than its owner (mode 0640): chmod 600 it");
  fs::permissions(key, fs::perms::group_read, fs::perm_options::remove);
  fs::rename(key, folder.path() + "/moved.key");
  refused("is not there, and the secrets in data folder");
  const auto other = folder.file("other.key", std::string(32, 'k'));
  ::chmod(other.c_str(), 0600);
  refused("has the key", {"--secret-key-file", other});
  refused("has 5 bytes", {"--secret-key-file", [&] {
                            const auto file = folder.file("short.key", "short");
                            ::chmod(file.c_str(), 0600);
                            return file;
                          }()});
  CHECK(node_process{data, {"--secret-key-file", folder.path() + "/moved.key"}}.stop() == 0);
}

TEST_CASE(
    "a folder of the version before is taken over: delivered as before, nothing left in files or memory") {
  const temporary_folder folder;
  const certificate_files files;
  const auto data = folder.path() + "/data";
  const auto old = folder.path() + "/old";
  listen_process receiver{files};
  {
    node_process node{data, may_reach(files)};
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
    for (const auto* id : {"erp", "hr"})
      REQUIRE(node.vicket({"connector", "put", "-"}, with_token(id, receiver.url())).code == 0);
    for (const auto* rule : {"a", "b"})
      REQUIRE(node.vicket({"rule", "put", "-"},
                          R"({"id":")" + std::string{rule} + R"(","actions":[{"send_to_connector":"crm"}]})")
                  .code == 0);
    deliver(node, "crm", 10);
    CHECK(node.stop() == 0);
  }
  for (const auto* inside : {"", "/.", "/copy", "/copy/../deeper/copy"}) {
    const auto no = run_process({VICKETD_PATH, "--data-dir", data, "--export-format", "1", data + inside});
    CHECK(no.code == 1);
    CHECK(no.errors.find("is in the data folder") != std::string::npos);
  }
  const auto exported = run_process({VICKETD_PATH, "--data-dir", data, "--export-format", "1", old});
  INFO(exported.errors);
  REQUIRE(exported.code == 0);
  CHECK(has(exported.lines.at(0), "2 rules are left out, since the version before has none"));
  const auto secrets = forms_of({listen_process::secret, secret_of("erp"), token_of("erp"), secret_of("hr")});
  const auto plain = std::vector<std::string>{listen_process::secret, secret_of("erp"), token_of("erp")};
  for (const auto& each : plain)
    CHECK_FALSE(files_with(old, {each}).empty());
  CHECK_FALSE(fs::exists(old + "/secret.key"));
  CHECK(run_process({VICKETD_PATH, "--data-dir", data, "--export-format", "1", old}).code ==
        1); // it is there

  node_process node{old, may_reach(files)};
  CHECK(has(node.self().errors(), "are encrypted from now on"));
  INFO(joined(files_with(old, secrets)));
  CHECK(files_with(old, secrets).empty());
  if (::geteuid() == 0) {
    const auto found = memory_with(node.self().id(), secrets);
    INFO(joined(found));
    CHECK(found.empty());
  }
  const auto shown = node.vicket({"connector", "get", "erp", "--json"}).lines.at(0);
  CHECK(has(shown, R"("secret_headers":{"Authorization":"***"})"));
  deliver(node, "crm", 10);
  CHECK(text_field(receiver.self().line_with("\"signature\""), "signature") == "valid");
  CHECK(node.stop() == 0);
}

TEST_CASE("the key is changed offline: the new one alone opens the folder from then on") {
  const temporary_folder folder;
  const certificate_files files;
  const auto data = folder.path() + "/data";
  const auto new_key = folder.path() + "/new.key";
  listen_process receiver{files};
  {
    node_process node{data, may_reach(files)};
    REQUIRE(node.vicket({"connector", "put", "-"}, connector_json("crm", receiver.url())).code == 0);
    const auto in_use = run_process({VICKETD_PATH, "--data-dir", data, "--rotate-secret-key", new_key});
    CHECK(in_use.code == 1);
    CHECK(has(in_use.errors, "is in use by process"));
    CHECK(node.stop() == 0);
  }
  const auto rotated = run_process({VICKETD_PATH, "--data-dir", data, "--rotate-secret-key", new_key});
  INFO(rotated.errors);
  REQUIRE(rotated.code == 0);
  CHECK(has(joined(rotated.lines), "start with --secret-key-file " + new_key));
  CHECK(started(data).code == 1);
  node_process node{data, may_reach(files) + arguments{"--secret-key-file", new_key}};
  REQUIRE(node.vicket({"send"}, event_json("crm", 1)).code == 0);
  CHECK(text_field(receiver.self().line_with("\"signature\""), "signature") == "valid");
  CHECK(node.stop() == 0);
  CHECK(run_process({VICKETD_PATH, "--data-dir", folder.path() + "/none", "--rotate-secret-key", new_key})
            .code == 1);
  CHECK_FALSE(fs::exists(folder.path() + "/none"));
}

TEST_CASE("vicket listen takes its secret from a flag, a file or the environment, and from one place") {
  const temporary_folder folder;
  const std::string secret = listen_process::secret;
  const auto file = folder.file("secret", secret + "\r\nmore\n");
  const arguments listen{VICKET_PATH, "listen", "--port", "0", "--count", "1"};
  for (const auto& [flags, environment] :
       std::vector<std::pair<arguments, arguments>>{{{"--secret", secret}, {}},
                                                    {{"--secret-file", file}, {}},
                                                    {{}, {"VICKET_WEBHOOK_SECRET=" + secret}}}) {
    process here{listen + flags, environment};
    CHECK(has(here.line_with("listening on"), "http://127.0.0.1:"));
  }
  struct row {
    arguments flags;
    std::string complaint;
  };
  for (const auto& [flags, complaint] : std::vector<row>{
           {{}, "--secret, --secret-file or VICKET_WEBHOOK_SECRET is required"},
           {{"--secret", secret, "--secret-file", file}, "--secret and --secret-file: one of them"},
           {{"--secret-file", folder.path() + "/none"}, "can't be read"},
           {{"--secret-file", folder.file("empty", "\n")}, "its first line is empty"},
       }) {
    const auto refused = run_process(listen + flags);
    CHECK(refused.code == 2);
    CHECK(has(refused.errors, complaint));
    CHECK_FALSE(has(refused.errors, secret));
  }
}
