#include "storage/log_scan.hpp"

#include "storage/store_files.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vicket {

namespace {

// A record's header: u32 masked CRC, u16 length, both little-endian, u8 type; the CRC is of type and payload.
constexpr std::size_t header_bytes = 7;
constexpr std::size_t length_offset = 4;
constexpr std::size_t type_offset = 6;

// All the types that we have it write, since logs are neither recycled nor compressed.
enum class fragment : std::uint8_t { none, full, first, middle, last };

constexpr std::size_t sector_bytes = 512; // no disk writes less at once

constexpr std::uint32_t mask_delta = 0xa282ead8;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  auto table = std::array<std::uint32_t, 256>{};
  for (auto i = std::uint32_t{0}; i < 256; ++i) {
    auto value = i;
    for (auto bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = value;
  }
  return table;
}

std::uint32_t crc32c_by_table(std::string_view bytes) noexcept {
  static constexpr auto table = make_crc_table();
  auto crc = ~std::uint32_t{0};
  for (const auto c : bytes)
    crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint8_t>(c)) & 0xff];
  return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes) noexcept {
  auto crc = std::uint64_t{0xffffffff};
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    auto word = std::uint64_t{0};
    __builtin_memcpy(&word, bytes.data(), 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto tail = static_cast<std::uint32_t>(crc);
  for (const auto c : bytes)
    tail = __builtin_ia32_crc32qi(tail, static_cast<std::uint8_t>(c));
  return ~tail;
}
#endif

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  auto value = std::uint32_t{0};
  for (auto i = count; i > 0; --i)
    value = (value << 8) | static_cast<std::uint8_t>(bytes[at + i - 1]);
  return value;
}

struct found_fragment {
  fragment type = fragment::none; ///< none: nothing valid
  std::size_t bytes = 0;          ///< with its header
};

/// The valid fragment that `bytes`, the rest of a block, begin with.
found_fragment fragment_of(std::string_view bytes) {
  if (bytes.size() < header_bytes)
    return {};
  const auto type = static_cast<std::uint8_t>(bytes[type_offset]);
  const auto length = little_endian(bytes, length_offset, 2);
  if (type < static_cast<std::uint8_t>(fragment::full) || type > static_cast<std::uint8_t>(fragment::last) ||
      length > bytes.size() - header_bytes)
    return {};
  const auto crc = crc32c(bytes.substr(type_offset, 1 + length));
  const auto masked = ((crc >> 15) | (crc << 17)) + mask_delta;
  if (masked != little_endian(bytes, 0, 4))
    return {};
  return {static_cast<fragment>(type), header_bytes + length};
}

bool begins_record(const found_fragment& found) {
  return found.type == fragment::full || found.type == fragment::first;
}

/// The same, found at a place where a fragment need not begin: only with what its writer keeps to. A whole record has a
/// least size, and a first fragment goes to the end of its block.
bool begins_record_anywhere(std::string_view bytes, std::size_t bytes_to_block_end,
                            std::size_t least_record_bytes) {
  const auto found = fragment_of(bytes);
  return found.type == fragment::full ? found.bytes >= header_bytes + least_record_bytes
                                      : found.type == fragment::first && found.bytes == bytes_to_block_end;
}

bool is_zeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

/// What is left of a full block when no header fits any more is filled with zeros.
bool is_padding(std::string_view rest, std::size_t block_size) {
  return block_size == log_scan::block_bytes && rest.size() < header_bytes && is_zeros(rest);
}

/// From `from` on there is a sector, or what lies behind `from` of one, that was never written.
bool has_zero_sector(std::string_view block, std::size_t from) {
  while (from < block.size()) {
    const auto end = std::min((from / sector_bytes + 1) * sector_bytes, block.size());
    if (is_zeros(block.substr(from, end - from)))
      return true;
    from = end;
  }
  return false;
}

/// An empty batch has the number of the next one.
std::uint64_t first_entry_of(std::string_view batch_header) {
  return std::uint64_t{little_endian(batch_header, 4, 4)} << 32 | little_endian(batch_header, 0, 4);
}

} // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
#ifdef __x86_64__
  static const auto has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction)
    return crc32c_by_instruction(bytes);
#endif
  return crc32c_by_table(bytes);
}

void log_scan::add_block(std::string_view block) {
  if (!record_behind_)
    read_fragments(block);
  offset_ += block.size();
}

void log_scan::read_fragments(std::string_view block) {
  auto at = std::size_t{0};
  while (at < block.size() && !is_padding(block.substr(at), block.size())) {
    const auto found = fragment_of(block.substr(at));
    const auto begins = begins_record(found);
    if (found.type == fragment::none) {
      if (!invalid_) {
        invalid_ = offset_ + at;
        // Not beyond a full block's end, where no fragment ends: such a length is none.
        cut_off_ = block.size() < block_bytes &&
                   (block.size() - at < header_bytes ||
                    at + header_bytes + little_endian(block.substr(at), length_offset, 2) > block.size());
      }
      look_behind_damage(block, at);
      return;
    }
    if (invalid_ || begins == in_record_) { // a record in the middle of another, or the middle of none
      if (!invalid_)
        invalid_ = begins ? whole_bytes_ : offset_ + at;
      if (begins) {
        record_behind_ = true;
        return;
      }
    }
    const auto payload = block.substr(at + header_bytes, found.bytes - header_bytes);
    at += found.bytes;
    if (invalid_)
      continue;
    if (begins)
      batch_header_.clear();
    batch_header_ += payload.substr(0, batch_header_bytes - batch_header_.size());
    in_record_ = found.type == fragment::first || found.type == fragment::middle;
    if (in_record_)
      continue;
    whole_bytes_ = offset_ + at;
    const auto is_empty_batch =
        found.type == fragment::full && found.bytes == header_bytes + batch_header_bytes;
    has_commits_ = has_commits_ || !is_empty_batch;
    if (batch_header_.size() < batch_header_bytes)
      continue;
    if (!first_entry_)
      first_entry_ = first_entry_of(batch_header_);
    last_entry_ = first_entry_of(batch_header_) + little_endian(batch_header_, 8, 4) - 1;
  }
}

/// Behind what is invalid the next fragment may begin anywhere in the block.
void log_scan::look_behind_damage(std::string_view block, std::size_t from) {
  zeros_ = zeros_ || has_zero_sector(block, from);
  for (auto at = from + 1; !record_behind_ && at < block.size(); ++at)
    record_behind_ = begins_record_anywhere(block.substr(at), block_bytes - at, least_record_bytes_);
}

log_scan::state log_scan::result() const {
  if (record_behind_)
    return state::damaged;
  if (!invalid_)
    return in_record_ ? state::unsynced_end : state::whole;
  return cut_off_ || zeros_ ? state::unsynced_end : state::damaged_last;
}

namespace {

struct scanned_log {
  std::string path;
  log_scan scan;
};

rocksdb::Status scan_log(rocksdb::Env& env, scanned_log& log) {
  auto file = std::unique_ptr<rocksdb::SequentialFile>{};
  auto status = env.NewSequentialFile(log.path, &file, rocksdb::EnvOptions{});
  auto buffer = std::vector<char>(log_scan::block_bytes);
  auto filled = std::size_t{0};
  for (auto at_end = false; status.ok() && !at_end;) {
    auto piece = rocksdb::Slice{};
    status = file->Read(buffer.size() - filled, &piece, buffer.data() + filled);
    if (piece.data() != buffer.data() + filled) // an environment may hand out its own memory
      std::copy_n(piece.data(), piece.size(), buffer.data() + filled);
    filled += piece.size();
    at_end = piece.empty();
    if (filled == buffer.size() || at_end) {
      log.scan.add_block({buffer.data(), filled});
      filled = 0;
    }
  }
  return status;
}

/// Either it happens or it does not, and the next start finds the same again.
rocksdb::Status cut_log(rocksdb::Env& env, const scanned_log& log) {
  const auto files = env.GetFileSystem();
  const auto options = rocksdb::IOOptions{};
  auto file = std::unique_ptr<rocksdb::FSWritableFile>{};
  auto status = files->ReopenWritableFile(log.path, rocksdb::FileOptions{}, &file, nullptr);
  if (status.ok())
    status = file->Truncate(log.scan.whole_bytes(), options, nullptr);
  if (status.ok())
    status = file->Fsync(options, nullptr);
  if (status.ok())
    status = file->Close(options, nullptr);
  return status;
}

std::string damage(const scanned_log& log, std::string_view what, std::string_view kind) {
  return "the " + std::string{kind} + " " + log.path + " is damaged at byte " +
         std::to_string(log.scan.damage_at()) + ", " + std::string{what};
}

store_status damaged(const scanned_log& log, std::string_view what, std::string_view kind = "log") {
  return {store_errc::corrupt, damage(log, what, kind) +
                                   ": acknowledged events would be lost, so nothing was opened or changed; "
                                   "keep the folder, and restore it from a backup"};
}

/// Of a copy: the cluster's log has what it had.
store_status damaged_copy(const scanned_log& log, std::string_view what) {
  return {store_errc::corrupt, damage(log, what, "log") +
                                   ": nothing was opened or changed; empty the data folder, "
                                   "and the node follows the cluster's log anew"};
}

store_status judge(const scanned_log& log, bool commits_behind) {
  switch (log.scan.result()) {
  case log_scan::state::whole:
    return {};
  case log_scan::state::unsynced_end:
    return commits_behind ? damaged(log, "with commits in a newer log") : store_status{};
  case log_scan::state::damaged_last:
    return damaged(log, "in its last record, which is complete and may have been acknowledged");
  case log_scan::state::damaged:
    break;
  }
  return damaged(log, "with intact records behind that");
}

std::string bytes_that_were_synced(std::uint64_t count) {
  return "of " + std::to_string(count) + " that were synced";
}

/// Of `synced` bytes, some are gone or damaged.
store_status cut_short(const scanned_log& log, std::uint64_t synced, std::string_view kind = "log") {
  return damaged(log, bytes_that_were_synced(synced), kind);
}

/// What `synced` says of a file; 0: nothing.
std::uint64_t known_of(const std::map<std::string, std::uint64_t>& synced, const std::string& path) {
  const auto found = synced.find(path.substr(path.rfind('/') + 1));
  return found == synced.end() ? 0 : found->second;
}

/// Oldest first: their names are numbers, of six digits or more.
std::vector<std::string> log_names(std::vector<std::string> names) {
  std::erase_if(names, [](const auto& name) { return !name.ends_with(".log"); });
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return names;
}

} // namespace

namespace {

/// All of a folder, oldest first.
store_status scan_logs(rocksdb::Env& env, const std::string& folder, std::vector<scanned_log>& logs) {
  auto names = std::vector<std::string>{};
  if (const auto status = env.GetChildren(folder, &names); status.IsNotFound())
    return {};
  else if (!status.ok())
    return {store_errc::failed, "can't list " + folder + ": " + status.ToString()};
  for (const auto& name : log_names(std::move(names))) {
    auto& log = logs.emplace_back(scanned_log{folder + "/" + name, log_scan{}});
    if (const auto status = scan_log(env, log); !status.ok())
      return {store_errc::failed, "can't read the log " + log.path + ": " + status.ToString()};
  }
  return {};
}

/// One that `synced` has and that is not there.
std::optional<scanned_log> missing_log(const std::string& folder, const std::vector<scanned_log>& logs,
                                       const std::map<std::string, std::uint64_t>& synced) {
  for (const auto& [name, bytes] : synced)
    if (auto path = folder + "/" + name;
        name.ends_with(".log") &&
        std::none_of(logs.begin(), logs.end(), [&](const auto& log) { return log.path == path; }))
      return scanned_log{std::move(path), log_scan{}};
  return std::nullopt;
}

constexpr std::string_view not_there = "since it is not there";

} // namespace

store_status mend_logs(rocksdb::Env& env, const std::string& folder,
                       const std::function<void(const std::string&)>& warn,
                       const std::map<std::string, std::uint64_t>& synced) {
  auto logs = std::vector<scanned_log>{};
  if (auto status = scan_logs(env, folder, logs); !status.ok())
    return status;
  if (const auto missing = missing_log(folder, logs, synced))
    return damaged(*missing, not_there);
  auto commits_behind = false;
  for (auto log = logs.rbegin(); log != logs.rend(); ++log) {
    if (auto status = judge(*log, commits_behind); !status.ok())
      return status;
    if (const auto known = known_of(synced, log->path); log->scan.whole_bytes() < known)
      return cut_short(*log, known);
    commits_behind = commits_behind || log->scan.has_commits();
  }
  for (const auto& log : logs) {
    if (log.scan.result() != log_scan::state::unsynced_end)
      continue;
    if (const auto status = cut_log(env, log); !status.ok())
      return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
              "can't cut off the unsynced end of the log " + log.path + ": " + status.ToString()};
    if (warn)
      warn("the log " + log.path +
           " ended in a commit that was cut off before it was acknowledged, as a "
           "crash or a full disk leaves it: removed from byte " +
           std::to_string(log.scan.whole_bytes()) + " on");
  }
  return {};
}

namespace {

/// The newest first, durably, so that those which are left are the oldest ones whenever that ends.
rocksdb::Status remove_logs(rocksdb::Env& env, const std::string& folder,
                            const std::vector<scanned_log>& logs, std::size_t from) {
  auto status = rocksdb::Status{};
  for (auto i = logs.size(); status.ok() && i > from; --i)
    status = env.DeleteFile(logs[i - 1].path);
  if (status.ok())
    status = sync_folder(*env.GetFileSystem(), folder);
  return status;
}

/// Of the log its whole beginning stays, or nothing; those that are newer go.
store_status cut_at(rocksdb::Env& env, const std::string& folder,
                    const std::function<void(const std::string&)>& warn, const std::vector<scanned_log>& logs,
                    std::size_t which, bool keep_beginning, const std::string& what) {
  const auto& log = logs[which];
  const auto first_gone = keep_beginning ? which + 1 : which;
  auto status = first_gone < logs.size() ? remove_logs(env, folder, logs, first_gone) : rocksdb::Status{};
  if (status.ok() && keep_beginning)
    status = cut_log(env, log);
  if (!status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            "can't cut off the unsynced end of the log " + log.path + ": " + status.ToString()};
  if (warn)
    warn(
        "the log " + log.path + " " + what +
        ", as a crash leaves what was not synced: that, and what came after it, was removed, and is followed "
        "again");
  return {};
}

} // namespace

store_status
cut_unsynced_logs(rocksdb::Env& env, const std::string& folder,
                  const std::function<void(const std::string&)>& warn,
                  const std::function<std::variant<std::uint64_t, store_status>()>& last_in_tables,
                  const std::map<std::string, std::uint64_t>& synced) {
  auto logs = std::vector<scanned_log>{};
  if (auto status = scan_logs(env, folder, logs); !status.ok())
    return status;
  if (const auto missing = missing_log(folder, logs, synced))
    return damaged_copy(*missing, not_there);
  for (const auto& log : logs)
    if (const auto known = known_of(synced, log.path); log.scan.whole_bytes() < known)
      return damaged_copy(log, bytes_that_were_synced(known));
  auto known_in_tables = std::optional<std::uint64_t>{};
  auto last = std::optional<std::uint64_t>{};
  /// Whether tables have anything behind `last`.
  const auto tables_are_ahead = [&](bool& answer) -> store_status {
    if (!known_in_tables) {
      const auto asked = last_in_tables();
      if (const auto* why = std::get_if<store_status>(&asked))
        return *why;
      known_in_tables = std::get<std::uint64_t>(asked);
    }
    answer = *known_in_tables > *last;
    return {};
  };
  for (auto i = std::size_t{0}; i < logs.size(); ++i) {
    const auto& scan = logs[i].scan;
    auto ahead = false;
    if (last && scan.first_entry() && *scan.first_entry() > *last + 1) {
      if (auto status = tables_are_ahead(ahead); !status.ok())
        return status;
      if (!ahead)
        return cut_at(env, folder, warn, logs, i, false, "does not go on where the one before it ends");
    }
    if (scan.last_entry())
      last = scan.last_entry();
    if (scan.result() == log_scan::state::whole)
      continue;
    const auto is_newest = i + 1 == logs.size();
    if (!last && !is_newest)
      return damaged_copy(logs[i], "in its first record, which was synced");
    if (last) // else it is the newest alone, of which no table has anything
      if (auto status = tables_are_ahead(ahead); !status.ok())
        return status;
    if (ahead)
      return damaged_copy(logs[i], "in what was synced, since tables have what came after it");
    return cut_at(env, folder, warn, logs, i, true,
                  "is not whole from byte " + std::to_string(scan.whole_bytes()) + " on");
  }
  return {};
}

std::map<std::string, std::uint64_t> whole_log_bytes(rocksdb::Env& env, const std::string& folder) {
  auto names = std::vector<std::string>{};
  auto result = std::map<std::string, std::uint64_t>{};
  if (!env.GetChildren(folder, &names).ok())
    return result;
  for (const auto& name : log_names(std::move(names))) {
    auto log = scanned_log{folder + "/" + name, log_scan{}};
    if (scan_log(env, log).ok())
      result.emplace(name, log.scan.whole_bytes());
  }
  return result;
}

store_status mend_manifest(rocksdb::Env& env, const std::string& folder,
                           const std::function<void(const std::string&)>& warn,
                           const std::map<std::string, std::uint64_t>& synced) {
  auto name = std::string{};
  if (const auto status = rocksdb::ReadFileToString(&env, folder + "/CURRENT", &name); status.IsNotFound())
    return {};
  else if (!status.ok())
    return {store_errc::failed, "can't read " + folder + "/CURRENT: " + status.ToString()};
  while (name.ends_with('\n'))
    name.pop_back();
  auto manifest = scanned_log{folder + "/" + name, log_scan{log_scan::least_edit_bytes}};
  // What is in CURRENT is RocksDB's to judge.
  if (!name.starts_with("MANIFEST-") || env.FileExists(manifest.path).IsNotFound())
    return {};
  if (const auto status = scan_log(env, manifest); !status.ok())
    return {store_errc::failed, "can't read the manifest " + manifest.path + ": " + status.ToString()};
  const auto at = manifest.scan.whole_bytes();
  if (const auto known = known_of(synced, manifest.path);
      at < known && manifest.scan.result() != log_scan::state::damaged)
    return cut_short(manifest, known, "manifest");
  switch (manifest.scan.result()) {
  case log_scan::state::whole:
    return {};
  case log_scan::state::damaged:
    return damaged(manifest, "with intact records behind that", "manifest");
  case log_scan::state::damaged_last:
    return damaged(manifest, "in its last record, which is complete and may have been synced", "manifest");
  case log_scan::state::unsynced_end:
    if (at == 0) // CURRENT named it when its beginning was synced
      return damaged(manifest, "before its first whole record", "manifest");
    break;
  }
  if (const auto status = cut_log(env, manifest); !status.ok())
    return {status.IsNoSpace() ? store_errc::full : store_errc::failed,
            "can't cut off the unsynced end of the manifest " + manifest.path + ": " + status.ToString()};
  if (warn)
    warn("the manifest " + manifest.path +
         " ended in an edit that was cut off before it was synced, as a crash or a full disk leaves it: "
         "removed from "
         "byte " +
         std::to_string(at) + " on");
  return {};
}

} // namespace vicket
