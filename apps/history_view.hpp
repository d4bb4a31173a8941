#pragma once

#include "apps/terminal.hpp"
#include "messages/history.hpp"
#include "policy/json_text.hpp"

#include <cstdint>
#include <optional>

namespace vicket {

/// Prints events with their attempts as the pages come that they are spread over, and holds nothing of them: as a person
/// reads them, a block for each with an empty line between two; or as JSON, one object per line.
class history_printer {
public:
  history_printer(const terminal& out, bool json);

  /// What comes next: an event, or what follows of the one before. It is an event's end unless it `goes_on`.
  void print(const event_history& piece);
  /// Nothing follows. An event that was to go on is ended, and says that it is not whole.
  void end();

private:
  void begin_event(const event_history& piece);
  void add_attempts(const std::vector<attempt>& attempts);
  void end_event(bool whole, std::uint32_t attempts_dropped = 0);

  const terminal& out_;
  bool json_;
  bool first_ = true; ///< nothing was printed yet
  bool open_ = false; ///< an event was begun and not ended
  event_history_pieces pieces_;
  std::optional<text_table> table_;
};

/// One attempt of the feed on one line.
[[nodiscard]] std::string outcome_line(const terminal& out, const outcome_entry& entry);

/// That some of the feed is gone, on one line.
[[nodiscard]] std::string gap_line(const terminal& out, const std::string& cursor);

} // namespace vicket
