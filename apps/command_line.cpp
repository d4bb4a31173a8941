#include "apps/command_line.hpp"

#include "apps/commands.hpp"
#include "apps/values.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace vicket {

namespace {

constexpr const char* top_examples = R"(
The TLS flags go together and are needed where the node has them; VICKET_NODE, VICKET_TLS_CERT, VICKET_TLS_KEY and
VICKET_TLS_CA say the same. Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 node unreachable.

Examples:
  vicket connector put crm.json
  vicket send events.ndjson
  vicket --node 10.0.0.5:4242 --tls-cert me.pem --tls-key me.key --tls-ca cluster-ca.pem status
  vicket outcomes --follow --json | jq .attempt.outcome
  vicket COMMAND --help)";

constexpr const char* put_example = R"(
Examples:
  vicket connector put crm.json
  echo '{"id":"crm-prod","url":"https://hooks.example.com/vicket"}' | vicket connector put -

Prints the connector. Its secret is shown this once when it was made now, and as "***" ever after.)";

constexpr const char* delete_example = R"(
With --force it waits until all that was pending is failed, and tells on a terminal how far it is. Ended before, by
Ctrl-C or --timeout, it leaves the node to go on; `connector get`, `list` and `status` show it as being deleted.

Examples:
  vicket connector delete crm-prod
  vicket connector delete crm-prod --force --timeout 5m)";

constexpr const char* rule_put_example = R"(
Prints the rule, once every node decides by it. docs/rules.md has the form.

Examples:
  vicket rule put urgent.json
  echo '{"id":"urgent","events":["ticket.*"],"filter":{"/ticket/priority":{"eq":"urgent"}},"actions":[{"send_to_connector":"crm-prod"}]}' \
    | vicket rule put -)";

constexpr const char* rule_test_example = R"(
Says of each rule whether it matches, and the bytes that would be sent, or at which condition it does not. Sends nothing.

Example:
  echo '{"event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{"ticket":{"priority":"urgent"}}}' \
    | vicket rule test)";

constexpr const char* send_example = R"(
Prints one result line per input line, in order: {"id":"...","duplicate":false} once the event is on disk, or
{"error":"CODE","detail":"..."}. Exit code 1 if any was refused. A line without a connector goes where the rules say, and
its result is {"id":"...","events":[...]}, one of them for each action of a rule that matches.

Examples:
  vicket send events.ndjson
  echo '{"connector":"crm-prod","event":"ticket.opened","occurred_at":"2026-05-23T14:21:11.412Z","data":{}}' \
    | vicket send)";

constexpr const char* run_example = R"(
Example:
  vicket run run-42 --json)";

constexpr const char* event_example = R"(
An id that was sent to several connectors is one event for each of them.

Example:
  vicket event 01971f2e-8c4b-7d3a-9a55-0b1c2d3e4f50)";

constexpr const char* outcomes_example = R"(
Each line carries the cursor to go on after. With --follow it waits for more, connects again when the node was
restarted, and goes on where it was. Where some of what came after the cursor is gone, a line says so:
{"gap":true,"cursor":"..."}.

Examples:
  vicket outcomes --json
  vicket outcomes --from "$CURSOR" --follow --json)";

constexpr const char* backup_example = R"(
The node writes to its own machine, while it goes on. DIR is an absolute path there, directly below the folder that the node
was given with --backup-root, and is not there yet, or empty. The file BACKUP.json is the last to come: without it there is
no backup. The key that its secrets are encrypted with is not in it. `vicketd --restore` makes a data folder of it.

Example:
  vicket backup /var/backups/vicket/$(date +%F))";

constexpr const char* listen_example = R"(
With --tls-cert C and --tls-key K it speaks HTTPS, with --json it prints JSON. Answers 401 where a signature is wrong
or older than 300 s, else --status. Ends with SIGINT or SIGTERM, exit code 0.

Examples:
  vicket listen --port 8443 --secret-file crm.secret --tls-cert cert.pem --tls-key key.pem
  VICKET_WEBHOOK_SECRET=whsec_... vicket listen --port 0 --fail-first 3 --json
The node has to be allowed to reach it: vicketd --allow-cidr 127.0.0.0/8, and --ca-file or --allow-http.)";

constexpr const char* cluster_init_example = R"(
Once, before the first node is started, by a role of the database that may create a schema. Connects to the database,
not to a node.

Example:
  head -c 32 /dev/urandom > secret.key && chmod 600 secret.key
  vicket cluster init --cluster prod --log postgresql://db.example.com/vicket?sslmode=verify-full --secret-key-file secret.key)";

constexpr const char* cluster_status_example = R"(
Asks the database, not a node: it says who is there and who owns what also when no node answers.

Examples:
  vicket cluster status --log postgresql://db.example.com/vicket?sslmode=verify-full
  vicket cluster status --log postgresql:///vicket --watch)";

constexpr const char* cluster_drain_example = R"(
A node that is drained owns nothing and keeps no copy, and goes on taking requests for the others. It stays so, also
when it is started again, until `undrain`.

Examples:
  vicket cluster drain node-b --wait --log postgresql:///vicket
  vicket cluster undrain node-b --log postgresql:///vicket)";

constexpr const char* cluster_remove_example = R"(
A node that ends keeps what it has for half a minute, and its row for ever, in case it comes back. Drain it, stop it, then
remove it; one that has died is removed as it is. What it kept goes to others.

Example:
  vicket cluster remove node-b --log postgresql:///vicket)";

/// Text as it was given, before anything is made of it.
struct raw_options {
  std::string node;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_ca;
  bool json = false;
  bool force = false;
  std::string timeout;
  std::string file = "-";
  std::string id;
  std::string run;
  std::string port;
  std::string status = "200";
  std::string fail_first = "0";
  std::string delay = "0";
  std::string count = "0";
  outcomes_options outcomes;
  listen_options listen;
  cluster_options cluster;
  std::string partitions;
  std::string secret_file; ///< of listen
};

/// What is wrong with the usage; it ends in exit code 2.
struct usage_error {
  std::string what;
};

template <class T>
T value_of(const char* name, parsed<T> value) {
  if (auto* wrong = std::get_if<std::string>(&value))
    throw usage_error{std::string{name} + ": " + *wrong};
  return std::get<T>(value);
}

std::string or_environment(const std::string& given, const char* name) {
  const char* text = given.empty() ? std::getenv(name) : nullptr;
  return text == nullptr ? given : text;
}

client_options client_options_of(const raw_options& raw) {
  client_options options;
  options.json = raw.json;
  if (const auto node = or_environment(raw.node, "VICKET_NODE"); !node.empty())
    options.node = value_of("--node", parse_place(node));
  if (!options.node.is_unix() && options.node.address.port == 0)
    throw usage_error{"--node: port 0 is no port to connect to"};
  const tls_files files{or_environment(raw.tls_cert, "VICKET_TLS_CERT"),
                        or_environment(raw.tls_key, "VICKET_TLS_KEY"),
                        or_environment(raw.tls_ca, "VICKET_TLS_CA")};
  if (files.cert.empty() && files.key.empty() && files.ca.empty())
    return options;
  if (files.cert.empty() || files.key.empty() || files.ca.empty())
    throw usage_error{"--tls-cert, --tls-key and --tls-ca go together: one of them is missing"};
  if (auto complaint = tls_files_complaint(files))
    throw usage_error{*complaint};
  options.tls = files;
  return options;
}

/// One of the three places, of which only a flag shows it to everybody on the machine (ps).
std::string listen_secret_of(const raw_options& raw) {
  if (!raw.listen.secret.empty() && !raw.secret_file.empty())
    throw usage_error{"--secret and --secret-file: one of them"};
  if (!raw.secret_file.empty()) {
    std::ifstream file{raw.secret_file};
    std::string line;
    if (!file.is_open())
      throw usage_error{"--secret-file " + raw.secret_file + ": can't be read"};
    std::getline(file, line);
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty())
      throw usage_error{"--secret-file " + raw.secret_file + ": its first line is empty"};
    return line;
  }
  auto secret = or_environment(raw.listen.secret, "VICKET_WEBHOOK_SECRET");
  if (secret.empty())
    throw usage_error{"--secret, --secret-file or VICKET_WEBHOOK_SECRET is required: the connector's secret"};
  return secret;
}

listen_options listen_options_of(const raw_options& raw) {
  auto options = raw.listen;
  options.tls_cert = raw.tls_cert;
  options.tls_key = raw.tls_key;
  if (options.tls_cert.empty() != options.tls_key.empty())
    throw usage_error{"--tls-cert and --tls-key go together: one of them is missing"};
  options.secret = listen_secret_of(raw);
  options.port = static_cast<std::uint16_t>(value_of("--port", parse_count(raw.port, 0, 65'535)));
  options.status = static_cast<int>(value_of("--status", parse_count(raw.status, 200, 599)));
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  options.fail_first = value_of("--fail-first", parse_count(raw.fail_first, 0, most));
  options.count = value_of("--count", parse_count(raw.count, 0, most));
  options.delay_ms =
      static_cast<unsigned>(value_of("--delay", parse_count(raw.delay, 0, listen_options::max_delay_ms)));
  return options;
}

cluster_options cluster_options_of(const raw_options& raw) {
  constexpr std::uint64_t most_partitions = 256;
  auto options = raw.cluster;
  options.log = or_environment(options.log, "VICKET_LOG");
  if (options.log.empty())
    throw usage_error{"--log or VICKET_LOG is required: the PostgreSQL database of the cluster's log"};
  if (!options.restore.empty() && !options.adopt.empty())
    throw usage_error{"--adopt and --restore: one of them"};
  if (!options.restore.empty() && options.scratch.empty())
    throw usage_error{
        "--restore needs --scratch, a folder with room for all of it, which is not there yet or empty"};
  if (options.restore.empty() && !(options.from_log + options.from_schema + options.scratch).empty())
    throw usage_error{"--from-log, --from-schema and --scratch are for --restore"};
  if (!raw.partitions.empty())
    options.partitions = options.adopted_partitions =
        static_cast<std::uint32_t>(value_of("--partitions", parse_count(raw.partitions, 1, most_partitions)));
  return options;
}

delete_options delete_options_of(const raw_options& raw) {
  delete_options options;
  options.force = raw.force;
  if (!raw.timeout.empty())
    options.timeout = std::chrono::milliseconds{value_of("--timeout", parse_duration_ms(raw.timeout))};
  return options;
}

/// The commands, and what the chosen one does.
class command_tree {
public:
  explicit command_tree(raw_options& raw) : raw_{raw} {
    app_.footer(top_examples);
    app_.get_formatter()->column_width(28);
    app_.set_version_flag("--version", "vicket " VICKET_VERSION);
    app_.add_option("--node", raw.node, "Where the node listens [127.0.0.1:4242]")
        ->type_name("HOST:PORT|unix:PATH");
    app_.add_option("--tls-cert", raw.tls_cert, "Certificate to show to the node")->type_name("PEM");
    app_.add_option("--tls-key", raw.tls_key, "Its private key")->type_name("PEM");
    app_.add_option("--tls-ca", raw.tls_ca, "Whose certificate the node must have")->type_name("PEM");
    app_.add_flag("--json", raw.json, "One JSON object per line");
    app_.require_subcommand(1);
    app_.fallthrough();
    add_connector();
    add_rule();
    add_send();
    add_history();
    add_status();
    add_backup();
    add_cluster();
    add_listen();
  }

  /// Runs what was asked for; throws what CLI11 throws, and `usage_error`.
  int run(int argc, const char* const* argv) {
    app_.parse(argc, argv);
    return chosen_();
  }

  /// Help of the command that it was asked of.
  [[nodiscard]] std::string help() const { return app_.help(); }

private:
  CLI::App* command(CLI::App& parent, const char* name, const char* what, const char* examples,
                    std::function<int()> act) {
    auto* made = parent.add_subcommand(name, what);
    made->footer(examples);
    made->callback([this, act = std::move(act)] { chosen_ = act; });
    return made;
  }

  void add_connector() {
    auto* connectors = app_.add_subcommand("connector", "Create, replace, show or delete connectors");
    connectors->require_subcommand(1);
    connectors->footer("\nExamples:\n  vicket connector put crm.json\n  vicket connector list");
    auto* put = command(*connectors, "put", "Create or replace a connector; prints it", put_example,
                        [this] { return run_connector_put(client_options_of(raw_), raw_.file); });
    put->add_option("FILE", raw_.file, "Its JSON, - for standard input")->required();
    auto* get = command(*connectors, "get", "Show a connector", "\nExample:\n  vicket connector get crm-prod",
                        [this] { return run_connector_get(client_options_of(raw_), raw_.id); });
    get->add_option("ID", raw_.id, "The connector's id")->required();
    auto* erase = command(
        *connectors, "delete", "Delete a connector for which nothing is pending, or by force", delete_example,
        [this] { return run_connector_delete(client_options_of(raw_), raw_.id, delete_options_of(raw_)); });
    erase->add_option("ID", raw_.id, "The connector's id")->required();
    erase->add_flag("--force", raw_.force, "Also when events are pending: they are failed, and not sent");
    erase->add_option("--timeout", raw_.timeout, "Wait no longer [--force: as long as it takes]")
        ->type_name("DURATION");
    command(*connectors, "list", "Show all connectors", "\nExample:\n  vicket connector list --json",
            [this] { return run_connector_list(client_options_of(raw_)); });
  }

  void add_rule() {
    auto* rules = app_.add_subcommand("rule", "Rules: where events go that name no connector");
    rules->require_subcommand(1);
    rules->footer("\nExamples:\n  vicket rule put urgent.json\n  vicket rule list");
    auto* put = command(*rules, "put", "Create or replace a rule; prints it", rule_put_example,
                        [this] { return run_rule_put(client_options_of(raw_), raw_.file); });
    put->add_option("FILE", raw_.file, "Its JSON, - for standard input")->required();
    auto* get = command(*rules, "get", "Show a rule", "\nExample:\n  vicket rule get urgent",
                        [this] { return run_rule_get(client_options_of(raw_), raw_.id); });
    get->add_option("ID", raw_.id, "The rule's id")->required();
    auto* erase = command(*rules, "delete", "Delete a rule", "\nExample:\n  vicket rule delete urgent",
                          [this] { return run_rule_delete(client_options_of(raw_), raw_.id); });
    erase->add_option("ID", raw_.id, "The rule's id")->required();
    command(*rules, "list", "Show all rules", "\nExample:\n  vicket rule list --json",
            [this] { return run_rule_list(client_options_of(raw_)); });
    auto* test = command(*rules, "test", "Show what the rules would make of an event", rule_test_example,
                         [this] { return run_rule_test(client_options_of(raw_), raw_.file); });
    test->add_option("FILE", raw_.file, "The event, without a connector; - or nothing for standard input");
  }

  void add_send() {
    auto* send = command(app_, "send", "Send events, one send_to_connector per JSON line", send_example,
                         [this] { return run_send(client_options_of(raw_), raw_.file); });
    send->add_option("FILE", raw_.file, "Events; - or nothing for standard input");
  }

  void add_history() {
    auto* run = command(app_, "run", "Show a workflow run's history", run_example,
                        [this] { return run_run(client_options_of(raw_), raw_.run); });
    run->add_option("RUN_ID", raw_.run, "As in the events' \"run\"")->required();
    auto* event = command(app_, "event", "Show what was sent with an id, and all attempts", event_example,
                          [this] { return run_event(client_options_of(raw_), raw_.id); });
    event->add_option("ID", raw_.id, "The event's id")->required();
    auto* outcomes = command(app_, "outcomes", "The feed of attempts, oldest first", outcomes_example,
                             [this] { return run_outcomes(client_options_of(raw_), raw_.outcomes); });
    outcomes->add_option("--from", raw_.outcomes.from, "Go on after this cursor")->type_name("CURSOR");
    outcomes->add_flag("--follow", raw_.outcomes.follow, "Wait for more");
  }

  void add_status() {
    command(app_, "status", "Show the node, its partitions and what is pending",
            "\nExamples:\n  vicket status\n  vicket status --json",
            [this] { return run_status(client_options_of(raw_)); });
  }

  void add_backup() {
    auto* backup = command(app_, "backup", "Have a running node copy what it has to a folder", backup_example,
                           [this] { return run_backup(client_options_of(raw_), raw_.file); });
    backup->add_option("DIR", raw_.file, "A folder on the node's machine")->required();
  }

  void add_cluster() {
    auto* cluster = app_.add_subcommand("cluster", "Make a cluster, show its nodes and who owns what");
    cluster->require_subcommand(1);
    cluster->footer("\nExample:\n  vicket cluster status --log postgresql:///vicket");
    cluster->add_option("--log", raw_.cluster.log, "The database of the cluster's log [VICKET_LOG]")
        ->type_name("URL");
    cluster->add_option("--log-schema", raw_.cluster.schema, "Its schema in it [vicket]")->type_name("NAME");
    cluster->fallthrough();
    auto* init = command(*cluster, "init", "Make a cluster in a database", cluster_init_example, [this] {
      return run_cluster_init(client_options_of(raw_), cluster_options_of(raw_));
    });
    init->add_option("--cluster", raw_.cluster.name, "What it is called")->required()->type_name("NAME");
    init->add_option("--partitions", raw_.partitions,
                     "How many, for ever [24, or those of --adopt or --restore]")
        ->type_name("N");
    init->add_option("--secret-key-file", raw_.cluster.secret_key_file, "The key that all nodes have")
        ->required()
        ->type_name("FILE");
    init->add_option("--adopt", raw_.cluster.adopt,
                     "Begin with what is in this data folder of a single node, with as many partitions, or a "
                     "multiple of them")
        ->type_name("DIR");
    init->add_option("--restore", raw_.cluster.restore,
                     "Begin with this backup of a node of a cluster that is lost; repeatable, of each "
                     "partition the latest counts")
        ->type_name("BACKUP")
        ->allow_extra_args(false);
    init->add_option("--from-schema", raw_.cluster.from_schema,
                     "With --restore: the old cluster's schema, whose log is read to its end from there on "
                     "[it is lost, too]")
        ->type_name("NAME");
    init->add_option("--from-log", raw_.cluster.from_log, "The database that it is in [--log]")
        ->type_name("URL");
    init->add_option("--scratch", raw_.cluster.scratch,
                     "With --restore: a new folder with room for all of it")
        ->type_name("DIR");
    init->add_option("--node-role", raw_.cluster.node_role,
                     "A role of the database that may then be a node's")
        ->type_name("ROLE");
    auto* status =
        command(*cluster, "status", "Show nodes, partitions and copies", cluster_status_example,
                [this] { return run_cluster_status(client_options_of(raw_), cluster_options_of(raw_)); });
    status->add_flag("--watch", raw_.cluster.watch, "Again every second");
    const auto of_node = [this](CLI::App* one) {
      one->add_option("node", raw_.cluster.node, "Its name")->required()->type_name("NODE");
      return one;
    };
    of_node(command(*cluster, "drain", "A node is to own and keep nothing", cluster_drain_example, [this] {
      return run_cluster_drain(client_options_of(raw_), cluster_options_of(raw_), true);
    }))->add_flag("--wait", raw_.cluster.wait, "Until it owns and keeps nothing");
    of_node(command(*cluster, "undrain", "It takes its part again", cluster_drain_example, [this] {
      return run_cluster_drain(client_options_of(raw_), cluster_options_of(raw_), false);
    }));
    of_node(command(*cluster, "remove", "A node that has ended does not come back", cluster_remove_example,
                    [this] { return run_cluster_remove(client_options_of(raw_), cluster_options_of(raw_)); }))
        ->add_flag("--force", raw_.cluster.force, "Even if some partition has no other copy by now");
  }

  void add_listen() {
    auto* listen =
        command(app_, "listen", "A receiver on 127.0.0.1 for trying things out", listen_example, [this] {
          client_options options;
          options.json = raw_.json;
          return run_listen(options, listen_options_of(raw_));
        });
    listen->add_option("--port", raw_.port, "0 picks a free one and prints it")->required()->type_name("P");
    listen->add_option("--secret", raw_.listen.secret, "The connector's secret [VICKET_WEBHOOK_SECRET]")
        ->type_name("S");
    listen->add_option("--secret-file", raw_.secret_file, "Reads it from this file's first line")
        ->type_name("FILE");
    listen->add_option("--status", raw_.status, "What to answer [200]")->type_name("N");
    listen->add_option("--fail-first", raw_.fail_first, "Answer 500 to the first N requests of all")
        ->type_name("N");
    listen->add_option("--delay", raw_.delay, "Answer this much later")->type_name("MS");
    listen->add_option("--count", raw_.count, "Stop after N requests")->type_name("N");
  }

  raw_options& raw_;
  CLI::App app_{"Vicket webhooks, the command line: sends events to a node and shows what became of them.",
                "vicket"};
  std::function<int()> chosen_;
};

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

} // namespace

int run_command_line(int argc, const char* const* argv) {
  raw_options raw;
  command_tree commands{raw};
  try {
    return commands.run(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << commands.help() << std::flush;
    return exit_done;
  } catch (const CLI::CallForVersion& answer) {
    std::cout << answer.what() << std::endl;
    return exit_done;
  } catch (const CLI::RequiredError& problem) {
    // CLI11 does not tell an unknown command from none.
    const std::string what = problem.what();
    return report_usage(what == "A subcommand is required" ? "no such command: vicket --help lists them"
                                                           : one_line(what));
  } catch (const CLI::ParseError& problem) {
    return report_usage(one_line(problem.what()));
  } catch (const usage_error& problem) {
    return report_usage(one_line(problem.what));
  }
}

} // namespace vicket
