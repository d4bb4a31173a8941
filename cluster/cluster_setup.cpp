#include "cluster/cluster_setup.hpp"

#include "cluster/pg_result.hpp"
#include "cluster/record_codec.hpp"
#include "cluster/schema.hpp"
#include "policy/log_history.hpp"
#include "policy/presence.hpp"
#include "storage/data_folder.hpp"
#include "storage/secret_key.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

using internal::one_line;
using result_ptr = internal::pg_result_ptr;

constexpr int format = 1;
constexpr const char* connect_seconds = "5";

struct connection_deleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using connection_ptr = std::unique_ptr<PGconn, connection_deleter>;
struct options_deleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using options_ptr = std::unique_ptr<PQconninfoOption, options_deleter>;

/// What the server refused, or that it is not there.
struct trouble : std::runtime_error {
  trouble(const std::string& what, std::string state)
      : std::runtime_error{what}, sqlstate{std::move(state)} {}
  std::string sqlstate;
};

class database {
public:
  explicit database(const log_place& place) {
    const std::array<const char*, 4> keywords{"connect_timeout", "application_name", "dbname", nullptr};
    const std::array<const char*, 4> values{connect_seconds, "vicket", place.conninfo.c_str(), nullptr};
    connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 1));
    if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK)
      throw trouble{"the database of the log can't be reached: " +
                        (connection_ ? one_line(PQerrorMessage(connection_.get())) : "no memory"),
                    {}};
    PQsetNoticeReceiver(
        connection_.get(), [](void*, const PGresult*) {}, nullptr);
  }

  result_ptr run(const std::string& text, const std::vector<std::string>& parameters = {}) {
    std::vector<const char*> values;
    for (const auto& each : parameters)
      values.push_back(each.c_str());
    result_ptr result{parameters.empty()
                          ? PQexec(connection_.get(), text.c_str())
                          : PQexecParams(connection_.get(), text.c_str(), static_cast<int>(values.size()),
                                         nullptr, values.data(), nullptr, nullptr, 0)};
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      const auto* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      throw trouble{one_line(PQerrorMessage(connection_.get())), state == nullptr ? "" : state};
    }
    return result;
  }

  /// Of the first row.
  std::string value(const std::string& text) {
    const auto result = run(text);
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : std::string{};
  }

  std::string quoted(const std::string& name) {
    char* text = PQescapeIdentifier(connection_.get(), name.data(), name.size());
    const std::string found = text == nullptr ? "" : text;
    PQfreemem(text);
    return found;
  }

private:
  connection_ptr connection_;
};

std::string cell(const result_ptr& result, int row, int column) {
  return PQgetisnull(result.get(), row, column) != 0 ? std::string{} : PQgetvalue(result.get(), row, column);
}

template <class Number>
Number number(const result_ptr& result, int row, int column) {
  const auto text = cell(result, row, column);
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Of a bytea.
std::string bytes_of(const result_ptr& result, int row, int column) {
  std::size_t size = 0;
  const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes{
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(PQgetvalue(result.get(), row, column)), &size),
      &PQfreemem};
  return bytes ? std::string{reinterpret_cast<const char*>(bytes.get()), size} : std::string{};
}

std::string hex_bytes(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\\x";
  for (const auto c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 0x0f];
  }
  return text;
}

bool is_local_host(std::string_view host) {
  return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts{""};
  for (const auto c : text)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

cluster_identity identity_in(database& from, const std::string& schema) {
  const auto row =
      from.run(in_schema("SELECT format, name, uuid, key_fingerprint, partitions FROM $.cluster", schema));
  if (PQntuples(row.get()) != 1)
    throw trouble{"the schema " + schema + " has no cluster in it", "42P01"};
  if (number<int>(row, 0, 0) != format)
    throw trouble{"the cluster in the schema " + schema + " is of format " + cell(row, 0, 0) +
                      ", this program knows " + std::to_string(format),
                  {}};
  return {cell(row, 0, 1), cell(row, 0, 2), cell(row, 0, 3), number<std::uint32_t>(row, 0, 4)};
}

/// A statement with the role for each `@`.
std::string grants(std::string_view text, const std::string& schema, const std::string& role) {
  std::string result;
  for (const auto c : in_schema(text, schema))
    if (c == '@')
      result += role;
    else
      result += c;
  return result;
}

/// What has to be, so that a row that was acknowledged is there whatever happens.
std::vector<std::string> warnings_of(database& server, const std::string& schema) {
  std::vector<std::string> found;
  const auto is = [&](const char* name) { return server.value(std::string{"SHOW "} + name); };
  if (is("fsync") != "on")
    found.push_back("fsync is off: a crash of the machine loses what was acknowledged");
  if (is("full_page_writes") != "on")
    found.push_back("full_page_writes is off: a crash of the machine can damage the log");
  if (const auto names = is("synchronous_standby_names"); names.empty())
    found.push_back("synchronous_standby_names is empty: what was accepted is lost with the server's disk");
  if (server.value(in_schema(
          "SELECT count(*) FROM pg_class WHERE oid = '$.rounds'::regclass AND relpersistence <> 'p'",
          schema)) != "0")
    found.push_back("the table of rounds is unlogged: a crash empties it");
  if (server.value(
          in_schema("SELECT count(*) FROM pg_trigger WHERE tgrelid = '$.rounds'::regclass", schema)) != "0")
    found.push_back("the table of rounds has a trigger, which may change what is written");
  return found;
}

} // namespace

bool is_cluster_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::optional<std::string> log_place_complaint(const log_place& place) {
  if (!is_schema_name(place.schema))
    return "\"" + place.schema +
           "\" is no name for a schema: small letters, digits and _, a letter first, not pg_";
  char* problem = nullptr;
  const options_ptr options{PQconninfoParse(place.conninfo.c_str(), &problem)};
  if (!options) {
    const std::string why = problem == nullptr ? "no memory" : one_line(problem);
    PQfreemem(problem);
    return "--log: it is no place of a PostgreSQL server: " + why;
  }
  std::string host, hostaddr, mode;
  for (const auto* each = options.get(); each->keyword != nullptr; ++each) {
    const std::string_view keyword{each->keyword};
    const std::string value = each->val == nullptr ? "" : each->val;
    if (keyword == "password" && !value.empty())
      return "--log: it has a password in it, which others see in the list of processes: put it into a file "
             "that "
             "PGPASSFILE "
             "names";
    if (keyword == "host")
      host = value;
    else if (keyword == "hostaddr")
      hostaddr = value;
    else if (keyword == "sslmode")
      mode = value;
  }
  const auto hosts = split(hostaddr.empty() ? host : hostaddr);
  if (mode != "verify-full" && !std::all_of(hosts.begin(), hosts.end(), is_local_host))
    return "--log: the server is on another machine: it needs sslmode=verify-full (and sslrootcert), so that "
           "nobody "
           "can take "
           "its place";
  return std::nullopt;
}

namespace {

/// The log of a partition that is being made.
class new_log {
public:
  new_log(database& server, const std::string& schema, const record_codec& codec, std::uint32_t partition)
      : server_{server}, insert_{in_schema(
                             "INSERT INTO $.rounds VALUES ($1::int4, $2::int8, $3::int8, $4::int2, "
                             "$5::bytea, $6::int8, $7::bytea)",
                             schema)},
        codec_{codec}, partition_{partition} {}

  void append(record_kind kind, std::string_view body) {
    const auto head = history_.empty() ? record_head{partition_, 1, 1, record_kind::genesis, 0}
                                       : history_.next(kind, history_.last().number);
    const auto sealed = codec_.seal(head, history_.digest(), body);
    const auto digest = digest_of(history_.digest(), head, sealed);
    if (const auto why = history_.take(head, digest, sealed); !why.empty())
      throw trouble{"a record that was to begin the log " + why, {}};
    server_.run(insert_, {std::to_string(head.partition), std::to_string(head.number),
                          std::to_string(head.epoch), std::to_string(static_cast<int>(head.kind)),
                          hex_bytes({reinterpret_cast<const char*>(digest.data()), digest.size()}),
                          std::to_string(head.durable_to), hex_bytes(sealed)});
  }

  [[nodiscard]] std::uint64_t epoch() const { return history_.last().epoch; }

private:
  database& server_;
  std::string insert_;
  const record_codec& codec_;
  std::uint32_t partition_;
  log_history history_;
};

constexpr std::size_t adopted_round_bytes = 4u << 20;
constexpr std::size_t most_adopting_bytes = 128u << 20; ///< of rounds that are being filled
constexpr const char* adopting_owner = "adopt/1";       ///< of a claim, which a yield follows

/// The logs of the partitions that a store is shared out to.
void begin_with(database& server, const std::string& schema, const record_codec& codec,
                const partition_store& store, const partition_split& how) {
  std::vector<std::unique_ptr<new_log>> logs;
  for (auto number = how.parent; number < how.children; number += how.parents) {
    auto& log = *logs.emplace_back(std::make_unique<new_log>(server, schema, codec, number));
    log.append(record_kind::genesis, {});
    log.append(record_kind::claim, adopting_owner);
  }
  const auto bytes = std::min(adopted_round_bytes * logs.size(), most_adopting_bytes);
  const auto status = store.split_as_rounds(
      logs.front()->epoch(), bytes, how, [&](std::uint32_t child, const sealed_round& round) {
        logs[child / how.parents]->append(record_kind::round, round.bytes());
        return store_status{};
      });
  if (!status.ok())
    throw trouble{status.detail, {}};
  for (const auto& log : logs)
    log->append(record_kind::yield, {});
}

} // namespace

std::variant<cluster_identity, std::string>
init_cluster(const log_place& place, const std::string& name, std::uint32_t partitions,
             const std::shared_ptr<const secret_box>& key, const std::string& node_role,
             const std::vector<std::shared_ptr<const partition_store>>& adopted,
             const std::function<store_status(const cluster_identity&)>& before_commit) {
  if (auto why = log_place_complaint(place))
    return *why;
  try {
    database server{place};
    cluster_identity made{name, server.value("SELECT gen_random_uuid()"), key->fingerprint(), partitions};
    const record_codec codec{key, made.uuid};
    server.run("BEGIN");
    server.run(schema_statements(place.schema));
    const auto parents = static_cast<std::uint32_t>(adopted.empty() ? 0 : adopted.size() - 1);
    for (std::uint32_t i = 0; i < parents; ++i)
      begin_with(server, place.schema, codec, *adopted[i], {i, parents, partitions});
    const auto* settings = adopted.empty() ? nullptr : adopted.back().get();
    if (settings != nullptr) // a partition like the others, and the last of them
      begin_with(server, place.schema, codec, *settings, {partitions, partitions + 1, partitions + 1});
    for (std::uint32_t i = parents > 0 ? partitions : 0; i < partitions + (settings == nullptr ? 1 : 0); ++i)
      new_log{server, place.schema, codec, i}.append(record_kind::genesis, {});
    for (std::uint32_t i = 0; i <= partitions; ++i)
      server.run(in_schema("INSERT INTO $.partitions (partition) VALUES ($1::int4)", place.schema),
                 {std::to_string(i)});
    server.run(in_schema("INSERT INTO $.cluster (format, name, uuid, key_fingerprint, partitions) "
                         "VALUES ($1::int4, $2::text, $3::uuid, $4::text, $5::int4)",
                         place.schema),
               {std::to_string(format), name, made.uuid, made.key_fingerprint, std::to_string(partitions)});
    if (!node_role.empty())
      server.run(grants("GRANT USAGE ON SCHEMA " + place.schema +
                            " TO @; GRANT SELECT ON $.cluster TO @; GRANT SELECT, INSERT, UPDATE, DELETE ON "
                            "$.rounds, $.partitions, $.members, $.copies TO @",
                        place.schema, server.quoted(node_role)));
    if (before_commit)
      if (const auto status = before_commit(made); !status.ok())
        return status.detail;
    server.run("COMMIT");
    return made;
  } catch (const trouble& problem) {
    if (problem.sqlstate == "42P06")
      return "the schema " + place.schema +
             " is there already: name another one with --log-schema, or see what is in it with `vicket "
             "cluster "
             "status`";
    return std::string{problem.what()};
  }
}

namespace {

/// Of a folder whose adoption did not come to its end: the cluster, if it is there all the same.
std::variant<std::optional<cluster_identity>, std::string>
find_begun(const log_place& place, const std::string& name, const data_folder::cluster_place& begun) {
  auto found = read_cluster(place);
  if (const auto* why = std::get_if<no_cluster>(&found); why != nullptr && !why->absent)
    return why->why;
  auto* is = std::get_if<cluster_identity>(&found);
  if (is == nullptr || is->uuid != begun.uuid)
    return std::optional<cluster_identity>{};
  if (is->name != name)
    return "--cluster: the folder was adopted by the cluster " + is->name + ", which is there: name that one";
  return std::optional{std::move(*is)};
}

std::variant<adopted_cluster, std::string> mark_adopted(data_folder& folder, cluster_identity is,
                                                        bool was_there) {
  if (const auto status = folder.join({is.uuid, data_folder::adopted}); !status.ok())
    return "the cluster is made, but " + status.detail + ": run this again";
  return adopted_cluster{std::move(is), was_there};
}

} // namespace

std::variant<adopted_cluster, std::string>
adopt_folder(const log_place& place, const std::string& name, const std::string& folder_path,
             const std::string& key_file, const std::string& node_role, std::uint32_t partitions) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path{folder_path} / "VICKET", ignored))
    return "--adopt: " + folder_path + " is no data folder of a node";
  auto opened = data_folder::open(folder_path, 1);
  if (const auto* why = std::get_if<store_status>(&opened))
    return "--adopt: " + why->detail;
  auto& folder = *std::get<std::unique_ptr<data_folder>>(opened);
  if (const auto is = folder.cluster()) {
    if (is->node != data_folder::adopting)
      return "--adopt: " + folder_path + " is part of the cluster " + is->uuid + " already";
    auto begun = find_begun(place, name, *is);
    if (auto* why = std::get_if<std::string>(&begun))
      return std::move(*why);
    if (auto& made = std::get<0>(begun))
      return mark_adopted(folder, std::move(*made), true);
  }
  if (!folder.key_fingerprint())
    return "--adopt: " + folder_path +
           " is of a vicketd that encrypted no secrets: start and stop this version's on it once";
  auto secrets = open_secret_box(folder, key_file);
  if (const auto* why = std::get_if<store_status>(&secrets))
    return "--adopt: " + why->detail;
  const auto key = std::get<std::shared_ptr<const secret_box>>(secrets);
  if (partitions == 0)
    partitions = folder.partitions();
  if (partitions != folder.partitions())
    if (const auto why = split_complaint(folder.partitions(), partitions, data_folder::max_partitions);
        !why.empty())
      return "--partitions: " + why;
  std::vector<std::shared_ptr<const partition_store>> stores;
  std::vector<std::filesystem::path> paths;
  for (std::uint32_t i = 0; i < folder.partitions(); ++i)
    paths.push_back(folder.partition_path(i));
  if (auto path = folder.settings_path())
    paths.push_back(*std::move(path));
  for (const auto& path : paths) {
    store_options options;
    options.folder = path;
    options.secrets = key;
    auto store = partition_store::open(std::move(options));
    if (const auto* why = std::get_if<store_status>(&store))
      return "--adopt: " + why->detail;
    stores.push_back(std::get<std::unique_ptr<partition_store>>(std::move(store)));
  }
  stores.resize(folder.partitions() + std::size_t{1}); // of a folder without settings the last one is null
  std::string uuid;
  auto made = init_cluster(place, name, partitions, key, node_role, stores, [&](const cluster_identity& is) {
    uuid = is.uuid;
    return folder.join({is.uuid, data_folder::adopting});
  });
  if (auto* is = std::get_if<cluster_identity>(&made))
    return mark_adopted(folder, std::move(*is), false);
  auto& why = std::get<std::string>(made);
  if (uuid.empty())
    return std::move(why);
  // It was about to be there: only the database knows.
  const auto found = read_cluster(place);
  const auto* is = std::get_if<cluster_identity>(&found);
  const auto* none = std::get_if<no_cluster>(&found);
  if (is != nullptr && is->uuid == uuid)
    return mark_adopted(folder, *is, false);
  if (none != nullptr && !none->absent)
    return why + ". Whether the cluster is made nobody knows by now: run this again";
  if (const auto status = folder.leave(); !status.ok())
    return why + "; and " + status.detail;
  return std::move(why);
}

namespace {

void add_settings_log(database& server, const log_place& place, const cluster_identity& cluster,
                      const std::shared_ptr<const secret_box>& key) {
  const auto number = std::to_string(cluster.partitions);
  const auto is_there = [&] {
    const auto found =
        server.run(in_schema("SELECT FROM $.partitions WHERE partition = $1::int4", place.schema), {number});
    return PQntuples(found.get()) > 0;
  };
  if (is_there())
    return;
  const record_codec codec{key, cluster.uuid};
  server.run("BEGIN");
  try {
    // Its row first: whoever comes second waits for it, and finds it there.
    server.run(in_schema("INSERT INTO $.partitions (partition) VALUES ($1::int4)", place.schema), {number});
    new_log{server, place.schema, codec, cluster.partitions}.append(record_kind::genesis, {});
    server.run("COMMIT");
  } catch (const trouble&) {
    server.run("ROLLBACK");
    if (!is_there())
      throw;
  }
}

void add_member_column(database& server, const log_place& place, const std::string& name,
                       const std::string& definition) {
  const auto found =
      server.run("SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2::text",
                 {server.quoted(place.schema) + ".members", name});
  if (PQntuples(found.get()) > 0)
    return;
  const auto change =
      in_schema("ALTER TABLE $.members ADD COLUMN IF NOT EXISTS " + name + " " + definition, place.schema);
  try {
    server.run(change);
  } catch (const trouble& problem) {
    throw trouble{problem.what() + (": let the owner of that table run \"" + change + "\""),
                  problem.sqlstate};
  }
}

} // namespace

std::optional<std::string> complete_schema(const log_place& place, const cluster_identity& cluster,
                                           const std::shared_ptr<const secret_box>& key) {
  std::string what = "a column of its members";
  try {
    database server{place};
    server.run("SET lock_timeout = '1s'"); // other nodes' signs of life wait behind it
    add_member_column(server, place, "unreached", "text NOT NULL DEFAULT ''");
    add_member_column(server, place, "drained", "boolean NOT NULL DEFAULT false");
    what = "the log of its settings";
    add_settings_log(server, place, cluster, key);
    return std::nullopt;
  } catch (const trouble& problem) {
    return "the cluster was made by a version before, and " + what + " can't be added: " + problem.what();
  }
}

namespace {

/// Of who only looks, or changes one row: an answer in time, or none.
constexpr const char* look_limits = "SET statement_timeout = '10s'; SET lock_timeout = '3s'";

template <class Ask>
auto with_cluster(const log_place& place, Ask ask)
    -> std::variant<decltype(ask(std::declval<database&>())), no_cluster> {
  if (auto why = log_place_complaint(place))
    return no_cluster{*why, true};
  try {
    database server{place};
    server.run(look_limits);
    return ask(server);
  } catch (const trouble& problem) {
    if (problem.sqlstate == "42P01" || problem.sqlstate == "3F000")
      return no_cluster{"there is no cluster in the schema " + place.schema +
                            " of that database: `vicket cluster init` makes one",
                        true};
    // Ended, or waited for something for too long: as if there was no answer.
    const auto passes =
        problem.sqlstate.empty() || problem.sqlstate.starts_with("57") || problem.sqlstate == "55P03";
    return no_cluster{problem.what(), !passes};
  }
}

} // namespace

std::variant<cluster_identity, no_cluster> read_cluster(const log_place& place) {
  return with_cluster(place, [&](database& server) { return identity_in(server, place.schema); });
}

std::optional<std::string> read_log(const log_place& place, std::uint32_t partition, std::uint64_t after,
                                    const std::function<std::string(const log_row&)>& take) {
  constexpr const char* page_rows = "32"; // of 4 MiB each at most
  auto done = with_cluster(place, [&](database& server) -> std::string {
    for (;;) {
      const auto page = server.run(
          in_schema("SELECT number, epoch, kind, digest, durable_to, body FROM $.rounds WHERE partition = "
                    "$1::int4 AND number > $2::int8 ORDER BY number LIMIT $3::int4",
                    place.schema),
          {std::to_string(partition), std::to_string(after), page_rows});
      const auto rows = PQntuples(page.get());
      for (int i = 0; i < rows; ++i) {
        log_row row;
        row.head = {partition, number<std::uint64_t>(page, i, 0), number<std::uint64_t>(page, i, 1),
                    static_cast<record_kind>(number<int>(page, i, 2)), number<std::uint64_t>(page, i, 4)};
        const auto digest = bytes_of(page, i, 3);
        if (digest.size() != row.digest.size())
          return "record " + std::to_string(row.head.number) + " has no digest";
        std::copy(digest.begin(), digest.end(), row.digest.begin());
        row.body = bytes_of(page, i, 5);
        after = row.head.number;
        if (auto why = take(row); !why.empty())
          return why;
      }
      if (rows == 0)
        return {};
    }
  });
  if (const auto* why = std::get_if<no_cluster>(&done))
    return "the log of partition " + std::to_string(partition) + " can't be read: " + why->why;
  auto& why = std::get<std::string>(done);
  return why.empty() ? std::nullopt : std::optional{std::move(why)};
}

namespace {

/// Owners trim up to what the copy that is furthest behind has synced, and no further.
std::string who_holds(const cluster_view& view, const cluster_view::partition& of) {
  const member_table::copy* lowest = nullptr;
  for (const auto& each : view.copies)
    if (each.partition == of.number && (lowest == nullptr || each.synced_to < lowest->synced_to))
      lowest = &each;
  return lowest != nullptr && lowest->synced_to <= std::max<std::uint64_t>(of.trimmed_to, 1) ? lowest->node
                                                                                             : std::string{};
}

} // namespace

std::variant<cluster_view, no_cluster> view_cluster(const log_place& place) {
  return with_cluster(place, [&](database& server) {
    cluster_view view;
    server.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    view.identity = identity_in(server, place.schema);
    const auto in = [&](std::string_view text) { return server.run(in_schema(text, place.schema)); };
    const auto members =
        in("SELECT node, incarnation, state, zone, addresses, protocol_from, protocol_to, timeline, wrong, "
           "beats, life, (extract(epoch FROM clock_timestamp() - seen) * 1000)::int8, "
           "coalesce(to_jsonb(m) ->> 'drained', 'false') " // of a version before there is none
           "FROM $.members m ORDER BY node COLLATE \"C\"");
    for (int i = 0; i < PQntuples(members.get()); ++i) {
      member_row row;
      row.node = cell(members, i, 0);
      row.incarnation = number<std::uint64_t>(members, i, 1);
      row.state = cell(members, i, 2);
      row.zone = cell(members, i, 3);
      row.addresses = cell(members, i, 4);
      row.protocol_from = number<std::int32_t>(members, i, 5);
      row.protocol_to = number<std::int32_t>(members, i, 6);
      row.timeline = number<std::uint64_t>(members, i, 7);
      row.wrong = cell(members, i, 8);
      row.beats = number<std::uint64_t>(members, i, 9);
      row.life = cell(members, i, 10);
      row.drained = cell(members, i, 12) == "true";
      view.silent_ms.push_back(std::max<std::int64_t>(number<std::int64_t>(members, i, 11), 0));
      view.members.push_back(std::move(row));
    }
    const auto partitions =
        in("SELECT p.partition, p.owner, p.epoch, p.trimmed_to, p.halted, "
           "(SELECT max(number) FROM $.rounds r WHERE r.partition = p.partition), "
           "(SELECT min(number) FROM $.rounds r WHERE r.partition = p.partition), "
           "(SELECT avg(octet_length(body))::int8 FROM ("
           "(SELECT body FROM $.rounds r WHERE r.partition = p.partition ORDER BY number LIMIT 200) "
           "UNION ALL (SELECT body FROM $.rounds r WHERE r.partition = p.partition "
           "ORDER BY number DESC LIMIT 200)) AS ends) "
           "FROM $.partitions p ORDER BY p.partition");
    for (int i = 0; i < PQntuples(partitions.get()); ++i) {
      cluster_view::partition one;
      one.number = number<std::uint32_t>(partitions, i, 0);
      one.owner = cell(partitions, i, 1);
      one.epoch = number<std::uint64_t>(partitions, i, 2);
      one.trimmed_to = number<std::uint64_t>(partitions, i, 3);
      one.halted = cell(partitions, i, 4);
      one.last_record = number<std::uint64_t>(partitions, i, 5);
      const auto first = number<std::uint64_t>(partitions, i, 6);
      one.log_records = first == 0 ? 0 : one.last_record - first + 1;
      one.log_bytes = one.log_records * number<std::uint64_t>(partitions, i, 7);
      view.partitions.push_back(std::move(one));
    }
    const auto copies = in(
        "SELECT partition, node, synced_to, complete FROM $.copies ORDER BY partition, node COLLATE \"C\"");
    for (int i = 0; i < PQntuples(copies.get()); ++i)
      view.copies.push_back({number<std::uint32_t>(copies, i, 0), cell(copies, i, 1),
                             number<std::uint64_t>(copies, i, 2), cell(copies, i, 3) == "t"});
    for (auto& one : view.partitions)
      one.held_by = who_holds(view, one);
    const auto size = in("SELECT pg_total_relation_size('$.rounds'::regclass)");
    view.log_bytes = number<std::uint64_t>(size, 0, 0);
    view.warnings = warnings_of(server, place.schema);
    server.run("COMMIT");
    return view;
  });
}

std::variant<bool, no_cluster> set_drained(const log_place& place, const std::string& node, bool drained) {
  return with_cluster(place, [&](database& server) {
    const auto done = server.run(in_schema("UPDATE $.members SET drained = $2::boolean WHERE node = $1::text "
                                           "RETURNING node",
                                           place.schema),
                                 {node, drained ? "true" : "false"});
    return PQntuples(done.get()) > 0;
  });
}

std::variant<bool, no_cluster> remove_member(const log_place& place, const std::string& node) {
  return with_cluster(place, [&](database& server) {
    // One statement: who shows a sign of life meanwhile stays.
    const auto done = server.run(
        in_schema("WITH gone AS (DELETE FROM $.members WHERE node = $1::text AND "
                  "clock_timestamp() - seen > $2::int * interval '1 ms' RETURNING node), "
                  "its AS (DELETE FROM $.copies c USING gone WHERE c.node = gone.node) SELECT node FROM gone",
                  place.schema),
        {node, std::to_string(presence::present_ms)});
    return PQntuples(done.get()) > 0;
  });
}

} // namespace vicket
