// 12: what a million connectors cost of which each has one event that waits for an hour.

#include "bench/findings/figures.hpp"
#include "bench/findings/node_bounds.hpp"
#include "bench/harness/backlog_builder.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/process_usage.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace vicket::bench {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t due_spread_ms = 600'000;
constexpr std::int64_t calm_limit_ms = 60'000;
constexpr std::int64_t attempt_patience_ms = 60'000; ///< without a single request
/// A supervisor with nothing due goes after 30 s; the node gives memory back now and then.
constexpr std::int64_t supervisors_go_within_ms = 45'000;
constexpr std::int64_t memory_back_within_ms = 30'000;
constexpr std::int64_t sample_ms = 500;
/// An event and a connector, with room for what compaction writes before it deletes.
constexpr std::uint64_t disk_bytes_per_connector = 4'000;

class waiting_connectors {
public:
  explicit waiting_connectors(const bench_context& with)
      : with_{with}, sink_{with.start_sink("sink", 1'000'000)} {
    found_.connectors = connectors();
    found_.tried = tried();
    if (const auto needed = connectors() * disk_bytes_per_connector; with.where().free_bytes() < needed)
      throw std::runtime_error("needs " + std::to_string(needed / 1'000'000) + " MB of disk below " +
                               with.where().folder().string() + " (choose another folder with --folder)");
  }

  scenario_result run() {
    with_.say("building " + std::to_string(connectors()) + " connectors with an event each");
    build();
    const auto starts = with_.pick(3, 1);
    for (int i = 1; i <= starts; ++i) {
      if (node_)
        node_->kill(); // how it stops is seen at the end, when all figures are there
      with_.say("start " + std::to_string(i) + " of " + std::to_string(starts));
      node_ = with_.start_node(folder);
      measure_at_rest();
    }
    found_.memory_tried_bytes = not_measured;
    try {
      try_some();
      check_end();
    } catch (const std::exception& why) { // the figures that are there are worth showing
      violations_.push_back(why.what());
    }
    return judged();
  }

private:
  static constexpr const char* folder = "waiting-connectors";

  [[nodiscard]] std::uint32_t connectors() const { return with_.pick(1'000'000u, 50'000u); }
  [[nodiscard]] std::uint32_t tried() const { return with_.pick(100'000u, 5'000u); }

  [[nodiscard]] connector failing(std::uint32_t number) const {
    auto made = with_.connector_to(*sink_, "status-503", number);
    made.retry.base_ms = 2 * hour_ms; // of which the upper half is by chance
    made.retry.cap_ms = 2 * hour_ms;
    return made;
  }

  void build() {
    with_.start_node(folder)->stop(); // it makes the folder, with as many partitions as it likes to have
    const event_source source{1, connector_names(0, connectors()), id_kind::time_ordered, hour_ms};
    backlog_builder building{with_.where().file(folder)};
    building.put(connectors(), [this](std::uint32_t i) { return failing(i); });
    const auto now = wall_now();
    building.add(source, 0, connectors(), {now - hour_ms, now + hour_ms, due_spread_ms});
  }

  void measure_at_rest() {
    if (!becomes_calm(node_->id(), calm_limit_ms))
      notes_.push_back("The node was still busy " + std::to_string(calm_limit_ms / 1'000) +
                       " s after its start; it was measured all the same.");
    found_.ready_s.push_back(seconds(node_->ready_after_ns()));
    found_.memory_bytes.push_back(resident());
    with_.say("ready after " + std::to_string(static_cast<int>(found_.ready_s.back() * 1e3)) + " ms, " +
              std::to_string(static_cast<int>(resident() / 1e6)) + " MB");
  }

  /// One more event to some of them, which fails: they had their supervisors, and then wait as before.
  void try_some() {
    with_.say(std::to_string(tried()) + " of them are tried");
    const event_source source{2, connector_names(0, tried())};
    node_session session{node_->place()};
    feeder feed{session, source};
    feed.flood(tried());
    feed.wait_for_answers();
    if (feed.accepted() != tried())
      violations_.push_back("of " + std::to_string(tried()) + " events only " +
                            std::to_string(feed.accepted()) + " were accepted");
    if (!wait_for_arrivals(*sink_, tried(), attempt_patience_ms))
      violations_.push_back("of " + std::to_string(tried()) + " events only " +
                            std::to_string(sink_->arrived()) + " were tried");
    with_.say("their supervisors go");
    sleep_ms(with_.pick(supervisors_go_within_ms, std::int64_t{1'000}));
    found_.memory_tried_bytes = resident();
    const auto end_ns = now_ns() + with_.pick(memory_back_within_ms, std::int64_t{1'000}) * 1'000'000;
    for (; now_ns() < end_ns; sleep_ms(sample_ms))
      found_.memory_tried_bytes = std::min(found_.memory_tried_bytes, resident());
  }

  void check_end() {
    const auto expected = std::uint64_t{connectors()} + tried();
    if (const auto pending = node_session{node_->place()}.pending(); pending != expected)
      violations_.push_back(std::to_string(pending) + " events are pending on the node, there should be " +
                            std::to_string(expected));
    node_->stop();
  }

  [[nodiscard]] double resident() const { return static_cast<double>(memory_of(node_->id()).resident_bytes); }

  scenario_result judged() {
    scenario_result result;
    result.figures = figures_of(found_, !with_.options().quick);
    result.notes = notes_;
    result.violations = violations_;
    result.notes.push_back(
        "Connectors and events were written into the data folder with the store's own code: 500 "
        "bytes of body and one attempt answered 503 each.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  waiting_connectors_findings found_;
  std::vector<std::string> notes_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_waiting_connectors(const bench_context& with) {
  return waiting_connectors{with}.run();
}

} // namespace vicket::bench
