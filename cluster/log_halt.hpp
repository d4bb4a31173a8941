#pragma once

#include "policy/log_history.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace vicket {

class log_table;

/// Why a partition is halted whose log lacks what was certain, as a sentence.
[[nodiscard]] std::string log_went_back(const record_head& lost);

/// Halts a partition's log for all, until that is known to be durable: else others might go on from a past that not all have. On
/// the table's thread.
class log_halt {
public:
  log_halt(log_table& table, std::uint32_t partition);

  void begin(const std::string& why);
  /// Asks again, unless it is under way or done; with each poll.
  void go_on();

private:
  struct rep;
  std::shared_ptr<rep> rep_;
};

} // namespace vicket
