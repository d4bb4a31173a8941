#include "apps/folder_commands.hpp"

#include "actors/system_adapters.hpp"
#include "storage/folder_secrets.hpp"

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

} // namespace

std::optional<folder_command_result> run_folder_command(const node_config& config, const log_line& warn) {
  if (config.rotate_to.empty() && config.export_to.empty())
    return std::nullopt;
  auto opened = open_existing(config);
  if (auto* why = std::get_if<std::string>(&opened))
    return folder_command_result{false, std::move(*why)};
  auto& folder = *std::get<0>(opened);
  return config.rotate_to.empty() ? export_folder(folder, config, warn) : rotate(folder, config, warn);
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
