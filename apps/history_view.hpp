#pragma once

#include "apps/terminal.hpp"
#include "messages/history.hpp"

namespace vicket {

/// An event and its attempts, as a person reads them.
void print_event(const terminal& out, const event_history& event);

/// One attempt of the feed on one line.
[[nodiscard]] std::string outcome_line(const terminal& out, const outcome_entry& entry);

/// That some of the feed is gone, on one line.
[[nodiscard]] std::string gap_line(const terminal& out, const std::string& cursor);

} // namespace vicket
