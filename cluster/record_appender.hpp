#pragma once

#include "cluster/log_table.hpp"
#include "policy/append_settling.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vicket {

/// Appends a partition's records, one at a time, and settles each: sends, looks and waits as `append_settling` says, for as
/// long as it takes. All on the table's thread.
class record_appender {
public:
  /// A record whose end is not known is sent again after this, and then after twice as long each time.
  static constexpr std::int64_t first_pause_ms = 50;
  static constexpr std::int64_t longest_pause_ms = 1'000;

  struct setup {
    log_table* table = nullptr; ///< outlives it
    /// Calls it after so many milliseconds, on the same thread.
    std::function<void(std::int64_t ms, std::function<void()>)> wait;
  };

  struct settled {
    append_settling::step how = append_settling::step::refused; ///< one of those that end it
    std::string detail;                                         ///< what the table said last
  };

  explicit record_appender(setup with);
  ~record_appender(); ///< tells nobody anything more

  /// Not while another one is under way.
  void append(log_row row, const record_digest& before, std::function<void(settled)> done);
  [[nodiscard]] bool busy() const noexcept;

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
