#include "apps/commands.hpp"
#include "apps/history_view.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace vicket {

namespace {

using std::chrono::milliseconds;

// What a page weighs is bounded by the node; this only has it begin to print soon.
constexpr std::uint32_t page_limit = 200;
constexpr milliseconds wait_slack{10'000};
constexpr milliseconds first_backoff{100};
constexpr milliseconds longest_backoff{5'000};
constexpr std::chrono::minutes unread_pause{1};

/// Reads the feed from a cursor on. The cursor moves with what was printed, so that a reconnect goes on right
/// after it.
class feed_reader {
public:
  feed_reader(const client_options& options, const outcomes_options& what)
      : options_{options}, follow_{what.follow}, cursor_{what.from}, here_{options.node, options.tls} {}

  int read() {
    auto connected = here_.connect();
    if (const auto* why = std::get_if<unreachable>(&connected))
      return report(options_, *why);
    auto link = std::get<0>(std::move(connected));
    for (;;) {
      auto response = ask(*link);
      if (auto* page = std::get_if<outcome_page>(&response)) {
        print(*page);
        if (follow_)
          tell_of_unread(*page);
        else if (page->entries.empty() && page->gap_cursor.empty())
          return end_with(*page);
        continue;
      }
      const auto* refused = std::get_if<refusal>(&response);
      if (refused != nullptr && (refused->code != errc::unavailable || !follow_))
        return report(options_, *refused);
      const auto why = refused != nullptr ? refused->detail : std::get<unreachable>(response).why;
      if (!follow_)
        return report(options_, unreachable{"no answer from " + options_.node.to_string() + ": " + why});
      link = connect_again(why);
    }
  }

private:
  answer<outcome_page> ask(node_link& link) {
    read_outcomes request;
    request.cursor = cursor_;
    request.limit = page_limit;
    request.wait_ms = follow_ ? read_outcomes::max_wait_ms : 0;
    return link.ask_and_wait<outcome_page>(request, milliseconds{request.wait_ms} + wait_slack);
  }

  void print(const outcome_page& page) {
    if (!page.gap_cursor.empty())
      out_.line(options_.json ? feed_gap_to_json(page.gap_cursor) : gap_line(out_, page.gap_cursor));
    for (const auto& entry : page.entries)
      out_.line(options_.json ? outcome_entry_to_json(entry) : outcome_line(out_, entry));
    out_.flush();
    cursor_ = page.cursor;
  }

  /// What is missing here comes when it can be read; it is said now and then for as long as it can't.
  void tell_of_unread(const outcome_page& page) {
    const auto now = std::chrono::steady_clock::now();
    if (page.unread.empty() || now < silent_until_)
      return;
    silent_until_ = now + unread_pause;
    for (const auto& why : page.unread)
      complain(why + "; its outcomes come when it can be");
  }

  static int end_with(const outcome_page& last) {
    for (const auto& why : last.unread)
      complain(why + "; its outcomes are missing here: go on from the last cursor later");
    return last.unread.empty() ? exit_done : exit_refused;
  }

  std::unique_ptr<node_link> connect_again(const std::string& why) {
    complain(options_.node.to_string() + " went away (" + why + "): trying again until it is back");
    for (auto backoff = first_backoff;; backoff = std::min(backoff * 2, longest_backoff)) {
      std::this_thread::sleep_for(backoff);
      auto connected = here_.connect();
      if (auto* link = std::get_if<0>(&connected)) {
        complain(options_.node.to_string() + " is back");
        return std::move(*link);
      }
    }
  }

  const client_options& options_;
  bool follow_;
  std::string cursor_;
  std::chrono::steady_clock::time_point silent_until_{}; ///< of partitions that can't be read
  client here_;
  terminal out_ = terminal::standard();
};

} // namespace

int run_outcomes(const client_options& options, const outcomes_options& what) {
  return feed_reader{options, what}.read();
}

} // namespace vicket
