#include "link/json_answers.hpp"

#include "policy/json_text.hpp"
#include "policy/trigger_json.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace vicket::internal {

namespace {

/// Of a result that was accepted.
constexpr std::size_t result_bytes = 80;

std::string head(std::uint64_t request) {
  return R"({"request":)" + std::to_string(request);
}

/// The elements of an array, with commas in between.
class array_text {
public:
  explicit array_text(std::string& to) : to_{to} {}

  void add(std::string_view element) {
    if (!std::exchange(first_, false))
      to_ += ',';
    to_ += element;
  }

private:
  std::string& to_;
  bool first_ = true;
};

template <class Page>
std::string history_of(std::uint64_t request, const Page& page) {
  auto text = head(request) + R"(,"events":[)";
  array_text events{text};
  for (const auto& one : page.events)
    events.add(event_history_to_json(one));
  return text + R"(],"next":)" + (page.more ? text_to_json(page.cursor) : "null") + "}";
}

template <class Result, class ToJson>
std::optional<std::string> results_of(std::uint64_t request, const std::vector<std::optional<refusal>>& items,
                                      const std::vector<Result>& results, ToJson to_json) {
  const auto asked = std::count(items.begin(), items.end(), std::nullopt);
  if (static_cast<std::size_t>(asked) != results.size())
    return std::nullopt;
  auto text = head(request) + R"(,"results":[)";
  text.reserve(text.size() + items.size() * result_bytes);
  array_text elements{text};
  auto next = results.begin();
  for (const auto& item : items)
    elements.add(to_json(item ? Result{*item} : *next++));
  text += "]}";
  return text;
}

} // namespace

std::string json_refusal(std::uint64_t request, const refusal& why) {
  auto text = send_result_to_json(why);
  return head(request) + "," + text.substr(1);
}

std::optional<std::string> json_results(std::uint64_t request,
                                        const std::vector<std::optional<refusal>>& items,
                                        const std::vector<send_result>& results) {
  return results_of(request, items, results, send_result_to_json);
}

std::optional<std::string> json_results(std::uint64_t request,
                                        const std::vector<std::optional<refusal>>& items,
                                        const std::vector<trigger_answer>& results) {
  return results_of(request, items, results, trigger_answer_to_json);
}

std::string json_outcomes(std::uint64_t request, const outcome_page& page) {
  auto text = head(request) + R"(,"outcomes":[)";
  array_text lines{text};
  if (!page.gap_cursor.empty())
    lines.add(feed_gap_to_json(page.gap_cursor));
  for (const auto& entry : page.entries)
    lines.add(outcome_entry_to_json(entry));
  text += R"(],"next":)" + text_to_json(page.cursor);
  if (!page.unread.empty()) {
    text += R"(,"unread":[)";
    array_text sentences{text};
    for (const auto& one : page.unread)
      sentences.add(text_to_json(one));
    text += ']';
  }
  return text + "}";
}

std::string json_history(std::uint64_t request, const run_page& page) {
  return history_of(request, page);
}

std::string json_history(std::uint64_t request, const event_page& page) {
  return history_of(request, page);
}

} // namespace vicket::internal
