#include "apps/node_config.hpp"

#include "actors/node.hpp"
#include "apps/config_file.hpp"
#include "cluster/cluster_part.hpp"
#include "storage/data_folder.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

namespace vicket {

namespace {

using complaint = std::optional<std::string>;

/// One flag: its name is also the key of the config file, and in capitals the environment variable.
struct setting {
  enum class kind { one, repeatable, on_off };

  const char* name;
  const char* value_name;
  const char* help;
  kind how = kind::one;
  complaint (*apply)(node_config&, const std::string&);
};

/// Takes a parsed value over, or hands on what is wrong with it.
template <class T, class Target>
complaint assign(parsed<T> value, Target& target) {
  if (auto* wrong = std::get_if<std::string>(&value))
    return std::move(*wrong);
  target = static_cast<Target>(std::get<T>(value));
  return std::nullopt;
}

/// The same within bounds. `range`: as they are written.
template <class T, class Target>
complaint assign_between(parsed<T> value, Target& target, T least, T most, const std::string& text,
                         const std::string& range) {
  if (auto wrong = assign(std::move(value), target))
    return wrong;
  if (target < least || target > most)
    return "\"" + text + "\" is not between " + range;
  return std::nullopt;
}

/// `std::string` can't be told from its own complaint, so it has a form of its own.
complaint assign_text(const std::string& value, std::string& target) {
  if (value.empty())
    return "must not be empty";
  target = value;
  return std::nullopt;
}

std::string& tls_field(node_config& config, std::string tls_files::*field) {
  if (!config.tls)
    config.tls.emplace();
  return (*config.tls).*field;
}

complaint apply_listen(node_config& config, const std::string& text) {
  place where;
  if (auto wrong = assign(parse_place(text), where))
    return wrong;
  if (!where.is_unix() && where.address.host != "localhost" && !ip_address::parse(where.address.host))
    return "\"" + where.address.host + "\" is neither an IP address nor localhost";
  config.listen.push_back(std::move(where));
  return std::nullopt;
}

complaint apply_peer_place(const std::string& text, std::optional<place>& to) {
  place where;
  if (auto wrong = assign(parse_place(text), where))
    return wrong;
  to = std::move(where);
  return std::nullopt;
}

/// Of a node or a zone: it stands in tables, log lines and certificates.
complaint apply_label(const std::string& text, std::string& to) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (text.empty() || text.size() > 63 || !std::all_of(text.begin(), text.end(), is_plain))
    return "\"" + text + "\" is not 1 to 63 characters of A-Z a-z 0-9 . _ -";
  to = text;
  return std::nullopt;
}

complaint apply_role(node_config& config, const std::string& text) {
  role_rule rule;
  if (auto wrong = assign(parse_role_rule(text), rule))
    return wrong;
  config.roles.push_back(std::move(rule));
  return std::nullopt;
}

complaint apply_cidr(const std::string& text, std::vector<ip_range>& to) {
  const auto range = ip_range::parse(text);
  if (!range)
    return "\"" + text + "\" is not a range such as 10.0.0.0/8 or fc00::/7 (no bits set behind the prefix)";
  to.push_back(*range);
  return std::nullopt;
}

complaint apply_dns_server(node_config& config, const std::string& text) {
  // HOST alone means port 53; a bare IPv6 address is fine too, since no port can follow it without brackets.
  const bool bare = ip_address::parse(text).has_value();
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']' &&
                         ip_address::parse(std::string_view{text}.substr(1, text.size() - 2));
  if (!bare && !bracketed) {
    const auto with_port = parse_host_port(text);
    const auto* server = std::get_if<host_port>(&with_port);
    if (server == nullptr || server->port == 0 || !ip_address::parse(server->host))
      return "\"" + text + "\" is not the address of a DNS server, HOST[:PORT]";
  }
  config.dns_servers.push_back(text);
  return std::nullopt;
}

complaint apply_log_level(node_config& config, const std::string& text) {
  for (const auto known : {"trace", "debug", "info", "warn", "error", "critical", "off"})
    if (text == known) {
      config.log_level = text;
      return std::nullopt;
    }
  return "\"" + text + "\" is none of trace, debug, info, warn, error, critical, off";
}

// Bounds that keep the arithmetic behind them meaningful; see docs of the flags.
constexpr std::uint64_t least_envelope_bytes = 1'024;
constexpr std::uint64_t most_envelope_bytes = 16u << 20;
constexpr std::uint64_t least_window_bytes = 1u << 20;
constexpr std::uint64_t most_window_bytes = 64ull << 30;
constexpr std::uint64_t most_in_flight = 1'000'000;
constexpr std::uint64_t most_threads = 1'024;
constexpr std::int64_t least_retention_ms = 60'000;
constexpr std::uint64_t least_history_bytes = 1u << 20;
constexpr std::uint64_t most_history_bytes = std::uint64_t{1} << 40;
constexpr std::int64_t least_log_keep_ms = 1'000;
constexpr std::int64_t most_log_keep_ms = 30LL * 86'400'000;
constexpr std::uint64_t least_copy_rate = 1'024;
constexpr std::uint64_t most_copy_rate = std::uint64_t{16} << 30;
constexpr std::uint64_t least_log_keep_bytes = 16u << 20;
constexpr std::uint64_t most_log_keep_bytes = std::uint64_t{1} << 50;

complaint apply_retention(node_config& config, const std::string& text) {
  if (auto wrong = assign(parse_duration_ms(text), config.retention_ms))
    return wrong;
  if (config.retention_ms < least_retention_ms)
    return "\"" + text + "\" is shorter than a minute";
  return std::nullopt;
}

complaint apply_history_per_connector(node_config& config, const std::string& text) {
  if (auto wrong = assign(parse_bytes(text), config.history_bytes_per_connector))
    return wrong;
  if (config.history_bytes_per_connector < least_history_bytes ||
      config.history_bytes_per_connector > most_history_bytes)
    return "\"" + text + "\" is not between 1MiB and 1024GiB";
  return std::nullopt;
}

complaint apply_max_envelope(node_config& config, const std::string& text) {
  if (auto wrong = assign(parse_bytes(text), config.max_envelope_bytes))
    return wrong;
  if (config.max_envelope_bytes < least_envelope_bytes || config.max_envelope_bytes > most_envelope_bytes)
    return "\"" + text + "\" is not between 1KiB and 16MiB";
  return std::nullopt;
}

complaint apply_window_memory(node_config& config, const std::string& text) {
  return assign_between(parse_bytes(text), config.window_memory_bytes, least_window_bytes, most_window_bytes,
                        text, "1MiB and 64GiB");
}

complaint apply_log_keep_time(node_config& config, const std::string& text) {
  return assign_between(parse_duration_ms(text), config.cluster.log_keep_ms, least_log_keep_ms,
                        most_log_keep_ms, text, "1s and 30d");
}

complaint apply_copy_rate(node_config& config, const std::string& text) {
  return assign_between(parse_bytes(text), config.cluster.copy_rate, least_copy_rate, most_copy_rate, text,
                        "1KiB and 16GiB");
}

complaint apply_log_keep(node_config& config, const std::string& text) {
  return assign_between(parse_bytes(text), config.cluster.log_keep_bytes, least_log_keep_bytes,
                        most_log_keep_bytes, text, "16MiB and 1048576GiB");
}

using kind = setting::kind;

const std::vector<setting>& all_settings() {
  static const std::vector<setting> settings{
      {"data-dir", "DIR", "Where everything is kept; created if missing, locked while in use (required)",
       kind::one,
       [](node_config& c, const std::string& v) -> complaint {
         if (v.empty())
           return "must not be empty";
         c.data_dir = v;
         return std::nullopt;
       }},
      {"secret-key-file", "FILE",
       "32 bytes that encrypt secrets at rest, mode 0600 [secret.key in the data folder, made at the first "
       "start]",
       kind::one,
       [](node_config& c, const std::string& v) -> complaint {
         if (v.empty())
           return "must not be empty";
         c.secret_key_file = v;
         return std::nullopt;
       }},
      {"listen", "HOST:PORT|unix:PATH",
       "The actor port, 0 picks one; repeatable. Any address but loopback needs the TLS flags "
       "[127.0.0.1:4242]",
       kind::repeatable, apply_listen},
      {"tls-cert", "PEM", "Certificate for mutual TLS on the actor port", kind::one,
       [](node_config& c, const std::string& v) { return assign_text(v, tls_field(c, &tls_files::cert)); }},
      {"tls-key", "PEM", "Its private key", kind::one,
       [](node_config& c, const std::string& v) { return assign_text(v, tls_field(c, &tls_files::key)); }},
      {"tls-ca", "PEM", "Whose certificates may connect", kind::one,
       [](node_config& c, const std::string& v) { return assign_text(v, tls_field(c, &tls_files::ca)); }},
      {"tls-crl", "PEM", "Certificates that are revoked, of each issuer in --tls-ca", kind::one,
       [](node_config& c, const std::string& v) { return assign_text(v, tls_field(c, &tls_files::crl)); }},
      {"role", "NAME=ROLE",
       "What a certificate with this DNS or URI name (*. allowed) may be: sender, operator or peer; "
       "repeatable. "
       "Once one is given, all other certificates are refused",
       kind::repeatable, apply_role},
      {"allow-cidr", "CIDR", "Lets deliveries reach this denied range (development); repeatable",
       kind::repeatable, [](node_config& c, const std::string& v) { return apply_cidr(v, c.allow_cidrs); }},
      {"deny-cidr", "CIDR", "Denies it besides the built-in ranges, whatever is allowed; repeatable",
       kind::repeatable, [](node_config& c, const std::string& v) { return apply_cidr(v, c.deny_cidrs); }},
      {"allow-http", "", "Lets connectors use http://", kind::on_off,
       [](node_config& c, const std::string& v) { return assign(parse_switch(v), c.allow_http); }},
      {"ca-file", "PEM", "Trust roots for deliveries besides the system's; repeatable", kind::repeatable,
       [](node_config& c, const std::string& v) { return assign_text(v, c.ca_files.emplace_back()); }},
      {"dns-server", "HOST[:PORT]", "Whom to ask for endpoint names instead of the system's; repeatable",
       kind::repeatable, apply_dns_server},
      {"retention", "DURATION", "How long settled events are kept: 7d, 12h, 30m, 1d12h [7d]", kind::one,
       apply_retention},
      {"history-per-connector", "SIZE",
       "What is kept of a connector's history: of older attempts first the answers go, then, of settled "
       "events, all: "
       "100MiB, 2GiB [1GiB]",
       kind::one, apply_history_per_connector},
      {"max-envelope", "SIZE", "Larger events are refused: bytes, or 256KiB, 1MiB [256KiB]", kind::one,
       apply_max_envelope},
      {"max-in-flight", "N", "Deliveries in flight on this node [10000]", kind::one,
       [](node_config& c, const std::string& v) {
         c.max_in_flight_asked_for = true;
         return assign(parse_count(v, 1, most_in_flight), c.max_in_flight);
       }},
      {"window-memory", "SIZE",
       "Waiting events that are held in memory, of all connectors together: 64MiB, 1GiB [64MiB]", kind::one,
       apply_window_memory},
      {"partitions", "N",
       "Partitions of a new data folder; an existing one keeps its own [one for two cores]", kind::one,
       [](node_config& c, const std::string& v) {
         return assign(parse_count(v, 1, data_folder::max_partitions), c.partitions);
       }},
      {"threads", "N", "Threads that run actors [one for two cores]", kind::one,
       [](node_config& c, const std::string& v) {
         return assign(parse_count(v, 1, most_threads), c.threads);
       }},
      {"io-threads", "N", "Threads that send requests [1]", kind::one,
       [](node_config& c, const std::string& v) {
         return assign(parse_count(v, 1, most_threads), c.io_threads);
       }},
      {"cluster", "NAME",
       "Joins the cluster of that name, made by `vicket cluster init`; needs the flags below and "
       "--secret-key-file",
       kind::one, [](node_config& c, const std::string& v) { return apply_label(v, c.cluster.name); }},
      {"node-name", "NAME", "Of this node in its cluster: always the same for a data folder, and no other's",
       kind::one, [](node_config& c, const std::string& v) { return apply_label(v, c.cluster.node); }},
      {"zone", "NAME", "What fails together with this node, a building or a rack [a zone of its own]",
       kind::one, [](node_config& c, const std::string& v) { return apply_label(v, c.cluster.zone); }},
      {"log", "URL",
       "The PostgreSQL database of the cluster's log, postgresql://HOST[,HOST]/NAME, without a password "
       "(PGPASSFILE)",
       kind::one, [](node_config& c, const std::string& v) { return assign_text(v, c.cluster.log); }},
      {"log-schema", "NAME", "The cluster's schema in it [vicket]", kind::one,
       [](node_config& c, const std::string& v) { return assign_text(v, c.cluster.schema); }},
      {"copies", "N",
       "How many nodes keep each partition, its owner among them: the others can take over within seconds; "
       "the "
       "same on all nodes [2]",
       kind::one,
       [](node_config& c, const std::string& v) {
         return assign(parse_count(v, cluster_part::default_copies, cluster_part::most_copies),
                       c.cluster.copies);
       }},
      {"log-keep-time", "DURATION",
       "How much of its log a cluster keeps although all copies have it; a copy that is further behind is "
       "waited for "
       "only where it is one of the last two; the same on all nodes [1h]",
       kind::one, apply_log_keep_time},
      {"log-keep", "BYTES",
       "What all the partitions' logs may take at most, each an equal part of it: a copy that needs more is "
       "no longer "
       "waited for; the same on all nodes [50GB]",
       kind::one, apply_log_keep},
      {"copy-rate", "BYTES",
       "How fast this node takes whole copies of partitions from others, a second, while both do other work "
       "[64MB]",
       kind::one, apply_copy_rate},
      {"peer-listen", "HOST:PORT|unix:PATH", "Where the other nodes of the cluster connect to", kind::one,
       [](node_config& c, const std::string& v) { return apply_peer_place(v, c.cluster.listen); }},
      {"peer-advertise", "HOST:PORT|unix:PATH",
       "Where they reach it, if that is another place [--peer-listen]", kind::one,
       [](node_config& c, const std::string& v) { return apply_peer_place(v, c.cluster.advertise); }},
      {"backup-root", "DIR",
       "Lets `vicket backup` write folders directly below this one, which is there, and outside of the data "
       "folder; an absolute "
       "path [no backups]",
       kind::one,
       [](node_config& c, const std::string& v) -> complaint {
         const auto path = std::filesystem::path{v}.lexically_normal();
         c.backup_root = path.has_filename() ? path : path.parent_path();
         return path.is_absolute() ? std::nullopt : complaint{"\"" + v + "\" is no absolute path"};
       }},
      {"log-level", "LEVEL", "trace, debug, info, warn, error, critical or off [info]", kind::one,
       apply_log_level},
  };
  return settings;
}

const setting* find_setting(std::string_view name) {
  for (const auto& one : all_settings())
    if (name == one.name)
      return &one;
  return nullptr;
}

std::string environment_name(std::string_view flag) {
  std::string name = "VICKET_";
  for (const char c : flag)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

/// Values as text with where they come from, for the complaint.
struct given {
  std::string where;
  std::vector<std::string> values;
};

using given_values = std::map<std::string, given, std::less<>>;

constexpr const char* examples = R"(
Every flag but the four offline ones is also an environment variable (--data-dir: VICKET_DATA_DIR; several values separated by commas) and
a key of the config file (data-dir = "/var/lib/vicket"; several values as an array). Flags win over the
environment, the environment over the file.

Examples:
  vicketd --data-dir /var/lib/vicket
  vicketd --data-dir /var/lib/vicket --listen 0.0.0.0:4242 \
          --tls-cert node.pem --tls-key node.key --tls-ca cluster-ca.pem
  vicketd --data-dir /var/lib/vicket --listen unix:/run/vicket/actors.sock
  vicketd --config /etc/vicket/node.toml
  vicketd --data-dir /tmp/try --listen 127.0.0.1:0 --allow-cidr 127.0.0.0/8 --ca-file my-ca.pem

SIGTERM and SIGINT stop it: nothing more is accepted, deliveries in flight get 10 s to finish, exit code 0.
A second one ends it at once. Exit codes: 0 stopped, 1 could not start, 2 wrong usage, 70 the node failed.)";

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream{text};
  for (std::string part; std::getline(stream, part, ',');)
    parts.push_back(part);
  return parts;
}

void take_environment(const environment_lookup& environment, given_values& values) {
  for (const auto& one : all_settings()) {
    const auto name = environment_name(one.name);
    const char* text = environment(name.c_str());
    if (text == nullptr || values.contains(one.name))
      continue;
    const std::string value{text};
    values[one.name] = {name, one.how == kind::repeatable ? split_at_commas(value) : std::vector{value}};
  }
}

complaint take_file(const std::string& path, given_values& values) {
  std::ifstream file{path};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file.good() && !file.eof())
    return path + ": the config file can't be read";
  auto entries = parse_config_file(text);
  if (auto* wrong = std::get_if<std::string>(&entries))
    return path + ":" + *wrong;
  for (auto& entry : std::get<0>(entries)) {
    const auto where = path + ":" + std::to_string(entry.line) + ": " + entry.key;
    const auto* known = find_setting(entry.key);
    if (known == nullptr)
      return where + " is not a key that vicketd knows";
    if (entry.array && known->how != kind::repeatable)
      return where + ": takes one value";
    if (!values.contains(entry.key))
      values[entry.key] = {where, std::move(entry.values)};
  }
  return std::nullopt;
}

complaint cluster_complaint(const node_config& config) {
  const auto& c = config.cluster;
  if (c.name.empty()) {
    if (!c.node.empty() || !c.zone.empty() || !c.log.empty() || c.copies != 0 || c.log_keep_ms != 0 ||
        c.log_keep_bytes != 0 || c.copy_rate != 0 || c.listen || c.advertise)
      return "--node-name, --zone, --log, --copies, --log-keep-time, --log-keep, --copy-rate, "
             "--peer-listen and --peer-advertise are for a node of a cluster: they need --cluster";
    return std::nullopt;
  }
  if (c.node.empty() || c.log.empty() || !c.listen || config.secret_key_file.empty())
    return "--cluster needs --node-name, --log, --peer-listen and --secret-key-file, the same key on all its "
           "nodes";
  if (config.partitions != 0)
    return "--partitions: a cluster has as many as it was made with";
  if (!config.tls && !c.listen->is_local())
    return "--peer-listen " + c.listen->to_string() +
           " can be reached from other machines: it needs --tls-cert, --tls-key, --tls-ca, and --role "
           "NAME=peer for the "
           "other nodes' certificates";
  if (!c.listen->is_unix() && !c.advertise) {
    const auto address = ip_address::parse(c.listen->address.host);
    if (address && (c.listen->address.host == "0.0.0.0" || c.listen->address.host == "::"))
      return "--peer-listen " + c.listen->to_string() +
             " names no address that others could use: add --peer-advertise";
  }
  return std::nullopt;
}

complaint apply_all(const given_values& values, node_config& config) {
  for (const auto& [name, what] : values) {
    const auto* known = find_setting(name);
    if (known->how == kind::one && what.values.size() != 1)
      return what.where + ": given more than once";
    for (const auto& value : what.values)
      if (auto wrong = known->apply(config, value))
        return what.where + ": " + *wrong;
  }
  if (config.data_dir.empty())
    return "--data-dir is required: where to keep events and attempts";
  if (config.tls && (config.tls->cert.empty() || config.tls->key.empty() || config.tls->ca.empty()))
    return "--tls-cert, --tls-key and --tls-ca go together: one of them is missing";
  if (config.listen.empty())
    config.listen.push_back({{"127.0.0.1", 4242}, {}});
  for (const auto& where : config.listen)
    if (!config.tls && !where.is_local())
      return "--listen " + where.to_string() +
             " can be reached from other machines: it needs --tls-cert, --tls-key and --tls-ca";
  if (auto wrong = cluster_complaint(config))
    return wrong;
  if (!config.tls && !config.roles.empty())
    return "--role goes by the names of certificates: it needs --tls-cert, --tls-key and --tls-ca";
  return std::nullopt;
}

early_exit wrong_usage(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {2, "vicketd: " + text + "\n"};
}

} // namespace

std::variant<node_config, early_exit> parse_node_config(int argc, const char* const* argv,
                                                        const environment_lookup& environment) {
  CLI::App app{"A Vicket node: takes send_to_connector messages, delivers each as a signed webhook.",
               "vicketd"};
  app.footer(examples);
  app.get_formatter()->column_width(30);
  app.set_version_flag("--version", std::string{"vicketd "} + version());
  std::string config_path;
  app.add_option("--config", config_path, "Reads flags from this file")->type_name("FILE.toml");
  std::string rotate_to;
  std::vector<std::string> export_to;
  std::string restore_from;
  std::string split;
  app.add_option(
         "--rotate-secret-key", rotate_to,
         "Encrypts all secrets with the key in this file, which is made if it is not there, and ends; no "
         "node may use the data folder")
      ->type_name("NEW");
  app.add_option("--export-format", export_to,
                 "Writes a copy of the data folder that the vicketd before this one reads (1: secrets in "
                 "the clear), and ends; no node may use the data folder")
      ->type_name("1 DIR")
      ->expected(2);
  app.add_option("--restore", restore_from,
                 "Makes the data folder, which is not there or empty but for a key, of this backup, and ends")
      ->type_name("BACKUP");
  app.add_option("--split", split,
                 "Makes N partitions of those that the data folder has, of which N is a multiple, and ends; "
                 "no node may use the "
                 "data folder")
      ->type_name("N");
  std::map<std::string, std::vector<std::string>> flags;
  std::map<std::string, CLI::Option*> options;
  for (const auto& one : all_settings()) {
    const auto flag = std::string{"--"} + one.name;
    if (one.how == kind::on_off)
      options[one.name] = app.add_flag(flag, one.help);
    else
      // One value each time it is given; whether it may be given again is said by apply_all.
      options[one.name] = app.add_option(flag, flags[one.name], one.help)
                              ->type_name(one.value_name)
                              ->allow_extra_args(false)
                              ->expected(1)
                              ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return early_exit{0, app.help()};
  } catch (const CLI::CallForVersion& answer) {
    return early_exit{0, std::string{answer.what()} + "\n"};
  } catch (const CLI::ParseError& problem) {
    return wrong_usage(problem.what());
  }
  given_values values;
  for (const auto& [name, option] : options)
    if (option->count() > 0)
      values[name] = {"--" + name, flags.contains(name) ? flags[name] : option->results()};
  take_environment(environment, values);
  if (const char* path = environment("VICKET_CONFIG"); path != nullptr && config_path.empty())
    config_path = path;
  if (!config_path.empty())
    if (auto wrong = take_file(config_path, values))
      return wrong_usage(*wrong);
  node_config config;
  if (auto wrong = apply_all(values, config))
    return wrong_usage(*wrong);
  if (!export_to.empty() && export_to[0] != std::to_string(data_folder::format_without_key))
    return wrong_usage("--export-format: \"" + export_to[0] + "\" is no format that can be written; 1 is");
  if (!export_to.empty() + !rotate_to.empty() + !restore_from.empty() + !split.empty() > 1)
    return wrong_usage("--export-format, --restore, --rotate-secret-key and --split: one at a time");
  if (!split.empty())
    if (auto wrong = assign(parse_count(split, 1, data_folder::max_partitions), config.split_into))
      return wrong_usage("--split: " + *wrong);
  config.restore_from = restore_from;
  config.rotate_to = rotate_to;
  if (!export_to.empty())
    config.export_to = export_to[1];
  return config;
}

} // namespace vicket
