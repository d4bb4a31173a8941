#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "cluster/cluster_restore.hpp"
#include "cluster/cluster_setup.hpp"
#include "policy/presence.hpp"
#include "storage/secret_key.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace vicket {

namespace {

std::string count(std::uint64_t number) {
  return std::to_string(number);
}

std::string show_bytes(std::uint64_t bytes) {
  if (bytes < 10'000'000)
    return count(bytes / 1'000) + " kB";
  return bytes < 10'000'000'000 ? count(bytes / 1'000'000) + " MB" : count(bytes / 1'000'000'000) + " GB";
}

/// A copy that needs the first record of a log is worth a line from so many records on: before, it may just have begun.
constexpr std::uint64_t worth_telling = 1'000;

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
    out.Key("drained");
    out.Bool(one.drained);
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
    put(out, "log_records", one.log_records);
    put(out, "log_bytes", one.log_bytes);
    put(out, "held_by", one.held_by);
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

struct load {
  std::size_t owns = 0;
  std::size_t keeps = 0; ///< copies of partitions of which not all nodes have one
  [[nodiscard]] bool none() const { return owns == 0 && keeps == 0; }
};

load load_of(const cluster_view& view, const std::string& node) {
  load of;
  of.owns = static_cast<std::size_t>(
      std::count_if(view.partitions.begin(), view.partitions.end(),
                    [&](const cluster_view::partition& each) { return each.owner == node; }));
  of.keeps = static_cast<std::size_t>(
      std::count_if(view.copies.begin(), view.copies.end(), [&](const member_table::copy& each) {
        return each.node == node && each.partition != view.identity.partitions;
      }));
  return of;
}

/// Partitions of which no other node that is there has a copy with all of the log.
std::vector<std::uint32_t> kept_alone(const cluster_view& view, const std::string& node) {
  const auto is_there = [&](const std::string& other) {
    for (std::size_t i = 0; i < view.members.size(); ++i)
      if (view.members[i].node == other)
        return !is_silent(view, i);
    return false;
  };
  std::vector<std::uint32_t> alone;
  for (const auto& mine : view.copies)
    if (mine.node == node &&
        std::none_of(view.copies.begin(), view.copies.end(), [&](const member_table::copy& other) {
          return other.partition == mine.partition && other.node != node && other.complete &&
                 is_there(other.node);
        }))
      alone.push_back(mine.partition);
  return alone;
}

void print_nodes(const terminal& out, const cluster_view& view) {
  text_table table{{"NODE", "ZONE", "ADDRESS", "STATE", "OWNS", "LIFE"},
                   {false, false, false, false, true, true}};
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    const auto& one = view.members[i];
    const auto has = load_of(view, one.node);
    const auto state =
        one.drained && one.state == member::up ? has.none() ? "drained" : "draining" : one.state;
    table.add({{printable(one.node), colour::bold},
               {one.zone.empty() ? "-" : printable(one.zone)},
               {printable(one.addresses)},
               is_silent(view, i) ? text_table::cell{"silent " + show_age_ms(view.silent_ms[i]), colour::red}
                                  : text_table::cell{printable(state), state == member::up ? colour::green
                                                                       : one.drained       ? colour::yellow
                                                                                           : colour::red},
               {count(has.owns)},
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
  text_table table{{"PARTITION", "OWNER", "EPOCH", "LAST RECORD", "LOG", "COPIES (BEHIND)"},
                   {true, false, true, true, true, false}};
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
         {count(one.log_records) + ", " + show_bytes(one.log_bytes)},
         {copies.empty() ? "all nodes" : copies}});
  }
  table.print(out);
  for (const auto& one : view.partitions)
    if (!one.halted.empty())
      out.line(halted_line(out, name_of(view, one.number), one.halted));
  for (const auto& one : view.partitions)
    if (!one.held_by.empty() && one.log_records > worth_telling)
      out.line("partition " + name_of(view, one.number) + ": its log is not trimmed beyond record " +
               count(std::max<std::uint64_t>(one.trimmed_to, 1)) + ", which the copy of " +
               printable(one.held_by) + " needs");
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
  if (!what.restore.empty()) {
    restore_plan plan;
    plan.backups.assign(what.restore.begin(), what.restore.end());
    if (!what.from_log.empty() || !what.from_schema.empty())
      plan.old_log = log_place{what.from_log.empty() ? what.log : what.from_log,
                               what.from_schema.empty() ? log_place{}.schema : what.from_schema};
    plan.scratch = what.scratch;
    plan.partitions = what.adopted_partitions;
    auto restored = restore_cluster(place, what.name, plan, box, what.node_role);
    if (auto* why = std::get_if<std::string>(&restored))
      made = std::move(*why);
    else
      made = adopted_cluster{std::get<cluster_identity>(std::move(restored))};
  } else if (!what.adopt.empty())
    made = adopt_folder(place, what.name, what.adopt, what.secret_key_file, what.node_role,
                        what.adopted_partitions);
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

int run_cluster_drain(const client_options& options, const cluster_options& what, bool drained) {
  const log_place place{what.log, what.schema};
  const auto done = set_drained(place, what.node, drained);
  if (const auto* why = std::get_if<no_cluster>(&done))
    return report_log(options, *why);
  if (!std::get<bool>(done))
    return report(options, refusal{errc::not_found, "no node is called '" + what.node + "'"});
  const auto say = [](const std::string& text) {
    const auto out = terminal::standard();
    out.line(text);
    out.flush();
  };
  if (!drained) {
    say("node " + what.node + " takes its part again");
    return exit_done;
  }
  if (!what.wait) {
    say("node " + what.node +
        " gives away what it owns and keeps: `vicket cluster status` says how far that is");
    return exit_done;
  }
  for (std::optional<load> before;; std::this_thread::sleep_for(std::chrono::seconds{1})) {
    const auto seen = view_cluster(place);
    if (const auto* why = std::get_if<no_cluster>(&seen)) {
      if (why->absent)
        return report_log(options, *why);
      complain(why->why);
      continue;
    }
    const auto has = load_of(std::get<cluster_view>(seen), what.node);
    if (has.none()) {
      say("node " + what.node + " owns and keeps nothing: it can be stopped");
      return exit_done;
    }
    if (!before || before->owns != has.owns || before->keeps != has.keeps)
      say("node " + what.node + " still owns " + count(has.owns) + " and keeps " + count(has.keeps));
    before = has;
  }
}

int run_cluster_remove(const client_options& options, const cluster_options& what) {
  const log_place place{what.log, what.schema};
  const auto seen = view_cluster(place);
  if (const auto* why = std::get_if<no_cluster>(&seen))
    return report_log(options, *why);
  const auto& view = std::get<cluster_view>(seen);
  const auto found = std::find_if(view.members.begin(), view.members.end(),
                                  [&](const member_row& each) { return each.node == what.node; });
  if (found == view.members.end())
    return report(options, refusal{errc::not_found, "no node is called '" + what.node + "'"});
  if (const auto alone = kept_alone(view, what.node); !what.force && !alone.empty())
    return report(options,
                  refusal{errc::unavailable,
                          "node " + what.node + " has the only copy of partition " +
                              name_of(view, alone.front()) +
                              (alone.size() > 1 ? " and " + count(alone.size() - 1) + " more" : "") +
                              ": wait until another one has it, or remove it with --force, and others "
                              "begin again with what the log has"});
  const auto done = remove_member(place, what.node);
  if (const auto* why = std::get_if<no_cluster>(&done))
    return report_log(options, *why);
  if (!std::get<bool>(done))
    return report(options,
                  refusal{errc::unavailable,
                          "node " + what.node + " shows signs of life: drain it, stop it, then remove it"});
  const auto out = terminal::standard();
  out.line("node " + what.node + " is removed");
  out.flush();
  return exit_done;
}

} // namespace vicket
