// Opening a partition: refuse what is damaged, foreign or locked, then recover what a crash left.

#include "storage/checkpoint_files.hpp"
#include "storage/log_scan.hpp"
#include "storage/partition_store_rep.hpp"
#include "storage/rocksdb_options.hpp"
#include "storage/store_files.hpp"
#include "storage/synced_lengths.hpp"
#include "storage/write_batch_rep.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace vicket {

namespace {

constexpr std::size_t recovery_chunk = 10'000; // events put into the due index by one commit: about 1 MB

std::string sentence(const std::string& folder, std::string_view what) {
  return "partition " + folder + " " + std::string{what};
}

} // namespace

store_status partition_store::rep::open() {
  folder = options.folder.string();
  env = make_store_files(options.environment != nullptr ? options.environment->env()
                                                        : *rocksdb::Env::Default());
  using step = store_status (rep::*)();
  const auto follower_steps =
      std::vector<step>{&rep::open_database, &rep::check_format, &rep::load_state, &rep::check_follower};
  const auto own_steps =
      std::vector<step>{&rep::open_database, &rep::check_format,    &rep::load_state, &rep::index_unattempted,
                        &rep::raise_format,  &rep::settle_rotation, &rep::purge};
  const auto& steps = options.follows ? follower_steps : own_steps;
  if (!options.budget)
    options.budget = std::make_shared<space_budget>();
  auto status = options.follows ? settle() : store_status{};
  if (status.ok())
    status = check_folder();
  for (auto next = steps.begin(); status.ok() && next != steps.end(); ++next)
    status = (this->**next)();
  if (status.code == store_errc::full)
    status.detail = sentence(folder, "can't be opened, the disk is full: free some space, then start again; "
                                     "nothing is lost (") +
                    status.detail + ")";
  return status;
}

/// Before RocksDB touches anything: it would make a new, empty database where CURRENT is missing, and drop a
/// damaged log's end.
store_status partition_store::rep::check_folder() const {
  if (const auto status = env->CreateDirIfMissing(folder); !status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            sentence(folder, "can't be created: ") + status.ToString()};
  auto names = std::vector<std::string>{};
  if (const auto status = env->GetChildren(folder, &names); !status.ok())
    return {store_errc::failed, sentence(folder, "can't be listed: ") + status.ToString()};
  if (is_cut_off_copy(names))
    return {store_errc::corrupt,
            sentence(folder,
                     "is a copy that was cut off (it has a file INCOMPLETE): remove the folder, and make "
                     "the copy again")};
  const auto has_current = std::find(names.begin(), names.end(), "CURRENT") != names.end();
  const auto is_content = [](const std::string& name) {
    return name.ends_with(".sst") || name.ends_with(".log");
  };
  if (const auto found = std::find_if(names.begin(), names.end(), is_content);
      !has_current && found != names.end())
    return {store_errc::corrupt, sentence(folder, "has no file CURRENT, but ") + *found +
                                     ": it was there once; keep the folder, and restore it from a backup"};
  if (!has_current)
    return {};
  const auto synced = read_synced_lengths(*env, folder).value_or(synced_lengths{});
  if (auto mended = mend_manifest(*env, folder, options.log_warning, synced); !mended.ok())
    return mended;

  auto found_families = std::vector<std::string>{};
  const auto status = rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions{database_options(options, *env)},
                                                      folder, &found_families);
  if (!status.ok())
    return {store_errc::corrupt,
            sentence(folder, "is damaged: ") + status.ToString() +
                " (CURRENT or the manifest that it names); keep the folder, and restore it "
                "from a backup"};
  for (const auto& name : found_families)
    if (std::find(family_names.begin(), family_names.end(), name) == family_names.end())
      return {store_errc::foreign,
              sentence(folder, "has a column family \"") + name +
                  "\" that this program does not know: written by another program, or by a newer "
                  "vicketd"};
  if (auto mended = options.follows
                        ? cut_unsynced_logs(
                              *env, folder, options.log_warning, [this] { return last_in_tables(); }, synced)
                        : mend_logs(*env, folder, options.log_warning, synced);
      !mended.ok())
    return mended;
  if (const auto removed = remove_synced_lengths(*env->GetFileSystem(), folder); !removed.ok())
    return {removed.IsNoSpace() ? store_errc::full : store_errc::failed,
            sentence(folder, "can't be opened: ") + removed.ToString()};
  return {};
}

/// Without changing anything: the database is opened to be read, whatever its logs look like.
std::variant<std::uint64_t, store_status> partition_store::rep::last_in_tables() const {
  auto settings = database_options(options, *env);
  settings.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  const auto no_filters = std::vector<std::unique_ptr<retention_filter>>(family_count);
  auto handles = std::vector<rocksdb::ColumnFamilyHandle*>{};
  auto* opened = static_cast<rocksdb::DB*>(nullptr);
  const auto status = rocksdb::DB::OpenForReadOnly(settings, folder, family_options(options, no_filters, {}),
                                                   &handles, &opened);
  if (!status.ok())
    return store_status{status.IsCorruption() ? store_errc::corrupt : store_errc::failed,
                        sentence(folder, "can't be read: ") + status.ToString()};
  const auto database = std::unique_ptr<rocksdb::DB>{opened};
  auto tables = std::vector<rocksdb::LiveFileMetaData>{};
  database->GetLiveFilesMetaData(&tables);
  auto newest = std::uint64_t{0};
  for (const auto& table : tables)
    newest = std::max(newest, table.largest_seqno);
  for (auto* const handle : handles)
    database->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  return newest;
}

store_status partition_store::rep::open_database() {
  filters.clear();
  for (auto i = std::size_t{0}; i < family_count; ++i) {
    const auto which = static_cast<family>(i);
    const auto is_filtered = which != family::meta && which != family::due && which != family::late;
    filters.push_back(is_filtered ? std::make_unique<retention_filter>(
                                        which, oldest_kept, marks,
                                        [this](log_sequence event) { return is_dropped_for_filter(event); })
                                  : nullptr);
  }
  auto handles = std::vector<rocksdb::ColumnFamilyHandle*>{};
  auto* opened = static_cast<rocksdb::DB*>(nullptr);
  auto settings = database_options(options, *env);
  settings.listeners.push_back(std::make_shared<background_watch>(
      [this](const rocksdb::Status& status) { failed_in_background(status); }));
  const auto status =
      rocksdb::DB::Open(settings, folder, family_options(options, filters, marks), &handles, &opened);
  if (status.IsCorruption())
    return {store_errc::corrupt, sentence(folder, "is damaged: ") + status.ToString() +
                                     "; keep the folder, and restore it from a backup"};
  if (status.IsNoSpace())
    return {store_errc::full, status.ToString()};
  if (!status.ok()) {
    const auto text = status.ToString();
    const auto is_lock = text.find("LOCK") != std::string::npos || text.find("lock ") != std::string::npos;
    return {is_lock ? store_errc::locked : store_errc::failed,
            sentence(folder, is_lock ? "is in use: " : "can't be opened: ") + text};
  }
  db.reset(opened);
  std::copy(handles.begin(), handles.end(), columns.begin());
  for (auto i = std::size_t{0}; i < family_count; ++i)
    if (columns[i]->GetID() != i)
      return {store_errc::foreign, sentence(folder, "has its column families in another order than ours")};
  {
    const auto guard = std::unique_lock{look_up_mutex};
    may_look_up = true;
  }
  return sync_removals();
}

/// Of the logs that were recovered. One that came back beside a newer log with commits would have to be whole (see
/// log_scan.hpp).
store_status partition_store::rep::sync_removals() const {
  const auto status = sync_folder(*env->GetFileSystem(), folder);
  return status.ok()
             ? store_status{}
             : store_status{store_errc::failed, sentence(folder, "can't be synced: ") + status.ToString()};
}

store_status partition_store::rep::check_format() {
  const auto stored = get(family::meta, codec::format_key);
  if (!problem.ok())
    return problem;
  if (!stored) {
    for (auto i = std::size_t{0}; i < family_count; ++i) {
      auto it = range(static_cast<family>(i), std::string(1, '\0'), std::string(64, '\xff'));
      if (it.valid() || !it.status().ok())
        return {store_errc::foreign, sentence(folder, "is a RocksDB, but none of ours: it has no format")};
    }
    auto batch = write_batch{};
    batch.rep_->put(family::meta, codec::format_key, codec::encode_format(codec::format_version));
    stored_format = codec::format_version;
    return commit(batch, 1);
  }
  const auto format = codec::decode_format(to_view(*stored));
  if (!format)
    return {store_errc::foreign, sentence(folder, "is a RocksDB, but none of ours: its format is unknown")};
  if (*format < codec::oldest_format_version)
    return {store_errc::foreign, sentence(folder, "has format ") + std::to_string(*format) +
                                     ", older than this program's " +
                                     std::to_string(codec::oldest_format_version) +
                                     " and of no release: start with an empty folder"};
  if (*format > codec::format_version)
    return {store_errc::foreign, sentence(folder, "has format ") + std::to_string(*format) +
                                     ", newer than this program's " + std::to_string(codec::format_version) +
                                     ": use a newer vicketd"};
  stored_format = *format;
  return {};
}

/// Whatever its own opening would write is no round of the cluster's log.
store_status partition_store::rep::check_follower() {
  if (stored_format == codec::format_version)
    return problem;
  return {store_errc::foreign,
          sentence(folder, "has format ") + std::to_string(stored_format) +
              " of an older vicketd, and belongs to a cluster: empty the folder, and the node follows anew"};
}

/// Last of all, so that what can't be opened stays as it was; and before anything of today's format is written.
store_status partition_store::rep::raise_format() {
  if (stored_format == codec::format_version)
    return problem;
  if (auto status = seal_connectors(); !status.ok())
    return status;
  auto batch = write_batch{};
  batch.rep_->put(family::meta, codec::format_key, codec::encode_format(codec::format_version));
  batch.rep_->put(family::meta, codec::purge_key, std::string_view{});
  if (stored_format < codec::first_format_with_accounts)
    batch.put_counted(last.next_sequence); // what was written before has no accounts
  return commit(batch, last.settled_below);
}

store_status partition_store::rep::load_state() {
  const auto damaged = [this](std::string_view key) {
    return store_status{store_errc::corrupt,
                        sentence(folder, "is damaged: no valid \"") + std::string{key} + "\""};
  };
  const auto stored = get(family::meta, codec::commit_key);
  const auto record = stored ? codec::decode_commit(to_view(*stored)) : std::nullopt;
  if (!record) // check_format() made the first one together with the format
    return damaged(codec::commit_key);
  if (record->epoch > options.epoch && !options.follows)
    return {store_errc::foreign, sentence(folder, "was written in epoch ") + std::to_string(record->epoch) +
                                     ", by an owner newer than this one's " + std::to_string(options.epoch)};
  last = *record;
  next_sequence = record->next_sequence;
  committed_end = record->next_sequence - 1;
  settled_below = record->settled_below;
  oldest_kept = record->oldest_kept;
  if (options.follows)
    options.epoch = record->epoch;
  else if (auto status = load_lineage(); !status.ok())
    return status;
  auto status = load_marks();
  if (status.ok())
    status = load_settings();
  return status.ok() ? check_connectors() : status;
}

store_status partition_store::rep::load_lineage() {
  lineage = {}; // of an earlier ownership that wrote nothing there may be an entry that nobody has stored
  if (const auto known = get(family::meta, codec::lineage_key)) {
    const auto value = codec::decode_lineage(to_view(*known));
    if (!value || value->entries().back().from >= last.next_sequence)
      return {store_errc::corrupt,
              sentence(folder, "is damaged: no valid \"") + std::string{codec::lineage_key} + "\""};
    lineage = *value;
  }
  const auto stored_lineage = lineage;
  const auto lost = get(family::meta, codec::lost_key);
  lineage.begin(last.next_sequence, options.lineage_tag,
                lost ? codec::parse_u64(to_view(*lost)).value_or(0) : 0);
  lineage_stored = lineage == stored_lineage;
  return problem;
}

store_status partition_store::rep::load_marks() {
  auto it = range(family::meta, std::string{codec::history_prefix}, "history0");
  for (; it.valid(); it.next()) {
    const auto account = codec::parse_history_key(it.key());
    const auto value = codec::decode_account(it.value());
    if (!account || !value)
      return {store_errc::corrupt, sentence(folder, "is damaged: unreadable account of the history")};
    marks.set(*account, {value->answers_from, value->attempts_from});
  }
  if (const auto stored = get(family::meta, codec::dropped_key)) {
    auto known = codec::decode_drops(to_view(*stored));
    if (!known)
      return {store_errc::corrupt, sentence(folder, "is damaged: it can't be read what its feed is missing")};
    const auto guard = std::lock_guard{drops_mutex};
    drops = *std::move(known);
  }
  report_end(it, family::meta);
  return problem;
}

store_status partition_store::rep::load_settings() {
  std::vector<settings_snapshot::change> found;
  auto it = range(family::meta, std::string{codec::setting_prefix}, std::string{codec::setting_end});
  for (; it.valid(); it.next()) {
    const auto key = codec::parse_setting_key(it.key());
    if (!key)
      return {store_errc::corrupt, sentence(folder, "is damaged: it has a setting without a name")};
    found.push_back({*key, std::make_shared<const setting>(setting{*key, std::string{it.value()}})});
  }
  report_end(it, family::meta);
  if (problem.ok() && !found.empty()) {
    const auto guard = std::lock_guard{settings_mutex};
    all_settings = settings_snapshot::none()->with(found);
  }
  return problem;
}

/// A connector that can't be read would leave its events undelivered: better to say so at once.
store_status partition_store::rep::check_connectors() const {
  auto it = range(family::meta, std::string{codec::connector_prefix}, "connector0");
  for (; it.valid(); it.next())
    if (!connector_of_any_format({}, it.value()))
      return {store_errc::corrupt,
              sentence(folder, "is damaged: unreadable record \"") + std::string{it.key()} + "\""};
  report_end(it, family::meta);
  return problem;
}

/// Events and the index of their attempts are in the same order, so one pass over both finds those without
/// any.
store_status partition_store::rep::visit_unattempted(
    const std::function<store_status(const connector_id&, due_position)>& visit) {
  const auto upper = codec::u64_bytes(std::numeric_limits<log_sequence>::max());
  auto event = range(family::events, codec::u64_bytes(last.settled_below), upper, true);
  auto attempt = range(family::event_attempts, codec::u64_bytes(last.settled_below), upper, true);
  for (; event.valid(); event.next()) {
    while (attempt.valid() && attempt.key().substr(0, 8) < event.key())
      attempt.next();
    if (attempt.valid() && attempt.key().substr(0, 8) == event.key())
      continue;
    const auto sequence = codec::parse_u64(event.key());
    const auto value = sequence ? codec::decode_event(*sequence, event.value(), false) : std::nullopt;
    if (!value || *sequence >= last.next_sequence)
      return {store_errc::corrupt,
              sentence(folder, "is damaged: unreadable event ") + std::to_string(sequence.value_or(0))};
    if (auto status = visit(value->connector, {value->accepted_at, *sequence}); !status.ok())
      return status;
  }
  report_end(event, family::events);
  report_end(attempt, family::event_attempts);
  return problem;
}

store_status partition_store::rep::index_unattempted() {
  auto batch = write_batch{};
  auto in_batch = std::size_t{0};
  auto status = visit_unattempted([&](const connector_id& connector, due_position at) -> store_status {
    batch.index_waiting(connector, at);
    if (++in_batch < recovery_chunk)
      return {};
    auto committed = commit(batch, last.settled_below);
    batch.clear();
    in_batch = 0;
    return committed;
  });
  if (!status.ok())
    return status;
  // Nothing to say when nothing happened since: a node that restarts in a loop must not fill its disk by
  // that.
  return in_batch == 0 && last.settled_below == last.next_sequence && last.epoch == options.epoch
             ? store_status{}
             : commit(batch, last.next_sequence);
}

} // namespace vicket
