// 11: how long a status takes that has many pending events to count and many busy connectors to list.

#include "bench/findings/node_bounds.hpp"
#include "bench/harness/backlog_builder.hpp"
#include "bench/harness/feeder.hpp"
#include "bench/harness/real_time.hpp"
#include "bench/scenarios/scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace vicket::bench {

namespace {

constexpr int statuses = 5;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t attempt_patience_ms = 60'000; ///< without a single request
/// With room for what compaction writes before it deletes; about 500 stay, compressed.
constexpr std::uint64_t disk_bytes_per_event = 2'000;

class status_times {
public:
  explicit status_times(const bench_context& with) : with_{with}, sink_{with.start_sink("sink", 1'000'000)} {
    found_.pending = pending();
    if (const auto needed = pending() * disk_bytes_per_event; with.where().free_bytes() < needed)
      throw std::runtime_error("needs " + std::to_string(needed / 1'000'000) + " MB of disk below " +
                               with.where().folder().string() + " (choose another folder with --folder)");
  }

  scenario_result run() {
    with_.say("building " + std::to_string(pending()) + " pending");
    build();
    with_.say("each connector is tried once");
    node_ = with_.start_node(folder);
    if (!wait_for_arrivals(*sink_, connectors(), attempt_patience_ms))
      throw std::runtime_error("of " + std::to_string(connectors()) + " requests that were due only " +
                               std::to_string(sink_->arrived()) + " came");
    ask();
    return judged();
  }

private:
  static constexpr const char* folder = "status";

  [[nodiscard]] std::uint32_t connectors() const { return with_.pick(100'000u, 10'000u); }
  [[nodiscard]] std::uint32_t pending() const { return with_.pick(5'000'000u, 200'000u); }

  [[nodiscard]] connector failing(std::uint32_t number) const {
    auto made = with_.connector_to(*sink_, "status-503", number);
    made.retry.base_ms = hour_ms;
    made.retry.cap_ms = 24 * hour_ms; // an attempt that is due later than this is made at once
    return made;
  }

  /// One event of each connector is due, the others wait for hours.
  void build() {
    with_.start_node(folder)->stop(); // it makes the folder, with as many partitions as it likes to have
    const auto now = wall_now();
    const event_source source{1, connector_names(0, connectors()), id_kind::time_ordered, 2 * hour_ms};
    backlog_builder building{with_.where().file(folder)};
    building.put(connectors(), [this](std::uint32_t i) { return failing(i); });
    building.add(source, 0, connectors(), {now - 2 * hour_ms, now - 1'000, 1});
    building.add(source, connectors(), pending() - connectors(),
                 {now - 2 * hour_ms, now + 2 * hour_ms, 4 * hour_ms});
  }

  void ask() {
    with_.say("asking for statuses");
    node_session session{node_->place()};
    for (int i = 0; i < statuses; ++i) {
      std::int64_t slowest_ns = 0;
      const auto from_ns = now_ns();
      const auto found =
          session.status([&](std::int64_t took_ns) { slowest_ns = std::max(slowest_ns, took_ns); });
      found_.all_s.push_back(seconds(now_ns() - from_ns));
      found_.page_s.push_back(seconds(slowest_ns));
      found_.busy = static_cast<std::uint32_t>(found.connectors.size());
      check(found);
    }
  }

  void check(const node_status& found) {
    std::uint64_t in_all = 0;
    std::uint64_t listed = 0;
    for (const auto& one : found.partitions)
      in_all += one.pending;
    for (const auto& one : found.connectors)
      listed += one.pending;
    if (in_all != pending() || listed != pending() || found.connectors.size() != connectors())
      violations_.push_back("a status says that " + std::to_string(in_all) + " are pending, and lists " +
                            std::to_string(listed) + " of " + std::to_string(found.connectors.size()) +
                            " connectors; there are " + std::to_string(pending()) + " of " +
                            std::to_string(connectors()));
  }

  scenario_result judged() {
    scenario_result result;
    result.figures = figures_of(found_, !with_.options().quick);
    result.violations = violations_;
    result.notes.push_back(
        "From the request to the whole answer, as an operator's program sees it, soon after each connector "
        "was "
        "tried once. The events were written into the data folder with the store's own code.");
    return result;
  }

  const bench_context& with_;
  std::unique_ptr<own_sink> sink_;
  std::unique_ptr<node_process> node_;
  status_findings found_;
  std::vector<std::string> violations_;
};

} // namespace

scenario_result run_status(const bench_context& with) {
  return status_times{with}.run();
}

} // namespace vicket::bench
