// 10: the memory of a node while the largest events wait for many connectors whose endpoints are down or hang.

#include "bench/findings/node_bounds.hpp"
#include "bench/harness/expected_events.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace vicket::bench {

namespace {

constexpr std::size_t envelope_bytes = 256u << 10; ///< the default of `--max-envelope`
constexpr std::uint32_t events_each = 4;
constexpr std::uint32_t of_which_hang = 10; ///< one of so many connectors
/// 16 MiB: a quarter of what a node takes before it refuses with `overloaded`.
constexpr std::size_t batch_items = 16;
constexpr std::size_t most_unanswered = 64;
/// With room for what compaction writes before it deletes.
constexpr std::uint64_t disk_bytes_per_event = 3 * envelope_bytes;

constexpr std::uint32_t retry_ms = 20'000;            ///< next attempts come after 10 to 20 s
constexpr std::int64_t delivery_patience_ms = 60'000; ///< without a single delivery
constexpr std::int64_t first_attempts_ms = 10'000;
constexpr std::int64_t doubles_come_within_ms = 200;
constexpr std::int64_t sample_ms = 20;

class big_events {
public:
  explicit big_events(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 1'000'000)}, node_{with.start_node("big-events")},
        session_{std::make_unique<node_session>(node_->place())}, arrivals_{*sink_},
        events_{event_source{1, connector_names(0, connectors()), id_kind::time_ordered, 0, envelope_bytes}} {
    found_.connectors = connectors();
    if (const auto needed = events() * disk_bytes_per_event; with.where().free_bytes() < needed)
      throw std::runtime_error("needs " + std::to_string(needed / 1'000'000) + " MB of disk below " +
                               with.where().folder().string() + " (choose another folder with --folder)");
  }

  scenario_result run() {
    put(true);
    found_.before_bytes = static_cast<double>(memory_of(node_->id()).resident_bytes);
    accept();
    with_.say("they wait");
    sleep_ms(first_attempts_ms);
    found_.waiting_bytes = most_resident(looked_at_ms());
    for (int i = 0; i < with_.pick(3, 1); ++i)
      restart();
    deliver();
    return judged();
  }

private:
  [[nodiscard]] std::uint32_t connectors() const { return with_.pick(1'000u, 100u); }
  [[nodiscard]] std::uint32_t events() const { return connectors() * events_each; }
  /// As long as it takes until all that wait have been tried again.
  [[nodiscard]] std::int64_t looked_at_ms() const { return with_.pick(retry_ms, 5'000u); }

  void put(bool down) {
    std::vector<connector> wanted;
    for (std::uint32_t i = 0; i < connectors(); ++i) {
      const bool hangs = down && i % of_which_hang == 0;
      auto made = with_.connector_to(*sink_, hangs ? "hang" : "gate", i);
      made.retry.base_ms = retry_ms;
      made.retry.cap_ms = retry_ms;
      if (!down)
        made.max_in_flight = 1; // 1 GB sent at once takes a slow machine longer than the timeout of each
      wanted.push_back(std::move(made));
    }
    session_->put(wanted);
  }

  void accept() {
    with_.say(std::to_string(events()) + " events of " + std::to_string(envelope_bytes / 1'024) +
              " KiB are accepted");
    feeder feed{*session_, events_.source()};
    feed.flood(events(), batch_items, most_unanswered);
    feed.wait_for_answers();
    add_sentences(violations_, "big events", feed.settle(events_.ledger()));
    found_.accepting_bytes = static_cast<double>(memory_of(node_->id()).peak_bytes);
  }

  [[nodiscard]] double most_resident(std::int64_t duration_ms) const {
    std::uint64_t most = 0;
    for (const auto end_ns = now_ns() + duration_ms * 1'000'000; now_ns() < end_ns; sleep_ms(sample_ms))
      most = std::max(most, memory_of(node_->id()).resident_bytes);
    return static_cast<double>(most);
  }

  /// Killed, so that nothing is put in order before.
  void restart() {
    with_.say("killed, and started on them");
    node_->kill();
    node_->start();
    session_ = std::make_unique<node_session>(node_->place());
    sleep_ms(looked_at_ms());
    found_.restarted_ready_s.push_back(seconds(node_->ready_after_ns()));
    found_.restarted_bytes.push_back(static_cast<double>(memory_of(node_->id()).peak_bytes));
  }

  void deliver() {
    with_.say("the endpoints are back");
    arrivals_.sort({&events_});
    if (const auto early = events_.ledger().delivered_count(); early > 0)
      violations_.push_back(std::to_string(early) + " events were delivered while their endpoints were down");
    put(false);
    sink_->open_gate(true);
    (void)arrivals_.wait_for(events_, events_.ledger().promised_count(), delivery_patience_ms, {&events_});
    for (const auto end_ns = now_ns() + delivery_patience_ms * 1'000'000;
         session_->pending() > 0 && now_ns() < end_ns;) // what came may have come too late, and comes again
      sleep_ms(doubles_come_within_ms);
    sleep_ms(doubles_come_within_ms);
    arrivals_.sort({&events_});
  }

  scenario_result judged() {
    scenario_result result;
    result.figures = figures_of(found_, !with_.options().quick);
    // A node was killed, and an answer may come later than a timeout where all is sent at once.
    add_sentences(violations_, "big events", events_.ledger().violations(true));
    if (const auto complaint = arrivals_.complaint(); !complaint.empty())
      violations_.push_back(complaint);
    if (const auto left = session_->pending(); left > 0)
      violations_.push_back(std::to_string(left) + " events are still pending on the node");
    result.violations = violations_;
    result.notes.push_back(
        std::to_string(events_each) + " events of " + std::to_string(envelope_bytes / 1'024) +
        " KiB wait for each connector; one of " + std::to_string(of_which_hang) +
        " connectors hangs, the others answer 503 and are tried again after 10 to 20 s. In the end all were "
        "delivered. After a restart, the most is that since the start of the process.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  std::unique_ptr<node_session> session_;
  arrival_sorter arrivals_;
  expected_events events_;
  big_events_findings found_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_big_events(const bench_context& with) {
  return big_events{with}.run();
}

} // namespace vicket::bench
