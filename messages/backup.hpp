#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <string>

namespace vicket {

/// Has the node that is asked copy what it has to a folder on its own machine.
struct make_backup {
  static constexpr std::size_t max_path_bytes = 4'096;

  std::string folder; ///< an absolute path

  template <class Inspector>
  friend bool inspect(Inspector& f, make_backup& x) {
    return f.object(x).fields(f.field("folder", x.folder));
  }
};

/// It is there, whole and synced.
struct backup_made {
  std::string folder; ///< on the node's machine
  timestamp_ms made_at;
  std::uint32_t stores = 0; ///< of partitions, `settings` among them
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, backup_made& x) {
    return f.object(x).fields(f.field("folder", x.folder), f.field("made_at", x.made_at),
                              f.field("stores", x.stores), f.field("files", x.files),
                              f.field("bytes", x.bytes));
  }
};

} // namespace vicket
