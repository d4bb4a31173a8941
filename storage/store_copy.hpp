#pragma once

#include "storage/store_status.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vicket {

class store_environment;
struct store_options;

// A partition's store on its way to another node, file by file. The environment of both is the store's (`store_options`), and
// outlives them.

/// A checkpoint of a store (`partition_store::checkpoint`) that is read to be sent. Its folder goes with it.
class outgoing_copy {
public:
  struct file {
    std::string name;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] static std::variant<std::unique_ptr<outgoing_copy>, store_status>
  open(const std::filesystem::path& folder, store_environment* environment);
  /// A folder for folders of checkpoints, without what a process that has ended left there.
  [[nodiscard]] static store_status prepare_folder(const std::filesystem::path& folder,
                                                   store_environment* environment);

  virtual ~outgoing_copy() = default;
  [[nodiscard]] virtual const std::vector<file>& files() const = 0;
  /// From there on, at most so many bytes; fewer at the file's end only.
  [[nodiscard]] virtual std::variant<std::string, store_status> read(std::size_t which, std::uint64_t offset,
                                                                     std::size_t most) const = 0;
};

/// A copy that comes in, beside the store that it is to replace: in the folder `FOLDER.new`. What is there from a process
/// that has ended is removed, here or when the store is opened.
class incoming_copy {
public:
  /// `like`: of the store that it is to replace.
  [[nodiscard]] static std::variant<std::unique_ptr<incoming_copy>, store_status>
  begin(const store_options& like);

  virtual ~incoming_copy() = default; ///< what was not finished is removed
  /// A file of this name; then its bytes, in order. A name that no file of a checkpoint has is refused.
  [[nodiscard]] virtual store_status begin_file(std::string_view name) = 0;
  [[nodiscard]] virtual store_status append(std::string_view bytes) = 0;
  [[nodiscard]] virtual store_status end_file() = 0;
  /// All files are there: syncs them, opens them as a store, and says the position that it has. From now on it is what
  /// `partition_store::replace` takes.
  [[nodiscard]] virtual std::variant<std::string, store_status> finish() = 0;
};

} // namespace vicket
