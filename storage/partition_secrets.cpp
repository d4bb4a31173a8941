// What a partition's files have of secrets: sealed when an older format is taken over, sealed anew with another key, given
// back as the older format had them; and that what was there before is in no file any more.

#include "policy/connector_secrets.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/rocksdb_options.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/options.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace vicket {

namespace {

constexpr std::size_t chunk = 1'000; // connectors in one commit: about 1 MB

std::string sentence(const std::string& folder, std::string_view what) {
  return "partition " + folder + " " + std::string{what};
}

} // namespace

std::optional<connector> partition_store::rep::connector_of_any_format(const connector_id& id,
                                                                       std::string_view record) const {
  auto value = codec::decode_connector(id, record);
  // A taking over that was cut off has left some of each.
  if (value || stored_format > codec::format_with_plain_secrets)
    return value;
  value = codec::decode_plain_connector(id, record);
  if (value && options.secrets) {
    move_credentials(*value);
    seal_secrets(*value, *options.secrets);
  }
  return value;
}

store_status partition_store::rep::rewrite(
    std::string_view prefix,
    const std::function<store_status(write_batch&, std::string_view id, std::string_view record)>& visit) {
  auto end = std::string{prefix};
  ++end.back();
  auto it = range(family::meta, std::string{prefix}, end);
  auto batch = write_batch{};
  auto in_batch = std::size_t{0};
  for (; it.valid(); it.next()) {
    if (auto status = visit(batch, it.key().substr(prefix.size()), it.value()); !status.ok())
      return status;
    if (++in_batch < chunk)
      continue;
    if (auto status = commit(batch, last.settled_below); !status.ok())
      return status;
    batch.clear();
    in_batch = 0;
  }
  report_end(it, family::meta);
  if (!problem.ok())
    return problem;
  return in_batch == 0 ? store_status{} : commit(batch, last.settled_below);
}

// -- an older format --------------------------------------------------------------------------------------------------

store_status partition_store::rep::seal_connectors() {
  return rewrite(
      codec::connector_prefix,
      [this](write_batch& batch, std::string_view id, std::string_view record) -> store_status {
        const auto value = connector_of_any_format({std::string{id}}, record);
        if (!value)
          return {store_errc::corrupt,
                  sentence(folder, "is damaged: unreadable record of connector \"") + std::string{id} + "\""};
        if (!secrets_are_sealed(*value))
          return {store_errc::foreign,
                  sentence(folder, "has secrets in the clear, and there is no key to encrypt them with")};
        batch.put_connector(*value);
        return {};
      });
}

/// Once asked for it is done at every opening until it was done: what is in a log goes into tables, what is in a table of
/// connectors into another one, and RocksDB removes the files that were there, now or, after a crash, when it is opened.
store_status partition_store::rep::purge() {
  if (!get(family::meta, codec::purge_key))
    return problem;
  auto all = std::vector<rocksdb::ColumnFamilyHandle*>(columns.begin(), columns.end());
  auto status = db->Flush(rocksdb::FlushOptions{}, all);
  if (status.ok()) {
    auto how = rocksdb::CompactRangeOptions{};
    how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    status = db->CompactRange(how, column(family::meta), nullptr, nullptr);
  }
  if (!status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            sentence(folder, "can't be rewritten: ") + status.ToString()};
  auto batch = write_batch{};
  batch.rep_->remove(family::meta, codec::purge_key);
  return commit(batch, last.settled_below);
}

// -- another key ------------------------------------------------------------------------------------------------------

store_status partition_store::stage_rotation(const secret_box& to) {
  auto& own = *rep_;
  if (auto status = own.forget_rotation(); !status.ok())
    return status;
  auto first = write_batch{};
  first.rep_->put(family::meta, codec::rotating_key, to.fingerprint());
  if (auto status = own.commit(first, own.last.settled_below); !status.ok())
    return status;
  return own.rewrite(codec::connector_prefix,
                     [&](write_batch& batch, std::string_view id, std::string_view record) -> store_status {
                       auto value = codec::decode_connector({std::string{id}}, record);
                       if (!value || !reseal_secrets(*value, *own.options.secrets, to))
                         return {store_errc::corrupt, sentence(own.folder, "is damaged: connector \"") +
                                                          std::string{id} +
                                                          "\" can't be decrypted with the key " +
                                                          own.options.secrets->fingerprint()};
                       batch.rep_->put(family::meta, codec::rotated_key(value->id), codec::encode(*value));
                       return {};
                     });
}

store_status partition_store::rep::settle_rotation() {
  const auto staged = get(family::meta, codec::rotating_key);
  if (!staged || !options.secrets)
    return problem;
  if (to_view(*staged) != options.secrets->fingerprint())
    return forget_rotation();
  auto status = rewrite(codec::rotated_prefix,
                        [](write_batch& batch, std::string_view id, std::string_view record) -> store_status {
                          const auto key = connector_id{std::string{id}};
                          batch.rep_->put(family::meta, codec::connector_key(key), record);
                          batch.rep_->remove(family::meta, codec::rotated_key(key));
                          return {};
                        });
  if (!status.ok())
    return status;
  auto done = write_batch{};
  done.rep_->remove(family::meta, codec::rotating_key);
  done.rep_->put(family::meta, codec::purge_key, std::string_view{});
  return commit(done, last.settled_below);
}

store_status partition_store::rep::forget_rotation() {
  if (!get(family::meta, codec::rotating_key))
    return problem;
  auto status = rewrite(codec::rotated_prefix,
                        [](write_batch& batch, std::string_view id, std::string_view) -> store_status {
                          batch.rep_->remove(family::meta, codec::rotated_key({std::string{id}}));
                          return {};
                        });
  if (!status.ok())
    return status;
  auto done = write_batch{};
  done.rep_->remove(family::meta, codec::rotating_key);
  return commit(done, last.settled_below);
}

// -- back to the older format -----------------------------------------------------------------------------------------

store_status partition_store::export_plain(const std::filesystem::path& to) const {
  auto* made = static_cast<rocksdb::Checkpoint*>(nullptr);
  auto status = rocksdb::Checkpoint::Create(rep_->db.get(), &made);
  const auto checkpoint = std::unique_ptr<rocksdb::Checkpoint>{made};
  if (status.ok())
    status = checkpoint->CreateCheckpoint(to.string());
  if (!status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            sentence(rep_->folder, "can't be copied to ") + to.string() + ": " + status.ToString()};
  auto options = rep_->options;
  options.folder = to;
  options.budget = nullptr;
  auto copy = open(std::move(options));
  if (auto* why = std::get_if<store_status>(&copy))
    return std::move(*why);
  return std::get<std::unique_ptr<partition_store>>(copy)->rep_->lower_format();
}

store_status partition_store::rep::lower_format() {
  auto status = rewrite(
      codec::connector_prefix,
      [this](write_batch& batch, std::string_view id, std::string_view record) -> store_status {
        auto value = codec::decode_connector({std::string{id}}, record);
        if (!value || !options.secrets || !unseal_secrets(*value, *options.secrets))
          return {store_errc::corrupt,
                  sentence(folder, "has a connector that can't be decrypted: \"") + std::string{id} + "\""};
        if (!value->filter_json.empty()) // without it events would be sent that are not to be
          return {store_errc::failed,
                  sentence(folder, "has a connector with a filter, which that format does not know: "
                                   "take it out first, of \"") +
                      std::string{id} + "\""};
        batch.rep_->put(family::meta, codec::connector_key(value->id), codec::encode_plain(*value));
        return {};
      });
  if (!status.ok())
    return status;
  auto batch = write_batch{};
  batch.rep_->put(family::meta, codec::format_key, codec::encode_format(codec::format_with_plain_secrets));
  return commit(batch, last.settled_below);
}

} // namespace vicket
