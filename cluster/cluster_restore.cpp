#include "cluster/cluster_restore.hpp"

#include "cluster/log_position.hpp"
#include "cluster/record_codec.hpp"
#include "storage/backup.hpp"
#include "storage/data_folder.hpp"
#include "storage/private_folder.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

namespace vicket {

namespace {

namespace fs = std::filesystem;

/// A sentence for who asked.
struct no_restore {
  std::string why;
};

void check(const store_status& status) {
  if (!status.ok())
    throw no_restore{status.detail};
}

std::string bytes_of_hex(const std::string& digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  return bytes;
}

/// A partition's store in a backup, and where it stands in the log.
struct found_store {
  fs::path backup;
  backup_manifest::store store;
  log_position at;
};

struct found_backups {
  std::string uuid; ///< of the cluster
  std::string key_fingerprint;
  std::uint32_t partitions = 0;
  std::map<std::string, found_store> stores; ///< by name, the furthest of each
};

void take_manifest(found_backups& found, const fs::path& from, backup_manifest is) {
  if (!is.cluster)
    throw no_restore{
        "--restore: " + from.string() +
        " is of a single node: `vicketd --restore` makes a data folder of it, which --adopt takes"};
  if (found.uuid.empty()) {
    found.uuid = is.cluster->uuid;
    found.key_fingerprint = is.key_fingerprint;
    found.partitions = is.partitions;
  }
  if (is.cluster->uuid != found.uuid || is.key_fingerprint != found.key_fingerprint ||
      is.partitions != found.partitions)
    throw no_restore{"--restore: " + from.string() + " is of another cluster than the one before"};
  for (auto& store : is.stores) {
    auto at = decode_log_position(bytes_of_hex(store.position));
    if (!at)
      throw no_restore{"--restore: " + from.string() + " has a store " + store.name +
                       " without a place in the cluster's log"};
    const auto name = store.name;
    const auto known = found.stores.find(name);
    if (known == found.stores.end() || known->second.at.history.last().number < at->history.last().number)
      found.stores[name] = {from, std::move(store), *std::move(at)};
  }
}

found_backups find_backups(const restore_plan& plan) {
  found_backups found;
  for (const auto& from : plan.backups) {
    auto read = read_backup(from);
    if (const auto* why = std::get_if<store_status>(&read))
      throw no_restore{"--restore: " + why->detail};
    take_manifest(found, from, std::get<backup_manifest>(std::move(read)));
  }
  return found;
}

/// Reads on in the old log to its end.
void follow(partition_store& store, std::uint32_t partition, log_position at, const log_place& old_log,
            const record_codec& codec) {
  const auto begins_at = at.history.last().number;
  const auto wrong = [&](std::uint64_t number, const std::string& what) {
    return "record " + std::to_string(number) + " of partition " + std::to_string(partition) + " " + what;
  };
  bool is_first = true;
  const auto why = read_log(old_log, partition, begins_at, [&](const log_row& row) -> std::string {
    if (std::exchange(is_first, false) && row.head.number != begins_at + 1)
      return "the old log has partition " + std::to_string(partition) + " from record " +
             std::to_string(row.head.number) + " on, and the backups end with record " +
             std::to_string(begins_at) + ": give a later backup, of a node that keeps the partition";
    const auto before = at.history.digest();
    if (const auto no = at.history.take(row.head, row.digest, row.body); !no.empty())
      return wrong(row.head.number, no);
    if (row.head.kind != record_kind::round)
      return {};
    const auto body = codec.open(row.head, before, row.body);
    if (!body)
      return wrong(row.head.number, "can't be decrypted with this key, or is damaged");
    if (body->empty()) // a sign of life
      return {};
    const auto round = sealed_round::parse(*body);
    if (!round)
      return wrong(row.head.number, "is no round that this program can read");
    return store.apply(*round, partition_store::durability::unsynced).detail;
  });
  if (why)
    throw no_restore{*why};
}

std::string name_of(std::uint32_t partition, std::uint32_t partitions) {
  return (partition == partitions ? data_folder::settings_in("") : data_folder::partition_in("", partition))
      .string();
}

std::shared_ptr<const partition_store> put_together(const restore_plan& plan, const found_backups& found,
                                                    std::uint32_t partition,
                                                    const std::shared_ptr<const secret_box>& key) {
  const auto name = name_of(partition, found.partitions);
  const auto known = found.stores.find(name);
  log_position at;
  if (known != found.stores.end()) {
    check(restore_store(known->second.backup, known->second.store, plan.scratch / name));
    at = known->second.at;
  } else if (!plan.old_log) {
    throw no_restore{"no backup has " + name + ", and without the old log it can't be made up for"};
  }
  store_options options;
  options.folder = plan.scratch / name;
  options.follows = true;
  options.secrets = key;
  auto opened = partition_store::open(std::move(options));
  if (const auto* why = std::get_if<store_status>(&opened))
    throw no_restore{why->detail};
  auto store = std::get<std::unique_ptr<partition_store>>(std::move(opened));
  if (plan.old_log)
    follow(*store, partition, std::move(at), *plan.old_log, record_codec{key, found.uuid});
  return store;
}

cluster_identity make(const log_place& place, const std::string& name, const restore_plan& plan,
                      const std::shared_ptr<const secret_box>& key, const std::string& node_role) {
  const auto found = find_backups(plan);
  if (found.key_fingerprint != key->fingerprint())
    throw no_restore{"--secret-key-file: the backups need the key " + found.key_fingerprint + ", this is " +
                     key->fingerprint()};
  const auto partitions = plan.partitions == 0 ? found.partitions : plan.partitions;
  if (partitions != found.partitions)
    if (const auto why = split_complaint(found.partitions, partitions, data_folder::max_partitions);
        !why.empty())
      throw no_restore{"--partitions: " + why};
  if (plan.old_log) {
    const auto old = read_cluster(*plan.old_log);
    if (const auto* why = std::get_if<no_cluster>(&old))
      throw no_restore{"the old log: " + why->why};
    if (const auto& is = std::get<cluster_identity>(old); is.uuid != found.uuid)
      throw no_restore{"the old log is that of the cluster " + is.uuid + ", the backups are of " +
                       found.uuid};
  }
  std::vector<std::shared_ptr<const partition_store>> stores;
  for (std::uint32_t i = 0; i <= found.partitions; ++i)
    stores.push_back(put_together(plan, found, i, key));
  auto made = init_cluster(place, name, partitions, key, node_role, stores);
  if (auto* why = std::get_if<std::string>(&made))
    throw no_restore{std::move(*why)};
  return std::get<cluster_identity>(std::move(made));
}

} // namespace

std::variant<cluster_identity, std::string> restore_cluster(const log_place& place, const std::string& name,
                                                            const restore_plan& plan,
                                                            const std::shared_ptr<const secret_box>& key,
                                                            const std::string& node_role) {
  if (auto why = log_place_complaint(place))
    return *why;
  if (const auto status = make_private_folder(plan.scratch); !status.ok())
    return "--scratch: " + status.detail;
  std::variant<cluster_identity, std::string> result;
  try {
    result = make(place, name, plan, key, node_role);
  } catch (const no_restore& problem) {
    result = problem.why;
  }
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{plan.scratch, ignored})
    fs::remove_all(entry.path(), ignored);
  return result;
}

} // namespace vicket
