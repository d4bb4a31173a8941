#pragma once

#include "apps/node_config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace vicket {

using log_line = std::function<void(const std::string&)>;

/// What `vicketd` does to a data folder instead of running a node (`--rotate-secret-key`, `--export-format`, `--restore`, `--split`): a line that
/// says what was done, or why not. Absent: it is to run a node.
struct folder_command_result {
  bool done = false;
  std::string line;
};
[[nodiscard]] std::optional<folder_command_result> run_folder_command(const node_config& config,
                                                                      const log_line& warn);

/// Why backups can't be made there: it is no folder, or in the data folder. Absent: they can.
[[nodiscard]] std::optional<std::string> backup_root_complaint(const node_config& config);

/// Takes over a folder of the format that had secrets in the clear: encrypts them, and removes what was. True: there was
/// one, and this process has had its secrets in its memory; false: there is nothing to do. Or why it can't be done.
[[nodiscard]] std::variant<bool, std::string> take_over_folder(const node_config& config,
                                                               const log_line& warn);

} // namespace vicket
