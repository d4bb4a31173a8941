#pragma once

#include "link/json_request.hpp"
#include "messages/event.hpp"
#include "messages/history.hpp"
#include "messages/trigger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vicket::internal {

// Answers in `vicket.json.1`; events, results and lines of the feed are written as the command line writes them.

/// `{"request":n,"error":"CODE","detail":"…"}`.
[[nodiscard]] std::string json_refusal(std::uint64_t request, const refusal& why);

/// `{"request":n,"results":[…]}`: one for each of `items`, those without a refusal of their own from `results`, in order.
/// Nothing: there are not as many.
[[nodiscard]] std::optional<std::string> json_results(std::uint64_t request,
                                                      const std::vector<std::optional<refusal>>& items,
                                                      const std::vector<send_result>& results);

/// The same of triggers.
[[nodiscard]] std::optional<std::string> json_results(std::uint64_t request,
                                                      const std::vector<std::optional<refusal>>& items,
                                                      const std::vector<trigger_answer>& results);

/// `{"request":n,"outcomes":[line,…],"next":"cursor"}`, a line for the gap first where there is one.
[[nodiscard]] std::string json_outcomes(std::uint64_t request, const outcome_page& page);

/// `{"request":n,"events":[history,…],"next":"cursor"}`, or null where nothing follows.
[[nodiscard]] std::string json_history(std::uint64_t request, const run_page& page);
[[nodiscard]] std::string json_history(std::uint64_t request, const event_page& page);

} // namespace vicket::internal
