#pragma once

#include "cluster/member_table.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vicket {

/// The table of copies as a node sees it, and what it says there of its own. All on the table's thread.
class copy_board {
public:
  static constexpr std::int64_t look_ms = 1'000;
  /// How often the positions of the own copies are told, when nothing else is new.
  static constexpr std::int64_t tell_ms = 10'000;

  struct setup {
    member_table* table = nullptr; ///< outlives it
    std::uint32_t partitions = 0;
    /// Of a clock that goes on while the machine sleeps.
    std::function<std::int64_t()> now_ms;
    std::int64_t tells_every_ms = tell_ms;
  };

  explicit copy_board(setup with);

  /// Every 100 ms, with this node's own copies.
  void tick(const std::vector<member_table::copy>& own);

  /// How often it was read; 0: nothing is known yet.
  [[nodiscard]] std::uint64_t reads() const noexcept;
  /// By node.
  [[nodiscard]] const std::vector<member_table::copy>& of(std::uint32_t partition) const;
  [[nodiscard]] std::vector<std::string> nodes_of(std::uint32_t partition) const;
  /// Absent: it is not noted.
  [[nodiscard]] std::optional<member_table::copy> row_of(std::uint32_t partition,
                                                         const std::string& node) const;
  [[nodiscard]] bool is_complete(std::uint32_t partition, const std::string& node) const;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
