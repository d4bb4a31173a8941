#include "storage/folder_split.hpp"

#include "policy/partitioning.hpp"
#include "storage/posix_file.hpp"
#include "storage/private_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace vicket {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t round_bytes = 16u << 20; // of all children of a parent together
constexpr std::size_t all_buffer_bytes = 64u << 20;

using store_ptr = std::unique_ptr<partition_store>;

std::variant<store_ptr, store_status> open_child(const fs::path& folder, std::size_t siblings) {
  store_options options;
  options.folder = folder;
  options.follows = true; // takes rounds that are not synced one by one, and writes none of its own
  options.write_buffer_bytes = all_buffer_bytes / siblings;
  options.block_cache_bytes = 0;
  return partition_store::open(std::move(options));
}

store_status split_partition(const data_folder& folder, const partition_split& how,
                             const partition_store& parent) {
  std::vector<store_ptr> children;
  for (auto number = how.parent; number < how.children; number += how.parents) {
    auto opened =
        open_child(data_folder::partition_in(folder.split_path(), number), how.children / how.parents);
    if (auto* why = std::get_if<store_status>(&opened))
      return std::move(*why);
    children.push_back(std::get<store_ptr>(std::move(opened)));
  }
  auto status = parent.split_as_rounds(
      parent.epoch(), round_bytes, how, [&](std::uint32_t child, const sealed_round& round) {
        return children[child / how.parents]->apply(round, partition_store::durability::unsynced);
      });
  for (auto child = children.begin(); status.ok() && child != children.end(); ++child)
    status = (*child)->flush(); // synced with it
  return status;
}

} // namespace

store_status split_folder(data_folder& folder, std::uint32_t partitions, const partition_options& options_of,
                          const std::shared_ptr<const secret_box>& secrets) {
  if (folder.partitions() == partitions)
    return {};
  const auto parents = folder.partitions();
  if (const auto why = split_complaint(parents, partitions, data_folder::max_partitions); !why.empty())
    return {store_errc::failed, why};
  if (auto status = make_private_folder(folder.split_path()); !status.ok())
    return status;
  auto status = store_status{};
  for (std::uint32_t i = 0; status.ok() && i < parents; ++i) {
    auto options = options_of(i);
    options.folder = folder.partition_path(i);
    options.secrets = secrets;
    auto opened = partition_store::open(std::move(options));
    if (auto* why = std::get_if<store_status>(&opened))
      status = std::move(*why);
    else
      status = split_partition(folder, {i, parents, partitions}, *std::get<store_ptr>(opened));
  }
  if (status.ok() && !sync_folder(folder.split_path()))
    status = {store_errc::failed,
              folder.split_path().string() + " can't be synced: " + std::generic_category().message(errno)};
  if (status.ok())
    return folder.take_split(partitions);
  auto error = std::error_code{};
  fs::remove_all(folder.split_path(), error); // else the next opening does
  return status;
}

} // namespace vicket
