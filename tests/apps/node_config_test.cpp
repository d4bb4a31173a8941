#include "apps/node_config.hpp"

#include "tests/support/process.hpp"

#include <catch2/catch_test_macros.hpp>

#include <map>
#include <string>
#include <vector>

using namespace vicket;
using vicket::testing::temporary_folder;

namespace {

using variables = std::map<std::string, std::string>;

std::variant<node_config, early_exit> parse(std::vector<std::string> flags,
                                            const variables& environment = {}) {
  std::vector<const char*> argv{"vicketd"};
  for (const auto& flag : flags)
    argv.push_back(flag.c_str());
  return parse_node_config(static_cast<int>(argv.size()), argv.data(), [&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

node_config accepted_config(std::vector<std::string> flags, const variables& environment = {}) {
  auto result = parse(std::move(flags), environment);
  if (const auto* refused = std::get_if<early_exit>(&result))
    FAIL(refused->text);
  return std::get<node_config>(result);
}

std::vector<place> places(const std::vector<std::string>& texts) {
  std::vector<place> result;
  for (const auto& text : texts)
    result.push_back(std::get<place>(parse_place(text)));
  return result;
}

} // namespace

TEST_CASE("without flags but --data-dir a node has the documented defaults") {
  const auto config = accepted_config({"--data-dir", "d"});
  CHECK(config.data_dir == "d");
  CHECK(config.listen == places({"127.0.0.1:4242"}));
  CHECK_FALSE(config.tls);
  CHECK(config.allow_cidrs.empty());
  CHECK(config.deny_cidrs.empty());
  CHECK_FALSE(config.allow_http);
  CHECK(config.ca_files.empty());
  CHECK(config.dns_servers.empty());
  CHECK(config.retention_ms == 7LL * 24 * 3600 * 1000);
  CHECK(config.history_bytes_per_connector == 1 << 30);
  CHECK(config.max_envelope_bytes == 256 * 1024);
  CHECK(config.max_in_flight == 10'000);
  CHECK(config.window_memory_bytes == 64 << 20);
}

TEST_CASE("every flag is also an environment variable and a key of the config file") {
  const auto check = [](const node_config& config) {
    CHECK(config.data_dir == "/data");
    CHECK(config.secret_key_file == "/etc/secret.key");
    CHECK(config.listen == places({"[::1]:0"}));
    REQUIRE(config.tls);
    CHECK(config.tls->cert == "c.pem");
    CHECK(config.tls->key == "k.pem");
    CHECK(config.tls->ca == "a.pem");
    CHECK(config.allow_cidrs.size() == 2);
    REQUIRE(config.deny_cidrs.size() == 2);
    CHECK(config.deny_cidrs[1].to_string() == "2001:db8:7::/48");
    CHECK(config.allow_http);
    CHECK(config.ca_files == std::vector<std::string>{"one.pem", "two.pem"});
    CHECK(config.dns_servers == std::vector<std::string>{"127.0.0.1:5353", "::1"});
    CHECK(config.retention_ms == 36LL * 3600 * 1000);
    CHECK(config.history_bytes_per_connector == 100u << 20);
    CHECK(config.max_envelope_bytes == 1 << 20);
    CHECK(config.max_in_flight == 5);
    CHECK(config.window_memory_bytes == 1 << 20);
    CHECK(config.partitions == 3);
    CHECK(config.threads == 4);
    CHECK(config.io_threads == 2);
    CHECK(config.log_level == "debug");
  };
  SECTION("as flags") {
    check(accepted_config({"--data-dir",
                           "/data",
                           "--secret-key-file",
                           "/etc/secret.key",
                           "--listen",
                           "[::1]:0",
                           "--tls-cert",
                           "c.pem",
                           "--tls-key",
                           "k.pem",
                           "--tls-ca",
                           "a.pem",
                           "--allow-cidr",
                           "127.0.0.0/8",
                           "--allow-cidr",
                           "fc00::/7",
                           "--deny-cidr",
                           "198.41.0.0/24",
                           "--deny-cidr",
                           "2001:db8:7::/48",
                           "--allow-http",
                           "--ca-file",
                           "one.pem",
                           "--ca-file",
                           "two.pem",
                           "--dns-server",
                           "127.0.0.1:5353",
                           "--dns-server",
                           "::1",
                           "--retention",
                           "1d12h",
                           "--history-per-connector=100MiB",
                           "--max-envelope=1MiB",
                           "--max-in-flight",
                           "5",
                           "--window-memory",
                           "1MiB",
                           "--partitions",
                           "3",
                           "--threads",
                           "4",
                           "--io-threads",
                           "2",
                           "--log-level",
                           "debug"}));
  }
  SECTION("as environment variables") {
    check(accepted_config({}, {{"VICKET_DATA_DIR", "/data"},
                               {"VICKET_SECRET_KEY_FILE", "/etc/secret.key"},
                               {"VICKET_LISTEN", "[::1]:0"},
                               {"VICKET_TLS_CERT", "c.pem"},
                               {"VICKET_TLS_KEY", "k.pem"},
                               {"VICKET_TLS_CA", "a.pem"},
                               {"VICKET_ALLOW_CIDR", "127.0.0.0/8,fc00::/7"},
                               {"VICKET_DENY_CIDR", "198.41.0.0/24,2001:db8:7::/48"},
                               {"VICKET_ALLOW_HTTP", "1"},
                               {"VICKET_CA_FILE", "one.pem,two.pem"},
                               {"VICKET_DNS_SERVER", "127.0.0.1:5353,::1"},
                               {"VICKET_RETENTION", "36h"},
                               {"VICKET_HISTORY_PER_CONNECTOR", "100MiB"},
                               {"VICKET_MAX_ENVELOPE", "1048576"},
                               {"VICKET_MAX_IN_FLIGHT", "5"},
                               {"VICKET_WINDOW_MEMORY", "1048576"},
                               {"VICKET_PARTITIONS", "3"},
                               {"VICKET_THREADS", "4"},
                               {"VICKET_IO_THREADS", "2"},
                               {"VICKET_LOG_LEVEL", "debug"}}));
  }
  SECTION("as a config file") {
    const temporary_folder folder;
    const auto file = folder.file("node.toml", R"(# a node
data-dir = "/data"
secret-key-file = "/etc/secret.key"
listen = '[::1]:0'   # the literal form
"tls-cert" = "c.pem"
tls-key = "k.pem"
tls-ca = "a.pem"
allow-cidr = [
  "127.0.0.0/8", # this machine
  "fc00::/7",
]
deny-cidr = ["198.41.0.0/24", "2001:db8:7::/48"]
allow-http = true
ca-file = ["one.pem", "two.pem"]
dns-server = ["127.0.0.1:5353", "::1"]
retention = "36h"
history-per-connector = "100MiB"
max-envelope = 1_048_576
max-in-flight = 5
window-memory = "1024KiB"
partitions = 3
threads = 4
io-threads = 2
log-level = "debug"
)");
    SECTION("by flag") {
      check(accepted_config({"--config", file}));
    }
    SECTION("by environment") {
      check(accepted_config({}, {{"VICKET_CONFIG", file}}));
    }
  }
}

TEST_CASE("flags win over the environment, the environment over the config file") {
  const temporary_folder folder;
  const auto file = folder.file("node.toml", "data-dir = \"file\"\nmax-in-flight = 1\nretention = \"1h\"\n");
  const auto config = accepted_config({"--config", file, "--data-dir", "flag"},
                                      {{"VICKET_DATA_DIR", "environment"}, {"VICKET_MAX_IN_FLIGHT", "2"}});
  CHECK(config.data_dir == "flag");
  CHECK(config.max_in_flight == 2);
  CHECK(config.retention_ms == 3'600'000);
}

TEST_CASE("an unknown flag, key or malformed value is one clear line and exit code 2") {
  struct row {
    std::vector<std::string> flags;
    std::string says;
  };
  const std::vector<row> rows{
      {{}, "--data-dir is required"},
      {{"--data-dir", ""}, "--data-dir"},
      {{"--data-dir"}, "--data-dir"},
      {{"--data-dir", "d", "--bogus"}, "--bogus"},
      {{"--data-dir", "d", "stray"}, "stray"},
      {{"--data-dir", "d", "--data-dir", "e"}, "more than once"},
      {{"--data-dir", "d", "--secret-key-file", ""}, "--secret-key-file: must not be empty"},
      {{"--data-dir", "d", "--export-format", "2", "to"}, "\"2\" is no format that can be written; 1 is"},
      {{"--data-dir", "d", "--export-format", "1"}, "--export-format"},
      {{"--data-dir", "d", "--export-format", "1", "to", "--rotate-secret-key", "k"}, "one at a time"},
      {{"--data-dir", "d", "--listen", "4242"}, "--listen"},
      {{"--data-dir", "d", "--listen", "::1:4242"}, "brackets"},
      {{"--data-dir", "d", "--listen", "127.0.0.1:65536"}, "65535"},
      {{"--data-dir", "d", "--listen", "node.example.com:4242"}, "neither an IP address nor localhost"},
      {{"--data-dir", "d", "--listen", "0.0.0.0:4242"}, "needs --tls-cert, --tls-key and --tls-ca"},
      {{"--data-dir", "d", "--listen", "[::]:4242"}, "needs --tls-cert, --tls-key and --tls-ca"},
      {{"--data-dir", "d", "--listen", "10.0.0.1:4242", "--tls-cert", "c", "--tls-key", "k"}, "go together"},
      {{"--data-dir", "d", "--listen", "127.0.0.1:1", "--listen", "10.0.0.1:1"},
       "--listen 10.0.0.1:1 can be reached"},
      {{"--data-dir", "d", "--listen", "unix:"}, "path"},
      {{"--data-dir", "d", "--tls-crl", "r"}, "go together"},
      {{"--data-dir", "d", "--role", "x=sender"}, "--role goes by the names of certificates"},
      {{"--data-dir", "d", "--role", "x=king"}, "none of the roles"},
      {{"--data-dir", "d", "--allow-cidr", "127.0.0.1"}, "--allow-cidr"},
      {{"--data-dir", "d", "--allow-cidr", "127.0.0.1/8"}, "no bits set"},
      {{"--data-dir", "d", "--deny-cidr", "10.0.0.1/8"}, "--deny-cidr"},
      {{"--data-dir", "d", "--retention", "7"}, "--retention"},
      {{"--data-dir", "d", "--retention", "7 d"}, "--retention"},
      {{"--data-dir", "d", "--retention", "1s"}, "shorter than a minute"},
      {{"--data-dir", "d", "--retention", "99999999999d"}, "100 years"},
      {{"--data-dir", "d", "--history-per-connector", "1000KiB"}, "1MiB"},
      {{"--data-dir", "d", "--history-per-connector", "2000GiB"}, "1024GiB"},
      {{"--data-dir", "d", "--max-envelope", "256kib"}, "--max-envelope"},
      {{"--data-dir", "d", "--max-envelope", "-1"}, "--max-envelope"},
      {{"--data-dir", "d", "--max-envelope", "1GiB"}, "16MiB"},
      {{"--data-dir", "d", "--max-in-flight", "0"}, "--max-in-flight"},
      {{"--data-dir", "d", "--window-memory", "1048575"}, "not between 1MiB and 64GiB"},
      {{"--data-dir", "d", "--window-memory", "68719476737"}, "not between 1MiB and 64GiB"},
      {{"--data-dir", "d", "--window-memory", "much"}, "--window-memory"},
      {{"--data-dir", "d", "--dns-server", "resolver.example.com"}, "--dns-server"},
      {{"--data-dir", "d", "--log-level", "loud"}, "--log-level"},
      {{"--data-dir", "d", "--config", "/nonexistent/node.toml"}, "can't be read"},
      {{"--data-dir", "d", "--caf.scheduler.max-threads=1"}, "--caf.scheduler.max-threads"},
  };
  for (const auto& [flags, says] : rows) {
    const auto result = parse(flags);
    const auto* end = std::get_if<early_exit>(&result);
    INFO("expected: " << says);
    REQUIRE(end != nullptr);
    CAPTURE(end->text);
    CHECK(end->code == 2);
    CHECK(end->text.find(says) != std::string::npos);
    CHECK(end->text.find('\n') == end->text.size() - 1);
  }
}

TEST_CASE("how much of a cluster's log is kept is for a node of a cluster, within bounds") {
  const std::vector<std::string> member{
      "--data-dir",    "d",       "--cluster",         "c", "--node-name", "a", "--log", "postgresql:///v",
      "--peer-listen", "unix:/p", "--secret-key-file", "k"};
  const auto with = [](std::vector<std::string> flags, const std::string& name, const std::string& value) {
    flags.insert(flags.end(), {name, value});
    return flags;
  };
  CHECK(accepted_config(member).cluster.log_keep_ms == 0);
  CHECK(accepted_config(with(member, "--log-keep-time", "90m")).cluster.log_keep_ms == 5'400'000);
  CHECK(accepted_config(with(member, "--log-keep", "20GB")).cluster.log_keep_bytes == 20'000'000'000);
  for (const auto* const time : {"0s", "999ms", "31d", "an hour"})
    CHECK(std::get<early_exit>(parse(with(member, "--log-keep-time", time))).code == 2);
  for (const auto* const bytes : {"0", "15MiB", "1048577GiB", "much"})
    CHECK(std::get<early_exit>(parse(with(member, "--log-keep", bytes))).code == 2);
  for (const auto* const name : {"--log-keep-time", "--log-keep"})
    CHECK(std::get<early_exit>(parse(with({"--data-dir", "d"}, name, "1h"))).code == 2);
}

TEST_CASE("a node of a cluster keeps two copies, or as many as it is told, and a node alone is told none") {
  const std::vector<std::string> member{
      "--data-dir",    "d",       "--cluster",         "c", "--node-name", "a", "--log", "postgresql:///v",
      "--peer-listen", "unix:/p", "--secret-key-file", "k"};
  const auto with = [](std::vector<std::string> flags, const std::string& copies) {
    flags.insert(flags.end(), {"--copies", copies});
    return flags;
  };
  CHECK(accepted_config(member).cluster.copies == 0);
  CHECK(accepted_config(with(member, "3")).cluster.copies == 3);
  for (const auto* const copies : {"0", "1", "9", "two"})
    CHECK(std::get<early_exit>(parse(with(member, copies))).code == 2);
  CHECK(std::get<early_exit>(parse(with({"--data-dir", "d"}, "2"))).text.find("--copies") !=
        std::string::npos);
}

TEST_CASE("a wrong environment variable is named in the complaint") {
  const auto result = parse({"--data-dir", "d"}, {{"VICKET_RETENTION", "soon"}});
  REQUIRE(std::holds_alternative<early_exit>(result));
  CHECK(std::get<early_exit>(result).text.find("VICKET_RETENTION: \"soon\"") != std::string::npos);
}

TEST_CASE("a wrong line of the config file is named with file and number") {
  struct row {
    std::string content;
    std::string says;
  };
  const std::vector<row> rows{
      {"data-dir = \"d\"\nmax-envelop = 1\n", ":2: max-envelop is not a key"},
      {"data-dir = \"d\"\n\nretention = \"soon\"\n", ":3: retention: \"soon\""},
      {"data-dir = \"d\"\ndata-dir = \"e\"\n", ":2: \"data-dir\" is there twice"},
      {"data-dir = \"d\n", ":1: the string has no end"},
      {"data-dir = d\n", ":1: expected a \"string\""},
      {"data-dir \"d\"\n", ":1: expected KEY = VALUE"},
      {"[node]\ndata-dir = \"d\"\n", ":1: tables"},
      {"data-dir = \"d\"\nca-file = [\"a\"\n", "the array has no end"},
      {"data-dir = \"d\" retention = \"1h\"\n", ":1: something follows"},
      {"data-dir = [\"d\"]\n", ":1: data-dir: takes one value"},
      {"data-dir = \"d\"\nconfig = \"other.toml\"\n", ":2: config is not a key"},
      {"data-dir = \"d\"\rretention = \"1h\"\r", ":1: there is a carriage return alone"},
      {"# all\n# of it\rdata-dir = \"d\"", ":2: there is a carriage return alone"},
      {"data-dir = \"d\xe4\"\n", ":1: the text is not UTF-8 here"},
      {std::string{"data-dir = \"d\"\n\0", 16}, ":2: there is a zero byte"},
      {std::string{"d\0a\0t\0a\0", 8}, ":1: the text is UTF-16"},
      {std::string{"\xff\xfe"
                   "d\0",
                   4},
       ":1: the text is UTF-16"},
  };
  const temporary_folder folder;
  for (const auto& [content, says] : rows) {
    const auto result = parse({"--config", folder.file("node.toml", content)});
    INFO(content << "expected: " << says);
    REQUIRE(std::holds_alternative<early_exit>(result));
    const auto& end = std::get<early_exit>(result);
    CAPTURE(end.text);
    CHECK(end.code == 2);
    CHECK(end.text.find("node.toml") != std::string::npos);
    CHECK(end.text.find(says) != std::string::npos);
  }
}

TEST_CASE("a config file may begin with a byte order mark and end its lines like Windows, or not at all") {
  const temporary_folder folder;
  for (const auto* content :
       {"data-dir = \"d\"",
        "\xef\xbb\xbf"
        "data-dir = \"d\"\r\n",
        "\r\n\r\ndata-dir = \"d\"\r", "\xef\xbb\xbf\r\n# \xc3\xbc\r\n\tdata-dir = \"d\"  \r\n\r\n"})
    CHECK(accepted_config({"--config", folder.file("node.toml", content)}).data_dir == "d");
}

TEST_CASE("with the three TLS flags a node may listen anywhere, and help goes to standard output") {
  CHECK(accepted_config({"--data-dir", "d", "--listen", "0.0.0.0:4242", "--tls-cert", "c", "--tls-key", "k",
                         "--tls-ca", "a"})
            .listen.front()
            .address.host == "0.0.0.0");
  const auto several =
      accepted_config({"--data-dir", "d", "--listen", "10.0.0.1:1", "--listen", "unix:/run/a.sock",
                       "--tls-cert", "c", "--tls-key", "k", "--tls-ca", "a", "--tls-crl", "r", "--role",
                       "*.engines.test=sender", "--role", "spiffe://x/ops=operator"});
  CHECK(several.listen == places({"10.0.0.1:1", "unix:/run/a.sock"}));
  CHECK(several.tls == tls_files{"c", "k", "a", "r"});
  REQUIRE(several.roles.size() == 2);
  CHECK(several.roles[0].pattern == "*.engines.test");
  CHECK(several.roles[1].pattern == "spiffe://x/ops");
  CHECK(accepted_config({"--data-dir", "d", "--listen", "unix:/run/a.sock"}).listen.size() == 1);
  const auto help = parse({"--help"});
  REQUIRE(std::holds_alternative<early_exit>(help));
  CHECK(std::get<early_exit>(help).code == 0);
  for (const auto* flag :
       {"--data-dir", "--listen", "--tls-cert", "--allow-cidr", "--retention", "Examples:"})
    CHECK(std::get<early_exit>(help).text.find(flag) != std::string::npos);
}
