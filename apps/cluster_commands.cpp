#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "cluster/cluster_setup.hpp"
#include "policy/presence.hpp"
#include "storage/secret_key.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace vicket {

namespace {

std::string count(std::uint64_t number) {
  return std::to_string(number);
}

bool is_silent(const cluster_view& view, std::size_t member) {
  return view.silent_ms[member] >= presence::present_ms;
}

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(json_writer& out, const char* key, const std::string& text) {
  out.Key(key);
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
void put(json_writer& out, const char* key, std::uint64_t value) {
  out.Key(key);
  out.Uint64(value);
}

std::string to_json(const cluster_view& view) {
  rapidjson::StringBuffer text;
  json_writer out{text};
  out.StartObject();
  put(out, "cluster", view.identity.name);
  put(out, "uuid", view.identity.uuid);
  put(out, "key_fingerprint", view.identity.key_fingerprint);
  put(out, "log_bytes", view.log_bytes);
  out.Key("nodes");
  out.StartArray();
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    const auto& one = view.members[i];
    out.StartObject();
    put(out, "node", one.node);
    put(out, "zone", one.zone);
    put(out, "address", one.addresses);
    put(out, "state", one.state);
    out.Key("silent");
    out.Bool(is_silent(view, i));
    put(out, "silent_ms", static_cast<std::uint64_t>(view.silent_ms[i]));
    put(out, "incarnation", one.incarnation);
    put(out, "timeline", one.timeline);
    put(out, "wrong", one.wrong);
    out.EndObject();
  }
  out.EndArray();
  out.Key("partitions");
  out.StartArray();
  for (const auto& one : view.partitions) {
    out.StartObject();
    put(out, "partition", one.number);
    if (one.number == view.identity.partitions) {
      out.Key("settings");
      out.Bool(true);
    }
    put(out, "owner", one.owner);
    put(out, "epoch", one.epoch);
    put(out, "last_record", one.last_record);
    put(out, "trimmed_to", one.trimmed_to);
    put(out, "halted", one.halted);
    out.Key("copies");
    out.StartArray();
    for (const auto& copy : view.copies)
      if (copy.partition == one.number) {
        out.StartObject();
        put(out, "node", copy.node);
        put(out, "synced_to", copy.synced_to);
        out.Key("complete");
        out.Bool(copy.complete);
        out.EndObject();
      }
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
  out.Key("warnings");
  out.StartArray();
  for (const auto& one : view.warnings)
    out.String(one.data(), static_cast<rapidjson::SizeType>(one.size()));
  out.EndArray();
  out.EndObject();
  return text.GetString();
}

void print_nodes(const terminal& out, const cluster_view& view) {
  text_table table{{"NODE", "ZONE", "ADDRESS", "STATE", "OWNS", "LIFE"},
                   {false, false, false, false, true, true}};
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    const auto& one = view.members[i];
    const auto owns =
        std::count_if(view.partitions.begin(), view.partitions.end(),
                      [&](const cluster_view::partition& each) { return each.owner == one.node; });
    table.add({{printable(one.node), colour::bold},
               {one.zone.empty() ? "-" : printable(one.zone)},
               {printable(one.addresses)},
               is_silent(view, i) ? text_table::cell{"silent " + show_age_ms(view.silent_ms[i]), colour::red}
                                  : text_table::cell{printable(one.state),
                                                     one.state == member::up ? colour::green : colour::red},
               {count(static_cast<std::uint64_t>(owns))},
               {count(one.incarnation)}});
  }
  table.print(out);
  for (const auto& one : view.members)
    if (!one.wrong.empty())
      out.line(out.paint(printable(one.node), colour::bold) + ": " + printable(one.wrong));
}

/// That of settings is counted behind the others.
std::string name_of(const cluster_view& view, std::uint32_t partition) {
  return partition == view.identity.partitions ? std::string{"settings"} : count(partition);
}

void print_partitions(const terminal& out, const cluster_view& view) {
  text_table table{{"PARTITION", "OWNER", "EPOCH", "LAST RECORD", "COPIES (BEHIND)"},
                   {true, false, true, true, false}};
  for (const auto& one : view.partitions) {
    std::string copies;
    for (const auto& copy : view.copies)
      if (copy.partition == one.number)
        copies += (copies.empty() ? "" : ", ") + printable(copy.node) + " (" +
                  count(one.last_record - std::min(copy.synced_to, one.last_record)) +
                  (copy.complete ? ")" : ", reads the log)");
    table.add(
        {{name_of(view, one.number)},
         one.owner.empty() ? text_table::cell{"nobody", colour::red} : text_table::cell{printable(one.owner)},
         {count(one.epoch)},
         {count(one.last_record)},
         {copies.empty() ? "all nodes" : copies}});
  }
  table.print(out);
  for (const auto& one : view.partitions)
    if (!one.halted.empty())
      out.line(halted_line(out, name_of(view, one.number), one.halted));
}

void print_cluster(const terminal& out, const cluster_view& view) {
  out.line("cluster " + out.paint(printable(view.identity.name), colour::bold) + " " + view.identity.uuid +
           ", " + count(view.identity.partitions) + " partitions, the log takes " +
           count(view.log_bytes / 1'000'000) + " MB");
  for (const auto& one : view.warnings)
    out.line(out.paint("unsafe: ", colour::yellow) + one);
  out.line("");
  print_nodes(out, view);
  out.line("");
  print_partitions(out, view);
}

/// What the database or the flags made impossible.
int report_log(const client_options& options, const no_cluster& why) {
  if (why.why.starts_with("--"))
    return report_usage(why.why);
  return why.absent ? report(options, refusal{errc::not_found, why.why})
                    : report(options, unreachable{why.why});
}

} // namespace

int run_cluster_init(const client_options& options, const cluster_options& what) {
  if (!is_cluster_name(what.name))
    return report_usage("--cluster: \"" + what.name + "\" is not 1 to 63 characters of a-z 0-9 - _");
  auto key = read_secret_key(what.secret_key_file);
  if (const auto* why = std::get_if<store_status>(&key))
    return report_usage("--secret-key-file: " + why->detail);
  const auto box = std::make_shared<const secret_box>(std::get<secret_bytes>(std::move(key)));
  const log_place place{what.log, what.schema};
  std::variant<adopted_cluster, std::string> made;
  if (!what.adopt.empty())
    made = adopt_folder(place, what.name, what.adopt, what.secret_key_file, what.node_role);
  else if (auto fresh = init_cluster(place, what.name, what.partitions, box, what.node_role);
           auto* why = std::get_if<std::string>(&fresh))
    made = std::move(*why);
  else
    made = adopted_cluster{std::get<cluster_identity>(std::move(fresh))};
  if (const auto* why = std::get_if<std::string>(&made))
    return why->starts_with("--") ? report_usage(*why) : report(options, refusal{errc::unavailable, *why});
  const auto& [is, was_there] = std::get<adopted_cluster>(made);
  const auto out = terminal::standard();
  if (was_there)
    out.line("an earlier call had made the cluster, and ended before it had marked " + what.adopt +
             ": that is done now");
  out.line("the cluster " + is.name + " is made: " + is.uuid + ", " + count(is.partitions) +
           " partitions, secret key " + is.key_fingerprint);
  out.flush();
  return exit_done;
}

int run_cluster_status(const client_options& options, const cluster_options& what) {
  for (;;) {
    const auto seen = view_cluster({what.log, what.schema});
    if (const auto* why = std::get_if<no_cluster>(&seen)) {
      if (!what.watch || why->absent)
        return report_log(options, *why);
      complain(why->why);
    } else {
      const auto out = terminal::standard();
      if (options.json)
        out.line(to_json(std::get<cluster_view>(seen)));
      else
        print_cluster(out, std::get<cluster_view>(seen));
      if (what.watch && !options.json)
        out.line("");
      out.flush();
    }
    if (!what.watch)
      return exit_done;
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
}

} // namespace vicket
