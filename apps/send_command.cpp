#include "apps/commands.hpp"
#include "apps/line_source.hpp"
#include "apps/terminal.hpp"
#include "policy/json_text.hpp"
#include "policy/text_form.hpp"
#include "policy/trigger_json.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <vector>

namespace vicket {

namespace {

/// Events to a message: from here on a larger one gains nothing (`vicket-bench-link`).
constexpr std::size_t batch_items = 100;
/// Of a batch's lines, unless it is one: a message has an end, and what is refused for its length is refused whole.
constexpr std::size_t batch_bytes = std::size_t{8} << 20;
/// Messages on their way. At the bound nothing is read until the oldest is answered.
constexpr std::size_t max_batches = 16;
/// Lines that wait for their turn to be printed; bounds what lines that do not parse can pile up.
constexpr std::size_t max_batch_lines = 1'000;

/// A descriptor that is closed with its object, unless it is standard input.
class descriptor {
public:
  explicit descriptor(int number) : number_{number} {}
  ~descriptor() {
    if (number_ > STDERR_FILENO)
      ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

/// What is printed for a line.
struct line_result {
  std::string json;
  bool refused = false;
};
using line_results = std::vector<line_result>;

line_results results_of(const batch_result& all) {
  line_results lines;
  for (const auto& one : all.results)
    lines.push_back({send_result_to_json(one), std::holds_alternative<refusal>(one)});
  return lines;
}

/// A trigger is refused where one of its events is.
line_results results_of(const trigger_batch_result& all) {
  line_results lines;
  for (const auto& one : all.results) {
    const auto* result = std::get_if<trigger_result>(&one);
    lines.push_back({trigger_answer_to_json(one),
                     result == nullptr ||
                         std::any_of(result->events.begin(), result->events.end(), [](const auto& event) {
                           return std::holds_alternative<refusal>(event.result);
                         })});
  }
  return lines;
}

/// Answers on their way from the connection's thread to ours; the event descriptor is readable while there
/// are some.
class mailbox {
public:
  using content = std::pair<std::uint64_t, answer<line_results>>;

  mailbox() : bell_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

  void put(std::uint64_t batch, answer<line_results> value) {
    {
      const std::lock_guard guard{mutex_};
      content_.emplace_back(batch, std::move(value));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(bell_.number(), &one, sizeof(one));
  }

  std::vector<content> take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(bell_.number(), &count, sizeof(count));
    const std::lock_guard guard{mutex_};
    return std::exchange(content_, {});
  }

  [[nodiscard]] int bell() const { return bell_.number(); }

private:
  descriptor bell_;
  std::mutex mutex_;
  std::vector<content> content_;
};

/// Lines in, result lines out, in order; a blank line has none.
///
/// Invariants: `window_` holds the batches that were sent and not printed, oldest first; its front has the
/// number `first_`. `open_` is the one being filled. Every line that is not blank is in exactly one of them.
class event_sender {
public:
  event_sender(const client_options& options, node_link& link, int input)
      : options_{options}, link_{link}, lines_{input} {}

  int run() {
    for (;;) {
      take_lines();
      keep_going();
      if (lines_.ended() && window_.empty())
        break;
      wait();
    }
    out_.flush();
    if (lost_)
      return exit_unreachable;
    return any_refused_ ? exit_refused : exit_done;
  }

private:
  struct batch {
    std::vector<std::optional<refusal>> lines; ///< by line: refused here, or one of the items
    // Either of these has the items; the other one is empty.
    send_batch events;
    trigger_batch triggers;
    std::size_t bytes = 0; ///< of the lines
    line_results results;  ///< of the items
    bool answered = false;

    [[nodiscard]] std::size_t items() const { return events.items.size() + triggers.items.size(); }
  };

  /// What is open waits only while the window is full.
  void keep_going() {
    print_ready();
    if (!open_.lines.empty() && window_.size() < max_batches)
      send_open();
    print_ready();
  }

  /// Takes all lines that are here, until the window is full.
  void take_lines() {
    while (window_.size() < max_batches) {
      auto line = lines_.next();
      if (!line) {
        if (lines_.ended() || !input_readable())
          return;
        lines_.fill();
        continue;
      }
      if (is_blank_line(line->text) && !line->too_long) {
        if (++blank_lines_ % max_batch_lines == 0) // an endless run of them holds up no answers
          keep_going();
        continue;
      }
      if (open_.items() > 0 && open_.bytes + line->text.size() > batch_bytes)
        send_open();
      if (!take_line(std::move(*line)))
        lines_.end();
      if (open_.items() == batch_items || open_.lines.size() == max_batch_lines)
        send_open();
    }
  }

  /// False: no further line can be read.
  bool take_line(line_source::line line) {
    const bool first = !std::exchange(begun_, true);
    const auto where = "line " + std::to_string(line.number) + ": ";
    if (line.too_long) {
      open_.lines.emplace_back(refusal{
          errc::too_large, where + "longer than " + std::to_string(line_source::max_line_bytes) + " bytes"});
      return true;
    }
    if (const auto form = utf8_text(line.text); first && std::holds_alternative<std::string>(form)) {
      // Its line ends are none of ours either.
      open_.lines.emplace_back(
          refusal{errc::invalid_event, where + std::get<std::string>(form) + "; nothing was sent"});
      return false;
    }
    auto read = event_or_trigger_from_json(line.text);
    if (const auto* complaint = std::get_if<std::string>(&read)) {
      open_.lines.emplace_back(refusal{errc::invalid_event, where + *complaint});
      return true;
    }
    auto* value = std::get_if<trigger>(&read);
    if (value != nullptr ? !open_.events.items.empty() : !open_.triggers.items.empty())
      send_open(); // a message is of one kind
    open_.bytes += line.text.size();
    open_.lines.emplace_back(std::nullopt);
    if (value != nullptr)
      open_.triggers.items.push_back(std::move(*value));
    else
      open_.events.items.push_back(std::get<send_to_connector>(std::move(read)));
    return true;
  }

  void send_open() {
    auto& sent = window_.emplace_back(std::exchange(open_, {}));
    const auto number = first_ + window_.size() - 1;
    if (sent.items() == 0)
      sent.answered = true;
    else if (lost_)
      settle(sent, unreachable{*lost_});
    else if (!sent.events.items.empty())
      ask<batch_result>(std::exchange(sent.events, {}), number);
    else
      ask<trigger_batch_result>(std::exchange(sent.triggers, {}), number);
  }

  template <class Answer, class Message>
  void ask(Message message, std::uint64_t number) {
    link_.ask<Answer>(std::move(message), [box = box_, number](answer<Answer> value) {
      if (const auto* all = std::get_if<Answer>(&value))
        box->put(number, results_of(*all));
      else if (auto* no = std::get_if<refusal>(&value))
        box->put(number, std::move(*no));
      else
        box->put(number, std::get<unreachable>(std::move(value)));
    });
  }

  void settle(batch& sent, answer<line_results> value) {
    const auto items = static_cast<std::size_t>(
        std::count_if(sent.lines.begin(), sent.lines.end(), [](const auto& line) { return !line; }));
    sent.answered = true;
    if (auto* results = std::get_if<line_results>(&value); results != nullptr && results->size() == items) {
      sent.results = std::move(*results);
      return;
    }
    refusal why{errc::unavailable, "the node's answer does not fit the message"};
    if (const auto* refused = std::get_if<refusal>(&value)) {
      why = *refused;
    } else if (const auto* gone = std::get_if<unreachable>(&value)) {
      why.detail = gone->why;
      lose(gone->why);
    }
    sent.results.assign(items, {send_result_to_json(why), true});
  }

  void lose(const std::string& why) {
    if (lost_)
      return;
    lost_ = why;
    complain("lost " + options_.node.to_string() + ": " + why +
             "; events without a result may or may not have been accepted");
  }

  void print_ready() {
    for (auto& [number, value] : box_->take())
      settle(window_[number - first_], std::move(value));
    for (; !window_.empty() && window_.front().answered; window_.pop_front(), ++first_)
      print(window_.front());
    out_.flush();
  }

  void print(const batch& settled) {
    std::size_t item = 0;
    for (const auto& line : settled.lines) {
      const auto result = line ? line_result{send_result_to_json(*line), true} : settled.results[item++];
      any_refused_ = any_refused_ || result.refused;
      out_.line(result.json);
    }
  }

  [[nodiscard]] bool input_readable() const {
    pollfd input{lines_.descriptor(), POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
  }

  /// Until there is an answer, or something to read and room for it.
  void wait() {
    std::array<pollfd, 2> both{{{box_->bell(), POLLIN, 0}, {lines_.descriptor(), POLLIN, 0}}};
    const bool reading = !lines_.ended() && window_.size() < max_batches;
    ::poll(both.data(), reading ? 2 : 1, window_.empty() || !window_.front().answered ? -1 : 0);
  }

  const client_options& options_;
  node_link& link_;
  line_source lines_;
  std::shared_ptr<mailbox> box_ = std::make_shared<mailbox>(); ///< shared with answers that are under way
  terminal out_ = terminal::standard();
  batch open_;
  std::deque<batch> window_;
  std::uint64_t first_ = 0;
  std::uint64_t blank_lines_ = 0;
  bool begun_ = false; ///< a line that is not blank has come
  bool any_refused_ = false;
  std::optional<std::string> lost_;
};

} // namespace

int run_send(const client_options& options, const std::string& file) {
  const descriptor input{file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (input.number() < 0)
    return report_usage(file + " can't be read");
  client here{options.node, options.tls};
  auto connected = here.connect();
  if (const auto* why = std::get_if<unreachable>(&connected))
    return report(options, *why);
  return event_sender{options, *std::get<0>(connected), input.number()}.run();
}

} // namespace vicket
