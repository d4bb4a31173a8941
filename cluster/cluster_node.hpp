#pragma once

#include "cluster/cluster_part.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace vicket {

/// Of a clock that goes on while the machine sleeps (CLOCK_BOOTTIME): leases are in its time.
[[nodiscard]] std::int64_t boot_ms();

/// A `cluster_part` on a thread of its own, with its tables in PostgreSQL.
class cluster_node {
public:
  struct setup {
    std::string conninfo;
    std::string schema;
    cluster_part::setup part; ///< without tables, clock and thread
  };

  explicit cluster_node(setup with);
  /// Ends the thread; calls nothing more. A partition that is still owned is found by the others as that of a node that has
  /// died.
  ~cluster_node();
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  /// See `cluster_part`. From any thread.
  void peer_is(std::string node, bool connected, std::string why);

  /// See `cluster_part`: made on the thread. From any thread; `done` is not called once this has ended.
  void checkpoint(std::uint32_t partition, std::filesystem::path to,
                  std::function<void(std::variant<std::uint64_t, store_status>)> done);

  /// Lets go of all that it owns, and claims nothing more. Waits for it, at most so long. False: it still owns some.
  [[nodiscard]] bool let_go(std::int64_t most_ms);

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
