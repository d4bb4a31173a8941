#include "storage/folder_secrets.hpp"

#include "storage/private_folder.hpp"

#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace vicket {

namespace {

namespace fs = std::filesystem;

using on_partition = std::function<store_status(partition_store&, std::uint32_t number)>;

store_status for_each_partition(const data_folder& folder, const partition_options& options_of,
                                const std::shared_ptr<const secret_box>& secrets, const on_partition& act) {
  for (std::uint32_t i = 0; i < folder.partitions(); ++i) {
    auto options = options_of(i);
    options.folder = folder.partition_path(i);
    options.secrets = secrets;
    auto opened = partition_store::open(std::move(options));
    if (auto* why = std::get_if<store_status>(&opened))
      return std::move(*why);
    if (auto status = act(*std::get<0>(opened), i); !status.ok())
      return status;
  }
  return {};
}

} // namespace

store_status open_all_partitions(const data_folder& folder, const partition_options& options_of,
                                 const std::shared_ptr<const secret_box>& secrets) {
  return for_each_partition(folder, options_of, secrets,
                            [](partition_store&, std::uint32_t) { return store_status{}; });
}

store_status rotate_secret_key(data_folder& folder, const partition_options& options_of,
                               const fs::path& old_key_file, const fs::path& new_key_file) {
  auto error = std::error_code{};
  if (!fs::exists(new_key_file, error) && !error) {
    // With a wrong old key none is made: somebody might take it for the folder's.
    const auto from = open_secret_box(folder, old_key_file);
    if (const auto* why = std::get_if<store_status>(&from))
      return *why;
    if (auto status = make_secret_key(new_key_file); !status.ok())
      return status;
  }
  auto key = read_secret_key(new_key_file);
  if (auto* why = std::get_if<store_status>(&key))
    return std::move(*why);
  const auto to = std::make_shared<const secret_box>(std::get<secret_bytes>(std::move(key)));
  if (folder.key_fingerprint() != to->fingerprint()) {
    const auto from = open_secret_box(folder, old_key_file);
    if (const auto* why = std::get_if<store_status>(&from))
      return *why;
    auto status =
        for_each_partition(folder, options_of, std::get<0>(from),
                           [&](partition_store& store, std::uint32_t) { return store.stage_rotation(*to); });
    if (status.ok())
      status = folder.take_key(to->fingerprint());
    if (!status.ok())
      return status;
  }
  return open_all_partitions(folder, options_of, to);
}

store_status export_without_key(const data_folder& folder, const partition_options& options_of,
                                const std::shared_ptr<const secret_box>& secrets, const fs::path& to) {
  if (auto status = make_private_folder(to); !status.ok())
    return status;
  auto status =
      for_each_partition(folder, options_of, secrets, [&](partition_store& store, std::uint32_t number) {
        return store.export_plain(data_folder::partition_in(to, number));
      });
  return status.ok() ? data_folder::mark_without_key(to, folder.partitions()) : status;
}

std::variant<std::size_t, store_status> count_rules(const data_folder& folder,
                                                    const partition_options& options_of,
                                                    const std::shared_ptr<const secret_box>& secrets) {
  const auto path = folder.settings_path();
  if (!path)
    return std::size_t{0};
  auto options = options_of(folder.partitions());
  options.folder = *path;
  options.secrets = secrets;
  auto opened = partition_store::open(std::move(options));
  if (auto* why = std::get_if<store_status>(&opened))
    return std::move(*why);
  return std::get<0>(opened)->settings()->count(setting_kind::rule);
}

} // namespace vicket
