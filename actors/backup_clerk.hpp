#pragma once

#include "actors/interfaces.hpp"
#include "policy/schedule_clock.hpp"
#include "storage/backup.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace vicket {

/// Makes backups, one after the other, on a thread of its own. A partition's writer waits only while hard links are made of its
/// tables, and its last log is copied.
class backup_clerk {
public:
  using handle = backup_clerk_actor;

  static constexpr auto name = "backup_clerk";

  struct setup {
    std::filesystem::path root; ///< backups are made directly below it only; empty: none are made
    std::filesystem::path data_dir;
    std::vector<backed_up_store> stores;
    bool clustered = false;                          ///< of the stores only those count that follow a log
    backup_manifest about;                           ///< what is the same for all
    const schedule_clock* clock = nullptr;           ///< outlives the actor
    std::shared_ptr<const std::atomic<bool>> ending; ///< the node is, and a backup under way with it
  };

  backup_clerk(handle::pointer self, setup with);

  handle::behavior_type make_behavior();

private:
  caf::result<backup_made> make(const make_backup& request) const;

  setup with_;
};

/// Where a backup goes that is asked for at `asked`, a folder directly below `root`; or why not. What is there is not looked at.
[[nodiscard]] std::variant<std::filesystem::path, refusal> place_of_backup(const std::filesystem::path& root,
                                                                           const std::string& asked);

} // namespace vicket
