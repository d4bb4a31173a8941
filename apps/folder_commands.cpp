#include "apps/folder_commands.hpp"

#include "actors/system_adapters.hpp"
#include "policy/rfc3339.hpp"
#include "policy/secret_box.hpp"
#include "storage/backup.hpp"
#include "storage/folder_secrets.hpp"
#include "storage/folder_split.hpp"
#include "storage/secret_key.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

namespace vicket {

namespace {

using opened_folder = std::variant<std::unique_ptr<data_folder>, std::string>;

/// One that is there: none is made.
opened_folder open_existing(const node_config& config) {
  std::error_code error;
  if (!std::filesystem::exists(config.data_dir / "VICKET", error))
    return "data folder " + config.data_dir.string() +
           " has no file VICKET: it is none of ours, or not there";
  auto folder = data_folder::open(config.data_dir, 1);
  if (const auto* why = std::get_if<store_status>(&folder))
    return why->detail;
  return std::get<0>(std::move(folder));
}

partition_options options_with(const log_line& warn) {
  return [warn, random = std::make_shared<system_random>()](std::uint32_t) {
    store_options options;
    options.lineage_tag = static_cast<std::uint32_t>(random->next());
    options.log_warning = warn;
    return options;
  };
}

folder_command_result result_of(const store_status& status, const std::string& done) {
  return status.ok() ? folder_command_result{true, done} : folder_command_result{false, status.detail};
}

folder_command_result rotate(data_folder& folder, const node_config& config, const log_line& warn) {
  const auto status = rotate_secret_key(folder, options_with(warn), config.secret_key_file, config.rotate_to);
  return result_of(status, "secrets are encrypted with the key " + folder.key_fingerprint().value_or("") +
                               " now: start with --secret-key-file " + config.rotate_to.string() +
                               ", or put it in the place of the old one. Copies of the folder from before "
                               "still need the old one");
}

bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::error_code error;
  const auto inner = std::filesystem::weakly_canonical(path, error);
  const auto outer = std::filesystem::weakly_canonical(folder, error);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// Of what that format has no place for. Nothing is sent wrongly without it: a program of that format refuses triggers.
std::string left_out_text(std::size_t rules) {
  return rules == 0 ? ""
                    : std::to_string(rules) + (rules == 1 ? " rule is" : " rules are") +
                          " left out, since the version before has none, and refuses events without a "
                          "connector: keep "
                          "this folder, or what `vicket rule list --json` shows of it. ";
}

folder_command_result export_folder(data_folder& folder, const node_config& config, const log_line& warn) {
  if (is_within(config.export_to, config.data_dir))
    return {false, config.export_to.string() +
                       " is in the data folder, where its secrets in the clear would stay: "
                       "name a folder elsewhere"};
  const auto secrets = open_secret_box(folder, config.secret_key_file);
  if (const auto* why = std::get_if<store_status>(&secrets))
    return {false, why->detail};
  const auto rules = count_rules(folder, options_with(warn), std::get<0>(secrets));
  if (const auto* why = std::get_if<store_status>(&rules))
    return {false, why->detail};
  const auto status = export_without_key(folder, options_with(warn), std::get<0>(secrets), config.export_to);
  return result_of(
      status,
      left_out_text(std::get<std::size_t>(rules)) +
          "a copy of format 1, with its secrets in the clear, is in " + config.export_to.string() +
          ". Its secret headers are ordinary headers, and stay that when a newer version takes it "
          "over, but for Authorization, Proxy-Authorization and Cookie: put those connectors again then");
}

folder_command_result split(data_folder& folder, const node_config& config, const log_line& warn) {
  const auto name = config.data_dir.string();
  if (folder.cluster())
    return {false, "data folder " + name +
                       " belongs to a cluster, which has as many partitions as it was made with: begin "
                       "another one with a backup"};
  if (folder.format() != data_folder::format_version)
    return {false,
            "data folder " + name + " is of an older vicketd: start and stop this version's on it once"};
  const auto secrets = open_secret_box(folder, config.secret_key_file);
  if (const auto* why = std::get_if<store_status>(&secrets))
    return {false, why->detail};
  const auto before = folder.partitions();
  if (before == config.split_into)
    return {true, "data folder " + name + " has " + std::to_string(before) + " partitions already"};
  const auto status = split_folder(folder, config.split_into, options_with(warn), std::get<0>(secrets));
  return result_of(status, "data folder " + name + " has " + std::to_string(config.split_into) +
                               " partitions now, made of " + std::to_string(before) +
                               ": start the node as before, cursors go on");
}

folder_command_result restore(const node_config& config) {
  const auto file = config.secret_key_file.empty() ? config.data_dir / "secret.key" : config.secret_key_file;
  const auto read = read_backup(config.restore_from);
  if (const auto* why = std::get_if<store_status>(&read))
    return {false, "nothing was restored: " + why->detail};
  const auto& fingerprint = std::get<backup_manifest>(read).key_fingerprint;
  std::error_code error;
  const bool has_key = std::filesystem::exists(file, error);
  if (has_key) {
    auto key = read_secret_key(file);
    if (const auto* why = std::get_if<store_status>(&key))
      return {false, "nothing was restored: " + why->detail};
    if (const auto found = secret_box{std::get<secret_bytes>(std::move(key))}.fingerprint();
        found != fingerprint)
      return {false, "nothing was restored: the secrets in the backup need the key " + fingerprint +
                         ", and " + file.string() + " is the key " + found};
  }
  const auto made = restore_folder(config.restore_from, config.data_dir);
  if (const auto* why = std::get_if<store_status>(&made))
    return {false, "nothing was restored: " + why->detail};
  const auto& is = std::get<backup_manifest>(made);
  return {true,
          config.data_dir.string() + " is what the node had at " + format_rfc3339(is.made_at) + ", " +
              std::to_string(is.partitions) + (is.partitions == 1 ? " partition" : " partitions") +
              (has_key ? ""
                       : ". Its secrets need the key " + fingerprint + ", which no backup has: put it at " +
                             file.string() + " before you start a node")};
}

} // namespace

std::optional<folder_command_result> run_folder_command(const node_config& config, const log_line& warn) {
  if (!config.restore_from.empty())
    return restore(config);
  if (config.rotate_to.empty() && config.export_to.empty() && config.split_into == 0)
    return std::nullopt;
  auto opened = open_existing(config);
  if (auto* why = std::get_if<std::string>(&opened))
    return folder_command_result{false, std::move(*why)};
  auto& folder = *std::get<0>(opened);
  if (config.split_into != 0)
    return split(folder, config, warn);
  return config.rotate_to.empty() ? export_folder(folder, config, warn) : rotate(folder, config, warn);
}

std::optional<std::string> backup_root_complaint(const node_config& config) {
  std::error_code error;
  if (config.backup_root.empty())
    return std::nullopt;
  if (!std::filesystem::is_directory(config.backup_root, error))
    return "--backup-root: " + config.backup_root.string() +
           " is no folder: make one, which this user may write to";
  if (is_within(config.backup_root, config.data_dir))
    return "--backup-root: " + config.backup_root.string() +
           " is in the data folder, and backups would go with it: name a folder elsewhere";
  return std::nullopt;
}

std::variant<bool, std::string> take_over_folder(const node_config& config, const log_line& warn) {
  std::error_code error;
  if (!std::filesystem::exists(config.data_dir / "VICKET", error))
    return false;
  auto opened = open_existing(config);
  if (auto* why = std::get_if<std::string>(&opened))
    return std::move(*why);
  auto& folder = *std::get<0>(opened);
  if (folder.format() != data_folder::format_without_key)
    return false;
  const auto secrets = open_secret_box(folder, config.secret_key_file);
  if (const auto* why = std::get_if<store_status>(&secrets))
    return why->detail;
  const auto status = open_all_partitions(folder, options_with(warn), std::get<0>(secrets));
  if (!status.ok())
    return status.detail;
  return true;
}

} // namespace vicket
