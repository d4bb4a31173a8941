#include "apps/commands.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

#include <filesystem>

namespace vicket {

namespace {

constexpr std::chrono::hours longest{24 * 365}; // as long as it takes

} // namespace

int run_backup(const client_options& options, const std::string& folder) {
  if (!std::filesystem::path{folder}.is_absolute())
    return report_usage(folder +
                        " is no absolute path: it is the node that writes there, on its own machine");
  return ask_node<backup_made>(
      options, make_backup{folder},
      [&](const backup_made& made) {
        const auto out = terminal::standard();
        if (options.json)
          out.line(backup_made_to_json(made));
        else
          out.line("backup in " + out.paint(printable(made.folder), colour::bold) +
                   " on the node's machine: " + std::to_string(made.stores) + " stores, " +
                   std::to_string(made.files) + " files, " + std::to_string(made.bytes) +
                   " bytes. The key that its secrets need is not in it");
        out.flush();
        return exit_done;
      },
      longest);
}

} // namespace vicket
